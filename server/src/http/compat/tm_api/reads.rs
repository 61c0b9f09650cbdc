//! What pages and scripts read of benches.

use super::super::{Visitor, answer};
use super::benches::{by_age, machine_of, script_place};
use super::picture::{Picture, day_first, status_of_run};
use crate::http::Door;
use crate::http::extract::{Query, Segment};
use crate::http::problem::Refusal;
use crate::intake::tm_api::{Status, number_of};
use crate::service::reads::RunQuestion;
use crate::service::{Desk, Failure};
use app::domain::rights::Action;
use app::paths::Page;
use app::read::{RunLine, Tile};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

/// Items on a page.
const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 100;

/// Runs of a machine that are looked through: pages of 500.
const PAGES: usize = 10;

/// Every address that is read.
pub fn reads() -> Router<Door> {
    let test = async |door: State<Door>, by: Visitor, pk: Segment| script(door, by, pk, "test").await;
    let scenario = async |door: State<Door>, by: Visitor, pk: Segment| script(door, by, pk, "scenario").await;
    let master = async |door: State<Door>, by: Visitor, pk: Segment| script(door, by, pk, "master_scenario").await;
    Router::new()
        .route("/tm_api/machines", get(machines))
        .route("/tm_api/machines/", get(machines))
        .route("/tm_api/machine_last_data/{pk}", get(last))
        .route("/tm_api/machine_last_data/{pk}/", get(last))
        .route("/tm_api/machine_dry_run_datas/{pk}", get(dry_runs))
        .route("/tm_api/machine_dry_run_datas/{pk}/", get(dry_runs))
        .route("/tm_api/test/{pk}", get(test))
        .route("/tm_api/test/{pk}/", get(test))
        .route("/tm_api/scenario/{pk}", get(scenario))
        .route("/tm_api/scenario/{pk}/", get(scenario))
        .route("/tm_api/master_scenario/{pk}", get(master))
        .route("/tm_api/master_scenario/{pk}/", get(master))
}

/// What is not there, in the shape that those clients know.
fn not_found(what: &str) -> Response {
    answer(404, &json!({"detail": format!("there is no such {what}")}))
}

/// A page of a list, with all that leads to the others.
struct Pager {
    number: usize,
    size: usize,
}

impl Pager {
    /// As the query asks; `None` where that is no page.
    fn of(query: &Query) -> Option<Self> {
        let number = query.text("page").map_or(Some(1), |text| text.parse().ok())?;
        let size = query.text("page_size").and_then(|text| text.parse().ok()).filter(|size| *size > 0);
        Some(Self { number, size: size.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX) })
    }

    /// The place of its first item; `None` beyond the end. An empty list has
    /// one page.
    fn start(&self, count: usize) -> Option<usize> {
        let start = self.number.checked_sub(1)?.checked_mul(self.size)?;
        (start < count || self.number == 1).then_some(start)
    }

    fn envelope(&self, site: &str, count: usize, results: Vec<Value>) -> Value {
        let pages = count.div_ceil(self.size).max(1);
        let (before, after) = (self.number > 1, self.number < pages);
        json!({
            "current_site": site, "page_size": self.size, "count": count, "page_number": self.number,
            "total_pages": pages, "has_previous": before, "previous_page_number": before.then(|| self.number - 1),
            "has_next": after, "next_page_number": after.then(|| self.number + 1), "results": results,
        })
    }
}

fn site(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

async fn machines(Visitor(desk): Visitor, headers: HeaderMap, query: Query) -> Result<Response, Refusal> {
    let tiles = by_age(&desk).await?;
    let pager = Pager::of(&query);
    let Some((pager, start)) = pager.and_then(|pager| Some((pager.start(tiles.len())?, pager))).map(|(s, p)| (p, s))
    else {
        return Ok(not_found("page"));
    };
    let mut results = Vec::new();
    for (number, tile) in tiles.iter().skip(start).take(pager.size) {
        results.push(json!({
            "pk": number, "machine_name": tile.name,
            "get_last_master_scenario_status": last_status(&desk, tile).await?,
            "absolute_url": Page::Setup(&tile.name).to_string(),
        }));
    }
    Ok(answer(200, &pager.envelope(site(&headers), tiles.len(), results)))
}

/// How a machine's last run stands. The counts tell it, but for what they do
/// not tell apart: failures from errors, and passes from warnings.
pub(super) async fn last_status(desk: &Desk, tile: &Tile) -> Result<&'static str, Failure> {
    let Some(card) = &tile.run else { return Ok("not-available") };
    let counts = &card.counts;
    let status = match () {
        () if counts.cancelled > 0 => Status::Cancelled,
        () if counts.running > 0 => Status::Running,
        () if counts.waiting > 0 => Status::Waiting,
        () if counts.lost + counts.skipped > 0 => Status::Unknown,
        () => desk.run(card.id).await?.as_ref().map_or(Status::Unknown, status_of_run),
    };
    Ok(status.as_str())
}

