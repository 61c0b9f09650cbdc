//! `GET /cc.xml`: every setup, for lamps and build monitors.

use super::xml::Escaped;
use super::{Last, Standing, standing};
use crate::http::extract::Query;
use crate::http::problem::Refusal;
use crate::service::reads::RunQuestion;
use crate::service::{Desk, Failure};
use app::domain::run::{RunResult, RunState};
use app::paths::Page;
use app::read::Tile;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

/// Lists setups for build monitors
///
/// The cctray format: a project for each setup. Its status, label and time are those of the newest run
/// that is over; while a run is under way it is building.
#[utoipa::path(
    get, path = "/cc.xml", tag = "Feeds", operation_id = "getCctray",
    params(
        ("project" = Option<String>, Query, description = "Only runs of this project, and setups that have any"),
        ("setup" = Option<String>, Query, description = "Only this setup"),
        ("branch" = Option<String>, Query, description = "Only runs of this branch, and setups that have any"),
    ),
    responses((status = 200, description = "The setups", body = String, content_type = "application/xml")),
)]
pub async fn get(desk: Desk, headers: HeaderMap, query: Query) -> Result<Response, Refusal> {
    let filter = |name: &str| query.text(name).map(str::to_owned);
    let (project, branch) = (filter("project"), filter("branch"));
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Projects>\n");
    let base = base_of(&headers);
    for tile in desk.setups().await? {
        if query.text("setup").is_some_and(|name| name != tile.name) {
            continue;
        }
        let setup = Some(tile.name.clone());
        let question =
            RunQuestion { setup, project: project.clone(), branch: branch.clone(), ..RunQuestion::default() };
        if let Some(standing) = of_setup(&desk, &tile, &question).await? {
            project_line(&mut text, &tile.name, &standing, &base);
        }
    }
    text.push_str("</Projects>\n");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, text).into_response())
}

/// A wall of idle setups is read from the board alone.
async fn of_setup(desk: &Desk, tile: &Tile, question: &RunQuestion) -> Result<Option<Standing>, Failure> {
    if question.project.is_some() || question.branch.is_some() {
        return standing(desk, question).await;
    }
    let Some(card) = &tile.run else { return Ok(Some(Standing::default())) };
    if matches!(card.state, RunState::Waiting | RunState::Running) {
        return standing(desk, question).await;
    }
    let label = card.name.clone().unwrap_or_else(|| card.key.clone());
    let last = Last { label, result: card.result, counts: card.counts, finished_at: card.finished_at };
    Ok(Some(Standing { is_running: false, last: Some(last) }))
}

/// Where the caller found us, as far as its request tells.
fn base_of(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = text("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
    text("host").map(|host| format!("{scheme}://{host}")).unwrap_or_default()
}

fn project_line(text: &mut String, name: &str, standing: &Standing, base: &str) {
    let activity = if standing.is_running { "Building" } else { "Sleeping" };
    let status = match standing.last.as_ref().and_then(|last| last.result) {
        Some(RunResult::Passed | RunResult::Flaky) => "Success",
        Some(RunResult::Failed) => "Failure",
        Some(RunResult::Cancelled | RunResult::Incomplete) => "Exception",
        None => "Unknown",
    };
    // Writing into a text cannot fail.
    let _ = write!(text, "<Project name=\"{}\" activity=\"{activity}\" lastBuildStatus=\"{status}\"", Escaped(name));
    if let Some(last) = &standing.last {
        let _ = write!(text, " lastBuildLabel=\"{}\"", Escaped(&last.label));
        if let Some(at) = last.finished_at {
            let _ = write!(text, " lastBuildTime=\"{at}\"");
        }
    }
    let url = format!("{base}{}", Page::Setup(name));
    let _ = writeln!(text, " webUrl=\"{}\"/>", Escaped(&url));
}
