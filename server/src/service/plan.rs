//! What would run where, when and for how long: the facts for the rules of
//! `domain::job`.

use super::batches::Batch;
use super::desk::Desk;
use super::failure::Failure;
use super::workers::WorkerCard;
use crate::store::rows::{BuildFilter, BuildRow, JobRow, ReservationRow};
use app::domain::build::BuildStatus;
use app::domain::job::{
    Foretold, Hand, Hindrance, JobKind, Kept, Runs, Waiting, WorkState, foretell, hindrance, usual,
};
use app::domain::time::{Micros, Timestamp};
use std::collections::HashMap;

/// Waiting jobs that are looked at; who is behind them waits long anyway.
pub const FORETOLD: u32 = 200;

/// Jobs of a definition whose lengths are looked at.
const PAST: u32 = 15;

/// Batches, and builds, among which held ones are looked for.
const HELD_AMONG: u32 = 50;

/// What would run, and what is to be expected of it.
#[derive(Debug)]
pub struct Plan {
    /// When it was made.
    pub now: Timestamp,
    /// What runs, and when it should be done.
    pub running: Vec<(JobRow, Option<Timestamp>)>,
    /// What waits, in the order of the queue.
    pub waiting: Vec<(JobRow, Foretold)>,
    /// How many wait in all.
    pub waiting_in_all: u32,
    /// Batches that somebody has to start.
    pub held: Vec<Batch>,
    /// Builds that somebody has to approve.
    pub unapproved: Vec<BuildRow>,
}

/// Jobs whose lengths say something of each other: files of a batch by their
/// path, builds by their repository.
type Definition = (Box<str>, JobKind, Option<Box<str>>);

fn definition(row: &JobRow) -> Option<Definition> {
    let name = (row.kind == JobKind::Batch).then(|| row.name.clone());
    Some((row.setup.clone()?, row.kind, name))
}

fn waiting<'a>(row: &'a JobRow, lengths: &Lengths) -> Waiting<'a> {
    Waiting {
        id: row.job.id,
        labels: &row.labels,
        key: row.concurrency.as_deref(),
        setup: row.setup.as_deref(),
        usual: lengths.of(row),
    }
}

fn kept(row: &ReservationRow) -> Kept<'_> {
    Kept { setup: &row.setup, holder: &row.holder, ends_at: row.ends_at }
}

/// How long jobs usually take.
#[derive(Default)]
struct Lengths(HashMap<Definition, Option<Micros>>);

impl Lengths {
    fn of(&self, row: &JobRow) -> Option<Micros> {
        *self.0.get(&definition(row)?)?
    }

    /// When a job that runs should be done.
    fn done_at(&self, row: &JobRow) -> Option<Timestamp> {
        Some(row.job.started_at? + self.of(row)?)
    }

    fn hands<'a>(&self, cards: &'a [WorkerCard]) -> Vec<Hand<'a>> {
        let runs =
            |row: &'a JobRow| Runs { id: row.job.id, key: row.concurrency.as_deref(), done_at: self.done_at(row) };
        let hand = |card: &'a WorkerCard| Hand {
            name: &card.row.name,
            labels: &card.row.labels,
            slots: card.row.slots,
            stance: card.stance,
            is_away: card.is_away,
            runs: card.runs.iter().map(runs).collect(),
        };
        cards.iter().map(hand).collect()
    }
}

impl Desk {
    async fn lengths(&self, rows: impl Iterator<Item = &JobRow> + Send) -> Result<Lengths, Failure> {
        let mut lengths = Lengths::default();
        for definition in rows.filter_map(definition).collect::<Vec<_>>() {
            if lengths.0.contains_key(&definition) {
                continue;
            }
            let (setup, kind, name) = &definition;
            let past = self.inner.store.job_past(setup, *kind, name.as_deref(), PAST).await?;
            lengths.0.insert(definition, usual(past));
        }
        Ok(lengths)
    }

    /// What would run where, in the order of the queue.
    pub async fn plan(&self) -> Result<Plan, Failure> {
        let now = self.now();
        let cards = self.workers().await?;
        let (running, queue, waiting_in_all) = self.queue(FORETOLD).await?;
        let reservations = self.inner.store.reservation_list(now).await?;
        let lengths = self.lengths(running.iter().chain(&queue)).await?;
        let jobs: Vec<_> = queue.iter().map(|row| waiting(row, &lengths)).collect();
        let kept: Vec<_> = reservations.iter().map(kept).collect();
        let foretold = foretell(&jobs, &lengths.hands(&cards), &kept, now);
        let (mut held, _) = self.batches(None, HELD_AMONG).await?;
        held.retain(|batch| batch.state() == WorkState::Held);
        let unapproved = BuildFilter { status: Some(BuildStatus::Held), ..BuildFilter::default() };
        let builds = self.commit_builds(unapproved, None, HELD_AMONG).await?;
        let running = running.into_iter().map(|row| {
            let done_at = lengths.done_at(&row);
            (row, done_at)
        });
        Ok(Plan {
            now,
            running: running.collect(),
            waiting: queue.into_iter().zip(foretold).collect(),
            waiting_in_all,
            held,
            unapproved: builds.into_iter().map(|build| build.row).collect(),
        })
    }

    /// Why a job that waits does not run now, whoever is free.
    pub async fn hindrance_of(&self, row: &JobRow) -> Result<Option<Hindrance>, Failure> {
        let now = self.now();
        let cards = self.workers().await?;
        let reservations = self.inner.store.reservation_list(now).await?;
        let kept: Vec<_> = reservations.iter().map(kept).collect();
        let lengths = Lengths::default();
        Ok(hindrance(&waiting(row, &lengths), &lengths.hands(&cards), &kept, now))
    }
}
