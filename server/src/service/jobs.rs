//! Jobs: handed out, held by leases, ended once.
//!
//! What becomes of a job is decided by `domain::job` on the job as it is, and
//! written only if it still is so; where it is not, it is decided anew. So two
//! servers, a worker and a person may all speak of one job at once.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::repositories::Credentials;
use crate::clock::new_id;
use crate::files::Pieces;
pub use crate::store::rows::JobRow;
use crate::store::rows::{RunRow, WorkerRow};
use app::domain::file::Digest;
use app::domain::ids::{JobId, RunId, WorkerId};
use app::domain::job::{Claim, Job, JobKind, JobRefusal, JobResult, JobState, Labels, Progress, Stance, Task, Word};
use app::domain::name::RunKey;
use app::domain::rights::Action;
use app::domain::time::Micros;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// A worker that says nothing for so long has lost its jobs.
pub const LEASE: Micros = Micros::from_secs(30);

/// A claim waits at most so long for a job.
pub const CLAIM_WAITS: Duration = Duration::from_secs(50);

/// Other servers of the same store put jobs into the queue too, and do not ring
/// here.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Jobs that may wait.
pub const QUEUE_MOST: u32 = 20_000;

/// How often a decision is made anew because the job has moved on meanwhile.
const TRIES: usize = 16;

/// Bytes of a task, as JSON.
const TASK_MOST: usize = 4 * 1024 * 1024;

/// A job that is to be done.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What it is a piece of.
    pub kind: JobKind,
    /// The batch or the build.
    pub parent: Uuid,
    /// Its place there.
    pub ordinal: u32,
    /// A name for people.
    pub name: String,
    /// A higher one is taken first.
    pub priority: i32,
    /// What it needs of a worker.
    pub labels: Labels,
    /// Of jobs that share it, one runs at a time.
    pub concurrency: Option<String>,
    /// How often it may be taken.
    pub attempts_max: u32,
    /// What is to be done.
    pub task: Task,
}

/// A job that was taken, and until when.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The job.
    pub row: JobRow,
    /// What is to be done.
    pub task: Task,
    /// The secrets that it names.
    pub secrets: BTreeMap<String, String>,
    /// What its commit is fetched with.
    pub credentials: Option<Credentials>,
}

pub(super) fn no_job(id: JobId) -> Failure {
    Failure::NotFound(format!("there is no job {id}"))
}

fn refused(refusal: JobRefusal) -> Failure {
    Failure::Conflict(refusal.to_string())
}

impl Service {
    /// The rows of new jobs; nothing is kept yet.
    pub(super) fn job_rows(&self, jobs: Vec<NewJob>) -> Result<Vec<JobRow>, Failure> {
        let now = self.now();
        let rows = jobs.into_iter().map(|new| {
            let definition = serde_json::to_string(&new.task).unwrap_or_default();
            if definition.len() > TASK_MOST {
                return Err(Failure::TooLarge(format!("the job {} has more to do than can be said", new.name)));
            }
            Ok(JobRow {
                job: Job::waiting(JobId(new_id()), new.attempts_max, now),
                kind: new.kind,
                parent: new.parent,
                ordinal: new.ordinal,
                name: new.name.into(),
                priority: new.priority,
                labels: new.labels,
                concurrency: new.concurrency.map(Into::into),
                setup: Some(new.task.tells.setup).filter(|setup| !setup.is_empty()).map(Into::into),
                definition: definition.into(),
                progress: "{}".into(),
                version: 0,
            })
        });
        rows.collect()
    }

    /// Refuses where the queue has no room for so many more.
    pub(super) async fn queue_has_room(&self, jobs: usize) -> Result<(), Failure> {
        let waiting = self.inner.store.job_waiting().await?;
        let most = usize::try_from(QUEUE_MOST).unwrap_or(usize::MAX);
        if usize::try_from(waiting).unwrap_or(usize::MAX) + jobs > most {
            return Err(Failure::Busy { reason: "more jobs wait than may wait", retry_after: 60, source: None });
        }
        Ok(())
    }

    /// Takes the decision `rule` makes of a job, anew where the job has moved
    /// on meanwhile.
    async fn decide<T>(
        &self,
        id: JobId,
        rule: impl Fn(Job) -> Result<(Job, T), JobRefusal>,
    ) -> Result<(JobRow, T), Failure> {
        for _ in 0..TRIES {
            let row = self.inner.store.job_get(id).await?.ok_or_else(|| no_job(id))?;
            let (job, answer) = rule(row.job.clone()).map_err(refused)?;
            if self.inner.store.job_save(&job, row.version).await? {
                return Ok((JobRow { version: row.version + 1, job, ..row }, answer));
            }
        }
        Err(Failure::Busy { reason: "many speak of this job at once", retry_after: 1, source: None })
    }

