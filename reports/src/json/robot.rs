//! Robot Framework's `output.json`, written by 7.2 and later.
//!
//! A failing suite teardown fails every test under it, and a skipping one skips
//! them, although each test was written as passed before the teardown ran. And
//! names follow contents: in a file that breaks off, the suites that were open
//! have no names, and are called by their numbers.

use super::node::Node;
use super::read::{self, MOST_FACTS};
use crate::model::{Attempt, Case, Report, Suite, Verdict};
use crate::text::Gathered;
use crate::{Refusal, scan, text};

/// Levels of log messages that are too fine to be kept.
const FINE: [&str; 2] = ["TRACE", "DEBUG"];

/// How many errors of the run itself are kept.
const KEPT_ERRORS: usize = 50;

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let generator = root.text("generator").unwrap_or_default();
        let is_robot = generator.starts_with("Robot") || generator.starts_with("Rebot");
        let has_suite =
            ["suites", "tests", "source", "id", "elapsed_time"].iter().any(|key| root.part("suite").get(key).is_some());
        has_suite && (is_robot || root.get("rpa").is_some())
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        let suite = root.get("suite").filter(|suite| suite.is_map()).ok_or_else(|| read::lacking("\"suite\""))?;
        let generator = root.text("generator").unwrap_or_default();
        let version = generator.split_whitespace().nth(1).map(|version| format!(" {version}"));
        report.framework = Some(text::clip(&format!("Robot Framework{}", version.unwrap_or_default())));
        report.name = suite.kept("name");
        report.started = suite.moment("start_time");
        report.finished = read::end(report.started, suite.number("elapsed_time").and_then(scan::span));
        report.properties = suite.part("metadata").facts();
        for error in root.list("errors").iter().take(KEPT_ERRORS) {
            let level = error.text("level").unwrap_or("error").to_ascii_lowercase();
            report.properties.extend(error.kept("message").map(|message| (text::clip(&level), message)));
        }
        let is_raw = generator.starts_with("Robot");
        walk(suite, &[], "/suite", is_raw, report);
        Ok(())
    })
}

/// A suite with those in it, and what its teardown makes of their tests, unless
/// Rebot did that before it wrote the file.
fn walk(suite: &Node<'_>, above: &[String], place: &str, is_raw: bool, report: &mut Report) {
    let mut path = above.to_vec();
    if suite.get("name").is_none() {
        text::lose(report, place, "the file ends before the name of this suite, which is called by its number");
    }
    if path.len() < text::DEEPEST {
        path.push(suite.kept("name").or_else(|| suite.kept("id")).unwrap_or_else(|| "suite".into()));
    }
    let first = report.cases.len();
    for (at, test) in suite.list("tests").iter().enumerate() {
        add(test, &path, suite, &format!("{place}/tests/{at}"), report);
    }
    for (at, inner) in suite.list("suites").iter().enumerate() {
        walk(inner, &path, &format!("{place}/suites/{at}"), is_raw, report);
    }
    let teardown = suite.part("teardown");
    let under = if is_raw { &mut report.cases[first..] } else { &mut [] };
    under.iter_mut().for_each(|case| torn_down(teardown, case));
    let failed = [("setup", "Setup"), ("teardown", "Teardown")]
        .into_iter()
        .filter(|(key, _)| suite.part(key).text("status") == Some("FAIL"));
    let whys: Vec<_> = failed
        .map(|(key, what)| format!("{what} failed: {}", suite.part(key).text("message").unwrap_or_default()))
        .collect();
    report.suites.push(Suite {
        path,
        source: suite.kept("source"),
        started: suite.moment("start_time"),
        duration: suite.number("elapsed_time").and_then(scan::span),
        verdict: (!whys.is_empty()).then_some(Verdict::Errored),
        message: text::some(&whys.join("\n")),
    });
}

