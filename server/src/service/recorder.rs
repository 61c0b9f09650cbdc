//! The recorder: one writer, and its group commits.
//!
//! It takes whatever has queued while the last commit ran, makes one
//! transaction of it, and answers when that is durable. It never waits for
//! more: a lone event is committed at once, and under load the groups grow by
//! themselves. The queue is bounded in bytes; who finds it full is told to come
//! back (503), and nothing that was acknowledged is ever lost.
//!
//! Every group first raises the version of each setup it speaks of. On
//! PostgreSQL that row lock makes servers take turns with a setup, and a
//! version that is not ours plus one says that another server wrote: what we
//! have at hand is then read again inside the transaction.

use super::board::{Board, tiles_frame};
use super::failure::Failure;
use super::group::{self, Plan};
use super::hot::Hot;
use crate::bus::{Bus, RunChanged};
use crate::config::SetupConfig;
use crate::intake::Incoming;
use crate::store::{Store, StoreError};
use app::domain::clock::Clock;
use app::domain::forecast::Forecast;
use app::domain::ids::{RunId, SetupId};
use app::domain::name::SetupName;
use app::domain::time::{Micros, Timestamp};
use app::live::BEAT_EVERY;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Events a group takes before it stops looking for more.
const GROUP_EVENTS: usize = 4_000;

/// Changed tiles are sent to streams at most this often.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(25);

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
    /// How long an event was on its way, as far as its clock can tell.
    pub fn delay(self, at: Timestamp, received: Timestamp) -> Micros {
        match self {
            Self::Compare => received.since(at),
            Self::Known(delay) => delay,
            Self::Trusted => Micros(0),
        }
    }
}

/// What else the recorder is told.
#[derive(Debug)]
pub enum Note {
    /// What the past says about a run.
    Forecast(RunId, Arc<Forecast>),
}

/// The recorder's own state.
pub struct Recorder {
    pub(super) store: Store,
    pub(super) bus: Bus,
    pub(super) board: Arc<Board>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) setups: Arc<HashMap<SetupName, SetupConfig>>,
    pub(super) hot: Hot,
    pub(super) listening_since: Timestamp,
    pub(super) notes: mpsc::Sender<Note>,
    pub(super) unannounced: BTreeSet<SetupId>,
}

impl Recorder {
    /// Works until it is told to stop, then commits what has queued and ends.
    pub async fn run(
        mut self,
        mut queue: mpsc::Receiver<Submission>,
        mut notes: mpsc::Receiver<Note>,
        stop: CancellationToken,
    ) {
        let mut announce = tokio::time::interval(ANNOUNCE_EVERY);
        announce.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut look_over = tokio::time::interval(LOOK_OVER_EVERY);
        look_over.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut beat = tokio::time::interval(Duration::from_micros(BEAT_EVERY.0.unsigned_abs()));
        let mut announced = tokio::time::Instant::now();
        loop {
            tokio::select! {
                first = queue.recv() => {
                    let Some(first) = first else { break };
                    self.take(first, &mut queue).await;
                }
                Some(note) = notes.recv() => self.note(note),
                _ = announce.tick(), if !self.unannounced.is_empty() => {}
                _ = look_over.tick() => self.look_over().await,
                _ = beat.tick() => self.beat(),
                () = stop.cancelled() => queue.close(),
            }
            // The first change after a pause is told at once; under load
            // changes are gathered, and only the newest tile travels.
            if !self.unannounced.is_empty() && announced.elapsed() >= ANNOUNCE_EVERY {
                self.announce();
                announced = tokio::time::Instant::now();
            }
        }
        self.announce();
    }

    async fn take(&mut self, first: Submission, queue: &mut mpsc::Receiver<Submission>) {
        let mut size = first.events.len();
        let mut submissions = vec![first];
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
        let mut plan = Plan::default();
        let done = group::record(self, submissions, &mut plan).await;
        match done {
            Ok(fates) => {
                self.committed(plan);
                Ok(fates)
            }
            Err(error) => {
                self.drop_touched(&plan);
                Err(error)
            }
        }
    }

    /// What was touched in memory was not written: forget it, the store knows.
    fn drop_touched(&mut self, plan: &Plan) {
        for at in plan.runs.keys() {
            self.hot.forget(at);
        }
        for name in &plan.setups {
            let known = self.hot.setups.get(name).map(|setup| setup.id);
            if let Some(known) = known {
                self.hot.forget_runs_of(known);
            }
            self.hot.setups.remove(name);
        }
    }

    fn committed(&mut self, plan: Plan) {
        let now = self.clock.now();
        for ((setup, key), name) in &plan.runs {
            self.hot.show(name, key);
            if let Some(hot) = self.hot.used(&(*setup, key.clone())) {
                let run = hot.run.id;
                let version = self.hot.setups.get(name).map_or(0, |setup| setup.version.unsigned_abs());
                self.bus.run_changed(RunChanged { run, version });
                self.ask_the_past(&(*setup, key.clone()));
            }
        }
        let names = plan.setups.iter();
        let tiles: Vec<_> = names.filter_map(|name| self.fresh_tile(name, now)).collect();
        self.unannounced.extend(tiles.iter().map(|tile| tile.setup));
        self.board.put(tiles);
        if plan.events > 0 {
            self.bus.log_grew();
        }
        self.hot.shrink();
    }

    pub(super) fn fresh_tile(&mut self, name: &SetupName, now: Timestamp) -> Option<Arc<app::read::Tile>> {
        let config = self.setups.get(name);
        self.hot.tile(name, config, now, self.listening_since).map(Arc::new)
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

    fn note(&mut self, note: Note) {
        match note {
            Note::Forecast(run, forecast) => {
                let Some(hot) = self.hot.by_id(run) else { return };
                hot.expect(forecast);
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
        let now = self.clock.now();
        let due = group::overlooked(&self.hot, self.board.patience(), now, self.listening_since);
        if due.is_empty() {
            return;
        }
        let mut plan = Plan::default();
        match group::close(self, due, now, &mut plan).await {
            Ok(()) => self.committed(plan),
            Err(error) => {
                self.drop_touched(&plan);
                tracing::warn!(error = %super::failure::chain(&error), "silent runs could not be closed; will try again");
            }
        }
    }

    /// Sends the newest tile of each setup that changed.
    fn announce(&mut self) {
        let changed = std::mem::take(&mut self.unannounced);
        if self.bus.wall_streams() == 0 {
            return;
        }
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

/// Setups of a group, each once, with what they told.
pub(super) type Told = BTreeMap<SetupName, Option<BTreeMap<Box<str>, Box<str>>>>;
