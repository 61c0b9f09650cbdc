//! Batches: test files that somebody has run, a job a file.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::files::Kept;
use super::jobs::{JobRow, NewJob};
use crate::clock::new_id;
use crate::intake::archive::{self, File, Unpacked};
use crate::store::rows::{BatchFileRow, BatchRow};
use app::domain::batch::{self, LOOKED_AT, RefusedFile, Sent, Sorted, Unit};
use app::domain::ids::BatchId;
use app::domain::job::{JobKind, JobResult, Labels, Limits, Summary, Task, TaskFile, Tells, WorkState};
use app::domain::name::{ProjectName, SetupName, tidy};
use app::domain::rights::Action;
use app::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use uuid::Uuid;

/// The setup of batches that name none.
const SETUP: &str = "batches";

/// Characters of a batch's name.
const NAME_KEPT: usize = 80;

/// Letters of a refused file's name that are told.
const NAME_SHOWN: usize = 200;

/// Files of a batch.
pub const FILES_MOST: usize = 2_000;

/// How a batch is to be run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchPlan {
    /// The setup that its tests are told of.
    pub setup: Option<String>,
    /// The product under test.
    pub project: Option<String>,
    /// What it needs of a worker.
    pub labels: Labels,
    /// Seconds that each of its jobs may take.
    pub seconds: Option<u32>,
    /// It waits until somebody has looked at it and starts it.
    pub is_held: bool,
    /// Who made it.
    pub by: String,
    /// What is run.
    pub units: Vec<Unit>,
    /// What was not taken.
    pub refused: Vec<RefusedFile>,
    /// The Python packages that it needs.
    pub requirements: Option<String>,
}

/// A batch with what became of it.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its identity.
    pub id: BatchId,
    /// A name for people, or of one.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// How it is run.
    pub plan: BatchPlan,
    /// Its jobs, one a unit.
    pub jobs: Vec<JobRow>,
}

impl Batch {
    fn of(row: BatchRow, jobs: Vec<JobRow>) -> Self {
        let plan = serde_json::from_str(&row.plan).unwrap_or_default();
        Self { id: row.id, name: row.name.into(), created_at: row.created_at, plan, jobs }
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        self.jobs.iter().for_each(|row| summary.add(row.job.state(), row.job.result(), 1));
        summary
    }

    /// Where it stands.
    pub fn state(&self) -> WorkState {
        if self.jobs.is_empty() && self.plan.is_held { WorkState::Held } else { self.summary().state() }
    }

    /// What it came to, once it is over.
    pub fn result(&self) -> Option<JobResult> {
        if self.state() == WorkState::Held { None } else { self.summary().result() }
    }

    /// Jobs that are over.
    pub fn over(&self) -> u32 {
        self.summary().over()
    }
}

fn no_batch(id: BatchId) -> Failure {
    Failure::NotFound(format!("there is no batch {id}; batches are listed under /api/v1/batches"))
}

/// A file, and whether it was packed.
type Came = (File, bool);

/// Files of archives in their stead, and what is not taken of them.
fn unpacked(files: Vec<File>) -> Result<(Vec<Came>, Vec<RefusedFile>), Failure> {
    let (mut all, mut refused) = (Vec::new(), Vec::new());
    for file in files {
        let is_archive = [".zip", ".tar", ".tar.gz", ".tgz"].iter().any(|end| file.name.to_lowercase().ends_with(end));
        if !is_archive {
            all.push((file, false));
            continue;
        }
        let name = file.name.clone();
        let Unpacked { files, links, error } = archive::unpack(file);
        if let Some(error) = error {
            return Err(Failure::invalid(&name, error));
        }
        let why = "it is a link, which would lead somewhere else";
        let cut = |name: String| name.chars().take(NAME_SHOWN).collect();
        refused.extend(links.into_iter().map(|name| RefusedFile { name: cut(name), why: why.into() }));
        all.extend(files.into_iter().map(|file| (file, true)));
    }
    if all.len() > FILES_MOST {
        return Err(Failure::TooLarge(format!("a batch has at most {FILES_MOST} files")));
    }
    Ok((all, refused))
}

fn sort(files: &[Came]) -> Sorted {
    let sent = files.iter().map(|(file, is_packed)| Sent {
        name: &file.name,
        head: &file.bytes[..file.bytes.len().min(LOOKED_AT)],
        is_packed: *is_packed,
    });
    batch::sort(&sent.collect::<Vec<_>>())
}

