//! Tests that go on under another name.

use app::domain::ids::{RunId, TestId};
use app::domain::test::Attempt;
use app::domain::time::Timestamp;

/// A test goes on under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameRow {
    /// What it was.
    pub was: TestId,
    /// What it is.
    pub now_is: TestId,
    /// What it was called: the suites before it and its name.
    pub was_path: Vec<Box<str>>,
    /// When they were joined.
    pub at: Timestamp,
    /// Who joined them.
    pub actor: Box<str>,
}

/// What a test came to in a run, attempt by attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptsRow {
    /// The run.
    pub run: RunId,
    /// The commit under test.
    pub commit: Option<Box<str>>,
    /// When it ended, by the listener's clock.
    pub finished_at: Option<Timestamp>,
    /// The attempts.
    pub attempts: Vec<Attempt>,
}
