//! The `OpenAPI` document: generated from the handlers, completed here with what
//! is the same for all of them.

use super::problem::PROBLEM_JSON;
use super::problems::meaning;
use super::wire;
use app::domain::problem::ProblemKind;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

/// Where the document is served.
pub const PATH: &str = "/api/v1/openapi.json";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Holter",
        description = "Holter records the heartbeat of your tests.\n\nListeners send events; everybody may read what became of them. \
            Times are RFC 3339 in UTC with microseconds. Writing needs a token: `Authorization: Bearer TOKEN`. \
            Refusals are `application/problem+json` (RFC 9457). Lists have pages: `next` is handed back as `cursor`, \
            and the header `Link` carries the whole address.\n\nWithin version 1 fields and types may be added; nothing changes its meaning.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "Events", description = "What listeners say, and the log of it."),
        (name = "Reads", description = "Setups, runs and tests."),
        (name = "Tests", description = "What people say of tests."),
        (name = "Feeds", description = "The same for other programs, in formats of their own."),
        (name = "Walls", description = "Saved walls, and who looks after what they show."),
        (name = "Work", description = "Jobs that Holter runs, and the workers that take them."),
        (name = "Tokens", description = "What programs are let in by."),
        (name = "Listeners", description = "What runs beside the tests, handed out by the server."),
        (name = "Server", description = "Whether the server is well."),
    ),
    servers((url = "/", description = "This server")),
    components(schemas(wire::Problem, wire::Fault, wire::Level)),
)]
struct Outline;

/// The document before any route is in it.
pub fn outline() -> OpenApi {
    Outline::openapi()
}

/// Answers with the document.
pub fn serve(text: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// Adds the tokens, the refusals of every operation, and examples.
pub fn complete(document: &mut OpenApi) {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    let components = document.components.get_or_insert_default();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("Made by `holter token create --scope ingest`. On loopback with `--dev` none is needed."));
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    for kind in ProblemKind::ALL {
        components.responses.insert(name(*kind), RefOr::T(refusal(*kind)));
    }
    for (path, item) in &mut document.paths.paths {
        let operations =
            [(&mut item.get, "get"), (&mut item.post, "post"), (&mut item.put, "put"), (&mut item.delete, "delete")];
        for (operation, method) in operations {
            let Some(operation) = operation else { continue };
            for kind in refusals_of(path, method, operation) {
                let answer = RefOr::Ref(Ref::from_response_name(name(kind)));
                operation.responses.responses.insert(kind.status().to_string(), answer);
            }
            give_examples(operation);
        }
    }
}

fn name(kind: ProblemKind) -> String {
    format!("{kind:?}")
}

fn refusal(kind: ProblemKind) -> utoipa::openapi::Response {
    let (means, remedy) = meaning(kind);
    let example = json!({
        "type": format!("/problems/{}", kind.slug()), "title": kind.title(), "status": kind.status(),
        "detail": means, "instance": "0195f2b07c1a-2f",
    });
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
    let mut response = ResponseBuilder::new().description(format!("{means} {remedy}")).content(PROBLEM_JSON, content);
    if matches!(kind, ProblemKind::Busy | ProblemKind::RateLimited) {
        let seconds = HeaderBuilder::new().description(Some("Seconds to wait before the next attempt")).build();
        response = response.header("Retry-After", seconds);
    }
    response.build()
}

/// Which refusals an operation may answer with.
fn refusals_of(path: &str, method: &str, operation: &Operation) -> Vec<ProblemKind> {
    use ProblemKind as Kind;
    let mut kinds = Vec::new();
    if method != "get" {
        kinds.extend([Kind::Unauthenticated, Kind::Forbidden, Kind::RateLimited]);
    }
    if operation.request_body.is_some() {
        kinds.extend([Kind::Malformed, Kind::TooSlow, Kind::TooLarge, Kind::Invalid]);
    }
    if path.starts_with("/api/v1/work") || path.ends_with("/cancel") {
        kinds.push(Kind::Conflict);
    }
    if path == "/api/v1/events" {
        kinds.push(Kind::Unsupported);
    }
    let has_query = operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == utoipa::openapi::path::ParameterIn::Query,
        RefOr::Ref(_) => false,
    });
    if has_query {
        kinds.push(Kind::Invalid);
    }
    if path.contains('{') {
        kinds.push(Kind::NotFound);
    }
    if path.starts_with("/api/") {
        kinds.push(Kind::Internal);
    }
    if path.starts_with("/api/") && path != "/api/v1/setups" || path == "/ready" {
        kinds.push(Kind::Busy);
    }
    kinds
}

fn give_examples(operation: &mut Operation) {
    if operation.operation_id.as_deref() != Some("sendEvents") {
        return;
    }
    let event = event_example();
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for (kind, content) in &mut body.content {
            let RefOr::T(content) = content else { continue };
            let lines = Value::from(format!("{event}\n{event}\n"));
            content.example = Some(if kind == "application/json" { json!([event]) } else { lines });
        }
    }
    let answer = operation.responses.responses.get_mut("200");
    if let (Some(_), Some(RefOr::T(answer))) = (&operation.request_body, answer) {
        for content in answer.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            content.example = Some(json!({"accepted": 1, "duplicate": 0, "ignored": 0, "rejected": []}));
        }
    }
}

fn event_example() -> Value {
    json!({
        "type": "test.finished", "at": "2026-03-01T12:00:00.250Z", "setup": "bench 7", "run": "nightly-4711",
        "id": "0195f2b0-7c1a-7def-8000-0123456789ab", "suite": ["Pump", "Valves"], "test": "opens within 2 s",
        "verdict": "failed", "duration_ms": 2104.5, "message": "valve 3 still closed after 2 s",
    })
}