    /// The run that the last attempt of a job told, where there is one.
    pub(super) async fn runs_told(&self, row: &JobRow) -> Result<Vec<(String, RunRow)>, Failure> {
        let task: Task = serde_json::from_str(&row.definition).unwrap_or_default();
        let progress: Progress = serde_json::from_str(&row.progress).unwrap_or_default();
        let tells = task.tells.of_attempt(row.job.attempt);
        let mut told = Vec::new();
        for variant in progress.variants() {
            let tells = tells.of_variant(variant);
            let (Some(tile), Ok(key)) = (self.inner.board.tile(&tells.setup), RunKey::parse(&tells.run)) else {
                continue;
            };
            let run = self.inner.store.run_find(tile.setup, &key).await?;
            told.extend(run.map(|run| (variant.to_owned(), run)));
        }
        Ok(told)
    }

    /// Says that a job is over, or waits again.
    pub(super) fn job_moved(&self, id: JobId) {
        self.inner.bus.job_changed(id);
        // Whoever waited for its key may begin.
        self.inner.bus.job_waits();
    }

    async fn take(&self, worker: &WorkerRow) -> Result<Option<Taken>, Failure> {
        let store = &self.inner.store;
        let sets: Vec<_> = store.job_labels().await?.into_iter().filter(|labels| labels.fit(&worker.labels)).collect();
        if sets.is_empty() {
            return Ok(None);
        }
        let now = self.now();
        let Some(row) = store.job_claim(worker.id, &sets, now, now + LEASE).await? else { return Ok(None) };
        self.inner.bus.job_changed(row.job.id);
        let read: Result<Task, _> = serde_json::from_str(&row.definition);
        let task = match read {
            Ok(task) => task,
            // Nobody will ever read it: it must not be handed out for ever.
            Err(error) => return self.take_back(&row, &format!("what is to be done cannot be read: {error}")).await,
        };
        match self.credentials_of(&row).await {
            Ok(credentials) => {
                let secrets = self.secrets_of(&task);
                Ok(Some(Taken { row, task, secrets, credentials }))
            }
            Err(Failure::Conflict(why)) => self.take_back(&row, &why).await,
            Err(other) => Err(other),
        }
    }

    /// A job that was taken cannot be handed out.
    async fn take_back(&self, row: &JobRow, why: &str) -> Result<Option<Taken>, Failure> {
        let Some(claim) = row.job.claim() else { return Ok(None) };
        let now = self.now();
        let finish = |job: Job| Ok((job.finish(claim, JobResult::Errored, Some(why), now)?, ()));
        let (row, ()) = self.decide(row.job.id, finish).await?;
        self.job_moved(row.job.id);
        self.say_build(&row).await;
        Ok(None)
    }
}

impl Service {
    /// The secrets that a task names; what nobody configured is left out.
    fn secrets_of(&self, task: &Task) -> BTreeMap<String, String> {
        let known = |name: &String| Some((name.clone(), self.inner.secrets.get(name)?.expose().to_owned()));
        task.secrets.iter().filter_map(known).collect()
    }
}

impl Desk {
    /// Puts jobs into the queue. For what belongs to no batch or build.
    pub async fn submit_jobs(&self, jobs: Vec<NewJob>) -> Result<Vec<JobId>, Failure> {
        self.allow(Action::Launch)?;
        self.queue_has_room(jobs.len()).await?;
        let rows = self.job_rows(jobs)?;
        self.inner.store.job_insert(&rows).await?;
        self.inner.bus.job_waits();
        Ok(rows.into_iter().map(|row| row.job.id).collect())
    }

    /// A worker asks for a job, and waits for one for a while.
    pub async fn claim_job(&self, id: WorkerId, instance: Uuid, within: Duration) -> Result<Option<Taken>, Failure> {
        self.allow(Action::Work)?;
        let until = Instant::now() + within.min(CLAIM_WAITS);
        let mut rings = self.inner.bus.queue();
        loop {
            // Seen before the store is read: what comes in between rings.
            rings.mark_unchanged();
            let worker = self.known_worker(id, instance).await?;
            if Stance::parse(&worker.stance) == Some(Stance::Active)
                && let Some(taken) = self.take(&worker).await?
            {
                return Ok(Some(taken));
            }
            let now = Instant::now();
            if now >= until {
                return Ok(None);
            }
            tokio::select! {
                // The bus lives as long as the service.
                _ = rings.changed() => {}
                () = tokio::time::sleep_until(until.min(now + LOOK_EVERY)) => {}
            }
        }
    }

