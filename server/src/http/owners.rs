//! `/api/v1/projects/{name}/codeowners`: who looks after which file.

use super::extract::Segment;
use super::problem::Refusal;
use super::wire::owners::OwnersBody;
use super::{body, json};
use crate::service::Desk;
use app::domain::problem::ProblemKind;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

fn nothing(project: &str) -> Refusal {
    Refusal::not_found(format!("the project {project:?} has no CODEOWNERS file; send one with PUT"))
}

/// Hands out the CODEOWNERS file of a project
///
/// As it came.
#[utoipa::path(
    get, path = "/api/v1/projects/{name}/codeowners", tag = "Tests", operation_id = "getCodeowners",
    params(("name" = String, Path, description = "The project's name, percent-encoded", example = "pump")),
    responses((status = 200, description = "The file", body = String, content_type = "text/plain")),
)]
pub async fn get(desk: Desk, Segment(project): Segment) -> Result<Response, Refusal> {
    let text = desk.owners(&project).await?.ok_or_else(|| nothing(&project))?;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Keeps the CODEOWNERS file of a project
///
/// The file as it is, in the way of GitHub, GitLab, Gitea or Bitbucket; at most 256 KiB and 2,000 rules. A test
/// that names no owner belongs to whoever looks after its source. A change holds for the past too.
#[utoipa::path(
    put, path = "/api/v1/projects/{name}/codeowners", tag = "Tests", operation_id = "saveCodeowners", security(("token" = [])),
    params(("name" = String, Path, description = "The project's name, percent-encoded", example = "pump")),
    request_body(content = String, content_type = "text/plain", description = "The file"),
    responses((status = 200, description = "It is kept", body = OwnersBody)),
)]
pub async fn put(desk: Desk, Segment(project): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let bytes = body::read(&headers, body).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Refusal::new(ProblemKind::Malformed, "the file is not text in UTF-8"))?;
    let taken = desk.owners_save(&project, text).await?;
    Ok(json(&OwnersBody { rules: taken.rules, left_out: taken.left_out }))
}

/// Forgets the CODEOWNERS file of a project
#[utoipa::path(
    delete, path = "/api/v1/projects/{name}/codeowners", tag = "Tests", operation_id = "deleteCodeowners", security(("token" = [])),
    params(("name" = String, Path, description = "The project's name, percent-encoded", example = "pump")),
    responses((status = 204, description = "It is gone")),
)]
pub async fn delete(desk: Desk, Segment(project): Segment) -> Result<Response, Refusal> {
    if desk.owners_delete(&project).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(nothing(&project))
    }
}