/// What a suite's teardown makes of a test under it, in Robot's own words. A
/// test that was skipped is not failed by it.
fn torn_down(teardown: &Node<'_>, case: &mut Case) {
    let verdict = match teardown.text("status") {
        Some("FAIL") => Verdict::Failed,
        Some("SKIP") => Verdict::Skipped,
        _ => return,
    };
    let Some(attempt) = case.attempts.last_mut() else { return };
    let why = teardown.text("message").unwrap_or_default();
    let message = match (verdict, attempt.message.as_deref()) {
        (Verdict::Skipped, None) => format!("Skipped in parent suite teardown:\n{why}"),
        (Verdict::Skipped, Some(said)) => {
            format!("Skipped in parent suite teardown:\n{why}\n\nEarlier message:\n{said}")
        }
        (_, None) => format!("Parent suite teardown failed:\n{why}"),
        (_, Some(said)) => format!("{said}\n\nAlso parent suite teardown failed:\n{why}"),
    };
    attempt.message = text::some(&message);
    if verdict == Verdict::Skipped || attempt.verdict != Verdict::Skipped {
        attempt.verdict = verdict;
    }
}

fn add(test: &Node<'_>, path: &[String], suite: &Node<'_>, place: &str, report: &mut Report) {
    if !test.is_map() {
        return text::lose(report, place, "is no test");
    }
    let name = test.kept("name").or_else(|| test.kept("id")).unwrap_or_else(|| "test".into());
    if read::is_cut(test, &name, || place.to_owned(), report) {
        return;
    }
    let mut tags = test.texts("tags");
    let owner = tags.iter().position(|tag| is_owner(tag)).map(|at| tags.remove(at));
    let owner = owner.and_then(|tag| text::some(tag.split_once(':')?.1.trim()));
    let mut log = Log::default();
    ["setup", "body", "teardown"].iter().for_each(|key| log.part(test.part(key), 0));
    let message = test.kept("message").map(|message| message.trim_start_matches("*HTML*").trim_start().to_owned());
    let verdict = verdict(test.text("status").unwrap_or_default());
    report.cases.push(Case {
        suite: text::path(path.to_vec(), "suite"),
        name,
        source: suite.kept("source"),
        line: test.line("lineno"),
        tags,
        owner,
        attempts: vec![Attempt {
            verdict,
            started: test.moment("start_time"),
            duration: test.number("elapsed_time").and_then(scan::span),
            message,
            trace: if verdict.is_failure() { log.failing.finish() } else { None },
            output: log.messages.finish(),
            ..Attempt::default()
        }],
        ..Case::default()
    });
}

/// Whether a tag names who looks after the test: "owner:team".
fn is_owner(tag: &str) -> bool {
    tag.split_once(':').is_some_and(|(kind, owner)| kind.eq_ignore_ascii_case("owner") && !owner.trim().is_empty())
}

fn verdict(status: &str) -> Verdict {
    match status {
        "PASS" => Verdict::Passed,
        "FAIL" => Verdict::Failed,
        "SKIP" => Verdict::Skipped,
        "NOT RUN" => Verdict::Cancelled,
        _ => Verdict::Unknown,
    }
}

/// What a test logged, and the keywords that failed, outermost first.
#[derive(Default)]
struct Log {
    messages: Gathered,
    failing: Gathered,
    seen: usize,
}

impl Log {
    fn part(&mut self, part: &Node<'_>, depth: usize) {
        if part.is_map() {
            self.item(part, depth);
        }
        part.items().iter().for_each(|item| self.item(item, depth));
    }

