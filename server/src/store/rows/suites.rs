//! What is known of the tests of a suite, in sum and one by one.

use super::HealthRow;
use app::domain::ids::RunId;
use app::domain::test::Outcome;

/// So many tests of a suite came to this in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteCountRow {
    /// The run.
    pub run: RunId,
    /// The suite.
    pub path: Vec<Box<str>>,
    /// What came of the tests.
    pub outcome: Outcome,
    /// How many they are.
    pub tests: u32,
}

/// How a test of a run is on the setup of that run.
#[derive(Clone, Debug, PartialEq)]
pub struct TestHealthRow {
    /// Its name, the suites before it, and the parameters after it.
    pub path: Vec<Box<str>>,
    /// Its health.
    pub health: HealthRow,
}
