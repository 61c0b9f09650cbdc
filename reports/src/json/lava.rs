//! Results of LAVA jobs: what its server posts when a job ends, with the results
//! of each suite as YAML in a text, and the plain results file of its runners.
//!
//! The suite "lava" is the machinery itself: deploying, booting, logging in. Its
//! failures are errors, since no test could say anything then.

use super::node::Node;
use super::read::{self, MOST_FACTS};
use crate::model::{Attempt, Case, Moment, Report, Verdict};
use crate::{Refusal, scan, text, yaml};

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let is_posted = ["actual_device_id", "submitter_username", "status_string"]
            .iter()
            .filter(|key| root.get(key).is_some())
            .count()
            > 1;
        let steps = root.part("lava").entries();
        is_posted || (!steps.is_empty() && steps.iter().any(|(_, step)| step.get("result").is_some()))
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        report.framework = Some("LAVA".into());
        job(root, report);
        let results = if root.get("results").is_some_and(Node::is_map) { root.part("results") } else { root };
        let place = if std::ptr::eq(results, root) { "" } else { "/results" };
        for (suite, tests) in results.entries() {
            let place = format!("{place}/{}", super::node::escape(suite));
            match tests {
                Node::Text(text) => posted(suite, text, &place, report),
                Node::List(items) => {
                    items.iter().for_each(|item| report.cases.extend(Test::of_node(suite, item).case()))
                }
                Node::Map(map) if map.entries.iter().any(|(_, test)| test.get("result").is_some()) => {
                    plain(suite, tests, report)
                }
                _ if place.starts_with("/results") => text::lose(report, place, "is no suite of results"),
                _ => {}
            }
        }
        if report.cases.is_empty() && report.properties.is_empty() {
            return Err(read::lacking("result"));
        }
        Ok(())
    })
}

fn job(root: &Node<'_>, report: &mut Report) {
    report.name = root.kept("description");
    report.started = root.moment("start_time");
    report.finished = root.moment("end_time");
    let status = root.text("status_string").unwrap_or_default().to_ascii_lowercase();
    report.is_aborted = ["incomplete", "canceled", "canceling", "cancelled"].contains(&status.as_str());
    let keys = [
        "id",
        "actual_device_id",
        "lab_name",
        "status_string",
        "health_string",
        "failure_comment",
        "submitter_username",
    ];
    report.properties = keys.iter().filter_map(|key| read::fact(root, key)).collect();
}

/// A suite of a runner's file: tests by their names, in the order of the job.
fn plain(suite: &str, tests: &Node<'_>, report: &mut Report) {
    for (name, node) in tests.entries() {
        if node.is_map() && read::is_cut(node, name, || suite.to_owned(), report) {
            continue;
        }
        let mut test = Test::of_node(suite, node);
        test.name = text::some(name);
        report.cases.extend(test.case());
    }
}

/// A suite as it is posted: YAML, the newest first.
fn posted(suite: &str, results: &str, place: &str, report: &mut Report) {
    let items = yaml::items(results);
    if items.is_empty() && !results.trim().is_empty() && results.trim() != "[]" {
        text::lose(report, place, "its results cannot be read");
    }
    let mut tests: Vec<_> = items.iter().map(|item| Test::of_yaml(suite, item)).collect();
    tests.sort_by_key(|test| test.ended);
    let all = tests.len();
    let cases: Vec<_> = tests.into_iter().filter_map(Test::case).collect();
    if cases.len() < all {
        text::lose(report, place, format!("{} results without a name", all - cases.len()));
    }
    report.cases.extend(cases);
}

/// One result.
#[derive(Default)]
struct Test {
    suite: String,
    name: Option<String>,
    result: String,
    level: Option<String>,
    ended: Option<Moment>,
    seconds: Option<String>,
    measured: Option<(String, String)>,
    error: Option<String>,
    kind: Option<String>,
}

impl Test {
    fn of_node(suite: &str, node: &Node<'_>) -> Self {
        let metadata = node.part("metadata");
        let of = |key: &str| node.kept(key).or_else(|| metadata.kept(key)).or_else(|| node.part("extra").kept(key));
        Self::of(suite, &of)
    }

    fn of_yaml(suite: &str, item: &str) -> Self {
        let own = yaml::entries(item);
        let metadata = own.iter().find(|(key, _)| key == "metadata").map(|(_, text)| text.as_str()).unwrap_or_default();
        let metadata = if metadata.starts_with('{') { yaml::flow(metadata) } else { yaml::entries(metadata) };
        // What went wrong is in a list of small maps: "- {fail: words}".
        let extra = metadata.iter().find(|(key, _)| key == "extra").map(|(_, text)| text.as_str()).unwrap_or_default();
        let extra: Vec<_> = yaml::items(extra).iter().take(MOST_FACTS).flat_map(|item| yaml::flow(item)).collect();
        let all = || own.iter().chain(&metadata).chain(&extra);
        let of = |key: &str| all().find(|(name, _)| name == key).and_then(|(_, value)| text::some(value));
        Self::of(suite, &of)
    }

