//! A whole server: brought up the same way by the program and by its tests.

use crate::config::Config;
use crate::front::{Front, TlsError, acceptor};
use crate::http;
use crate::http::assets::Manifest;
use crate::runner::office::Office;
use crate::runner::sandbox::Sandbox;
use crate::runner::{self, Means, Worker};
use crate::service::{self, Running, Service, StartError};
use crate::store::{Store, StoreError, StoreUrl};
use crate::work;
use app::domain::clock::Clock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Requests that are under way when the server is told to stop get this long.
const DRAIN_FOR: Duration = Duration::from_secs(3);

/// Why the server could not be brought up.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] StoreError),
    /// The service cannot be brought up.
    #[error("what was recorded cannot be taken up")]
    Service(#[from] StartError),
    /// Somebody else listens there, or may not.
    #[error("cannot listen on {0}; choose another address with --listen")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// TLS cannot be spoken as it is configured.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Writing without a token is for one's own machine.
    #[error("--dev lets everybody write, so it listens on loopback only; {0} is not")]
    OpenToAll(SocketAddr),
}

/// A server that is up.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub service: Service,
    store: Store,
    stop: CancellationToken,
    stop_recorder: CancellationToken,
    recorder: JoinHandle<()>,
    http: JoinHandle<()>,
    /// What is done without being asked for.
    work: TaskTracker,
}

/// Names the one provider of cryptography; clients cannot be made before. Any
/// further call changes nothing.
pub fn provide_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Server {
    /// Opens the store, takes up what was going on and listens.
    pub async fn start(config: &Config, dev: bool, clock: Arc<dyn Clock>) -> Result<Self, ServerError> {
        provide_cryptography();
        if dev && !config.listen.ip().is_loopback() {
            return Err(ServerError::OpenToAll(config.listen));
        }
        let tls = config.tls.as_ref().map(|tls| acceptor(&tls.certificate, &tls.key)).transpose()?;
        let listener = listen(config.listen).await?;
        let address = listener.local_addr().map_err(|error| ServerError::Listen(config.listen, error))?;
        // Links lead to the port that there is, where any free one was asked for.
        let config = &Config { listen: address, ..config.clone() };
        let store = Store::open(&StoreUrl::parse(&config.database_url)?).await?;
        let (stop, stop_recorder) = (CancellationToken::new(), CancellationToken::new());
        let build = Manifest::read().build();
        let running = service::start(store.clone(), config, build, dev, clock, stop_recorder.clone()).await?;
        let router = http::router(running.service.clone(), stop.clone());
        let front =
            Front { tls, heads_within: config.limits.heads_within(), connections: config.limits.connections as usize };
        let http = tokio::spawn(front.serve(listener, router, stop.clone()));
        let work = work::start(&running.service, &stop);
        if let Some(worker) = own_worker(config, &running.service, address, &stop) {
            let stop = stop.clone();
            work.spawn(async move {
                if let Err(error) = worker.run(stop).await {
                    tracing::error!(%error, "this server runs no jobs any more");
                }
            });
        }
        let Running { service, recorder } = running;
        Ok(Self { address, service, store, stop, stop_recorder, recorder, work, http })
    }

    /// Stops: streams end, requests under way are answered, what was taken
    /// becomes durable, the store is closed.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(DRAIN_FOR, self.http).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
        self.work.wait().await;
        self.stop_recorder.cancel();
        if self.recorder.await.is_err() {
            tracing::error!("the recorder ended before its time");
        }
        self.store.close().await;
    }
}

/// The worker of this program itself.
fn own_worker(config: &Config, service: &Service, address: SocketAddr, stop: &CancellationToken) -> Option<Worker> {
    let runner = &config.runner;
    if runner.workers == 0 {
        return None;
    }
    let sandbox = match Sandbox::find(runner.isolation.into(), runner.visible.clone(), &runner.images) {
        Ok(sandbox) => sandbox,
        Err(why) => {
            tracing::warn!(%why, "this server runs no jobs");
            return None;
        }
    };
    let means = Means {
        sandbox,
        folder: config.data_dir.join("jobs"),
        python: runner.python.clone(),
        limits: runner.limits.into(),
        caches: runner.caches(config.data_dir.join("caches")),
    };
    let name = format!("{}:{}", runner::machine(), address.port());
    let office = Office::here(http::for_workers(service.clone(), stop.clone()));
    let (labels, slots, instance) = (runner.labels(), runner.workers, crate::clock::new_id());
    Some(Worker { office, means, name, labels, slots, instance, clock: service.clock() })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|error| ServerError::Listen(address, error))
}
