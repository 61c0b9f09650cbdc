//! Launches: begin, end, look at.

use super::refusal::Unwelcome;
use super::{Admitted, Asked, created, ok};
use crate::intake::report_portal::{Refused, number_of};
use app::paths::Page;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::{Value, json};
use url::form_urlencoded::parse;

/// Begins a launch.
pub async fn begin(asked: Asked) -> Result<Response, Unwelcome> {
    let id = asked.by.agent.begin(&asked.body).await?;
    Ok(created(&json!({ "id": id, "number": number_of(&id) })))
}

/// Ends a launch.
pub async fn finish(asked: Asked) -> Result<Response, Unwelcome> {
    end(asked, None).await
}

/// Stops a launch.
pub async fn stop(asked: Asked) -> Result<Response, Unwelcome> {
    end(asked, Some("stopped")).await
}

async fn end(asked: Asked, status: Option<&str>) -> Result<Response, Unwelcome> {
    let id = asked.by.id();
    let setup = asked.by.agent.finish(id, &asked.body, status).await?;
    Ok(ok(&json!({
        "id": id, "number": number_of(id), "link": link(&asked.by.headers, &setup),
        "message": format!("Launch with ID = '{id}' successfully finished."),
    })))
}

/// Where a person may look, on the caller's own way to this server.
fn link(headers: &HeaderMap, setup: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}{}", Page::Setup(setup))
}

/// Tells more about a launch.
pub async fn update(asked: Asked) -> Result<Response, Unwelcome> {
    let id = asked.by.id();
    asked.by.agent.update(id, &asked.body).await?;
    Ok(ok(&json!({ "message": format!("Launch with ID = '{id}' successfully updated.") })))
}

/// A launch.
pub async fn one(by: Admitted) -> Result<Response, Unwelcome> {
    Ok(ok(&by.agent.launch(by.id(), by.clock).await?))
}

/// Launches at hand, or those that are asked for by id.
pub async fn list(by: Admitted, RawQuery(query): RawQuery) -> Result<Response, Unwelcome> {
    let query = query.unwrap_or_default();
    let filter = parse(query.as_bytes()).find(|(name, _)| name == "filter.in.uuid" || name == "filter.eq.uuid");
    let content = match filter {
        None => by.agent.launches(by.clock),
        Some((_, ids)) => {
            let mut found = Vec::new();
            for id in ids.split(',').take(100) {
                found.extend(by.agent.launch(id, by.clock).await.ok());
            }
            found
        }
    };
    let total = content.len();
    let page = json!({ "number": 1, "size": total.max(20), "totalElements": total, "totalPages": 1 });
    Ok(ok(&json!({ "content": content, "page": page })))
}

/// Runs are not merged here: several processes that share one launch report to
/// one run from the start. The first of the launches is answered.
pub async fn merge(asked: Asked) -> Result<Response, Unwelcome> {
    let first = asked.body.first_number("launches").ok_or_else(|| Refused::field("launches", "should not be empty"))?;
    let shown: Value = asked.by.agent.launch(&first, asked.by.clock).await?;
    Ok(ok(&shown))
}
