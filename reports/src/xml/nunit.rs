//! `NUnit` 2 (`<test-results>`) and 3 (`<test-run>`).
//!
//! Suites that only hold the cases of one parametrised method are not suites
//! of their own: what they add is in the cases' parameters.

use super::names::{split_arguments, split_class};
use super::repeats::Repeats;
use super::room::Room;
use super::tag::Tag;
use super::text::Text;
use super::walk::Walk;
use super::{DEEPEST_SUITE, NO_NAME, NO_SUITE, file_name, keep_property, keep_tag, root_is, run_property, when};
use crate::{Attachment, Attempt, Case, Refusal, Report, Suite, Verdict};

const ROOTS: [&str; 2] = ["test-run", "test-results"];

pub fn looks(file: &[u8]) -> bool {
    root_is(file, |tag, _| ROOTS.contains(&tag.name()))
}

pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    super::read(
        file,
        &ROOTS,
        |nunit: &mut Nunit, walk, tag| nunit.root(walk, tag),
        |nunit| nunit.room.settle(nunit.report),
    )
}

/// What was read so far.
#[derive(Default)]
struct Nunit {
    report: Report,
    repeats: Repeats,
    room: Room,
    path: Vec<String>,
}

/// What stands inside a case, or inside a suite beside its cases.
#[derive(Default)]
struct Inside {
    message: Option<String>,
    reason: Option<String>,
    trace: Option<String>,
    output: Option<String>,
    attachments: Vec<Attachment>,
    tags: Vec<String>,
    owner: Option<String>,
    properties: Vec<(String, String)>,
}

impl Nunit {
    fn root(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        let report = &mut self.report;
        report.name = tag.get("name").map(|name| file_name(&name).to_owned());
        report.started = started(tag).or_else(|| when::joined(tag.raw("date"), tag.raw("time")));
        report.finished = tag.raw("end-time").and_then(when::moment);
        report.framework = tag.get("engine-version").map(|version| format!("NUnit engine {version}"));
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            self.inside(walk, tag, 0);
        }
    }

    /// Takes a suite or a case, wherever it stands.
    fn inside(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, depth: usize) {
        match tag.name() {
            "test-suite" => self.suite(walk, tag, depth + 1),
            "test-case" => self.case(walk, tag),
            "environment" => self.environment(tag),
            "results" => {
                let level = walk.level();
                while let Some(tag) = walk.child(level) {
                    self.inside(walk, tag, depth);
                }
            }
            _ => {}
        }
    }

    fn environment(&mut self, tag: Tag<'_>) {
        let version = tag.get("framework-version").or_else(|| tag.get("nunit-version"));
        if let Some(version) = version {
            self.report.framework = Some(format!("NUnit {version}"));
        }
        for name in ["os-version", "clr-version", "machine-name", "platform"] {
            if let Some(value) = tag.owned(name) {
                run_property(&mut self.report, name.into(), value);
            }
        }
    }

    fn suite(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, depth: usize) {
        if depth > DEEPEST_SUITE {
            return walk.lose(format!("suites are nested deeper than {DEEPEST_SUITE}; what is inside is left out"));
        }
        let level = walk.level();
        let kind = tag.raw("type").unwrap_or_default();
        let is_named = !matches!(kind, "ParameterizedMethod" | "ParameterizedTest" | "GenericMethod" | "Theory");
        if is_named {
            let name = tag.get("name").unwrap_or(NO_SUITE.into());
            let is_file = matches!(kind, "Assembly" | "Project" | "Test Project") || self.path.is_empty();
            self.path.push(if is_file { file_name(&name).to_owned() } else { name.into_owned() });
        }
        let mut inside = Inside::default();
        while let Some(tag) = walk.child(level) {
            if !inside.take(walk, tag) {
                self.inside(walk, tag, depth);
            }
        }
        self.note(tag, inside);
        if is_named {
            self.path.pop();
        }
    }

    /// Keeps what is known of the suite that is about to be left. One that
    /// failed because of its tests did not fail by itself.
    fn note(&mut self, tag: Tag<'_>, inside: Inside) {
        let is_own = matches!(tag.raw("site"), Some("SetUp" | "TearDown")) || tag.raw("label") == Some("Invalid");
        let mut suite =
            Suite { started: started(tag), duration: duration(tag), source: tag.owned("filepath"), ..Suite::default() };
        if is_own {
            suite.verdict = Some(Verdict::Errored);
            suite.message = inside.message.or(inside.reason);
        }
        if suite != Suite::default() && !self.path.is_empty() && self.room.take(&self.path) {
            suite.path.clone_from(&self.path);
            self.report.suites.push(suite);
        }
    }

    fn case(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        let level = walk.level();
        let mut inside = Inside::default();
        while let Some(tag) = walk.child(level) {
            inside.take(walk, tag);
        }
        if !self.room.take(&self.path) {
            return;
        }
        let (name, parameters) = name(tag);
        let mut verdict = verdict(tag);
        if walk.is_cut() && tag.raw("result").is_none() {
            verdict = Verdict::Unknown;
        }
        let last = Attempt {
            verdict,
            started: started(tag),
            duration: duration(tag),
            message: inside.message.or(inside.reason),
            trace: inside.trace,
            output: inside.output,
            attachments: inside.attachments,
        };
        let suite = if self.path.is_empty() { vec![NO_SUITE.into()] } else { self.path.clone() };
        let mut properties = inside.properties;
        if let Some(description) = tag.owned("description") {
            keep_property(&mut properties, "Description".into(), description);
        }
        let case = Case {
            suite,
            name,
            parameters,
            tags: inside.tags,
            owner: inside.owner,
            properties,
            attempts: vec![last],
            ..Case::default()
        };
        self.repeats.add_distinct(&mut self.report.cases, case);
    }
}

