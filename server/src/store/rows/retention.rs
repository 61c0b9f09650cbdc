//! What is looked at to be forgotten.

use app::domain::ids::RunId;
use app::domain::name::ProjectName;
use app::domain::time::Timestamp;

/// How old an event of the log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventAge {
    /// Its number.
    pub seq: i64,
    /// When it came, by our clock.
    pub received_at: Timestamp,
    /// It is a line or a step.
    pub is_output: bool,
    /// It is of a run that is no more.
    pub is_stray: bool,
    /// The project of its run, if it is of one that is there.
    pub project: Option<ProjectName>,
}

/// How old a run is that is over and not its setup's newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAge {
    /// Which.
    pub id: RunId,
    /// Its project.
    pub project: ProjectName,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// There are files of it.
    pub has_files: bool,
}
