//! The health of a setup as its strip shows it.

use super::Tile;
use crate::domain::activity::Activity;
use crate::domain::ids::RunId;
use crate::domain::run::{RunResult, RunState};
use crate::domain::time::{Micros, Timestamp};
use crate::ecg::reading::{Estimate, Latest, Measures};
use crate::ecg::throughput::Throughput;
use crate::ecg::{Event, EventKind};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// What a setup's strip is drawn from.
#[derive(Clone, Debug, Default, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct Pulse {
    /// When it was so, by our clock.
    pub at: Timestamp,
    /// Finished tests a minute.
    pub throughput: Throughput,
    /// The chance that a run of all tests is hit by a flake.
    pub flake: Option<Estimate>,
    /// Tests by what they are called.
    pub tests: SickTests,
    /// The results of the current run.
    pub latest: Latest,
    /// The current run fails for a common cause.
    pub is_incident: bool,
    /// A test that passed has begun to fail in the current run.
    pub has_regression: bool,
    /// Results still to go until what was mended is no longer called fixed.
    pub recovery_left: u32,
    /// The setup behaves unlike what the detector was made for: its
    /// probabilities are not worth their name.
    pub is_uncalibrated: bool,
    /// What happened lately, the oldest first.
    pub marks: Vec<Mark>,
}

/// Tests by what they are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct SickTests {
    /// All that are known on the setup.
    pub all: u32,
    /// Called flaky or recovering.
    pub flaky: u32,
    /// Called broken.
    pub broken: u32,
}

/// A beat that tells of one result.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct Mark {
    /// When we heard of it.
    pub at: Timestamp,
    /// What it does to the rhythm.
    pub kind: EventKind,
    /// Tells it from all others of the setup.
    pub origin: u64,
    /// The test.
    pub test: String,
    /// Its number in the run.
    pub ordinal: u32,
    /// The attempt.
    pub attempt: u32,
    /// The run.
    pub run: RunId,
}

impl Mark {
    /// As the strip is told of it.
    pub fn event(&self) -> Event {
        Event { at: self.at, kind: self.kind, origin: self.origin }
    }
}

/// A storm is counted over this time.
const STORM_OVER: Micros = Micros::from_secs(10);

/// More flaky results than this in a minute are worth a word.
const FLAKY_A_MINUTE: usize = 6;

impl Pulse {
    /// Flaky results since `since`.
    fn flaky_since(&self, since: Timestamp) -> usize {
        self.marks.iter().filter(|mark| mark.kind == EventKind::Flaky && mark.at >= since).count()
    }
}

impl Tile {
    /// What is known of the setup at `now`, as its strip is drawn from.
    pub fn measures(&self, now: Timestamp, silent_after: Micros) -> Measures {
        let pulse = &self.pulse;
        let activity = self.activity(now, silent_after);
        let run = self.run.as_ref();
        let is_gone = matches!(activity, Activity::Silent);
        let crashed = run.is_some_and(|run| run.state == RunState::Lost || run.result == Some(RunResult::Incomplete));
        Measures {
            tests_per_minute: pulse.throughput.per_minute(now),
            flake: pulse.flake,
            broken: if pulse.tests.all == 0 { 0.0 } else { f64::from(pulse.tests.broken) / f64::from(pulse.tests.all) },
            latest: pulse.latest,
            is_run_open: self.facts.open,
            has_crashed: crashed,
            is_agent_gone: is_gone,
            recovery_left: pulse.recovery_left,
            has_incident: pulse.is_incident,
            has_regression: pulse.has_regression,
            flaky_in_10_s: u32::try_from(pulse.flaky_since(now - STORM_OVER)).unwrap_or(u32::MAX),
            is_over_flaky_limit: pulse.flaky_since(now - Micros::from_secs(60)) > FLAKY_A_MINUTE,
            ..Measures::default()
        }
    }
}
