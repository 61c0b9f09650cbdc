//! `POST /api/v1/reports`: report files of any framework.

use super::extract::Query;
use super::json;
use super::problem::Refusal;
use super::wire::owners::OwnersBody;
use super::wire::report::ReportBody;
use crate::intake::archive::File;
use crate::intake::reports::Origin;
use crate::service::desk::Caller;
use crate::service::{Desk, Failure};
use app::domain::name::{ProjectName, RunKey, SetupName};
use app::domain::problem::{Problem, ProblemKind};
use app::domain::rights::Action;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use reports::Format;

/// Bytes of one upload, packed as it comes.
pub const UPLOAD_MAX: usize = 64 * 1024 * 1024;

/// Takes report files
///
/// The raw file as the body, several as `multipart/form-data`, or a zip or tar.gz of a folder. JUnit XML
/// (any dialect), Robot Framework output.xml and output.json, CTRF, `go test -json`, libtest and
/// nextest, TAP and KTAP, TRX, NUnit, xUnit.net, Allure results, Playwright, Mocha, Jest, RSpec,
/// Cucumber, Dart, LAVA, SQUAD and LTP are told by their content. All files of an upload make one run. The same
/// upload again counts once. What cannot be read of a file is listed under `lost`, with the place; the
/// rest is taken. Up to 64 MiB.
#[utoipa::path(
    post, path = "/api/v1/reports", tag = "Events", operation_id = "sendReports", security(("token" = [])),
    params(
        ("setup" = Option<String>, Query, description = "Where the tests ran; needed unless the token is for one setup"),
        ("project" = Option<String>, Query, description = "The product under test"),
        ("run" = Option<String>, Query, description = "The key of the run, which shards share; else it follows from the content"),
        ("commit" = Option<String>, Query, description = "The commit under test"),
        ("branch" = Option<String>, Query, description = "Its branch"),
        ("shard" = Option<u32>, Query, description = "Which shard of the run this is, from 1"),
        ("shards" = Option<u32>, Query, description = "How many shards the run has"),
        ("format" = Option<String>, Query, description = "`auto`, or the name of a format where the content could be taken for another"),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "The file or files"),
    responses((status = 200, description = "What came of each file", body = ReportBody)),
)]
pub async fn post(desk: Desk, query: Query, request: Request) -> Result<Response, Refusal> {
    let caller = desk.caller()?;
    let origin = origin_of(&query, &caller)?;
    let format = format_of(&query)?;
    let files = files_of(request).await?;
    let project = origin.project.clone().or_else(|| caller.project().map(ToString::to_string));
    let mut receipt = desk.take_reports(&caller, origin, format, files).await?;
    let refused: Vec<_> = receipt.files.iter().filter_map(|file| Some((&file.name, file.refused.as_ref()?))).collect();
    if refused.len() == receipt.files.len() {
        let mut problem = Problem::new(ProblemKind::Invalid, "no file of the upload is a report that could be read");
        for (name, why) in refused {
            problem = problem.at(format!("/{name}"), why.clone());
        }
        return Err(problem.into());
    }
    let owners =
        keep_owners(&desk, &project.unwrap_or_else(|| ProjectName::default().to_string()), receipt.owners.take())
            .await?;
    Ok(json(&ReportBody { owners, ..ReportBody::from(receipt) }))
}

/// Who may only send events sends no owners: the reports are what counts.
async fn keep_owners(desk: &Desk, project: &str, text: Option<String>) -> Result<Option<OwnersBody>, Refusal> {
    let Some(text) = text.filter(|_| desk.allow_at(Action::Care, Some(project), None).is_ok()) else { return Ok(None) };
    Ok(match desk.owners_save(project, &text).await {
        Ok(taken) => Some(OwnersBody { rules: taken.rules, left_out: taken.left_out }),
        Err(Failure::Invalid { .. } | Failure::TooLarge(_)) => None,
        Err(failure) => return Err(failure.into()),
    })
}

fn origin_of(query: &Query, caller: &Caller) -> Result<Origin, Refusal> {
    let text = |name: &str| query.text(name).map(str::to_owned);
    let bound = caller.setup.as_ref().map(|setup| setup.as_str().to_owned());
    let setup = text("setup")
        .or(bound)
        .ok_or_else(|| Refusal::query("setup", "is missing: say where the tests ran, for instance ?setup=ci"))?;
    SetupName::parse(&setup).map_err(|error| Refusal::query("setup", error.to_string()))?;
    let project = text("project");
    project
        .as_deref()
        .map(ProjectName::parse)
        .transpose()
        .map_err(|error| Refusal::query("project", error.to_string()))?;
    let run = text("run");
    run.as_deref().map(RunKey::parse).transpose().map_err(|error| Refusal::query("run", error.to_string()))?;
    let number = |name: &str| -> Result<Option<u32>, Refusal> {
        match query.number::<u32>(name)? {
            Some(0 | 10_001..) => Err(Refusal::query(name, "must be from 1 to 10000")),
            number => Ok(number),
        }
    };
    let (shard, shards) = (number("shard")?, number("shards")?);
    Ok(Origin { setup, project, run, commit: text("commit"), branch: text("branch"), shard, shards })
}

fn format_of(query: &Query) -> Result<Option<Format>, Refusal> {
    match query.text("format") {
        None | Some("auto") => Ok(None),
        Some(name) => Format::named(name).map(Some).ok_or_else(|| {
            let names: Vec<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
            Refusal::query("format", format!("must be auto or one of {}", names.join(", ")))
        }),
    }
}

async fn files_of(request: Request) -> Result<Vec<File>, Refusal> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let (parts, body) = request.into_parts();
        let bytes = whole(&parts.headers, body).await?;
        return Ok(vec![File { name: "body".into(), bytes: bytes.into() }]);
    }
    let unreadable = |error: &dyn std::fmt::Display| {
        Refusal::new(ProblemKind::Malformed, format!("the form cannot be read: {error}"))
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| unreadable(&error))?;
    let mut files = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| too_large_or(error.status().as_u16(), &error))? {
        let name = field.file_name().or(field.name()).unwrap_or("file").to_owned();
        let bytes = field.bytes().await.map_err(|error| too_large_or(error.status().as_u16(), &error))?;
        files.push(File { name, bytes: bytes.into() });
    }
    if files.is_empty() {
        return Err(Refusal::new(ProblemKind::Malformed, "the form holds no file"));
    }
    Ok(files)
}

fn too_large_or(status: u16, error: &dyn std::fmt::Display) -> Refusal {
    if status == 413 {
        return Refusal::new(
            ProblemKind::TooLarge,
            "an upload has at most 64 MiB; send the files in several, or packed",
        );
    }
    Refusal::new(ProblemKind::Malformed, format!("the form cannot be read: {error}"))
}

async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > UPLOAD_MAX) {
        return Err(too_large_or(413, &""));
    }
    axum::body::to_bytes(body, UPLOAD_MAX).await.map_err(|error| {
        let is_limit = error.to_string().contains("length limit");
        too_large_or(if is_limit { 413 } else { 400 }, &error)
    })
}
