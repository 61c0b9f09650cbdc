//! Playwright's JSON reporter.
//!
//! A specification is run once for each project, and each of these is a case
//! with the project as its parameter. A result that was expected counts as
//! passed even if it is a failure; a skipped result that nobody asked for means
//! that the test never got its turn.

use super::node::Node;
use super::read;
use crate::model::{Attempt, Case, Report, Suite, Verdict};
use crate::{Refusal, scan, text};

const ATTACHMENT: [&str; 3] = ["name", "contentType", "path"];

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let has_config = root.get("config").is_some_and(|config| {
            ["rootDir", "projects", "fullyParallel", "workers"].iter().any(|key| config.get(key).is_some())
        });
        has_config || root.list("suites").iter().any(|suite| suite.get("specs").is_some())
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        run(root, report);
        match root.get("suites") {
            Some(Node::List(suites)) => {
                let all = suites.iter().enumerate();
                all.for_each(|(at, suite)| walk(suite, &[], &format!("/suites/{at}"), report));
            }
            _ if root.get("config").is_none() => return Err(read::lacking("list of \"suites\"")),
            _ => text::lose(report, "/suites", "there is no list of suites in it"),
        }
        for error in root.list("errors") {
            let path = vec![text::OUTSIDE.to_owned()];
            report.suites.push(Suite {
                path,
                verdict: Some(Verdict::Errored),
                message: told(error),
                ..Suite::default()
            });
        }
        Ok(())
    })
}

fn run(root: &Node<'_>, report: &mut Report) {
    let (config, stats) = (root.part("config"), root.part("stats"));
    let metadata = config.part("metadata");
    let (ci, commit) = (metadata.part("ci"), metadata.part("gitCommit"));
    let version = config.kept("version").map(|version| format!(" {version}")).unwrap_or_default();
    report.framework = Some(format!("Playwright{version}"));
    report.started = stats.moment("startTime");
    report.finished = read::end(report.started, stats.millis("duration"));
    report.commit = commit.kept("hash").or_else(|| ci.kept("commitHash")).or_else(|| metadata.kept("revision.id"));
    report.branch = commit.kept("branch").or_else(|| ci.kept("branch"));
    report.url = ci.kept("buildHref").or_else(|| metadata.kept("ci.link"));
    if let Some((current, total)) =
        config.get("shard").and_then(|shard| Some((shard.text("current")?, shard.text("total")?)))
    {
        report.properties.push(("shard".into(), format!("{current}/{total}")));
    }
}

/// A suite, with those in it. The depth of the document itself is bounded.
fn walk(suite: &Node<'_>, above: &[String], place: &str, report: &mut Report) {
    let mut path = above.to_vec();
    path.extend(suite.kept("title").filter(|_| path.len() < text::DEEPEST));
    for (at, spec) in suite.list("specs").iter().enumerate() {
        add(spec, &path, &format!("{place}/specs/{at}"), report);
    }
    for (at, inner) in suite.list("suites").iter().enumerate() {
        walk(inner, &path, &format!("{place}/suites/{at}"), report);
    }
}

fn add(spec: &Node<'_>, path: &[String], place: &str, report: &mut Report) {
    let file = spec.kept("file");
    let otherwise = file.as_deref().map_or(text::OUTSIDE, text::file_name);
    let base = Case {
        suite: text::path(path.to_vec(), otherwise),
        // A title is written after the tests by some versions, and lost with them.
        name: spec.kept("title").or_else(|| spec.kept("id")).unwrap_or_else(|| "a test without a title".into()),
        line: spec.line("line"),
        tags: spec.texts("tags").into_iter().map(|tag| tag.trim_start_matches('@').to_owned()).collect(),
        source: file.clone(),
        ..Case::default()
    };
    if spec.list("tests").is_empty() && spec.is_whole() {
        text::lose(report, place, format!("{:?} has no tests", base.name));
    }
    for (at, test) in spec.list("tests").iter().enumerate() {
        if read::is_cut(test, &base.name, || format!("{place}/tests/{at}"), report) {
            continue;
        }
        let parameters = test.kept("projectName").or_else(|| test.kept("projectId"));
        report.cases.push(Case { parameters, properties: annotations(test), attempts: attempts(test), ..base.clone() });
    }
}

fn annotations(test: &Node<'_>) -> Vec<(String, String)> {
    let all = test.list("annotations").iter().take(read::MOST_FACTS);
    all.filter_map(|item| Some((item.kept("type")?, item.kept("description").unwrap_or_default()))).collect()
}

fn attempts(test: &Node<'_>) -> Vec<Attempt> {
    let expected = test.text("expectedStatus").unwrap_or("passed");
    let reason = annotations(test).into_iter().find(|(kind, _)| matches!(kind.as_str(), "skip" | "fixme" | "fail"));
    let reason = reason.and_then(|(_, reason)| text::some(&reason));
    let mut results: Vec<_> = test.list("results").iter().filter(|result| result.is_map()).collect();
    results.sort_by_key(|result| result.number("retry").map_or(0, |retry| retry as u64));
    if results.is_empty() {
        let (verdict, message) = judged("skipped", expected);
        return vec![Attempt { verdict, message: message.map(str::to_owned).or(reason), ..Attempt::default() }];
    }
    results.into_iter().map(|result| attempt(result, expected, reason.clone())).collect()
}

/// What a result comes to, given which was expected, and a word where that is
/// not plain.
fn judged(status: &str, expected: &str) -> (Verdict, Option<&'static str>) {
    match status {
        "skipped" if expected == "skipped" => (Verdict::Skipped, None),
        "skipped" => (Verdict::Cancelled, Some("it did not run")),
        "interrupted" => (Verdict::Cancelled, Some("it was interrupted")),
        "passed" if expected == "passed" => (Verdict::Passed, None),
        "passed" => (Verdict::Failed, Some("it passed, though it was expected to fail")),
        "failed" | "timedOut" if status == expected => (Verdict::Passed, Some("it failed, as it was expected to")),
        "failed" => (Verdict::Failed, None),
        "timedOut" => (Verdict::TimedOut, None),
        _ => (Verdict::Unknown, None),
    }
}

