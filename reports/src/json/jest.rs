//! Jest's `--json`, Vitest's reporter of the same shape, and the older shape
//! that Jest hands to result processors.
//!
//! The name of a file is all that is kept of its path in the path of suites:
//! reports hold absolute paths, which differ between machines.

use super::node::Node;
use super::read;
use crate::Refusal;
use crate::model::{Attempt, Case, Report, Suite, Verdict};
use crate::text::{self, MOST_RETRIES};

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let counts = ["numTotalTests", "numTotalTestSuites", "numFailedTests"];
        root.get("testResults").is_some_and(Node::is_list) || counts.iter().any(|key| root.get(key).is_some())
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        let Some(Node::List(files)) = root.get("testResults") else {
            return Err(read::lacking("list of \"testResults\""));
        };
        let is_jest =
            ["numRuntimeErrorTestSuites", "openHandles", "wasInterrupted"].iter().any(|key| root.get(key).is_some());
        report.framework = Some(if is_jest { "Jest" } else { "Vitest" }.into());
        report.started = root.moment("startTime");
        report.is_aborted = root.truth("wasInterrupted");
        for (at, file) in files.iter().enumerate() {
            add(file, &format!("/testResults/{at}"), report);
        }
        report.finished = report.suites.iter().filter_map(|suite| read::end(suite.started, suite.duration)).max();
        Ok(())
    })
}

/// A file of tests.
fn add(file: &Node<'_>, place: &str, report: &mut Report) {
    if !file.is_map() {
        return text::lose(report, place, "is no file of tests");
    }
    let source = file.kept("name").or_else(|| file.kept("testFilePath"));
    if source.is_none() && !file.is_whole() {
        text::lose(report, place, "the file ends before the name of this file of tests, which is called \"tests\"");
    }
    let root = source.as_deref().map_or("tests", text::file_name).to_owned();
    let key = if file.get("assertionResults").is_some() { "assertionResults" } else { "testResults" };
    let tests = file.list(key);
    for (at, test) in tests.iter().enumerate() {
        add_test(test, [source.as_deref(), Some(&root)], &format!("{place}/{key}/{at}"), report);
    }
    let performance = file.get("perfStats").unwrap_or(file);
    let moment = |old, new| performance.moment(old).or_else(|| file.moment(new));
    let (started, finished) = (moment("start", "startTime"), moment("end", "endTime"));
    // A file that failed without a failing test could not be run at all.
    let has_failures = tests.iter().any(|test| test.text("status") == Some("failed"));
    let said = file
        .kept("message")
        .or_else(|| file.kept("failureMessage"))
        .or_else(|| file.get("testExecError")?.kept("message"));
    let is_said_to_fail = file.text("status") == Some("failed")
        || file.get("testExecError").is_some()
        || (file.get("status").is_none() && said.is_some());
    let is_broken = !has_failures && file.is_whole() && is_said_to_fail;
    report.suites.push(Suite {
        path: vec![root],
        source,
        started,
        duration: read::between(started, finished),
        verdict: is_broken.then_some(Verdict::Errored),
        message: said.filter(|_| is_broken),
    });
}

fn add_test(test: &Node<'_>, [source, root]: [Option<&str>; 2], place: &str, report: &mut Report) {
    let Some(name) = test.kept("title").or_else(|| test.kept("fullName")) else {
        return text::lose(report, place, "a test without a title");
    };
    if read::is_cut(test, &name, || place.to_owned(), report) {
        return;
    }
    let location = test.part("location");
    let names = root.map(str::to_owned).into_iter().chain(test.texts("ancestorTitles"));
    report.cases.push(Case {
        suite: text::path(names.collect(), "tests"),
        source: source.map(str::to_owned),
        line: location.line("line"),
        tags: test.texts("tags"),
        attempts: attempts(test),
        name,
        ..Case::default()
    });
}