impl Inside {
    fn take(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) -> bool {
        match tag.name() {
            "failure" => (self.message, self.trace) = failure(walk),
            "reason" => self.reason = failure(walk).0,
            "output" => self.output = walk.text().into_block(),
            "properties" | "categories" => self.properties(walk),
            "attachments" => self.attachments(walk),
            "assertions" => {
                let (message, trace) = assertions(walk);
                self.message = self.message.take().or(message);
                self.trace = self.trace.take().or(trace);
            }
            _ => return false,
        }
        true
    }

    fn properties(&mut self, walk: &mut Walk<'_>) {
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            let Some(name) = tag.owned("name") else { continue };
            let value = tag.owned("value").unwrap_or_default();
            match name.as_str() {
                _ if tag.name() == "category" => keep_tag(&mut self.tags, name),
                "Category" | "_CATEGORIES" => keep_tag(&mut self.tags, value),
                "Owner" | "Author" if self.owner.is_none() && !value.is_empty() => self.owner = Some(value),
                _ => keep_property(&mut self.properties, name, value),
            }
        }
    }

    fn attachments(&mut self, walk: &mut Walk<'_>) {
        let level = walk.level();
        while let Some(tag) = walk.dive(level) {
            if tag.name() == "filePath"
                && let Some(path) = walk.text().into_line()
            {
                let name = file_name(&path).to_owned();
                self.attachments.push(Attachment { name, media_type: None, path: Some(path) });
            }
        }
    }
}

/// The message and the trace of a failure or a reason.
fn failure(walk: &mut Walk<'_>) -> (Option<String>, Option<String>) {
    let level = walk.level();
    let (mut said, mut trace) = (None, None);
    while let Some(tag) = walk.child(level) {
        match tag.name() {
            "message" => said = walk.text().into_line(),
            "stack-trace" => trace = walk.text().into_block(),
            _ => {}
        }
    }
    (said, trace)
}

/// What several assertions say, one below the other.
fn assertions(walk: &mut Walk<'_>) -> (Option<String>, Option<String>) {
    let level = walk.level();
    let (mut messages, mut traces) = (Text::default(), Text::default());
    while walk.child(level).is_some() {
        let (said, trace) = failure(walk);
        messages.append(Text::of(&said.unwrap_or_default()));
        traces.append(Text::of(&trace.unwrap_or_default()));
    }
    (messages.into_line(), traces.into_block())
}

fn started(tag: Tag<'_>) -> Option<i64> {
    tag.raw("start-time").and_then(when::moment)
}

fn duration(tag: Tag<'_>) -> Option<i64> {
    tag.raw("duration").or_else(|| tag.raw("time")).and_then(when::span)
}

fn verdict(tag: Tag<'_>) -> Verdict {
    let is = |name: &str, word: &str| tag.raw(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    match (tag.raw("result").unwrap_or_default(), tag.raw("label").unwrap_or_default()) {
        ("Passed" | "Success", _) => Verdict::Passed,
        ("Failed", "Error" | "Invalid") | ("Error" | "NotRunnable", _) => Verdict::Errored,
        ("Failed", "Cancelled") | ("Cancelled", _) => Verdict::Cancelled,
        ("Failed" | "Failure", _) => Verdict::Failed,
        // An assumption that did not hold: the test has nothing to say.
        ("Skipped" | "Ignored" | "Inconclusive", _) => Verdict::Skipped,
        ("Warning", _) => Verdict::Warned,
        _ if is("executed", "False") => Verdict::Skipped,
        _ if is("success", "True") => Verdict::Passed,
        _ if is("success", "False") => Verdict::Failed,
        _ => Verdict::Unknown,
    }
}

/// The method's name and its arguments. `NUnit` 2 writes the whole path.
fn name(tag: Tag<'_>) -> (String, Option<String>) {
    let Some(full) = tag.get("name") else { return (NO_NAME.into(), None) };
    match tag.get("methodname") {
        Some(method) => split_arguments(&full, Some(&method)),
        None => split_arguments(split_class(&full).1, None),
    }
}
