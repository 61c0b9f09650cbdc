//! Batches: test files that are sent in and run, for programs. The pages are in
//! [`super::batch_pages`].

use super::body;
use super::extract::{Query, Segment};
use super::form::Form;
use super::problem::Refusal;
use super::wire::batch::{BatchBody, BatchList};
use super::{json, page};
use crate::intake::archive::File;
use crate::service::Desk;
use crate::service::batches::{Batch, BatchPlan, FILES_MOST};
use app::domain::ids::BatchId;
use app::domain::job::Labels;
use app::domain::problem::ProblemKind;
use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Bytes of one upload.
pub const UPLOAD_MAX: usize = super::reports::UPLOAD_MAX;

/// A batch, by the id in the path.
pub(super) fn batch_named(text: &str) -> Result<BatchId, Refusal> {
    text.parse().map_err(|_| no_batch(text))
}

pub(super) fn no_batch(id: impl std::fmt::Display) -> Refusal {
    Refusal::not_found(format!("there is no batch {id}; batches are listed under /api/v1/batches"))
}

/// What was sent: how it is to be run, and the files.
#[derive(Default)]
pub(super) struct Upload {
    /// Whose batch it is.
    pub name: String,
    /// How it is to be run.
    pub plan: BatchPlan,
    /// The files.
    pub files: Vec<File>,
    /// The proof that the form came from here.
    pub form: Form,
}

fn broken(error: &axum::extract::multipart::MultipartError) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(ProblemKind::TooLarge, "a batch has at most 64 MiB; pack it, or send it in several");
    }
    Refusal::new(ProblemKind::Malformed, format!("the form cannot be read: {error}"))
}

impl Upload {
    /// Reads a form. Whatever has a file name is a file.
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let told = request.headers().get(header::CONTENT_LENGTH);
        let told = told.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if told.is_some_and(|length| length > UPLOAD_MAX) {
            return Err(Refusal::new(
                ProblemKind::TooLarge,
                "a batch has at most 64 MiB; pack it, or send it in several",
            ));
        }
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(|error| Refusal::new(ProblemKind::Malformed, format!("send a form: {error}")))?;
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                // A picker in which nothing was picked.
                Some(file) if file.is_empty() => {}
                Some(file) => {
                    if upload.files.len() == FILES_MOST {
                        return Err(Refusal::new(
                            ProblemKind::TooLarge,
                            format!("a batch has at most {FILES_MOST} files"),
                        ));
                    }
                    let bytes = field.bytes().await.map_err(|error| broken(&error))?;
                    upload.files.push(File { name: file, bytes: bytes.into() });
                }
                None => upload.set(&name, field.text().await.map_err(|error| broken(&error))?.trim())?,
            }
        }
        Ok(upload)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        if value.is_empty() {
            return Ok(());
        }
        match name {
            // The runner that this one replaces calls it so.
            "name" | "username" => self.name = value.into(),
            "setup" => self.plan.setup = Some(value.into()),
            "project" => self.plan.project = Some(value.into()),
            "labels" => {
                self.plan.labels = Labels::parse(value).map_err(|error| Refusal::query("labels", error.to_string()))?;
            }
            "timeout_seconds" => {
                let seconds = value.parse().map_err(|_| Refusal::query("timeout_seconds", "must be a whole number"))?;
                self.plan.seconds = Some(seconds);
            }
            "hold" => self.plan.is_held = true,
            "key" => self.form.put(name, value),
            _ => {}
        }
        Ok(())
    }
}

