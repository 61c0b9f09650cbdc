//! What a job put out: its text, where its lines lie, and what is found in it.

use super::extract::{Query, Segment};
use super::json;
use super::problem::Refusal;
use super::wire::job_log::{LogHitsBody, LogIndexBody};
use super::work::{job_named, no_job};
use crate::service::Desk;
use crate::service::job_log::SOUGHT;
use crate::service::jobs::JobRow;
use app::domain::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;

/// The job of an address, and the attempt that is asked for: the last one where
/// none is named.
async fn asked(desk: &Desk, job: &str, query: &Query) -> Result<(JobRow, u32), Refusal> {
    let row = desk.job(job_named(job)?).await?.ok_or_else(|| no_job(job))?;
    let attempt = query.number("attempt")?.unwrap_or(row.job.attempt);
    Ok((row, attempt))
}

/// The log of a job
///
/// As it was put out, so far.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job}/log", tag = "Work", operation_id = "getJobLog",
    params(
        ("job" = String, Path, description = "The job's id"),
        ("attempt" = Option<u32>, Query, description = "Which attempt; the last one where none is named"),
        ("from" = Option<u64>, Query, description = "Without so many bytes before it"),
        ("until" = Option<u64>, Query, description = "No further than so many bytes from its beginning"),
    ),
    responses((status = 200, description = "Text", body = String, content_type = "text/plain")),
)]
pub async fn text(desk: Desk, Segment(job): Segment, query: Query) -> Result<Response, Refusal> {
    let (row, attempt) = asked(&desk, &job, &query).await?;
    let id = row.job.id;
    let from = query.number("from")?.unwrap_or(0);
    let until = query.number("until")?.unwrap_or(u64::MAX).min(desk.job_log_end(id, attempt).await?);
    // Read as the reader takes it, and no further than it reached at first.
    let pieces = stream::try_unfold(from, move |from| {
        let desk = desk.clone();
        async move {
            if from >= until {
                return Ok(None);
            }
            let mut part = desk.job_log(id, Some(attempt), from).await.map_err(|failure| {
                let problem = Problem::from(failure);
                std::io::Error::other(problem.detail)
            })?;
            part.text.truncate(usize::try_from(until - from).unwrap_or(usize::MAX));
            let end = part.end();
            Ok::<_, std::io::Error>((end > from).then(|| (Bytes::from(part.text), end)))
        }
    });
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((kind, Body::from_stream(pieces)).into_response())
}

/// Where the lines of a log lie
///
/// The log comes in pieces; each says which lines end in it, so that any line is found without the text before it.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job}/log/index", tag = "Work", operation_id = "getJobLogIndex",
    params(
        ("job" = String, Path, description = "The job's id"),
        ("attempt" = Option<u32>, Query, description = "Which attempt; the last one where none is named"),
    ),
    responses((status = 200, description = "Pieces and steps", body = LogIndexBody)),
)]
pub async fn index(desk: Desk, Segment(job): Segment, query: Query) -> Result<Response, Refusal> {
    let (row, attempt) = asked(&desk, &job, &query).await?;
    let index = desk.job_log_index(&row, attempt).await?;
    Ok(json(&LogIndexBody::of(attempt, index)))
}

/// Finds a text in a log
///
/// In the whole log, whatever the case of plain letters, and without what tells a terminal how to draw it. At most
/// 1,000 lines are told at once.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job}/log/find", tag = "Work", operation_id = "findInJobLog",
    params(
        ("job" = String, Path, description = "The job's id"),
        ("text" = String, Query, description = "What is looked for, 2 to 200 bytes"),
        ("attempt" = Option<u32>, Query, description = "Which attempt; the last one where none is named"),
        ("after" = Option<u64>, Query, description = "Behind the line with this number"),
    ),
    responses((status = 200, description = "Numbers of lines", body = LogHitsBody)),
)]
pub async fn find(desk: Desk, Segment(job): Segment, query: Query) -> Result<Response, Refusal> {
    let (row, attempt) = asked(&desk, &job, &query).await?;
    let text = query.text("text").unwrap_or_default();
    if !SOUGHT.contains(&text.len()) {
        return Err(Refusal::query("text", "must have 2 to 200 bytes"));
    }
    let after = query.number("after")?.unwrap_or(0);
    let found = desk.find_in_log(row.job.id, attempt, text, after).await?;
    Ok(json(&LogHitsBody::from(found)))
}