impl BatchPlan {
    fn check(&self) -> Result<(), Failure> {
        let setup = self.setup.as_deref().map(SetupName::parse).transpose();
        setup.map_err(|error| Failure::invalid("setup", error))?;
        let project = self.project.as_deref().map(ProjectName::parse).transpose();
        project.map_err(|error| Failure::invalid("project", error))?;
        if self.seconds == Some(0) {
            return Err(Failure::invalid("timeout_seconds", "must be more than 0"));
        }
        Ok(())
    }
}

/// A batch, its files and its jobs.
pub(super) type BatchRows = (BatchRow, Vec<BatchFileRow>, Vec<JobRow>);

impl Service {
    /// The rows of a new batch; nothing is kept yet.
    fn batch_rows(&self, name: &str, plan: &BatchPlan, kept: Vec<(String, Kept)>) -> Result<BatchRows, Failure> {
        let id = BatchId(new_id());
        let files: Vec<_> = kept
            .into_iter()
            .zip(0..)
            .map(|((path, Kept { file, size }), ordinal)| BatchFileRow {
                batch: id,
                ordinal,
                name: path.into(),
                digest: file,
                size,
            })
            .collect();
        let text = serde_json::to_string(plan).unwrap_or_default();
        let row = BatchRow { id, name: name.into(), created_at: self.now(), plan: text.into() };
        let jobs =
            if plan.is_held { Vec::new() } else { self.job_rows(jobs_of(id, plan, &files, self.jobs_have_network()))? };
        Ok((row, files, jobs))
    }

    /// Whether jobs may reach what is outside of their machine.
    pub fn jobs_have_network(&self) -> bool {
        self.inner.jobs_have_network
    }

    /// The rows of a batch that runs the files of another one again: all of
    /// them, or those whose jobs did not pass.
    pub(super) async fn batch_rows_again(
        &self,
        id: BatchId,
        only_failed: bool,
        by: &str,
    ) -> Result<BatchRows, Failure> {
        let store = &self.inner.store;
        let row = store.batch_get(id).await?.ok_or_else(|| no_batch(id))?;
        let batch = Batch::of(row, store.jobs_of(id.0).await?);
        let passed: HashSet<_> = batch
            .jobs
            .iter()
            .filter(|row| only_failed && row.job.result() == Some(JobResult::Passed))
            .map(|row| row.name.to_string())
            .collect();
        let mut plan = BatchPlan { is_held: false, by: by.into(), ..batch.plan };
        plan.units.retain(|unit| !passed.contains(&unit.path));
        if plan.units.is_empty() {
            return Err(Failure::Conflict("no job of this batch failed".into()));
        }
        self.queue_has_room(plan.units.len()).await?;
        let files = store.batch_files(id).await?;
        let kept = files.into_iter().map(|row| (row.name.into(), Kept { file: row.digest, size: row.size }));
        self.batch_rows(&batch.name, &plan, kept.collect())
    }
}

impl Desk {
    /// Makes a batch of files, and starts it unless it is to be held.
    pub async fn batch_make(&self, name: &str, plan: BatchPlan, files: Vec<File>) -> Result<Batch, Failure> {
        self.allow(Action::Launch)?;
        plan.check()?;
        let name = tidy(name.trim(), NAME_KEPT);
        if name.is_empty() {
            return Err(Failure::invalid("name", "is missing: say whose batch this is, or what it is called"));
        }
        let reading = tokio::task::spawn_blocking(move || {
            let (files, links) = unpacked(files)?;
            let mut sorted = sort(&files);
            sorted.refused.extend(links);
            Ok::<_, Failure>((files, sorted))
        });
        let gone = |_| Failure::Upstream("the files could not be read".into());
        let (files, sorted) = reading.await.map_err(gone)??;
        if sorted.units.is_empty() {
            return Err(nothing_to_run(&sorted));
        }
        self.queue_has_room(sorted.units.len()).await?;
        let mut kept = Vec::new();
        for ((file, _), path) in files.iter().zip(&sorted.kept) {
            if let Some(path) = path {
                kept.push((path.clone(), self.put_file(&file.bytes).await?));
            }
        }
        let Sorted { units, refused, requirements, .. } = sorted;
        let plan = BatchPlan { by: self.asker_name(), units, refused, requirements, ..plan };
        self.batch_keep(&name, plan, kept).await
    }

    async fn batch_keep(&self, name: &str, plan: BatchPlan, kept: Vec<(String, Kept)>) -> Result<Batch, Failure> {
        let (row, files, jobs) = self.batch_rows(name, &plan, kept)?;
        self.inner.store.batch_insert(&row, &files, &jobs).await?;
        self.inner.bus.job_waits();
        Ok(Batch::of(row, jobs))
    }