fn attempt(result: &Node<'_>, expected: &str, reason: Option<String>) -> Attempt {
    let errors: Vec<_> = match result.list("errors") {
        [] => result.get("error").into_iter().collect(),
        errors => errors.iter().collect(),
    };
    let (verdict, word) = judged(result.text("status").unwrap_or_default(), expected);
    let messages: Vec<_> = errors.iter().filter_map(|error| told(error)).collect();
    let stack = |error: &&Node<'_>| error.kept("stack").or_else(|| error.kept("snippet"));
    // The first of "errors" is "error", which alone has the stack in some versions.
    let traces: Vec<_> = errors.iter().filter_map(stack).chain(result.get("error").as_ref().and_then(stack)).collect();
    let written =
        text::paragraphs([written(result, "stdout"), written(result, "stderr")].iter().flatten().map(String::as_str));
    let said = word.into_iter().chain(messages.iter().map(String::as_str));
    Attempt {
        verdict,
        started: result.moment("startTime"),
        duration: result.number("duration").and_then(scan::millis),
        message: text::paragraphs(said).or(reason.filter(|_| verdict == Verdict::Skipped)),
        trace: traces.into_iter().next(),
        output: written,
        attachments: result.attachments("attachments", ATTACHMENT),
    }
}

/// What an error says.
fn told(error: &Node<'_>) -> Option<String> {
    let said = error
        .as_text()
        .or_else(|| error.text("message"))
        .or_else(|| error.text("value"))
        .or_else(|| error.text("stack"));
    text::some(text::before_stack(said?))
}

/// What was written: texts, or maps that hold them. Bytes are left out.
fn written(result: &Node<'_>, key: &str) -> Option<String> {
    let mut all = text::Gathered::default();
    for piece in result.list(key) {
        piece.as_text().or_else(|| piece.text("text")).into_iter().for_each(|piece| all.push(piece));
    }
    all.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tests: &str) -> Report {
        let text = format!(
            r#"{{"config":{{"rootDir":"/x","version":"1.5"}},"suites":[{{"title":"a.spec.ts","specs":[],"suites":[{{"title":"group",
            "specs":[{{"title":"does","file":"a.spec.ts","line":3,"tags":["@slow"],"tests":{tests}}}]}}]}}],"errors":[]}}"#
        );
        assert!(looks(text.as_bytes()));
        parse(text.as_bytes()).expect("is a report")
    }

    #[test]
    fn results_are_attempts_in_the_order_of_their_retries() {
        let report = read(
            r#"[{"projectName":"chromium","status":"flaky","results":[{"retry":1,"status":"passed","duration":7},
            {"retry":0,"status":"failed","error":{"message":"no","stack":"no\n    at x"},"stdout":["a",{"text":"b"},{"buffer":"eA=="}]}]}]"#,
        );
        let case = &report.cases[0];
        assert_eq!(case.suite, ["a.spec.ts", "group"]);
        assert_eq!((case.parameters.as_deref(), case.tags[0].as_str(), case.line), (Some("chromium"), "slow", Some(3)));
        assert!(case.is_flaky());
        assert_eq!((case.attempts[0].message.as_deref(), case.attempts[0].output.as_deref()), (Some("no"), Some("ab")));
        assert_eq!(case.attempts[0].trace.as_deref(), Some("no\n    at x"));
        assert_eq!(report.framework.as_deref(), Some("Playwright 1.5"));
    }

    #[test]
    fn a_status_is_judged_by_the_one_that_was_expected() {
        let table = [
            ("passed", "passed", Verdict::Passed),
            ("failed", "passed", Verdict::Failed),
            ("failed", "failed", Verdict::Passed),
            ("passed", "failed", Verdict::Failed),
            ("timedOut", "passed", Verdict::TimedOut),
            ("skipped", "skipped", Verdict::Skipped),
            ("skipped", "passed", Verdict::Cancelled),
            ("interrupted", "passed", Verdict::Cancelled),
            ("purple", "passed", Verdict::Unknown),
        ];
        for (status, expected, verdict) in table {
            let report = read(&format!(r#"[{{"expectedStatus":"{expected}","results":[{{"status":"{status}"}}]}}]"#));
            assert_eq!(report.cases[0].verdict(), verdict, "{status} for {expected}");
        }
        assert_eq!(
            read(r#"[{"expectedStatus":"passed","status":"skipped","results":[]}]"#).cases[0].verdict(),
            Verdict::Cancelled
        );
    }

    #[test]
    fn errors_outside_of_tests_fail_the_run() {
        let report =
            parse(br#"{"config":{"workers":1},"suites":[],"errors":[{"message":"Error: no set-up\n    at g"}]}"#)
                .expect("is a report");
        assert!(report.has_failed());
        assert_eq!(report.suites[0].message.as_deref(), Some("Error: no set-up"));
    }

    #[test]
    fn a_test_that_is_cut_off_is_left_out() {
        let whole = r#"{"suites":[{"title":"a","specs":[{"title":"t","tests":[{"results":[{"status":"passed"}]},{"results":[{"status":"passed","dur"#;
        let report = parse(whole.as_bytes()).expect("is a report");
        assert_eq!(report.cases.iter().map(Case::verdict).collect::<Vec<_>>(), [Verdict::Passed]);
        assert!(report.is_aborted && report.losses.len() == 2, "{:?}", report.losses);
    }
}
