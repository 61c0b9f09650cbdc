//! Deletes files that nothing points at any more.

use crate::service::Service;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two rounds over all contents.
const ROUND_EVERY: Duration = Duration::from_secs(600);

/// Between two steps of a round, so that a store with a million contents is
/// gone over in minutes and nobody feels it.
const STEP_EVERY: Duration = Duration::from_millis(200);

/// Works until it is told to stop.
pub async fn run(service: Service, stop: CancellationToken) {
    let mut after = None;
    while super::goes_on(&stop, if after.is_some() { STEP_EVERY } else { ROUND_EVERY }).await {
        after = match service.tidy_files(after).await {
            Ok(tidied) => {
                if tidied.deleted > 0 {
                    tracing::info!(
                        files = tidied.deleted,
                        bytes = tidied.bytes,
                        "files that nothing points at were deleted"
                    );
                }
                tidied.next
            }
            Err(failure) => {
                super::failed(failure);
                None
            }
        };
    }
}
