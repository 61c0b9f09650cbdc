//! Notices when many tests of a run fail for one common cause, and sets their
//! states right.
//!
//! A dead network fails a fifth of all tests at once. Each alone would look as
//! if it had failed and recovered by itself, like a flake. So a run in which
//! far more tests fail than usual on its setup is declared an *incident*:
//! m ≥ 5 and m ≥ base + max(5, 5 % of the tests run), with m the distinct
//! failing tests and base the median m of the setup's last 21 ordinary runs.
//! In an incident a failure says little about the test itself.
//!
//! The line is crossed in the middle of a run, when the first failures have
//! been taken in already. The gate therefore remembers, of each test that
//! failed in an open run, the state before that failure and the results since,
//! and when the verdict on a run turns it takes them in again. Passes need no
//! correction: a test that passes in an incident was not hit by it. An incident
//! counts for a test from its first failure in the run on.
//!
//! While a run is open its verdict is provisional, by the number of tests
//! expected; [`Gate::finish`] judges by the tests that ran. States after that
//! are final, and equal to what [`super::replay()`] finds. Until then the first
//! failures of an incident may pass for flakes, so what is sent to people
//! should wait for the end of the run.

use super::parameters::Model;
use super::state::{Observation, State, Step};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

/// So many ordinary runs make the base.
const BASE_RUNS: usize = 21;

/// Fewer failing tests than this are no incident.
const FAILING_AT_LEAST: f64 = 5.0;

/// An incident fails this share of the tests beyond the base.
const SHARE: f64 = 0.05;

/// So many runs of a setup can be open at once; one more finishes the oldest.
const OPEN_RUNS: usize = 8;

/// So many failing tests are remembered on a setup, at about 2.5 KB at most
/// each. Tests beyond keep what they first took in.
const MEMORIES: usize = 4_096;

/// So many results of a remembered test can be taken in again. A test with
/// more in its open runs keeps what it took in.
const RESULTS_EACH: usize = 32;

const FORMAT: u8 = 1;

/// A run of a setup, as the base keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ordinary {
    failing: u32,
    tests: u32,
}

/// What is usual on a setup: its last ordinary runs. To be kept with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base(VecDeque<Ordinary>);

/// Stored bytes that are no base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no base of format {FORMAT}")]
pub struct BaseProblem;

impl Base {
    /// The usual number of failing tests; 0 without runs.
    pub fn failing(&self) -> f64 {
        self.median(|run| run.failing)
    }

    /// On how many runs it rests; at most 21.
    pub fn runs(&self) -> usize {
        self.0.len()
    }

    fn tests(&self) -> f64 {
        self.median(|run| run.tests)
    }

    fn median(&self, of: impl Fn(&Ordinary) -> u32) -> f64 {
        let mut all: Vec<u32> = self.0.iter().map(of).collect();
        all.sort_unstable();
        match all.len() {
            0 => 0.0,
            n if n % 2 == 1 => f64::from(all[n / 2]),
            n => f64::midpoint(f64::from(all[n / 2 - 1]), f64::from(all[n / 2])),
        }
    }

    /// Whether a run of `tests` tests of which `failing` fail is an incident.
    pub fn is_incident(&self, failing: u32, tests: u32) -> bool {
        self.is_incident_among(failing, f64::from(tests))
    }

    fn is_incident_among(&self, failing: u32, tests: f64) -> bool {
        let failing = f64::from(failing);
        failing >= FAILING_AT_LEAST && failing >= self.failing() + FAILING_AT_LEAST.max(SHARE * tests)
    }

    /// Another ordinary run.
    pub(super) fn remember(&mut self, failing: u32, tests: u32) {
        if self.0.len() == BASE_RUNS {
            self.0.pop_front();
        }
        self.0.push_back(Ordinary { failing, tests });
    }

