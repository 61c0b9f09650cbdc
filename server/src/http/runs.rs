//! `GET /api/v1/runs`, one of them, and its tests.

use super::extract::{Query, RunInPath, no_run};
use super::problem::Refusal;
use super::wire::{RunDetail, RunItem, RunList, TestItem, TestList};
use super::{json, page};
use crate::service::Desk;
use crate::service::reads::RunQuestion;
use app::domain::run::{RunResult, RunState};
use app::domain::test::Outcome;
use axum::response::Response;

/// Lists runs
///
/// The newest first, by the time at which the server first heard of them.
#[utoipa::path(
    get, path = "/api/v1/runs", tag = "Reads", operation_id = "listRuns",
    params(
        ("setup" = Option<String>, Query, description = "Only on this setup"),
        ("project" = Option<String>, Query, description = "Only of this project"),
        ("branch" = Option<String>, Query, description = "Only of this branch"),
        ("result" = Option<super::wire::RunResult>, Query, description = "Only with this result"),
        ("state" = Option<super::wire::RunState>, Query, description = "Only in this state"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "Runs on a page: 50 unless said, 500 at most", example = 50),
    ),
    responses((status = 200, description = "A page of runs", body = RunList, headers(("Link" = String, description = "The next page, as `rel=\"next\"`")))),
)]
pub async fn list(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let text = |name: &str| query.text(name).map(str::to_owned);
    let question = RunQuestion {
        setup: text("setup"),
        project: text("project"),
        branch: text("branch"),
        result: query.word("result", RunResult::parse, RunResult::ALL, RunResult::as_str)?,
        state: query.word("state", RunState::parse, RunState::ALL, RunState::as_str)?,
    };
    let listing = desk.runs(&question, query.text("cursor"), query.limit()?).await?;
    let items = listing.items.into_iter().map(|(setup, line)| RunItem::of(setup, line)).collect();
    let list = RunList { items, next: listing.next };
    Ok(page(&list, list.next.as_deref(), &query))
}

/// Tells about one run
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", tag = "Reads", operation_id = "getRun",
    params(("id" = uuid::Uuid, Path, description = "The run's id")),
    responses((status = 200, description = "The run", body = RunDetail)),
)]
pub async fn one(desk: Desk, RunInPath(id): RunInPath) -> Result<Response, Refusal> {
    let head = desk.run_head(id).await?.ok_or_else(|| no_run(id))?;
    Ok(json(&RunDetail::of(head, desk.now())))
}

/// Lists the tests of a run
///
/// In the order in which they became known: as planned, else as begun. Messages and traces come along.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/tests", tag = "Reads", operation_id = "listTests",
    params(
        ("id" = uuid::Uuid, Path, description = "The run's id"),
        ("outcome" = Option<Vec<super::wire::Outcome>>, Query, description = "Only with these outcomes; repeated, or separated by commas"),
        ("q" = Option<String>, Query, description = "Only with this in their name"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "Tests on a page: 50 unless said, 500 at most", example = 50),
    ),
    responses((status = 200, description = "A page of tests", body = TestList, headers(("Link" = String, description = "The next page, as `rel=\"next\"`")))),
)]
pub async fn tests(desk: Desk, RunInPath(id): RunInPath, query: Query) -> Result<Response, Refusal> {
    let outcomes = query.words("outcome", Outcome::parse, Outcome::ALL, Outcome::as_str)?;
    let outcomes = Some(&*outcomes).filter(|outcomes| !outcomes.is_empty());
    let (q, cursor, limit) = (query.text("q"), query.text("cursor"), query.limit()?);
    let listing = desk.tests(id, outcomes, q, cursor, limit).await?.ok_or_else(|| no_run(id))?;
    let list = TestList { items: listing.items.into_iter().map(TestItem::from).collect(), next: listing.next };
    Ok(page(&list, list.next.as_deref(), &query))
}