/// Has test files run
///
/// Several files, or archives of them (zip, tar). How each is run is found out from its name and content: pytest,
/// unittest, Robot Framework, the shell (with TAP), and packages for Cargo, Go and npm. Files that cannot be taken are
/// listed under `refused`, each with the reason. `requirements.txt` names Python packages to install, where jobs may use
/// the network. Needs a token of scope `admin`.
#[utoipa::path(
    post, path = "/api/v1/batches", tag = "Work", operation_id = "sendBatch", security(("token" = [])),
    request_body(content = String, content_type = "multipart/form-data", description = "`name`, and files; `labels`, `timeout_seconds`, `setup`, `project`; with `hold` it waits until it is started"),
    responses((status = 201, description = "It waits for a worker", body = BatchBody)),
)]
pub async fn send(desk: Desk, request: Request) -> Result<Response, Refusal> {
    desk.allow(app::domain::rights::Action::Launch)?;
    let Upload { name, plan, files, .. } = Upload::read(request).await?;
    Ok(made(&desk.batch_make(&name, plan, files).await?))
}

fn made(batch: &Batch) -> Response {
    let mut response = json(&BatchBody::from(batch));
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/batches/{}", batch.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Lists batches
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/v1/batches", tag = "Work", operation_id = "listBatches",
    params(
        ("limit" = Option<u32>, Query, description = "How many, 500 at most"),
        ("cursor" = Option<String>, Query, description = "Where the next page begins"),
    ),
    responses((status = 200, description = "Batches", body = BatchList)),
)]
pub async fn list(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let limit = query.limit()?;
    let before = query.text("cursor").map(batch_named).transpose()?;
    let (batches, total) = desk.batches(before, limit).await?;
    let next = batches.last().filter(|_| batches.len() == limit as usize).map(|batch| batch.id.to_string());
    let list = BatchList { items: batches.iter().map(BatchBody::from).collect(), total, next: next.clone() };
    Ok(page(&list, next.as_deref(), &query))
}

/// Tells about one batch
#[utoipa::path(
    get, path = "/api/v1/batches/{batch}", tag = "Work", operation_id = "getBatch",
    params(("batch" = String, Path, description = "The batch's id")),
    responses((status = 200, description = "The batch", body = BatchBody)),
)]
pub async fn one(desk: Desk, Segment(batch): Segment) -> Result<Response, Refusal> {
    let found = desk.batch(batch_named(&batch)?).await?.ok_or_else(|| no_batch(&batch))?;
    Ok(json(&BatchBody::from(&found)))
}

/// Starts a batch that was held
#[utoipa::path(
    post, path = "/api/v1/batches/{batch}/start", tag = "Work", operation_id = "startBatch", security(("token" = [])),
    params(("batch" = String, Path, description = "The batch's id")),
    responses((status = 200, description = "The batch", body = BatchBody)),
)]
pub async fn start(desk: Desk, Segment(batch): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    body::drain(&headers, body).await;
    Ok(json(&BatchBody::from(&desk.batch_start(batch_named(&batch)?).await?)))
}

/// Ends a batch
#[utoipa::path(
    post, path = "/api/v1/batches/{batch}/cancel", tag = "Work", operation_id = "cancelBatch", security(("token" = [])),
    params(("batch" = String, Path, description = "The batch's id")),
    responses((status = 204, description = "What waits is over, what runs is stopped")),
)]
pub async fn cancel(desk: Desk, Segment(batch): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    body::drain(&headers, body).await;
    desk.batch_cancel(batch_named(&batch)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Runs a batch once more
///
/// As a new batch of the same files.
#[utoipa::path(
    post, path = "/api/v1/batches/{batch}/rerun", tag = "Work", operation_id = "rerunBatch", security(("token" = [])),
    params(
        ("batch" = String, Path, description = "The batch's id"),
        ("failed" = Option<String>, Query, description = "With any value: only what did not pass"),
    ),
    responses((status = 201, description = "The new batch", body = BatchBody)),
)]
pub async fn rerun(
    desk: Desk,
    Segment(batch): Segment,
    query: Query,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    body::drain(&headers, body).await;
    let again = desk.batch_again(batch_named(&batch)?, query.text("failed").is_some()).await?;
    Ok(made(&again))
}