    /// A worker is alive, and says how far its job is.
    pub async fn extend_job(&self, id: JobId, by: Claim, progress: Option<&Progress>) -> Result<Word, Failure> {
        self.allow(Action::Work)?;
        let now = self.now();
        let (_, word) = self.decide(id, |job| job.extend(by, now, LEASE)).await?;
        if let Some(progress) = progress {
            self.keep_progress(id, by, progress).await?;
        }
        self.inner.store.worker_seen(by.worker, now).await?;
        Ok(word)
    }

    async fn keep_progress(&self, id: JobId, by: Claim, progress: &Progress) -> Result<(), Failure> {
        let text = serde_json::to_string(progress).unwrap_or_default();
        if self.inner.store.job_progress(id, by.attempt, &text, None).await? {
            self.inner.bus.job_changed(id);
            if let Some(commit) = &progress.commit {
                self.build_is_of(id, commit).await?;
            }
        }
        Ok(())
    }

    /// A worker says what its job came to: once, whatever is sent twice.
    pub async fn finish_job(
        &self,
        id: JobId,
        by: Claim,
        result: JobResult,
        note: Option<&str>,
        progress: Option<&Progress>,
    ) -> Result<(), Failure> {
        self.allow(Action::Work)?;
        if let Some(progress) = progress {
            self.keep_progress(id, by, progress).await?;
        }
        let now = self.now();
        let finish = |job: Job| Ok((job.finish(by, result, note, now)?, ()));
        match self.decide(id, finish).await {
            Ok((row, ())) => {
                self.job_moved(id);
                self.say_build(&row).await;
            }
            // The answer to the first word was lost on its way.
            Err(Failure::Conflict(why)) => {
                let job = self.inner.store.job_get(id).await?.map(|row| row.job);
                let is_known = job.is_some_and(|job| {
                    (job.worker, job.attempt, job.result()) == (Some(by.worker), by.attempt, Some(result))
                });
                return if is_known { Ok(()) } else { Err(Failure::Conflict(why)) };
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// A job, with what it is about.
    pub async fn job(&self, id: JobId) -> Result<Option<JobRow>, Failure> {
        self.reading().await?;
        Ok(self.inner.store.job_get(id).await?)
    }

    /// The runs that its last attempt told, once one of their tests was heard of: one,
    /// or one for each variant of its matrix, with its name.
    pub async fn runs_of_job(&self, row: &JobRow) -> Result<Vec<(String, RunId)>, Failure> {
        let sight = self.reading().await?;
        let mut told = self.runs_told(row).await?;
        told.retain(|(_, run)| self.is_seen(&sight, run.project.as_str(), run.setup));
        Ok(told.into_iter().map(|(variant, run)| (variant, run.id)).collect())
    }

    /// The size and the bytes of a file of a job, for whoever runs it.
    pub async fn job_file(&self, id: JobId, file: Digest) -> Result<Option<(u64, Pieces)>, Failure> {
        self.allow(Action::Work)?;
        let Some(row) = self.inner.store.job_get(id).await? else { return Ok(None) };
        let task: Task = serde_json::from_str(&row.definition).unwrap_or_default();
        let Some(known) = task.files.iter().find(|known| known.digest == file) else { return Ok(None) };
        Ok(self.file(file, 0..known.size).await?.map(|pieces| (known.size, pieces)))
    }

    /// How many jobs are taken before one that waits.
    pub async fn jobs_ahead(&self, row: &JobRow) -> Result<u32, Failure> {
        self.reading().await?;
        Ok(self.inner.store.job_ahead(row.priority, row.job.id).await?)
    }

    /// What runs, and what waits, the next first.
    pub async fn queue(&self, limit: u32) -> Result<(Vec<JobRow>, Vec<JobRow>, u32), Failure> {
        self.reading().await?;
        let store = &self.inner.store;
        Ok((store.job_running().await?, store.job_queue(limit).await?, store.job_waiting().await?))
    }

    /// Somebody wants a job to end.
    pub async fn cancel_job(&self, id: JobId, why: &str) -> Result<JobState, Failure> {
        self.allow(Action::Launch)?;
        let now = self.now();
        let (row, ()) = self.decide(id, |job| Ok((job.cancel(why, now)?, ()))).await?;
        self.job_moved(id);
        if row.job.is_over() {
            self.say_build(&row).await;
        }
        Ok(row.job.state())
    }
}
