//! What is done again and again without being asked for.
//!
//! Each room is one kind of work. Its step takes no input but where the last
//! one ended, may run twice or on two servers at once, and is small: readers
//! and listeners never feel it. The rules are the service's.

pub mod checkpoints;
pub mod courier;
pub mod ended;
pub mod files;
pub mod leases;
pub mod retention;
pub mod schedules;

use crate::service::{Failure, Service};
use app::domain::problem::Problem;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Begins all of it. It ends when it is told to stop.
pub fn start(service: &Service, stop: &CancellationToken) -> TaskTracker {
    let work = TaskTracker::new();
    work.spawn(checkpoints::run(service.clone(), stop.clone()));
    work.spawn(courier::watch(service.clone(), stop.clone()));
    work.spawn(courier::send(service.clone(), stop.clone()));
    work.spawn(ended::run(service.clone(), stop.clone()));
    work.spawn(files::run(service.clone(), stop.clone()));
    work.spawn(leases::run(service.clone(), stop.clone()));
    work.spawn(retention::run(service.clone(), stop.clone()));
    work.spawn(schedules::run(service.clone(), stop.clone()));
    work.close();
    work
}

/// Waits for so long, or until it is told to stop. Tells whether to go on.
async fn goes_on(stop: &CancellationToken, pause: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

/// Says in the log that a step failed: it becomes a problem only for that.
fn failed(failure: Failure) {
    drop(Problem::from(failure));
}
