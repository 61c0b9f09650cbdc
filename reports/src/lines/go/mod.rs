//! `go test -json`.
//!
//! Packages are suites, and so are tests that have subtests; such a test is a
//! case too, since its own code can fail. A name holds the names of its parents
//! before slashes, but may hold slashes of its own: the parent is the longest
//! part before a slash that is itself a test.
//!
//! A panic leaves tests without an end. As with Go's own tools they have failed
//! if their package did; but only the ones that crashed or timed out are to
//! blame, the others were cancelled by it. If nobody can be blamed, all are.

mod told;

use super::{Line, NO_END, broken, glance, json_lines};
use crate::json::node::Node;
use crate::model::{Attempt, Moment, Report, Span, Verdict};
use crate::text::Gathered;
use crate::{Refusal, apart, scan, text};
use std::collections::{HashMap, HashSet};

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    glance(file, |node| {
        node.text("Action").is_some() && (node.get("Package").is_some() || node.get("ImportPath").is_some())
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    let text = text::decode(file);
    let mut report = Report { framework: Some("go test".into()), ..Report::default() };
    let mut reading = Reading::default();
    for (number, line) in json_lines(&text) {
        match line {
            Line::Object(event) => reading.event(&event),
            Line::Other(line) => reading.plain(line),
            Line::Broken { is_cut } => broken(&mut report, number, is_cut),
        }
    }
    if reading.packages.is_empty() && reading.builds.is_empty() {
        return Err(Refusal::Malformed("there is no event of a Go test in it".into()));
    }
    reading.tell(&mut report);
    apart::tell_apart(&mut report);
    Ok(report)
}

/// What was read of a file so far.
#[derive(Default)]
struct Reading {
    packages: Vec<Package>,
    by_name: HashMap<String, usize>,
    /// What the compiler wrote, by what it compiled.
    builds: HashMap<String, Gathered>,
    /// The builds that failed, in the order in which they did.
    broken_builds: Vec<String>,
    /// What plain lines of the compiler are about right now.
    compiled: Option<String>,
    started: Option<Moment>,
    finished: Option<Moment>,
}

/// A package.
#[derive(Default)]
struct Package {
    name: String,
    tests: Vec<Test>,
    by_name: HashMap<String, usize>,
    /// What was written outside of its tests since it last began.
    output: Gathered,
    started: Option<Moment>,
    duration: Option<Span>,
    verdict: Option<Verdict>,
    failed_build: Option<String>,
    /// The tests that were running when its time was up.
    running: HashSet<String>,
    lists_running: bool,
}

/// A test of a package.
#[derive(Default)]
struct Test {
    name: String,
    attempts: Vec<Attempt>,
    open: Option<Open>,
    properties: Vec<(String, String)>,
}

/// An attempt that has not ended.
#[derive(Default)]
struct Open {
    started: Option<Moment>,
    output: Gathered,
    /// What its last words say of it, for when the event is missing.
    said: Option<Verdict>,
    crash: Option<String>,
}

impl Reading {
    fn package(&mut self, name: &str) -> &mut Package {
        let at = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.packages.push(Package { name: name.to_owned(), ..Package::default() });
            self.packages.len() - 1
        });
        &mut self.packages[at]
    }

    fn event(&mut self, event: &Node<'_>) {
        self.compiled = None;
        let at = event.moment("Time");
        self.started = [self.started, at].into_iter().flatten().min();
        self.finished = self.finished.max(at);
        let action = event.text("Action").unwrap_or_default();
        let output = event.text("Output").unwrap_or_default();
        match (action, event.text("ImportPath"), event.text("Package"), event.text("Test")) {
            ("build-output", Some(path), ..) => self.builds.entry(path.to_owned()).or_default().push(output),
            ("build-fail", Some(path), ..) => {
                self.builds.entry(path.to_owned()).or_default();
                self.broken_builds.push(path.to_owned());
            }
            (_, _, Some(package), Some(test)) => self.package(package).of_test(test, action, at, event),
            (_, _, Some(package), None) => self.package(package).of_itself(action, at, event),
            _ => {}
        }
    }

    /// A line that is no event: an event with the output of a program before
    /// it, or what the compiler says in Go before 1.24.
    fn plain(&mut self, line: &str) {
        if let Some(at) = line.find("{\"Time\":\"").or_else(|| line.find("{\"Action\":\"")) {
            if let Some((_, Line::Object(event))) = json_lines(&line[at..]).next() {
                self.event(&event);
            }
        } else if let Some(rest) = line.strip_prefix("FAIL\t") {
            let mut words = rest.split_whitespace();
            if let (Some(package), Some("[build" | "[setup")) = (words.next(), words.next()) {
                let package = self.package(package);
                package.output.line(line);
                package.verdict = Some(Verdict::Failed);
            }
        } else if let Some(path) = line.strip_prefix("# ") {
            self.compiled = Some(path.to_owned());
        } else if let Some(path) = &self.compiled {
            self.builds.entry(path.clone()).or_default().line(line);
        }
    }
}

