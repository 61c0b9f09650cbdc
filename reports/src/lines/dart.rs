//! Dart's and Flutter's JSON lines.
//!
//! Titles of groups and tests hold the titles of their groups, which are taken
//! off. Loading a file, and the fixtures of a group, are told as tests: they
//! are hidden if they pass, and of their suite if they fail.

use super::{Line, NO_END, broken, glance, json_lines};
use crate::json::node::Node;
use crate::model::{Attempt, Case, Report, Suite, Verdict};
use crate::text::{self, Gathered};
use crate::{Refusal, apart, scan};
use std::collections::HashMap;

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    glance(file, |node| {
        let is_start = node.get("protocolVersion").is_some() && node.text("type") == Some("start");
        is_start || ["testStart", "testDone", "allSuites"].iter().any(|kind| node.text("type") == Some(kind))
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    let text = text::decode(file);
    let mut report = Report { framework: Some("Dart test".into()), is_aborted: true, ..Report::default() };
    let mut reading = Reading::default();
    let mut events = 0_usize;
    for (number, line) in json_lines(&text) {
        match line {
            Line::Object(event) => {
                events += 1;
                reading.event(&event, &mut report);
            }
            Line::Other(_) => {}
            Line::Broken { is_cut } => broken(&mut report, number, is_cut),
        }
    }
    if events == 0 {
        return Err(Refusal::Malformed("there is no event of a Dart test in it".into()));
    }
    reading.tell(&mut report);
    apart::tell_apart(&mut report);
    Ok(report)
}

/// The number of something, as its writer gave it.
fn id(node: &Node<'_>, key: &str) -> Option<i64> {
    node.text(key)?.parse().ok()
}

#[derive(Default)]
struct Reading {
    suites: HashMap<i64, String>,
    groups: HashMap<i64, String>,
    tests: Vec<Test>,
    by_id: HashMap<i64, usize>,
}

#[derive(Default)]
struct Test {
    title: String,
    suite: Option<i64>,
    groups: Vec<i64>,
    source: Option<String>,
    line: Option<u32>,
    began: Option<f64>,
    errors: Vec<(String, Option<String>)>,
    output: Gathered,
    reason: Option<String>,
    /// What it came to, how long it took, and whether it is no test.
    done: Option<(Verdict, Option<i64>, bool)>,
}

impl Reading {
    fn event(&mut self, event: &Node<'_>, report: &mut Report) {
        match event.text("type").unwrap_or_default() {
            "start" => report.properties.extend(crate::json::read::fact(event, "runnerVersion")),
            "suite" => {
                let suite = event.part("suite");
                self.suites.extend(id(suite, "id").zip(suite.text("path").map(relative)));
            }
            "group" => {
                let group = event.part("group");
                self.groups.extend(id(group, "id").zip(group.kept("name")));
            }
            "testStart" => self.start(event),
            "print" => {
                let is_reason = event.text("messageType") == Some("skip");
                let message = event.text("message").unwrap_or_default();
                if let Some(test) = self.of(event) {
                    if is_reason {
                        test.reason = text::some(message.trim_start_matches("Skip: "));
                    }
                    test.output.line(message);
                }
            }
            "error" => {
                let (error, stack) = (event.kept("error").unwrap_or_default(), event.kept("stackTrace"));
                if let Some(test) = self.of(event).filter(|test| test.errors.len() < text::MOST_RETRIES) {
                    test.errors.push((error, stack));
                }
            }
            "testDone" => self.done(event),
            "done" => report.is_aborted = event.get("success").is_none(),
            _ => {}
        }
    }

    fn of(&mut self, event: &Node<'_>) -> Option<&mut Test> {
        let at = *self.by_id.get(&id(event, "testID")?)?;
        self.tests.get_mut(at)
    }

    fn start(&mut self, event: &Node<'_>) {
        let test = event.part("test");
        let Some(number) = id(test, "id") else { return };
        // Where the test calls a helper, the root is where the test is written.
        let root = |own, root| test.get(root).or_else(|| test.get(own)).and_then(Node::as_text);
        self.by_id.insert(number, self.tests.len());
        self.tests.push(Test {
            title: test.kept("name").unwrap_or_else(|| format!("test {number}")),
            suite: id(test, "suiteID"),
            groups: test.list("groupIDs").iter().filter_map(|group| group.as_text()?.parse().ok()).collect(),
            source: root("url", "root_url").map(relative),
            line: root("line", "root_line").and_then(|line| line.parse().ok()),
            began: event.number("time"),
            reason: test.part("metadata").kept("skipReason"),
            ..Test::default()
        });
    }

    fn done(&mut self, event: &Node<'_>) {
        let (is_skipped, is_hidden, ended) = (event.truth("skipped"), event.truth("hidden"), event.number("time"));
        let result = event.text("result").unwrap_or_default().to_owned();
        let Some(test) = self.of(event) else { return };
        let is_late = test.errors.iter().any(|(error, _)| error.starts_with("TimeoutException"));
        let verdict = match result.as_str() {
            _ if is_skipped => Verdict::Skipped,
            "success" => Verdict::Passed,
            "failure" => Verdict::Failed,
            "error" if is_late => Verdict::TimedOut,
            "error" => Verdict::Errored,
            _ => Verdict::Unknown,
        };
        let duration = ended.zip(test.began).and_then(|(ended, began)| scan::millis(ended - began));
        test.done = Some((verdict, duration, is_hidden));
    }

    fn tell(self, report: &mut Report) {
        for test in self.tests {
            let file = test.suite.and_then(|suite| self.suites.get(&suite)).cloned();
            let titles: Vec<_> =
                test.groups.iter().filter_map(|group| self.groups.get(group)).map(String::as_str).collect();
            test.tell(file, &titles, report);
        }
    }
}

impl Test {
    /// The names of its suites and its own.
    fn place(&self, file: Option<&str>, groups: &[&str]) -> (Vec<String>, String) {
        let (mut names, mut above) = (vec![file.unwrap_or_default().to_owned()], "");
        for &title in groups {
            names.push(own(title, above).to_owned());
            above = title;
        }
        (text::path(names, "test"), own(&self.title, above).to_owned())
    }

    fn tell(self, file: Option<String>, groups: &[&str], report: &mut Report) {
        let (verdict, duration, is_hidden) = self.done.unwrap_or((Verdict::Unknown, None, false));
        let (suite, name) = self.place(file.as_deref(), groups);
        let message = text::paragraphs(self.errors.iter().map(|(error, _)| error.as_str()));
        let is_fixture = self.title.starts_with("loading ") && self.groups.is_empty()
            || matches!(name.as_str(), "(setUpAll)" | "(tearDownAll)");
        if is_hidden || is_fixture {
            if verdict.is_failure() {
                let verdict = Some(Verdict::Errored);
                report.suites.push(Suite { path: suite, source: file, duration, verdict, message, ..Suite::default() });
            }
            return;
        }
        let why = match verdict {
            Verdict::Skipped => self.reason,
            Verdict::Unknown => Some(NO_END.to_owned()),
            _ => None,
        };
        let attempt = Attempt {
            verdict,
            duration,
            message: message.or(why),
            trace: text::paragraphs(self.errors.iter().filter_map(|(_, stack)| stack.as_deref())),
            output: self.output.finish(),
            ..Attempt::default()
        };
        report.cases.push(Case {
            suite,
            name,
            source: self.source.or(file),
            line: self.line,
            attempts: vec![attempt],
            ..Case::default()
        });
    }
}

/// What of a title is not its group's.
fn own<'t>(title: &'t str, above: &str) -> &'t str {
    let rest = title.strip_prefix(above).and_then(|rest| rest.strip_prefix(' ')).unwrap_or(title);
    if above.is_empty() || rest.is_empty() { title } else { rest }
}

