//! Watches what changes and writes down what others are to be told of it.
//!
//! It wakes often and mostly finds nothing: the board says which setups have
//! a version that it has not seen. Where several servers share a store one of
//! them is the courier, by a lease; the others look in from time to time.

use super::Service;
use super::failure::Failure;
use super::news::News;
use crate::clock::new_id;
use crate::store::Store;
use app::domain::ids::SetupId;
use app::domain::time::{Micros, Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

/// For how long a lease is taken; who holds it renews it when half is over.
const LEASED_FOR: Micros = Micros::from_secs(30);

/// What one of several servers does.
#[derive(Debug)]
pub struct Lease {
    name: &'static str,
    holder: Uuid,
    ends_at: Timestamp,
}

impl Lease {
    /// A lease that is not taken yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, holder: new_id(), ends_at: Timestamp(i64::MIN) }
    }
}

/// What the courier has seen.
#[derive(Debug)]
pub struct Courier {
    lease: Lease,
    /// Setups by the version that was looked at.
    seen: HashMap<SetupId, u64>,
    news: News,
}

impl Default for Courier {
    fn default() -> Self {
        Self { lease: Lease::new("courier"), seen: HashMap::new(), news: News::default() }
    }
}

impl Courier {
    /// Looks at what changed since the last step, and tells what is to be told.
    pub async fn step(&mut self, service: &Service) -> Result<(), Failure> {
        if !service.holds(&mut self.lease).await? {
            // Another one goes on meanwhile: what was seen will be old.
            self.forget();
            return Ok(());
        }
        let step = self.look_and_tell(service).await;
        if step.is_err() {
            // What is at hand may not be what is stored.
            self.forget();
        }
        step
    }

    fn forget(&mut self) {
        self.seen.clear();
        self.news.forget();
    }

    async fn look_and_tell(&mut self, service: &Service) -> Result<(), Failure> {
        let channels = service.all_channels().await?;
        for tile in service.board().tiles() {
            let has_changed = self.seen.get(&tile.setup) != Some(&tile.version);
            if has_changed && !service.inner.statuses.is_empty() {
                service.note_commit_statuses(tile.setup, &tile.name).await?;
            }
            self.news.look(service, &tile, has_changed, &channels).await?;
            self.seen.insert(tile.setup, tile.version);
        }
        self.news.tell(service, &channels).await
    }
}

impl Service {
    /// Whether this server holds a lease now. A store in a file has one server.
    pub async fn holds(&self, lease: &mut Lease) -> Result<bool, Failure> {
        if matches!(self.inner.store, Store::Sqlite(_)) {
            return Ok(true);
        }
        let now = self.now();
        if lease.ends_at.since(now) > Micros(LEASED_FOR.0 / 2) {
            return Ok(true);
        }
        let ends_at = now + LEASED_FOR;
        let is_ours = self.inner.store.lease_take(lease.name, lease.holder, ends_at, now).await?;
        lease.ends_at = if is_ours { ends_at } else { Timestamp(i64::MIN) };
        Ok(is_ours)
    }

    /// An address of this server as other people reach it.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.inner.public_url)
    }
}
