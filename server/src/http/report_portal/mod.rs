//! `/api/v1/{project}/…` and `/api/v2/{project}/…`: what agents of ReportPortal
//! call, so that they need nothing but another address and key.
//!
//! Both versions are one. What differs is an unknown launch: the first version
//! answers 404, the second one takes the word and has the launch begin later.
//! Answers and refusals are in ReportPortal's shape, always JSON objects, for
//! the agents look at nothing else. These routes are not part of the described
//! contract: they follow another program's.

mod about;
mod items;
mod launches;
mod logs;
mod refusal;

use super::Door;
use super::body;
use super::extract::desk_of;
use crate::intake::report_portal::Clockwork;
use crate::intake::report_portal::words::Body;
use crate::service::agents::Agent;
use app::domain::name::ProjectName;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use refusal::Unwelcome;
use serde_json::Value;

/// Everything that agents call.
pub fn router() -> Router<Door> {
    let mut router = Router::new()
        .route("/api/info", get(about::info))
        .route("/ui", get(about::ui))
        .route("/ui/", get(about::ui))
        .route("/composite/info", get(about::info));
    for version in ["v1", "v2"] {
        for (path, methods) in routes() {
            // Agents in JavaScript and Go end the addresses of items in a slash.
            let path = format!("/api/{version}/{{project}}/{path}");
            router = router.route(&path, methods.clone()).route(&format!("{path}/"), methods);
        }
    }
    // Each door bounds its body by itself, as batches with files are large.
    router.layer(DefaultBodyLimit::disable()).layer(from_fn(without_body))
}

/// Agents in JavaScript send a body with questions too. One that is not read
/// would end the connection, with their next request already on its way.
async fn without_body(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    body::drain(&parts.headers, body).await;
    next.run(Request::from_parts(parts, axum::body::Body::empty())).await
}

fn routes() -> Vec<(&'static str, MethodRouter<Door>)> {
    vec![
        ("settings", get(about::settings)),
        ("launch", post(launches::begin).get(launches::list)),
        ("launch/latest", get(launches::list)),
        ("launch/merge", post(launches::merge)),
        ("launch/uuid/{id}", get(launches::one)),
        ("launch/{id}", get(launches::one)),
        ("launch/{id}/finish", put(launches::finish)),
        ("launch/{id}/stop", put(launches::stop)),
        ("launch/{id}/update", put(launches::update)),
        ("item", post(items::start)),
        ("item/uuid/{id}", get(items::one)),
        ("item/{id}", post(items::start).put(items::finish).get(items::one)),
        ("item/{id}/update", put(items::update)),
        ("log", post(logs::post)),
        ("log/entry", post(logs::post)),
    ]
}

/// An agent that was let in, and the item or launch it names in the address.
struct Admitted {
    agent: Agent,
    id: Option<String>,
    clock: Clockwork,
    headers: HeaderMap,
}

impl Admitted {
    fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }
}

impl FromRequestParts<Door> for Admitted {
    type Rejection = Unwelcome;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Unwelcome> {
        let is_second = parts.uri.path().starts_with("/api/v2/");
        let found = RawPathParams::from_request_parts(parts, door).await.map_err(|_| Unwelcome::address())?;
        let named = |name: &str| found.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
        let project = ProjectName::parse(&named("project").unwrap_or_default())
            .map_err(|error| Unwelcome::incorrect(format!("the project's name {error}")))?;
        let agent = desk_of(parts)?.agent(project, is_second)?;
        // Agents for .NET ask for another media type where they want texts.
        let accepts = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let clock = if accepts.contains("v2+json") { Clockwork::Text } else { Clockwork::Millis };
        Ok(Self { agent, id: named("id"), clock, headers: parts.headers.clone() })
    }
}

/// A request of an agent, with its body read as an object.
struct Asked {
    by: Admitted,
    body: Body,
}

impl axum::extract::FromRequest<Door> for Asked {
    type Rejection = Unwelcome;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Unwelcome> {
        let (mut parts, body) = request.into_parts();
        let by = match Admitted::from_request_parts(&mut parts, door).await {
            Ok(by) => by,
            Err(unwelcome) => {
                body::drain(&parts.headers, body).await;
                return Err(unwelcome);
            }
        };
        let bytes = body::read(&parts.headers, body).await?;
        Ok(Self { by, body: Body::parse(&bytes)? })
    }
}

/// An answer as agents want it.
fn answer(status: StatusCode, value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], (status, value.to_string())).into_response()
}

fn created(value: &Value) -> Response {
    answer(StatusCode::CREATED, value)
}

fn ok(value: &Value) -> Response {
    answer(StatusCode::OK, value)
}
