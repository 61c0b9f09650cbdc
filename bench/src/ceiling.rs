//! The ceiling of single events: a server that reads the same body into a
//! comparable value and answers the same JSON, and does nothing else. It runs
//! as a child, as Holter does, on the same libraries.

use std::process::Stdio;

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use crate::process::Process;

/// An event with the fields that a listener sends.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "they are there to be parsed")]
struct Event {
    #[serde(rename = "type")]
    kind: Box<str>,
    at: Box<str>,
    setup: Box<str>,
    run: Option<Box<str>>,
    project: Option<Box<str>>,
    id: Option<Uuid>,
    suite: Option<Vec<Box<str>>>,
    test: Option<Box<str>>,
    parameters: Option<Box<str>>,
    attempt: Option<u32>,
    verdict: Option<Box<str>>,
    duration_ms: Option<f64>,
    message: Option<Box<str>>,
    trace: Option<Box<str>>,
    source: Option<Box<str>>,
    line: Option<u32>,
    tags: Option<Vec<Box<str>>>,
    name: Option<Box<str>>,
    commit: Option<Box<str>>,
    branch: Option<Box<str>>,
    framework: Option<Box<str>>,
    total_tests: Option<u32>,
}

#[derive(Debug, Default, Serialize)]
struct Receipt {
    accepted: u32,
    duplicate: u32,
    ignored: u32,
    rejected: Vec<String>,
}

async fn take(body: Bytes) -> Result<Json<Receipt>, (StatusCode, String)> {
    let event: Event = serde_json::from_slice(&body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    // Nothing of the value may be left out because nobody looks at it.
    std::hint::black_box(&event);
    Ok(Json(Receipt { accepted: 1, ..Receipt::default() }))
}

/// What an agent of ReportPortal is answered by a server that keeps nothing:
/// an id, whatever it said.
async fn answer(body: Bytes) -> Result<(StatusCode, Json<serde_json::Value>), (StatusCode, String)> {
    let said: serde_json::Value =
        serde_json::from_slice(&body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    std::hint::black_box(&said);
    Ok((StatusCode::CREATED, Json(serde_json::json!({"id": Uuid::new_v4().to_string(), "message": "ok"}))))
}

/// Serves until it is told to end.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ceiling listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|tcp| {
        // Where it cannot be set, the figures tell.
        let _ = tcp.set_nodelay(true);
    });
    let router = Router::new().route("/api/v1/events", post(take)).fallback(answer);
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        served = axum::serve(listener, router) => Ok(served?),
        _ = terminated.recv() => Ok(()),
    }
}

/// Starts this program as that server.
pub async fn start() -> Result<Process> {
    let program = std::env::current_exe()?;
    let mut command = Command::new(program);
    command.arg("--ceiling").stderr(Stdio::inherit());
    Process::start(&mut command).await.context("the ceiling cannot be measured")
}
