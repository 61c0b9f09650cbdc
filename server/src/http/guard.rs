//! What surrounds every request: an id, a net for panics, and the headers
//! that keep browsers safe.
//!
//! One layer instead of five, and none of it allocates for a request that
//! goes well beyond its id: this stands before every event too.

use super::extract::bearer;
use super::problem::{self, Refusal};
use crate::service::access::Shown;
use crate::service::{Desk, Service};
use app::domain::problem::ProblemKind;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Names a request in our log and in the caller's hands.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The policy of everything that sets no stricter or wider one of its own:
/// nothing but what comes from here, and no script or style inside a page.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'self'";

const SAFE: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Puts the layer around all routes of a router.
pub fn guard(router: Router, service: Service) -> Router {
    router.layer(middleware::from_fn_with_state(service, around))
}

async fn around(State(service): State<Service>, mut request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    if let Some(secret) = request.headers_mut().get_mut(header::AUTHORIZATION) {
        secret.set_sensitive(true);
    }
    let told = tracing::enabled!(tracing::Level::DEBUG)
        .then(|| (request.method().clone(), request.uri().path().to_owned(), Instant::now()));
    if is_foreign(&request) {
        let refusal = Refusal::new(ProblemKind::Forbidden, "another site's page may not change anything here");
        return problem::sign(refusal.into_response(), id.to_str().unwrap_or_default());
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    match asker(&service, request.headers(), peer).await {
        Ok(desk) => drop(request.extensions_mut().insert(desk)),
        Err(refusal) => return problem::sign(refusal.into_response(), id.to_str().unwrap_or_default()),
    }
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answer.unwrap_or_else(|_| {
        // What the panic said is in the log by the hook of the runtime.
        Refusal::new(ProblemKind::Internal, "the server could not do this; its log says why").into_response()
    });
    let mut response = problem::sign(response, id.to_str().unwrap_or_default());
    if let Some((method, path, began)) = told {
        let (status, elapsed) = (response.status().as_u16(), began.elapsed());
        tracing::debug!(request.id = ?id, %method, path, status, elapsed_us = elapsed.as_micros() as u64, "answered");
    }
    let headers = response.headers_mut();
    headers.reserve(SAFE.len() + 1);
    headers.insert(REQUEST_ID, id);
    for (name, value) in SAFE {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The service for whoever sent a request.
async fn asker(service: &Service, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Desk, Refusal> {
    let shown = bearer(headers).map_or(Shown::Nothing, Shown::Token);
    Ok(service.desk(shown, peer).await?)
}

/// Whether the page of another site has a browser change something here. Only
/// browsers say so: whoever says nothing is a program, and sends a token.
fn is_foreign(request: &Request) -> bool {
    if request.method().is_safe() {
        return false;
    }
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    match text(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        // Older browsers say only where they come from.
        None => text(header::ORIGIN)
            .is_some_and(|origin| origin.split_once("://").map(|(_, host)| host) != text(header::HOST)),
    }
}

/// The caller's own id where it is harmless, else a new one.
fn id_of(headers: &HeaderMap) -> HeaderValue {
    let own = headers.get(REQUEST_ID).filter(|id| {
        let id = id.as_bytes();
        (1..=64).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    });
    own.cloned().unwrap_or_else(new_id)
}

/// The start of this process and a number: unique, and cheaper than chance.
fn new_id() -> HeaderValue {
    static START: LazyLock<String> = LazyLock::new(|| crate::clock::new_id().simple().to_string()[..12].to_owned());
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("{}-{:x}", *START, NEXT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("unnamed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_id_is_kept_and_any_other_replaced() {
        let with = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).expect("a header"));
            id_of(&headers)
        };
        assert_eq!(with("build-7_a.b"), "build-7_a.b");
        for odd in ["", "a b", "<script>", &"x".repeat(65)] {
            assert_ne!(with(odd), odd);
        }
        assert_ne!(new_id(), new_id());
    }
}
