//! `GET /metrics`: a few numbers for Prometheus. Labels are words of closed
//! lists, never names that somebody else chose: their number must not grow.

use crate::http::problem::Refusal;
use crate::service::{Desk, Failure};
use app::domain::activity::Activity;
use app::domain::rights::Action;
use app::domain::run::{RunResult, RunState};
use app::domain::test::Outcome;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::fmt::{Display, Write};

/// Tells numbers for Prometheus
///
/// The text format, version 0.0.4. Gauges are of the newest run of each setup.
#[utoipa::path(
    get, path = "/metrics", tag = "Feeds", operation_id = "getMetrics",
    responses((status = 200, description = "The numbers", body = String, content_type = "text/plain")),
)]
pub async fn get(desk: Desk) -> Result<Response, Refusal> {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    desk.allow(Action::Read)?;
    Ok(([(header::CONTENT_TYPE, kind)], write(&desk).await?).into_response())
}

async fn write(desk: &Desk) -> Result<String, Failure> {
    let (tiles, now, silent_after) = (desk.setups().await?, desk.now(), desk.silent_after());
    let cards: Vec<_> = tiles.iter().filter_map(|tile| tile.run.as_ref()).collect();
    let mut text = Text(String::new());
    text.family("holter_build_info", "gauge", "The version that runs.", "version", [(env!("CARGO_PKG_VERSION"), 1)]);
    let activities = Activity::ALL.iter().map(|activity| {
        let count = tiles.iter().filter(|tile| tile.activity(now, silent_after) == *activity).count();
        (activity.as_str(), count as u64)
    });
    text.family("holter_setups", "gauge", "Setups by what they are doing.", "activity", activities);
    let states = RunState::ALL
        .iter()
        .map(|state| (state.as_str(), cards.iter().filter(|card| card.state == *state).count() as u64));
    text.family("holter_newest_runs", "gauge", "The newest run of each setup, by state.", "state", states);
    let results = RunResult::ALL
        .iter()
        .map(|result| (result.as_str(), cards.iter().filter(|card| card.result == Some(*result)).count() as u64));
    text.family("holter_newest_results", "gauge", "The newest run of each setup, by result.", "result", results);
    let outcomes = Outcome::ALL
        .iter()
        .map(|outcome| (outcome.as_str(), cards.iter().map(|card| u64::from(*card.counts.clone().of(*outcome))).sum()));
    text.family("holter_newest_tests", "gauge", "Tests of the newest run of each setup.", "outcome", outcomes);
    let fates = desk.tally().by_fate();
    text.family("holter_events_total", "counter", "Events since the start, by how they were taken.", "fate", fates);
    Ok(text.0)
}

/// The text format.
struct Text(String);

impl Text {
    fn family<L: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) {
        // Writing into a text cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (word, value) in values {
            let _ = writeln!(self.0, "{name}{{{label}=\"{word}\"}} {value}");
        }
    }
}
