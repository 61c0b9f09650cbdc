//! The small CI server: `GET /logs` and `GET /logs/{id}`. Its `/webhook` is one
//! of the hooks.

use super::answer;
use crate::http::Door;
use crate::http::commit_builds::build_named;
use crate::http::extract::Segment;
use crate::http::problem::Refusal;
use crate::http::wire::build::status;
use crate::service::Desk;
use crate::service::commit_builds::{Build, BuildFilter};
use app::domain::build::BuildStatus;
use app::domain::job::Progress;
use app::domain::time::Timestamp;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

/// Builds that are listed.
const LISTED: u32 = 500;

/// Bytes of a log that stand in one answer.
const LOG_MOST: usize = 1024 * 1024;

pub(super) fn routes() -> Router<Door> {
    Router::new().route("/logs", get(list)).route("/logs/{id}", get(one))
}

async fn list(desk: Desk) -> Result<Response, Refusal> {
    let builds = desk.commit_builds(BuildFilter::default(), None, LISTED).await?;
    let is_over = |build: &&Build| build.job.as_ref().is_some_and(|row| row.job.is_over());
    let mut ids: Vec<_> = builds.iter().filter(is_over).map(|build| build.row.id.to_string()).collect();
    ids.reverse();
    Ok(answer(200, &json!({"logs": ids})))
}

fn seconds(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.0 as f64 / 1_000_000.0))
}

async fn one(desk: Desk, Segment(id): Segment) -> Result<Response, Refusal> {
    let none = || Refusal::not_found(format!("there is no build {id}"));
    let build = desk.commit_build(build_named(&id)?).await?.ok_or_else(none)?;
    let word = match status(&build) {
        BuildStatus::Success => "success",
        BuildStatus::Pending | BuildStatus::Running | BuildStatus::Held => "pending",
        BuildStatus::Failed => "failure",
        BuildStatus::Errored | BuildStatus::TimedOut | BuildStatus::Cancelled => "error",
    };
    let (row, job) = (&build.row, build.job.as_ref());
    let texts = match job {
        Some(job) => texts(&desk, job).await?,
        None => Vec::new(),
    };
    Ok(answer(
        200,
        &json!({
            "id": row.id, "status": word, "repo_url": row.repository, "ref": format!("refs/heads/{}", row.branch),
            "head_commit": row.commit, "author": row.author, "time_started": seconds(job.and_then(|row| row.job.started_at)),
            "time_ended": seconds(job.and_then(|row| row.job.finished_at)), "logs": texts,
        }),
    ))
}

/// What each step put out.
async fn texts(desk: &Desk, job: &crate::service::jobs::JobRow) -> Result<Vec<String>, Refusal> {
    let mut log = Vec::new();
    while log.len() < LOG_MOST {
        let part = desk.job_log(job.job.id, None, log.len() as u64).await?;
        if part.text.is_empty() {
            break;
        }
        log.extend(part.text);
    }
    let progress: Progress = serde_json::from_str(&job.progress).unwrap_or_default();
    let starts: Vec<_> =
        progress.steps.iter().map(|step| usize::try_from(step.log_start).unwrap_or(usize::MAX)).collect();
    let texts = starts.iter().enumerate().map(|(at, start)| {
        let end = starts.get(at + 1).copied().filter(|end| end >= start).unwrap_or(log.len());
        String::from_utf8_lossy(log.get(*start..end.min(log.len())).unwrap_or_default()).into_owned()
    });
    Ok(texts.collect())
}
