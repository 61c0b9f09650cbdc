//! What workers ask and say: `/api/v1/work`, and who they are.
//!
//! A worker begins every exchange itself, so it works behind a firewall and
//! needs no address. It asks for a job and waits for the answer.

use super::extract::{Query, Segment};
use super::problem::Refusal;
use super::wire::work::{
    ClaimRequest, ExtendBody, FinishBody, HelloBody, LogEnd, OrderBody, StanceBody, WelcomeBody, WordBody, WorkerBody,
    WorkerList,
};
use super::{body, json};
use crate::service::Desk;
use crate::service::job_log::PIECE_MOST;
use crate::service::jobs::LEASE;
use crate::service::workers::Hello;
use app::domain::ids::{JobId, WorkerId};
use app::domain::job::{Claim, Labels, Stance, Word};
use app::domain::problem::{Problem, ProblemKind};
use app::domain::rights::Action;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A packed piece of a log at most: what is text becomes smaller, and what
/// cannot be packed grows by a little.
pub const PIECE_PACKED_MOST: usize = PIECE_MOST + 64 * 1024;

pub(super) async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Refusal> {
    let bytes = body::read(headers, body).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("the body is not what is wanted: {error}");
        Problem::new(ProblemKind::Malformed, detail.clone()).at("", detail).into()
    })
}

/// A job, by the id in the path.
pub(super) fn job_named(text: &str) -> Result<JobId, Refusal> {
    text.parse().map_err(|_| no_job(text))
}

/// There is no such job.
pub(super) fn no_job(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no job {id}"))
}

/// A worker starts
///
/// Under a name by which it is known over all its starts: what an earlier start of it ran, somebody else takes. Needs a
/// token of scope `worker`.
#[utoipa::path(
    post, path = "/api/v1/work/workers", tag = "Work", operation_id = "startWorker", security(("token" = [])),
    request_body(content = HelloBody),
    responses((status = 200, description = "It may ask for jobs", body = WelcomeBody)),
)]
pub async fn hello(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.may(Action::Work)?;
    let said: HelloBody = read(&headers, body).await?;
    let labels = Labels::parse(&said.labels).map_err(|error| Refusal::query("labels", error.to_string()))?;
    let about = said.about.to_string();
    if about.len() > 8_192 {
        return Err(Refusal::query("about", "is longer than 8 KiB"));
    }
    let hello = Hello { name: said.name, instance: said.instance, labels, slots: said.slots, about };
    let row = desk.worker_starts(hello).await?;
    let lease_seconds = u32::try_from(LEASE.0 / 1_000_000).unwrap_or(u32::MAX);
    Ok(json(&WelcomeBody { id: row.id, lease_seconds }))
}

/// Lists workers
///
/// By name, with what each runs.
#[utoipa::path(
    get, path = "/api/v1/work/workers", tag = "Work", operation_id = "listWorkers",
    responses((status = 200, description = "Every worker", body = WorkerList)),
)]
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let items = desk.workers().await?.iter().map(WorkerBody::from).collect();
    Ok(json(&WorkerList { items }))
}

