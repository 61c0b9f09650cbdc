//! `/strip/{project}`: every commit as a heartbeat, and `/projects/{name}`, the
//! same with what is known of the project's setups.
//!
//! Pages of the server alone, as SVG with a link behind each beat: they need no
//! script to be read. A small script lets keys walk from beat to beat.

use super::extract::{Query, Segment};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::Desk;
use crate::service::project::{Beat, Project, ProjectSetup, Strip};
use app::ecg::commits::CommitResult;
use app::ecg::draw::{Point, Rect, Scale};
use app::ecg::tape::{Detail, Finding, Tape, View};
use app::format;
use app::paths::{Page, Segment as Encoded};
use axum::response::Response;
use std::fmt::Write;
use std::ops::Range;

pub(super) const SCRIPTS: [&str; 2] = ["/theme.js", "/strip.js"];

/// Beats in a row.
pub(super) const PER_ROW: usize = 50;

/// Rows on a page.
const ROWS: usize = 24;

/// A row in units of its drawing.
const ROW: Rect = Rect { x: 0.0, y: 0.0, width: 1_200.0, height: 76.0 };

/// The whole tape at a glance.
const GLANCE: Rect = Rect { x: 0.0, y: 0.0, width: 1_200.0, height: 48.0 };

async fn found(desk: &Desk, name: &str, query: &Query) -> Result<Project, Refusal> {
    let project = desk.project(name, query.text("branch")).await?;
    project.ok_or_else(|| {
        Refusal::not_found(format!("nothing was ever run for a project {name:?}; names are case-sensitive"))
    })
}

/// The strip of all commits.
pub async fn strip(desk: Desk, Segment(name): Segment, query: Query) -> Result<Response, Refusal> {
    let project = found(&desk, &name, &query).await?;
    let title = format!("Every commit of {name}");
    let mut main =
        format!("<p><a href=\"/projects/{}\">{}</a></p><h1>Every commit</h1>", Encoded(&name), Escaped(&name));
    let strip = &project.strip;
    main.push_str(&legend(strip, query.text("branch")));
    glance(&mut main, &strip.tape);
    let end = query.number::<usize>("before")?.unwrap_or(usize::MAX).min(strip.beats.len());
    let start = end.saturating_sub(ROWS * PER_ROW);
    rows(&mut main, Some(&name), strip, start..end);
    if start > 0 {
        let _ = write!(main, "<p><a class=\"button\" href=\"?before={start}\">Older commits</a></p>");
    }
    Ok(html::respond(html::document_with(&title, &main, &SCRIPTS)))
}

/// A project: its chance to be hit by a flake, its setups, its newest commits.
pub async fn project(desk: Desk, Segment(name): Segment, query: Query) -> Result<Response, Refusal> {
    let project = found(&desk, &name, &query).await?;
    let mut main = format!("<h1>{}</h1>", Escaped(&name));
    main.push_str(&chance(&project));
    setups(&mut main, &project.setups);
    main.push_str("<h2>Commits</h2>");
    main.push_str(&legend(&project.strip, query.text("branch")));
    let end = project.strip.beats.len();
    rows(&mut main, Some(&name), &project.strip, end.saturating_sub(2 * PER_ROW)..end);
    let _ = write!(main, "<p><a class=\"button\" href=\"/strip/{}\">Every commit</a></p>", Encoded(&name));
    Ok(html::respond(html::document_with(&name, &main, &SCRIPTS)))
}

pub(super) fn percent(p: f64) -> String {
    if p > 0.0 && p < 0.01 { "below 1 %".into() } else { format!("{:.0} %", p * 100.0) }
}

fn chance(project: &Project) -> String {
    let Some(anywhere) = project.flake_anywhere() else {
        return "<p>No test of its setups has a history yet, so nothing can be said of flakes.</p>".into();
    };
    format!(
        "<p class=\"said\" data-test=\"project-flake\">A commit that is run once on each of its setups is hit by a flake \
         in <strong>{}</strong> of all cases.</p>",
        percent(anywhere)
    )
}

