//! What the output of a Go test says, and the report that it all comes to.

use super::{Package, Reading, Test};
use crate::model::{Attempt, Case, Report, Suite, Verdict};
use crate::text;
use std::collections::{HashMap, HashSet};

/// The most lines of a log that make a message.
const MOST_LINES: usize = 40;

/// What Go writes around the output of a test.
const FRAMES: [&str; 6] = ["=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME ", "=== ATTR ", "=== ARTIFACTS "];

/// What of a line of output is the test's own, and what Go says in it of how
/// the test ended.
pub fn own<'a>(name: &str, output: &'a str) -> (&'a str, Option<Verdict>) {
    if FRAMES.iter().any(|frame| output.starts_with(frame)) {
        return ("", None);
    }
    // A test that writes no line break at its end has Go's words in its last line.
    let Some(at) = output.find("--- ") else { return (output, None) };
    let words = [
        ("PASS: ", Verdict::Passed),
        ("FAIL: ", Verdict::Failed),
        ("SKIP: ", Verdict::Skipped),
        ("BENCH: ", Verdict::Passed),
    ];
    let rest = &output[at + 4..];
    let said = words.iter().find_map(|(word, verdict)| Some((rest.strip_prefix(word)?, *verdict)));
    match said {
        Some((rest, verdict)) if rest.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '\n'])) => {
            (output[..at].trim_start_matches(' '), Some(verdict))
        }
        _ => (output, None),
    }
}

/// Whether a line of output tells of the end of the test program.
pub fn is_crash(line: &str) -> bool {
    line.starts_with("panic: ") || line.starts_with("fatal error: ")
}

/// Whether a line was written by a test's log: `    file_test.go:12: words`.
fn is_log(line: &str) -> bool {
    line.find(".go:").is_some_and(|at| {
        let rest = line[at + 4..].trim_start_matches(|letter: char| letter.is_ascii_digit());
        rest.len() < line.len() - at - 4 && rest.starts_with(':') && line.starts_with(' ')
    })
}

/// What a test logged, or the panic that ended it.
pub fn message(output: &str) -> Option<String> {
    let mut lines = Vec::new();
    let mut is_logging = false;
    for line in output.lines() {
        is_logging = is_log(line) || (is_logging && line.starts_with("        "));
        if is_logging && lines.len() < MOST_LINES {
            lines.push(line.strip_prefix("    ").unwrap_or(line).trim_end());
        }
    }
    text::some(&lines.join("\n")).or_else(|| output.lines().find(|line| is_crash(line)).map(text::clip))
}

/// The stack of a panic, to its end.
pub fn trace(output: &str) -> Option<String> {
    let at =
        if is_crash(output) { 0 } else { output.find("\npanic: ").or_else(|| output.find("\nfatal error: "))? + 1 };
    text::some(&output[at..])
}

impl Reading {
    /// Tells it all as a report.
    pub fn tell(mut self, report: &mut Report) {
        (report.started, report.finished) = (self.started, self.finished);
        for mut package in std::mem::take(&mut self.packages) {
            let is_open = package.tests.iter().any(|test| test.open.is_some());
            report.is_aborted |= is_open && package.verdict.is_none();
            package.tests.iter_mut().filter(|test| test.open.is_some()).for_each(Test::end_unknown);
            package.tests.retain(|test| !test.attempts.is_empty());
            let suite = self.suite(&mut package);
            report.suites.push(suite);
            tell_tests(package, report);
        }
        let broken = std::mem::take(&mut self.broken_builds);
        for path in broken {
            // One that a package named is told with that package.
            let Some(output) = self.builds.remove(&path) else { continue };
            let message = output.finish();
            let path = vec![path.split(' ').next().unwrap_or(&path).trim_end_matches(".test").to_owned()];
            report.suites.push(Suite { path, verdict: Some(Verdict::Errored), message, ..Suite::default() });
        }
    }

    fn built(&mut self, path: &str) -> Option<String> {
        self.builds.remove(path)?.finish()
    }

    /// What is to be said of a package itself. One that failed though none of
    /// its tests did is broken: it was not built, or its own code failed.
    fn suite(&mut self, package: &mut Package) -> Suite {
        let has_failures =
            package.tests.iter().any(|test| test.attempts.last().is_some_and(|attempt| attempt.verdict.is_failure()));
        let is_broken = package.verdict == Some(Verdict::Failed) && !has_failures;
        let name = &package.name;
        let builds = [
            package.failed_build.clone(),
            Some(name.clone()),
            Some(format!("{name} [{name}.test]")),
            Some(format!("{name}.test")),
        ];
        let built = if is_broken { builds.into_iter().flatten().find_map(|path| self.built(&path)) } else { None };
        let output = std::mem::take(&mut package.output).finish();
        let is_empty = package.verdict == Some(Verdict::Skipped) && package.tests.is_empty();
        Suite {
            path: vec![name.clone()],
            started: package.started,
            duration: package.duration,
            verdict: if is_broken { Some(Verdict::Errored) } else { is_empty.then_some(Verdict::Skipped) },
            message: if is_broken { built.or(output) } else { None },
            ..Suite::default()
        }
    }
}

fn tell_tests(package: Package, report: &mut Report) {
    let names: HashSet<String> = package.tests.iter().map(|test| test.name.clone()).collect();
    let mut failed: HashMap<String, Vec<String>> = HashMap::new();
    for test in &package.tests {
        let has_failed = test.attempts.last().is_some_and(|last| last.verdict.is_failure());
        if let Some(parent) = ancestors(&test.name, &names).pop().filter(|_| has_failed) {
            failed.entry(parent.to_owned()).or_default().push(test.name[parent.len() + 1..].to_owned());
        }
    }
    for mut test in package.tests {
        if let (Some(children), Some(last)) = (failed.get(&test.name), test.attempts.last_mut()) {
            blame(last, children);
        }
        let (above, name) = place(&test.name, &names);
        let suite = text::path([package.name.clone()].into_iter().chain(above).collect(), "go");
        report.cases.push(Case {
            suite,
            name,
            properties: test.properties,
            attempts: test.attempts,
            ..Case::default()
        });
    }
}

/// A parent that says nothing of its failure has failed for its subtests.
fn blame(attempt: &mut Attempt, children: &[String]) {
    if attempt.verdict.is_failure() && attempt.message.is_none() {
        attempt.message = Some(text::clip(&format!("subtests failed: {}", children.join(", "))));
    }
}

/// The names of the tests that a test is in, outermost first, in full. One that
/// is not known for a test itself is in whatever stands before its first slash.
fn ancestors<'a>(full: &'a str, names: &HashSet<String>) -> Vec<&'a str> {
    let slashes = full.match_indices('/').map(|(at, _)| &full[..at]).filter(|above| !above.is_empty());
    slashes
        .take(text::DEEPEST)
        .enumerate()
        .filter(|(at, above)| *at == 0 || names.contains(*above))
        .map(|(_, above)| above)
        .collect()
}

/// The names of the tests that a test is in, each without those it is in, and
/// its own.
fn place(full: &str, names: &HashSet<String>) -> (Vec<String>, String) {
    let (mut above, mut from) = (Vec::new(), 0);
    for ancestor in ancestors(full, names) {
        above.push(ancestor[from..].to_owned());
        from = ancestor.len() + 1;
    }
    let own = &full[from..];
    (above, if own.is_empty() { full.to_owned() } else { own.to_owned() })
}
