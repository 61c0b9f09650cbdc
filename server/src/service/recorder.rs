//! The recorder: one writer, and its group commits.
//!
//! It takes whatever has queued while the last commit ran, makes one
//! transaction of it, and answers when that is durable. It never waits for
//! more: a lone event is committed at once, and under load the groups grow by
//! themselves. The queue is bounded in bytes; who finds it full is told to come
//! back (503), and nothing that was acknowledged is ever lost.
//!
//! What follows from events (rows of setups, runs and tests, tiles) is written
//! later and not with each of them; see [`telling`](super::telling). Whoever
//! reads first has it written, so a reader sees what was acknowledged.
//!
//! Telling first raises the version of each setup that was spoken of. On
//! PostgreSQL every group tells: that row lock makes servers take turns with a
//! setup, and a version that is not ours plus one says that another server
//! wrote, so what we have at hand is read again inside the transaction.

use super::board::{Board, tiles_frame};
use super::claims::Held;
use super::closing;
use super::failure::Failure;
use super::group;
use super::hot::Hot;
use super::pending::Pending;
use super::reckon::Joining;
use crate::bus::Bus;
use crate::config::SetupConfig;
use crate::intake::Incoming;
use crate::store::rows::{ForeignRow, ReservationRow};
use crate::store::{Store, StoreError};
use app::domain::clock::Clock;
use app::domain::forecast::Forecast;
use app::domain::health::Model;
use app::domain::ids::{RunId, SetupId};
use app::domain::name::{ProjectName, SetupName};
use app::domain::time::{Micros, Timestamp};
use app::live::BEAT_EVERY;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Events a group takes before it stops looking for more.
const GROUP_EVENTS: usize = 4_000;

/// Open runs are looked over this often.
const LOOK_OVER_EVERY: Duration = Duration::from_secs(1);

/// How an event was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// New, and understood.
    Accepted,
    /// Known already; nothing changed.
    Duplicate,
    /// Of a kind we do not know; kept.
    Ignored,
}

/// Events of one request, on their way to the recorder.
#[derive(Debug)]
pub struct Submission {
    /// The events.
    pub events: Vec<Incoming>,
    /// Our clock at their arrival.
    pub received: Timestamp,
    /// What to make of the listener's clock.
    pub clock: ListenerClock,
    /// The project of the token they came with, which stands above their own.
    pub project: Option<ProjectName>,
    /// What has to be known of launches of other protocols, kept with the events.
    pub foreign: Vec<ForeignRow>,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Vec<Fate>, Failure>>,
    /// Their share of the queue, given back with the answer.
    pub permit: OwnedSemaphorePermit,
}

/// What to make of a listener's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerClock {
    /// Compare each event with its arrival.
    Compare,
    /// It told its time at the moment of sending: the delay is known.
    Known(Micros),
    /// Old events, told as history: their times stand.
    Trusted,
}

impl ListenerClock {
    /// How long events were on their way, where their sender told.
    pub fn told(self) -> Option<Micros> {
        match self {
            Self::Compare => None,
            Self::Known(delay) => Some(delay),
            Self::Trusted => Some(Micros(0)),
        }
    }
}

