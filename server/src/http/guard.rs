//! What surrounds every request: an id, a net for panics, and the headers
//! that keep browsers safe.
//!
//! One layer instead of five, and none of it allocates for a request that
//! goes well beyond its id: this stands before every event too.

use super::body;
use super::cookies::{self, Cookies};
use super::extract::bearer;
use super::forwarded::client;
use super::problem::{self, Refusal};
use crate::service::access::Shown;
use crate::service::{Desk, Service};
use app::domain::problem::ProblemKind;
use app::domain::rights::Who;
use app::paths::Segment;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use futures::FutureExt;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How browsers say from where a request comes.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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
    // The path alone: what stands behind it may be a secret.
    let told = tracing::enabled!(tracing::Level::DEBUG)
        .then(|| (request.method().clone(), request.uri().path().to_owned(), Instant::now()));
    let is_for_people = takes_pages(&request);
    let response = answer(&service, request, next).await.unwrap_or_else(IntoResponse::into_response);
    let mut response = problem::sign(response, id.to_str().unwrap_or_default(), is_for_people);
    if let Some((method, path, began)) = told {
        let (status, elapsed) = (response.status().as_u16(), began.elapsed());
        tracing::debug!(request.id = ?id, %method, path, status, elapsed_us = elapsed.as_micros() as u64, "answered");
    }
    let headers = response.headers_mut();
    headers.reserve(SAFE.len() + 2);
    if service.is_behind_tls() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.insert(REQUEST_ID, id);
    for (name, value) in SAFE {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Finds out who asks, and has the request answered; or says why not.
async fn answer(service: &Service, mut request: Request, next: Next) -> Result<Response, Refusal> {
    name_host(&mut request);
    if is_foreign(service, &request) {
        return Err(Refusal::new(ProblemKind::Forbidden, "another site's page may not change anything here"));
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.map(|peer| client(peer, request.headers(), service.proxies()));
    let is_safe = request.method().is_safe();
    let desk = asker(service, request.headers(), is_safe, peer).await;
    let desk = match desk.and_then(|desk| Ok(service.admit(desk.asker()).map(|()| desk)?)) {
        Ok(desk) => desk,
        Err(refusal) => {
            let (parts, body) = request.into_parts();
            body::drain(&parts.headers, body).await;
            return Err(refusal);
        }
    };
    let (way_in, kiosk) = (way_in_for(&request, &desk), kiosk_cookie(service, &request));
    request.extensions_mut().insert(desk);
    let (request, lent) = body::lend(request);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answer.map_err(|_| {
        // What the panic said is in the log by the hook of the runtime.
        Refusal::new(ProblemKind::Internal, "the server could not do this; its log says why")
    })?;
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    if let Some(lent) = lent.filter(|_| is_refused) {
        lent.discard().await;
    }
    if response.status() == StatusCode::UNAUTHORIZED
        && let Some(way_in) = way_in
    {
        return Ok(Redirect::to(&way_in).into_response());
    }
    if let Some(cookie) = kiosk.filter(|_| response.status().is_success()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// HTTP/2 says in the address which host is meant: from here on it stands where
/// HTTP/1.1 has it.
fn name_host(request: &mut Request) {
    if request.headers().contains_key(header::HOST) {
        return;
    }
    let host = request.uri().authority().and_then(|authority| HeaderValue::try_from(authority.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// The service for whoever sent a request.
async fn asker(service: &Service, headers: &HeaderMap, is_safe: bool, peer: Option<IpAddr>) -> Result<Desk, Refusal> {
    if let Some(token) = bearer(headers) {
        return Ok(service.desk(Shown::Token(token), peer).await?);
    }
    // Browsers send cookies by themselves. Where something is to be changed one
    // counts only if the browser says that our own page asked for it.
    let cookies = Cookies::of(headers, service.is_behind_tls());
    let counts = !cookies.is_empty() && (is_safe || is_said_by_browser(headers));
    let session = cookies.session.as_deref().filter(|_| counts).map(Shown::Session);
    let kiosk = cookies.kiosk.as_deref().filter(|_| is_safe).map(Shown::KioskCookie);
    let desk = service.desk(session.unwrap_or(Shown::Nothing), peer).await?;
    match kiosk {
        Some(kiosk) if *desk.who() == Who::Nobody => Ok(service.desk(kiosk, peer).await?),
        _ => Ok(desk),
    }
}

/// Whether a person asks in a browser, and not a program or a page of ours.
fn takes_pages(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    let is_for_programs = ["/api/", "/rpc/", "/live/"].iter().any(|begin| request.uri().path().starts_with(begin));
    accepted.is_some_and(|accepted| accepted.contains("text/html")) && !is_for_programs
}

/// Where a browser is sent that asks for a page which nobody may see without
/// an account: to sign in, and back.
fn way_in_for(request: &Request, desk: &Desk) -> Option<String> {
    // A kiosk's link that does not hold is not mended by signing in.
    let is_kiosk = request.uri().query().is_some_and(|query| query.contains("kiosk="));
    if request.method() != Method::GET || !takes_pages(request) || is_kiosk || *desk.who() != Who::Nobody {
        return None;
    }
    let back = request.uri().path_and_query()?.as_str();
    Some(format!("/login?next={}", Segment(back)))
}

/// Keeps the secret of a kiosk's link that was opened: the live stream of the
/// wall is asked for without it.
fn kiosk_cookie(service: &Service, request: &Request) -> Option<HeaderValue> {
    if !request.uri().path().starts_with("/wall/") {
        return None;
    }
    let query = url::form_urlencoded::parse(request.uri().query()?.as_bytes());
    let (_, secret) = query.into_owned().find(|(name, _)| name == "kiosk")?;
    let is_ours = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_ours.then(|| cookies::kiosk(&secret, service.is_behind_tls())).flatten()
}

/// Whether a browser says where a request comes from. What is said was looked
/// at before, see [`is_foreign`].
fn is_said_by_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(FETCH_SITE) || headers.contains_key(header::ORIGIN)
}

/// Whether the page of another site has a browser change something here. Only
/// browsers say so: whoever says nothing is a program, and sends a token.
fn is_foreign(service: &Service, request: &Request) -> bool {
    if request.method().is_safe() {
        return false;
    }
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    match text(FETCH_SITE) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        // Older browsers say only where they come from.
        None => text(header::ORIGIN).is_some_and(|origin| {
            origin.split_once("://").map(|(_, host)| host) != text(header::HOST) && !service.is_own_origin(origin)
        }),
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
    use axum::body::Body;

    #[test]
    fn the_host_of_an_address_stands_where_it_is_looked_for() {
        let host = |uri: &str, said: Option<&str>| {
            let request = Request::builder().uri(uri);
            let request = said.into_iter().fold(request, |request, host| request.header(header::HOST, host));
            let mut request = request.body(Body::empty()).expect("a request");
            name_host(&mut request);
            request.headers().get(header::HOST).map(|host| host.to_str().expect("text").to_owned())
        };
        assert_eq!(host("https://holter.example:8443/a", None).as_deref(), Some("holter.example:8443"));
        assert_eq!(host("https://other.example/a", Some("holter.example")).as_deref(), Some("holter.example"));
        assert_eq!(host("/a", None), None);
    }

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
