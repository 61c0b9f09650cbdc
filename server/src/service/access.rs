//! Who asks: from what was shown to who it is, remembered for a while.
//!
//! A token or a session is looked up by its hash once, and then remembered.
//! Nothing that is remembered outlives the right it stands for: whatever takes
//! a right away raises a mark in the store in the same transaction. Here what is
//! remembered is forgotten before the call returns; other servers, and this one
//! for what the command line does beside it, look at the mark every second. Where
//! the mark cannot be read, nothing that is remembered counts.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::tokens::hash_of;
use crate::store::rows::{SessionRow, TokenRow};
use app::domain::rights::{Pass, Person, Scope, Who};
use app::domain::time::{Micros, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the mark is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is remembered counts for so long after the mark was last read.
const TRUSTED_FOR: Duration = Duration::from_secs(5);

/// After this long the store is asked again, and told that it was used.
const REMEMBERED: Micros = Micros::from_secs(60);

/// Tokens and sessions remembered at most; then all are forgotten at once,
/// which costs one look-up each.
const REMEMBERED_MAX: usize = 50_000;

/// A session that is not used for so long is over …
pub(super) const SESSION_IDLE: Micros = Micros::from_secs(14 * 86_400);

/// … and so is one that is as old as this.
const SESSION_MOST: Micros = Micros::from_secs(90 * 86_400);

/// The hash of a secret.
pub type Hash = [u8; 32];

/// What was shown at the door.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// Nothing.
    Nothing,
    /// A token.
    Token(&'a str),
    /// The cookie of a session.
    Session(&'a str),
    /// The secret of a kiosk's link.
    Kiosk(&'a str),
    /// The cookie that such a link left.
    KioskCookie(&'a str),
}

/// Who asks, from where, and by what it is known.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// Who.
    pub who: Arc<Who>,
    /// The other end of the connection, or the client of a trusted proxy.
    pub address: Option<IpAddr>,
    /// The hash of what was shown.
    pub hash: Option<Hash>,
    /// When it is over by itself.
    pub expires_at: Option<Timestamp>,
}

impl Asker {
    fn is_kiosk(&self) -> bool {
        matches!(&*self.who, Who::Pass(pass) if pass.scope == Scope::Kiosk)
    }

    /// What forms made for this session carry; none where nobody is signed in.
    pub fn form_key(&self) -> Option<String> {
        let hash = self.hash.filter(|_| matches!(*self.who, Who::Person(_)))?;
        let key: Hash = Sha256::new().chain_update(b"a form of this session").chain_update(hash).finalize().into();
        Some(hex::encode(key))
    }
}

#[derive(Clone, Debug)]
struct Entry {
    who: Arc<Who>,
    expires_at: Option<Timestamp>,
    asked_at: Timestamp,
    generation: u64,
}

/// What is remembered.
#[derive(Debug)]
pub struct Known {
    entries: Mutex<HashMap<Hash, Entry>>,
    generation: AtomicU64,
    read_at: Mutex<Instant>,
    changed: watch::Sender<u64>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            generation: AtomicU64::new(0),
            read_at: Mutex::new(Instant::now()),
            changed: watch::channel(0).0,
        }
    }
}

impl Known {
    fn entries(&self) -> MutexGuard<'_, HashMap<Hash, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, hash: &Hash, now: Timestamp) -> Option<Entry> {
        let is_current = |entry: &&Entry| {
            entry.generation == self.generation.load(Ordering::Acquire) && now.since(entry.asked_at) < REMEMBERED
        };
        self.entries().get(hash).filter(is_current).cloned().filter(|_| self.is_trusted())
    }

    fn put(&self, hash: Hash, entry: Entry) {
        let mut entries = self.entries();
        if entries.len() >= REMEMBERED_MAX {
            entries.clear();
        }
        entries.insert(hash, entry);
    }

    fn is_trusted(&self) -> bool {
        self.read_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < TRUSTED_FOR
    }

    fn note_read(&self) {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Forgets everything, and tells open streams to look again. An answer that
    /// was on its way meanwhile belongs to the generation before, and is not
    /// remembered either.
    pub fn forget(&self) {
        let generation = self.generation.fetch_add(1, Ordering::AcqRel) + 1;
        let _ = self.changed.send_replace(generation);
    }

    /// Rings whenever a right may have been taken away.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// Looks at the mark until it is told to stop.
pub(super) async fn watch_mark(service: Service, stop: CancellationToken) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match service.inner.store.access_mark().await {
            Ok(mark) => {
                service.inner.known.note_read();
                if known.replace(mark).is_some_and(|known| known != mark) {
                    service.inner.known.forget();
                }
            }
            Err(error) => tracing::debug!(%error, "whether rights were taken away could not be read"),
        }
    }
}

