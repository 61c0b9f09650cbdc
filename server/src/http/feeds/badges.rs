//! `GET /badges/…`: how a project or a setup stands, as a picture and as JSON.

use super::xml::Escaped;
use super::{Last, standing};
use crate::http::json;
use crate::http::problem::Refusal;
use crate::http::wire::badge::BadgeBody;
use crate::service::reads::RunQuestion;
use crate::service::{Desk, Failure};
use app::domain::run::RunResult;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashSet;

/// Runs of a project that are looked through for the newest of each setup.
const RUNS_OF_PROJECT: u32 = 500;

/// Characters of a name that fit.
const LABEL_MAX: usize = 60;

/// Pixels that a character is given; the text is fitted to them.
const CHARACTER: usize = 7;

/// Pixels left and right of a text.
const MARGIN: usize = 6;

/// How often readers should ask again.
const CACHE_SECONDS: u32 = 60;

/// Shows how a project stands
///
/// `{project}.svg` is a picture, `{project}.json` the same for shields. It counts the tests of the newest
/// run that is over on each setup, and shows the worst result.
#[utoipa::path(
    get, path = "/badges/{project}", tag = "Feeds", operation_id = "getProjectBadge",
    params(("project" = String, Path, description = "The project's name and `.svg` or `.json`", example = "default.svg")),
    responses((status = 200, description = "The badge; grey where no run is over", content((BadgeBody = "application/json"), (String = "image/svg+xml")))),
)]
pub async fn project(desk: Desk, path: Result<Path<String>, PathRejection>) -> Result<Response, Refusal> {
    let (project, form) = Form::of(path.map(|Path(path)| path))?;
    let lasts = newest_of_project(&desk, &project).await?;
    Ok(form.respond(&Badge::of(&project, &lasts)))
}

/// Shows how a setup stands
///
/// The newest run of the project on the setup that is over, as `{setup}.svg` or `{setup}.json`.
#[utoipa::path(
    get, path = "/badges/{project}/{setup}", tag = "Feeds", operation_id = "getSetupBadge",
    params(
        ("project" = String, Path, description = "The project's name", example = "default"),
        ("setup" = String, Path, description = "The setup's name and `.svg` or `.json`, percent-encoded", example = "bench%207.svg"),
    ),
    responses((status = 200, description = "The badge; grey where no run is over", content((BadgeBody = "application/json"), (String = "image/svg+xml")))),
)]
pub async fn setup(desk: Desk, path: Result<Path<(String, String)>, PathRejection>) -> Result<Response, Refusal> {
    let (project, file) =
        path.map_or_else(|error| (None, Err(error)), |Path((project, file))| (Some(project), Ok(file)));
    let (setup, form) = Form::of(file)?;
    let question = RunQuestion { setup: Some(setup.clone()), project, ..RunQuestion::default() };
    let last = standing(&desk, &question).await?.and_then(|standing| standing.last);
    Ok(form.respond(&Badge::of(&setup, &Vec::from_iter(last))))
}

/// The newest run that is over on each setup.
async fn newest_of_project(desk: &Desk, project: &str) -> Result<Vec<Last>, Failure> {
    let question = RunQuestion { project: Some(project.to_owned()), ..RunQuestion::default() };
    let runs = desk.runs(&question, None, RUNS_OF_PROJECT).await?.items;
    let mut seen = HashSet::new();
    let over = runs.iter().filter_map(|(setup, line)| Some((setup, Last::of(line)?)));
    Ok(over.filter(|(setup, _)| seen.insert((*setup).clone())).map(|(_, last)| last).collect())
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Svg,
    Json,
}

impl Form {
    /// The name in front of the ending, and what the ending asks for.
    fn of(file: Result<String, PathRejection>) -> Result<(String, Self), Refusal> {
        let file = file.map_err(|_| Refusal::not_found("this address is not text"))?;
        let forms = [(".svg", Self::Svg), (".json", Self::Json)];
        let found = forms.into_iter().find_map(|(ending, form)| Some((file.strip_suffix(ending)?.to_owned(), form)));
        found.ok_or_else(|| Refusal::not_found("a badge ends with .svg or .json"))
    }

