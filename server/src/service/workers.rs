//! Workers: who takes jobs, and whether it is given any.

use super::desk::Desk;
use super::failure::Failure;
use crate::clock::new_id;
use crate::store::rows::{JobRow, WorkerRow};
use crate::store::sql::constraint;
use app::domain::ids::WorkerId;
use app::domain::job::{Labels, Stance};
use app::domain::name::tidy;
use app::domain::rights::Action;
use app::domain::time::Micros;
use std::collections::HashMap;
use uuid::Uuid;

/// A worker that said nothing for so long is away.
const AWAY_AFTER: Micros = Micros::from_secs(90);

/// Characters of a worker's name.
const NAME_KEPT: usize = 80;

/// Jobs that one worker may run at once.
pub const SLOTS_MOST: u32 = 256;

/// What a worker says of itself when it starts.
#[derive(Clone, Debug)]
pub struct Hello {
    /// Its name, by which it is known over all its starts.
    pub name: String,
    /// Which start this is.
    pub instance: Uuid,
    /// What it has.
    pub labels: Labels,
    /// Jobs it runs at once.
    pub slots: u32,
    /// What else it says of itself, as JSON.
    pub about: String,
}

/// A worker as it stands now.
#[derive(Clone, Debug)]
pub struct WorkerCard {
    /// What is kept of it.
    pub row: WorkerRow,
    /// Whether it is given jobs.
    pub stance: Stance,
    /// It has not been heard of for a while.
    pub is_away: bool,
    /// What it runs.
    pub runs: Vec<JobRow>,
}

impl Desk {
    /// A worker has started, or has found the server again. What an earlier
    /// start of it held, nobody holds any more.
    pub async fn worker_starts(&self, hello: Hello) -> Result<WorkerRow, Failure> {
        self.allow(Action::Work)?;
        let name = tidy(&hello.name, NAME_KEPT);
        if name.trim().is_empty() {
            return Err(Failure::invalid("name", "a worker needs a name"));
        }
        if !(1..=SLOTS_MOST).contains(&hello.slots) {
            return Err(Failure::invalid("slots", format!("must be from 1 to {SLOTS_MOST}")));
        }
        let store = &self.inner.store;
        let known = store.worker_list().await?.into_iter().find(|row| row.name == name);
        let now = self.now();
        let row = WorkerRow {
            id: known.as_ref().map_or_else(|| WorkerId(new_id()), |row| row.id),
            name,
            instance: hello.instance,
            labels: hello.labels,
            slots: hello.slots,
            about: hello.about.into(),
            stance: known.as_ref().map_or_else(|| Stance::Active.as_str().into(), |row| row.stance.clone()),
            created_at: known.as_ref().map_or(now, |row| row.created_at),
            seen_at: now,
        };
        store.worker_save(&row).await.map_err(|error| match error.conflict() {
            // Two said the same name at once; who comes again finds the other.
            Some(constraint::WORKER_NAME) => {
                Failure::Busy { reason: "another worker says this name just now", retry_after: 1, source: None }
            }
            _ => error.into(),
        })?;
        if known.is_some_and(|known| known.instance != hello.instance) {
            let held = store.job_running().await?.into_iter().filter(|job| job.job.worker == Some(row.id));
            for job in held.collect::<Vec<_>>() {
                self.lapse(job, true).await?;
            }
        }
        Ok(row)
    }

    /// A worker that speaks, if it is the start of it that was last heard of.
    pub(super) async fn known_worker(&self, id: WorkerId, instance: Uuid) -> Result<WorkerRow, Failure> {
        let unknown = || Failure::NotFound("this worker is not known here; say hello first".into());
        let row = self.inner.store.worker_get(id).await?.ok_or_else(unknown)?;
        if row.instance != instance {
            let why = format!("another program has started as the worker {}; give one of them another name", row.name);
            return Err(Failure::Conflict(why));
        }
        self.inner.store.worker_seen(id, self.now()).await?;
        Ok(row)
    }

    /// All workers, by name, with what they run.
    pub async fn workers(&self) -> Result<Vec<WorkerCard>, Failure> {
        self.reading().await?;
        let mut running: HashMap<WorkerId, Vec<JobRow>> = HashMap::new();
        for row in self.inner.store.job_running().await? {
            if let Some(worker) = row.job.worker {
                running.entry(worker).or_default().push(row);
            }
        }
        let now = self.now();
        let card = |row: WorkerRow| WorkerCard {
            stance: Stance::parse(&row.stance).unwrap_or(Stance::Disabled),
            is_away: now.since(row.seen_at) > AWAY_AFTER,
            runs: running.remove(&row.id).unwrap_or_default(),
            row,
        };
        Ok(self.inner.store.worker_list().await?.into_iter().map(card).collect())
    }

    /// Decides whether a worker is given jobs.
    pub async fn worker_stance(&self, name: &str, stance: Stance) -> Result<(), Failure> {
        self.allow(Action::Configure)?;
        let row = self.worker_named(name).await?;
        self.inner.store.worker_stance(row.id, stance.as_str()).await?;
        // One that waits learns of it at once.
        self.inner.bus.job_waits();
        Ok(())
    }

    /// Forgets a worker that will not come back. What it held is lost to it.
    pub async fn worker_forget(&self, name: &str) -> Result<(), Failure> {
        self.allow(Action::Configure)?;
        let row = self.worker_named(name).await?;
        let held = self.inner.store.job_running().await?.into_iter().filter(|job| job.job.worker == Some(row.id));
        for job in held.collect::<Vec<_>>() {
            self.lapse(job, true).await?;
        }
        self.inner.store.worker_forget(row.id).await?;
        Ok(())
    }

    async fn worker_named(&self, name: &str) -> Result<WorkerRow, Failure> {
        let all = self.inner.store.worker_list().await?;
        all.into_iter()
            .find(|row| &*row.name == name)
            .ok_or_else(|| Failure::NotFound(format!("there is no worker {name:?}")))
    }
}
