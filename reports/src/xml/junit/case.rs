//! A `<testcase>`.

use super::Junit;
use super::outcome::Outcome;
use super::suite::{Scope, property};
use crate::xml::tag::{Tag, unescape};
use crate::xml::walk::Walk;
use crate::xml::{NO_NAME, NO_SUITE, file_name, keep_property, keep_tag, when};
use crate::{Attachment, Attempt, Case, Verdict};

/// How a line of output names a file that belongs to the test.
const ATTACHMENT: &str = "[[ATTACHMENT|";

/// Files that one attempt may name.
const MOST_ATTACHMENTS: usize = 100;

/// The attributes that count, as written.
#[derive(Default)]
struct Head<'a> {
    name: &'a str,
    class: &'a str,
    file: &'a str,
    line: &'a str,
    time: &'a str,
    timestamp: &'a str,
    owner: &'a str,
    said: Verdict,
    is_flaky: bool,
}

impl<'a> Head<'a> {
    fn read(tag: Tag<'a>) -> Self {
        let mut head = Self::default();
        for (name, value) in tag.attributes() {
            match name {
                "name" => head.name = value.trim_ascii(),
                "classname" => head.class = value.trim_ascii(),
                "class" if head.class.is_empty() => head.class = value.trim(),
                "file" | "filepath" => head.file = value,
                "line" | "lineno" => head.line = value,
                "time" => head.time = value,
                "duration" if head.time.is_empty() => head.time = value,
                "timestamp" => head.timestamp = value,
                "owner" => head.owner = value,
                "status" | "result" if head.said == Verdict::Unknown => head.said = by_word(value),
                "flaky" => head.is_flaky = matches!(value, "1" | "true" | "yes"),
                _ => {}
            }
        }
        head
    }
}

/// What a status attribute says, where it says more than that the case was run.
fn by_word(word: &str) -> Verdict {
    match word.trim().to_ascii_lowercase().as_str() {
        "fail" | "failed" | "failure" => Verdict::Failed,
        "error" | "errored" | "broken" => Verdict::Errored,
        "skipped" | "skip" | "ignored" | "disabled" | "notrun" | "not run" | "suppressed" => Verdict::Skipped,
        "timeout" | "timedout" | "timed out" => Verdict::TimedOut,
        "softfail" | "softfailed" | "warning" => Verdict::Warned,
        "cancelled" | "canceled" | "aborted" => Verdict::Cancelled,
        _ => Verdict::Unknown,
    }
}

impl Junit {
    pub(super) fn case(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, mut scope: Scope) {
        if !self.room.take(&self.path) {
            return;
        }
        let level = walk.level();
        let head = Head::read(tag);
        if head.is_flaky && scope.flaky == super::suite::Flaky::None {
            scope.flaky = super::suite::Flaky::All;
        }
        let mut case = self.named(&head);
        let mut main = Attempt {
            verdict: head.said,
            started: when::moment(head.timestamp),
            duration: when::span(head.time),
            ..Attempt::default()
        };
        // Most cases have nothing to say, and are told so soon.
        if walk.is_empty() {
            main.verdict = if head.said == Verdict::Unknown { Verdict::Passed } else { head.said };
            case.attempts = Vec::from([main]);
            return self.repeats.add(&mut self.report.cases, scope.group, case);
        }
        let (mut outcome, mut is_told, mut attachments) = (Outcome::default(), false, Vec::new());
        while let Some(child) = walk.child(level) {
            if child.name() == "properties" {
                properties(walk, &mut case, &mut attachments);
            } else {
                is_told |= outcome.take(walk, child) && !child.name().starts_with("system-");
            }
        }
        let is_teardown = outcome.is_teardown();
        case.attempts = outcome.into_attempts(main, scope.flaky);
        if let Some(last) = case.attempts.last_mut() {
            last.attachments.append(&mut attachments);
            if walk.is_cut() && !is_told && head.said == Verdict::Unknown {
                last.verdict = Verdict::Unknown;
            }
        }
        if !(is_teardown && self.tear_down(&mut case, scope.group)) {
            self.repeats.add(&mut self.report.cases, scope.group, case);
        }
    }

