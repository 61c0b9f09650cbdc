//! When what follows from events is shown and written.
//!
//! Showing needs no store: some times a second, while somebody looks, the newest
//! tile of each setup that was spoken of is made from what is at hand. Writing
//! costs a statement a table. The first event after a pause is written with
//! its own group, and so is what little is said after it, ten times a second.
//! Where more is said, each setup waits for a second, so that a run's row is
//! written once and not ten times, and setups take short turns: those that
//! began to wait together would else be written together, and every request
//! would wait for the rows of all of them once a second.
//!
//! Whoever wants to read has everything written at once.

use super::pending::{Pending, Since, Word};
use super::recorder::Recorder;
use super::{failure, group};
use crate::bus::RunChanged;
use crate::store::StoreError;
use app::domain::name::SetupName;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// What little is pending is written at most this often; the first change after a
/// pause at once. Where more is said tiles are shown as often.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Tiles are shown at most this often while little is pending: who looks is to see
/// a change before a tenth of a second is over.
const SHOW_EVERY: Duration = Duration::from_millis(50);

/// Pending events from which on tiles are not shown so often: whoever looks has to
/// draw them all.
const BUSY: usize = 50;

/// How long a setup of which much is pending waits to be written.
const WRITE_AFTER: Duration = Duration::from_secs(1);

/// How long until it is tried again after a failure.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// Pending events from which on setups wait and take turns.
const MUCH: usize = 200;

/// Events that are told in a turn while nobody writes.
const TURN: usize = 1_000;

/// Events that groups with nothing to tell may leave to later ones.
const SAVED: isize = 100;

/// Versions that a page may have seen beyond those in the store: tiles are
/// shown before they are written, and a program that is killed writes no more.
pub(super) const VERSIONS_FORGOTTEN: i64 = 1 << 20;

impl Recorder {
    /// From when on something is pending that is heard now.
    pub(super) fn since(&self) -> Since {
        Since { heard: Instant::now(), after: self.written_up_to }
    }

    fn is_much(&self) -> bool {
        self.told_later && self.pending.events() >= MUCH
    }

    /// When there is next something to write or to mend.
    pub(super) fn due_at(&self) -> Option<Instant> {
        if self.torn {
            return Some(self.tell_at);
        }
        let wait = if self.is_much() { WRITE_AFTER } else { Duration::ZERO };
        self.pending.setups.values().map(|word| self.tell_at.max(word.since.heard + wait)).min()
    }

    /// From one showing of tiles to the next.
    pub(super) fn show_every(&self) -> Duration {
        if self.told_later && self.pending.events() >= BUSY { TELL_EVERY } else { SHOW_EVERY }
    }

    /// Whether a tile is newer than what the streams were sent.
    pub(super) fn has_news(&self) -> bool {
        !self.unannounced.is_empty() || self.pending.is_unshown()
    }

    /// The setups whose turn it is to be written, of about `most` events: those
    /// that have waited for longest, and any that gets its id from its row.
    fn due(&self, most: usize) -> Vec<SetupName> {
        let now = Instant::now();
        if !self.told_later || (!self.is_much() && now >= self.tell_at) {
            return self.pending.names();
        }
        let is_new = |name: &SetupName| !self.hot.setups.contains_key(name);
        let has_waited = |word: &Word| self.is_much() && now >= word.since.heard + WRITE_AFTER;
        let mut waiting: Vec<_> = self.pending.setups.iter().filter(|(_, word)| has_waited(word)).collect();
        waiting.sort_by_key(|(_, word)| word.since.heard);
        let mut events = 0;
        let turn = waiting.into_iter().take_while(|(_, word)| {
            let has_room = events < most;
            events += word.events;
            has_room
        });
        let turn = turn.map(|(name, _)| name).filter(|name| !is_new(name));
        turn.chain(self.pending.setups.keys().filter(|name| is_new(name))).cloned().collect()
    }

    /// The setups whose rows go with a group of so many events: of about a
    /// quarter more than it brings, so that what waits grows shorter and no
    /// group pays for what others brought. A setup is told whole; what that is
    /// too much, the next groups make up for.
    pub(super) fn due_with(&mut self, events: usize) -> Vec<SetupName> {
        let share = self.turn.saturating_add_unsigned(events + events / 4 + 1);
        let names = self.due(share.max(0).cast_unsigned());
        let told = names.iter().filter_map(|name| self.pending.setups.get(name)).map(|word| word.events).sum();
        self.turn = if self.is_much() { share.saturating_sub_unsigned(told).min(SAVED) } else { 0 };
        names
    }

