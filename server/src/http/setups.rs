//! `GET /api/v1/setups` and one of them.

use super::extract::Segment;
use super::json;
use super::problem::Refusal;
use super::wire::{SetupItem, SetupList};
use crate::service::Desk;
use axum::response::Response;

/// Lists all setups
///
/// By name. Each carries its open run, or else its newest one.
#[utoipa::path(
    get, path = "/api/v1/setups", tag = "Reads", operation_id = "listSetups",
    responses((status = 200, description = "Every setup", body = SetupList)),
)]
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let (now, silent_after) = (desk.now(), desk.silent_after());
    let items = desk.setups().await?.iter().map(|tile| SetupItem::of(tile, now, silent_after)).collect();
    Ok(json(&SetupList { items, next: None }))
}

/// Tells about one setup
#[utoipa::path(
    get, path = "/api/v1/setups/{name}", tag = "Reads", operation_id = "getSetup",
    params(("name" = String, Path, description = "The setup's name, percent-encoded", example = "bench 7")),
    responses((status = 200, description = "The setup", body = SetupItem)),
)]
pub async fn one(desk: Desk, Segment(name): Segment) -> Result<Response, Refusal> {
    let tile = desk.setup(&name).await?.ok_or_else(|| {
        Refusal::not_found(format!(
            "there is no setup {name:?}; a setup appears with its first event, and names are case-sensitive"
        ))
    })?;
    Ok(json(&SetupItem::of(&tile, desk.now(), desk.silent_after())))
}
