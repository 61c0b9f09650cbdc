//! What is due, put together for one request.

use super::bench::Bench;
use super::moment::{Moment, What};
use super::script::Run;
use super::stream::Live;
use app::domain::time::{Micros, Timestamp};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The contract allows 10,000 events and 8 MiB; both stay well below, because
/// one plan may be a megabyte.
const EVENTS_MAX: usize = 2_000;
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// Events as NDJSON.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The body of the request.
    pub body: String,
    /// How many events it has.
    pub events: usize,
    /// How many runs end in it.
    pub runs_finished: u64,
}

impl Batch {
    /// Adds an event.
    pub fn push(&mut self, bench: &Bench, moment: &Moment, epoch: Timestamp) {
        self.body.push_str(&bench.render(moment, epoch).to_string());
        self.body.push('\n');
        self.events += 1;
        // Shards end one by one; the run is counted with its first shard.
        self.runs_finished += u64::from(matches!(moment.what, What::Finished { shard: 0, .. }));
    }

    /// Whether it should go out before more is added.
    pub fn is_full(&self) -> bool {
        self.events >= EVENTS_MAX || self.body.len() >= BYTES_MAX
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// All that is said about runs, in one batch however large; for tests and
    /// for servers that are asked in-process.
    pub fn of_runs<'a>(bench: &Bench, runs: impl IntoIterator<Item = &'a Run>, epoch: Timestamp) -> Self {
        let mut batch = Self::default();
        for moment in runs.into_iter().flat_map(Run::moments) {
            batch.push(bench, moment, epoch);
        }
        batch
    }
}

/// Several benches that share a connection; each keeps its order, because a
/// lane never has two requests on their way.
#[derive(Debug)]
pub struct Lane {
    streams: Vec<(Live, Option<Moment>)>,
    due: BinaryHeap<Reverse<(Micros, usize)>>,
}

impl Lane {
    /// A lane of these streams.
    pub fn new(streams: impl IntoIterator<Item = Live>) -> Self {
        let streams: Vec<_> =
            streams.into_iter().map(|mut live| (live.next(), live)).map(|(head, live)| (live, head)).collect();
        let heads = streams.iter().zip(0..).filter_map(|((_, head), at)| Some(Reverse((head.as_ref()?.due, at))));
        Self { due: heads.collect(), streams }
    }

    /// When it next has something to say.
    pub fn next_due(&self) -> Option<Micros> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// What is due by `now`, oldest first, as far as it fits.
    pub fn take_due(&mut self, now: Micros, epoch: Timestamp) -> Batch {
        let mut batch = Batch::default();
        while !batch.is_full() && self.next_due().is_some_and(|due| due <= now) {
            let Some(Reverse((_, at))) = self.due.pop() else { break };
            let Some((live, head)) = self.streams.get_mut(at) else { break };
            if let Some(moment) = head.take() {
                batch.push(live.bench(), &moment, epoch);
            }
            *head = live.next();
            if let Some(moment) = head {
                self.due.push(Reverse((moment.due, at)));
            }
        }
        batch
    }
}
