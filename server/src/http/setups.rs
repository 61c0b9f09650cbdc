//! `GET /api/v1/setups` and one of them.

use super::extract::Segment;
use super::problem::Refusal;
use super::wire::{SetupItem, SetupList};
use super::{Door, json};
use axum::extract::State;
use axum::response::Response;

/// Lists all setups
///
/// By name. Each carries its open run, or else its newest one.
#[utoipa::path(
    get, path = "/api/v1/setups", tag = "Reads", operation_id = "listSetups",
    responses((status = 200, description = "Every setup", body = SetupList)),
)]
pub async fn list(State(Door { service, .. }): State<Door>) -> Response {
    let (now, silent_after) = (service.now(), service.silent_after());
    let items = service.setups().iter().map(|tile| SetupItem::of(tile, now, silent_after)).collect();
    json(&SetupList { items, next: None })
}

/// Tells about one setup
#[utoipa::path(
    get, path = "/api/v1/setups/{name}", tag = "Reads", operation_id = "getSetup",
    params(("name" = String, Path, description = "The setup's name, percent-encoded", example = "bench 7")),
    responses((status = 200, description = "The setup", body = SetupItem)),
)]
pub async fn one(State(Door { service, .. }): State<Door>, Segment(name): Segment) -> Result<Response, Refusal> {
    let tile = service.setup(&name).ok_or_else(|| {
        Refusal::not_found(format!(
            "there is no setup {name:?}; a setup appears with its first event, and names are case-sensitive"
        ))
    })?;
    Ok(json(&SetupItem::of(&tile, service.now(), service.silent_after())))
}
