//! What would run where, from when on and for how long; and why not.
//!
//! Pure: jobs that wait, workers as they stand and what keeps jobs waiting go
//! in. It is a forecast, not a promise: each job is given, in the order of the
//! queue, to the worker that will be free first. How long a job takes nobody
//! knows for sure; behind one of which nothing is known, nothing is foretold.

use super::{Labels, Stance};
use crate::domain::ids::JobId;
use crate::domain::time::{Micros, Timestamp};
use std::collections::HashMap;

/// A job that waits.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// Which.
    pub id: JobId,
    /// What it needs of a worker.
    pub labels: &'a Labels,
    /// Of jobs that share it, one runs at a time.
    pub key: Option<&'a str>,
    /// The setup that it is for.
    pub setup: Option<&'a str>,
    /// How long it usually takes.
    pub usual: Option<Micros>,
}

/// A job that runs.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    /// Which.
    pub id: JobId,
    /// The key that it holds.
    pub key: Option<&'a str>,
    /// When it should be done.
    pub done_at: Option<Timestamp>,
}

/// A worker.
#[derive(Clone, Debug)]
pub struct Hand<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it has.
    pub labels: &'a Labels,
    /// Jobs it runs at once.
    pub slots: u32,
    /// Whether it is given jobs.
    pub stance: Stance,
    /// It has not been heard of for a while.
    pub is_away: bool,
    /// What it runs.
    pub runs: Vec<Runs<'a>>,
}

/// A setup that somebody keeps for themselves.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// Which.
    pub setup: &'a str,
    /// Who.
    pub holder: &'a str,
    /// Until when.
    pub ends_at: Timestamp,
}

/// Why a job does not run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// There are no workers at all.
    NoWorker,
    /// No worker has all of these.
    NoLabels(Vec<String>),
    /// A worker has what it needs, and is not given jobs.
    NotGiven {
        /// The worker.
        worker: String,
        /// Why not.
        stance: Stance,
    },
    /// A worker has what it needs, and has not been heard of.
    Away {
        /// The worker.
        worker: String,
    },
    /// Somebody keeps its setup.
    Reserved {
        /// The setup.
        setup: String,
        /// Who.
        holder: String,
        /// Until when.
        ends_at: Timestamp,
    },
    /// Another job holds its key.
    Key {
        /// That job.
        job: JobId,
    },
    /// Others are before it.
    Busy,
}

/// What is to be expected of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foretold {
    /// Which.
    pub id: JobId,
    /// The worker that should take it.
    pub worker: Option<String>,
    /// When it should begin.
    pub starts_at: Option<Timestamp>,
    /// How long it usually takes.
    pub usual: Option<Micros>,
    /// Why it does not run now; none where it is about to.
    pub why: Option<Hindrance>,
}

impl Hand<'_> {
    fn is_given_jobs(&self) -> bool {
        self.stance == Stance::Active && !self.is_away
    }

    /// When each of its slots is free; none where nobody knows.
    fn slots(&self, now: Timestamp) -> Vec<Option<Timestamp>> {
        let busy = self.runs.iter().map(|job| job.done_at.map(|at| at.max(now)));
        let slots = usize::try_from(self.slots).unwrap_or(usize::MAX);
        busy.chain(std::iter::repeat(Some(now))).take(slots).collect()
    }
}

/// The middle one of some lengths.
pub fn usual(mut lengths: Vec<Micros>) -> Option<Micros> {
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied()
}

/// Why no worker can take a job at all.
fn nobody(job: &Waiting<'_>, hands: &[Hand<'_>]) -> Option<Hindrance> {
    let mut able = hands.iter().filter(|hand| job.labels.fit(hand.labels)).peekable();
    if able.peek().is_none() {
        let fewest = hands.iter().map(|hand| job.labels.missing_in(hand.labels).map(str::to_owned).collect::<Vec<_>>());
        return Some(fewest.min_by_key(Vec::len).map_or(Hindrance::NoWorker, Hindrance::NoLabels));
    }
    let able: Vec<_> = able.collect();
    if able.iter().any(|hand| hand.is_given_jobs()) {
        return None;
    }
    // One that is there and not given jobs can be told to take some at once.
    let first = able.iter().find(|hand| !hand.is_away).or(able.first())?;
    let worker = first.name.to_owned();
    Some(if first.is_away { Hindrance::Away { worker } } else { Hindrance::NotGiven { worker, stance: first.stance } })
}

