//! From a report to the events that a listener would have sent.

use app::domain::suite::DEPTH_MAX;
use app::domain::time::{Micros, Timestamp};
use reports::{Attempt, Case, Format, Report, Suite, Verdict};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Attributes of a run that are kept.
const ATTRIBUTES_KEPT: usize = 50;

/// Bytes of a line of output that are kept.
const OUTPUT_KEPT: usize = 64 * 1024;

/// Whose report it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Where the tests ran.
    pub setup: String,
    /// The product under test.
    pub project: Option<String>,
    /// The key of the run; else one that follows from the content.
    pub run: Option<String>,
    /// The commit under test, above what the report says.
    pub commit: Option<String>,
    /// Its branch, above what the report says.
    pub branch: Option<String>,
    /// Which shard of the run it is, from 1.
    pub shard: Option<u32>,
    /// How many shards the run has.
    pub shards: Option<u32>,
}

/// What stands for a file's content.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The key of a run that nobody named: the same content is the same run.
pub fn run_key(digests: &[[u8; 32]]) -> String {
    let mut all = Sha256::new();
    digests.iter().for_each(|digest| all.update(digest));
    format!("report-{}", hex::encode(&all.finalize()[..8]))
}

/// The events of a report, in the words of the contract.
///
/// Their ids follow from the content, the setup and the run, so that the same
/// upload counts once. Times that the report does not tell are laid one after the other from its
/// beginning on, or from `now`.
pub fn told(
    (format, report): (Format, &Report),
    origin: &Origin,
    run: &str,
    content: &[u8; 32],
    now: Timestamp,
) -> Vec<Value> {
    let began = report.started.or_else(|| earliest(report)).map_or(now, Timestamp);
    let scope = format!("{}\n{run}\n{}", origin.setup, origin.shard.unwrap_or_default());
    let scope = Uuid::new_v5(&Uuid::new_v5(&Uuid::NAMESPACE_OID, content), scope.as_bytes());
    let root = root_of(format, report);
    let mut telling = Telling { origin, run, scope, root, events: Vec::new(), at: began };
    telling.started(report, began);
    report.suites.iter().for_each(|suite| telling.suite(suite));
    report.cases.iter().for_each(|case| telling.case(case));
    telling.finished(report);
    telling.events
}

/// A test is known by its path below the root suite. Robot's reports have one
/// root; all others may have several suites side by side, whose names must not
/// be lost: they get a root of their own.
fn root_of(format: Format, report: &Report) -> Option<String> {
    if matches!(format, Format::RobotXml | Format::RobotJson) {
        return None;
    }
    let named = [&report.name, &report.framework].into_iter().flatten().find(|name| !name.trim().is_empty());
    Some(named.cloned().unwrap_or_else(|| format.as_str().to_owned()))
}

fn earliest(report: &Report) -> Option<i64> {
    let attempts = report.cases.iter().flat_map(|case| &case.attempts).filter_map(|attempt| attempt.started);
    attempts.chain(report.suites.iter().filter_map(|suite| suite.started)).min()
}

struct Telling<'a> {
    origin: &'a Origin,
    run: &'a str,
    scope: Uuid,
    /// The root suite, where the report itself has none.
    root: Option<String>,
    events: Vec<Value>,
    /// Where the report has got to in time.
    at: Timestamp,
}

impl Telling<'_> {
    fn say(&mut self, kind: &str, at: Timestamp, fields: Value) {
        let mut event = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        event.retain(|_, value| !value.is_null());
        let id = Uuid::new_v5(&self.scope, format!("{}/{kind}", self.events.len()).as_bytes());
        event.insert("id".into(), id.to_string().into());
        event.insert("type".into(), kind.into());
        event.insert("at".into(), at.to_rfc3339().into());
        event.insert("setup".into(), self.origin.setup.as_str().into());
        event.insert("run".into(), self.run.into());
        if let Some(project) = &self.origin.project {
            event.insert("project".into(), project.as_str().into());
        }
        self.events.push(event.into());
    }

    fn started(&mut self, report: &Report, at: Timestamp) {
        let attributes: Map<String, Value> = report
            .properties
            .iter()
            .filter(|(name, _)| !name.trim().is_empty())
            .take(ATTRIBUTES_KEPT)
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let Origin { commit, branch, shard, shards, .. } = self.origin;
        let fields = json!({
            "name": report.name, "framework": report.framework, "url": report.url,
            "commit": commit.as_ref().or(report.commit.as_ref()), "branch": branch.as_ref().or(report.branch.as_ref()),
            "total_tests": report.cases.len(), "attributes": attributes, "shard": shard, "shards": shards,
        });
        self.say("run.started", at, fields);
    }

    fn suite(&mut self, suite: &Suite) {
        let path = self.path(&suite.path);
        let at = suite.started.map_or(self.at, Timestamp);
        self.say("suite.started", at, json!({"suite": path, "source": suite.source}));
        let ended = at + Micros(suite.duration.unwrap_or_default());
        let verdict = suite.verdict.map(word);
        self.say("suite.finished", ended, json!({"suite": path, "verdict": verdict, "message": suite.message}));
    }

    fn case(&mut self, case: &Case) {
        for (attempt, number) in case.attempts.iter().zip(1..) {
            self.attempt(case, attempt, number);
        }
    }

    fn attempt(&mut self, case: &Case, attempt: &Attempt, number: u32) {
        let name = if case.name.trim().is_empty() { "(no name)" } else { &case.name };
        let which = json!({
            "suite": self.path(&case.suite), "test": name, "parameters": case.parameters, "attempt": number,
        });
        let with = |more: Value| match (which.clone(), more) {
            (Value::Object(mut which), Value::Object(more)) => {
                which.extend(more);
                Value::Object(which)
            }
            (which, _) => which,
        };
        let at = attempt.started.map_or(self.at, Timestamp);
        let ended = at + Micros(attempt.duration.unwrap_or_default());
        let about = json!({"source": case.source, "line": case.line, "tags": case.tags, "owner": case.owner});
        self.say("test.started", at, with(about));
        if let Some(said) = output(case, attempt) {
            self.say("log", ended, with(json!({"level": "info", "message": said})));
        }
        let duration = attempt.duration.map(|micros| micros as f64 / 1_000.0);
        let finish = json!({
            "verdict": word(attempt.verdict), "duration_ms": duration,
            "message": attempt.message, "trace": attempt.trace,
        });
        self.say("test.finished", ended, with(finish));
        self.at = self.at.max(ended);
    }

    /// A path as the contract takes it: with a name for everything, and no
    /// deeper than suites nest.
    fn path(&self, names: &[String]) -> Vec<String> {
        let named = |name: &String| if name.trim().is_empty() { "(no name)".to_owned() } else { name.clone() };
        let mut path: Vec<String> = self.root.iter().chain(names).map(named).collect();
        if path.is_empty() {
            path.push("(no suite)".into());
        }
        if path.len() > DEPTH_MAX {
            let rest = path.split_off(DEPTH_MAX - 1);
            path.push(rest.join(" / "));
        }
        path
    }

    fn finished(&mut self, report: &Report) {
        let at = report.finished.map_or(self.at, Timestamp).max(self.at);
        self.say("run.finished", at, json!({"aborted": report.is_aborted, "shard": self.origin.shard}));
    }
}

