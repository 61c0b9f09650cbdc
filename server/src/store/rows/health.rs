//! The health of tests, and the results it comes from.

use app::domain::health::{Calibration, Label};
use app::domain::ids::{RunId, SetupId, TestId};
use app::domain::name::{ProjectName, RunKey};
use app::domain::test::Outcome;
use app::domain::time::{Micros, Timestamp};

/// What is known of a test on a setup.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthRow {
    /// Where.
    pub setup: SetupId,
    /// Which test.
    pub test: TestId,
    /// What it is called.
    pub label: Label,
    /// How likely it is flaky.
    pub p_flaky: f64,
    /// How likely it is broken.
    pub p_broken: f64,
    /// Expected spurious failures in a run.
    pub phi: f64,
    /// How many results there were.
    pub results: u32,
    /// How many of them were failures.
    pub failures: u32,
    /// The last one was a failure.
    pub failed: bool,
    /// When the last one came, by our clock.
    pub last_at: Option<Timestamp>,
    /// The version of the parameters.
    pub model: u32,
    /// What is gone on with.
    pub state: Box<[u8]>,
}

/// The health of a setup as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct SetupHealthRow {
    /// Which setup.
    pub setup: SetupId,
    /// The version of the parameters.
    pub model: u32,
    /// What is usual on it.
    pub base: Box<[u8]>,
    /// All its tests in sum.
    pub sums: Box<[u8]>,
    /// Whether the detector understands it.
    pub calibration: Calibration,
}

/// A test that is neither new nor healthy, with what it was last called.
#[derive(Clone, Debug, PartialEq)]
pub struct SickRow {
    /// Its health.
    pub health: HealthRow,
    /// Its name, the suites before it, and the parameters after it.
    pub path: Vec<Box<str>>,
    /// Who looks after it, by its own word.
    pub owner: Option<Box<str>>,
    /// The file in which it is written.
    pub source: Option<Box<str>>,
    /// The project of its newest run.
    pub project: ProjectName,
    /// The newest run in which it ended.
    pub run: RunId,
    /// How long it took there.
    pub duration: Option<Micros>,
}

/// One result of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultRow {
    /// Where.
    pub setup: SetupId,
    /// In which run.
    pub run: RunId,
    /// Its number there.
    pub ordinal: u32,
    /// What its listener calls the run.
    pub key: RunKey,
    /// The project of the run.
    pub project: ProjectName,
    /// The commit under test.
    pub commit: Option<Box<str>>,
    /// The branch under test.
    pub branch: Option<Box<str>>,
    /// What came of it.
    pub outcome: Outcome,
    /// How many attempts it took.
    pub attempts: u32,
    /// How long it took.
    pub duration: Option<Micros>,
    /// When it ended, by the listener's clock.
    pub finished_at: Option<Timestamp>,
    /// The test's name as it was then, the suites before it.
    pub path: Vec<Box<str>>,
    /// Who looked after it, by its own word.
    pub owner: Option<Box<str>>,
    /// The file in which it was written.
    pub source: Option<Box<str>>,
}
