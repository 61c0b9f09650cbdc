//! Holding a job: its worker says again and again that it goes on, and at the
//! end what it came to.

use super::job::Outcome;
use super::office::{Office, OfficeError};
use crate::http::wire::work::{ExtendBody, FinishBody, OrderBody};
use app::domain::job::{Claim, Progress};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often a worker says that its job goes on, and hears whether it shall.
const EXTEND_EVERY: Duration = Duration::from_secs(2);

/// How long a result is said again and again to a server that is away.
const SAY_RESULT_FOR: Duration = Duration::from_secs(600);

/// Between two tries.
pub(super) const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Says again and again that the job goes on, until it may not.
pub(super) async fn hold(
    office: Office,
    order: OrderBody,
    by: Claim,
    mut progress: watch::Receiver<Progress>,
    stopper: watch::Sender<Option<String>>,
) {
    loop {
        let body =
            ExtendBody { worker: by.worker, attempt: by.attempt, progress: Some(progress.borrow_and_update().clone()) };
        match office.extend(order.job, &body).await {
            Ok(word) => {
                if let Some(why) = word.stop {
                    stopper.send_if_modified(|stop| stop.replace(why).is_none());
                }
            }
            // The lease may be over meanwhile; then the server says so.
            Err(OfficeError::Away(why)) => tracing::debug!(job = %order.job, %why, "the server is away"),
            Err(error) => {
                stopper.send_replace(Some(GONE.into()));
                tracing::warn!(job = %order.job, %error, "a job is not ours any more");
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EXTEND_EVERY) => {}
            changed = progress.changed() => {
                if changed.is_err() {
                    return;
                }
                // Steps that are over at once are told together.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The reason that is none of a person's.
pub(super) const GONE: &str = "the job is not ours any more";

/// Says what the job came to, until that is heard.
pub(super) async fn finish(office: &Office, by: Claim, order: &OrderBody, outcome: Outcome, progress: Progress) {
    let Outcome { result, note } = outcome;
    let body = FinishBody { worker: by.worker, attempt: by.attempt, result, note, progress: Some(progress) };
    let until = Instant::now() + SAY_RESULT_FOR;
    loop {
        match office.finish(order.job, &body).await {
            Ok(()) => return,
            Err(OfficeError::Away(_)) if Instant::now() < until => tokio::time::sleep(AGAIN_AFTER).await,
            Err(error) => {
                tracing::warn!(job = %order.job, %error, "the result of a job was not taken");
                return;
            }
        }
    }
}
