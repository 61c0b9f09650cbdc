//! Saved walls, and who looks after what they show.

use app::domain::ids::SetupId;
use app::domain::time::Timestamp;

/// A saved wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallRow {
    /// Its name, as in its address.
    pub name: Box<str>,
    /// What it shows, as JSON.
    pub body: Box<str>,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// Somebody keeps a setup for themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationRow {
    /// Which setup, by name.
    pub setup: Box<str>,
    /// The name of a person.
    pub holder: Box<str>,
    /// What for.
    pub reason: Box<str>,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

/// Somebody looks after a setup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// Which setup.
    pub setup: SetupId,
    /// The name of a person.
    pub holder: Box<str>,
    /// What that person says.
    pub note: Option<Box<str>>,
    /// Since when.
    pub at: Timestamp,
}
