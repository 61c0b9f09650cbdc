//! `/strip/{project}/{run}`: how the project's setups stood when a commit had
//! been run. A piece of a page, which the strip's script puts under the beats,
//! and a page of its own for whoever has no script.

use super::html::{self, Escaped};
use super::problem::Refusal;
use super::strip::{commit_name, ill};
use crate::service::Desk;
use crate::service::as_of::{AsOf, Stood};
use app::domain::ids::RunId;
use app::domain::run::RunResult;
use app::format;
use app::paths::{Page, Segment as Encoded};
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use std::fmt::Write;

/// The header by which the script asks for the piece alone.
const PIECE: &str = "holter-piece";

/// The setups of a project as of a commit.
pub async fn page(
    desk: Desk,
    Path((name, run)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found(format!("the project {name:?} has no run {run:?}"));
    let id = run.parse().map(RunId).map_err(|_| missing())?;
    let as_of = desk.project_as_of(&name, id).await?.ok_or_else(missing)?;
    let tiles = tiles(&as_of);
    if headers.contains_key(PIECE) {
        return Ok(html::respond(tiles));
    }
    let address = Encoded(&name);
    let main = format!(
        "<p><a href=\"/strip/{address}\">Every commit of {}</a></p><h1>As of a commit</h1>{tiles}",
        Escaped(&name)
    );
    Ok(html::respond(html::document(&format!("{name} as of a commit"), &main)))
}

fn tiles(as_of: &AsOf) -> String {
    let mut text = format!(
        "<h2 class=\"as-of-title\">As of {} <span class=\"quiet\">{}</span></h2><ul class=\"as-of-tiles\">",
        commit(as_of.commit.as_deref()),
        format::utc(as_of.at)
    );
    as_of.setups.iter().for_each(|stood| tile(&mut text, stood));
    text.push_str("</ul>");
    text
}

fn tile(text: &mut String, stood: &Stood) {
    let word = stood.result.map_or("open", RunResult::as_str);
    let counts = &stood.counts;
    let ended = counts.passed + counts.flaky + counts.failed;
    let ill = ill(counts.failed, counts.flaky);
    let when = match stood.before.0 {
        0 => commit(stood.commit.as_deref()),
        _ => format!("{}, {} before", commit(stood.commit.as_deref()), format::coarse(stood.before)),
    };
    let _ = write!(
        text,
        "<li data-result=\"{word}\" data-test=\"as-of-tile\"><a href=\"{}\">{}</a><strong>{word}</strong>\
         <span>{passed} of {ended} passed{ill}</span><span class=\"quiet\">{when}</span></li>",
        Page::Run(stood.run),
        Escaped(&stood.setup),
        passed = counts.passed,
    );
}

fn commit(commit: Option<&str>) -> String {
    let name = Escaped(commit_name(commit));
    if commit.is_some() { format!("<code>{name}</code>") } else { name.to_string() }
}
