//! The runner of uploaded pytest files: `POST /newTestrun` and its list.
//!
//! Its clients send a user's name and files, and read a list of runs with the
//! words CREATED, RUNNING, SUCCESS and FAILED. Ids are texts here.

use super::{Visitor, answer};
use crate::http::Door;
use crate::http::batches::{UPLOAD_MAX, Upload, batch_named};
use crate::http::extract::{Query, Segment};
use crate::http::problem::Refusal;
use crate::http::wire::batch::status;
use crate::service::batches::Batch;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

/// Runs on a page, where nobody says, and at most.
const PAGE: u32 = 10;
const PAGE_MOST: u32 = 100;

/// Pages beyond this are not counted to.
const LOOKED_AT: u32 = 1_000;

pub(super) fn routes() -> Router<Door> {
    Router::new()
        .route("/newTestrun", post(create))
        .route("/api/testruns", get(list))
        .route("/api/testruns/{id}", get(one))
        .layer(DefaultBodyLimit::max(UPLOAD_MAX))
}

async fn create(Visitor(desk): Visitor, request: Request) -> Result<Response, Refusal> {
    desk.allow(app::domain::rights::Action::Launch)?;
    let Upload { name, plan, files, .. } = Upload::read(request).await?;
    let batch = desk.batch_make(&name, plan, files).await?;
    Ok(answer(200, &json!({"message": "Testrun created", "id": batch.id, "url": format!("/batches/{}", batch.id)})))
}

fn run(batch: &Batch) -> Value {
    let word = match status(batch) {
        "held" | "created" => "CREATED",
        "running" => "RUNNING",
        "success" => "SUCCESS",
        _ => "FAILED",
    };
    let files = batch
        .plan
        .units
        .iter()
        .map(|unit| json!({"id": unit.path, "url": format!("{}/{}", batch.id, unit.path), "testrun_id": batch.id}));
    let results = batch.jobs.iter().map(|row| {
        let result = row.job.result().map_or(row.job.state().as_str(), app::domain::job::JobResult::as_str);
        format!("Tested: {}\nResult: {result}\n", row.name)
    });
    json!({
        "id": batch.id, "username": batch.name, "status": word, "testrunner_id": batch.id,
        "results": results.collect::<String>(), "testfiles": files.collect::<Vec<_>>(),
    })
}

async fn list(Visitor(desk): Visitor, query: Query) -> Result<Response, Refusal> {
    let size = query.number::<u32>("results_per_page")?.unwrap_or(PAGE).clamp(1, PAGE_MOST);
    let number = query.number::<u32>("page")?.unwrap_or(1).max(1);
    let (first, until) = ((number - 1).saturating_mul(size), number.saturating_mul(size).min(LOOKED_AT));
    let (batches, total) = desk.batches(None, until).await?;
    let objects: Vec<_> = batches.iter().skip(first as usize).map(run).collect();
    let pages = total.div_ceil(size);
    Ok(answer(200, &json!({"num_results": total, "objects": objects, "page": number, "total_pages": pages})))
}

async fn one(Visitor(desk): Visitor, Segment(id): Segment) -> Result<Response, Refusal> {
    let found = match batch_named(&id) {
        Ok(id) => desk.batch(id).await?,
        Err(_) => None,
    };
    Ok(found.map_or_else(|| answer(404, &json!({})), |batch| answer(200, &run(&batch))))
}