/// Decides whether a worker is given jobs
///
/// One that is `draining` ends what it has. Needs a token of scope `admin`.
#[utoipa::path(
    put, path = "/api/v1/work/workers/{name}/stance", tag = "Work", operation_id = "setWorkerStance", security(("token" = [])),
    params(("name" = String, Path, description = "The worker's name, percent-encoded")),
    request_body(content = StanceBody),
    responses((status = 204, description = "It is so from its next question on")),
)]
pub async fn stance(desk: Desk, Segment(name): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.may(Action::Configure)?;
    let said: StanceBody = read(&headers, body).await?;
    let stance = Stance::parse(&said.stance);
    let stance = stance.ok_or_else(|| Refusal::query("stance", "must be one of active, draining, disabled"))?;
    desk.worker_stance(&name, stance).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Forgets a worker
///
/// What it ran is taken again by another. Needs a token of scope `admin`.
#[utoipa::path(
    delete, path = "/api/v1/work/workers/{name}", tag = "Work", operation_id = "forgetWorker", security(("token" = [])),
    params(("name" = String, Path, description = "The worker's name, percent-encoded")),
    responses((status = 204, description = "It is forgotten")),
)]
pub async fn forget(desk: Desk, Segment(name): Segment) -> Result<Response, Refusal> {
    desk.worker_forget(&name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes a job
///
/// The first in the queue that the worker has the labels for; waits for one where there is none. 204 where none came.
/// Whoever holds a job has to speak of it before its lease is over, or another worker takes it.
#[utoipa::path(
    post, path = "/api/v1/work/claim", tag = "Work", operation_id = "claimJob", security(("token" = [])),
    request_body(content = ClaimRequest),
    responses(
        (status = 200, description = "A job to do", body = OrderBody),
        (status = 204, description = "None came"),
    ),
)]
pub async fn claim(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.may(Action::Work)?;
    let ClaimRequest { worker, instance, wait_seconds } = read(&headers, body).await?;
    let within = Duration::from_secs(wait_seconds.into());
    Ok(match desk.claim_job(worker, instance, within).await? {
        Some(taken) => json(&OrderBody::from(taken)),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Holds a job for longer
///
/// And says how far it is. The answer may be to stop it.
#[utoipa::path(
    post, path = "/api/v1/work/jobs/{job}/extend", tag = "Work", operation_id = "extendJob", security(("token" = [])),
    params(("job" = String, Path, description = "The job's id")),
    request_body(content = ExtendBody),
    responses((status = 200, description = "What to do with it", body = WordBody)),
)]
pub async fn extend(desk: Desk, Segment(job): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.may(Action::Work)?;
    let ExtendBody { worker, attempt, progress } = read(&headers, body).await?;
    let word = desk.extend_job(job_named(&job)?, Claim { worker, attempt }, progress.as_ref()).await?;
    let stop = match word {
        Word::GoOn => None,
        Word::Stop(why) => Some(why.into()),
    };
    Ok(json(&WordBody { stop }))
}

/// Says what a job came to
///
/// Once: whoever comes after its lease was over is refused with 409.
#[utoipa::path(
    post, path = "/api/v1/work/jobs/{job}/finish", tag = "Work", operation_id = "finishJob", security(("token" = [])),
    params(("job" = String, Path, description = "The job's id")),
    request_body(content = FinishBody),
    responses((status = 204, description = "It is written down")),
)]
pub async fn finish(desk: Desk, Segment(job): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.may(Action::Work)?;
    let FinishBody { worker, attempt, result, note, progress } = read(&headers, body).await?;
    let by = Claim { worker, attempt };
    desk.finish_job(job_named(&job)?, by, result, note.as_deref(), progress.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Adds to the log of a job
///
/// A piece, packed with gzip, 4 MiB at most unpacked. It counts where it begins where the log ends; the answer says
/// where that is, so a piece may be sent again.
#[utoipa::path(
    post, path = "/api/v1/work/jobs/{job}/log", tag = "Work", operation_id = "appendLog", security(("token" = [])),
    params(
        ("job" = String, Path, description = "The job's id"),
        ("worker" = String, Query, description = "Who"),
        ("attempt" = u32, Query, description = "Which attempt"),
        ("start" = u64, Query, description = "The bytes before the piece, unpacked"),
    ),
    request_body(content = String, content_type = "application/gzip"),
    responses((status = 200, description = "Where the log ends now", body = LogEnd)),
)]
pub async fn log(desk: Desk, Segment(job): Segment, query: Query, piece: Bytes) -> Result<Response, Refusal> {
    desk.may(Action::Work)?;
    let missing = |name: &str| Refusal::query(name, "is missing");
    let worker = query.text("worker").ok_or_else(|| missing("worker"))?;
    let worker: WorkerId = worker.parse().map_err(|_| Refusal::query("worker", "is not an id"))?;
    let attempt = query.number("attempt")?.ok_or_else(|| missing("attempt"))?;
    let start = query.number("start")?.ok_or_else(|| missing("start"))?;
    let end = desk.append_log(job_named(&job)?, Claim { worker, attempt }, start, piece).await?;
    Ok(json(&LogEnd { end }))
}

/// A file of a job
///
/// For whoever is to run it.
#[utoipa::path(
    get, path = "/api/v1/work/jobs/{job}/files/{file}", tag = "Work", operation_id = "getJobFile", security(("token" = [])),
    params(
        ("job" = String, Path, description = "The job's id"),
        ("file" = String, Path, description = "The SHA-256 of its content"),
    ),
    responses((status = 200, description = "The file", body = String, content_type = "application/octet-stream")),
)]
pub async fn file(desk: Desk, Path((job, file)): Path<(String, String)>) -> Result<Response, Refusal> {
    desk.may(Action::Work)?;
    let nothing = || Refusal::not_found("the job has no such file");
    let file = file.parse().map_err(|_| nothing())?;
    let (size, pieces) = desk.job_file(job_named(&job)?, file).await?.ok_or_else(nothing)?;
    let mut response = Body::from_stream(pieces).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, size.into());
    Ok(response)
}
