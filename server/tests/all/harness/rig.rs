//! Speaks as a setup that runs tests.

use super::TestServer;
use serde_json::{Value, json};

/// A setup.
pub struct Rig<'a> {
    server: &'a TestServer,
    setup: &'a str,
}

impl<'a> Rig<'a> {
    pub(super) fn new(server: &'a TestServer, setup: &'a str) -> Self {
        Self { server, setup }
    }

    /// A run that begins now.
    pub fn run(self, key: &str) -> Script<'a> {
        let base = json!({"setup": self.setup, "run": key});
        let mut script = Script { server: self.server, base, events: Vec::new(), tests: 0, second: 0 };
        script.say("run.started", json!({"branch": "main", "commit": "c0ffee"}));
        script.say("suite.started", json!({"suite": ["Root"]}));
        script
    }
}

/// What a run says, sent at the end of the sentence.
pub struct Script<'a> {
    server: &'a TestServer,
    base: Value,
    events: Vec<Value>,
    tests: usize,
    second: i64,
}

impl Script<'_> {
    fn say(&mut self, kind: &str, fields: Value) {
        let mut event = self.base.clone();
        event["type"] = kind.into();
        event["at"] = self.server.at(self.second).into();
        fields.as_object().expect("fields").iter().for_each(|(name, value)| event[name] = value.clone());
        self.events.push(event);
    }

    fn attempt(&mut self, test: &str, number: u32, verdict: &str) {
        let mut fields = json!({"suite": ["Root"], "test": test, "attempt": number});
        self.say("test.started", fields.clone());
        fields["verdict"] = verdict.into();
        fields["duration_ms"] = 12.5.into();
        if verdict == "failed" {
            fields["message"] = format!("{test} broke").into();
            fields["trace"] = "line 1\nline 2".into();
        }
        self.say("test.finished", fields);
    }

    /// Of another commit than usual.
    pub fn of(mut self, commit: &str) -> Self {
        self.events[0]["commit"] = commit.into();
        self
    }

    /// With a field in every event from here on.
    pub fn with(mut self, field: &str, value: &str) -> Self {
        self.base[field] = value.into();
        self
    }

    /// Tests that pass.
    pub fn passes(mut self, count: usize) -> Self {
        for _ in 0..count {
            self.tests += 1;
            self.attempt(&format!("test {}", self.tests), 1, "passed");
        }
        self
    }

    /// A test that fails.
    pub fn fails(mut self, test: &str) -> Self {
        self.attempt(test, 1, "failed");
        self
    }

    /// A test that passes at the second attempt.
    pub fn flaky(mut self, test: &str) -> Self {
        self.attempt(test, 1, "failed");
        self.attempt(test, 2, "passed");
        self
    }

    /// A test that has begun.
    pub fn begins(mut self, test: &str) -> Self {
        self.say("test.started", json!({"suite": ["Root"], "test": test}));
        self
    }

    /// The events, unsent.
    pub fn events(self) -> Value {
        self.events.into()
    }

    /// Sends what was said so far, and leaves the run open.
    pub async fn open(self) -> String {
        let (server, key, setup) = (self.server, self.base["run"].clone(), self.base["setup"].clone());
        let count = self.events.len();
        let receipt = server.post(&self.events()).await.ok();
        assert_eq!(receipt["accepted"], count, "{receipt}");
        let runs = server.get("/api/v1/runs?limit=500").await.ok();
        let runs = runs["items"].as_array().expect("items").clone();
        let run = runs.iter().find(|run| run["key"] == key && run["setup"] == setup).expect("the run");
        run["id"].as_str().expect("an id").to_owned()
    }

    /// Ends the run and sends everything; returns the run's id.
    pub async fn done(mut self) -> String {
        self.say("suite.finished", json!({"suite": ["Root"]}));
        self.say("run.finished", json!({}));
        self.open().await
    }
}
