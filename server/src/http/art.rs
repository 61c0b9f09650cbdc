//! `/art`: the ECG alone, and what a front end that stands elsewhere asks:
//! `/status` and `/mode`.

use super::extract::Query;
use super::problem::Refusal;
use super::{html, json};
use crate::service::Desk;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The page; its script is the one that also runs without any server.
const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holter</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/art.css">
<script type="module" src="/art.js"></script>
</head>
<body><noscript>This page draws with a script.</noscript></body>
</html>
"#;

/// The ECG alone.
pub async fn page() -> Response {
    html::respond(PAGE)
}

/// The state of a project in one word
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatusBody {
    /// `success`, `failed`, `running` or `unknown`.
    status: &'static str,
    /// The project that was asked for; null for everything.
    project: Option<String>,
    /// `monitor`, or `art` while theatre is wanted.
    mode: &'static str,
}

/// What front ends are to show
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModeBody {
    /// `monitor` or `art`.
    mode: String,
}

fn mode(is_art: bool) -> &'static str {
    if is_art { "art" } else { "monitor" }
}

/// Any page may read a word that says so little.
fn for_all(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Tells the state of a project in one word
///
/// Failed while a test of the newest run of any of its setups failed; running while nothing failed and
/// something runs; success else. Pages of other origins may ask.
#[utoipa::path(
    get, path = "/status", tag = "Server", operation_id = "getStatus",
    params(("project" = Option<String>, Query, description = "Only this project")),
    responses((status = 200, description = "The state", body = StatusBody)),
)]
pub async fn status(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let project = query.text("project");
    let status = desk.status(project).await?.as_str();
    Ok(for_all(json(&StatusBody { status, project: project.map(str::to_owned), mode: mode(desk.is_art()) })))
}

/// Tells what front ends are to show
#[utoipa::path(
    get, path = "/mode", tag = "Server", operation_id = "getMode",
    responses((status = 200, description = "The mode", body = ModeBody)),
)]
pub async fn get_mode(desk: Desk) -> Response {
    for_all(json(&ModeBody { mode: mode(desk.is_art()).to_owned() }))
}

/// Turns theatre on or off
///
/// Each call changes the mode to the other one. Needs a token of scope `admin`.
#[utoipa::path(
    post, path = "/flip-mode", tag = "Server", operation_id = "flipMode", security(("token" = [])),
    responses((status = 200, description = "The mode that now holds", body = ModeBody)),
)]
pub async fn flip(desk: Desk) -> Result<Response, Refusal> {
    desk.set_art(!desk.is_art())?;
    Ok(json(&ModeBody { mode: mode(desk.is_art()).to_owned() }))
}
