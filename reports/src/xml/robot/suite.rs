//! Suites, their fixtures, and what a teardown does to their tests.

use super::keywords::{self, Keyword};
use super::{Robot, Status};
use crate::xml::tag::{Tag, unescape};
use crate::xml::text::message;
use crate::xml::walk::Walk;
use crate::xml::{DEEPEST_SUITE, NO_SUITE, run_property};
use crate::{Suite, Verdict};

/// How much of a suite's message is repeated in each of its tests.
const REPEATED_BYTES: usize = 512;

impl Robot {
    pub(super) fn suite(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, around: Option<&String>) {
        if self.path.len() > DEEPEST_SUITE {
            return walk.lose(format!("suites are nested deeper than {DEEPEST_SUITE}; what is inside is left out"));
        }
        let level = walk.level();
        self.groups += 1;
        let group = self.groups;
        self.path.push(tag.owned("name").unwrap_or_else(|| NO_SUITE.into()));
        let source = tag.owned("source").or_else(|| around.cloned());
        let first = self.report.cases.len();
        let (mut status, mut setup, mut teardown) = (Status::default(), None, None);
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "suite" => self.suite(walk, tag, source.as_ref()),
                "test" => self.test(walk, tag, group, source.as_ref()),
                "kw" if is_fixture(tag, "setup") => setup = Some(keywords::read(walk, tag)),
                "kw" if is_fixture(tag, "teardown") => teardown = Some(keywords::read(walk, tag)),
                "metadata" if self.path.len() == 1 => self.metadata(walk),
                "meta" if self.path.len() == 1 => self.item(walk, tag),
                "status" => status = Status::read(walk, tag),
                _ => {}
            }
        }
        if let Some(teardown) = &teardown {
            self.tear_down(first, teardown);
        }
        self.note(tag.owned("source"), status, setup, teardown);
        self.path.pop();
    }

    fn metadata(&mut self, walk: &mut Walk<'_>) {
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            self.item(walk, tag);
        }
    }

    fn item(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        let value = walk.text().into_line().unwrap_or_default();
        run_property(&mut self.report, tag.owned("name").unwrap_or_default(), value);
    }

    /// Turns the tests of a suite into what its teardown makes of them. A test
    /// that was skipped is not failed by it.
    fn tear_down(&mut self, first: usize, teardown: &Keyword) {
        let verdict = teardown.status.verdict;
        if !self.is_raw || !matches!(verdict, Verdict::Failed | Verdict::Skipped) {
            return;
        }
        let why = teardown.message().unwrap_or_default();
        let why = &why[..why.floor_char_boundary(REPEATED_BYTES)];
        for attempt in self.report.cases[first..].iter_mut().filter_map(|case| case.attempts.last_mut()) {
            if verdict == Verdict::Skipped || attempt.verdict != Verdict::Skipped {
                attempt.verdict = verdict;
            }
            // Suites inside each other that all fail would say it forever.
            if attempt.message.as_ref().is_some_and(|said| said.len() > 4 * REPEATED_BYTES) {
                continue;
            }
            let said = attempt.message.take();
            let text = match (verdict, said) {
                (Verdict::Skipped, None) => format!("Skipped in parent suite teardown:\n{why}"),
                (Verdict::Skipped, Some(said)) => {
                    format!("Skipped in parent suite teardown:\n{why}\n\nEarlier message:\n{said}")
                }
                (_, None) => format!("Parent suite teardown failed:\n{why}"),
                (_, Some(said)) => format!("{said}\n\nAlso parent suite teardown failed:\n{why}"),
            };
            attempt.message = message(&text);
        }
    }

    /// Keeps what is known of the suite that is about to be left.
    fn note(&mut self, source: Option<String>, status: Status, setup: Option<Keyword>, teardown: Option<Keyword>) {
        if self.path.len() == 1 {
            self.report.name = self.report.name.take().or_else(|| self.path.first().cloned());
            self.report.started = status.started;
            self.report.finished = status.started.zip(status.duration).map(|(start, length)| start + length);
        }
        let is_broken = |keyword: &Keyword| keyword.status.verdict == Verdict::Failed;
        let broken = [("Setup", setup.filter(is_broken)), ("Teardown", teardown.filter(is_broken))];
        let mut suite = Suite { source, started: status.started, duration: status.duration, ..Suite::default() };
        let whys: Vec<_> = broken
            .iter()
            .filter_map(|(what, keyword)| Some(format!("{what} failed: {}", keyword.as_ref()?.why())))
            .collect();
        if !whys.is_empty() {
            suite.verdict = Some(Verdict::Errored);
            suite.message = message(&whys.join("\n"));
        }
        if suite != Suite::default() && self.room.take(&self.path) {
            suite.path.clone_from(&self.path);
            self.report.suites.push(suite);
        }
    }
}

fn is_fixture(tag: Tag<'_>, which: &str) -> bool {
    tag.raw("type").is_some_and(|kind| unescape(kind).eq_ignore_ascii_case(which))
}
