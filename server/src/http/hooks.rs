//! `POST /api/v1/hooks/{kind}`: what CI servers tell.
//!
//! A delivery is verified before anything of it is read: by its signature or
//! secret where one is configured for its kind, else by a token as everywhere.
//! It is answered when it is durable, which takes milliseconds; what says
//! nothing about tests is taken politely, since servers give up on addresses
//! that refuse.

mod delivery;
mod verify;

pub use delivery::Deliveries;

use super::Door;
use super::body;
use super::compat::Guest;
use super::extract::Segment;
use super::json;
use super::problem::Refusal;
use super::wire::hook::{HookOutcome, HookReceipt};
use crate::intake::hooks::{self, Heard, Kind, Naming};
use crate::intake::native;
use crate::secret::Secret;
use crate::service::desk::Caller;
use crate::service::ingest::SenderClock;
use crate::service::{Desk, Failure};
use app::domain::ids::BuildId;
use app::domain::problem::ProblemKind;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post as route_post;
use bytes::Bytes;
use serde_json::Value;

/// Takes what a CI server tells
///
/// `kind` is `gitlab`, `github`, `gitea`, `forgejo`, `bitbucket`, `bitbucket-datacenter` or `jenkins`. A
/// pipeline becomes a run on the setup `ci/` and its repository, with a test for each job. What says
/// nothing about tests is taken and ignored, and a delivery that comes again changes nothing. Where
/// `holter.toml` has a secret for the kind, the delivery must be signed with it or carry it; else a
/// token is needed, as the header or as `?token=`.
#[utoipa::path(
    post, path = "/api/v1/hooks/{kind}", tag = "Events", operation_id = "takeHook",
    security(("token" = [])),
    params(
        ("kind" = String, Path, description = "The kind of CI server", example = "gitlab"),
        ("token" = Option<String>, Query, description = "A token, for servers that send no header of ours; of Jenkins, its secret"),
    ),
    responses((status = 200, description = "Durable, or of no use here", body = HookReceipt)),
)]
pub async fn post(State(door): State<Door>, request: Request) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let Segment(word) = Segment::from_request_parts(&mut parts, &()).await?;
    let Some(kind) = Kind::parse(&word) else {
        body::drain(&parts.headers, body).await;
        let known = Kind::ALL.map(Kind::as_str).join(", ");
        return Err(Refusal::not_found(format!("{word:?} is no kind of CI server; known are {known}")));
    };
    Ok(json(&take(&door, kind, parts, body).await?))
}

/// The addresses of older systems: the kind is in the headers.
pub fn aliases() -> Router<Door> {
    Router::new().route("/hook", route_post(by_headers)).route("/webhook", route_post(by_headers))
}

async fn by_headers(State(door): State<Door>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let receipt = match delivery::kind_of(&parts.headers) {
        Some(kind) => take(&door, kind, parts, body).await?,
        None => {
            body::drain(&parts.headers, body).await;
            HookReceipt::ignored("no header says what kind of server this is")
        }
    };
    Ok((StatusCode::ACCEPTED, json(&receipt)).into_response())
}

/// Takes one delivery.
async fn take(door: &Door, kind: Kind, parts: Parts, body: Body) -> Result<HookReceipt, Refusal> {
    let Verified { caller, desk, bytes, repository } = verified(door, kind, &parts, body).await?;
    let delivery = delivery::id_of(kind, &parts.headers, &bytes);
    let deliveries = &door.remembered.deliveries;
    if delivery.as_deref().is_some_and(|id| deliveries.knows(kind, id)) {
        return Ok(HookReceipt::of(HookOutcome::Duplicate, "this delivery came before", 0));
    }
    let payload = payload(&parts.headers, &bytes)?;
    note(door, kind, repository, &payload).await?;
    let hooks = door.service.hooks();
    let naming = Naming { project: hooks.project.as_deref(), setups: &hooks.setups };
    let now = door.service.now();
    let pushed = hooks::pushed(kind, delivery::event_of(&parts.headers), &payload);
    let mut events = match hooks::read(kind, delivery::event_of(&parts.headers), &payload, naming, now) {
        Heard::Nothing(_) if pushed.is_some() => Vec::new(),
        Heard::Nothing(why) => return Ok(HookReceipt::ignored(why)),
        Heard::Events(events) => events,
    };
    if let Some(id) = &delivery {
        hooks::name(&mut events, kind, id);
    }
    // Their times are those of an honest clock, told when they had long passed.
    let clock = SenderClock { sent_at: Some(now), trusted: false };
    let has_events = !events.is_empty();
    let receipt = door.service.record(&caller, clock, native::told(events)).await?;
    let built = match pushed {
        Some(pushed) => build(&desk, pushed).await?,
        None => None,
    };
    if let Some(id) = &delivery {
        deliveries.note(kind, id);
    }
    Ok(match built {
        _ if has_events => HookReceipt::recorded(&receipt),
        Some(build) => HookReceipt::of(HookOutcome::Recorded, format!("build {build}"), 0),
        None => HookReceipt::ignored("nothing is built of it"),
    })
}

