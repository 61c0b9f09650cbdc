//! Tells other servers what they want to know.

use super::goes_on;
use crate::service::Service;
use crate::service::courier::{Courier, Lease};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at what changed, and at what is to be sent.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks between two clearings of letters that nobody needs any more.
const SHED_EVERY: u32 = 600;

/// Watches what changes, until it is told to stop.
pub async fn watch(service: Service, stop: CancellationToken) {
    let mut courier = Courier::default();
    while goes_on(&stop, LOOK_EVERY).await {
        if let Err(failure) = courier.step(&service).await {
            super::failed(failure);
        }
    }
}

/// Calls that are under way when it is told to stop have so long: what was
/// taken and not noted as taken is said again after the next start.
const STOPS_WITHIN: Duration = Duration::from_secs(2);

/// Sends what is to be sent, until it is told to stop. A call that takes too
/// long then is broken off, and made again after the next start.
pub async fn send(service: Service, stop: CancellationToken) {
    let mut lease = Lease::new("post");
    let mut looks = 0;
    while is_time(&service, &stop).await {
        let too_late = async {
            stop.cancelled().await;
            tokio::time::sleep(STOPS_WITHIN).await;
        };
        let step = tokio::select! {
            () = too_late => return,
            step = step(&service, &mut lease, looks % SHED_EVERY == 0) => step,
        };
        if let Err(failure) = step {
            super::failed(failure);
        }
        looks = looks.wrapping_add(1);
    }
}

async fn step(service: &Service, lease: &mut Lease, shed: bool) -> Result<(), crate::service::Failure> {
    if !service.holds(lease).await? {
        return Ok(());
    }
    if shed {
        service.shed_letters().await?;
    }
    service.deliver().await.map(drop)
}

/// Waits until there may be something to send: at once where it was written
/// here. Tells whether to go on.
async fn is_time(service: &Service, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = service.letter_written() => true,
        goes_on = goes_on(stop, LOOK_EVERY) => goes_on,
    }
}
