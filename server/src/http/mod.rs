//! The front door.

pub mod assets;
pub mod pages;

use crate::service::Service;
use axum::Router;
use tokio_util::sync::CancellationToken;

/// Every route (the API's own are being added).
pub fn router(service: Service, _stop: CancellationToken) -> Router {
    pages::router(service)
}