/// What a test wrote and what else is said of it, for the event log.
fn output(case: &Case, attempt: &Attempt) -> Option<String> {
    let properties = case.properties.iter().map(|(name, value)| format!("{name} = {value}"));
    let attached = attempt.attachments.iter().map(|file| {
        format!("attached: {}", file.path.as_deref().filter(|path| !path.is_empty()).unwrap_or(&file.name))
    });
    let mut lines: Vec<String> = properties.chain(attached).collect();
    lines.extend(attempt.output.clone());
    let mut text = lines.join("\n");
    text.truncate(text.floor_char_boundary(OUTPUT_KEPT));
    Some(text).filter(|text| !text.is_empty())
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Errored => "errored",
        Verdict::Skipped => "skipped",
        Verdict::TimedOut => "timed_out",
        Verdict::Warned => "warned",
        Verdict::Cancelled => "cancelled",
        Verdict::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::native;

    fn report() -> Report {
        let attempt =
            |verdict| Attempt { verdict, duration: Some(1_500), output: Some("out".into()), ..Attempt::default() };
        let case = Case {
            suite: vec!["Root".into(), " ".into()],
            name: String::new(),
            attempts: vec![attempt(Verdict::Failed), attempt(Verdict::Passed)],
            ..Case::default()
        };
        let deep = Case {
            suite: vec!["s".into(); 100],
            name: "deep".into(),
            attempts: vec![attempt(Verdict::Skipped)],
            ..Case::default()
        };
        let suite = Suite { path: vec!["Root".into()], verdict: Some(Verdict::Errored), ..Suite::default() };
        Report {
            cases: vec![case, deep],
            suites: vec![suite],
            started: Some(1_700_000_000_000_000),
            ..Report::default()
        }
    }

    #[test]
    fn every_event_of_a_report_is_one_that_is_taken() {
        let origin = Origin { setup: "A".into(), ..Origin::default() };
        let parsed = native::told(told((Format::Tap, &report()), &origin, "1", &digest(b"x"), Timestamp(0)));
        assert_eq!(parsed.rejected, []);
        let kinds: Vec<_> = parsed.events.iter().map(|event| &*event.kind).collect();
        assert_eq!(kinds[..3], ["run.started", "suite.started", "suite.finished"]);
        assert_eq!(kinds.iter().filter(|kind| **kind == "test.finished").count(), 3);
        assert_eq!(kinds.last(), Some(&"run.finished"));
        let told = |format| told((format, &report()), &origin, "1", &digest(b"x"), Timestamp(0));
        assert_eq!(told(Format::Tap)[1]["suite"], json!(["tap", "Root"]));
        assert_eq!(told(Format::RobotXml)[1]["suite"], json!(["Root"]));
    }

    #[test]
    fn the_same_content_has_the_same_ids_and_any_other_has_others() {
        let origin = Origin { setup: "A".into(), ..Origin::default() };
        let ids = |origin: &Origin, run: &str, content: &[u8]| -> Vec<Value> {
            told((Format::Tap, &report()), origin, run, &digest(content), Timestamp(0))
                .iter()
                .map(|event| event["id"].clone())
                .collect()
        };
        let first = ids(&origin, "1", b"x");
        assert_eq!(first, ids(&origin, "1", b"x"));
        let other = Origin { shard: Some(2), ..origin.clone() };
        for others in [ids(&origin, "2", b"x"), ids(&origin, "1", b"y"), ids(&other, "1", b"x")] {
            assert!(first.iter().all(|id| !others.contains(id)));
        }
        assert_eq!(run_key(&[digest(b"x")]), run_key(&[digest(b"x")]));
    }
}
