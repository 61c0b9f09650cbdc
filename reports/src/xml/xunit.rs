//! xUnit.net: v1 has classes where v2 and v3 have collections.

use super::names::split_arguments;
use super::repeats::Repeats;
use super::room::Room;
use super::tag::Tag;
use super::text::{Text, message};
use super::walk::Walk;
use super::{NO_NAME, NO_SUITE, file_name, keep_property, keep_tag, root_is, run_property, when};
use crate::model::Moment;
use crate::{Attachment, Attempt, Case, Refusal, Report, Suite, Verdict};

const ROOTS: [&str; 2] = ["assemblies", "assembly"];

pub fn looks(file: &[u8]) -> bool {
    // Others have assemblies too, .NET's own manifests among them.
    root_is(file, |tag, rest| {
        let is_plain = || ["<assembly", "/>", "timestamp="].iter().any(|mark| rest.contains(mark));
        match tag.name() {
            "assemblies" => is_plain(),
            "assembly" => tag.raw("test-framework").is_some() || tag.raw("run-date").is_some(),
            _ => false,
        }
    })
}

pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    super::read(
        file,
        &ROOTS,
        |xunit: &mut Xunit, walk, tag| xunit.root(walk, tag),
        |xunit| xunit.room.settle(xunit.report),
    )
}

/// What was read so far.
#[derive(Default)]
struct Xunit {
    report: Report,
    repeats: Repeats,
    room: Room,
}

/// Where a test stands.
struct Place<'p> {
    assembly: &'p String,
    collection: &'p String,
}

impl Xunit {
    fn root(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        if tag.name() == "assembly" {
            return self.assembly(walk, tag);
        }
        let moment = |name| tag.raw(name).and_then(when::moment);
        self.report.started = moment("start-rtf");
        self.report.finished = moment("finish-rtf").or_else(|| moment("timestamp"));
        let level = walk.level();
        while let Some(tag) = walk.child(level) {
            if tag.name() == "assembly" {
                self.assembly(walk, tag);
            }
        }
    }

    fn assembly(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) {
        let level = walk.level();
        let name = tag.get("name").map_or_else(|| NO_SUITE.to_owned(), |name| file_name(&name).to_owned());
        let started = tag.raw("start-rtf").and_then(when::moment);
        let started = started.or_else(|| when::joined(tag.raw("run-date"), tag.raw("run-time")));
        self.describe(tag, started);
        let duration = tag.raw("time").and_then(when::span);
        if started.is_some() || duration.is_some() {
            let path = vec![name.clone()];
            self.report.suites.push(Suite { path, started, duration, ..Suite::default() });
        }
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "collection" | "class" => self.collection(walk, tag, &name),
                "errors" => self.errors(walk, &name),
                _ => {}
            }
        }
    }

    fn describe(&mut self, tag: Tag<'_>, started: Option<Moment>) {
        let report = &mut self.report;
        report.framework = report.framework.take().or_else(|| tag.owned("test-framework"));
        report.started = match (report.started, started) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        if let Some(environment) = tag.owned("environment") {
            run_property(report, "environment".into(), environment);
        }
    }

    /// What broke around the tests: clean-ups, fixtures, the run itself.
    fn errors(&mut self, walk: &mut Walk<'_>, assembly: &String) {
        let level = walk.level();
        while let Some(tag) = walk.child(level).filter(|_| self.room.take([assembly])) {
            let kind = tag.get("type").unwrap_or("error".into());
            let of = tag.get("name").map(|name| format!(" of {name}")).unwrap_or_default();
            let (said, trace) = failure(walk);
            let said = said.or(trace).unwrap_or_default();
            self.report.suites.push(Suite {
                path: vec![assembly.to_owned()],
                verdict: Some(Verdict::Errored),
                message: message(&format!("{kind}{of}: {said}")),
                ..Suite::default()
            });
        }
    }

    fn collection(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, assembly: &String) {
        let level = walk.level();
        let name = tag.owned("name").unwrap_or_else(|| NO_SUITE.into());
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "test" => self.test(walk, tag, &Place { assembly, collection: &name }),
                // A class of v1 tells of its fixture right here.
                "failure" if self.room.take([assembly, &name]) => {
                    let (message, trace) = failure(walk);
                    let path = vec![assembly.to_owned(), name.clone()];
                    let message = message.or(trace);
                    self.report.suites.push(Suite {
                        path,
                        verdict: Some(Verdict::Errored),
                        message,
                        ..Suite::default()
                    });
                }
                _ => {}
            }
        }
    }

    fn test(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, place: &Place<'_>) {
        if !self.room.take([place.assembly, place.collection]) {
            return;
        }
        let level = walk.level();
        let class = tag.owned("type").unwrap_or_else(|| place.collection.to_owned());
        let (name, parameters) = name(tag, &class);
        let mut case = Case {
            suite: vec![place.assembly.to_owned(), class],
            name,
            parameters,
            source: tag.owned("source-file"),
            line: tag.raw("source-line").and_then(|line| line.parse().ok()).filter(|line| *line > 0),
            ..Case::default()
        };
        let mut attempt = Attempt {
            verdict: verdict(tag),
            started: tag.raw("start-rtf").and_then(when::moment),
            duration: tag.raw("time").and_then(when::span),
            ..Attempt::default()
        };
        while let Some(tag) = walk.child(level) {
            match tag.name() {
                "failure" => (attempt.message, attempt.trace) = failure(walk),
                "reason" => attempt.message = failure(walk).0,
                "output" => attempt.output = walk.text().into_block(),
                "traits" => traits(walk, &mut case),
                "warnings" => warnings(walk, &mut attempt),
                "attachments" => attachments(walk, &mut attempt),
                _ => {}
            }
        }
        case.attempts.push(attempt);
        self.repeats.add_distinct(&mut self.report.cases, case);
    }
}

