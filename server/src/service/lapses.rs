//! Jobs whose workers fell silent: they wait again or are lost, and what they
//! were telling is ended in their stead.

use super::Service;
use super::desk::Caller;
use super::failure::{Failure, chain};
use super::ingest::SenderClock;
use crate::intake::native;
use crate::store::rows::{JobRow, RunRow};
use app::domain::job::{Lapse, Progress, StepState};
use serde_json::json;

/// Leases that are looked at in one step.
const LAPSED_AT_ONCE: u32 = 100;

impl Service {
    /// Looks at jobs whose workers fell silent: they wait again, or are lost.
    /// Tells how many.
    pub async fn lapse_jobs(&self) -> Result<usize, Failure> {
        let rows = self.inner.store.job_lapsed(self.now(), LAPSED_AT_ONCE).await?;
        let mut moved = 0;
        for row in rows {
            moved += usize::from(self.lapse(row, false).await?);
        }
        Ok(moved)
    }

    pub(super) async fn lapse(&self, row: JobRow, is_gone: bool) -> Result<bool, Failure> {
        let worker = match row.job.worker {
            Some(id) => self.inner.store.worker_get(id).await?.map(|worker| worker.name),
            None => None,
        };
        let worker = worker.unwrap_or_else(|| "that took it".into());
        let Some((job, lapse)) = row.job.clone().lapse(self.now(), &worker, is_gone) else { return Ok(false) };
        self.cut_off_step(&row).await?;
        // Whoever wrote in between knows better: it is looked at again.
        if !self.inner.store.job_save(&job, row.version).await? {
            return Ok(false);
        }
        match lapse {
            Lapse::Again => tracing::info!(job = %job.id, %worker, "a worker lost a job; it is taken again"),
            Lapse::Lost => tracing::warn!(job = %job.id, %worker, "a job was lost with its last worker"),
            Lapse::Cancelled => {}
        }
        if let Err(failure) = self.cut_off_run(&row).await {
            tracing::warn!(job = %row.job.id, error = %chain(&failure), "what a lost job was telling was not ended");
        }
        self.job_moved(job.id);
        self.say_build(&JobRow { job, ..row }).await;
        Ok(true)
    }

    /// Ends the step that ran. Before the job itself: of one that does not run,
    /// progress is not taken.
    async fn cut_off_step(&self, row: &JobRow) -> Result<(), Failure> {
        let mut progress: Progress = serde_json::from_str(&row.progress).unwrap_or_default();
        if progress.steps.iter().all(|step| step.state != StepState::Running) {
            return Ok(());
        }
        for step in progress.steps.iter_mut().filter(|step| step.state == StepState::Running) {
            step.state = StepState::Failed;
        }
        let text = serde_json::to_string(&progress).unwrap_or_default();
        self.inner.store.job_progress(row.job.id, row.job.attempt, &text, None).await?;
        Ok(())
    }

    /// Ends the runs that the attempt was telling: nobody else will, and a tile
    /// would show it as running until it is given up.
    async fn cut_off_run(&self, row: &JobRow) -> Result<(), Failure> {
        let now = self.now();
        let told = self.runs_told(row).await?;
        let open = told.iter().map(|(_, run)| run).filter(|run| !run.state.is_over());
        let end = |run: &RunRow| {
            json!({
                "type": "run.finished", "setup": self.setup_name(run.setup), "run": run.key.as_str(),
                "at": now.to_rfc3339(), "aborted": true,
            })
        };
        let ends: Vec<_> = open.map(end).collect();
        if !ends.is_empty() {
            let clock = SenderClock { sent_at: Some(now), trusted: false };
            self.record(&Caller::default(), clock, native::told(ends)).await?;
        }
        Ok(())
    }
}