/// Notes of which repository a delivery is; refused where that is not the one
/// for which its secret is good.
async fn note(door: &Door, kind: Kind, own: Option<String>, payload: &Value) -> Result<(), Refusal> {
    let about = hooks::repository_of(kind, payload);
    if own.is_some() && own != about {
        let why = "the delivery is of another repository than its secret is for";
        return Err(Refusal::new(ProblemKind::Forbidden, why));
    }
    if let Some(about) = &about {
        door.service.note_delivery(about, kind).await?;
    }
    Ok(())
}

/// Has a push built. Who may only send events, and not order runs, is heard all
/// the same: nothing is built then.
async fn build(desk: &Desk, pushed: hooks::Pushed) -> Result<Option<BuildId>, Refusal> {
    match desk.build_pushed(&pushed).await {
        Ok(built) => Ok(built),
        Err(Failure::Unauthenticated(_) | Failure::Forbidden(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// A delivery that is who it says.
struct Verified {
    caller: Caller,
    desk: Desk,
    bytes: Bytes,
    /// It may speak of this repository alone.
    repository: Option<String>,
}

/// What a delivery must be signed with, and the one repository for which that is
/// good: an address with `repository` has a secret of its own.
async fn secret_of(door: &Door, kind: Kind, parts: &Parts) -> Result<Option<(Secret, Option<String>)>, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    if let Some((_, name)) = pairs.find(|(key, _)| key == "repository") {
        let secret = door.service.repository_secret(&name, kind).await?;
        let unknown = || Refusal::not_found(format!("no repository {name:?} of {} is built here", kind.as_str()));
        return Ok(Some((secret.ok_or_else(unknown)?, Some(name.into_owned()))));
    }
    Ok(door.service.hooks().secrets.get(kind.as_str()).map(|secret| (secret.clone(), None)))
}

/// Whose delivery it is, and its bytes: nothing of them was read yet. Who knows
/// the secret of a kind may have pushes built.
async fn verified(door: &Door, kind: Kind, parts: &Parts, body: Body) -> Result<Verified, Refusal> {
    let Some((secret, repository)) = secret_of(door, kind, parts).await? else {
        return match Guest::admit(parts).await {
            Ok(guest) => {
                let bytes = body::read(&parts.headers, body).await?;
                Ok(Verified { caller: guest.caller, desk: guest.desk, bytes, repository: None })
            }
            Err(refusal) => {
                body::drain(&parts.headers, body).await;
                Err(refusal)
            }
        };
    };
    let Some(proof) = verify::Proof::of(kind, parts) else {
        body::drain(&parts.headers, body).await;
        return Err(unverified(kind, "carries no"));
    };
    let bytes = body::read(&parts.headers, body).await?;
    if !proof.holds(secret.expose().as_bytes(), &bytes) {
        return Err(unverified(kind, "has a wrong"));
    }
    Ok(Verified { caller: Caller::default(), desk: door.service.itself(), bytes, repository })
}

fn unverified(kind: Kind, how: &str) -> Refusal {
    let what = verify::proof_of(kind);
    Refusal::new(ProblemKind::Unauthenticated, format!("the delivery {how} {what}; Holter has a secret for it"))
}

/// The JSON of a delivery, which some servers wrap in a form.
fn payload(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let form = kind.trim().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    let wrapped = form.then(|| url::form_urlencoded::parse(bytes).find(|(name, _)| name == "payload")).flatten();
    let json = wrapped.as_ref().map_or(bytes, |(_, json)| json.as_bytes());
    serde_json::from_slice(json)
        .map_err(|error| Refusal::new(ProblemKind::Malformed, format!("the body is not valid JSON: {error}")))
}
