//! One setup of the robot results board: its run, and the suites that are open.

use super::Refused;
use crate::intake::as_name;
use app::domain::suite::DEPTH_MAX;
use app::domain::time::{Micros, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::IpAddr;

/// Names of a suite's tests that are told apart; of more, two of the same name are one.
const NAMES_MAX: usize = 10_000;

/// After this long without a word a root suite of the same name is a new run,
/// not a suite inside the old one.
const FORGOTTEN_AFTER: Micros = Micros::from_secs(60);

/// One setup.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub peer: Option<IpAddr>,
    pub heard_at: Timestamp,
    pub preparing_since: Option<String>,
    pub clearing_since: Option<String>,
    run: Option<OpenRun>,
}

#[derive(Debug)]
struct OpenRun {
    key: String,
    /// From the root to the innermost.
    scopes: Vec<Scope>,
    test: Option<OpenTest>,
    /// Tests that its suites promised, those that are over included.
    promised: u32,
}

#[derive(Debug)]
struct Scope {
    id: i64,
    path: Vec<String>,
    phase: &'static str,
    promised: u32,
    /// How often a test of this name began.
    names: HashMap<String, u32>,
}

#[derive(Debug)]
struct OpenTest {
    id: i64,
    /// The fields by which it is known: suite, test and parameters.
    place: Value,
}

impl OpenRun {
    fn event(&self, kind: &str, setup: &str, now: Timestamp, fields: Value) -> Value {
        let mut event = fields;
        for (name, value) in [("type", kind), ("setup", setup), ("run", &self.key), ("at", &now.to_rfc3339())] {
            event[name] = value.into();
        }
        event
    }

    /// A suite file holds tests or suites, never both: where there were tests,
    /// a further suite cannot lie inside.
    fn may_nest(&self, name: &str, silent: bool) -> bool {
        let root_again = || self.scopes.first().is_some_and(|root| root.path.last().is_some_and(|root| root == name));
        let innermost = self.scopes.last();
        innermost.is_some_and(|scope| scope.names.is_empty() && scope.promised == 0) && !(silent && root_again())
    }
}

impl Row {
    pub fn is_open(&self) -> bool {
        self.run.is_some()
    }

    pub fn has_scope(&self, id: i64) -> bool {
        self.run.iter().flat_map(|run| &run.scopes).any(|scope| scope.id == id)
    }

    pub fn has_any_test(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.test.is_some())
    }

    pub fn has_test(&self, id: i64) -> bool {
        self.run.as_ref().and_then(|run| run.test.as_ref()).is_some_and(|test| test.id == id)
    }

    /// A suite begins: inside the innermost open one, else as the root of a
    /// new run. A run that broke off is ended by the next one.
    pub fn begin(
        &mut self,
        setup: &str,
        (id, name, at): (i64, &str, &str),
        heard_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Value>, Refused> {
        let mut events = Vec::new();
        let silent = now.since(heard_at) >= FORGOTTEN_AFTER;
        if let Some(run) = self.run.take_if(|run| !run.may_nest(name, silent)) {
            events.push(run.event("run.finished", setup, now, json!({"aborted": true})));
        }
        let run = match &mut self.run {
            Some(run) => run,
            None => {
                // The beginning of its root names a run: who tells it twice means one.
                let key = as_name(at);
                let run = self.run.insert(OpenRun { key, scopes: Vec::new(), test: None, promised: 0 });
                let about = json!({"name": name, "framework": "Robot Framework"});
                events.push(run.event("run.started", setup, now, about));
                run
            }
        };
        if run.scopes.len() >= DEPTH_MAX {
            return Err(Refused::bad(format!("suites nest at most {DEPTH_MAX} deep")));
        }
        let mut path = run.scopes.last().map(|scope| scope.path.clone()).unwrap_or_default();
        path.push(name.to_owned());
        events.push(run.event("suite.started", setup, now, json!({"suite": path})));
        events.push(run.event("suite.phase", setup, now, json!({"suite": path, "phase": "setup"})));
        run.scopes.push(Scope { id, path, phase: "setup", promised: 0, names: HashMap::new() });
        Ok(events)
    }

    pub fn phase(&mut self, setup: &str, id: i64, phase: &'static str, now: Timestamp) -> Vec<Value> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let at = run.scopes.iter().position(|scope| scope.id == id).unwrap_or(run.scopes.len().saturating_sub(1));
        match run.scopes.get_mut(at) {
            // It says so before each test.
            Some(scope) if scope.phase != phase => scope.phase = phase,
            _ => return Vec::new(),
        }
        let path = run.scopes[at].path.clone();
        vec![run.event("suite.phase", setup, now, json!({"suite": path, "phase": phase}))]
    }

    pub fn test_started(&mut self, setup: &str, scope: i64, (id, name): (i64, &str), now: Timestamp) -> Vec<Value> {
        // The end of the one before went missing.
        let mut events = self.test_ended(setup, "unknown", now);
        events.extend(self.phase(setup, scope, "tests", now));
        let Some(run) = &mut self.run else { return events };
        let at = run.scopes.iter().position(|known| known.id == scope).unwrap_or(run.scopes.len().saturating_sub(1));
        let Some(scope) = run.scopes.get_mut(at) else { return events };
        let mut place = json!({"suite": scope.path, "test": name});
        if scope.names.len() < NAMES_MAX || scope.names.contains_key(name) {
            let times = scope.names.entry(name.to_owned()).or_default();
            *times += 1;
            if *times > 1 {
                place["parameters"] = times.to_string().into();
            }
        }
        run.test = Some(OpenTest { id, place: place.clone() });
        events.push(run.event("test.started", setup, now, place));
        events
    }

    pub fn test_ended(&mut self, setup: &str, verdict: &str, now: Timestamp) -> Vec<Value> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let Some(OpenTest { mut place, .. }) = run.test.take() else { return Vec::new() };
        place["verdict"] = verdict.into();
        vec![run.event("test.finished", setup, now, place)]
    }

    /// A suite ends, and what is still open inside it; with the root the run.
    pub fn scope_ended(&mut self, setup: &str, id: i64, verdict: &str, now: Timestamp) -> Vec<Value> {
        let mut events = self.test_ended(setup, "unknown", now);
        let Some(run) = &mut self.run else { return events };
        let at = run.scopes.iter().position(|scope| scope.id == id).unwrap_or(run.scopes.len().saturating_sub(1));
        while run.scopes.len() > at + 1 {
            let Some(inner) = run.scopes.pop() else { break };
            events.push(run.event("suite.finished", setup, now, json!({"suite": inner.path})));
        }
        if let Some(scope) = run.scopes.pop() {
            events.push(run.event("suite.finished", setup, now, json!({"suite": scope.path, "verdict": verdict})));
        }
        if let Some(run) = self.run.take_if(|run| run.scopes.is_empty()) {
            events.push(run.event("run.finished", setup, now, json!({})));
        }
        events
    }

    /// The innermost suite says how many tests it has. Each counts once.
    pub fn promised(&mut self, setup: &str, total: u32, now: Timestamp) -> Vec<Value> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let Some(scope) = run.scopes.last_mut().filter(|scope| total > scope.promised) else { return Vec::new() };
        run.promised = run.promised.saturating_add(total - scope.promised);
        scope.promised = total;
        let (path, sum) = (scope.path.clone(), run.promised);
        vec![
            run.event("suite.started", setup, now, json!({"suite": path, "total_tests": total})),
            run.event("run.started", setup, now, json!({"total_tests": sum})),
        ]
    }
}
