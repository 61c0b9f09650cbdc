//! What is to be said to other servers.

use app::domain::ids::RunId;
use app::domain::time::Timestamp;
use uuid::Uuid;

/// Something to be said to another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// Names it; receivers know a repeat by it.
    pub id: Uuid,
    /// What it is about, where a newer one about the same takes its place.
    pub subject: Option<Box<str>>,
    /// What is said, as JSON.
    pub body: Box<str>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is to be tried (again).
    pub due_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Why the last try came to nothing.
    pub fault: Option<Box<str>>,
    /// When it was given up.
    pub given_up_at: Option<Timestamp>,
}

/// What was last said of a run's commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatusRow {
    /// The run.
    pub run: RunId,
    /// What was said, in one word.
    pub state: Box<str>,
    /// When.
    pub at: Timestamp,
}
