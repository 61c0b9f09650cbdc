//! `POST /api/v1/events`: the door for everything that listeners say.

use super::body;
use super::extract::{desk_of, sender_clock};
use super::problem::Refusal;
use super::wire::ReceiptBody;
use super::wire::event::EventBatch;
use super::{Door, json};
use crate::intake::Parsed;
use crate::intake::native::{self, Format};
use crate::service::desk::Caller;
use crate::service::ingest::Receipt;
use app::domain::problem::{Problem, ProblemKind};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use bytes::Bytes;

/// Reading more than this would keep a worker of the runtime for too long.
const READ_IN_PLACE: usize = 128 * 1024;

/// How a body is written, as its headers say.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// `None` where nobody said.
    format: Option<Format>,
    gzip: bool,
}

/// Records events
///
/// One event, an array of events, or one event a line (`application/x-ndjson`), up to 8 MiB unpacked
/// and 10,000 events. `Content-Encoding: gzip` is understood. The answer comes when the events are
/// durable. Good events are kept although others are bad; those are listed under `rejected`. Only
/// where all are bad the answer is 422. An event with an `id` may be sent again at any time: a repeat
/// is counted as `duplicate` and changes nothing.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "Events", operation_id = "sendEvents",
    security(("token" = [])),
    params(
        ("Holter-Sent-At" = Option<String>, Header, description = "The sender's clock at the moment of sending, RFC 3339: events that waited on its side are then put at the right time"),
        ("Holter-Clock" = Option<String>, Header, description = "`trusted`: the events are history and their times stand"),
        ("Content-Encoding" = Option<String>, Header, description = "`gzip`"),
    ),
    request_body(
        content((EventBatch = "application/json"), (String = "application/x-ndjson")),
        description = "One event, an array of events, or lines of events",
    ),
    responses((status = 200, description = "Durable", body = ReceiptBody)),
)]
pub async fn post(State(door): State<Door>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (caller, shape) = match admit(&parts) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            body::drain(&parts.headers, body).await;
            return Err(refusal);
        }
    };
    let (parsed, is_single) = read(&parts.headers, body, shape).await?;
    let receipt = door.service.record(&caller, sender_clock(&parts.headers), parsed).await?;
    answer(receipt, is_single)
}

/// Who speaks, and how: what can be refused before the body is read.
fn admit(parts: &Parts) -> Result<(Caller, Shape), Refusal> {
    let caller = desk_of(parts)?.caller()?;
    let text = |name| parts.headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let gzip = match text(header::CONTENT_ENCODING) {
        None => false,
        Some(coding) => coding_of(coding)?,
    };
    Ok((caller, Shape { format: text(header::CONTENT_TYPE).map(format_of).transpose()?, gzip }))
}

fn coding_of(coding: &str) -> Result<bool, Refusal> {
    match coding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Ok(true),
        "identity" | "" => Ok(false),
        other => Err(Refusal::new(
            ProblemKind::Unsupported,
            format!("the content encoding {other:?} is not understood; send gzip, or none"),
        )),
    }
}

fn format_of(kind: &str) -> Result<Format, Refusal> {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let is = |names: &[&str]| names.iter().any(|name| essence.eq_ignore_ascii_case(name));
    if is(&["application/json", "text/json"]) {
        Ok(Format::Json)
    } else if is(&["application/x-ndjson", "application/ndjson", "application/jsonl"]) {
        Ok(Format::Ndjson)
    } else {
        Err(Refusal::new(
            ProblemKind::Unsupported,
            format!("the content type {essence:?} is not understood; send application/json or application/x-ndjson"),
        ))
    }
}

/// The events of a body, and whether it is one event and no list.
async fn read(headers: &HeaderMap, body: Body, shape: Shape) -> Result<(Parsed, bool), Refusal> {
    let bytes = body::read(headers, body).await?;
    if !shape.gzip && bytes.len() <= READ_IN_PLACE {
        return unpack(&bytes, shape);
    }
    let reading = tokio::task::spawn_blocking(move || unpack(&bytes, shape));
    reading.await.unwrap_or_else(|_| Err(Refusal::new(ProblemKind::Internal, "the body could not be read")))
}

fn unpack(bytes: &Bytes, shape: Shape) -> Result<(Parsed, bool), Refusal> {
    let unpacked;
    let text: &[u8] = if shape.gzip {
        unpacked = body::gunzip(bytes)?;
        &unpacked
    } else {
        bytes
    };
    let format = shape.format.unwrap_or_else(|| Format::sniff(text));
    let is_single = format == Format::Json && text.trim_ascii_start().first() == Some(&b'{');
    Ok((native::parse(text, format)?.without_files(), is_single))
}

fn answer(receipt: Receipt, is_single: bool) -> Result<Response, Refusal> {
    let taken = receipt.accepted + receipt.duplicate + receipt.ignored;
    if taken > 0 || receipt.rejected.is_empty() {
        return Ok(json(&ReceiptBody::from(receipt)));
    }
    let detail = match receipt.rejected.as_slice() {
        [only] if is_single => format!("the event was not taken: {} {}", only.pointer, only.detail),
        all => format!("none of the {} events was taken", all.len()),
    };
    let mut problem = Problem::new(ProblemKind::Invalid, detail);
    for rejected in receipt.rejected {
        // The pointer leads into the body as it was sent.
        let place = if is_single { String::new() } else { format!("/{}", rejected.index) };
        problem = problem.at(place + &rejected.pointer, rejected.detail);
    }
    Err(problem.into())
}
