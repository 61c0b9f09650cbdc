//! `GET /api/v1/flaky`: the tests that are ill, as JSON and as CSV.

use super::json;
use super::problem::Refusal;
use super::wire::flaky::{SickList, SickTestItem};
use crate::service::Desk;
use app::domain::health::Label;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as value};
use std::fmt::Write;

/// Lists tests that are neither new nor healthy
///
/// Each on each setup, first what costs most: by the spurious failures to be expected in a run. At
/// most 500.
#[utoipa::path(
    get, path = "/api/v1/flaky", tag = "Reads", operation_id = "listFlakyTests",
    responses((status = 200, description = "The tests", body = SickList)),
)]
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let items = desk.sick_tests().await?.tests.into_iter().map(SickTestItem::from).collect();
    Ok(json(&SickList { items, next: None }))
}

/// Lists them as CSV
///
/// The same tests and fields as lines of text, with a line of names first (RFC 4180).
#[utoipa::path(
    get, path = "/api/v1/flaky.csv", tag = "Reads", operation_id = "listFlakyTestsAsCsv",
    responses((status = 200, description = "The tests", body = String, content_type = "text/csv")),
)]
pub async fn csv(desk: Desk) -> Result<Response, Refusal> {
    let mut text = String::from(
        "test,suite,setup,project,owner,label,p_flaky,p_broken,spurious_failures_per_run,results,failures,last_at\r\n",
    );
    for item in desk.sick_tests().await?.tests.into_iter().map(SickTestItem::from) {
        line(&mut text, &item);
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"flaky.csv\"")),
    ];
    Ok((headers, text).into_response())
}

/// Lists them as CTRF
///
/// The same tests as a report of the Common Test Report Format, version 1.0.0: broken ones as failed, all others as
/// passed, `flaky` where they are; the numbers stand under `extra`.
#[utoipa::path(
    get, path = "/api/v1/flaky.ctrf", tag = "Reads", operation_id = "listFlakyTestsAsCtrf",
    responses((status = 200, description = "The report", body = Object)),
)]
pub async fn ctrf(desk: Desk) -> Result<Response, Refusal> {
    let page = desk.sick_tests().await?;
    let tests: Vec<_> = page.tests.into_iter().map(|test| told(test.health.label, SickTestItem::from(test))).collect();
    let count = |name: &str, value: Value| tests.iter().filter(|test| test[name] == value).count();
    let at = page.now.as_millis();
    Ok(json(&value!({
        "reportFormat": "CTRF", "specVersion": "1.0.0", "timestamp": page.now.to_rfc3339(),
        "generatedBy": concat!("holter ", env!("CARGO_PKG_VERSION")),
        "results": {
            "tool": {"name": "holter"},
            "summary": {
                "tests": tests.len(), "passed": count("status", "passed".into()),
                "failed": count("status", "failed".into()), "skipped": 0, "pending": 0, "other": 0,
                "flaky": count("flaky", true.into()), "start": at, "stop": at,
            },
            "tests": tests,
        },
    })))
}

fn told(label: Label, item: SickTestItem) -> Value {
    let is_flaky = matches!(label, Label::Flaky | Label::Recovering);
    let mut test = value!({
        "testId": item.id.to_string(), "name": item.test, "suite": item.suite, "duration": 0, "flaky": is_flaky,
        "status": if label == Label::Broken { "failed" } else { "passed" },
        "extra": {
            "setup": item.setup, "project": item.project, "label": item.label, "p_flaky": item.p_flaky,
            "p_broken": item.p_broken, "spurious_failures_per_run": item.spurious_failures_per_run,
            "results": item.results, "failures": item.failures,
        },
    });
    if let Some(owner) = item.owner {
        test["labels"] = value!({"owner": owner});
    }
    test
}

fn line(text: &mut String, item: &SickTestItem) {
    let last_at = item.last_at.map(|at| at.0.to_rfc3339()).unwrap_or_default();
    let owner = item.owner.as_deref().unwrap_or_default();
    let words = [&*item.test, &item.suite.join(" / "), &item.setup, &item.project, owner, &item.label];
    for word in words {
        text.push_str(&cell(word));
        text.push(',');
    }
    let SickTestItem { p_flaky, p_broken, spurious_failures_per_run, results, failures, .. } = item;
    // Writing into a text cannot fail.
    let _ = write!(text, "{p_flaky},{p_broken},{spurious_failures_per_run},{results},{failures},{last_at}\r\n");
}

/// A value as one cell. A name that a spreadsheet would take for a formula gets
/// an apostrophe before it: names come from whoever writes tests.
fn cell(word: &str) -> String {
    let guard = if word.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !word.contains([',', '"', '\n', '\r']) {
        return word.to_owned();
    }
    format!("\"{guard}{}\"", word.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_is_never_a_formula() {
        assert_eq!(cell("opens"), "opens");
        assert_eq!(cell("opens, \"slowly\""), "\"opens, \"\"slowly\"\"\"");
        assert_eq!(cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }
}
