//! Runs jobs: a worker takes them from a server, and runs each in a fresh
//! folder, kept apart from the machine, from the server and from each other.
//!
//! It speaks to the server by the public API alone, so a worker is the same
//! program on any machine. [`sandbox`] is what stands around a job, [`step`]
//! starts and ends its programs, [`container`] is around those that want an image,
//! [`parts`] is their order, [`cache`] what stays for the next job, [`watch`]
//! counts what they take, [`log`] is on
//! the way from their output to the server, [`relay`] is the way of their
//! listeners there, [`folder`] is where they are, and [`office`] is the server.

mod cache;
mod container;
mod folder;
mod hand_in;
mod hold;
mod job;
mod log;
mod mask;
pub mod office;
mod parts;
mod plan;
mod relay;
pub mod sandbox;
mod step;
mod users;
mod watch;

use crate::http::wire::work::{ClaimRequest, HelloBody};
use app::domain::clock::Clock;
use app::domain::ids::WorkerId;
use app::domain::job::{Claim, Labels, Limits};
use office::{Office, OfficeError};
use sandbox::Sandbox;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use crate::http::listeners::files as listeners;
pub use cache::Caches;

/// Between two tries while the server is away.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What this machine is called.
pub fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What a worker has on its machine.
#[derive(Clone, Debug)]
pub struct Means {
    /// What stands around jobs.
    pub sandbox: Sandbox,
    /// Where their folders are.
    pub folder: PathBuf,
    /// What runs Python in them.
    pub python: String,
    /// More is given to no job.
    pub limits: Limits,
    /// What it keeps from one job to the next, where it keeps anything.
    pub caches: Option<Caches>,
}

/// A program that takes jobs.
#[derive(Clone)]
pub struct Worker {
    /// The server.
    pub office: Office,
    /// What it has.
    pub means: Means,
    /// Its name, by which it is known over all its starts.
    pub name: String,
    /// Labels of its own.
    pub labels: Labels,
    /// Jobs it runs at once.
    pub slots: u32,
    /// Which start of it this is.
    pub instance: Uuid,
    /// For what it says of itself.
    pub clock: Arc<dyn Clock>,
}

impl Worker {
    /// Takes and runs jobs until it is told to stop: what runs then is ended,
    /// and taken again by another. An error is one that no waiting mends.
    pub async fn run(self, stop: CancellationToken) -> Result<(), OfficeError> {
        let left = self.means.folder.clone();
        // A killed job may have left gigabytes. What it cannot delete it has said.
        let _ = tokio::task::spawn_blocking(move || folder::sweep(&left)).await;
        if let Some(containers) = self.means.sandbox.containers() {
            containers.sweep(&self.means.folder).await;
        }
        let worker = Arc::new(self);
        // Said once, and not by each slot: it is one worker.
        let id = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            id = worker.start() => id?,
        };
        let slots = TaskTracker::new();
        let (gave_up, mut fault) = tokio::sync::mpsc::channel(1);
        let ended = stop.child_token();
        for _ in 0..worker.slots {
            let (worker, ended, gave_up) = (worker.clone(), ended.clone(), gave_up.clone());
            slots.spawn(async move {
                let working = worker.work(id);
                tokio::select! {
                    () = ended.cancelled() => {}
                    error = working => {
                        let _ = gave_up.try_send(error);
                        ended.cancel();
                    }
                }
            });
        }
        drop(gave_up);
        slots.close();
        slots.wait().await;
        if let Some(containers) = worker.means.sandbox.containers() {
            // Whoever started them is gone, and so are their folders.
            containers.sweep(&worker.means.folder).await;
        }
        fault.try_recv().map_or(Ok(()), Err)
    }

    /// Says hello until the server answers.
    async fn start(&self) -> Result<WorkerId, OfficeError> {
        let hello = HelloBody {
            name: self.name.clone(),
            instance: self.instance,
            labels: self.labels.key(),
            slots: self.slots,
            about: serde_json::json!({
                "version": env!("CARGO_PKG_VERSION"),
                "system": std::env::consts::OS,
                "processor": std::env::consts::ARCH,
                "isolation": format!("{:?}", self.means.sandbox.isolation()).to_lowercase(),
            }),
        };
        loop {
            match self.office.hello(&hello).await {
                Ok(welcome) => return Ok(welcome.id),
                Err(OfficeError::Away(why)) => {
                    tracing::warn!(%why, "the server does not answer; will try again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes and runs one job after the other, until it never can again.
    async fn work(&self, mut id: WorkerId) -> OfficeError {
        let user = match self.means.sandbox.is_root().then(users::take).transpose() {
            Ok(user) => user,
            Err(error) => return OfficeError::Refused(format!("no user for jobs could be had: {error}")),
        };
        let user = user.as_ref().map(|user| user.id);
        loop {
            let request = ClaimRequest { worker: id, instance: self.instance, wait_seconds: 0 };
            match self.office.claim(request).await {
                Ok(Some(order)) => {
                    let by = Claim { worker: id, attempt: order.attempt };
                    job::run(&self.means, &self.office, &self.clock, user, by, order).await;
                }
                Ok(None) => {}
                Err(OfficeError::Away(why)) => {
                    tracing::debug!(%why, "the server is away; will try again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                // It was forgotten, or the server has another store.
                Err(OfficeError::Unknown(_)) => match self.start().await {
                    Ok(again) => id = again,
                    Err(error) => return error,
                },
                Err(error) => return error,
            }
        }
    }
}