impl Package {
    fn test(&mut self, name: &str) -> &mut Test {
        let at = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.tests.push(Test { name: name.to_owned(), ..Test::default() });
            self.tests.len() - 1
        });
        &mut self.tests[at]
    }

    fn of_itself(&mut self, action: &str, at: Option<Moment>, event: &Node<'_>) {
        let output = event.text("Output").unwrap_or_default();
        match action {
            "start" => {
                self.started = self.started.or(at);
                self.output = Gathered::default();
            }
            "output" => {
                self.see_running(output);
                self.output.push(output);
            }
            "pass" | "fail" | "skip" => {
                self.duration = event.number("Elapsed").and_then(scan::span);
                self.failed_build = event.kept("FailedBuild");
                self.settle(verdict(action));
            }
            _ => {}
        }
    }

    fn of_test(&mut self, name: &str, action: &str, at: Option<Moment>, event: &Node<'_>) {
        match action {
            "run" => self.test(name).begin(at),
            "output" => {
                let output = event.text("Output").unwrap_or_default();
                self.see_running(output);
                let test = self.test(name);
                if test.open.is_none() && test.attempts.is_empty() {
                    test.begin(None);
                }
                match &mut test.open {
                    Some(open) => open.hear(name, output),
                    None => self.output.push(output),
                }
            }
            "pass" | "fail" | "skip" | "bench" => {
                let duration = event.number("Elapsed").and_then(scan::span);
                self.test(name).end(verdict(action), duration, None);
            }
            "attr" => {
                if let (Some(key), Some(value)) = (event.kept("Key"), event.kept("Value")) {
                    self.test(name).properties.push((key, value));
                }
            }
            _ => {}
        }
    }

    /// Sees the list of tests that a panic for lack of time names.
    fn see_running(&mut self, output: &str) {
        let line = output.trim_end();
        if line == "running tests:" {
            self.lists_running = true;
        } else if let (true, Some(test)) = (self.lists_running, line.strip_prefix('\t')) {
            self.running.extend(test.split_once(" (").map(|(name, _)| name.to_owned()));
        } else {
            self.lists_running = false;
        }
    }

    /// The package has ended, and with it whatever still ran in it.
    fn settle(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
        let open: Vec<_> = (0..self.tests.len()).filter(|at| self.tests[*at].open.is_some()).collect();
        let blamed: Vec<String> =
            open.iter().filter(|at| self.is_blamed(**at)).map(|at| self.tests[*at].name.clone()).collect();
        for at in open {
            let said = self.tests[at].open.as_ref().and_then(|open| open.said);
            let (ends, why) = match said {
                Some(said) => (said, None),
                None if verdict == Verdict::Failed => self.fate(at, &blamed),
                None => (Verdict::Unknown, Some(NO_END.to_owned())),
            };
            self.tests[at].end(ends, None, why);
        }
        self.running.clear();
    }

    fn is_blamed(&self, at: usize) -> bool {
        let test = &self.tests[at];
        self.running.contains(&test.name) || test.open.as_ref().is_some_and(|open| open.crash.is_some())
    }

    /// What became of a test that was running when its package failed.
    fn fate(&self, at: usize, blamed: &[String]) -> (Verdict, Option<String>) {
        let test = &self.tests[at];
        let crash = test.open.as_ref().and_then(|open| open.crash.clone());
        let is_late = crash.as_deref().is_some_and(is_late);
        let is_parent = |blamed: &String| blamed.strip_prefix(&test.name).is_some_and(|rest| rest.starts_with('/'));
        if self.running.contains(&test.name) || (is_late && self.running.is_empty()) {
            (Verdict::TimedOut, crash.or_else(|| Some("it was running when the time for all tests was up".into())))
        } else if crash.is_some() && !is_late {
            (Verdict::Errored, crash)
        } else if blamed.is_empty() {
            (Verdict::Errored, Some("the test program ended before it did".into()))
        } else if blamed.iter().any(is_parent) {
            (Verdict::Errored, Some("a subtest ended the test program".into()))
        } else {
            (Verdict::Cancelled, Some("another test ended the test program".into()))
        }
    }
}

impl Test {
    /// A new attempt; one that is still open never ended.
    fn begin(&mut self, started: Option<Moment>) {
        if self.open.is_some() {
            self.end_unknown();
        }
        self.open = Some(Open { started, ..Open::default() });
    }

    fn end_unknown(&mut self) {
        let said = self.open.as_ref().and_then(|open| open.said);
        match said {
            Some(said) => self.end(said, None, None),
            None => self.end(Verdict::Unknown, None, Some(NO_END.into())),
        }
    }

    fn end(&mut self, verdict: Verdict, duration: Option<Span>, why: Option<String>) {
        let open = self.open.take().unwrap_or_default();
        // Go calls a crash a failure, too.
        let verdict = match &open.crash {
            Some(crash) if verdict == Verdict::Failed && is_late(crash) => Verdict::TimedOut,
            Some(_) if verdict == Verdict::Failed => Verdict::Errored,
            _ => verdict,
        };
        let output = open.output.finish();
        let written = output.as_deref().unwrap_or_default();
        let needs_why = verdict != Verdict::Passed;
        self.attempts.push(Attempt {
            verdict,
            started: open.started,
            duration,
            message: if needs_why { why.or_else(|| told::message(written)).or(open.crash) } else { None },
            trace: if needs_why { told::trace(written) } else { None },
            output,
            ..Attempt::default()
        });
    }
}

impl Open {
    /// Takes what the test writes, without what Go writes around it.
    fn hear(&mut self, name: &str, output: &str) {
        let (own, said) = told::own(name, output);
        self.said = said.or(self.said);
        if self.crash.is_none() && told::is_crash(own) {
            self.crash = Some(own.trim_end().to_owned());
        }
        self.output.push(own);
    }
}

/// Whether a crash is Go's own, for lack of time.
fn is_late(crash: &str) -> bool {
    crash.starts_with("panic: test timed out")
}

fn verdict(action: &str) -> Verdict {
    match action {
        "pass" | "bench" => Verdict::Passed,
        "skip" => Verdict::Skipped,
        _ => Verdict::Failed,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