impl Service {
    /// The service for whoever showed this. What does not hold is no failure:
    /// it gives a desk at which little or nothing is allowed.
    pub async fn desk(&self, shown: Shown<'_>, address: Option<IpAddr>) -> Result<Desk, Failure> {
        let nobody = Asker { address, ..Asker::default() };
        let secret = match shown {
            Shown::Nothing => return Ok(Desk::new(self.clone(), nobody)),
            Shown::Token(secret) | Shown::Session(secret) | Shown::Kiosk(secret) | Shown::KioskCookie(secret) => secret,
        };
        let hash = hash_of(secret);
        let is_session = matches!(shown, Shown::Session(_));
        let is_cookie = is_session || matches!(shown, Shown::KioskCookie(_));
        let may_look = || self.inner.limits.look(address, self.now());
        let asker = self.asker(hash, is_session, address, may_look).await?;
        // What opens a wall opens nothing else, and nothing else opens a wall.
        let is_kiosk = matches!(shown, Shown::Kiosk(_) | Shown::KioskCookie(_));
        let asker = match asker.filter(|asker| !is_kiosk || asker.is_kiosk()) {
            Some(asker) => asker,
            // A cookie is sent by browsers, not by people: an old one is nothing.
            None if is_cookie => nobody,
            None => {
                let why = match shown {
                    Shown::Kiosk(_) => "this link to the wall was revoked or never was one; ask for a new one",
                    _ => "this token is not known here, has expired or was revoked",
                };
                Asker { who: Arc::new(Who::Stranger(why)), ..nobody }
            }
        };
        Ok(Desk::new(self.clone(), asker))
    }

    /// Who is known by a hash; none where nobody is, or not any more. Who is
    /// not remembered is looked up where that may be.
    pub(super) async fn asker(
        &self,
        hash: Hash,
        is_session: bool,
        address: Option<IpAddr>,
        may_look: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Option<Asker>, Failure> {
        let now = self.now();
        let entry = match self.inner.known.get(&hash, now) {
            Some(entry) => Some(entry),
            None => {
                may_look()?;
                self.look_up(hash, is_session, address, now).await?
            }
        };
        // A cookie that somebody took is no token, though it is remembered.
        let is_shown_as_meant = |entry: &Entry| matches!(*entry.who, Who::Person(_)) == is_session;
        let entry = entry.filter(is_shown_as_meant);
        let entry = entry.filter(|entry| entry.expires_at.is_none_or(|expires| expires > now));
        Ok(entry.map(|entry| Asker { who: entry.who, address, hash: Some(hash), expires_at: entry.expires_at }))
    }

    async fn look_up(
        &self,
        hash: Hash,
        is_session: bool,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Entry>, Failure> {
        let generation = self.inner.known.generation.load(Ordering::Acquire);
        let found = if is_session {
            self.look_up_session(&hash, address, now).await?
        } else {
            self.look_up_token(&hash, address, now).await?
        };
        let Some((who, expires_at)) = found else { return Ok(None) };
        let entry = Entry { who: Arc::new(who), expires_at, asked_at: now, generation };
        self.inner.known.put(hash, entry.clone());
        Ok(Some(entry))
    }

    async fn look_up_token(
        &self,
        hash: &Hash,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<(Who, Option<Timestamp>)>, Failure> {
        let Some(row) = self.inner.store.token_by_hash(hash).await? else { return Ok(None) };
        let Some(pass) = pass_of(&row).filter(|_| row.revoked_at.is_none()) else { return Ok(None) };
        let is_over = row.expires_at.is_some_and(|expires| expires <= now);
        if !is_over && row.used_at.is_none_or(|used| now.since(used) >= REMEMBERED) {
            let from = address.map(|address| address.to_string());
            // Not worth refusing an event for.
            if let Err(error) = self.inner.store.token_touch(row.id, now, from.as_deref()).await {
                tracing::debug!(%error, "the use of a token was not noted");
            }
        }
        Ok(Some((Who::Pass(pass), row.expires_at)))
    }

    async fn look_up_session(
        &self,
        hash: &Hash,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<(Who, Option<Timestamp>)>, Failure> {
        let store = &self.inner.store;
        let Some(row) = store.session_by_hash(hash).await?.filter(|row| row.expires_at > now) else { return Ok(None) };
        let Some(user) = store.user_get(row.user).await?.filter(|user| user.disabled_at.is_none()) else {
            return Ok(None);
        };
        let grants = store.grants_of(user.id).await?.into_iter().map(|row| (row.project, row.role)).collect();
        let expires_at = session_end(&row, now);
        if now.since(row.used_at) >= REMEMBERED {
            let from = address.map(|address| address.to_string());
            if let Err(error) = store.session_touch(row.id, now, expires_at, from.as_deref()).await {
                tracing::debug!(%error, "the use of a session was not noted");
            }
        }
        let person = Person { id: user.id, name: user.name, session: row.id, role: user.role, grants };
        Ok(Some((Who::Person(person), Some(expires_at))))
    }
}

/// When a session that is used now is over.
pub(super) fn session_end(row: &SessionRow, now: Timestamp) -> Timestamp {
    (now + SESSION_IDLE).min(row.created_at + SESSION_MOST)
}

/// A token as far as rights go; one of a scope of another release gives none.
fn pass_of(row: &TokenRow) -> Option<Pass> {
    Some(Pass {
        id: row.id,
        label: row.label.clone(),
        scope: Scope::parse(&row.scope)?,
        project: row.project.clone(),
        setup: row.setup.clone(),
        wall: row.wall.clone(),
    })
}