    /// Starts a batch that was held.
    pub async fn batch_start(&self, id: BatchId) -> Result<Batch, Failure> {
        self.allow(Action::Launch)?;
        let batch = self.batch(id).await?.ok_or_else(|| no_batch(id))?;
        if batch.state() != WorkState::Held {
            return Err(Failure::Conflict("the batch was started already".into()));
        }
        self.queue_has_room(batch.plan.units.len()).await?;
        let files = self.inner.store.batch_files(id).await?;
        let jobs = self.job_rows(jobs_of(id, &batch.plan, &files, self.jobs_have_network()))?;
        self.inner.store.job_insert(&jobs).await?;
        self.inner.bus.job_waits();
        Ok(Batch { jobs, ..batch })
    }

    /// A batch.
    pub async fn batch(&self, id: BatchId) -> Result<Option<Batch>, Failure> {
        self.reading().await?;
        let Some(row) = self.inner.store.batch_get(id).await? else { return Ok(None) };
        Ok(Some(Batch::of(row, self.inner.store.jobs_of(id.0).await?)))
    }

    /// The paths, digests and sizes of its files.
    pub async fn batch_files(&self, id: BatchId) -> Result<Vec<BatchFileRow>, Failure> {
        self.reading().await?;
        Ok(self.inner.store.batch_files(id).await?)
    }

    /// Batches made before one, the newest first, and how many there are in all.
    pub async fn batches(&self, before: Option<BatchId>, limit: u32) -> Result<(Vec<Batch>, u32), Failure> {
        self.reading().await?;
        let store = &self.inner.store;
        let newest = (Timestamp(i64::MAX), BatchId(Uuid::max()));
        let before = match before {
            Some(id) => store.batch_get(id).await?.map_or(newest, |row| (row.created_at, id)),
            None => newest,
        };
        let mut batches = Vec::new();
        for row in store.batch_list(before, limit).await? {
            let jobs = store.jobs_of(row.id.0).await?;
            batches.push(Batch::of(row, jobs));
        }
        Ok((batches, store.batch_count().await?))
    }

    /// Ends all jobs of a batch that are not over.
    pub async fn batch_cancel(&self, id: BatchId) -> Result<(), Failure> {
        self.allow(Action::Launch)?;
        let batch = self.batch(id).await?.ok_or_else(|| no_batch(id))?;
        let why = format!("cancelled by {}", self.asker_name());
        for row in batch.jobs.iter().filter(|row| !row.job.is_over()) {
            match self.cancel_job(row.job.id, &why).await {
                // It was over before it could be cancelled.
                Ok(_) | Err(Failure::Conflict(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// The same files once more, as a new batch: all of them, or those whose
    /// jobs did not pass.
    pub async fn batch_again(&self, id: BatchId, only_failed: bool) -> Result<Batch, Failure> {
        self.allow(Action::Launch)?;
        let (row, files, jobs) = self.batch_rows_again(id, only_failed, &self.asker_name()).await?;
        self.inner.store.batch_insert(&row, &files, &jobs).await?;
        self.inner.bus.job_waits();
        Ok(Batch::of(row, jobs))
    }
}

fn nothing_to_run(sorted: &Sorted) -> Failure {
    let mut detail = String::from("none of the files is a test that can be run");
    for file in sorted.refused.iter().take(20) {
        detail.push_str(&format!("; {}: {}", file.name, file.why));
    }
    Failure::invalid("files", detail)
}

/// A job a unit. Each finds all files of the batch: tests need what lies beside
/// them.
fn jobs_of(id: BatchId, plan: &BatchPlan, files: &[BatchFileRow], has_network: bool) -> Vec<NewJob> {
    let files: Vec<_> =
        files.iter().map(|row| TaskFile { path: row.name.to_string(), digest: row.digest, size: row.size }).collect();
    let setup = plan.setup.clone().unwrap_or_else(|| SETUP.into());
    let short = &id.0.simple().to_string()[20..];
    let jobs = plan.units.iter().zip(0..).map(|(unit, ordinal)| NewJob {
        kind: JobKind::Batch,
        parent: id.0,
        ordinal,
        name: unit.path.clone(),
        priority: 0,
        labels: plan.labels.clone(),
        concurrency: None,
        attempts_max: 2,
        task: Task {
            files: files.clone(),
            steps: batch::steps(unit, plan.requirements.as_deref().filter(|_| has_network)),
            limits: Limits { seconds: plan.seconds.unwrap_or(Limits::default().seconds), ..Limits::default() },
            has_network,
            artifacts: batch::artifacts(unit),
            tells: Tells {
                setup: setup.clone(),
                run: format!("{} ({short})", unit.path),
                project: plan.project.clone(),
                ..Tells::default()
            },
            ..Task::default()
        },
    });
    jobs.collect()
}
