//! Who looks after which file of a project.

use app::domain::name::ProjectName;
use app::domain::time::Timestamp;

/// The file of a project that says who looks after what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnersRow {
    /// The project.
    pub project: ProjectName,
    /// The file, as it came.
    pub body: Box<str>,
    /// When it came.
    pub changed_at: Timestamp,
}
