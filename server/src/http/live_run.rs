//! `GET /live/runs/{id}`: one run, live, for our own pages.

use super::Door;
use super::extract::{RunInPath, no_run};
use super::problem::Refusal;
use super::sse::{self, BEAT_EVERY, Frames};
use crate::service::board::frame;
use crate::service::{Desk, Failure};
use app::domain::ids::{RunId, SetupId};
use app::domain::problem::Problem;
use app::domain::rights::Action;
use app::live::{Beat, RunMessage, digest};
use app::read::{RunHead, RunPage};
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, sleep, sleep_until};

/// Changes of a run are told at most this often: nobody reads faster, and a
/// run that changes a thousand times a second costs ten reads.
const CHANGE_EVERY: Duration = Duration::from_millis(100);

/// After a ring for another run this passes before the next ring is looked
/// at, so that a stream does not wake for each event of a busy server.
const FOREIGN_REST: Duration = Duration::from_millis(20);

/// After the store refused, it is asked again this often.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Streams a run.
pub async fn get(State(door): State<Door>, desk: Desk, RunInPath(id): RunInPath) -> Result<Response, Refusal> {
    // Subscribed before the run is read; see the wall's stream.
    let rings = Rings(desk.bus().runs());
    let page = desk.run(id).await?.ok_or_else(|| no_run(id))?;
    let shown = Shown::of(&page.head);
    let now = Instant::now();
    let first = Some(Box::new(page));
    let beat_at = now + BEAT_EVERY;
    let follow = Follow { door, desk: desk.clone(), id, rings, rang: false, shown, first, told: now, beat_at };
    Ok(sse::respond(desk, Action::Read, follow))
}

/// What the page at the other end knows.
#[derive(Clone, Copy)]
struct Shown {
    version: u64,
    is_over: bool,
}

impl Shown {
    fn of(head: &RunHead) -> Self {
        let is_over = head.card.state.is_over();
        Self { version: head.version, is_over }
    }
}

struct Rings(tokio::sync::broadcast::Receiver<crate::bus::RunChanged>);

impl Rings {
    /// Waits until this run changed, or may have. `None` when the bus is gone.
    async fn of(&mut self, id: RunId) -> Option<()> {
        loop {
            match self.0.recv().await {
                Ok(ring) if ring.run == id => return Some(()),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some(()),
                Err(RecvError::Closed) => return None,
            }
            sleep(FOREIGN_REST).await;
            if self.drain(id) {
                return Some(());
            }
        }
    }

    /// Takes every ring that waits, and says whether one was, or may have
    /// been, for this run.
    fn drain(&mut self, id: RunId) -> bool {
        let mut rang = false;
        loop {
            match self.0.try_recv() {
                Ok(ring) => rang |= ring.run == id,
                Err(TryRecvError::Lagged(_)) => rang = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return rang,
            }
        }
    }
}

struct Follow {
    door: Door,
    desk: Desk,
    id: RunId,
    rings: Rings,
    /// It rang, and what is new has not been read yet. Kept here because a
    /// beat may come in between.
    rang: bool,
    shown: Shown,
    first: Option<Box<RunPage>>,
    /// When the last change was told.
    told: Instant,
    beat_at: Instant,
}

enum Word {
    Nothing,
    Say(RunMessage),
    Gone,
}

fn write(message: &RunMessage) -> Bytes {
    // Rows are plain values with text keys: writing them cannot fail.
    frame(&serde_json::to_string(message).unwrap_or_default())
}

impl Follow {
    fn beat(&self) -> RunMessage {
        let service = &self.desk;
        let version = std::iter::once((SetupId(self.id.0), self.shown.version));
        let build = service.board().build().to_owned();
        RunMessage::Beat(Beat { now: service.now(), build, digest: digest(version) })
    }

    /// What is new. A run that has just ended is told whole: what never began
    /// has another outcome now, though its rows did not change.
    async fn news(&mut self) -> Result<Word, Failure> {
        let service = &self.desk;
        let Some(change) = service.run_changes(self.id, self.shown.version).await? else { return Ok(Word::Gone) };
        let now = Shown::of(&change.head);
        if now.version <= self.shown.version && now.is_over == self.shown.is_over {
            return Ok(Word::Nothing);
        }
        let message = if now.is_over == self.shown.is_over {
            RunMessage::Change(Box::new(change))
        } else {
            let Some(page) = service.run(self.id).await? else { return Ok(Word::Gone) };
            RunMessage::Snapshot(Box::new(page))
        };
        self.shown = match &message {
            RunMessage::Snapshot(page) => Shown::of(&page.head),
            _ => now,
        };
        Ok(Word::Say(message))
    }

    /// The news as soon as there are any.
    async fn changed(&mut self) -> Word {
        if !self.rang && self.rings.of(self.id).await.is_none() {
            return Word::Gone;
        }
        self.rang = true;
        sleep_until(self.told + CHANGE_EVERY).await;
        self.rings.drain(self.id);
        loop {
            match self.news().await {
                Ok(word) => {
                    self.rang = false;
                    return word;
                }
                // It becomes a problem only to be said in the log.
                Err(failure) => drop(Problem::from(failure)),
            }
            sleep(RETRY_EVERY).await;
        }
    }

    async fn follow(&mut self) -> Option<RunMessage> {
        let stop = self.door.stop.clone();
        loop {
            let beat_at = self.beat_at;
            let word = tokio::select! {
                biased;
                () = stop.cancelled() => Word::Gone,
                word = self.changed() => word,
                () = sleep_until(beat_at) => {
                    self.beat_at = Instant::now() + BEAT_EVERY;
                    Word::Say(self.beat())
                }
            };
            match word {
                Word::Nothing => {}
                Word::Say(message) => return Some(message),
                Word::Gone => return None,
            }
        }
    }
}

impl Frames for Follow {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(page) = self.first.take() {
            return Some(write(&RunMessage::Snapshot(page)));
        }
        let message = self.follow().await?;
        if !matches!(message, RunMessage::Beat(_)) {
            self.told = Instant::now();
        }
        Some(write(&message))
    }
}
