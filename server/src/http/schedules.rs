//! `/api/v1/schedules`: what is run again and again, for programs.

use super::extract::Segment;
use super::problem::Refusal;
use super::wire::schedule::{ScheduleBody, ScheduleItem, ScheduleList};
use super::{body, json};
use crate::service::Desk;
use app::domain::rights::Action;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

pub(super) fn no_schedule(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no schedule {name:?}; schedules are listed under /api/v1/schedules"))
}

/// Lists schedules
///
/// By name, with the next time of each and what its last turn came to.
#[utoipa::path(
    get, path = "/api/v1/schedules", tag = "Work", operation_id = "listSchedules",
    responses((status = 200, description = "Every schedule", body = ScheduleList)),
)]
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let items = desk.schedules().await?.iter().map(ScheduleItem::from).collect();
    Ok(json(&ScheduleList { items }))
}

/// Tells about one schedule
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}", tag = "Work", operation_id = "getSchedule",
    params(("name" = String, Path, description = "The schedule's name", example = "nightly")),
    responses((status = 200, description = "The schedule", body = ScheduleItem)),
)]
pub async fn one(desk: Desk, Segment(name): Segment) -> Result<Response, Refusal> {
    let found = desk.schedule(&name).await?.ok_or_else(|| no_schedule(&name))?;
    Ok(json(&ScheduleItem::from(&found)))
}

/// Saves a schedule
///
/// Under this name, in place of what was there: the files of a batch, or the head of a branch, are run at these times.
/// What was missed while the server was away is run once. Needs a token of scope `admin`, or an engineer.
#[utoipa::path(
    put, path = "/api/v1/schedules/{name}", tag = "Work", operation_id = "saveSchedule", security(("token" = [])),
    params(("name" = String, Path, description = "1 to 60 of a-z, 0-9 and -", example = "nightly")),
    request_body(content = ScheduleBody, description = "When, and what"),
    responses((status = 200, description = "The schedule", body = ScheduleItem)),
)]
pub async fn save(desk: Desk, Segment(name): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.allow(Action::Launch)?;
    let said: ScheduleBody = body::value(&headers, body).await?;
    Ok(json(&ScheduleItem::from(&desk.schedule_save(&name, &said.plan(), said.is_paused).await?)))
}

/// Deletes a schedule
///
/// What it made stays. Needs a token of scope `admin`, or an engineer.
#[utoipa::path(
    delete, path = "/api/v1/schedules/{name}", tag = "Work", operation_id = "deleteSchedule", security(("token" = [])),
    params(("name" = String, Path, description = "The schedule's name", example = "nightly")),
    responses((status = 204, description = "It is gone")),
)]
pub async fn delete(desk: Desk, Segment(name): Segment) -> Result<Response, Refusal> {
    desk.schedule_delete(&name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
