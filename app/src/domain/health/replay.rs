//! A history on paper through the detector: results as lines of JSON in, one
//! judgement for each result out.
//!
//! A line is an object with `test`, `run` and `fail`, and if known `setup`,
//! `commit` and a time: `at` as RFC 3339 or in seconds since 1970, or `t_days`
//! in days. Names may be texts or numbers. `incident: true` says that the run
//! is known to have failed for a common cause. A line without a time comes at
//! the time of the result before it; blank lines are passed over.
//!
//! Whether a run was an incident shows only at its end, and changes what its
//! earlier lines mean. So the whole history is read first and every run judged
//! ([`super::Gate`] says how), at its last line; then it is gone through once
//! more. Each line's judgement is thereby final as of that line, at the price
//! of holding the history in memory: about 64 bytes a line, and each name once.

use super::gate::Base;
use super::parameters::{Model, hash_of};
use super::state::{Observation, State};
use crate::domain::health::Label;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// What is known of a test on a setup right after a result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The line of the result, from 1.
    pub line: usize,
    /// The test, as the line names it.
    #[serde(serialize_with = "as_text")]
    pub test: Arc<str>,
    /// The setup; empty where the line names none.
    #[serde(serialize_with = "as_text")]
    pub setup: Arc<str>,
    /// The run.
    #[serde(serialize_with = "as_text")]
    pub run: Arc<str>,
    /// See [`super::Reading`].
    pub p_flaky: f64,
    /// See [`super::Reading`].
    pub p_broken: f64,
    /// See [`super::Reading`].
    pub p_healthy: f64,
    /// See [`super::Reading`].
    pub p_next_fail: f64,
    /// See [`super::Reading`].
    pub phi: f64,
    /// See [`super::Rate`].
    pub theta_mean: f64,
    /// See [`super::Rate`].
    pub theta_q05: f64,
    /// See [`super::Rate`].
    pub theta_q95: f64,
    /// The label.
    pub label: Label,
    /// The result counts as part of an incident.
    pub incident: bool,
}

fn as_text<S: serde::Serializer>(name: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(name)
}

/// A line that is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Refused {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// The answer to a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is a result.
    Judged(Judged),
    /// It is not.
    Refused(Refused),
}

impl fmt::Display for Judged {
    /// One line of JSON, every digit kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// A name: JSON text, or a number that stands for one.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a number")]
enum Name {
    Text(String),
    Number(serde_json::Number),
}

impl Name {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct Line {
    test: Name,
    #[serde(default)]
    setup: Option<Name>,
    run: Name,
    #[serde(default)]
    commit: Option<Name>,
    fail: bool,
    #[serde(default)]
    at: Option<Value>,
    #[serde(default)]
    t_days: Option<f64>,
    #[serde(default)]
    incident: bool,
}

/// What the parser says, but for the line, which it cannot know.
fn unreadable(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or(&said);
    format!("{what}, column {}", error.column())
}

fn moment(at: Option<Value>, days: Option<f64>) -> Result<Option<Timestamp>, String> {
    let seconds = match (&at, days) {
        (None | Some(Value::Null), None) => return Ok(None),
        (None | Some(Value::Null), Some(days)) => days * 86_400.0,
        (Some(Value::String(text)), _) => {
            let parsed = Timestamp::from_rfc3339(text);
            return parsed.map(Some).ok_or_else(|| format!("`at` is no RFC 3339 time with a zone: {text:?}"));
        }
        (Some(Value::Number(number)), _) => number.as_f64().unwrap_or(f64::NAN),
        _ => return Err("`at` is neither a text nor a number".to_owned()),
    };
    let micros = (seconds * 1e6).round();
    if micros.abs() < 9e18 {
        Ok(Some(Timestamp(micros as i64)))
    } else {
        Err(format!("a time of {seconds:e} s is out of range"))
    }
}

/// A result, its names as numbers.
struct Record {
    line: usize,
    series: usize,
    run: usize,
    commit: Option<u64>,
    at: Option<Timestamp>,
    failed: bool,
    /// The line says that the run was an incident.
    is_told: bool,
    /// The test's first failure in its run, or after it.
    since_failure: bool,
}

/// Names, each once.
#[derive(Default)]
struct Names {
    known: HashSet<Arc<str>>,
}

impl Names {
    fn get(&mut self, name: String) -> Arc<str> {
        if let Some(known) = self.known.get(name.as_str()) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.known.insert(name.clone());
        name
    }
}

/// One run of a setup.
struct Run {
    name: Arc<str>,
    /// The index of its last record.
    last: usize,
    tests: u32,
    failing: HashSet<usize>,
    is_incident: bool,
}

/// One test on one setup.
struct Series {
    test: Arc<str>,
    setup: Arc<str>,
    /// The run of its last record.
    last_run: Option<usize>,
    state: Option<State>,
}

/// The history, read and its runs judged.
#[derive(Default)]
struct History {
    names: Names,
    series: Vec<Series>,
    series_of: HashMap<(Arc<str>, Arc<str>), usize>,
    runs: Vec<Run>,
    runs_of: HashMap<(Arc<str>, Arc<str>), usize>,
    records: Vec<Result<Record, Refused>>,
}

impl History {
    fn read(&mut self, line: usize, text: &str) {
        let record = self.record(line, text).map_err(|reason| Refused { line, reason });
        self.records.push(record);
    }

