//! Results of one indentation, on their way to being cases.

use super::line::{Directive, Point};
use crate::model::{Attempt, Case, Span, Suite, Verdict};
use crate::text::{self, Gathered};
use crate::{scan, yaml};
use std::collections::HashSet;

/// Results of one indentation.
#[derive(Default)]
pub struct Block {
    pub indent: usize,
    /// What it is called until the result that it belongs to tells.
    pub name: Option<String>,
    pub plan: Option<u64>,
    pub skipped: Option<String>,
    pub seen: HashSet<u64>,
    /// How many results there were, with and without numbers.
    pub points: u64,
    pub drafts: Vec<Draft>,
    pub suites: Vec<Suite>,
    /// Subtests that wait for the result that they belong to.
    pub inner: Option<Box<Block>>,
    /// The name that was announced for the subtests to come.
    pub announced: Option<String>,
    /// Words since the last result.
    pub before: Gathered,
    /// The last line was a result of this block, and may be followed by words of it.
    pub is_after_point: bool,
    /// That result was of a suite of subtests.
    pub is_of_suite: bool,
}

/// A result on its way to being a case.
#[derive(Default)]
pub struct Draft {
    /// The suites between its block and the one that it is in now, innermost first.
    pub above: Vec<String>,
    pub name: String,
    pub verdict: Verdict,
    pub reason: Option<String>,
    pub duration: Option<Span>,
    pub notes: Gathered,
    pub diagnosis: Gathered,
    pub output: Option<String>,
}

impl Block {
    /// All that its plan promised was there.
    pub fn is_done(&self) -> bool {
        self.plan.is_some_and(|plan| self.points >= plan)
    }

    /// The result that a diagnosis here is of, unless that is of a suite.
    pub fn diagnosed(&mut self) -> Option<&mut Draft> {
        if self.is_of_suite { None } else { self.drafts.last_mut() }
    }

    /// What the result of subtests says beyond them: that something failed
    /// which is none of them.
    pub fn judge(&mut self, point: &Point<'_>, name: &str) {
        let Some(inner) = &mut self.inner else { return };
        let has_failures = inner.drafts.iter().any(|draft| draft.verdict.is_failure())
            || inner.suites.iter().any(|suite| suite.verdict.is_some_and(Verdict::is_failure));
        let verdict = point.verdict();
        let is_todo = matches!(point.directive, Some((Directive::Todo | Directive::Expected, _)));
        if is_todo {
            // What is to be done as a whole is to be done in all its parts.
            inner
                .drafts
                .iter_mut()
                .filter(|draft| draft.verdict.is_failure())
                .for_each(|draft| draft.verdict = Verdict::Warned);
        }
        let is_empty = inner.drafts.is_empty() && verdict == Verdict::Skipped;
        if (verdict.is_failure() && !has_failures) || is_empty {
            let said = reason(point).or_else(|| inner.skipped.clone()).filter(|said| !said.is_empty());
            let message = said
                .or_else(|| verdict.is_failure().then(|| format!("{name} failed, though none of its subtests did")));
            inner.suites.push(Suite { verdict: Some(verdict), message, ..Suite::default() });
        }
    }

    /// Takes in the subtests that wait, under the name of their result, or the
    /// one that was announced for them.
    pub fn adopt(&mut self, name: Option<String>) {
        let Some(inner) = self.inner.take() else { return };
        let name = name.or(inner.name).unwrap_or_else(|| "subtests".to_owned());
        self.drafts.extend(inner.drafts.into_iter().map(|mut draft| {
            draft.above.push(name.clone());
            draft
        }));
        self.suites.extend(inner.suites.into_iter().map(|mut suite| {
            suite.path.push(name.clone());
            suite
        }));
    }
}

impl Draft {
    /// It as a case of a suite.
    pub fn case(self, suite: Vec<String>) -> Case {
        let diagnosis = self.diagnosis.finish();
        let facts = diagnosis.as_deref().map(yaml::entries).unwrap_or_default();
        let fact = |names: &[&str]| {
            let found = names.iter().find_map(|name| facts.iter().find(|(key, _)| key == name));
            found.and_then(|(_, value)| text::some(value))
        };
        let duration = fact(&["duration_ms"]).and_then(|length| scan::millis(length.parse().ok()?)).or(self.duration);
        let notes = self.notes.finish().map(|notes| notes.trim_end().to_owned());
        let said = fact(&["message", "error"]).or(notes).filter(|_| self.verdict != Verdict::Passed);
        let told = diagnosis.clone().filter(|_| self.verdict.is_failure());
        // "path:line:column", as Node.js writes it.
        let mut place = fact(&["location"]).unwrap_or_default();
        place = place.rsplit_once(':').map_or(String::new(), |(place, _)| place.to_owned());
        let place = place.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
        let attempt = Attempt {
            verdict: self.verdict,
            duration,
            message: text::paragraphs([self.reason, said].iter().flatten().map(String::as_str)),
            trace: fact(&["stack"]).filter(|_| self.verdict != Verdict::Passed).or(told),
            output: self.output,
            ..Attempt::default()
        };
        let (source, line) = place.unzip();
        Case { suite, name: self.name, source, line, attempts: vec![attempt], ..Case::default() }
    }
}

/// Why a result is not what it seems.
pub fn reason(point: &Point<'_>) -> Option<String> {
    let (directive, words) = point.directive?;
    let words = match (directive, point.is_ok) {
        (Directive::Todo, true) => format!("it works, though it is still to do: {words}"),
        (Directive::Todo, false) => format!("to do: {words}"),
        (Directive::Expected, _) => format!("it failed, as it was expected to: {words}"),
        _ => words.to_owned(),
    };
    text::some(words.trim_end_matches([' ', ':']))
}

pub fn unescaped(description: &str) -> String {
    description.replace("\\#", "#").replace("\\\\", "\\")
}

/// A description without the fact that some writers put behind it: "exit=1",
/// "time=12.5ms".
pub fn own(description: &str) -> (&str, Option<&str>) {
    let is_fact = |fact: &str| {
        let key = fact.split_once('=').map_or("", |(key, _)| key);
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic()) && !fact.contains(' ')
    };
    match description.rsplit_once("# ") {
        Some((before, fact)) if is_fact(fact.trim()) && !before.ends_with('\\') => {
            (before.trim_end(), Some(fact.trim()))
        }
        _ => (description, None),
    }
}

/// How long it took, by such a fact.
pub fn timed(fact: &str) -> Option<Span> {
    let time = fact.strip_prefix("time=")?;
    match time.strip_suffix("ms") {
        Some(millis) => scan::millis(millis.parse().ok()?),
        None => scan::seconds(time),
    }
}
