//! Suites, and what they say of themselves.

use super::Junit;
use super::outcome::Fault;
use crate::xml::tag::{Tag, unescape};
use crate::xml::text::Text;
use crate::xml::walk::Walk;
use crate::xml::{DEEPEST_SUITE, run_property, when};
use crate::{Suite, Verdict};
use std::borrow::Cow;

/// `<testcase name="a"/>`, and a word more.
const SHORTEST_CASE: usize = 32;

/// What holds for the cases directly inside a suite element.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope {
    pub group: usize,
    pub depth: usize,
    pub flaky: Flaky,
}

/// What a suite counts as flaky, for writers that mark it nowhere else.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Flaky {
    #[default]
    None,
    /// Some tests failed for good, some passed in the end.
    Some,
    /// None failed for good, so who failed at first passed in the end.
    All,
}

impl Junit {
    /// A root element: its name is the report's, not a suite's, if it is the plural.
    pub(super) fn root(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        self.framework(tag);
        if tag.name() == "testsuites" {
            self.report.name = self.report.name.take().or_else(|| tag.owned("name"));
            let started = tag.raw("timestamp").and_then(when::moment);
            self.report.started = self.report.started.or(started);
        }
        self.suite(walk, tag, Scope::default());
    }

    fn suite(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, parent: Scope) {
        if parent.depth > DEEPEST_SUITE {
            return walk.lose(format!("suites are nested deeper than {DEEPEST_SUITE}; what is inside is left out"));
        }
        let level = walk.level();
        self.groups += 1;
        let scope = Scope { group: self.groups, depth: parent.depth + 1, flaky: flaky(tag, parent.flaky) };
        // A count is believed as far as the file is long enough for it.
        let count = tag.raw("tests").and_then(|count| count.parse().ok()).unwrap_or(0);
        if parent.depth == 0 {
            self.repeats.expect(&mut self.report.cases, walk.bytes_left().div_euclid(SHORTEST_CASE).min(count));
        }
        let is_named = tag.name() == "testsuite" && self.enter(tag);
        let mut facts = if tag.name() == "testsuite" { self.facts(tag) } else { Suite::default() };
        let (first, mut is_bare, mut output) = (self.report.cases.len(), true, Text::default());
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "testcase" => self.case(walk, tag, scope),
                "testsuite" | "testsuites" => self.suite(walk, tag, scope),
                "properties" => self.properties(walk),
                "error" | "failure" => fail(&mut facts, Fault::read(walk, tag)),
                "system-out" | "system-err" => output.append(walk.text()),
                _ => continue,
            }
            is_bare &= tag.name() == "properties";
        }
        self.give_output(first, output);
        if is_bare && !walk.is_cut() {
            promised(walk, tag);
        }
        self.leave(facts, is_named);
    }

    fn enter(&mut self, tag: Tag<'_>) -> bool {
        let name = tag.get("name").or_else(|| tag.get("package"));
        self.path.extend(name.map(Cow::into_owned));
        tag.raw("name").or_else(|| tag.raw("package")).is_some()
    }

    fn facts(&mut self, tag: Tag<'_>) -> Suite {
        let started = tag.raw("timestamp").and_then(when::moment);
        self.report.started = match (self.report.started, started) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Suite {
            source: tag.owned("file").or_else(|| tag.owned("filepath")),
            started,
            duration: tag.raw("time").and_then(when::span),
            ..Suite::default()
        }
    }

    fn leave(&mut self, mut facts: Suite, is_named: bool) {
        let nothing = Suite { message: facts.message.clone(), ..Suite::default() };
        if facts != nothing && self.room.take(&self.path) {
            facts.path.clone_from(&self.path);
            if facts.path.is_empty() {
                facts.path.push(self.fallback());
            }
            self.report.suites.push(facts);
        }
        if is_named {
            self.path.pop();
        }
    }

    /// A suite's output belongs to its only case, if that has none of its own.
    fn give_output(&mut self, first: usize, output: Text) {
        if let [case] = &mut self.report.cases[first..]
            && let Some(attempt) = case.attempts.last_mut()
            && attempt.output.is_none()
        {
            attempt.output = output.into_block();
        }
    }

    fn properties(&mut self, walk: &mut Walk<'_>) {
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            if let Some((name, value)) = property(walk, tag) {
                run_property(&mut self.report, name, value);
            }
        }
    }

    fn framework(&mut self, tag: Tag<'_>) {
        let name = tag.raw("name").unwrap_or_default();
        let schema = tag.raw("xsi:noNamespaceSchemaLocation").unwrap_or_default();
        let framework = match name {
            _ if schema.contains("surefire") => "Surefire",
            "pytest" | "pytest tests" => "pytest",
            "nextest-run" => "nextest",
            "jest tests" => "Jest",
            "vitest tests" => "Vitest",
            "nosetests" => "nose",
            "nose2-junit" => "nose2",
            _ => return,
        };
        self.report.framework.get_or_insert_with(|| framework.into());
    }
}

/// A property, whether its value is an attribute or a text.
pub(super) fn property(walk: &mut Walk<'_>, tag: Tag<'_>) -> Option<(String, String)> {
    let name = tag.owned("name")?;
    let value = tag.attributes().find(|(name, _)| *name == "value").map(|(_, value)| unescape(value));
    let value = value.map(|value| Text::of(&value)).unwrap_or_else(|| walk.text());
    Some((name, value.into_line().unwrap_or_default()))
}

fn flaky(tag: Tag<'_>, inherited: Flaky) -> Flaky {
    let count = |name| tag.raw(name).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    if tag.raw("flaky").is_none() {
        return inherited;
    }
    match (count("flaky"), count("failures") + count("errors")) {
        (0, _) => Flaky::None,
        (_, 0) => Flaky::All,
        _ => Flaky::Some,
    }
}

fn fail(facts: &mut Suite, fault: Fault) {
    let worse = if fault.verdict == Verdict::Errored { Some(Verdict::Errored) } else { None };
    facts.verdict = worse.or(facts.verdict).or(Some(fault.verdict));
    facts.message = facts.message.take().or(fault.message);
}

/// Says so where a suite counts tests and has none.
fn promised(walk: &mut Walk<'_>, tag: Tag<'_>) {
    let count = tag.raw("tests").and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    if count > 0 {
        let name = tag.get("name").unwrap_or_default();
        walk.lose(format!("the suite {name:?} counts {count} tests and lists none"));
    }
}
