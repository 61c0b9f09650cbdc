//! What is run again and again.

use app::domain::job::JobKind;
use app::domain::time::Timestamp;
use uuid::Uuid;

/// Something that is run again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Its name.
    pub name: Box<str>,
    /// When, and what, as JSON.
    pub body: Box<str>,
    /// It is written in the configuration.
    pub is_configured: bool,
    /// Its turns pass it by.
    pub is_paused: bool,
    /// Who made it.
    pub made_by: Box<str>,
    /// When it is its turn.
    pub next_at: Option<Timestamp>,
    /// When it last was.
    pub last_at: Option<Timestamp>,
    /// What came of that.
    pub last: Option<(JobKind, Uuid)>,
    /// Why nothing did.
    pub fault: Option<Box<str>>,
}

/// A turn that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Of which schedule.
    pub name: Box<str>,
    /// When it was due: whoever finds another time there comes too late.
    pub due: Timestamp,
    /// When the next one is.
    pub next_at: Option<Timestamp>,
    /// When it is taken.
    pub at: Timestamp,
    /// What comes of it.
    pub last: Option<(JobKind, Uuid)>,
    /// Why nothing does.
    pub fault: Option<Box<str>>,
}
