//! Tells other servers what they want to know.

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
    while goes_on(&stop).await {
        if let Err(failure) = courier.step(&service).await {
            super::failed(failure);
        }
    }
}

/// Sends what is to be sent, until it is told to stop. A call that is under
/// way then is broken off, and made again after the next start.
pub async fn send(service: Service, stop: CancellationToken) {
    let mut lease = Lease::new("post");
    let mut looks = 0;
    while goes_on(&stop).await {
        let step = tokio::select! {
            () = stop.cancelled() => return,
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

async fn goes_on(stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(LOOK_EVERY) => true,
    }
}
