//! Copies the log of the store's file into the file: a commit that had to do so
//! would keep every request behind it waiting.

use crate::service::Service;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(100);

/// Until it is tried again where it failed, as on a full disk.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Works until it is told to stop.
pub async fn run(service: Service, stop: CancellationToken) {
    let mut pause = EVERY;
    while super::goes_on(&stop, pause).await {
        pause = match service.checkpoint().await {
            Ok(()) => EVERY,
            Err(failure) => {
                super::failed(failure);
                AGAIN_AFTER
            }
        };
    }
}
