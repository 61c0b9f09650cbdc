//! Tests that go on under another name: offered, joined and parted.

use super::body;
use super::extract::{RunInPath, Segment, no_run};
use super::json;
use super::problem::Refusal;

use super::wire::rename::{RenameBody, RenameItem, RenameList};
use crate::service::Desk;
use app::domain::ids::TestId;
use app::domain::rights::Action;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// Lists likely renames
///
/// Tests that appeared in this run for the first time, each with a test of the run before it that vanished
/// and is like it. Nothing is joined by itself: see `POST /api/v1/renames`.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/renames", tag = "Reads", operation_id = "listLikelyRenames",
    params(("id" = uuid::Uuid, Path, description = "The run's id")),
    responses((status = 200, description = "The likeliest first", body = RenameList)),
)]
pub async fn list(desk: Desk, RunInPath(id): RunInPath) -> Result<Response, Refusal> {
    let offers = desk.renames_in(id).await?.ok_or_else(|| no_run(id))?;
    Ok(json(&RenameList { items: offers.into_iter().map(RenameItem::from).collect(), next: None }))
}

/// Joins two tests
///
/// A test goes on as another one: the results of both are one history from here on, and its health is reckoned from
/// all of them. It can be undone.
#[utoipa::path(
    post, path = "/api/v1/renames", tag = "Tests", operation_id = "joinTests", security(("token" = [])),
    request_body(content = RenameBody),
    responses((status = 204, description = "They are one")),
)]
pub async fn join(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.may(Action::Care)?;
    let said: RenameBody = body::value(&headers, body).await?;
    desk.rename(TestId(said.was), TestId(said.now)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Parts two tests
///
/// A test that was joined to another one stands for itself again.
#[utoipa::path(
    delete, path = "/api/v1/renames/{was}", tag = "Tests", operation_id = "partTests", security(("token" = [])),
    params(("was" = uuid::Uuid, Path, description = "The test that went on under another name")),
    responses((status = 204, description = "They are two again")),
)]
pub async fn part(desk: Desk, Segment(was): Segment) -> Result<Response, Refusal> {
    let was = was.parse().map_err(|_| Refusal::not_found(format!("there is no test {was:?}")))?;
    desk.part(was).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
