//! Takes the turns of schedules when their time has come.

use crate::service::Service;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks. Schedules are told to the minute.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Works until it is told to stop.
pub async fn run(service: Service, stop: CancellationToken) {
    while super::goes_on(&stop, LOOK_EVERY).await {
        if let Err(failure) = service.run_schedules().await {
            super::failed(failure);
        }
    }
}
