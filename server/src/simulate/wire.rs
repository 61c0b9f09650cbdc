//! Moments in the words of the public contract.

use super::bench::Bench;
use super::moment::{Cause, Line, Moment, RunHead, What};
use super::texts;
use app::domain::test::Verdict;
use app::domain::time::{Micros, Timestamp};
use serde_json::{Map, Value, json};

impl Bench {
    /// The event for a moment, where the live stream begins at `epoch`.
    pub fn render(&self, moment: &Moment, epoch: Timestamp) -> Value {
        let mut event = match (&moment.what, moment.run.as_deref()) {
            (What::Heartbeat, _) => fields("setup.heartbeat", json!({})),
            (What::Described, _) => fields("setup.described", json!({ "attributes": self.attributes() })),
            (what, Some(head)) => self.of_run(what, head),
            // Nothing else is ever said outside a run.
            (_, None) => fields("setup.heartbeat", json!({})),
        };
        event.insert("id".into(), moment.id.to_string().into());
        event.insert("at".into(), (epoch + moment.at).to_rfc3339().into());
        event.insert("setup".into(), self.name().into());
        event.insert("project".into(), self.project().words.project.into());
        if let Some(head) = &moment.run {
            event.insert("run".into(), head.key.as_str().into());
        }
        Value::Object(event)
    }

    fn attributes(&self) -> Value {
        let words = self.project().words;
        json!({ "system": words.system, "place": self.place(), "framework": words.framework })
    }

    fn of_run(&self, what: &What, head: &RunHead) -> Map<String, Value> {
        match *what {
            What::Described | What::Heartbeat | What::Planned => {
                fields("run.planned", json!({ "plan": self.project().plan }))
            }
            What::Started(shard) => self.started(head, shard),
            What::SuiteStarted(suite) => {
                let about = &self.project().suites[suite];
                let total = about.tests.len();
                fields("suite.started", json!({ "suite": about.path, "total_tests": total, "source": about.source }))
            }
            What::SuitePhase(suite, phase) => {
                let path = &self.project().suites[suite].path;
                fields("suite.phase", json!({ "suite": path, "phase": phase.as_str() }))
            }
            What::TestStarted { test, attempt } => self.test_started(test, attempt),
            What::TestFinished { test, attempt, verdict, took, cause } => {
                let mut event = self.test_event("test.finished", test, attempt);
                event.insert("verdict".into(), verdict.as_str().into());
                event.insert("duration_ms".into(), milliseconds(took).into());
                self.add_texts(&mut event, head, test, verdict, cause);
                event
            }
            What::Log(line) => self.log(line),
            What::SuiteFinished(suite, verdict) => {
                let path = &self.project().suites[suite].path;
                fields("suite.finished", json!({ "suite": path, "verdict": verdict.as_str() }))
            }
            What::Finished { shard, aborted } => {
                let mut event = fields("run.finished", json!({ "aborted": aborted }));
                if head.shards > 1 {
                    event.insert("shard".into(), (shard + 1).into());
                }
                event
            }
        }
    }

    fn started(&self, head: &RunHead, shard: usize) -> Map<String, Value> {
        let words = self.project().words;
        let tests = self.project().tests.len();
        let mut event = fields(
            "run.started",
            json!({
                "name": format!("{} on {}", words.root, head.branch),
                "commit": head.commit,
                "branch": head.branch,
                "trigger": head.trigger,
                "url": format!("https://ci.example.org/{}/{}/{}", words.project, self.name(), 1_000 + head.number),
                "framework": words.framework,
                "total_tests": tests * (shard + 1) / head.shards - tests * shard / head.shards,
                "attributes": self.attributes(),
            }),
        );
        if head.shards > 1 {
            event.insert("shard".into(), (shard + 1).into());
            event.insert("shards".into(), head.shards.into());
        }
        event
    }

    fn test_event(&self, kind: &str, test: usize, attempt: u32) -> Map<String, Value> {
        let about = &self.project().tests[test];
        let suite = &self.project().suites[about.suite];
        let mut event = fields(kind, json!({ "suite": suite.path, "test": about.name, "attempt": attempt }));
        if let Some(parameters) = &about.parameters {
            event.insert("parameters".into(), parameters.as_str().into());
        }
        event
    }

    fn test_started(&self, test: usize, attempt: u32) -> Map<String, Value> {
        let about = &self.project().tests[test];
        let suite = &self.project().suites[about.suite];
        let mut event = self.test_event("test.started", test, attempt);
        event.insert("source".into(), suite.source.as_str().into());
        event.insert("owner".into(), suite.owner.into());
        if let Some(line) = about.line {
            event.insert("line".into(), line.into());
        }
        if !about.tags.is_empty() {
            event.insert("tags".into(), json!(about.tags));
        }
        event
    }

    fn add_texts(
        &self,
        event: &mut Map<String, Value>,
        head: &RunHead,
        test: usize,
        verdict: Verdict,
        cause: Option<Cause>,
    ) {
        let about = &self.project().tests[test];
        let style = self.project().words.style;
        let lasting = self.world().chance().fork(test as u64);
        match (verdict, cause) {
            (Verdict::Skipped, _) => {
                event.insert("message".into(), texts::skipped(style, lasting).into());
            }
            (Verdict::Warned, _) => {
                event.insert("message".into(), texts::warned(style).into());
            }
            (_, Some(cause)) => {
                let passing = self.chance_of_run(head.number).fork(test as u64);
                let chance = if cause == Cause::Defect { lasting } else { passing };
                let suite = &self.project().suites[about.suite];
                let failure = texts::failure(style, suite, about, verdict, cause, chance);
                event.insert("message".into(), failure.message.into());
                event.insert("trace".into(), failure.trace.into());
            }
            _ => {}
        }
    }

    fn log(&self, line: Line) -> Map<String, Value> {
        let style = self.project().words.style;
        let (test, level, message) = match line {
            Line::Ready(suite) => {
                let suite = &self.project().suites[suite];
                let message = format!("{} is ready, {} tests", suite.path.join(" / "), suite.tests.len());
                return fields("log", json!({ "suite": suite.path, "level": "info", "message": message }));
            }
            Line::Retry(test) => (test, "warn", "Failed at the first attempt, trying again".to_owned()),
            Line::Slow(test) => (test, "warn", "Still waiting; the bench answers slower than usual".to_owned()),
            Line::Diagnosis(test, cause) => {
                (test, "error", texts::diagnosis(style, &self.project().tests[test], cause))
            }
        };
        let about = &self.project().tests[test];
        let path = &self.project().suites[about.suite].path;
        fields("log", json!({ "suite": path, "test": about.name, "level": level, "message": message }))
    }
}

/// Rounded up, because a test that ran took some time.
fn milliseconds(took: Micros) -> i64 {
    took.0.saturating_add(999) / 1_000
}

fn fields(kind: &str, value: Value) -> Map<String, Value> {
    let mut fields = match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.insert("type".into(), kind.into());
    fields
}
