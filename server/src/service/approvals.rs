//! Builds that wait for somebody: what comes from a fork may be anything, and
//! runs on our machines once one who may order runs has looked at it.
//!
//! Each commit is approved for itself. Whatever comes from a fork is given no
//! secrets, approved or not.

use super::commit_builds::BuildRow;
use super::desk::Desk;
use super::failure::{Failure, chain};
use crate::outgoing::forge::CommitStatus;
use app::domain::account::Deed;
use app::domain::commit::CommitState;
use app::domain::ids::BuildId;
use app::domain::rights::Action;

impl Desk {
    /// Has a build that was held run.
    pub async fn build_approve(&self, id: BuildId) -> Result<(), Failure> {
        let row = self.held_build(id).await?;
        let repository = self.still_built_repository(&row.repository).await?;
        self.queue_has_room(1).await?;
        let jobs = self.build_jobs(&row, &repository)?;
        self.settle(&row, &format!("approved by {}", self.asker_name()), &jobs).await?;
        self.inner.bus.job_waits();
        for job in &jobs {
            self.say_build(job).await;
        }
        self.note(Deed::BuildApproved, &format!("{} {}", row.repository, row.commit), row.held.as_deref()).await;
        Ok(())
    }

    /// Has it not run.
    pub async fn build_refuse(&self, id: BuildId) -> Result<(), Failure> {
        let row = self.held_build(id).await?;
        self.drop_held(&row, &format!("refused by {}", self.asker_name())).await?;
        self.note(Deed::BuildRefused, &format!("{} {}", row.repository, row.commit), row.held.as_deref()).await;
        Ok(())
    }

    async fn held_build(&self, id: BuildId) -> Result<BuildRow, Failure> {
        self.allow(Action::Launch)?;
        let none = || Failure::NotFound(format!("there is no build {id}; builds are listed under /api/v1/builds"));
        let row = self.inner.store.build_get(id).await?.ok_or_else(none)?;
        if row.held.is_none() {
            return Err(Failure::Conflict("the build does not wait for anybody".into()));
        }
        Ok(row)
    }

    /// A build that was held will not run.
    pub(super) async fn drop_held(&self, row: &BuildRow, why: &str) -> Result<(), Failure> {
        self.settle(row, why, &[]).await?;
        self.say_held(row, CommitState::Cancelled, why).await;
        Ok(())
    }

    async fn settle(&self, row: &BuildRow, note: &str, jobs: &[super::jobs::JobRow]) -> Result<(), Failure> {
        if self.inner.store.build_settle(row.id, note, jobs).await? {
            return Ok(());
        }
        Err(Failure::Conflict("somebody else has just decided about this build".into()))
    }

    /// Tells the forge of a build that has no job. It never fails the build.
    pub(super) async fn say_held(&self, row: &BuildRow, state: CommitState, description: &str) {
        let Some(repository) = self.inner.statuses.repository_named(&row.repository) else { return };
        let status = CommitStatus {
            commit: row.commit.to_string(),
            context: super::commit_builds::CONTEXT.into(),
            state,
            description: description.into(),
            url: self.link(&format!("/builds/{}", row.id)),
        };
        if let Err(failure) = self.say_commit_status(&repository, status).await {
            tracing::warn!(error = %chain(&failure), build = %row.id, "the status of a build was not written down");
        }
    }
}