/// How likely a flake is on each setup.
pub(super) fn setups(main: &mut String, setups: &[ProjectSetup]) {
    if setups.is_empty() {
        return;
    }
    html::begin_table(
        main,
        "Setups",
        "project-setups",
        &["Setup", "A run is hit by a flake", "90 % interval", "Tests", "Flaky", "Broken"],
    );
    for setup in setups {
        let (mean, interval) = setup.flake.map_or(("not known".into(), String::new()), |flake| {
            (percent(flake.mean), format!("{} to {}", percent(flake.low), percent(flake.high)))
        });
        let (all, flaky, broken) = setup.tests;
        let (address, name) = (Page::Setup(&setup.name), Escaped(&setup.name));
        let _ = write!(
            main,
            "<tr><td><a href=\"{address}\">{name}</a></td><td>{mean}</td><td>{interval}</td><td>{all}</td><td>{flaky}</td><td>{broken}</td></tr>"
        );
    }
    html::end_table(main);
    for setup in setups.iter().filter(|setup| setup.is_uncalibrated) {
        let _ = write!(
            main,
            "<p class=\"said\" data-test=\"uncalibrated\">{} behaves unlike what the detector was made for: take its \
             probabilities as a hint; the counts are exact.</p>",
            Escaped(&setup.name)
        );
    }
}

/// What a strip shows, in words.
pub(super) fn legend(strip: &Strip, branch: Option<&str>) -> String {
    let count = |result: Option<CommitResult>| strip.beats.iter().filter(|beat| beat.result == result).count();
    let [passed, flaky, failed] =
        [CommitResult::Passed, CommitResult::Flaky, CommitResult::Failed].map(Some).map(count);
    let branch = branch.map(|branch| format!(" on {}", Escaped(branch))).unwrap_or_default();
    format!(
        "<p class=\"said\" data-test=\"strip-said\">{all} commits{branch}, the oldest first: {passed} passed, {flaky} flaky (an early, wide \
         beat), {failed} failed (a beat that is missing). Keys: <kbd>←</kbd> <kbd>→</kbd> from commit to commit, \
         <kbd>n</kbd> <kbd>p</kbd> to the next and the previous one that did not pass, <kbd>Home</kbd> <kbd>End</kbd>, \
         <kbd>Space</kbd> plays.</p>",
        all = strip.beats.len()
    )
}

fn glance(main: &mut String, tape: &Tape) {
    let view = View::of(tape, &(0..tape.len()), f64::from(GLANCE.width));
    let drawn = drawn(tape, &view, &GLANCE, &Scale::fitting(1.6, GLANCE.height));
    let (width, height) = (GLANCE.width, GLANCE.height);
    let _ = write!(
        main,
        "<svg class=\"tape glance\" role=\"img\" aria-label=\"All commits at a glance\" viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\">{drawn}</svg>"
    );
}

/// Beats in rows. Where they are a project's, its setups as they stood at a
/// beat are shown under them.
pub(super) fn rows(main: &mut String, project: Option<&str>, strip: &Strip, beats: Range<usize>) {
    let as_of = project.map(|name| format!(" data-as-of=\"/strip/{}\"", Encoded(name))).unwrap_or_default();
    let _ = write!(main, "<div class=\"strip-rows\" data-test=\"strip-rows\"{as_of}>");
    let mut first = beats.start;
    while first < beats.end {
        let end = (first + PER_ROW).min(beats.end);
        row(main, strip, first..end);
        first = end;
    }
    main.push_str(
        "</div><div class=\"strip-now\"><p class=\"strip-named\" aria-live=\"polite\" data-test=\"strip-named\"></p>\
         <section class=\"as-of\" data-test=\"as-of\" aria-label=\"Setups as of the commit\" hidden></section></div>",
    );
}

