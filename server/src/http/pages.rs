//! The pages: rendered here, then brought to life in the browser.

use super::assets::{self, Manifest};
use crate::service::Desk;
use app::backend::SharedBackend;
use app::domain::rights::Who;
use app::shell::{App, Origin, ShellAssets, SignedIn, StatusSink, shell};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};
use std::sync::Arc;

/// Scripts run only with the nonce of this response; styles, pictures and
/// connections only from here.
fn policy(nonce: &str) -> Option<HeaderValue> {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'self'"
    );
    HeaderValue::from_str(&policy).ok()
}

/// This server's address as the caller wrote it. A host that is none is left
/// out: it would stand in a line that people paste.
fn origin(request: &Parts) -> Option<Origin> {
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte));
    plain.then(|| Origin(format!("http://{host}")))
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
    if let Some(policy) = use_nonce().and_then(|nonce| policy(&nonce)) {
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
        .fallback(file_or_page)
        .with_state(pages)
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