    /// Writes what is due, or of much the next turn: what queues meanwhile gets
    /// one too.
    pub(super) async fn tell_due(&mut self) {
        self.tell(|recorder| recorder.due(TURN)).await;
    }

    /// Writes all that is pending.
    pub(super) async fn tell_all(&mut self) {
        self.tell(|recorder| recorder.pending.names()).await;
    }

    async fn tell(&mut self, which: fn(&Self) -> Vec<SetupName>) {
        if let Err(error) = self.try_to_tell(which).await {
            self.tell_at = Instant::now() + TELL_AGAIN;
            tracing::warn!(error = %failure::chain(&error), "what follows from events could not be written; will try again");
        }
    }

    /// Writes all that is pending, or says why that could not be.
    pub(super) async fn try_to_tell_all(&mut self) -> Result<(), StoreError> {
        self.try_to_tell(|recorder| recorder.pending.names()).await
    }

    /// Writes what is pending of these setups. They are asked for when what a
    /// failure tore has been read again: it is pending too.
    pub(super) async fn try_to_tell(&mut self, which: impl FnOnce(&Self) -> Vec<SetupName>) -> Result<(), StoreError> {
        self.mend().await?;
        let names = which(self);
        if !names.is_empty() {
            let told = group::tell(self, &names).await.inspect_err(|_| self.tear())?;
            self.told(&told);
        }
        Ok(())
    }

    /// What was touched in memory was not written: forget it, the store knows.
    pub(super) fn tear(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for (at, _) in pending.runs() {
            self.hot.forget(at);
        }
        for (name, word) in &pending.setups {
            let Some(setup) = self.hot.setups.get_mut(name) else { continue };
            // Where versions are our own, pages may have seen this one.
            if !self.told_later {
                setup.version = word.before.unwrap_or(setup.version);
            }
            setup.ids = None;
            setup.vitals = None;
        }
        self.torn = self.told_later;
        self.tell_at = Instant::now() + TELL_AGAIN;
    }

    /// Reads again what was forgotten.
    pub(super) async fn mend(&mut self) -> Result<(), StoreError> {
        if self.torn {
            self.replay().await?;
            self.torn = false;
        }
        Ok(())
    }

    /// This was written: tiles, bells and forecasts follow.
    pub(super) fn told(&mut self, written: &Pending) {
        self.behind.store(!self.pending.is_empty(), Ordering::Release);
        if written.is_empty() {
            return;
        }
        self.tell_at = Instant::now() + TELL_EVERY;
        for (at, name) in written.runs() {
            self.hot.show(name, &at.1);
        }
        self.put_tiles(written.setups.keys());
        // After the board: who hears the bell may look there.
        for (at, name) in written.runs() {
            let version = self.hot.setups.get(name).map_or(0, |setup| setup.version.unsigned_abs());
            let Some(run) = self.hot.used(at).map(|hot| hot.run.id) else { continue };
            self.bus.run_changed(RunChanged { run, version });
            self.ask_the_past(at);
        }
        for name in written.setups.keys() {
            self.hot.rest(name);
        }
        self.hot.shrink();
    }

    /// Shows what was said but is not written yet.
    pub(super) fn show(&mut self) {
        let mut names = Vec::new();
        for (name, word) in self.pending.setups.iter_mut().filter(|(_, word)| !word.is_shown) {
            word.is_shown = true;
            names.push(name.clone());
            if let Some(setup) = self.hot.setups.get_mut(name) {
                setup.version += 1;
            }
            for (_, key) in &word.runs {
                self.hot.show(name, key);
            }
        }
        self.put_tiles(names.iter());
    }

    fn put_tiles<'a>(&mut self, names: impl Iterator<Item = &'a SetupName>) {
        let now = self.clock.now();
        let tiles: Vec<_> = names.filter_map(|name| self.fresh_tile(name, now)).collect();
        self.unannounced.extend(tiles.iter().map(|tile| tile.setup));
        self.board.put(tiles);
    }
}
