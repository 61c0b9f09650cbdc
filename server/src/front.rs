//! Connections: taken in, bounded in number, and given up where a caller does
//! not come to the point.
//!
//! It is a loop of our own around hyper, since the ready-made one has no time
//! for the head of a request: whoever sends it a byte a minute holds a
//! connection for ever, and some thousands of them hold all.

use axum::Router;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

/// A pause after an error of the listener, such as having no file left.
const PAUSE: Duration = Duration::from_millis(100);

/// Between two signs of life of a connection of HTTP/2, and until one is missed.
const ALIVE_EVERY: Duration = Duration::from_secs(30);

/// Why TLS cannot be spoken.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate cannot be read.
    #[error("tls.certificate cannot be read")]
    Certificate(#[source] rustls::pki_types::pem::Error),
    /// The key cannot be read.
    #[error("tls.key cannot be read")]
    Key(#[source] rustls::pki_types::pem::Error),
    /// They do not fit.
    #[error("the certificate and the key of [tls] cannot be used")]
    Unfit(#[source] rustls::Error),
}

/// Speaks TLS with a certificate and its key, both in PEM.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let chain =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect).map_err(TlsError::Certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(TlsError::Key)?;
    let mut config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).map_err(TlsError::Unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How connections are taken.
pub struct Front {
    /// Takes them by TLS.
    pub tls: Option<TlsAcceptor>,
    /// The head of a request must have come by then, and a connection without
    /// a request is closed.
    pub heads_within: Duration,
    /// So many are open at once; further ones wait at the system's door.
    pub connections: usize,
}

type Routes = IntoMakeServiceWithConnectInfo<Router, SocketAddr>;

/// What every connection needs.
#[derive(Clone)]
struct Hall {
    routes: Routes,
    tls: Option<TlsAcceptor>,
    heads_within: Duration,
    stop: CancellationToken,
}

impl Front {
    /// Serves until it is told to stop; then streams end, and requests under
    /// way are answered.
    pub async fn serve(self, listener: TcpListener, router: Router, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.connections));
        let routes = router.into_make_service_with_connect_info::<SocketAddr>();
        let hall = Hall { routes, tls: self.tls, heads_within: self.heads_within, stop: stop.clone() };
        let talks = TaskTracker::new();
        while let Some((stream, peer, place)) = next(&listener, &places, &stop).await {
            // Without it a streamed page waits 40 ms for an acknowledgement.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY could not be set");
            }
            talks.spawn(hall.clone().receive(stream, peer, place));
        }
        drop(listener);
        talks.close();
        talks.wait().await;
    }
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let taking = async {
        let place = places.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Some((stream, peer, place)),
                Err(error) => {
                    // Some are of one connection that is gone; others pass when
                    // connections end. A loop without pause would help neither.
                    tracing::debug!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        taken = taking => taken,
    }
}

impl Hall {
    async fn receive(self, stream: TcpStream, peer: SocketAddr, _place: OwnedSemaphorePermit) {
        let Some(tls) = self.tls.clone() else { return self.talk(stream, peer, false).await };
        match tokio::time::timeout(self.heads_within, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                self.talk(stream, peer, is_http2).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, %peer, "a connection did not come to TLS"),
            Err(_) => tracing::debug!(%peer, "a connection did not come to TLS in time"),
        }
    }

    /// Which of the two protocols it is is known: to find it out from the first
    /// bytes has no time limit of its own.
    async fn talk<S>(mut self, stream: S, peer: SocketAddr, is_http2: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ok(service) = self.routes.call(peer).await;
        let (io, service) = (TokioIo::new(stream), TowerToHyperService::new(service));
        let ended = if is_http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).keep_alive_interval(ALIVE_EVERY).keep_alive_timeout(ALIVE_EVERY);
            let mut talk = pin!(builder.serve_connection(io, service));
            tokio::select! {
                ended = talk.as_mut() => ended,
                () = self.stop.cancelled() => {
                    talk.as_mut().graceful_shutdown();
                    talk.await
                }
            }
        } else {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(self.heads_within);
            let mut talk = pin!(builder.serve_connection(io, service).with_upgrades());
            tokio::select! {
                ended = talk.as_mut() => ended,
                () = self.stop.cancelled() => {
                    talk.as_mut().graceful_shutdown();
                    talk.await
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "a connection broke");
        }
    }
}
