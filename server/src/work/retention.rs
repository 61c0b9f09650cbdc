//! Forgets what is too old to be kept.

use crate::service::Service;
use crate::service::courier::Lease;
use crate::service::retention::Forgotten;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two rounds.
const ROUND_EVERY: Duration = Duration::from_secs(3_600);

/// Between two steps of a round: listeners write in between.
const STEP_EVERY: Duration = Duration::from_millis(200);

/// Works until it is told to stop; not at all where everything is kept.
pub async fn run(service: Service, stop: CancellationToken) {
    if !service.forgets() {
        return;
    }
    let mut lease = Lease::new("retention");
    let (mut round, mut forgotten) = (None, Forgotten::default());
    while super::goes_on(&stop, if round.is_some() { STEP_EVERY } else { ROUND_EVERY }).await {
        let step = async {
            if !service.holds(&mut lease).await? {
                return Ok(None);
            }
            service.forget_old(round.unwrap_or_default(), &mut forgotten).await
        };
        round = step.await.unwrap_or_else(|failure| {
            super::failed(failure);
            None
        });
        if round.is_none() && !forgotten.is_none() {
            let Forgotten { runs, files, events } = std::mem::take(&mut forgotten);
            tracing::info!(runs, files, events, "what was too old was forgotten");
        }
    }
}