    fn of(suite: &str, of: &dyn Fn(&str) -> Option<String>) -> Self {
        let unit = of("unit").or_else(|| of("units"));
        let measured = of("measurement").filter(|value| value != "None");
        let is_time = unit.as_deref() == Some("seconds");
        Self {
            suite: text::clip(suite),
            name: of("name").or_else(|| of("case")),
            result: of("result").unwrap_or_default(),
            level: of("level"),
            ended: of("logged").as_deref().and_then(scan::moment),
            seconds: of("duration").or_else(|| measured.clone().filter(|_| is_time)),
            measured: measured
                .filter(|_| !is_time)
                .map(|value| ("measurement".into(), format!("{value} {}", unit.unwrap_or_default()).trim().to_owned())),
            error: of("error_msg").or_else(|| of("fail")).or_else(|| of("error")),
            kind: of("error_type"),
        }
    }

    fn case(self) -> Option<Case> {
        let is_machinery = self.suite == "lava";
        let duration = self.seconds.as_deref().and_then(scan::seconds);
        let verdict = match self.result.to_ascii_lowercase().as_str() {
            "pass" => Verdict::Passed,
            "fail" if self.error.as_deref().is_some_and(|error| error.contains("timed out")) => Verdict::TimedOut,
            "fail" if is_machinery => Verdict::Errored,
            "fail" => Verdict::Failed,
            "skip" => Verdict::Skipped,
            _ => Verdict::Unknown,
        };
        let kind = self.kind.map(|kind| ("error_type".to_owned(), kind));
        Some(Case {
            suite: text::path(vec![self.suite], "lava"),
            name: self.name?,
            // The machinery does the same at several levels of its pipeline.
            parameters: self.level.filter(|level| is_machinery && !level.is_empty()),
            properties: self.measured.into_iter().chain(kind).collect(),
            attempts: vec![Attempt {
                verdict,
                started: self.ended.and_then(|ended| ended.checked_sub(duration.unwrap_or(0))),
                duration,
                message: self.error.filter(|_| verdict != Verdict::Passed),
                ..Attempt::default()
            }],
            ..Case::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_posts_is_read() {
        let yaml = "- id: '2'\n  level: '5.1'\n  logged: '2020-09-10 00:33:33+00:00'\n  measurement: '1.21'\n  metadata:\n    case: off\n    duration: '1.21'\n    extra:\n    - {fail: no power}\n    result: fail\n  name: off\n  result: fail\n  unit: seconds\n- id: '1'\n  level: ''\n  logged: '2020-09-10 00:30:00+00:00'\n  measurement: None\n  metadata: {case: job, error_msg: shell timed\n      out after 297 seconds, error_type: Job, result: fail}\n  name: job\n  result: fail\n- odd\n";
        let dmesg = "- logged: '2020-09-10 00:33:33+00:00'\n  measurement: '1.0'\n  name: crit\n  result: fail\n  unit: lines\n";
        let quoted = |text: &str| text.replace('\n', "\\n");
        let text = format!(
            r#"{{"id":7,"status_string":"incomplete","actual_device_id":"rpi","description":"d","start_time":"2020-09-10 00:30:00+00:00",
            "results":{{"lava":"{}","0_dmesg":"{}","bad":7}}}}"#,
            quoted(yaml),
            quoted(dmesg)
        );
        assert!(looks(text.as_bytes()));
        let report = parse(text.as_bytes()).expect("is a report");
        let read: Vec<_> =
            report.cases.iter().map(|case| (case.name.as_str(), case.parameters.as_deref(), case.verdict())).collect();
        let expected =
            [("job", None, Verdict::TimedOut), ("off", Some("5.1"), Verdict::Errored), ("crit", None, Verdict::Failed)];
        assert_eq!(read, expected);
        assert_eq!(report.cases[0].attempts[0].message.as_deref(), Some("shell timed out after 297 seconds"));
        assert_eq!(report.cases[1].attempts[0].message.as_deref(), Some("no power"));
        assert_eq!(report.cases[1].attempts[0].duration, Some(1_210_000));
        assert_eq!(report.cases[2].properties, [("measurement".into(), "1.0 lines".into())]);
        assert!(report.is_aborted && report.losses.len() == 2, "{:?}", report.losses);
    }

    #[test]
    fn the_file_of_a_runner_is_read() {
        let text = r#"{"lava":{"validate":{"result":"pass"},"login":{"duration":"9.95","level":"1.5","result":"fail"}},"0_smoke":{"fork01":{"result":"skip"}}}"#;
        assert!(looks(text.as_bytes()));
        let report = parse(text.as_bytes()).expect("is a report");
        let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
        assert_eq!(verdicts, [Verdict::Passed, Verdict::Errored, Verdict::Skipped]);
        assert_eq!(report.cases[1].attempts[0].duration, Some(9_950_000));
    }
}
