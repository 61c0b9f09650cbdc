//! Builds of pushed commits, as programs see them.

use super::work::JobBody;
use crate::service::commit_builds::Build;
use app::domain::build::BuildStatus;
use app::domain::ids::BuildId;
use app::domain::job::{JobResult, JobState};
use serde::Serialize;
use utoipa::ToSchema;

/// A build of a pushed commit
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BuildBody {
    /// Its identity.
    #[schema(value_type = Uuid)]
    id: BuildId,
    /// Where people see it.
    url: String,
    /// The repository, as its forge calls it.
    repository: String,
    /// The branch.
    branch: String,
    /// The commit.
    commit: String,
    /// Who pushed it.
    author: Option<String>,
    /// The first line of what it says.
    message: Option<String>,
    /// `held` (for somebody to approve it), `pending`, `running`, `success`, `failed`, `errored`, `timed_out` or `cancelled`.
    status: &'static str,
    /// Why it waits for somebody to approve it.
    held: Option<String>,
    /// What became of that.
    note: Option<String>,
    /// The repository that the commit comes from, where that is another one.
    fork: Option<String>,
    /// When it was made.
    created_at: String,
    /// What runs it.
    job: Option<JobBody>,
}

/// The one word for how a build stands
pub fn status(build: &Build) -> BuildStatus {
    match build.job.as_ref().map(|row| (row.job.state(), row.job.result())) {
        Some((JobState::Waiting, _)) => BuildStatus::Pending,
        Some((JobState::Running, _)) => BuildStatus::Running,
        Some((_, Some(JobResult::Passed))) => BuildStatus::Success,
        Some((_, Some(JobResult::Failed))) => BuildStatus::Failed,
        Some((_, Some(JobResult::TimedOut))) => BuildStatus::TimedOut,
        Some((_, Some(JobResult::Cancelled))) => BuildStatus::Cancelled,
        None if build.row.held.is_some() => BuildStatus::Held,
        None if build.row.note.is_some() => BuildStatus::Cancelled,
        Some((_, Some(JobResult::Errored) | None)) | None => BuildStatus::Errored,
    }
}

impl From<&Build> for BuildBody {
    fn from(build: &Build) -> Self {
        let row = &build.row;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Self {
            id: row.id,
            url: format!("/builds/{}", row.id),
            repository: row.repository.to_string(),
            branch: row.branch.to_string(),
            commit: row.commit.to_string(),
            author: text(&row.author),
            message: text(&row.message),
            status: status(build).as_str(),
            held: text(&row.held),
            note: text(&row.note),
            fork: text(&row.fork),
            created_at: row.created_at.to_rfc3339(),
            job: build.job.as_ref().map(JobBody::from),
        }
    }
}

/// A page of builds
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BuildList {
    /// The newest first.
    pub items: Vec<BuildBody>,
    /// To be handed back as `cursor`.
    pub next: Option<String>,
}
