//! Takes jobs from workers that fell silent.

use crate::service::Service;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the leases.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Works until it is told to stop.
pub async fn run(service: Service, stop: CancellationToken) {
    while super::goes_on(&stop, LOOK_EVERY).await {
        if let Err(failure) = service.lapse_jobs().await {
            super::failed(failure);
        }
    }
}
