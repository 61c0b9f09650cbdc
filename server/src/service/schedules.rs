//! Schedules: the files of a batch, or the head of a branch, run again and again.
//!
//! A schedule has one next time. When it has come, its turn is taken in the
//! transaction that makes the batch or the build, and the next time is reckoned
//! from now: what was missed while nobody was there runs once, not once for each
//! time that was missed; and of several servers one takes the turn.

use super::Service;
use super::batches::Batch;
use super::commit_builds::Build;
use super::desk::Desk;
use super::failure::Failure;
use crate::config::{Order, ScheduleConfig, SchedulePlan, check_schedule_name};
use crate::store::StoreError;
use crate::store::rows::{ScheduleRow, TurnRow};
use app::domain::account::Deed;
use app::domain::ids::{BatchId, BuildId};
use app::domain::job::JobKind;
use app::domain::rights::Action;
use app::domain::time::Timestamp;
use std::collections::HashSet;

/// Schedules that there may be.
const SCHEDULES_MAX: usize = 500;

/// Turns that are taken in one step.
const TURNS_AT_ONCE: u32 = 50;

/// Who made what stands in the configuration.
const CONFIGURATION: &str = "holter.toml";

/// Something that is run again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What is kept of it.
    pub row: ScheduleRow,
    /// When, and what.
    pub plan: SchedulePlan,
    /// What its last turn came to.
    pub last: Option<LastWork>,
}

/// What a turn came to.
#[derive(Clone, Debug)]
pub enum LastWork {
    /// A batch.
    Batch(Box<Batch>),
    /// A build.
    Build(Box<Build>),
}

fn no_schedule(name: &str) -> Failure {
    Failure::NotFound(format!("there is no schedule {name:?}; schedules are listed under /api/v1/schedules"))
}

/// When a plan is next to be run. A plan that cannot be read is never run: it
/// comes from another release.
fn next_of(plan: &SchedulePlan, now: Timestamp) -> Option<Timestamp> {
    plan.timetable().ok()?.next_after(now)
}

fn plan_of(row: &ScheduleRow) -> SchedulePlan {
    serde_json::from_str(&row.body).unwrap_or_default()
}

impl Service {
    /// Schedules of the configuration exist from the start, and go when they
    /// are not written there any more. One that is as it was keeps its time: if
    /// that has passed meanwhile, it was missed.
    pub(super) async fn write_down_schedules(&self, configured: &[ScheduleConfig]) -> Result<(), StoreError> {
        let (store, now) = (&self.inner.store, self.now());
        let known = store.schedule_list().await?;
        for one in configured {
            let plan = one.plan();
            let body: Box<str> = serde_json::to_string(&plan).unwrap_or_default().into();
            let before = known.iter().find(|row| *row.name == *one.name);
            if before.is_some_and(|row| row.is_configured && row.body == body) {
                continue;
            }
            let row = ScheduleRow {
                name: one.name.as_str().into(),
                body,
                is_configured: true,
                is_paused: before.is_some_and(|row| row.is_paused),
                made_by: CONFIGURATION.into(),
                next_at: next_of(&plan, now),
                last_at: None,
                last: None,
                fault: None,
            };
            store.schedule_save(&row).await?;
        }
        let names: HashSet<_> = configured.iter().map(|one| one.name.as_str()).collect();
        for row in known.iter().filter(|row| row.is_configured && !names.contains(&*row.name)) {
            store.schedule_delete(&row.name).await?;
        }
        Ok(())
    }

    /// Takes the turns whose time has come. Tells how many.
    pub async fn run_schedules(&self) -> Result<usize, Failure> {
        let now = self.now();
        let mut taken = 0;
        for row in self.inner.store.schedule_due(now, TURNS_AT_ONCE).await? {
            taken += usize::from(self.take_turn(&row, now).await?);
        }
        Ok(taken)
    }

    async fn take_turn(&self, row: &ScheduleRow, now: Timestamp) -> Result<bool, Failure> {
        let Some(due) = row.next_at else { return Ok(false) };
        let plan = plan_of(row);
        let next_at = next_of(&plan, now);
        let turn = TurnRow { name: row.name.clone(), due, next_at, at: now, last: None, fault: None };
        let taken = match plan.order() {
            Ok(Order::Batch(id)) => self.turn_to_batch(&turn, id).await,
            Ok(Order::Branch { repository, branch }) => self.turn_to_build(&turn, &repository, &branch).await,
            Err(fault) => Err(fault.into()),
        };
        match taken {
            Ok(is_ours) => Ok(is_ours),
            // It is this turn that cannot be taken; the next one may do better.
            Err(Failure::NotFound(why) | Failure::Conflict(why) | Failure::TooLarge(why)) => {
                self.turn_to_nothing(turn, why).await
            }
            Err(Failure::Invalid { detail, .. }) => self.turn_to_nothing(turn, detail).await,
            // The store or the queue is busy: it is still this turn in a moment.
            Err(other) => Err(other),
        }
    }

    async fn turn_to_batch(&self, turn: &TurnRow, id: BatchId) -> Result<bool, Failure> {
        let (row, files, jobs) = self.batch_rows_again(id, false, &format!("the schedule {}", turn.name)).await?;
        let turn = TurnRow { last: Some((JobKind::Batch, row.id.0)), ..turn.clone() };
        let is_ours = self.inner.store.schedule_batch(&turn, &row, &files, &jobs).await?;
        self.inner.bus.job_waits();
        Ok(is_ours)
    }

