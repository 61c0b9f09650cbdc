//! `/api/v1/walls`, and who looks after a setup: for programs.

use super::extract::Segment;
use super::problem::Refusal;
use super::wire::walls::{ClaimBody, WallItem, WallList};
use super::{body, json};
use crate::service::Desk;
use app::domain::rights::Action;
use app::domain::wall::WallPlan;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

pub(super) fn no_wall(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no wall {name:?}; walls are listed under /api/v1/walls"))
}

/// Lists saved walls
///
/// By name. Those of the configuration file are changed there.
#[utoipa::path(
    get, path = "/api/v1/walls", tag = "Walls", operation_id = "listWalls",
    responses((status = 200, description = "Every wall", body = WallList)),
)]
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let items = desk.walls().await?.into_iter().map(WallItem::from).collect();
    Ok(json(&WallList { items, next: None }))
}

/// Tells about one wall
#[utoipa::path(
    get, path = "/api/v1/walls/{name}", tag = "Walls", operation_id = "getWall",
    params(("name" = String, Path, description = "The wall's name", example = "lobby")),
    responses((status = 200, description = "The wall", body = WallItem)),
)]
pub async fn one(desk: Desk, Segment(name): Segment) -> Result<Response, Refusal> {
    let found = desk.wall_plan(&name).await?.ok_or_else(|| no_wall(&name))?;
    Ok(json(&WallItem::from(found)))
}

/// Saves a wall
///
/// Under this name, in place of what was there. What is left out is as usual: an empty object is a
/// wall with every setup. Needs a token of scope `admin`.
#[utoipa::path(
    put, path = "/api/v1/walls/{name}", tag = "Walls", operation_id = "saveWall", security(("token" = [])),
    params(("name" = String, Path, description = "1 to 60 of a-z, 0-9 and -", example = "lobby")),
    request_body(content = super::wire::walls::Plan, description = "What it shows, and how"),
    responses((status = 200, description = "The wall", body = WallItem)),
)]
pub async fn save(desk: Desk, Segment(name): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.allow(Action::Configure)?;
    let plan: WallPlan = body::value(&headers, body).await?;
    desk.wall_save(&name, &plan).await?;
    let saved = desk.wall_plan(&name).await?.ok_or_else(|| no_wall(&name))?;
    Ok(json(&WallItem::from(saved)))
}

/// Deletes a wall
///
/// Every kiosk link to it is taken back. Needs a token of scope `admin`.
#[utoipa::path(
    delete, path = "/api/v1/walls/{name}", tag = "Walls", operation_id = "deleteWall", security(("token" = [])),
    params(("name" = String, Path, description = "The wall's name", example = "lobby")),
    responses((status = 204, description = "It is gone")),
)]
pub async fn delete(desk: Desk, Segment(name): Segment) -> Result<Response, Refusal> {
    if desk.wall_delete(&name).await? { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(no_wall(&name)) }
}

/// Says who looks after a setup
///
/// It stands on the setup's tile until it is given back, or until a run of the setup has ended well.
#[utoipa::path(
    put, path = "/api/v1/setups/{name}/claim", tag = "Walls", operation_id = "claimSetup", security(("token" = [])),
    params(("name" = String, Path, description = "The setup's name, percent-encoded", example = "bench 7")),
    request_body(content = ClaimBody),
    responses((status = 204, description = "It is known")),
)]
pub async fn claim(desk: Desk, Segment(name): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let said: ClaimBody = body::value(&headers, body).await?;
    desk.claim(&name, &said.holder, said.note.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Says that nobody looks after a setup any more
#[utoipa::path(
    delete, path = "/api/v1/setups/{name}/claim", tag = "Walls", operation_id = "releaseSetup", security(("token" = [])),
    params(("name" = String, Path, description = "The setup's name, percent-encoded", example = "bench 7")),
    responses((status = 204, description = "Nobody does")),
)]
pub async fn release(desk: Desk, Segment(name): Segment) -> Result<Response, Refusal> {
    desk.release(&name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
