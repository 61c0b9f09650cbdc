//! The pages: rendered here, then brought to life in the browser.

use super::assets::{self, Manifest};
use super::body;
use super::problem::Refusal;
use crate::service::Desk;
use app::backend::SharedBackend;
use app::domain::problem::{Problem, ProblemKind};
use app::domain::rights::Who;
use app::shell::{App, Origin, ShellAssets, SignedIn, StatusSink, shell};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};
use std::sync::Arc;
use std::time::Duration;

/// Scripts run only with the nonce of this response; styles, pictures and
/// connections only from here.
fn policy(nonce: &str, frames: &str) -> Option<HeaderValue> {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'self'{frames}"
    );
    HeaderValue::from_str(&policy).ok()
}

/// This server's address as the caller wrote it. A host that is none is left
/// out: it would stand in a line that people paste.
fn origin(request: &Parts) -> Option<Origin> {
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let is_secure = request.extensions.get::<Desk>().is_some_and(|desk| desk.is_behind_tls());
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte));
    let scheme = if is_secure { "https" } else { "http" };
    plain.then(|| Origin(format!("{scheme}://{host}")))
}

/// The sites that may show this page in a frame beside our own: walls alone
/// are for showing around.
fn frames(request: &Parts) -> String {
    let path = request.uri.path();
    let is_wall = path == "/wall" || path.starts_with("/wall/");
    let desk = request.extensions.get::<Desk>().filter(|_| is_wall);
    desk.map(|desk| desk.wall_frames().iter().fold(String::new(), |text, site| text + " " + site)).unwrap_or_default()
}

/// Everything a page needs around it; called once for each request.
fn provide() {
    if let Some(parts) = use_context::<Parts>() {
        if let Some(desk) = parts.extensions.get::<Desk>() {
            if let Who::Person(person) = desk.who() {
                provide_context(SignedIn(person.name.to_string()));
            }
            provide_context(SharedBackend(Arc::new(desk.clone())));
        }
        if let Some(origin) = origin(&parts) {
            provide_context(origin);
        }
    }
    let Some(response) = use_context::<ResponseOptions>() else { return };
    let frames = use_context::<Parts>().map(|parts| frames(&parts)).unwrap_or_default();
    if let Some(policy) = use_nonce().and_then(|nonce| policy(&nonce, &frames)) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    provide_context(StatusSink::new(move |status| {
        if let Ok(status) = StatusCode::from_u16(status) {
            response.set_status(status);
        }
    }));
}

#[derive(Clone)]
struct Pages {
    options: LeptosOptions,
    assets: ShellAssets,
}

impl axum::extract::FromRef<Pages> for LeptosOptions {
    fn from_ref(pages: &Pages) -> Self {
        pages.options.clone()
    }
}

/// The routes of all pages and of the files they load.
pub fn router() -> Router {
    let manifest = Manifest::read();
    let output_name = manifest.output_name().unwrap_or("frontend").to_owned();
    let options = LeptosOptions::builder().output_name(output_name).site_pkg_dir("pkg").build();
    let assets =
        ShellAssets { css: manifest.css().unwrap_or_default().to_owned(), hydrate: manifest.output_name().is_some() };
    let pages = Pages { options: options.clone(), assets: assets.clone() };
    let provided = provide;
    let shown = {
        let options = options.clone();
        move || shell(options.clone(), assets.clone())
    };
    Router::new()
        .leptos_routes_with_context(&pages, generate_route_list(App), provided, shown)
        .layer(from_fn(bounded))
        .layer(from_fn(|request, next| in_time(DRAWN_WITHIN, request, next)))
        .fallback(file_or_page)
        .with_state(pages)
}

/// A page is drawn within this, or not at all: nobody looks at an empty window
/// for longer, and what waits for ever would be held for ever.
const DRAWN_WITHIN: Duration = Duration::from_secs(20);

/// Has a page drawn, or says in time that it was not.
async fn in_time(within: Duration, request: Request, next: Next) -> Result<Response, Refusal> {
    let path = request.uri().path().to_owned();
    tokio::time::timeout(within, next.run(request)).await.map_err(|_| {
        tracing::error!(%path, "a page was not drawn in time");
        Problem::new(ProblemKind::Busy, "this took too long; load the page again").retry_after(1).into()
    })
}

/// What is asked of a server function is read here: it would be read without
/// any bound there.
async fn bounded(request: Request, next: Next) -> Result<Response, Refusal> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body).await?;
    Ok(with_its_status(next.run(Request::from_parts(parts, bytes.into())).await).await)
}

/// A refusal of a server function with the status of its kind: there every one
/// is 500. What it says is our own, so it needs no bound.
async fn with_its_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR || !response.headers().contains_key("serverfnerror") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    if let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) {
        parts.status = StatusCode::from_u16(problem.kind.status()).unwrap_or(parts.status);
    }
    Response::from_parts(parts, bytes.into())
}

/// A file of the site, else the page that says that there is nothing.
async fn file_or_page(State(pages): State<Pages>, request: Request) -> Response {
    if let Some(file) = assets::serve(request.uri().path(), request.headers()) {
        return file;
    }
    let Pages { options, assets } = pages;
    let render =
        leptos_axum::render_app_to_stream_with_context(provide, move || shell(options.clone(), assets.clone()));
    render(request).await.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_page_that_is_never_drawn_is_refused_in_time() {
        let never = get(async || std::future::pending::<&str>().await);
        let router: Router = Router::new().route("/", never);
        let router = router.layer(from_fn(|request, next| in_time(Duration::from_millis(10), request, next)));
        let request = Request::builder().uri("/").body(Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        assert_eq!(
            (answer.status(), answer.headers()["retry-after"].to_str().ok()),
            (StatusCode::SERVICE_UNAVAILABLE, Some("1"))
        );
    }
}
