//! The doorbell: tells open streams that something is new.
//!
//! A ring may be lost; the truth is in the store. Streams that fall behind are
//! told so by the channel and heal themselves with a snapshot, so the bound of
//! each channel costs freshness for a moment and never a fact.

use app::domain::ids::{JobId, RunId};
use bytes::Bytes;
use tokio::sync::{broadcast, watch};

/// Rings that a stream may fall behind before it must take a snapshot.
const RINGS: usize = 256;

/// A run changed, and this is its version now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunChanged {
    /// Which run.
    pub run: RunId,
    /// Its version after the change.
    pub version: u64,
}

/// Tells every stream of this process.
#[derive(Clone, Debug)]
pub struct Bus {
    tiles: broadcast::Sender<Bytes>,
    runs: broadcast::Sender<RunChanged>,
    log: watch::Sender<u64>,
    queue: watch::Sender<u64>,
    jobs: broadcast::Sender<JobId>,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            tiles: broadcast::channel(RINGS).0,
            runs: broadcast::channel(4 * RINGS).0,
            log: watch::channel(0).0,
            queue: watch::channel(0).0,
            jobs: broadcast::channel(4 * RINGS).0,
        }
    }
}

impl Bus {
    /// Sends one ready-made frame to every stream of the wall: written once,
    /// shared by all.
    pub fn tiles_changed(&self, frame: Bytes) {
        // Nobody listening is not a fault.
        let _ = self.tiles.send(frame);
    }

    /// Rings for one run.
    pub fn run_changed(&self, changed: RunChanged) {
        let _ = self.runs.send(changed);
    }

    /// Rings for the event log.
    pub fn log_grew(&self) {
        self.log.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Rings for whoever waits for a job: there may be one.
    pub fn job_waits(&self) {
        self.queue.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Rings for one job: where it stands, how far it is, or its log.
    pub fn job_changed(&self, job: JobId) {
        let _ = self.jobs.send(job);
    }

    /// Changes whenever there may be a job to take.
    pub fn queue(&self) -> watch::Receiver<u64> {
        self.queue.subscribe()
    }

    /// Changes of jobs from now on.
    pub fn jobs(&self) -> broadcast::Receiver<JobId> {
        self.jobs.subscribe()
    }

    /// Frames of changed tiles from now on.
    pub fn tiles(&self) -> broadcast::Receiver<Bytes> {
        self.tiles.subscribe()
    }

    /// Changes of runs from now on.
    pub fn runs(&self) -> broadcast::Receiver<RunChanged> {
        self.runs.subscribe()
    }

    /// Changes whenever the event log grew.
    pub fn log(&self) -> watch::Receiver<u64> {
        self.log.subscribe()
    }

    /// How many streams of the wall are open.
    pub fn wall_streams(&self) -> usize {
        self.tiles.receiver_count()
    }
}
