//! `GET /api/v1/runs/{id}/ctrf`: a run as a CTRF report.

use super::report::Report;
use crate::http::extract::RunInPath;
use crate::http::json;
use crate::http::problem::Refusal;
use crate::http::wire::millis;
use crate::service::Desk;
use crate::service::test_details::{AttemptDetail, TestDetail};
use app::domain::test::{Outcome, Verdict};
use app::domain::time::{Micros, Timestamp};
use axum::response::Response;
use serde_json::{Map, Value, json as value};

/// Tells a run as CTRF
///
/// The Common Test Report Format, version 1.0.0: for comments on pull requests and other reports. A run
/// that is open is told as far as it is.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/ctrf", tag = "Feeds", operation_id = "getRunAsCtrf",
    params(("id" = uuid::Uuid, Path, description = "The run's id")),
    responses((status = 200, description = "The report", body = Object)),
)]
pub async fn get(desk: Desk, RunInPath(id): RunInPath) -> Result<Response, Refusal> {
    Ok(json(&write(&Report::read(&desk, id).await?, desk.now())))
}

fn write(report: &Report, now: Timestamp) -> Value {
    let (head, card) = (&report.head, &report.head.card);
    let start = card.started_at.unwrap_or(now);
    let stop = card.finished_at.unwrap_or(now).max(start);
    let count = |status: &str| report.tests.iter().filter(|test| status_of(test.line.outcome) == status).count();
    let flaky = report.tests.iter().filter(|test| test.line.outcome == Outcome::Flaky).count();
    let environment = filled([
        ("reportName", Some(value!(report.name()))),
        ("buildName", Some(value!(head.setup))),
        ("buildNumber", None),
        ("buildUrl", head.url.as_ref().map(|url| value!(url))),
        ("commit", card.commit.as_ref().map(|commit| value!(commit))),
        ("branchName", card.branch.as_ref().map(|branch| value!(branch))),
    ]);
    value!({
        "reportFormat": "CTRF", "specVersion": "1.0.0", "reportId": card.id.to_string(),
        "timestamp": stop.to_rfc3339(), "generatedBy": concat!("holter ", env!("CARGO_PKG_VERSION")),
        "results": {
            "tool": {"name": head.framework.as_deref().unwrap_or("unknown")},
            "summary": {
                "tests": report.tests.len(), "passed": count("passed"), "failed": count("failed"),
                "skipped": count("skipped"), "pending": count("pending"), "other": count("other"), "flaky": flaky,
                "start": start.as_millis(), "stop": stop.as_millis(), "duration": stop.since(start).as_millis(),
            },
            "tests": report.tests.iter().map(test).collect::<Vec<_>>(),
            "environment": environment,
        },
    })
}

fn filled<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let told = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(told.collect::<Map<_, _>>())
}

const fn status_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed | Outcome::Flaky => "passed",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Waiting | Outcome::Running => "pending",
        Outcome::Cancelled | Outcome::Lost => "other",
    }
}

const fn status_of_attempt(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(verdict) if verdict.is_pass() => "passed",
        Some(verdict) if verdict.is_failure() => "failed",
        Some(Verdict::Skipped) => "skipped",
        None => "pending",
        Some(_) => "other",
    }
}

fn whole_millis(length: Option<Micros>) -> Value {
    value!(length.map_or(0.0, millis).round().max(0.0) as u64)
}

fn test(test: &TestDetail) -> Value {
    let line = &test.line;
    let last = test.attempts.last();
    let text = |text: Option<&String>| text.map(|text| value!(text));
    let retries = test.attempts.len().saturating_sub(1);
    let raw = last.and_then(|attempt| attempt.verdict).map_or(line.outcome.as_str(), Verdict::as_str);
    filled([
        ("testId", Some(value!(line.id.to_string()))),
        ("name", Some(value!(line.name))),
        ("status", Some(value!(status_of(line.outcome)))),
        ("rawStatus", Some(value!(raw))),
        ("duration", Some(whole_millis(line.duration))),
        ("start", line.began_at.map(|at| value!(at.as_millis()))),
        ("stop", last.and_then(|attempt| attempt.finished_at).map(|at| value!(at.as_millis()))),
        ("suite", (!test.suite.is_empty()).then(|| value!(test.suite))),
        ("message", text(last.and_then(|attempt| attempt.message.as_ref()))),
        ("trace", text(last.and_then(|attempt| attempt.trace.as_ref()))),
        ("line", line.line.map(|line| value!(line))),
        ("filePath", text(line.source.as_ref())),
        ("tags", (!line.tags.is_empty()).then(|| value!(line.tags))),
        ("parameters", line.parameters.as_ref().map(|text| value!({"parameters": text}))),
        ("labels", test.owner.as_ref().map(|owner| value!({"owner": owner}))),
        ("flaky", (line.outcome == Outcome::Flaky).then_some(Value::Bool(true))),
        ("retries", (retries > 0).then(|| value!(retries))),
        ("retryAttempts", (retries > 0).then(|| test.attempts.iter().map(attempt).collect())),
    ])
}

fn attempt(attempt: &AttemptDetail) -> Value {
    filled([
        ("attempt", Some(value!(attempt.number))),
        ("status", Some(value!(status_of_attempt(attempt.verdict)))),
        ("duration", Some(whole_millis(attempt.duration))),
        ("start", attempt.started_at.map(|at| value!(at.as_millis()))),
        ("stop", attempt.finished_at.map(|at| value!(at.as_millis()))),
        ("message", attempt.message.as_ref().map(|text| value!(text))),
        ("trace", attempt.trace.as_ref().map(|text| value!(text))),
    ])
}
