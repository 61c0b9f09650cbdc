//! Records what listeners say: check who speaks, queue, wait until it is
//! durable, answer.

use super::Service;
use super::desk::Caller;
use super::failure::Failure;
use super::recorder::{Fate, ListenerClock, Submission};
use crate::config::IngestConfig;
use crate::intake::{Incoming, Parsed, Rejected};
use crate::store::rows::ForeignRow;
use app::domain::name::ProjectName;
use app::domain::time::{Micros, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// How events were taken since the start.
#[derive(Debug, Default)]
pub struct Tally {
    accepted: AtomicU64,
    duplicate: AtomicU64,
    ignored: AtomicU64,
    rejected: AtomicU64,
}

impl Tally {
    fn add(&self, receipt: &Receipt) {
        self.accepted.fetch_add(u64::from(receipt.accepted), Ordering::Relaxed);
        self.duplicate.fetch_add(u64::from(receipt.duplicate), Ordering::Relaxed);
        self.ignored.fetch_add(u64::from(receipt.ignored), Ordering::Relaxed);
        self.rejected.fetch_add(receipt.rejected.len() as u64, Ordering::Relaxed);
    }

    /// Each fate, with how many events had it.
    pub fn by_fate(&self) -> [(&'static str, u64); 4] {
        [
            ("accepted", self.accepted.load(Ordering::Relaxed)),
            ("duplicate", self.duplicate.load(Ordering::Relaxed)),
            ("ignored", self.ignored.load(Ordering::Relaxed)),
            ("rejected", self.rejected.load(Ordering::Relaxed)),
        ]
    }
}

/// What was done with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// New and durable.
    pub accepted: u32,
    /// Known already.
    pub duplicate: u32,
    /// Kept, but of a kind that this version does not know.
    pub ignored: u32,
    /// Not taken, with the reason.
    pub rejected: Vec<Rejected>,
}

/// What a request tells about its sender's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderClock {
    /// Its time at the moment of sending.
    pub sent_at: Option<Timestamp>,
    /// The events are history, and their times are to stand.
    pub trusted: bool,
}

/// What an event takes in memory beside its text, roughly.
const EVENT_OVERHEAD: usize = 256;

impl Service {
    /// Records events. Returns when they are durable, or refuses all of them.
    pub async fn record(&self, caller: &Caller, clock: SenderClock, parsed: Parsed) -> Result<Receipt, Failure> {
        self.record_with(caller, clock, parsed, Vec::new()).await
    }

    /// Records events and, in the same transaction, what has to be known of the
    /// launches of other protocols that they are about.
    pub(super) async fn record_with(
        &self,
        caller: &Caller,
        clock: SenderClock,
        parsed: Parsed,
        foreign: Vec<ForeignRow>,
    ) -> Result<Receipt, Failure> {
        let Parsed { events, mut rejected } = parsed;
        let (events, others): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| caller.may_say(event));
        if events.is_empty() && !others.is_empty() {
            return Err(Failure::Forbidden(caller.refusal()));
        }
        rejected.extend(others.into_iter().map(|event| caller.reject(&event)));
        rejected.sort_by_key(|rejected| rejected.index);
        let is_nothing = events.is_empty() && foreign.is_empty();
        let fates = if is_nothing {
            Vec::new()
        } else {
            self.submit(events, foreign, clock, caller.project().cloned()).await?
        };
        let count = |fate: Fate| fates.iter().filter(|f| **f == fate).count() as u32;
        let receipt = Receipt {
            accepted: count(Fate::Accepted),
            duplicate: count(Fate::Duplicate),
            ignored: count(Fate::Ignored),
            rejected,
        };
        self.inner.tally.add(&receipt);
        Ok(receipt)
    }

    /// How events were taken since the start.
    pub fn tally(&self) -> &Tally {
        &self.inner.tally
    }

    async fn submit(
        &self,
        events: Vec<Incoming>,
        foreign: Vec<ForeignRow>,
        clock: SenderClock,
        project: Option<ProjectName>,
    ) -> Result<Vec<Fate>, Failure> {
        let received = self.now();
        let events_size: usize = events.iter().map(|event| event.body.len() + EVENT_OVERHEAD).sum();
        let foreign_size: usize = foreign.iter().map(|row| row.body.len() + EVENT_OVERHEAD).sum();
        let size = events_size + foreign_size;
        let permit = self.inner.queue.room(size)?;
        let clock = match clock {
            SenderClock { trusted: true, .. } => ListenerClock::Trusted,
            SenderClock { sent_at: Some(sent_at), .. } => ListenerClock::Known(known_delay(received, sent_at)),
            SenderClock { .. } => ListenerClock::Compare,
        };
        let (reply, answer) = oneshot::channel();
        let submission = Submission { events, received, clock, project, foreign, reply, permit };
        self.inner.queue.put(submission)?;
        answer.await.map_err(|_| Failure::Closing)?
    }
}

/// What waits for the recorder, bounded in its number and its bytes.
pub(super) struct Queue {
    submissions: mpsc::Sender<Submission>,
    room: Arc<Semaphore>,
    bytes: usize,
}

fn full() -> Failure {
    Failure::Busy { reason: "more events are waiting than may wait", retry_after: 1, source: None }
}

impl Queue {
    pub(super) fn new(submissions: mpsc::Sender<Submission>, config: &IngestConfig) -> Self {
        let bytes = config.queue_mebibytes as usize * 1024 * 1024;
        Self { submissions, room: Arc::new(Semaphore::new(bytes)), bytes }
    }

    /// Room for so many bytes, until it is given back by being dropped. One
    /// that is larger than all room there is waits alone.
    fn room(&self, size: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let share = u32::try_from(size.min(self.bytes)).unwrap_or(u32::MAX);
        self.room.clone().try_acquire_many_owned(share).map_err(|_| full())
    }

    fn put(&self, submission: Submission) -> Result<(), Failure> {
        self.submissions.try_send(submission).map_err(|error| match error {
            TrySendError::Full(_) => full(),
            TrySendError::Closed(_) => Failure::Closing,
        })
    }
}

/// How far the sender's clock is behind ours; the road itself takes no time
/// that matters here.
fn known_delay(received: Timestamp, sent_at: Timestamp) -> Micros {
    received.since(sent_at)
}

impl Caller {
    /// An event that names no project is one of the caller's only project.
    fn may_say(&self, event: &Incoming) -> bool {
        let named = event.event.project.as_ref().or(self.project());
        self.setup.as_ref().is_none_or(|setup| *setup == event.event.setup)
            && self.projects.as_ref().is_none_or(|own| match named {
                Some(project) => own.contains(project),
                None => own.contains(&ProjectName::default()),
            })
    }

    fn reject(&self, event: &Incoming) -> Rejected {
        let other_setup = self.setup.as_ref().is_some_and(|setup| *setup != event.event.setup);
        let pointer = if other_setup { "/setup" } else { "/project" };
        Rejected { index: event.index, pointer: pointer.into(), detail: self.refusal() }
    }

    /// What it may not do.
    pub(super) fn refusal(&self) -> String {
        let setup = self.setup.as_ref().map(|setup| format!("setup {setup:?}", setup = setup.as_str()));
        let projects = self.projects.as_ref().map(|projects| {
            let names: Vec<_> = projects.iter().map(|project| format!("{:?}", project.as_str())).collect();
            format!("project {}", names.join(", "))
        });
        let bound: Vec<_> = setup.into_iter().chain(projects).collect();
        format!("this token is for {} only", bound.join(" and "))
    }
}
