//! One machine: the plan it announced, and how far it is.

use super::form::{DryRun, Script, Start};
use super::status::Status;
use app::domain::test::{Outcome, Verdict};
use app::domain::time::Timestamp;
use app::read::{RunPage, TestLine};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The plan of a machine's open run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    run: String,
    root: String,
    /// Something of it has begun.
    begun: bool,
    suites: Vec<Suite>,
    /// In the order of execution.
    tests: Vec<Planned>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Suite {
    path: Vec<String>,
    begun: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Planned {
    suite: usize,
    name: String,
    /// The whole path of its file.
    source: String,
    parameters: Option<String>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Over,
}

/// The whole path of a file.
fn source_of(path: &str, name: &str) -> String {
    format!("{path}/{name}")
}

/// Counts names, so that the second of one name can be told from the first.
#[derive(Default)]
struct Names(HashMap<String, u32>);

impl Names {
    fn again(&mut self, name: &str) -> Option<String> {
        let times = self.0.entry(name.to_owned()).or_default();
        *times += 1;
        (*times > 1).then(|| times.to_string())
    }
}

impl Machine {
    /// A plan, and the event that tells it.
    pub(super) fn planned(setup: &str, run: &str, plan: &DryRun, now: Timestamp) -> (Self, Value) {
        let root = plan.master.name.clone();
        let mut machine =
            Self { run: run.to_owned(), root: root.clone(), begun: false, suites: Vec::new(), tests: Vec::new() };
        let (mut names, mut suites) = (Names::default(), Vec::new());
        for scenario in &plan.scenarios {
            let again = names.again(&scenario.script.name).map(|times| format!(" ({times})")).unwrap_or_default();
            let name = scenario.script.name.clone() + &again;
            let tests = machine.plan_tests(&scenario.tests);
            machine.suites.push(Suite { path: vec![root.clone(), name.clone()], begun: false });
            let mut suite = entry(&name, &scenario.script);
            suite["tests"] = tests.into();
            suites.push(suite);
        }
        let mut master = entry(&root, &plan.master);
        master["suites"] = suites.into();
        let event = machine.event("run.planned", setup, now, json!({"plan": {"suites": [master]}}));
        (machine, event)
    }

    /// The tests of the next scenario.
    fn plan_tests(&mut self, tests: &[Script]) -> Vec<Value> {
        let (suite, mut names) = (self.suites.len(), Names::default());
        let tests = tests.iter().map(|test| {
            let parameters = names.again(&test.name);
            let mut planned = entry(&test.name, test);
            planned["parameters"] = parameters.clone().into();
            let (name, source) = (test.name.clone(), source_of(&test.path, &test.name));
            self.tests.push(Planned { suite, name, source, parameters, state: State::Waiting });
            planned
        });
        tests.collect()
    }

    /// The plan as a run tells it that is still open.
    pub fn of(page: &RunPage) -> Option<Self> {
        let root = page.suites.iter().find(|suite| suite.path.len() == 1)?.path[0].clone();
        let mut lines: Vec<_> = page.tests.iter().collect();
        lines.sort_by_key(|test| (test.position.unwrap_or(u32::MAX), test.ordinal));
        let places: HashMap<_, _> = page.suites.iter().zip(0..).map(|(suite, at)| (suite.ordinal, at)).collect();
        let planned = |test: &&TestLine| {
            Some(Planned {
                suite: *places.get(&test.suite)?,
                name: test.name.clone(),
                source: test.source.clone()?,
                parameters: test.parameters.clone(),
                state: match test.outcome {
                    Outcome::Waiting => State::Waiting,
                    Outcome::Running => State::Running,
                    _ => State::Over,
                },
            })
        };
        let suite =
            |suite: &app::read::SuiteLine| Suite { path: suite.path.clone(), begun: suite.started_at.is_some() };
        Some(Self {
            run: page.head.card.key.clone(),
            root,
            begun: page.head.card.started_at.is_some(),
            suites: page.suites.iter().map(suite).collect(),
            tests: lines.iter().filter_map(planned).collect(),
        })
    }

    fn event(&self, kind: &str, setup: &str, now: Timestamp, fields: Value) -> Value {
        let mut event = fields;
        for (name, value) in [("type", kind), ("setup", setup), ("run", &self.run), ("at", &now.to_rfc3339())] {
            event[name] = value.into();
        }
        event
    }

    fn place(&self, test: &Planned) -> Value {
        let mut place = json!({"suite": self.suites[test.suite].path, "test": test.name});
        if let Some(parameters) = &test.parameters {
            place["parameters"] = parameters.as_str().into();
        }
        place
    }

    fn end(&mut self, at: usize, verdict: Verdict, setup: &str, now: Timestamp) -> Value {
        self.tests[at].state = State::Over;
        let mut place = self.place(&self.tests[at]);
        place["verdict"] = verdict.as_str().into();
        self.event("test.finished", setup, now, place)
    }

    /// Ends every test that runs.
    fn end_running(&mut self, verdict: Verdict, setup: &str, now: Timestamp) -> Vec<Value> {
        let running = (0..self.tests.len()).filter(|at| self.tests[*at].state == State::Running).collect::<Vec<_>>();
        running.into_iter().map(|at| self.end(at, verdict, setup, now)).collect()
    }

    fn find(&self, test: &Start, state: State) -> Option<usize> {
        let source = source_of(&test.path, &test.name);
        self.tests.iter().position(|known| known.state == state && known.name == test.name && known.source == source)
    }

    /// Starts the first test of this name and path that has not yet run; `None`
    /// where there is none. What still runs has ended, nobody said how.
    pub fn start(&mut self, setup: &str, test: &Start, now: Timestamp) -> Option<Vec<Value>> {
        let at = self.find(test, State::Waiting)?;
        let mut events = self.end_running(Verdict::Unknown, setup, now);
        if !std::mem::replace(&mut self.begun, true) {
            events.push(self.event("run.started", setup, now, json!({"name": self.root})));
            events.push(self.event("suite.started", setup, now, json!({"suite": [self.root]})));
        }
        let suite = &mut self.suites[self.tests[at].suite];
        if !std::mem::replace(&mut suite.begun, true) {
            let path = suite.path.clone();
            events.push(self.event("suite.started", setup, now, json!({"suite": path})));
        }
        self.tests[at].state = State::Running;
        events.push(self.event("test.started", setup, now, self.place(&self.tests[at])));
        Some(events)
    }

    /// Stops the first test of this name and path that runs; nothing where none
    /// does. A cancelled test takes the rest of the run with it.
    pub fn stop(&mut self, setup: &str, test: &Start, status: Status, now: Timestamp) -> Vec<Value> {
        let (Some(at), Some(verdict)) = (self.find(test, State::Running), status.verdict()) else { return Vec::new() };
        let mut events = vec![self.end(at, verdict, setup, now)];
        if status == Status::Cancelled {
            events.extend(self.end_running(Verdict::Cancelled, setup, now));
            self.tests.iter_mut().for_each(|test| test.state = State::Over);
            events.push(self.event("run.finished", setup, now, json!({"aborted": true})));
            return events;
        }
        let suite = self.tests[at].suite;
        let mut left = self.tests.iter().filter(|test| test.state != State::Over).map(|test| test.suite).peekable();
        let run_is_over = left.peek().is_none();
        if !left.any(|left| left == suite) {
            let path = &self.suites[suite].path;
            events.push(self.event("suite.finished", setup, now, json!({"suite": path})));
        }
        if run_is_over {
            events.push(self.event("suite.finished", setup, now, json!({"suite": [self.root]})));
            events.push(self.event("run.finished", setup, now, json!({})));
        }
        events
    }

    /// Another plan takes its place: what is open ends, nobody said how.
    pub(super) fn give_up(&mut self, setup: &str, now: Timestamp) -> Vec<Value> {
        if self.tests.iter().all(|test| test.state == State::Over) && !self.tests.is_empty() {
            return Vec::new();
        }
        let mut events = self.end_running(Verdict::Unknown, setup, now);
        self.tests.iter_mut().for_each(|test| test.state = State::Over);
        events.push(self.event("run.finished", setup, now, json!({})));
        events
    }
}

/// A suite or test of the plan.
fn entry(name: &str, script: &Script) -> Value {
    json!({"name": name, "source": source_of(&script.path, &script.name), "script": script.text})
}
