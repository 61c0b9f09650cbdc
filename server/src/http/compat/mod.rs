//! The addresses of systems that this one replaces: their clients go on as
//! they are, and what they say becomes events like any other.
//!
//! These clients send no token. They are let in by the header as everybody, by
//! `?token=` for those that can be given an address but no header, or by the
//! network they are in, where the configuration opens one. What they are
//! answered has the shape they know; only refusals that they never met are
//! problems of ours.

mod robot_board;
mod small_ci;
mod test_runner;
mod tm_api;

use super::Door;
use super::body;
use super::extract::desk_of;
use super::hooks::Deliveries;
use super::problem::Refusal;
use crate::intake::native;
use crate::intake::robot_board::Board;
use crate::service::desk::Caller;
use crate::service::ingest::SenderClock;
use crate::service::{Desk, Service};
use app::domain::problem::ProblemKind;
use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What those protocols leave to the server to remember.
pub struct Remembered {
    board: Mutex<Board>,
    benches: tm_api::Benches,
    /// What CI servers delivered before.
    pub deliveries: Deliveries,
}

impl Remembered {
    /// Nothing yet.
    pub fn new(service: &Service) -> Self {
        let board = Mutex::new(Board::new(service.setup_numbers().clone()));
        Self { board, benches: tm_api::Benches::default(), deliveries: Deliveries::default() }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every address of theirs.
pub fn routes(service: &Service) -> Router<Door> {
    let settled = from_fn_with_state(service.clone(), super::settled);
    let reads = robot_board::reads().merge(tm_api::reads()).layer(settled);
    robot_board::writes()
        .merge(tm_api::writes())
        .merge(tm_api::sockets())
        .merge(test_runner::routes())
        .merge(small_ci::routes())
        .merge(reads)
}

/// Somebody at such an address, who may read there.
pub struct Visitor(pub Desk);

impl Visitor {
    async fn of(parts: &Parts) -> Result<Self, Refusal> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let in_address = pairs.into_iter().find(|(name, value)| name == "token" && !value.is_empty());
        let desk = desk_of(parts)?;
        Ok(Self(desk.for_visitor(in_address.as_ref().map(|(_, value)| &**value)).await?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::of(parts).await
    }
}

/// Somebody at such an address who may write there.
pub struct Guest {
    /// What it may say.
    pub caller: Caller,
    /// The service for it.
    pub desk: Desk,
}

impl Guest {
    /// Lets a client in, or says why not.
    pub async fn admit(parts: &Parts) -> Result<Self, Refusal> {
        let Visitor(desk) = Visitor::of(parts).await?;
        Ok(Self { caller: desk.caller()?, desk })
    }
}

/// Lets a client in and reads its JSON.
async fn admitted(parts: &Parts, body: Body) -> Result<(Guest, Value), Refusal> {
    let guest = async {
        is_json(&parts.headers)?;
        Guest::admit(parts).await
    };
    let guest = match guest.await {
        Ok(guest) => guest,
        Err(refusal) => {
            body::drain(&parts.headers, body).await;
            return Err(refusal);
        }
    };
    let bytes = body::read(&parts.headers, body).await?;
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::new(ProblemKind::Malformed, format!("the body is not valid JSON: {error}")))?;
    Ok((guest, value))
}

fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    Err(Refusal::new(ProblemKind::Unsupported, "send the body as application/json"))
}

/// Records what was put into our own words. All of it is our own making, so a
/// part that is refused is refused for what the client said.
async fn record(door: &Door, caller: &Caller, events: Vec<Value>) -> Result<(), Refusal> {
    if events.is_empty() {
        return Ok(());
    }
    let receipt = door.service.record(caller, SenderClock::default(), native::told(events)).await?;
    match receipt.rejected.first() {
        Some(rejected) => {
            Err(Refusal::new(ProblemKind::Malformed, format!("{} {}", rejected.pointer, rejected.detail)))
        }
        None => Ok(()),
    }
}

/// JSON with a status.
fn answer(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], value.to_string()).into_response()
}
