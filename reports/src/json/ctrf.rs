//! Common Test Report Format.
//!
//! Read more loosely than its schema, which real reports break: `suite` may be
//! one text ("Login > Form"), numbers may be texts, and `tests` may hold
//! anything. Whether the list of retries includes the final attempt differs
//! between writers, see [`attempts`].

use super::node::Node;
use super::read::{self, MOST_FACTS};
use crate::model::{Attempt, Case, Report, Verdict};
use crate::text::MOST_RETRIES;
use crate::{Refusal, text};

const ATTACHMENT: [&str; 3] = ["name", "contentType", "path"];

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let is_said = root.text("reportFormat").is_some_and(|format| format.eq_ignore_ascii_case("ctrf"));
        let knows = |key| results(root).is_some_and(|results| results.get(key).is_some());
        is_said || (knows("tool") && (knows("tests") || knows("summary"))) || (knows("summary") && knows("tests"))
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        let results = results(root).ok_or_else(|| read::lacking("\"results\""))?;
        run(root, results, report);
        match results.get("tests") {
            Some(Node::List(tests)) => tests.iter().enumerate().for_each(|(at, test)| add(test, at, report)),
            Some(_) => text::lose(report, "/results/tests", "is no list of tests"),
            None => text::lose(report, "/results", "there are no \"tests\" in it"),
        }
        Ok(())
    })
}

/// What is told of the run; a list of it, as one writer has it, is its first.
fn results<'n, 'a>(root: &'n Node<'a>) -> Option<&'n Node<'a>> {
    let results = root.get("results")?;
    if results.is_map() { Some(results) } else { results.items().first().filter(|first| first.is_map()) }
}

fn run(root: &Node<'_>, results: &Node<'_>, report: &mut Report) {
    let (tool, summary, environment) = (results.part("tool"), results.part("summary"), results.part("environment"));
    let version = tool.kept("version").map(|version| format!(" {version}")).unwrap_or_default();
    report.framework = tool.kept("name").map(|name| name + &version);
    report.name = environment.kept("reportName").or_else(|| environment.kept("buildName"));
    report.started = summary.moment("start");
    report.finished = summary.moment("stop").or_else(|| read::end(report.started, summary.millis("duration")));
    report.commit = environment.kept("commit");
    report.branch = environment.kept("branchName");
    report.url = environment.kept("buildUrl");
    let taken = ["commit", "branchName", "buildUrl", "reportName"];
    let told = environment.facts().into_iter().filter(|(key, _)| !taken.contains(&key.as_str()));
    let ids = ["reportId", "runId"].into_iter().filter_map(|key| read::fact(root, key));
    report.properties = ids.chain(told).collect();
}

fn add(test: &Node<'_>, at: usize, report: &mut Report) {
    let place = || format!("/results/tests/{at}");
    if !test.is_map() {
        return text::lose(report, place(), "is no test");
    }
    let Some(name) = test.kept("name").or_else(|| test.kept("testId")) else {
        return text::lose(report, place(), "a test without a name");
    };
    if read::is_cut(test, &name, place, report) {
        return;
    }
    let file = test.kept("filePath");
    let otherwise = file.as_deref().map(text::file_name).unwrap_or("tests").to_owned();
    let labels = test.part("labels");
    report.cases.push(Case {
        suite: text::path(suite(test), &otherwise),
        parameters: test.get("parameters").and_then(Node::parameters),
        line: test.line("line"),
        tags: test.texts("tags"),
        owner: test.kept("owner").or_else(|| labels.kept("owner")),
        properties: properties(test, labels),
        attempts: attempts(test),
        source: file,
        name,
    });
}

/// The names of its suites; one text holds the titles of nested ones.
fn suite(test: &Node<'_>) -> Vec<String> {
    match test.text("suite") {
        Some(title) => title.split(" > ").map(|part| text::clip(part.trim())).collect(),
        None => test.texts("suite"),
    }
}

fn properties(test: &Node<'_>, labels: &Node<'_>) -> Vec<(String, String)> {
    let own =
        ["testId", "type", "browser", "device", "threadId", "ai"].into_iter().filter_map(|key| read::fact(test, key));
    own.chain(labels.facts()).take(MOST_FACTS).collect()
}

/// Its attempts. Some writers list every attempt as a retry, others only those
/// before the last: the list holds the last one too if it is longer than the
/// number of retries, or, where no number is given, ends as the test did.
fn attempts(test: &Node<'_>) -> Vec<Attempt> {
    let last = attempt(test);
    let mut all: Vec<_> = test.list("retryAttempts").iter().filter(|item| item.is_map()).map(attempt).collect();
    let retries = test.number("retries").filter(|retries| *retries >= 0.0).map(|retries| retries as usize);
    let ends_alike = all.last().is_some_and(|attempt| attempt.verdict == last.verdict);
    let holds_last = match retries {
        Some(retries) => all.len() > retries,
        None => ends_alike,
    };
    if holds_last && ends_alike {
        let told = all.pop().unwrap_or_default();
        all.push(joined(told, last));
        return all;
    }
    // A retry that is only counted was still made, since what was before it failed.
    let told = if last.verdict == Verdict::Passed && test.truth("flaky") {
        retries.unwrap_or(0).max(1)
    } else {
        retries.unwrap_or(0)
    };
    while all.len() < told.min(MOST_RETRIES) {
        all.push(Attempt { verdict: Verdict::Failed, ..Attempt::default() });
    }
    all.push(last);
    all
}

/// The last attempt as told in the list of retries, and by the test itself.
fn joined(told: Attempt, test: Attempt) -> Attempt {
    Attempt {
        verdict: test.verdict,
        started: told.started.or(test.started),
        duration: told.duration.or(test.duration),
        message: told.message.or(test.message),
        trace: told.trace.or(test.trace),
        output: told.output.or(test.output),
        attachments: if told.attachments.is_empty() { test.attachments } else { told.attachments },
    }
}

fn attempt(node: &Node<'_>) -> Attempt {
    let started = node.moment("start");
    let outputs = [node.lines("stdout"), node.lines("stderr")];
    let mut attachments = node.attachments("attachments", ATTACHMENT);
    attachments.truncate(MOST_FACTS);
    Attempt {
        verdict: verdict(node),
        started,
        duration: node.millis("duration").or_else(|| read::between(started, node.moment("stop"))),
        message: node.kept("message"),
        trace: node.kept("trace"),
        output: text::paragraphs(outputs.iter().flatten().map(String::as_str)),
        attachments,
    }
}

/// The schema knows five words; what the tool itself said is often kept beside.
fn verdict(node: &Node<'_>) -> Verdict {
    let word = |key| node.text(key).unwrap_or_default().to_ascii_lowercase().replace(['-', '_', ' '], "");
    let raw = match word("rawStatus").as_str() {
        "timedout" | "timeout" => Some(Verdict::TimedOut),
        "broken" | "error" | "errored" => Some(Verdict::Errored),
        "cancelled" | "canceled" | "interrupted" | "aborted" => Some(Verdict::Cancelled),
        _ => None,
    };
    match word("status").as_str() {
        "passed" | "pass" | "ok" => Verdict::Passed,
        "failed" | "fail" => raw.unwrap_or(Verdict::Failed),
        "skipped" | "pending" | "skip" | "todo" | "disabled" => Verdict::Skipped,
        _ => raw.unwrap_or(Verdict::Unknown),
    }
}

#[cfg(test)]
#[path = "ctrf_tests.rs"]
mod tests;