/// A path as it is on every machine: from the folder of tests on, where there
/// is one.
fn relative(path: &str) -> String {
    let path = text::clip(path).replace('\\', "/");
    let from = ["/test/", "/integration_test/", "/test_driver/"].iter().filter_map(|folder| path.find(folder)).min();
    from.filter(|_| !path.starts_with("package:")).map_or_else(|| path.clone(), |from| path[from + 1..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, recognise};

    const REPORT: &str = r#"{"protocolVersion":"0.1.1","runnerVersion":"1.15.4","type":"start","time":0}
{"suite":{"id":0,"platform":"vm","path":"/ci/app/test/a_test.dart"},"type":"suite","time":0}
{"test":{"id":1,"name":"loading /ci/app/test/a_test.dart","suiteID":0,"groupIDs":[]},"type":"testStart","time":1}
{"testID":1,"result":"success","skipped":false,"hidden":true,"type":"testDone","time":5}
{"group":{"id":2,"suiteID":0,"parentID":null,"name":""},"type":"group","time":5}
{"group":{"id":3,"suiteID":0,"parentID":2,"name":"Sum"},"type":"group","time":5}
{"group":{"id":4,"suiteID":0,"parentID":3,"name":"Sum of two"},"type":"group","time":5}
[{"event":"daemon.words"}]
{"test":{"id":5,"name":"Sum of two adds","suiteID":0,"groupIDs":[2,3,4],"line":126,"url":"package:x/helper.dart","root_line":13,"root_url":"file:///ci/app/test/a_test.dart"},"type":"testStart","time":10}
{"testID":5,"messageType":"print","message":"hello","type":"print","time":11}
{"testID":5,"result":"success","skipped":false,"hidden":false,"type":"testDone","time":32}
{"test":{"id":6,"name":"fails","suiteID":0,"groupIDs":[2]},"type":"testStart","time":40}
{"testID":6,"error":"Expected: 2","stackTrace":"a_test.dart 13","isFailure":true,"type":"error","time":41}
{"testID":6,"result":"failure","skipped":false,"hidden":false,"type":"testDone","time":42}
{"test":{"id":7,"name":"later","suiteID":0,"groupIDs":[2],"metadata":{"skip":true,"skipReason":"slow"}},"type":"testStart","time":43}
{"testID":7,"result":"success","skipped":true,"hidden":false,"type":"testDone","time":43}
{"test":{"id":8,"name":"hangs","suiteID":0,"groupIDs":[2]},"type":"testStart","time":44}
{"testID":8,"error":"TimeoutException after 0:00:30","type":"error","time":50}
{"testID":8,"result":"error","skipped":false,"hidden":false,"type":"testDone","time":50}
{"test":{"id":9,"name":"loading /ci/app/test/b_test.dart","suiteID":0,"groupIDs":[]},"type":"testStart","time":60}
{"testID":9,"error":"Failed to load","type":"error","time":61}
{"testID":9,"result":"error","skipped":false,"hidden":false,"type":"testDone","time":62}
{"success":false,"type":"done","time":70}
"#;

    #[test]
    fn tests_groups_and_files_that_do_not_load() {
        assert_eq!(recognise(REPORT.as_bytes()), Some(Format::Dart));
        let report = parse(REPORT.as_bytes()).expect("is a report");
        let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
        assert_eq!(verdicts, [Verdict::Passed, Verdict::Failed, Verdict::Skipped, Verdict::TimedOut]);
        let case = &report.cases[0];
        assert_eq!((case.suite.join(">"), case.name.as_str()), ("test/a_test.dart>Sum>of two".into(), "adds"));
        assert_eq!(
            (case.source.as_deref(), case.line, case.attempts[0].duration),
            (Some("test/a_test.dart"), Some(13), Some(22_000))
        );
        assert_eq!(case.attempts[0].output.as_deref(), Some("hello\n"));
        assert_eq!(report.cases[2].attempts[0].message.as_deref(), Some("slow"));
        assert_eq!(report.suites[0].message.as_deref(), Some("Failed to load"));
        assert!(report.has_failed() && !report.is_aborted);
    }

    #[test]
    fn what_breaks_off_has_no_verdict() {
        let at = REPORT.find("{\"testID\":6,\"result\"").expect("is there");
        let report = parse(&REPORT.as_bytes()[..at + 9]).expect("is a report");
        assert_eq!(report.cases.last().map(Case::verdict), Some(Verdict::Unknown));
        assert!(report.is_aborted && report.losses.len() == 1);
    }
}