/// Why a job does not run now, whoever is free.
pub fn hindrance(job: &Waiting<'_>, hands: &[Hand<'_>], kept: &[Kept<'_>], now: Timestamp) -> Option<Hindrance> {
    let reserved = kept.iter().find(|one| Some(one.setup) == job.setup && one.ends_at > now);
    if let Some(Kept { setup, holder, ends_at }) = reserved.copied() {
        return Some(Hindrance::Reserved { setup: setup.into(), holder: holder.into(), ends_at });
    }
    let holds = |run: &&Runs<'_>| job.key.is_some() && run.key == job.key;
    if let Some(other) = hands.iter().flat_map(|hand| &hand.runs).find(holds) {
        return Some(Hindrance::Key { job: other.id });
    }
    nobody(job, hands)
}

/// The slots of all workers and the keys of jobs, as they fill up.
struct Room<'a> {
    hands: &'a [Hand<'a>],
    slots: Vec<Vec<Option<Timestamp>>>,
    keys: HashMap<&'a str, Option<Timestamp>>,
    now: Timestamp,
}

impl<'a> Room<'a> {
    fn new(hands: &'a [Hand<'a>], now: Timestamp) -> Self {
        let slots = hands.iter().map(|hand| hand.slots(now)).collect();
        let runs = hands.iter().flat_map(|hand| &hand.runs);
        let keys = runs.filter_map(|run| Some((run.key?, run.done_at))).collect();
        Self { hands, slots, keys, now }
    }

    /// Gives a job that cannot begin before `from` to the worker that will be
    /// free first. Tells which, and when.
    fn place(&mut self, job: &Waiting<'a>, from: Timestamp) -> Option<(&'a str, Timestamp)> {
        let of_key = job.key.and_then(|key| self.keys.get(key).copied()).unwrap_or(Some(self.now));
        let able = self.hands.iter().enumerate();
        let able = able.filter(|(_, hand)| hand.is_given_jobs() && job.labels.fit(hand.labels));
        let slots = &self.slots;
        let free = able.flat_map(|(hand, _)| slots[hand].iter().enumerate().map(move |(slot, at)| (*at, hand, slot)));
        let first = free.filter_map(|(at, hand, slot)| Some((at?, hand, slot))).min();
        let Some(((free_at, hand, slot), of_key)) = first.zip(of_key) else {
            // Who comes after it with the same key waits as long, and nobody knows.
            job.key.map(|key| self.keys.insert(key, None));
            return None;
        };
        let starts_at = from.max(of_key).max(free_at);
        let done_at = job.usual.map(|usual| starts_at + usual);
        self.slots[hand][slot] = done_at;
        job.key.map(|key| self.keys.insert(key, done_at));
        Some((self.hands[hand].name, starts_at))
    }
}

/// What is to be expected of jobs that wait, in the order of the queue.
pub fn foretell<'a>(jobs: &[Waiting<'a>], hands: &'a [Hand<'a>], kept: &[Kept<'_>], now: Timestamp) -> Vec<Foretold> {
    let mut room = Room::new(hands, now);
    let waits_until = |job: &Waiting<'_>| {
        let of_setup = kept.iter().filter(|one| Some(one.setup) == job.setup).map(|one| one.ends_at);
        of_setup.max().unwrap_or(now).max(now)
    };
    let unknown = |job: &Waiting<'_>| Foretold {
        id: job.id,
        worker: None,
        starts_at: None,
        usual: job.usual,
        why: hindrance(job, hands, kept, now),
    };
    let mut foretold: Vec<_> = jobs.iter().map(unknown).collect();
    let mut order: Vec<_> = (0..jobs.len()).filter(|at| nobody(&jobs[*at], hands).is_none()).collect();
    // Who has to wait anyway lets the others by.
    order.sort_by_key(|at| waits_until(&jobs[*at]));
    for at in order {
        let (job, told) = (&jobs[at], &mut foretold[at]);
        let place = room.place(job, waits_until(job));
        (told.worker, told.starts_at) = place.map(|(worker, at)| (worker.to_owned(), at)).unzip();
        if told.why.is_none() && told.starts_at != Some(now) {
            told.why = Some(Hindrance::Busy);
        }
    }
    foretold
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
