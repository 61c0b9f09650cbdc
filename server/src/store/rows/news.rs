//! How things stand, and what channels are told of it.

use app::domain::change::{Condition, Pace, Subject, Untold};
use app::domain::health::Label;
use app::domain::ids::TestId;
use app::domain::time::Timestamp;

/// A test on a setup that is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnwellRow {
    /// Which test.
    pub test: TestId,
    /// What it is called.
    pub label: Label,
    /// Its last result was a failure.
    pub failed: bool,
    /// When that came, by our clock.
    pub last_at: Option<Timestamp>,
}

/// How a subject stood when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionRow {
    /// Which.
    pub subject: Subject,
    /// How.
    pub condition: Condition,
}

/// What a channel was not told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntoldRow {
    /// The channel, by name.
    pub channel: Box<str>,
    /// What.
    pub untold: Untold,
}

/// When a channel was last told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceRow {
    /// The channel, by name.
    pub channel: Box<str>,
    /// When, and what follows from it.
    pub pace: Pace,
}

/// A channel that was made on the page.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelRow {
    /// Its name.
    pub name: Box<str>,
    /// What goes there, and how to reach it, as JSON; it holds secrets.
    pub body: Box<str>,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

impl std::fmt::Debug for ChannelRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChannelRow({})", self.name)
    }
}
