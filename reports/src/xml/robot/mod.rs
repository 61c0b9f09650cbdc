//! Robot Framework `output.xml`, from 2.5 to 7.
//!
//! `keywords` goes through keywords for the one that failed, `retries` finds
//! the earlier attempts that a merge or a retrying listener left behind.
//!
//! Robot writes the file while it runs, so a test is written before the
//! teardown of the suite around it. If that fails, Robot counts every test of
//! the suite as failed when it reads the file again, and so do we; what Rebot
//! wrote has been through that already.

mod keywords;
mod retries;
mod suite;
mod test;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::SAMPLE;

use super::repeats::Repeats;
use super::room::Room;
use super::tag::Tag;
use super::walk::Walk;
use super::{root_is, when};
use crate::model::{Moment, Span};
use crate::{Refusal, Report, Verdict};

/// Errors of the run itself that are kept.
const KEPT_ERRORS: usize = 50;

pub fn looks(file: &[u8]) -> bool {
    root_is(file, |tag, rest| match tag.name() {
        "robot" => true,
        "suite" => ["<test ", "<suite ", "<kw ", "<status "].iter().any(|inner| rest[1..].contains(inner)),
        _ => false,
    })
}

pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    super::read(
        file,
        &["robot", "suite"],
        |robot: &mut Robot, walk, tag| robot.root(walk, tag),
        |robot| robot.room.settle(robot.report),
    )
}

/// What was read so far.
#[derive(Default)]
struct Robot {
    report: Report,
    repeats: Repeats,
    room: Room,
    /// The names of the open suites.
    path: Vec<String>,
    /// How many suite elements were entered.
    groups: usize,
    /// Suite teardowns have still to be applied.
    is_raw: bool,
}

/// A `<status>` element.
#[derive(Default)]
struct Status {
    verdict: Verdict,
    started: Option<Moment>,
    duration: Option<Span>,
    message: Option<String>,
}

impl Robot {
    fn root(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        if tag.name() == "suite" {
            return self.suite(walk, tag, None);
        }
        let generator = tag.owned("generator");
        self.is_raw = generator.as_deref().is_some_and(|name| name.to_ascii_lowercase().starts_with("robot"));
        self.report.framework = generator;
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "suite" => self.suite(walk, tag, None),
                "errors" => self.errors(walk),
                _ => {}
            }
        }
    }

    /// What went wrong beside the tests: imports, deprecations, bad settings.
    fn errors(&mut self, walk: &mut Walk<'_>) {
        let level = walk.level();
        let mut kept = 0;
        while let Some(tag) = walk.child(level) {
            let kind = tag.raw("level").unwrap_or("ERROR").to_ascii_lowercase();
            if kept < KEPT_ERRORS
                && let Some(text) = walk.text().into_line()
            {
                kept += 1;
                super::keep_property(&mut self.report.properties, kind, text);
            }
        }
    }
}

impl Status {
    fn read(walk: &mut Walk<'_>, tag: Tag<'_>) -> Self {
        let started = tag.raw("start").or_else(|| tag.raw("starttime")).and_then(when::moment);
        let ended = || tag.raw("endtime").and_then(when::moment);
        let elapsed = tag.raw("elapsed").and_then(when::span);
        Self {
            verdict: verdict(tag.raw("status").unwrap_or_default()),
            started,
            duration: elapsed.or_else(|| Some(ended()? - started?).filter(|span| *span >= 0)),
            message: walk.text().into_line(),
        }
    }
}

fn verdict(status: &str) -> Verdict {
    match status {
        "PASS" => Verdict::Passed,
        "FAIL" => Verdict::Failed,
        "SKIP" => Verdict::Skipped,
        "NOT RUN" | "NOT_RUN" => Verdict::Cancelled,
        _ => Verdict::Unknown,
    }
}
