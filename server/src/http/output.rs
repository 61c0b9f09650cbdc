//! `GET /api/v1/runs/{id}/log`: what a run put out.

use super::extract::{Query, RunInPath, no_run};
use super::page;
use super::problem::Refusal;
use super::wire::output::OutputList;
use crate::service::Desk;
use crate::service::output::OutputQuestion;
use app::domain::ids::PlaceId;
use app::domain::output::{Level, OutputFrom};
use axum::response::Response;

/// Reads the output of a run
///
/// Lines and steps in the order of their arrival: of the whole run, of a suite, or of a test in it.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/log", tag = "Reads", operation_id = "readOutput",
    params(
        ("id" = uuid::Uuid, Path, description = "The run's id"),
        ("suite" = Option<Vec<String>>, Query, description = "Only of this suite: names from the root, repeated"),
        ("test" = Option<String>, Query, description = "Only of this test in it"),
        ("parameters" = Option<String>, Query, description = "What tells the test from its likes of the same name"),
        ("level" = Option<super::wire::Level>, Query, description = "Only lines that are at least so grave, and no steps"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "Entries on a page: 50 unless said, 500 at most", example = 50),
    ),
    responses((status = 200, description = "A page of output", body = OutputList, headers(("Link" = String, description = "The next page, as `rel=\"next\"`")))),
)]
pub async fn get(desk: Desk, RunInPath(id): RunInPath, query: Query) -> Result<Response, Refusal> {
    let limit = query.limit()?;
    let level = query.word("level", Level::parse, Level::ALL, Level::as_str)?;
    let after = query.number("cursor")?.unwrap_or(0);
    let question = OutputQuestion { place: place(&query), level, from: OutputFrom::After(after), limit };
    let entries = desk.output(id, question).await?.ok_or_else(|| no_run(id))?;
    let next = entries.last().filter(|_| entries.len() == limit as usize).map(|entry| entry.seq.to_string());
    let list = OutputList { items: entries.into_iter().map(Into::into).collect(), next };
    Ok(page(&list, list.next.as_deref(), &query))
}

/// The suite or test that a query names.
fn place(query: &Query) -> Option<PlaceId> {
    let path: Vec<Box<str>> = query.all("suite").map(Into::into).collect();
    if path.is_empty() {
        return None;
    }
    let test = query.text("test").map(|name| (name, query.text("parameters")));
    Some(PlaceId::of(&path, test))
}
