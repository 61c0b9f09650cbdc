//! `GET /api/v1/runs/{id}/junit`: a run as JUnit XML.

use super::report::Report;
use super::xml::Escaped;
use crate::http::extract::RunInPath;
use crate::http::problem::Refusal;
use crate::service::Desk;
use crate::service::test_details::{AttemptDetail, TestDetail};
use app::domain::test::{Outcome, Verdict};
use app::domain::time::Micros;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::fmt::Write;

/// Characters of a message in an attribute; the element has it whole.
const SUMMARY_KEPT: usize = 300;

/// Tells a run as JUnit XML
///
/// As Jenkins, GitLab and most others read it. Failed attempts before a pass are `flakyFailure`, before
/// a failure `rerunFailure`. A run that is open is told as far as it is.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/junit", tag = "Feeds", operation_id = "getRunAsJunit",
    params(("id" = uuid::Uuid, Path, description = "The run's id")),
    responses((status = 200, description = "The report", body = String, content_type = "application/xml")),
)]
pub async fn get(desk: Desk, RunInPath(id): RunInPath) -> Result<Response, Refusal> {
    let kind = HeaderValue::from_static("application/xml; charset=utf-8");
    let text = write(&Report::read(&desk, id).await?);
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// What a test is in this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Passed,
    Failed,
    Errored,
    Skipped,
}

/// Cancelled and lost tests did not pass, and no expectation of theirs failed.
fn kind_of(test: &TestDetail) -> Kind {
    match test.line.outcome {
        Outcome::Passed | Outcome::Flaky => Kind::Passed,
        Outcome::Failed if last_verdict(test) == Some(Verdict::Errored) => Kind::Errored,
        Outcome::Failed => Kind::Failed,
        Outcome::Lost | Outcome::Cancelled => Kind::Errored,
        Outcome::Skipped | Outcome::Waiting | Outcome::Running => Kind::Skipped,
    }
}

fn last_verdict(test: &TestDetail) -> Option<Verdict> {
    test.attempts.last().and_then(|attempt| attempt.verdict)
}

/// The attributes that both kinds of suites have.
fn sums(tests: &[&TestDetail]) -> String {
    let count = |kind: Kind| tests.iter().filter(|test| kind_of(test) == kind).count();
    let time = tests.iter().filter_map(|test| test.line.duration).map(|length| length.0).fold(0, i64::saturating_add);
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
        tests.len(),
        count(Kind::Failed),
        count(Kind::Errored),
        count(Kind::Skipped),
        seconds(Micros(time)),
    )
}

fn seconds(length: Micros) -> String {
    format!("{}.{:06}", length.0.max(0) / 1_000_000, length.0.max(0) % 1_000_000)
}

fn write(report: &Report) -> String {
    let mut suites: Vec<(&[String], Vec<&TestDetail>)> = Vec::new();
    let mut places: HashMap<&[String], usize> = HashMap::new();
    for test in &report.tests {
        let place = *places.entry(&test.suite).or_insert_with(|| {
            suites.push((&test.suite, Vec::new()));
            suites.len() - 1
        });
        suites[place].1.push(test);
    }
    let all: Vec<_> = report.tests.iter().collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a text cannot fail.
    let _ = writeln!(text, "<testsuites name=\"{}\" {}>", Escaped(report.name()), sums(&all));
    let began = report.head.card.started_at.map(|at| format!(" timestamp=\"{at}\"")).unwrap_or_default();
    for (path, tests) in suites {
        let name = path.join(".");
        let (suite, setup) = (Escaped(&name), Escaped(&report.head.setup));
        let _ = writeln!(text, "<testsuite name=\"{suite}\" {} hostname=\"{setup}\"{began}>", sums(&tests));
        for test in tests {
            case(&mut text, &name, test);
        }
        text.push_str("</testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(text: &mut String, suite: &str, test: &TestDetail) {
    let line = &test.line;
    let name = match &line.parameters {
        Some(parameters) => format!("{} [{parameters}]", line.name),
        None => line.name.clone(),
    };
    let time = seconds(line.duration.unwrap_or_default());
    let _ = write!(text, "<testcase name=\"{}\" classname=\"{}\" time=\"{time}\"", Escaped(&name), Escaped(suite));
    if let Some(source) = &line.source {
        let _ = write!(text, " file=\"{}\"", Escaped(source));
    }
    if let Some(number) = line.line {
        let _ = write!(text, " line=\"{number}\"");
    }
    text.push('>');
    let (last, before) = match test.attempts.split_last() {
        Some((last, before)) => (Some(last), before),
        None => (None, &[][..]),
    };
    let kind = kind_of(test);
    match kind {
        Kind::Passed => {}
        Kind::Failed => element(text, "failure", line.outcome, last),
        Kind::Errored => element(text, "error", line.outcome, last),
        Kind::Skipped => element(text, "skipped", line.outcome, last),
    }
    let earlier = if kind == Kind::Passed { "flakyFailure" } else { "rerunFailure" };
    for attempt in before.iter().filter(|attempt| attempt.verdict.is_some_and(Verdict::is_failure)) {
        again(text, earlier, attempt);
    }
    text.push_str("</testcase>\n");
}

/// The attributes of an element that tells why.
fn why(kind: &str, message: Option<&str>) -> String {
    let summary: String =
        message.unwrap_or_default().lines().next().unwrap_or_default().chars().take(SUMMARY_KEPT).collect();
    format!("type=\"{kind}\" message=\"{}\"", Escaped(&summary))
}

fn told(attempt: &AttemptDetail) -> String {
    let parts = [&attempt.message, &attempt.trace].into_iter().flatten();
    parts.map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn element(text: &mut String, name: &str, outcome: Outcome, last: Option<&AttemptDetail>) {
    let kind = last.and_then(|attempt| attempt.verdict).map_or(outcome.as_str(), Verdict::as_str);
    let message = last.and_then(|attempt| attempt.message.as_deref()).or((outcome != Outcome::Failed).then_some(kind));
    let _ = write!(text, "<{name} {}>", why(kind, message));
    if let Some(attempt) = last {
        let _ = write!(text, "{}", Escaped(&told(attempt)));
    }
    let _ = write!(text, "</{name}>");
}

fn again(text: &mut String, name: &str, attempt: &AttemptDetail) {
    let kind = attempt.verdict.map_or("unknown", Verdict::as_str);
    let why = why(kind, attempt.message.as_deref());
    let _ = write!(text, "<{name} {why}><stackTrace>{}</stackTrace></{name}>", Escaped(&told(attempt)));
}