/// Its attempts: why it was tried again, or how often it was, and the last.
fn attempts(test: &Node<'_>) -> Vec<Attempt> {
    let failed = |message: &str| {
        let message_of = |message| text::some(text::before_stack(message));
        Attempt {
            verdict: Verdict::Failed,
            message: message_of(message),
            trace: text::some(message),
            ..Attempt::default()
        }
    };
    let mut all: Vec<_> = test.texts("retryReasons").iter().take(MOST_RETRIES).map(|reason| failed(reason)).collect();
    let made = test.number("invocations").map_or(1, |count| count.max(1.0) as usize).min(MOST_RETRIES);
    while all.len() + 1 < made {
        all.push(Attempt { verdict: Verdict::Failed, ..Attempt::default() });
    }
    let messages = test.texts("failureMessages");
    let trace = text::paragraphs(messages.iter().map(String::as_str));
    all.push(Attempt {
        verdict: verdict(test.text("status").unwrap_or_default(), trace.as_deref().unwrap_or_default()),
        started: test.moment("startAt").or_else(|| test.moment("startTime")),
        duration: test.millis("duration"),
        message: text::paragraphs(messages.iter().map(|message| text::before_stack(message))),
        trace,
        ..Attempt::default()
    });
    all
}

fn verdict(status: &str, message: &str) -> Verdict {
    let is_late = message.contains("Exceeded timeout of") || message.contains("Test timed out in ");
    match status {
        "passed" | "focused" => Verdict::Passed,
        "failed" if is_late => Verdict::TimedOut,
        "failed" => Verdict::Failed,
        "pending" | "skipped" | "todo" | "disabled" => Verdict::Skipped,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &str) -> Report {
        let text =
            format!(r#"{{"numTotalTests":3,"startTime":1700000000000,"wasInterrupted":false,"testResults":{files}}}"#);
        assert!(looks(text.as_bytes()));
        parse(text.as_bytes()).expect("is a report")
    }

    #[test]
    fn tests_of_both_shapes_are_read() {
        let new = r#"[{"name":"/ci/src/a.test.js","status":"failed","message":"long","startTime":1700000000000,"endTime":1700000002000,
            "assertionResults":[{"ancestorTitles":["","Group"],"title":"adds","status":"passed","duration":1.5,"location":{"line":7,"column":1}},
            {"ancestorTitles":[],"title":"fails","status":"failed","failureMessages":["Error: no\n    at x"]},
            {"title":"later","status":"todo"},{"title":"hangs","status":"failed","failureMessages":["Exceeded timeout of 5 ms"]},{"status":"passed"}]}]"#;
        let old = new.replace("assertionResults", "testResults").replace("\"name\"", "\"testFilePath\"");
        for files in [new, &old] {
            let report = read(files);
            let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
            assert_eq!(verdicts, [Verdict::Passed, Verdict::Failed, Verdict::Skipped, Verdict::TimedOut]);
            assert_eq!(report.cases[0].suite, ["a.test.js", "Group"]);
            assert_eq!((report.cases[0].line, report.cases[0].attempts[0].duration), (Some(7), Some(1_500)));
            assert_eq!(report.cases[1].attempts[0].message.as_deref(), Some("Error: no"));
            assert_eq!((report.suites[0].duration, report.suites[0].verdict), (Some(2_000_000), None));
            assert_eq!(report.losses.len(), 1);
        }
    }

    #[test]
    fn a_file_that_could_not_be_run_is_a_broken_suite() {
        let report =
            read(r#"[{"name":"b.test.js","status":"failed","message":"SyntaxError: no","assertionResults":[]}]"#);
        assert_eq!(
            (report.suites[0].verdict, report.suites[0].message.as_deref()),
            (Some(Verdict::Errored), Some("SyntaxError: no"))
        );
        assert!(report.has_failed());
    }

    #[test]
    fn what_was_tried_again_has_its_reasons() {
        let table = [
            (r#""status":"passed","invocations":2,"retryReasons":["Error: a"]"#, 2, true),
            (r#""status":"passed","invocations":3"#, 3, true),
            (r#""status":"failed","invocations":2,"retryReasons":[]"#, 2, false),
            (r#""status":"passed","invocations":1"#, 1, false),
            (r#""status":"passed","invocations":1e18"#, MOST_RETRIES, true),
        ];
        for (words, attempts, is_flaky) in table {
            let report = read(&format!(r#"[{{"name":"a","assertionResults":[{{"title":"t",{words}}}]}}]"#));
            assert_eq!((report.cases[0].attempts.len(), report.cases[0].is_flaky()), (attempts, is_flaky), "{words}");
        }
    }
}