    fn respond(self, badge: &Badge) -> Response {
        let mut response = match self {
            Self::Json => json(&badge.body()),
            Self::Svg => {
                let kind = HeaderValue::from_static("image/svg+xml; charset=utf-8");
                ([(header::CONTENT_TYPE, kind)], badge.svg()).into_response()
            }
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// What a badge says.
#[derive(Clone, Debug, PartialEq)]
struct Badge {
    label: String,
    message: String,
    /// As shields names it, and as we draw it.
    color: (&'static str, &'static str),
    is_error: bool,
}

/// From well to worse.
const fn weight(result: Option<RunResult>) -> u8 {
    match result {
        Some(RunResult::Passed) => 0,
        Some(RunResult::Flaky) => 1,
        Some(RunResult::Cancelled) => 2,
        Some(RunResult::Incomplete) | None => 3,
        Some(RunResult::Failed) => 4,
    }
}

impl Badge {
    fn of(label: &str, lasts: &[Last]) -> Self {
        let label = label.chars().take(LABEL_MAX).collect();
        let Some(worst) = lasts.iter().max_by_key(|last| weight(last.result)) else {
            return Self { label, message: "no runs".into(), color: ("lightgrey", "#767676"), is_error: false };
        };
        let passed: u32 = lasts.iter().map(|last| last.counts.passed + last.counts.flaky).sum();
        let all: u32 =
            lasts.iter().map(|last| last.counts.planned - last.counts.skipped.min(last.counts.planned)).sum();
        let (word, color) = match worst.result {
            Some(RunResult::Passed) => ("passing", ("brightgreen", "#1a7f37")),
            Some(RunResult::Flaky) => ("flaky", ("yellow", "#8a6100")),
            Some(RunResult::Cancelled) => ("cancelled", ("lightgrey", "#767676")),
            Some(RunResult::Failed) => ("failing", ("red", "#c62828")),
            Some(RunResult::Incomplete) | None => ("incomplete", ("orange", "#b34700")),
        };
        Self { label, message: format!("{word} {passed}/{all}"), color, is_error: weight(worst.result) > 2 }
    }

    fn body(&self) -> BadgeBody {
        BadgeBody {
            schema_version: 1,
            label: self.label.clone(),
            message: self.message.clone(),
            color: self.color.0,
            is_error: self.is_error,
            cache_seconds: CACHE_SECONDS,
        }
    }

    /// A picture that needs no font but the reader's own: each text is fitted
    /// to the width it was given.
    fn svg(&self) -> String {
        let width = |text: &str| text.chars().count() * CHARACTER;
        let (label, message) = (width(&self.label), width(&self.message));
        let left = label + 2 * MARGIN;
        let whole = left + message + 2 * MARGIN;
        let (label_text, message_text, color) = (Escaped(&self.label), Escaped(&self.message), self.color.1);
        let text = |x: usize, length: usize, text: &Escaped<'_>| {
            format!("<text x=\"{x}\" y=\"14\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>")
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" aria-label=\"{label_text}: {message_text}\">\
             <title>{label_text}: {message_text}</title>\
             <rect width=\"{left}\" height=\"20\" fill=\"#444\"/>\
             <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{color}\"/>\
             <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{first}{second}</g></svg>\n",
            right = whole - left,
            first = text(MARGIN, label, &label_text),
            second = text(left + MARGIN, message, &message_text),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::domain::counts::Counts;

    fn last(result: RunResult, passed: u32, planned: u32) -> Last {
        let counts = Counts { passed, planned, ..Counts::default() };
        Last { label: "r".into(), result: Some(result), counts, finished_at: None }
    }

    #[test]
    fn the_worst_result_counts_and_tests_add_up() {
        let badge = Badge::of("pump", &[last(RunResult::Passed, 3, 3), last(RunResult::Failed, 4, 5)]);
        assert_eq!((&*badge.message, badge.is_error), ("failing 7/8", true));
        assert_eq!(Badge::of("pump", &[last(RunResult::Flaky, 2, 2)]).message, "flaky 2/2");
        assert_eq!(Badge::of("pump", &[]).message, "no runs");
    }

    #[test]
    fn a_picture_holds_whatever_the_name_is() {
        let svg = Badge::of("<a&\"b\">", &[]).svg();
        assert!(svg.contains("&lt;a&amp;&quot;b&quot;&gt;") && !svg.contains("<a&"));
        assert!(svg.starts_with("<svg ") && svg.contains("width=\"122\""), "{svg}");
        assert!(Badge::of(&"x".repeat(500), &[]).svg().len() < 2_000);
    }
}
