//! The use cases: the only place that sees store, bus and clock together.
//!
//! Three doors lead here, and none of them decides anything: the public API,
//! the pages' server functions and the live streams. Each speaks to a [`Desk`],
//! which is the service for one asker. Writing goes through the
//! [`recorder`]; reading the present goes to the [`board`], reading the past
//! to the store.

pub mod access;
pub mod agents;
mod approvals;
pub mod as_of;
pub mod audit;
pub mod batches;
pub mod board;
pub mod channels;
pub mod commit_builds;
pub mod courier;
pub mod desk;
pub mod failure;
pub mod files;
pub mod ingest;
pub mod job_log;
pub mod jobs;
mod lapses;
pub mod links;
pub mod people;
pub mod plan;
pub mod project;
pub mod reads;
pub mod rebuild;
pub mod recorder;
pub mod renames;
pub mod reports;
pub mod repositories;
pub mod reservations;
pub mod retention;
pub mod schedules;
pub mod signing;
pub mod tokens;
pub mod walls;
pub mod workers;

mod builds;
mod claims;
mod closing;
mod cursor;
mod forecasts;
mod group;
mod hot;
mod ids;
mod judge;
mod judged;
mod limits;
mod live;
pub mod log;
mod news;
mod openid;
pub mod output;
pub mod owners;
mod pages;
mod passwords;
mod pending;
mod post;
mod reckon;
mod replay;
pub mod shown;
mod sick;
mod start;
pub mod status;
mod statuses;
pub mod suite;
mod telling;
pub mod test_details;
mod tiles;
mod visitors;
mod vitals;

pub use desk::Desk;
pub use failure::Failure;
pub use live::WallView;
pub use start::{Running, StartError, start};

use crate::bus::Bus;
use crate::config::{RepositoryConfig, Secret, SetupConfig};
use crate::files::Files;
use crate::outgoing::Outgoing;
use crate::outgoing::channel::Channel;
use crate::outgoing::mail::Mailer;
use crate::store::Store;
use app::domain::clock::Clock;
use app::domain::name::SetupName;
use app::domain::rights::Policy;
use app::domain::time::Timestamp;
use app::domain::wall::WallPlan;
use board::Board;
use ipnet::IpNet;
use recorder::Note;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Everything that may be asked of Holter. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    bus: Bus,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    setups: Arc<HashMap<SetupName, SetupConfig>>,
    walls: BTreeMap<String, WallPlan>,
    builds: builds::Builds,
    outgoing: Outgoing,
    mailer: Option<Mailer>,
    statuses: statuses::Statuses,
    letters: tokio::sync::Notify,
    channels: BTreeMap<String, Channel>,
    notify: news::Notify,
    retention: retention::Retention,
    public_url: String,
    secrets: BTreeMap<String, Secret>,
    jobs_have_network: bool,
    repositories: Vec<RepositoryConfig>,
    known: access::Known,
    passwords: passwords::Passwords,
    is_secure: bool,
    openid: Option<openid::OpenId>,
    limits: limits::Limits,
    proxies: Vec<IpNet>,
    wall_frames: Vec<String>,
    policy: Policy,
    launches: agents::Launches,
    files: Files,
    file_most: u64,
    queue: ingest::Queue,
    notes: mpsc::Sender<Note>,
    behind: Arc<AtomicBool>,
    visitors: visitors::Visitors,
    tally: ingest::Tally,
    is_art: AtomicBool,
}

impl Service {
    /// Now, by our clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock.clone()
    }

    /// The doorbell.
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// The newest tiles.
    pub fn board(&self) -> &Arc<Board> {
        &self.inner.board
    }

    /// The client that calls other servers.
    pub fn outgoing(&self) -> &Outgoing {
        &self.inner.outgoing
    }

    /// Whether people reach this server by TLS: then cookies travel by it alone.
    pub fn is_behind_tls(&self) -> bool {
        self.inner.is_secure
    }

    /// Counts a request of somebody, or says when to come again.
    pub fn admit(&self, asker: &access::Asker) -> Result<(), Failure> {
        self.inner.limits.take(asker, self.now())
    }

    /// Proxies whose word on where a request comes from counts.
    pub fn proxies(&self) -> &[IpNet] {
        &self.inner.proxies
    }

    /// Sites whose pages may show a wall in a frame.
    pub fn wall_frames(&self) -> &[String] {
        &self.inner.wall_frames
    }

    /// Whether a page of this origin is one of ours, though a proxy calls us
    /// by another name.
    pub fn is_own_origin(&self, origin: &str) -> bool {
        url::Url::parse(&self.inner.public_url).is_ok_and(|own| own.origin().ascii_serialization() == origin)
    }

    /// Sends mail, where a server for it is configured.
    pub fn mailer(&self) -> Option<&Mailer> {
        self.inner.mailer.as_ref()
    }

    /// Returns when everything that was acknowledged can be read. Called at
    /// every door to reading.
    pub async fn settled(&self) {
        if !self.inner.behind.load(Ordering::Acquire) {
            return;
        }
        let (done, told) = oneshot::channel();
        if self.inner.notes.send(Note::Tell(done)).await.is_ok() {
            // It only fails when the recorder ends, which then has written all.
            let _ = told.await;
        }
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> Result<&'static str, Failure> {
        self.inner.store.ping().await?;
        Ok(self.inner.store.kind())
    }

    /// Has the store put its log where it belongs.
    pub async fn checkpoint(&self) -> Result<(), Failure> {
        Ok(self.inner.store.checkpoint().await?)
    }
}