    async fn turn_to_build(&self, turn: &TurnRow, repository: &str, branch: &str) -> Result<bool, Failure> {
        let repository = self.still_built_repository(repository).await?;
        self.queue_has_room(1).await?;
        let row = self.head_build(&repository, branch, &format!("the schedule {}", turn.name));
        let jobs = self.build_jobs(&row, &repository)?;
        let turn = TurnRow { last: Some((JobKind::Build, row.id.0)), ..turn.clone() };
        let is_ours = self.inner.store.schedule_build(&turn, &row, &jobs).await?;
        self.inner.bus.job_waits();
        Ok(is_ours)
    }

    async fn turn_to_nothing(&self, turn: TurnRow, why: String) -> Result<bool, Failure> {
        tracing::warn!(schedule = &*turn.name, %why, "the turn of a schedule came to nothing");
        Ok(self.inner.store.schedule_turn(&TurnRow { fault: Some(why.into()), ..turn }).await?)
    }
}

impl Desk {
    /// All schedules, by name.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Failure> {
        self.reading().await?;
        let mut all = Vec::new();
        for row in self.inner.store.schedule_list().await? {
            all.push(self.with_last(row).await?);
        }
        Ok(all)
    }

    /// A schedule.
    pub async fn schedule(&self, name: &str) -> Result<Option<Schedule>, Failure> {
        self.reading().await?;
        match self.inner.store.schedule_get(name).await? {
            Some(row) => self.with_last(row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn with_last(&self, row: ScheduleRow) -> Result<Schedule, Failure> {
        let last = match row.last {
            Some((JobKind::Batch, id)) => self.batch(BatchId(id)).await?.map(|batch| LastWork::Batch(Box::new(batch))),
            Some((JobKind::Build, id)) => {
                self.commit_build(BuildId(id)).await?.map(|build| LastWork::Build(Box::new(build)))
            }
            None => None,
        };
        Ok(Schedule { plan: plan_of(&row), row, last })
    }

    /// Saves a schedule; one of the same name is replaced. Its next time is
    /// reckoned anew.
    pub async fn schedule_save(&self, name: &str, plan: &SchedulePlan, is_paused: bool) -> Result<Schedule, Failure> {
        self.allow(Action::Launch)?;
        check_schedule_name(name)?;
        let known = self.inner.store.schedule_list().await?;
        let before = known.iter().find(|row| &*row.name == name);
        if before.is_some_and(|row| row.is_configured) {
            return Err(configured(name));
        }
        if before.is_none() && known.len() >= SCHEDULES_MAX {
            return Err(Failure::TooLarge(format!("there are {SCHEDULES_MAX} schedules already")));
        }
        let next_at = plan.timetable()?.next_after(self.now());
        let never = || Failure::invalid("cron", "has no time that ever comes");
        let next_at = Some(next_at.ok_or_else(never)?);
        self.can_be_run(plan.order()?).await?;
        let row = ScheduleRow {
            name: name.into(),
            body: serde_json::to_string(plan).unwrap_or_default().into(),
            is_configured: false,
            is_paused,
            made_by: self.asker_name().into(),
            next_at,
            last_at: None,
            last: None,
            fault: None,
        };
        self.inner.store.schedule_save(&row).await?;
        self.note(Deed::ScheduleSaved, name, Some(&plan.cron)).await;
        self.schedule(name).await?.ok_or_else(|| no_schedule(name))
    }

    async fn can_be_run(&self, order: Order) -> Result<(), Failure> {
        let (field, detail) = match order {
            Order::Batch(id) if self.batch(id).await?.is_none() => ("batch", format!("there is no batch {id}")),
            Order::Branch { repository, .. } if self.built_repository(&repository).await?.is_none() => {
                ("repository", format!("there is no repository {repository:?} whose pushes are built"))
            }
            _ => return Ok(()),
        };
        Err(Failure::invalid(field, detail))
    }

    /// Lets turns pass a schedule by, or not any more: what passed is not made
    /// up for.
    pub async fn schedule_pause(&self, name: &str, is_paused: bool) -> Result<(), Failure> {
        self.allow(Action::Launch)?;
        let row = self.inner.store.schedule_get(name).await?.ok_or_else(|| no_schedule(name))?;
        let next_at = next_of(&plan_of(&row), self.now());
        self.inner.store.schedule_save(&ScheduleRow { is_paused, next_at, ..row }).await?;
        let deed = if is_paused { Deed::SchedulePaused } else { Deed::ScheduleResumed };
        self.note(deed, name, None).await;
        Ok(())
    }

    /// Deletes a schedule. What it made stays.
    pub async fn schedule_delete(&self, name: &str) -> Result<(), Failure> {
        self.allow(Action::Launch)?;
        let row = self.inner.store.schedule_get(name).await?.ok_or_else(|| no_schedule(name))?;
        if row.is_configured {
            return Err(configured(name));
        }
        self.inner.store.schedule_delete(name).await?;
        self.note(Deed::ScheduleDeleted, name, None).await;
        Ok(())
    }
}

fn configured(name: &str) -> Failure {
    Failure::Forbidden(format!("the schedule {name} is written in holter.toml; change it there, or pause it here"))
}
