//! Visual Studio test results.
//!
//! Results come first and name their tests by an id; the classes, categories
//! and owners of the tests come after them, so cases are put together at the
//! end. A result that is made of rows of data stands for its rows.

use super::names::{split_arguments, split_class};
use super::repeats::Repeats;
use super::room::Room;
use super::tag::Tag;
use super::text::{Text, message};
use super::walk::Walk;
use super::{DEEPEST_SUITE, NO_NAME, NO_SUITE, file_name, keep_property, keep_tag, root_is, run_property, when};
use crate::{Attachment, Attempt, Case, Refusal, Report, Suite, Verdict};
use std::collections::HashMap;

/// Errors of the run itself that are kept.
const KEPT_ERRORS: usize = 50;

pub fn looks(file: &[u8]) -> bool {
    // CppUnit's root has the same name.
    root_is(file, |tag, rest| {
        tag.name() == "TestRun"
            && (tag.attributes().any(|(_, value)| value.contains("TeamTest")) || rest.contains("<UnitTestResult"))
    })
}

pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    super::read(file, &["TestRun"], |trx: &mut Trx, walk, tag| trx.root(walk, tag), Trx::into_report)
}

/// What was read so far.
#[derive(Default)]
struct Trx {
    report: Report,
    rows: Vec<Row>,
    definitions: HashMap<String, Definition>,
}

/// A result that has still to meet its test.
struct Row {
    test: String,
    name: String,
    /// Which row of data it is.
    data: Option<String>,
    attempt: Attempt,
}

/// What a test is, beside its results.
#[derive(Default)]
struct Definition {
    class: Option<String>,
    method: Option<String>,
    storage: Option<String>,
    tags: Vec<String>,
    owner: Option<String>,
    properties: Vec<(String, String)>,
}

impl Trx {
    fn root(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        self.report.name = tag.owned("name");
        if let Some(user) = tag.owned("runUser") {
            run_property(&mut self.report, "runUser".into(), user);
        }
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "Times" => {
                    self.report.started = tag.raw("start").and_then(when::moment);
                    self.report.finished = tag.raw("finish").and_then(when::moment);
                }
                "Results" => {
                    self.results(walk, 0);
                }
                "TestDefinitions" => self.define(walk),
                "ResultSummary" => self.summary(walk, tag),
                _ => {}
            }
        }
    }

    /// Reads results; whether one of them failed.
    fn results(&mut self, walk: &mut Walk<'_>, depth: usize) -> bool {
        if depth > DEEPEST_SUITE {
            walk.lose(format!("results are nested deeper than {DEEPEST_SUITE}; what is inside is left out"));
            return false;
        }
        let level = walk.level();
        let mut has_failed = false;
        while let Some(tag) = walk.child(level) {
            if tag.name().ends_with("Result") || tag.name() == "TestResultAggregation" {
                has_failed |= self.result(walk, tag, depth);
            }
        }
        has_failed
    }

    fn result(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, depth: usize) -> bool {
        let level = walk.level();
        let first = self.rows.len();
        let mut attempt = Attempt {
            started: tag.raw("startTime").and_then(when::moment),
            duration: tag.raw("duration").and_then(when::span),
            ..Attempt::default()
        };
        let mut has_failed = false;
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "Output" => output(walk, &mut attempt),
                "ResultFiles" | "CollectorDataEntries" => files(walk, &mut attempt),
                "InnerResults" => has_failed |= self.results(walk, depth + 1),
                _ => {}
            }
        }
        attempt.verdict = verdict(tag.raw("outcome"), &attempt);
        let is_failure = attempt.verdict.is_failure();
        // What failed around its rows, and in none of them, is a row itself.
        if self.rows.len() == first || (is_failure && !has_failed) {
            let name = tag.owned("testName").unwrap_or_else(|| NO_NAME.into());
            let (test, data) = (tag.owned("testId").unwrap_or_default(), tag.owned("dataRowInfo"));
            self.rows.push(Row { test, name, data, attempt });
        }
        has_failed || is_failure
    }

    fn define(&mut self, walk: &mut Walk<'_>) {
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            let Some(id) = tag.owned("id") else { continue };
            let definition = Definition::read(walk, tag);
            self.definitions.insert(id, definition);
        }
    }

    fn summary(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        self.report.is_aborted |= tag.raw("outcome") == Some("Aborted");
        let level = walk.level();
        while let Some(tag) = walk.dive(level) {
            if self.report.suites.len() >= KEPT_ERRORS
                || tag.name() != "RunInfo"
                || !matches!(tag.raw("outcome"), Some("Error" | "Failed" | "Aborted" | "Timeout"))
            {
                continue;
            }
            let path = vec![self.report.name.clone().unwrap_or_else(|| NO_SUITE.into())];
            let (verdict, message) = (Some(Verdict::Errored), walk.text().into_line());
            self.report.suites.push(Suite { path, verdict, message, ..Suite::default() });
        }
    }

    fn into_report(self) -> Report {
        let Self { mut report, rows, definitions } = self;
        let unknown = Definition::default();
        let (mut repeats, mut room) = (Repeats::default(), Room::default());
        for row in rows {
            let definition = definitions.get(&row.test).unwrap_or(&unknown);
            if room.take(definition.texts()) {
                repeats.add_distinct(&mut report.cases, definition.case(row));
            }
        }
        room.settle(report)
    }
}