    /// At most 170 bytes: the format, the number of runs, and for each, oldest
    /// first, its failing tests and its tests as little-endian `u32`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT, self.0.len() as u8];
        for run in &self.0 {
            bytes.extend(run.failing.to_le_bytes());
            bytes.extend(run.tests.to_le_bytes());
        }
        bytes
    }

    /// The base that was kept.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BaseProblem> {
        let (&[FORMAT, runs], rest) = bytes.split_first_chunk::<2>().ok_or(BaseProblem)? else {
            return Err(BaseProblem);
        };
        let (words, odd) = rest.as_chunks::<4>();
        if usize::from(runs) > BASE_RUNS || words.len() != 2 * usize::from(runs) || !odd.is_empty() {
            return Err(BaseProblem);
        }
        let (pairs, _) = words.as_chunks::<2>();
        let word = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        Ok(Self(pairs.iter().map(|[failing, tests]| Ordinary { failing: word(failing), tests: word(tests) }).collect()))
    }
}

/// A run that goes on.
#[derive(Clone, Debug)]
struct OpenRun {
    run: u64,
    tests: u32,
    failing: u32,
    planned: Option<u32>,
    is_incident: bool,
}

impl OpenRun {
    /// How many tests it will have had in the end.
    fn expected(&self, base: &Base) -> f64 {
        f64::from(self.tests).max(self.planned.map_or_else(|| base.tests(), f64::from))
    }
}

/// A result that may be taken in again.
#[derive(Clone, Debug)]
struct Logged {
    /// As the caller gave it.
    seen: Observation,
    /// It is the test's first failure in its run, or comes after that.
    since_failure: bool,
    /// The verdict on its run, once that has finished.
    verdict: Option<bool>,
}

/// A test that failed in an open run.
#[derive(Clone, Debug)]
struct Memory {
    /// Its state before that failure.
    before: State,
    /// Everything since, of whichever run.
    log: Vec<Logged>,
    /// There was more than fits: it cannot be corrected any more.
    is_full: bool,
}

impl Memory {
    fn failed_in(&self, run: u64) -> bool {
        self.log.iter().any(|logged| logged.since_failure && logged.seen.run == run)
    }
}

/// States that turned out otherwise than they were handed out before; they
/// replace those.
pub type Corrected<K> = Vec<(K, State)>;

/// The gate of one setup. The caller owns the states, by test: it hands one in
/// with each result, and stores what it gets back.
#[derive(Clone, Debug)]
pub struct Gate<K> {
    base: Base,
    open: VecDeque<OpenRun>,
    memories: BTreeMap<K, Memory>,
}

impl<K: Copy + Ord> Gate<K> {
    /// A gate that knows what is usual, and no open run. What was remembered
    /// of runs open at the last stop is lost: they are judged by what comes.
    pub fn new(base: Base) -> Self {
        Self { base, open: VecDeque::new(), memories: BTreeMap::new() }
    }

    /// What is usual, to be kept whenever a run has finished.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Whether an open run counts as an incident as things stand.
    pub fn is_incident(&self, run: u64) -> bool {
        self.open.iter().any(|open| open.run == run && open.is_incident)
    }

    /// Whether a test may yet be corrected.
    pub fn remembers(&self, test: &K) -> bool {
        self.memories.contains_key(test)
    }

    /// How many failing tests are remembered, for a look at the memory.
    pub fn remembered(&self) -> usize {
        self.memories.len()
    }

    /// A run is to have so many tests. Without this the usual number is
    /// expected, and the provisional verdict on a run of another size may be
    /// wrong until it finishes.
    pub fn plan(&mut self, model: &Model, run: u64, tests: u32) -> Corrected<K> {
        let (at, corrected) = self.open_run(model, run);
        self.open[at].planned = Some(tests);
        corrected
    }

