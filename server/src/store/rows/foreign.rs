//! Launches of other protocols.

use app::domain::time::Timestamp;

/// A part of a launch: an item of it, or the launch itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignRow {
    /// Its project.
    pub project: Box<str>,
    /// Which launch.
    pub launch: Box<str>,
    /// Which item; empty for the launch itself.
    pub item: Box<str>,
    /// When it was written, by our clock.
    pub at: Timestamp,
    /// What is known of it, as JSON.
    pub body: Box<str>,
}
