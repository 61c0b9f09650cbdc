//! What is too old to be kept is forgotten, in steps that nobody feels.
//!
//! A round goes over the runs first, from the oldest on, then over the log. The
//! newest run of each setup stays, however old: it is what its tile shows. The
//! health of tests and setups stays too: it does not grow, and it is what the
//! past was kept for.

use super::Service;
use super::failure::Failure;
use crate::config::RetentionConfig;
use app::domain::ids::RunId;
use app::domain::name::ProjectName;
use app::domain::retention::{Ages, is_over};
use app::domain::time::{Micros, Timestamp};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Runs that are looked at in a step. Each may have ten thousand tests.
const RUNS: u32 = 20;

/// Events that are looked at in a step.
const EVENTS: u32 = 1_000;

/// How long things are kept.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    usual: Ages,
    own: BTreeMap<ProjectName, Ages>,
    audit: Option<Micros>,
}

/// How far a round has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Over the runs, after this one.
    Runs(Timestamp, RunId),
    /// Over the log, after this number.
    Log(i64),
}

/// What a round has forgotten so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Runs.
    pub runs: u64,
    /// Files of runs that stay.
    pub files: u64,
    /// Events.
    pub events: u64,
}

impl Round {
    /// The beginning of one.
    pub fn new() -> Self {
        Self::Runs(Timestamp(i64::MIN), RunId(Uuid::nil()))
    }
}

impl Default for Round {
    fn default() -> Self {
        Self::new()
    }
}

impl Forgotten {
    /// Whether there was nothing to forget.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Retention {
    /// How long things are kept, and where that is otherwise.
    pub fn new(config: &RetentionConfig) -> Self {
        let (usual, own) = config.ages();
        Self { usual, own, audit: config.audit() }
    }

    /// How long it is kept who did what; for ever where it is none.
    pub(super) fn audit(&self) -> Option<Micros> {
        self.audit
    }

    /// All that was recorded is kept for ever.
    pub fn keeps_all(&self) -> bool {
        self.least().are_none()
    }

    fn of(&self, project: Option<&ProjectName>) -> &Ages {
        project.and_then(|project| self.own.get(project)).unwrap_or(&self.usual)
    }

    fn least(&self) -> Ages {
        self.own.values().fold(self.usual, |least, own| least.youngest(own))
    }
}

impl Service {
    /// Whether there is anything to be forgotten, ever.
    pub fn forgets(&self) -> bool {
        !self.inner.retention.keeps_all()
    }

    /// One step of a round: answers where the next one begins, none at the end.
    pub async fn forget_old(&self, round: Round, forgotten: &mut Forgotten) -> Result<Option<Round>, Failure> {
        match round {
            Round::Runs(at, id) => self.forget_runs((at, id), forgotten).await.map(Some),
            Round::Log(after) => self.forget_events(after, forgotten).await,
        }
    }

    async fn forget_runs(&self, after: (Timestamp, RunId), forgotten: &mut Forgotten) -> Result<Round, Failure> {
        let (store, retention, now) = (&self.inner.store, &self.inner.retention, self.now());
        let Some(least) = retention.least().of_files() else { return Ok(Round::Log(0)) };
        let rows = store.run_ages(after, now - least, RUNS).await?;
        for row in &rows {
            let ages = retention.of(Some(&row.project));
            if is_over(ages.runs, row.created_at, now) {
                store.run_forget(row.id).await?;
                forgotten.runs += 1;
            } else if row.has_files && is_over(ages.of_files(), row.created_at, now) {
                forgotten.files += store.run_files_forget(row.id).await?;
            }
        }
        let last = rows.last().filter(|_| rows.len() == RUNS as usize);
        Ok(last.map_or(Round::Log(0), |row| Round::Runs(row.created_at, row.id)))
    }

    async fn forget_events(&self, after: i64, forgotten: &mut Forgotten) -> Result<Option<Round>, Failure> {
        let (store, retention, now) = (&self.inner.store, &self.inner.retention, self.now());
        let rows = store.event_ages(after, EVENTS).await?;
        let least = retention.least();
        let Some(youngest) = least.of_event(true) else { return Ok(None) };
        let is_old = |row: &&crate::store::rows::EventAge| {
            row.is_stray || is_over(retention.of(row.project.as_ref()).of_event(row.is_output), row.received_at, now)
        };
        let seqs: Vec<_> = rows.iter().filter(is_old).map(|row| row.seq).collect();
        if !seqs.is_empty() {
            forgotten.events += store.events_forget(&seqs).await?;
        }
        // What comes after a young event is younger.
        let next = rows.last().filter(|row| rows.len() == EVENTS as usize && now.since(row.received_at) > youngest);
        Ok(next.map(|row| Round::Log(row.seq)))
    }
}
