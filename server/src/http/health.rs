//! Whether the server is alive, and whether it can work.

use super::problem::Refusal;
use super::{Door, json};
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

/// The server is alive
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// Which build it is.
    build: String,
}

/// The server can work
#[derive(Serialize, ToSchema)]
pub struct Ready {
    /// `ready`.
    status: &'static str,
    /// The kind of store.
    store: &'static str,
}

/// Tells whether the server is alive
#[utoipa::path(
    get, path = "/health", tag = "Server", operation_id = "getHealth",
    responses((status = 200, description = "Alive", body = Health)),
)]
pub async fn health(State(Door { service, .. }): State<Door>) -> Response {
    json(&Health { status: "ok", version: env!("CARGO_PKG_VERSION"), build: service.board().build().to_owned() })
}

/// Tells whether the store can be reached
#[utoipa::path(
    get, path = "/ready", tag = "Server", operation_id = "getReady",
    responses((status = 200, description = "The store answers", body = Ready)),
)]
pub async fn ready(State(Door { service, .. }): State<Door>) -> Result<Response, Refusal> {
    Ok(json(&Ready { status: "ready", store: service.ready().await? }))
}
