//! The eight words for how a script stands.

use app::domain::test::{Outcome, Verdict};

/// How a script stands. The greatest of its tests' is that of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Passed,
    /// As it should be, with a warning.
    Warning,
    /// Could not be judged.
    Error,
    /// An expectation did not hold.
    Failed,
    /// Nobody said how it ended.
    Unknown,
    /// Not begun.
    Waiting,
    /// Begun.
    Running,
    /// Stopped from outside.
    Cancelled,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Cancelled,
        Self::Running,
        Self::Waiting,
        Self::Unknown,
        Self::Failed,
        Self::Error,
        Self::Warning,
        Self::Passed,
    ];

    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this spelling.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The verdict that it is; none where nothing has ended.
    pub const fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Passed => Some(Verdict::Passed),
            Self::Warning => Some(Verdict::Warned),
            Self::Error => Some(Verdict::Errored),
            Self::Failed => Some(Verdict::Failed),
            Self::Unknown => Some(Verdict::Unknown),
            Self::Cancelled => Some(Verdict::Cancelled),
            Self::Waiting | Self::Running => None,
        }
    }

    /// How a test stands, by its outcome and the verdict of its last attempt.
    pub const fn of(outcome: Outcome, verdict: Option<Verdict>) -> Self {
        match (outcome, verdict) {
            (Outcome::Waiting, _) => Self::Waiting,
            (Outcome::Running, _) => Self::Running,
            (Outcome::Cancelled, _) => Self::Cancelled,
            (Outcome::Failed, Some(Verdict::Errored)) => Self::Error,
            (Outcome::Failed, _) => Self::Failed,
            (Outcome::Passed, Some(Verdict::Warned)) => Self::Warning,
            (Outcome::Passed | Outcome::Flaky, _) => Self::Passed,
            (Outcome::Skipped | Outcome::Lost, _) => Self::Unknown,
        }
    }
}
