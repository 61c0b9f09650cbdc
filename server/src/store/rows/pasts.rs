//! What the past of a test on a setup comes to.

use super::TestRow;
use app::domain::ids::{RunId, SetupId, TestId};
use app::domain::test::Outcome;
use app::domain::time::{Micros, Timestamp};

/// A result of a test, as its past on the setup takes it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastRow {
    /// The setup.
    pub setup: SetupId,
    /// The test.
    pub test: TestId,
    /// The run.
    pub run: RunId,
    /// When the test ended there, by the listener's clock.
    pub finished_at: Timestamp,
    /// How long it took, where it passed.
    pub duration: Option<Micros>,
    /// When the run was first heard of, by our clock.
    pub heard_at: Timestamp,
}

impl PastRow {
    /// What a run that was first heard of at `heard_at` adds; nothing while
    /// its test goes on.
    pub fn of(row: &TestRow, heard_at: Timestamp) -> Option<Self> {
        let has_passed = matches!(row.test.outcome(), Outcome::Passed | Outcome::Flaky);
        Some(Self {
            setup: row.setup,
            test: row.test.id,
            run: row.run,
            finished_at: row.finished_at()?,
            duration: row.test.duration().filter(|_| has_passed),
            heard_at,
        })
    }
}

/// How far back the past of a test reaches, over all setups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Runs with a result, at least.
    pub results: u64,
    /// When the first of them was first heard of, by our clock.
    pub first_at: Timestamp,
    /// When the last of them was.
    pub last_at: Timestamp,
}