    fn record(&mut self, line: usize, text: &str) -> Result<Record, String> {
        let parsed: Line = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let at = moment(parsed.at, parsed.t_days)?;
        let setup = self.names.get(parsed.setup.map_or_else(String::new, Name::into_text));
        let test = self.names.get(parsed.test.into_text());
        let series = self.series_at(test, setup.clone());
        let run = self.run_at(setup, parsed.run.into_text());

        let failed = parsed.fail;
        let is_retry = self.series[series].last_run.replace(run) == Some(run);
        let open = &mut self.runs[run];
        open.last = self.records.len();
        open.tests += u32::from(!is_retry);
        let since_failure = if failed { open.failing.insert(series) || failed } else { open.failing.contains(&series) };
        let commit = parsed.commit.map(|commit| hash_of(&commit.into_text()));
        Ok(Record { line, series, run, commit, at, failed, is_told: parsed.incident, since_failure })
    }

    fn series_at(&mut self, test: Arc<str>, setup: Arc<str>) -> usize {
        let next = self.series.len();
        let at = *self.series_of.entry((test.clone(), setup.clone())).or_insert(next);
        if at == next {
            self.series.push(Series { test, setup, last_run: None, state: None });
        }
        at
    }

    fn run_at(&mut self, setup: Arc<str>, run: String) -> usize {
        let next = self.runs.len();
        let name = self.names.get(run);
        let at = *self.runs_of.entry((setup, name.clone())).or_insert(next);
        if at == next {
            self.runs.push(Run { name, last: 0, tests: 0, failing: HashSet::new(), is_incident: false });
        }
        at
    }

    /// Judges every run at its last record, setup by setup.
    fn judge(&mut self) {
        let mut bases: HashMap<Arc<str>, Base> = HashMap::new();
        for (index, record) in self.records.iter().enumerate() {
            let Ok(record) = record else { continue };
            let run = &mut self.runs[record.run];
            if run.last != index {
                continue;
            }
            let base = bases.entry(self.series[record.series].setup.clone()).or_default();
            let failing = run.failing.len() as u32;
            run.is_incident = base.is_incident(failing, run.tests);
            if !run.is_incident {
                base.remember(failing, run.tests);
            }
            run.failing = HashSet::new();
        }
    }
}

/// The judgements, in the order of the lines.
pub struct Replay<'m> {
    model: &'m Model,
    series: Vec<Series>,
    runs: Vec<Run>,
    records: std::vec::IntoIter<Result<Record, Refused>>,
}

/// Puts a history through the detector. All lines are taken before the first
/// answer is given; numbers are never rounded on the way.
pub fn replay<S: AsRef<str>>(model: &Model, lines: impl IntoIterator<Item = S>) -> Replay<'_> {
    let mut history = History::default();
    for (number, line) in (1..).zip(lines) {
        let text = line.as_ref().trim();
        if !text.is_empty() {
            history.read(number, text);
        }
    }
    history.judge();
    let History { series, runs, records, .. } = history;
    Replay { model, series, runs, records: records.into_iter() }
}

impl Iterator for Replay<'_> {
    type Item = Answer;

    fn next(&mut self) -> Option<Answer> {
        Some(match self.records.next()? {
            Ok(record) => Answer::Judged(self.judged(&record)),
            Err(refused) => Answer::Refused(refused),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.records.size_hint()
    }
}

impl Replay<'_> {
    fn judged(&mut self, record: &Record) -> Judged {
        let model = self.model;
        let run = &self.runs[record.run];
        let series = &mut self.series[record.series];
        let state = series.state.get_or_insert_with(|| State::new(model));
        let incident = record.is_told || (run.is_incident && record.since_failure);
        let at = record.at.or_else(|| state.last_at()).unwrap_or_default();
        // Runs are numbered, so that two names never pass for one.
        let seen = Observation { failed: record.failed, commit: record.commit, run: record.run as u64, at, incident };
        state.observe(model, &seen);
        let (reading, rate) = (state.reading(model), state.rate(model));
        Judged {
            line: record.line,
            test: series.test.clone(),
            setup: series.setup.clone(),
            run: run.name.clone(),
            p_flaky: reading.p_flaky,
            p_broken: reading.p_broken,
            p_healthy: reading.p_healthy,
            p_next_fail: reading.p_next_fail,
            phi: reading.phi,
            theta_mean: rate.mean,
            theta_q05: rate.q05,
            theta_q95: rate.q95,
            label: state.label(),
            incident,
        }
    }
}