/// What else the recorder is told.
#[derive(Debug)]
pub enum Note {
    /// What the past says about a run.
    Forecast(RunId, Arc<Forecast>),
    /// Somebody wants to read; answered when everything is written.
    Tell(oneshot::Sender<()>),
    /// Somebody looks after a setup, or nobody any more.
    Claim {
        /// Which setup.
        setup: SetupName,
        /// Who, and what they say.
        claim: Option<Held>,
        /// Answered when it is durable.
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Somebody keeps a setup for themselves, or nobody any more.
    Reserve {
        /// Which setup.
        setup: SetupName,
        /// Who, what for and until when.
        kept: Option<ReservationRow>,
        /// Answered when it is durable, with whether it could be.
        done: oneshot::Sender<Result<bool, StoreError>>,
    },
    /// Tests are joined or parted.
    Rename {
        /// Which.
        joining: Joining,
        /// Answered when it is durable, with whether it could be.
        done: oneshot::Sender<Result<bool, StoreError>>,
    },
}

/// The recorder's own state.
pub struct Recorder {
    pub(super) store: Store,
    pub(super) bus: Bus,
    pub(super) board: Arc<Board>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) setups: Arc<HashMap<SetupName, SetupConfig>>,
    pub(super) hot: Hot,
    pub(super) model: Model,
    pub(super) listening_since: Timestamp,
    pub(super) notes: mpsc::Sender<Note>,
    pub(super) unannounced: BTreeSet<SetupId>,
    pub(super) pending: Pending,
    /// Whether something is pending, for those who want to read.
    pub(super) behind: Arc<AtomicBool>,
    /// Whether we may tell later than we record.
    pub(super) told_later: bool,
    /// When it is time to write again.
    pub(super) tell_at: Instant,
    /// Events that may still be told with the next groups; below zero, what was
    /// told too many.
    pub(super) turn: isize,
    /// Up to which event of the log something was written last: what is heard
    /// later comes after it.
    pub(super) written_up_to: i64,
    /// A group failed: what is at hand may not be what is stored.
    pub(super) torn: bool,
}

impl Recorder {
    /// Works until it is told to stop, then commits what has queued and ends.
    pub async fn run(
        mut self,
        mut queue: mpsc::Receiver<Submission>,
        mut notes: mpsc::Receiver<Note>,
        stop: CancellationToken,
    ) {
        let mut look_over = tokio::time::interval(LOOK_OVER_EVERY);
        look_over.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = tokio::time::interval(Duration::from_micros(BEAT_EVERY.0.unsigned_abs()));
        let mut announced = Instant::now();
        loop {
            let due = self.due_at();
            tokio::select! {
                first = queue.recv() => {
                    let Some(first) = first else { break };
                    self.take(first, &mut queue).await;
                }
                Some(note) = notes.recv() => self.note(note).await,
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.tell_due().await,
                () = tokio::time::sleep_until(announced + self.show_every()), if self.has_news() => {}
                _ = look_over.tick() => self.look_over().await,
                _ = beat.tick() => self.beat(),
                () = stop.cancelled() => queue.close(),
            }
            // The first change after a pause is told at once; under load
            // changes are gathered, and only the newest tile travels.
            if self.has_news() && announced.elapsed() >= self.show_every() {
                self.announce();
                announced = Instant::now();
            }
        }
        self.tell_all().await;
        self.announce();
    }

    async fn take(&mut self, first: Submission, queue: &mut mpsc::Receiver<Submission>) {
        let mut size = first.events.len();
        let mut submissions = vec![first];
        // Who was answered by the last group has its next event ready: without
        // this its senders and the others would come in turns, in two groups.
        tokio::task::yield_now().await;
        while size < GROUP_EVENTS {
            let Ok(next) = queue.try_recv() else { break };
            size += next.events.len();
            submissions.push(next);
        }
        match self.commit(&submissions).await {
            Ok(fates) => {
                for (submission, fates) in submissions.into_iter().zip(fates) {
                    // A caller that hung up will ask again, and be told "duplicate".
                    let _ = submission.reply.send(Ok(fates));
                }
            }
            Err(error) if error.is_busy() || submissions.len() == 1 => self.refuse(submissions, error),
            Err(_) => self.take_one_by_one(submissions).await,
        }
    }

    /// One bad submission must not cost the good ones beside it.
    async fn take_one_by_one(&mut self, submissions: Vec<Submission>) {
        for submission in submissions {
            let alone = std::slice::from_ref(&submission);
            match self.commit(alone).await {
                Ok(mut fates) => {
                    let _ = submission.reply.send(Ok(fates.pop().unwrap_or_default()));
                }
                Err(error) => self.refuse(vec![submission], error),
            }
        }
    }

    fn refuse(&mut self, submissions: Vec<Submission>, error: StoreError) {
        let busy = error.is_busy();
        let mut error = Some(error);
        for submission in submissions {
            let failure = match error.take() {
                Some(error) => Failure::from(error),
                None if busy => {
                    Failure::Busy { reason: "the store cannot be reached just now", retry_after: 2, source: None }
                }
                None => Failure::Closing,
            };
            let _ = submission.reply.send(Err(failure));
        }
    }