fn row(main: &mut String, strip: &Strip, beats: Range<usize>) {
    // A short row keeps the scale of a full one.
    let share = beats.len() as f64 / PER_ROW as f64;
    let width = f64::from(ROW.width) * share;
    let view = View::of(&strip.tape, &beats, width);
    let day = strip.beats[beats.start].at.to_rfc3339();
    let day = day.get(..10).unwrap_or_default();
    let drawn = drawn(&strip.tape, &view, &ROW, &Scale::fitting(3.2, ROW.height));
    let _ = write!(
        main,
        "<div class=\"strip-row\"><time datetime=\"{day}\">{day}</time><svg class=\"tape\" viewBox=\"0 0 {} {}\" preserveAspectRatio=\"xMinYMid meet\">{drawn}",
        ROW.width, ROW.height
    );
    let step = width / beats.len().max(1) as f64;
    for number in beats {
        let (Some(place), beat) = (strip.tape.place(number), &strip.beats[number]) else { continue };
        link(main, beat, view.x(place) - step / 2.0, step);
    }
    main.push_str("</svg></div>");
}

/// What a beat is, behind the whole height of its place.
fn link(main: &mut String, beat: &Beat, x: f64, width: f64) {
    let finding = match beat.result {
        Some(CommitResult::Passed) => "passed",
        Some(CommitResult::Flaky) => "flaky",
        Some(CommitResult::Failed) => "failed",
        None => "unknown",
    };
    let _ = write!(
        main,
        "<a href=\"{}\" data-run=\"{}\" data-result=\"{finding}\"><title>{}</title><rect x=\"{x:.1}\" y=\"0\" width=\"{width:.1}\" height=\"{}\"/></a>",
        Page::Run(beat.run),
        beat.run.0,
        Escaped(said(beat, finding)),
        ROW.height
    );
}

fn said(beat: &Beat, finding: &str) -> String {
    let commit = commit_name(beat.commit.as_deref());
    let branch = beat.branch.as_deref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    let runs = if beat.runs > 1 { format!(", {} runs", beat.runs) } else { String::new() };
    let ill = ill(beat.failed, beat.flaky);
    format!("{commit}{branch}: {finding}, {} tests{ill}{runs}, {}", beat.tests, format::utc(beat.at))
}

/// A commit as it is called here.
pub(super) fn commit_name(commit: Option<&str>) -> &str {
    commit.map_or("a run without a commit", |commit| commit.get(..12).unwrap_or(commit))
}

/// How many tests were not well: `, 3 failed, 1 flaky`; nothing where all were.
pub(super) fn ill(failed: u32, flaky: u32) -> String {
    let counts = [(failed, "failed"), (flaky, "flaky")];
    counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {count} {word}")).collect()
}

fn class(finding: Finding) -> &'static str {
    match finding {
        Finding::Passed | Finding::Recovered => "passed",
        Finding::Flaky => "flaky",
        Finding::Failed => "failed",
        Finding::Unknown => "lost",
    }
}

/// A tape as paths, one a colour.
fn drawn(tape: &Tape, view: &View, area: &Rect, scale: &Scale) -> String {
    let mut ways =
        [Finding::Passed, Finding::Unknown, Finding::Flaky, Finding::Failed].map(|f| (class(f), String::new()));
    let mut add = |finding: Finding, way: &str| {
        if let Some((_, path)) = ways.iter_mut().find(|(known, _)| *known == class(finding)) {
            path.push_str(way);
        }
    };
    let bottom = area.y + area.height;
    match view.detail(tape, area, scale) {
        Detail::Waves(waves) => waves.iter().for_each(|wave| add(wave.finding, &polyline(&wave.points))),
        Detail::Lines(lines) => {
            lines.iter().for_each(|line| add(line.finding, &format!("M{:.1} {bottom}V{:.1}", line.top.x, line.top.y)));
        }
        Detail::Columns(columns) => columns.iter().for_each(|column| {
            add(column.worst, &format!("M{:.1} {bottom}V{:.1}", column.span.x, column.span.y));
        }),
    }
    let path = |(class, way): &(&str, String)| format!("<path data-outcome=\"{class}\" d=\"{way}\"/>");
    ways.iter().filter(|(_, way)| !way.is_empty()).map(path).collect()
}

fn polyline(points: &[Point]) -> String {
    let mut way = String::new();
    for (number, point) in points.iter().enumerate() {
        let _ = write!(way, "{}{:.1} {:.1}", if number == 0 { 'M' } else { 'L' }, point.x, point.y);
    }
    way
}
