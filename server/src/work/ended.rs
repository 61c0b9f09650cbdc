//! Forgets sessions, links and attempts that are over, and old deeds. Nothing
//! depends on it but the size of the store: what is over does not count.

use crate::service::Service;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two rounds.
const ROUND_EVERY: Duration = Duration::from_secs(3_600);

/// Works until it is told to stop.
pub async fn run(service: Service, stop: CancellationToken) {
    let mut round = tokio::time::interval(ROUND_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = round.tick() => {}
        }
        if let Err(failure) = service.forget_ended().await {
            super::failed(failure);
        }
    }
}