    /// One transaction: all of the submissions, or none of them.
    async fn commit(&mut self, submissions: &[Submission]) -> Result<Vec<Vec<Fate>>, StoreError> {
        self.mend().await?;
        let recorded = group::record(self, submissions).await.inspect_err(|_| self.tear())?;
        self.told(&recorded.told);
        if recorded.log_grew {
            self.bus.log_grew();
        }
        Ok(recorded.fates)
    }

    pub(super) fn fresh_tile(&mut self, name: &SetupName, now: Timestamp) -> Option<Arc<app::read::Tile>> {
        let config = self.setups.get(name);
        let mut tile = self.hot.tile(name, config, now, self.listening_since)?;
        self.heal(name, &mut tile);
        Some(Arc::new(tile))
    }

    /// Asks for the history of a run's tests: at its first word, and again
    /// whenever it has doubled in size. The answer comes as a note.
    pub(super) fn ask_the_past(&mut self, at: &(SetupId, app::domain::name::RunKey)) {
        let Some(hot) = self.hot.runs.get_mut(at) else { return };
        if hot.run.is_over() || hot.size() < 2 * hot.forecast_size || hot.size() == 0 {
            return;
        }
        hot.forecast_size = hot.size();
        let (run, setup) = (hot.run.id, hot.run.setup);
        let (store, notes) = (self.store.clone(), self.notes.clone());
        tokio::spawn(async move {
            match super::forecasts::load(&store, run, setup).await {
                // A full queue only means that this forecast is not looked at.
                Ok(forecast) => drop(notes.try_send(Note::Forecast(run, Arc::new(forecast)))),
                Err(error) => tracing::debug!(%error, "no forecast"),
            }
        });
    }

    async fn note(&mut self, note: Note) {
        match note {
            Note::Forecast(run, forecast) => {
                let Some(hot) = self.hot.by_id(run) else { return };
                hot.expect(forecast);
            }
            // Who went away meanwhile needs no answer.
            Note::Tell(done) => {
                self.tell_all().await;
                let _ = done.send(());
            }
            Note::Claim { setup, claim, done } => {
                let _ = done.send(self.take_claim(setup, claim).await);
            }
            Note::Reserve { setup, kept, done } => {
                let _ = done.send(self.take_reservation(setup, kept).await);
            }
            Note::Rename { joining, done } => {
                let _ = done.send(self.take_joining(&joining).await);
            }
        }
    }

    /// Closes what has been silent for too long, and what has settled. Where
    /// other servers share the store, first learns what they wrote.
    async fn look_over(&mut self) {
        if matches!(self.store, Store::Postgres(_))
            && let Err(error) = self.take_up().await
        {
            tracing::warn!(error = %super::failure::chain(&error), "what other servers wrote could not be read");
        }
        if self.torn {
            return;
        }
        let now = self.clock.now();
        let since = self.since();
        for (name, at) in self.hot.undecided(now) {
            self.pending.word(&name, since);
            self.pending.changed(&name, at);
        }
        let due = closing::overlooked(&self.hot, self.board.patience(), now, self.listening_since);
        if due.is_empty() {
            return;
        }
        match closing::close(self, due, now).await {
            Ok(told) => self.told(&told),
            Err(error) => {
                self.tear();
                tracing::warn!(error = %super::failure::chain(&error), "silent runs could not be closed; will try again");
            }
        }
    }

    /// Sends the newest tile of each setup that changed.
    fn announce(&mut self) {
        if self.bus.wall_streams() == 0 {
            self.unannounced.clear();
            return;
        }
        self.show();
        let changed = std::mem::take(&mut self.unannounced);
        let tiles: Vec<_> = changed.into_iter().filter_map(|setup| self.board.tile_of(setup)).collect();
        if !tiles.is_empty() {
            self.bus.tiles_changed(tiles_frame(&tiles));
        }
    }
}

impl Recorder {
    /// The sign of life for every stream of the wall. It goes through the same
    /// channel as the tiles, right after the newest of them: a page that took
    /// everything before it must come to the same digest, or has missed one.
    fn beat(&mut self) {
        self.announce();
        self.bus.tiles_changed(self.board.beat_frame(self.clock.now()));
    }
}
