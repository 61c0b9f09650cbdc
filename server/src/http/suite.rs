//! `/projects/{name}/suites/{path}`: a suite over all its runs.
//!
//! The address has a segment for each name of the path, so that it can be read
//! and written by hand. A slash within a name is `%2F` there.

use super::html::{self, Escaped};
use super::problem::Refusal;
use super::strip::{PER_ROW, SCRIPTS, legend, percent, rows, setups};
use crate::service::Desk;
use crate::service::suite::{IllTest, SuiteHistory};
use app::paths::{Page, Segment as Encoded};
use axum::extract::OriginalUri;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use std::fmt::Write;

/// Rows of beats on the page.
const ROWS: usize = 12;

/// Tests that are listed.
const LISTED: usize = 100;

/// A suite.
pub async fn page(desk: Desk, OriginalUri(address): OriginalUri) -> Result<Response, Refusal> {
    let (project, path) = parts(address.path()).ok_or_else(|| Refusal::not_found("this address is not text"))?;
    let suite = desk.suite(&project, &path).await?.ok_or_else(|| {
        let name = path.join(" / ");
        Refusal::not_found(format!(
            "none of the newest runs of a project {project:?} has a suite {name:?}; names are case-sensitive"
        ))
    })?;
    let name = path.last().map(String::as_str).unwrap_or_default();
    let mut main = way(&project, &path);
    let _ = write!(main, "<h1>{}</h1>", Escaped(name));
    main.push_str(&chance(&suite));
    setups(&mut main, &suite.setups);
    ill(&mut main, &suite.ill);
    main.push_str("<h2>Commits</h2>");
    main.push_str(&legend(&suite.strip, None));
    let end = suite.strip.beats.len();
    rows(&mut main, None, &suite.strip, end.saturating_sub(ROWS * PER_ROW)..end);
    Ok(html::respond(html::document_with(name, &main, &SCRIPTS)))
}

/// Project and path of an address; none where they are not text.
fn parts(address: &str) -> Option<(String, Vec<String>)> {
    let text = |part: &str| Some(percent_decode_str(part).decode_utf8().ok()?.into_owned());
    let (project, path) = address.strip_prefix("/projects/")?.split_once("/suites/")?;
    let path: Option<Vec<_>> = path.split('/').filter(|part| !part.is_empty()).map(text).collect();
    Some((text(project)?, path.filter(|path| !path.is_empty())?))
}

/// The project and the suites above.
fn way(project: &str, path: &[String]) -> String {
    let mut way =
        format!("<nav aria-label=\"Above\"><a href=\"/projects/{}\">{}</a>", Encoded(project), Escaped(project));
    for depth in 1..path.len() {
        let _ =
            write!(way, " / <a href=\"{}\">{}</a>", Page::Suite(project, &path[..depth]), Escaped(&path[depth - 1]));
    }
    way.push_str("</nav>");
    way
}

/// How likely a run of the suite is hit by a flake, on the setup where it is
/// most likely.
fn chance(suite: &SuiteHistory) -> String {
    let known = suite.setups.iter().filter_map(|setup| Some((setup, setup.flake?.mean)));
    let Some((setup, most)) = known.max_by(|(_, one), (_, other)| one.total_cmp(other)) else {
        return "<p>None of its tests has a result yet, so nothing can be said of flakes.</p>".into();
    };
    let name = Escaped(&setup.name);
    format!(
        "<p class=\"said\" data-test=\"suite-flake\">A run of this suite is hit by a flake in <strong>{}</strong> of all \
         cases on {name}; it is nowhere more likely.</p>",
        percent(most)
    )
}

fn ill(main: &mut String, tests: &[IllTest]) {
    if tests.is_empty() {
        return;
    }
    main.push_str("<h2>Tests that are ill</h2>");
    html::begin_table(main, "Tests that are ill", "suite-ill", &["Test", "Setup", "Health"]);
    for test in tests.iter().take(LISTED) {
        let _ = write!(
            main,
            "<tr><td><a href=\"{}\">{}</a></td><td>{}</td><td>{}</td></tr>",
            Page::Test(test.id),
            Escaped(test.path.join(" / ")),
            Escaped(&test.setup),
            test.label.as_str()
        );
    }
    html::end_table(main);
    if let Some(more) = tests.len().checked_sub(LISTED).filter(|more| *more > 0) {
        let _ = write!(main, "<p>{more} more; <a href=\"/flaky\">all tests that are ill</a>.</p>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_name_by_name() {
        let expected = Some(("boiler 2".to_owned(), vec!["Power".to_owned(), "AC/DC".to_owned()]));
        assert_eq!(parts("/projects/boiler%202/suites/Power/AC%2FDC/"), expected);
        for other in ["/projects/boiler/suites/", "/projects/boiler", "/projects/boiler/suites/%FF"] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