    fn named(&self, head: &Head<'_>) -> Case {
        let name = if head.name.is_empty() { NO_NAME.into() } else { unescape(head.name) };
        let class = unescape(head.class);
        let is_new = !class.is_empty() && class != name && !is_told(&self.path, &class);
        let mut suite = Vec::with_capacity(self.path.len() + usize::from(is_new));
        suite.extend(self.path.iter().cloned());
        if is_new {
            suite.push(class.into_owned());
        }
        if suite.is_empty() {
            suite.push(self.fallback());
        }
        let some = |text: &str| Some(unescape(text.trim()).into_owned()).filter(|text| !text.is_empty());
        Case {
            suite,
            name: name.into_owned(),
            source: some(head.file),
            line: head.line.parse().ok().filter(|line| *line > 0),
            owner: some(head.owner),
            ..Case::default()
        }
    }

    /// A name for the suite of cases that are in none.
    pub(super) fn fallback(&self) -> String {
        self.report.name.clone().unwrap_or_else(|| NO_SUITE.into())
    }

    /// Joins an error on teardown with the test that it belongs to.
    fn tear_down(&mut self, case: &mut Case, group: usize) -> bool {
        let earlier = self.repeats.latest(&mut self.report.cases, group, case);
        let Some(call) = earlier.and_then(|case| case.attempts.last_mut()) else { return false };
        let Some(teardown) = case.attempts.pop() else { return false };
        call.verdict = Verdict::Errored;
        call.message = both(call.message.take(), teardown.message);
        call.trace = both(call.trace.take(), teardown.trace);
        if call.output != teardown.output {
            call.output = both(call.output.take(), teardown.output);
        }
        call.duration = call.duration.zip(teardown.duration).map(|(one, other)| one + other).or(call.duration);
        true
    }
}

fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => crate::xml::text::Text::of(&format!("{one}\n\n{other}")).into_block(),
        (one, other) => one.or(other),
    }
}

/// Whether the suites around a case say already what its class says: the same
/// name, or the names of several of them joined, or the end of the last.
fn is_told(path: &[String], class: &str) -> bool {
    let Some(last) = path.last() else { return false };
    let is_end = |whole: &str, end: &str| {
        whole.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', '/', '\\', ':']))
    };
    if is_end(last, class) {
        return true;
    }
    // Names are compared from the innermost suite outwards.
    let mut rest = class;
    for name in path.iter().rev() {
        match rest.strip_suffix(name.as_str()) {
            Some("") => return true,
            Some(before) if before.ends_with(['.', '/', '\\', ':']) => {
                rest = before.trim_end_matches(['.', '/', '\\', ':'])
            }
            _ => return false,
        }
    }
    false
}

fn properties(walk: &mut Walk<'_>, case: &mut Case, attachments: &mut Vec<Attachment>) {
    let level = walk.level();
    while let Some(tag) = walk.child(level) {
        let Some((name, value)) = property(walk, tag) else { continue };
        let words = || value.split([',', ';']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
        match name.to_ascii_lowercase().as_str() {
            "tag" | "tags" | "label" | "labels" | "category" | "marker" | "markers" | "cmake_labels" => {
                words().for_each(|word| keep_tag(&mut case.tags, word))
            }
            "owner" | "maintainer" if case.owner.is_none() && !value.is_empty() => case.owner = Some(value),
            "attachment" | "testrail_attachment" if !value.is_empty() => attachments.push(attachment(&value)),
            _ => keep_property(&mut case.properties, name, value),
        }
    }
}

/// The files that lines of an output name.
pub(super) fn attached(output: &str) -> Vec<Attachment> {
    let mut found: Vec<Attachment> = Vec::new();
    if memchr::memmem::find(output.as_bytes(), ATTACHMENT.as_bytes()).is_none() {
        return found;
    }
    for rest in output.split(ATTACHMENT).skip(1).take(MOST_ATTACHMENTS) {
        let path = rest.split_once("]]").map(|(path, _)| path.trim());
        if let Some(path) = path.filter(|path| !path.is_empty() && !path.contains('\n')) {
            let attachment = attachment(path);
            if !found.contains(&attachment) {
                found.push(attachment);
            }
        }
    }
    found
}

fn attachment(path: &str) -> Attachment {
    Attachment { name: file_name(path).to_owned(), media_type: None, path: Some(path.to_owned()) }
}
