//! A suite in a run: a group of tests, nested by path.

use super::ids::ScriptId;
use super::output::Outputs;
use super::test::{Verdict, words};
use super::time::{Micros, Timestamp};
use serde::{Deserialize, Serialize};

/// Names from the root, at least one.
pub type SuitePath = Box<[Box<str>]>;

/// The longest name of a suite or test that is kept, in characters.
pub const NAME_KEPT: usize = 1_000;

/// The deepest nesting that is accepted.
pub const DEPTH_MAX: usize = 32;

words! {
    /// What a suite is busy with.
    Phase {
        /// Getting ready, before its first test.
        Setup = "setup",
        /// Running its tests.
        Tests = "tests",
        /// Clearing up, after its last test.
        Teardown = "teardown",
    }
}

/// The end of a suite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SuiteFinish {
    /// When, by the listener's clock.
    pub at: Timestamp,
    /// Its own verdict, where the framework gives one.
    pub verdict: Option<Verdict>,
    /// Why, for instance of a failed suite setup.
    pub message: Option<Box<str>>,
}

/// A suite in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Names from the root.
    pub path: SuitePath,
    /// Its place in the plan.
    pub position: Option<u32>,
    /// When it began: the earliest that was said.
    pub started: Option<Timestamp>,
    /// How it ended: the latest that was said.
    pub finished: Option<SuiteFinish>,
    /// The latest phase and when it was said.
    pub phase: Option<(Timestamp, Phase)>,
    /// When its own setup and teardown began and the tests between them.
    pub phases: [Option<Timestamp>; 3],
    /// How many tests it announced, nested ones included.
    pub total_tests: Option<u32>,
    /// The file or folder it is written in.
    pub source: Option<Box<str>>,
    /// Its script, where the plan carried it.
    pub script: Option<ScriptId>,
    /// Whether it put something out itself.
    pub outputs: Outputs,
}

impl Suite {
    /// A suite of which only the path is known.
    pub fn named(path: SuitePath) -> Self {
        Self {
            path,
            position: None,
            started: None,
            finished: None,
            phase: None,
            phases: [None; 3],
            total_tests: None,
            source: None,
            script: None,
            outputs: Outputs::default(),
        }
    }

    /// Begun and not finished. A second start after the finish does not open
    /// it again: shards say both once each, and the last finish decides.
    pub fn is_open(&self) -> bool {
        self.started.is_some() && self.finished.is_none()
    }

    /// From start to finish.
    pub fn duration(&self) -> Option<Micros> {
        Some(Micros(self.finished.as_ref()?.at.since(self.started?).0.max(0)))
    }

    /// How long a phase took: until the next one began, or the suite ended.
    pub fn phase_duration(&self, phase: Phase) -> Option<Micros> {
        let index = phase as usize;
        let began = self.phases[index]?;
        let next = self.phases[index + 1..].iter().flatten().min().copied();
        let ended = next.or_else(|| self.finished.as_ref().map(|finish| finish.at))?;
        Some(Micros(ended.since(began).0.max(0)))
    }
}