impl Definition {
    fn read(walk: &mut Walk<'_>, tag: Tag<'_>) -> Self {
        let level = walk.level();
        let mut found = Self { storage: tag.owned("storage"), ..Self::default() };
        let mut key = None;
        while let Some(tag) = walk.dive(level) {
            match tag.name() {
                "TestMethod" => {
                    // An assembly's full name may follow the class.
                    let class = tag.get("className");
                    found.class = class.and_then(|class| message(class.split(", ").next().unwrap_or_default()));
                    found.method = tag.owned("name");
                }
                "TestCategoryItem" => keep_tag(&mut found.tags, tag.owned("TestCategory").unwrap_or_default()),
                "Owner" if found.owner.is_none() => found.owner = tag.owned("name"),
                "Description" => {
                    let text = walk.text().into_line();
                    text.into_iter().for_each(|text| keep_property(&mut found.properties, "Description".into(), text));
                }
                "Key" => key = walk.text().into_line(),
                "Value" => {
                    let value = walk.text().into_line().unwrap_or_default();
                    key.take().into_iter().for_each(|key| keep_property(&mut found.properties, key, value.clone()));
                }
                _ => {}
            }
        }
        found
    }

    /// What every result of the test has of it.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let properties = self.properties.iter().flat_map(|(name, value)| [name, value]);
        self.class.iter().chain(&self.owner).chain(&self.storage).chain(&self.tags).chain(properties)
    }

    fn case(&self, row: Row) -> Case {
        let (class, name, parameters) = match self.class.as_deref() {
            Some(class) => {
                let short = row.name.strip_prefix(class).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&row.name);
                let (name, parameters) = split_arguments(short, self.method.as_deref());
                (class, name, parameters)
            }
            None => {
                let (class, short) = split_class(&row.name);
                let (name, parameters) = split_arguments(short, None);
                (class.or(self.storage.as_deref().map(file_name)).unwrap_or(NO_SUITE), name, parameters)
            }
        };
        Case {
            suite: vec![class.to_owned()],
            name,
            parameters: parameters.or_else(|| row.data.map(|data| format!("row {data}"))),
            tags: self.tags.clone(),
            owner: self.owner.clone(),
            properties: self.properties.clone(),
            attempts: vec![row.attempt],
            ..Case::default()
        }
    }
}

fn output(walk: &mut Walk<'_>, attempt: &mut Attempt) {
    let level = walk.level();
    let (mut output, mut notes) = (Text::default(), Text::default());
    while let Some(tag) = walk.dive(level) {
        match tag.name() {
            "StdOut" | "StdErr" | "DebugTrace" => output.append(walk.text()),
            "Message" if walk.level() == level + 2 && attempt.message.is_none() => {
                attempt.message = walk.text().into_line();
            }
            "Message" => notes.append(walk.text()),
            "StackTrace" => attempt.trace = walk.text().into_block(),
            "TextMessages" => {
                let inside = walk.level();
                while walk.child(inside).is_some() {
                    notes.append(walk.text());
                }
            }
            _ => {}
        }
    }
    output.append(notes);
    attempt.output = output.into_block();
}

fn files(walk: &mut Walk<'_>, attempt: &mut Attempt) {
    let level = walk.level();
    while let Some(tag) = walk.dive(level) {
        let path = match tag.name() {
            "ResultFile" => tag.owned("path"),
            "A" => tag.owned("href"),
            _ => None,
        };
        if let Some(path) = path {
            let name = file_name(&path).to_owned();
            attempt.attachments.push(Attachment { name, media_type: None, path: Some(path) });
        }
    }
}

/// What an outcome means. The first of the outcomes, an error, is the one that
/// Visual Studio leaves out.
fn verdict(outcome: Option<&str>, attempt: &Attempt) -> Verdict {
    match outcome {
        Some("Passed" | "Completed" | "PassedButRunAborted") => Verdict::Passed,
        Some("Failed") => Verdict::Failed,
        Some("Error" | "NotRunnable" | "Disconnected") => Verdict::Errored,
        Some("NotExecuted" | "Inconclusive") => Verdict::Skipped,
        Some("Timeout") => Verdict::TimedOut,
        Some("Aborted" | "Pending" | "InProgress") => Verdict::Cancelled,
        Some("Warning") => Verdict::Warned,
        None if attempt.message.is_some() || attempt.trace.is_some() => Verdict::Errored,
        _ => Verdict::Unknown,
    }
}