/// The message and the trace; a reason may have its text right inside.
fn failure(walk: &mut Walk<'_>) -> (Option<String>, Option<String>) {
    let level = walk.level();
    let (mut said, mut trace, mut text) = (None, None, Text::default());
    loop {
        match walk.step(level) {
            super::walk::Step::Child(tag) => match tag.name() {
                "message" => said = walk.text().into_line(),
                "stack-trace" => trace = walk.text().into_block(),
                "failure" => (said, trace) = nested(walk),
                _ => {}
            },
            super::walk::Step::Text(piece) => text.push(&piece),
            super::walk::Step::Done => return (said.or_else(|| text.into_line()), trace),
        }
    }
}

/// A failure inside an error, which has none inside itself.
fn nested(walk: &mut Walk<'_>) -> (Option<String>, Option<String>) {
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

fn traits(walk: &mut Walk<'_>, case: &mut Case) {
    let level = walk.level();
    while let Some(tag) = walk.child(level) {
        let Some(name) = tag.owned("name") else { continue };
        let value = tag.owned("value").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "category" | "tag" => keep_tag(&mut case.tags, value),
            "owner" if case.owner.is_none() && !value.is_empty() => case.owner = Some(value),
            _ => keep_property(&mut case.properties, name, value),
        }
    }
}

fn warnings(walk: &mut Walk<'_>, attempt: &mut Attempt) {
    let level = walk.level();
    let mut all = Text::default();
    while walk.child(level).is_some() {
        all.append(walk.text());
    }
    if all.is_blank() {
        return;
    }
    if attempt.verdict == Verdict::Passed {
        attempt.verdict = Verdict::Warned;
    }
    attempt.message = attempt.message.take().or_else(|| all.into_line());
}

/// Files are in the report itself; only that they were there is kept.
fn attachments(walk: &mut Walk<'_>, attempt: &mut Attempt) {
    let level = walk.level();
    while let Some(tag) = walk.child(level) {
        let Some(name) = tag.owned("name") else { continue };
        attempt.attachments.push(Attachment { name, media_type: tag.owned("media-type"), path: None });
    }
}

fn verdict(tag: Tag<'_>) -> Verdict {
    match tag.raw("result").unwrap_or_default() {
        "Pass" => Verdict::Passed,
        "Fail" => Verdict::Failed,
        "Skip" | "NotRun" => Verdict::Skipped,
        _ => Verdict::Unknown,
    }
}

/// The method's name and its arguments; a name that somebody chose is left as
/// it is.
fn name(tag: Tag<'_>, class: &str) -> (String, Option<String>) {
    let Some(full) = tag.owned("name").or_else(|| tag.owned("method")) else { return (NO_NAME.into(), None) };
    let short = full.strip_prefix(class).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&full);
    match tag.get("method") {
        Some(method) => split_arguments(short, Some(&method)),
        None => (short.to_owned(), None),
    }
}