    /// Takes in a result of `test`, whose state changes in place. Returned with
    /// the step are the states of *other* tests that changed with it: those
    /// that failed in this run, when this failure makes it an incident.
    pub fn observe(&mut self, model: &Model, test: K, state: &mut State, seen: Observation) -> (Step, Corrected<K>) {
        let (at, mut corrected) = self.open_run(model, seen.run);
        if let Some(own) = corrected.iter().position(|(other, _)| *other == test) {
            *state = corrected.swap_remove(own).1;
        }
        let failed_before = self.memories.get(&test).is_some_and(|memory| memory.failed_in(seen.run))
            || (state.failed && state.is_in_run(seen.run));
        let run = &mut self.open[at];
        run.tests = run.tests.saturating_add(u32::from(!state.is_in_run(seen.run)));
        let is_another = seen.failed && !failed_before;
        run.failing = run.failing.saturating_add(u32::from(is_another));
        let turns =
            is_another && !run.is_incident && self.base.is_incident_among(run.failing, run.expected(&self.base));
        run.is_incident |= turns;
        let since_failure = seen.failed || failed_before;
        let incident = seen.incident || (run.is_incident && since_failure);
        if turns {
            // This test is not among them: it has not failed in this run before.
            corrected.extend(self.correct(model, seen.run));
        }
        self.log(test, state, Logged { seen, since_failure, verdict: None });
        (state.observe(model, &Observation { incident, ..seen }), corrected)
    }

    /// A run is over: its final verdict, by the tests that ran. Returned are
    /// the states that the provisional verdict had wrong. More results of the
    /// run would count as a run of their own.
    pub fn finish(&mut self, model: &Model, run: u64) -> Corrected<K> {
        let Some(finished) = self.open.iter().position(|open| open.run == run).and_then(|at| self.open.remove(at))
        else {
            return Vec::new();
        };
        let verdict = self.base.is_incident(finished.failing, finished.tests);
        for logged in self.memories.values_mut().flat_map(|memory| &mut memory.log) {
            if logged.seen.run == run {
                logged.verdict = Some(verdict);
            }
        }
        let corrected = if finished.is_incident == verdict { Vec::new() } else { self.correct(model, run) };
        if !verdict {
            self.base.remember(finished.failing, finished.tests);
        }
        let open = &self.open;
        self.memories
            .retain(|_, memory| memory.log.iter().any(|logged| open.iter().any(|open| open.run == logged.seen.run)));
        corrected
    }

    /// The place of a run among those open.
    fn open_run(&mut self, model: &Model, run: u64) -> (usize, Corrected<K>) {
        if let Some(at) = self.open.iter().position(|open| open.run == run) {
            return (at, Vec::new());
        }
        let surplus = if self.open.len() < OPEN_RUNS { None } else { self.open.front().map(|oldest| oldest.run) };
        let corrected = surplus.map_or_else(Vec::new, |oldest| self.finish(model, oldest));
        self.open.push_back(OpenRun { run, tests: 0, failing: 0, planned: None, is_incident: false });
        (self.open.len() - 1, corrected)
    }

    /// Remembers a result, if its test failed in an open run.
    fn log(&mut self, test: K, before: &State, logged: Logged) {
        let is_full = self.memories.len() >= MEMORIES;
        match self.memories.entry(test) {
            Entry::Occupied(known) => {
                let memory = known.into_mut();
                memory.is_full |= memory.log.len() >= RESULTS_EACH;
                if !memory.is_full {
                    memory.log.push(logged);
                }
            }
            Entry::Vacant(place) if logged.seen.failed && !is_full => {
                place.insert(Memory { before: before.clone(), log: vec![logged], is_full: false });
            }
            Entry::Vacant(_) => {}
        }
    }

    /// Takes in again what the tests that failed in `run` showed, under the
    /// verdicts as they are now.
    fn correct(&self, model: &Model, run: u64) -> Corrected<K> {
        let concerned = self.memories.iter().filter(|(_, memory)| !memory.is_full && memory.failed_in(run));
        concerned
            .map(|(test, memory)| {
                let mut state = memory.before.clone();
                for Logged { seen, since_failure, verdict } in &memory.log {
                    let is_hit = *since_failure && verdict.unwrap_or_else(|| self.is_incident(seen.run));
                    state.observe(model, &Observation { incident: seen.incident || is_hit, ..*seen });
                }
                (*test, state)
            })
            .collect()
    }
}