    fn item(&mut self, item: &Node<'_>, depth: usize) {
        if item.text("type").is_some_and(|kind| kind.eq_ignore_ascii_case("message")) {
            let level = item.text("level").unwrap_or("INFO");
            if !FINE.contains(&level) && !item.truth("html") {
                self.messages.line(&format!("{level} {}", item.text("message").unwrap_or_default()));
            }
            return;
        }
        if item.text("status") == Some("FAIL") && self.seen < MOST_FACTS {
            self.seen += 1;
            let name = item.text("name").or_else(|| item.text("type")).unwrap_or_default();
            let owner = item.text("owner").map(|owner| format!("{owner}.")).unwrap_or_default();
            let arguments = item.texts("args").iter().map(|argument| format!("    {argument}")).collect::<String>();
            self.failing.line(&format!("{}{owner}{name}{arguments}", "  ".repeat(depth.min(text::DEEPEST))));
        }
        ["setup", "body", "teardown"].iter().for_each(|key| self.part(item.part(key), depth + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(suite: &str) -> Report {
        let text = format!(r#"{{"generator":"Robot 7.3 (Python 3.12 on linux)","rpa":false,"suite":{suite}}}"#);
        assert!(looks(text.as_bytes()), "{text}");
        parse(text.as_bytes()).expect("is a report")
    }

    fn suite(teardown: &str) -> Report {
        read(&format!(
            r#"{{"id":"s1","suites":[{{"id":"s1-s1","tests":[{{"name":"A","status":"PASS","lineno":3,"tags":["smoke"],"elapsed_time":0.25}},
            {{"name":"B","status":"FAIL","message":"no","body":[{{"name":"Check","owner":"Lib","args":["1"],"status":"FAIL",
            "body":[{{"type":"MESSAGE","level":"FAIL","message":"no"}},{{"type":"MESSAGE","level":"DEBUG","message":"x"}}]}}]}},
            {{"name":"C","status":"SKIP"}},{{"name":"D","status":"NOT RUN","tags":["owner: me","x"]}}],
            {teardown}"name":"Inner","source":"/x/inner.robot"}}],"name":"Top"}}"#
        ))
    }

    #[test]
    fn tests_are_read_with_their_logs() {
        let report = suite("");
        let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
        assert_eq!(verdicts, [Verdict::Passed, Verdict::Failed, Verdict::Skipped, Verdict::Cancelled]);
        assert_eq!((report.cases[3].owner.as_deref(), report.cases[3].tags.len()), (Some("me"), 1));
        let case = &report.cases[0];
        assert_eq!(
            (case.suite.join("."), case.line, case.source.as_deref()),
            ("Top.Inner".into(), Some(3), Some("/x/inner.robot"))
        );
        assert_eq!(
            (case.attempts[0].duration, report.framework.as_deref()),
            (Some(250_000), Some("Robot Framework 7.3"))
        );
        assert_eq!(report.cases[1].attempts[0].trace.as_deref(), Some("Lib.Check    1\n"));
        assert_eq!(report.cases[1].attempts[0].output.as_deref(), Some("FAIL no\n"));
        assert!(report.suites.iter().all(|suite| suite.verdict.is_none()));
    }

    #[test]
    fn a_failing_teardown_fails_the_tests_under_it_and_a_skipping_one_skips_them() {
        let report = suite(r#""teardown":{"name":"Clean","status":"FAIL","message":"broke"},"#);
        let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
        assert_eq!(verdicts, [Verdict::Failed, Verdict::Failed, Verdict::Skipped, Verdict::Failed]);
        assert_eq!(report.cases[0].attempts[0].message.as_deref(), Some("Parent suite teardown failed:\nbroke"));
        assert_eq!(
            report.cases[1].attempts[0].message.as_deref(),
            Some("no\n\nAlso parent suite teardown failed:\nbroke")
        );
        assert_eq!(report.suites[0].verdict, Some(Verdict::Errored));
        let report = suite(r#""teardown":{"status":"SKIP","message":"later"},"#);
        assert!(report.cases.iter().all(|case| case.verdict() == Verdict::Skipped));
        let done = r#"{"generator":"Rebot 7.3","suite":{"id":"s1","name":"A","tests":[{"name":"t","status":"PASS"}],"teardown":{"status":"FAIL"}}}"#;
        let report = parse(done.as_bytes()).expect("is a report");
        assert_eq!(report.cases[0].verdict(), Verdict::Passed);
    }

    #[test]
    fn a_file_that_breaks_off_keeps_its_closed_tests() {
        let text = r#"{"generator":"Robot 7.3","rpa":false,"suite":{"id":"s1","suites":[{"id":"s1-s1","tests":[{"id":"s1-s1-t1","name":"A","status":"PASS"},{"id":"s1-s1-t2","body":[{"na"#;
        let report = parse(text.as_bytes()).expect("is a report");
        let cases: Vec<_> =
            report.cases.iter().map(|case| (case.suite.join("."), case.name.as_str(), case.verdict())).collect();
        assert_eq!(cases, [("s1.s1-s1".into(), "A", Verdict::Passed)]);
        assert!(report.is_aborted && report.losses.len() == 4, "{:?}", report.losses);
    }
}