/// A machine with its last run, whole.
pub(super) async fn machine_data(desk: &Desk, tile: &Tile) -> Result<Value, Failure> {
    let page = match &tile.run {
        Some(card) => desk.run(card.id).await?,
        None => None,
    };
    let last = page.as_ref().map(|page| Picture::of(page).whole(desk.now()));
    Ok(json!({"machine_name": tile.name, "last_master_scenario": last}))
}

async fn last(Visitor(desk): Visitor, Segment(pk): Segment) -> Result<Response, Refusal> {
    let tile = machine_of(&desk, pk.parse().unwrap_or(0)).await?;
    let Some(tile) = tile else { return Ok(not_found("machine")) };
    Ok(answer(200, &machine_data(&desk, &tile).await?))
}

/// The dry runs of a machine; of one that is not known, none.
async fn dry_runs(
    Visitor(desk): Visitor,
    headers: HeaderMap,
    Segment(pk): Segment,
    query: Query,
) -> Result<Response, Refusal> {
    let number = pk.parse().unwrap_or(0);
    let lines = match machine_of(&desk, number).await? {
        Some(tile) => lines_of(&desk, &tile).await?,
        None => Vec::new(),
    };
    let pager = Pager::of(&query);
    let Some((pager, start)) = pager.and_then(|pager| Some((pager.start(lines.len())?, pager))).map(|(s, p)| (p, s))
    else {
        return Ok(not_found("page"));
    };
    let mut results = Vec::new();
    for (run, line) in lines.iter().skip(start).take(pager.size) {
        results.push(dry_run(&desk, number, *run, line).await?);
    }
    Ok(answer(200, &pager.envelope(site(&headers), lines.len(), results)))
}

/// The runs of a machine that came as dry runs, the newest first.
async fn lines_of(desk: &Desk, tile: &Tile) -> Result<Vec<(u64, RunLine)>, Failure> {
    let question = RunQuestion { setup: Some(tile.name.clone()), ..RunQuestion::default() };
    let (mut lines, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let page = desk.runs(&question, cursor.as_deref(), 500).await?;
        lines.extend(page.items.into_iter().filter_map(|(_, line)| Some((number_of(&line.key)?, line))));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(lines)
}

async fn dry_run(desk: &Desk, machine: u64, number: u64, line: &RunLine) -> Result<Value, Failure> {
    let page = desk.run(line.id).await?;
    let scenarios = page.as_ref().map_or(0, |page| Picture::of(page).scenario_count());
    Ok(json!({
        "pk": number, "machine": machine, "timestamp": line.started_at.map(day_first),
        "scenarios": scenarios, "tests": line.counts.planned,
        "tests_status": page.as_ref().map_or(Status::Unknown, status_of_run).as_str(),
        "absolute_url": Page::Run(line.id).to_string(),
    }))
}

/// One script of a dry run.
async fn script(
    State(door): State<Door>,
    Visitor(desk): Visitor,
    Segment(pk): Segment,
    kind: &'static str,
) -> Result<Response, Refusal> {
    desk.may(Action::Read)?;
    let Some((run, place)) = pk.parse().ok().and_then(script_place) else { return Ok(not_found(kind)) };
    let Some(id) = door.remembered.benches.run_of(&desk, run).await? else { return Ok(not_found(kind)) };
    let Some(page) = desk.run(id).await? else { return Ok(not_found(kind)) };
    let facts = Picture::of(&page).script(place).filter(|facts| facts.kind == kind);
    let Some(facts) = facts else { return Ok(not_found(kind)) };
    let text = match facts.script {
        Some(id) => desk.script_text(id).await?,
        None => None,
    };
    let told = json!({
        "file_name": facts.file_name, "file_path": facts.file_path, "script": text,
        "timestamp_start": facts.began_at.map(day_first), "timestamp_stop": facts.ended_at.map(day_first),
    });
    Ok(answer(200, &told))
}
