//! The front: reads requests, asks the service, writes answers.
//!
//! It decides nothing and knows neither the store nor how live news are
//! spread. Handlers are a few lines; what several of them need is in
//! [`extract`] (reading), [`problem`] (refusing), [`sse`] (streaming) and
//! [`guard`] (what surrounds every request). [`wire`] holds the public types.

mod account;
mod art;
pub mod assets;
mod attachments;
mod audit;
mod batch_pages;
mod batches;
mod body;
mod commit_builds;
mod compat;
mod cookies;
mod events;
mod extract;
mod feeds;
mod flaky;
mod form;
mod forwarded;
pub mod guard;
mod health;
mod hooks;
mod html;
mod job_log;
mod job_page;
mod jobs;
mod links;
pub mod listeners;
mod live_run;
mod live_wall;
mod notifications;
mod openapi;
mod openid;
mod output;
mod owners;
pub mod pages;
mod people;
mod plan;
pub mod problem;
mod problems;
mod redoc;
mod renames;
mod report_portal;
mod reports;
mod repositories;
mod reservations;
mod runs;
mod schedule_forms;
mod schedules;
mod settings;
mod setups;
mod signing;
mod sse;
mod stream;
mod strip;
mod strip_as_of;
mod suite;
mod swagger;
mod token_forms;
mod tokens;
mod walls;
pub mod wire;
mod work;

use crate::service::Service;
use app::domain::problem::ProblemKind;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use extract::Query;
use problem::Refusal;
use serde::Serialize;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What every handler is given.
#[derive(Clone)]
pub struct Door {
    service: Service,
    /// Ends every open stream.
    stop: CancellationToken,
    /// What other protocols leave to us to remember.
    remembered: Arc<compat::Remembered>,
}

/// Everything that is served.
pub fn router(service: Service, stop: CancellationToken) -> Router {
    let (api, _) = api_router(service.clone(), stop);
    let pages = pages::router();
    let pages = pages.layer(CompressionLayer::new()).layer(from_fn_with_state(service.clone(), settled));
    guard::guard(api.merge(pages), service)
}

/// Everything but the pages, and the document that describes it. The caller
/// puts [`guard::guard`] around the whole.
pub fn api_router(service: Service, stop: CancellationToken) -> (Router, OpenApi) {
    let remembered = Arc::new(compat::Remembered::new(&service));
    let door = Door { service, stop, remembered };
    let (described, mut document) = described(&door.service).with_state(door.clone()).split_for_parts();
    openapi::complete(&mut document);
    let router = described
        .merge(live(&door.service).with_state(door.clone()))
        .merge(compat::routes(&door.service).with_state(door.clone()))
        .merge(hooks::aliases().with_state(door.clone()))
        .merge(kept_by_nobody(settings().merge(people())).with_state(door.clone()))
        .merge(work_pages().with_state(door.clone()))
        .merge(projects(&door.service).with_state(door.clone()))
        .merge(report_portal::router().with_state(door.clone()))
        .merge(for_readers(&document))
        .merge(nothing_else());
    (router.method_not_allowed_fallback(wrong_method), document)
}

/// What is read, packed on its way.
fn reads(service: &Service) -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(setups::list))
        .routes(routes!(setups::one))
        .routes(routes!(runs::list))
        .routes(routes!(runs::one))
        .routes(routes!(runs::tests))
        .routes(routes!(renames::list))
        .routes(routes!(output::get))
        .routes(routes!(attachments::list))
        .routes(routes!(flaky::list))
        .routes(routes!(flaky::csv))
        .routes(routes!(flaky::ctrf))
        .routes(routes!(feeds::ctrf::get))
        .routes(routes!(feeds::junit::get))
        .routes(routes!(feeds::cctray::get))
        .routes(routes!(feeds::badges::project))
        .routes(routes!(feeds::badges::setup))
        .routes(routes!(feeds::metrics::get))
        .routes(routes!(art::status))
        .routes(routes!(art::get_mode))
        .routes(routes!(listeners::index))
        .routes(routes!(listeners::robot))
        .routes(routes!(listeners::pytest))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(service.clone(), settled))
}

/// For programs: the public contract.
fn described(service: &Service) -> OpenApiRouter<Door> {
    // Pictures and films are packed already; what is sent in parts must not be packed.
    let attachments = OpenApiRouter::new().routes(routes!(attachments::one));
    let attachments = attachments.layer(from_fn_with_state(service.clone(), settled));
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(told())
        .routes(routes!(hooks::post))
        .merge(attachments)
        .routes(routes!(stream::get))
        .merge(work())
        .merge(reads(service))
        .routes(routes!(art::flip))
        .routes(routes!(renames::join))
        .routes(routes!(owners::get, owners::put, owners::delete))
        .routes(routes!(renames::part))
        .routes(routes!(walls::list))
        .routes(routes!(walls::one, walls::save, walls::delete))
        .routes(routes!(walls::claim, walls::release))
        .routes(routes!(reservations::reserve, reservations::give_back))
        .routes(routes!(tokens::list, tokens::make))
        .routes(routes!(tokens::revoke))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
}

/// For workers, and for who wants to see what they do. Waits for nothing: a
/// worker reads no results.
fn work() -> OpenApiRouter<Door> {
    let log = OpenApiRouter::new().routes(routes!(work::log)).layer(DefaultBodyLimit::max(work::PIECE_PACKED_MOST));
    OpenApiRouter::new()
        .routes(routes!(work::list, work::hello))
        .routes(routes!(work::forget))
        .routes(routes!(work::stance))
        .routes(routes!(work::claim))
        .routes(routes!(work::extend))
        .routes(routes!(work::finish))
        .merge(log)
        .merge(
            OpenApiRouter::new()
                .routes(routes!(batches::list, batches::send))
                .layer(DefaultBodyLimit::max(batches::UPLOAD_MAX)),
        )
        .routes(routes!(batches::one))
        .routes(routes!(batches::start))
        .routes(routes!(batches::cancel))
        .routes(routes!(batches::rerun))
        .routes(routes!(commit_builds::list))
        .routes(routes!(commit_builds::one))
        .routes(routes!(commit_builds::rerun))
        .routes(routes!(commit_builds::approve))
        .routes(routes!(commit_builds::refuse))
        .routes(routes!(plan::get))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::one, schedules::save, schedules::delete))
        .routes(routes!(work::file))
        .routes(routes!(jobs::one))
        .routes(routes!(jobs::cancel))
        .routes(routes!(job_log::text))
        .merge(where_in_logs())
}

/// Numbers of lines, packed on their way: of a long log they are many.
fn where_in_logs() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(job_log::index)).routes(routes!(job_log::find)).layer(CompressionLayer::new())
}

/// What listeners and workers tell of runs.
fn told() -> OpenApiRouter<Door> {
    let reports = OpenApiRouter::new().routes(routes!(reports::post)).layer(DefaultBodyLimit::max(reports::UPLOAD_MAX));
    // A file is bounded while it is taken in.
    let files = OpenApiRouter::new().routes(routes!(attachments::post)).layer(DefaultBodyLimit::disable());
    OpenApiRouter::new().routes(routes!(events::post)).merge(reports).merge(files)
}

/// What the workers of this program itself speak to: what others reach by the
/// network, for whom nothing is refused.
pub fn for_workers(service: Service, stop: CancellationToken) -> Router {
    let remembered = Arc::new(compat::Remembered::new(&service));
    let desk = service.itself();
    let door = Door { service, stop, remembered };
    let (routes, _) = work().merge(told()).with_state(door).split_for_parts();
    routes.layer(axum::Extension(desk))
}

/// For our own pages.
fn live(service: &Service) -> Router<Door> {
    Router::new()
        .route("/live/wall", get(live_wall::get))
        .route("/live/runs/{id}", get(live_run::get))
        .route("/live/jobs/{id}", get(jobs::live))
        .layer(from_fn_with_state(service.clone(), settled))
}

/// Forms, for people.
fn settings() -> Router<Door> {
    Router::new()
        .route("/settings/walls", get(settings::walls).post(settings::save))
        .route("/settings/walls/{name}", get(settings::wall))
        .route("/settings/walls/{name}/delete", post(settings::delete))
        .route("/settings/walls/{name}/links", post(settings::link))
        .route("/settings/walls/{name}/links/{id}", post(settings::unlink))
        .route("/settings/repositories", get(repositories::list).post(repositories::save))
        .route("/settings/repositories/one", get(repositories::one))
        .route("/settings/repositories/delete", post(repositories::delete))
        .route("/settings/reservations", get(reservations::list))
        .route("/settings/reservations/{name}", get(reservations::one).post(reservations::save))
        .route("/settings/reservations/{name}/end", post(reservations::end))
        .route("/settings/schedules", get(schedule_forms::list).post(schedule_forms::save))
        .route("/settings/schedules/{name}", get(schedule_forms::one))
        .route("/settings/schedules/{name}/pause", post(schedule_forms::pause))
        .route("/settings/schedules/{name}/resume", post(schedule_forms::resume))
        .route("/settings/schedules/{name}/delete", post(schedule_forms::delete))
        .route("/settings/notifications", get(notifications::list).post(notifications::save))
        .route("/settings/notifications/{name}", get(notifications::one))
        .route("/settings/notifications/{name}/try", post(notifications::try_it))
        .route("/settings/notifications/{name}/delete", post(notifications::delete))
}

/// For people: who they are, and who else is let in.
fn people() -> Router<Door> {
    Router::new()
        .route("/login", get(signing::login).post(signing::sign_in))
        .route("/login/openid", get(openid::begin))
        .route("/login/openid/back", get(openid::end))
        .route("/logout", get(signing::logout).post(signing::sign_out))
        .route("/welcome", get(links::page).post(links::submit))
        .route("/password-reset", get(links::page).post(links::submit))
        .route("/settings/account", get(account::page))
        .route("/settings/account/password", post(account::password))
        .route("/settings/account/sessions/{id}", post(account::end_session))
        .route("/settings/people", get(people::list).post(people::invite))
        .route("/settings/people/{id}", get(people::one).post(people::save))
        .route("/settings/people/{id}/link", post(people::link))
        .route("/settings/people/{id}/delete", post(people::delete))
        .route("/settings/tokens", get(token_forms::list).post(token_forms::make))
        .route("/settings/tokens/{id}", post(token_forms::revoke))
        .route("/settings/audit", get(audit::page))
}

/// Pages with secrets on them. Not packed: a secret beside what somebody else
/// wrote would show by its length.
fn kept_by_nobody(router: Router<Door>) -> Router<Door> {
    router.layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

/// Pages about what Holter runs.
fn work_pages() -> Router<Door> {
    let upload = Router::new().route("/batches/new", get(batch_pages::new).post(batch_pages::send));
    Router::new()
        .route("/batches", get(batch_pages::list))
        .route("/batches/{id}", get(batch_pages::one))
        .route("/batches/{id}/{act}", post(batch_pages::act))
        .route("/jobs/{id}", get(job_page::one))
        .route("/jobs/{id}/cancel", post(job_page::cancel))
        .route("/builds", get(commit_builds::pages))
        .route("/builds/{id}", get(commit_builds::build_page))
        .route("/builds/{id}/{act}", post(commit_builds::act))
        .route("/plan", get(plan::page))
        .route("/workers", get(batch_pages::workers))
        .route("/workers/{name}/{stance}", post(batch_pages::stance))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .merge(upload.layer(DefaultBodyLimit::max(batches::UPLOAD_MAX)))
        .layer(CompressionLayer::new())
}

/// Pages about projects, which need no script.
fn projects(service: &Service) -> Router<Door> {
    Router::new()
        .route("/art", get(art::page))
        .route("/projects/{name}", get(strip::project))
        .route("/projects/{name}/suites/{*path}", get(suite::page))
        .route("/strip/{name}", get(strip::strip))
        .route("/strip/{name}/{run}", get(strip_as_of::page))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(service.clone(), settled))
}

/// Who reads sees what was acknowledged before.
async fn settled(State(service): State<Service>, request: Request, next: Next) -> Response {
    service.settled().await;
    next.run(request).await
}

/// For people who write against the contract.
fn for_readers(document: &OpenApi) -> Router {
    // Written once; each answer shares the bytes.
    let text = Bytes::from(document.to_json().unwrap_or_default());
    let read = Bytes::from(redoc::page(document));
    Router::new()
        .route(openapi::PATH, get(async move || openapi::serve(text.clone())))
        .route("/redoc", get(async move || html::respond(read.clone())))
        .route("/problems", get(problems::index))
        .route("/problems/{slug}", get(problems::one))
        .merge(swagger::router())
        .layer(CompressionLayer::new())
}

/// What begins like the API and is not.
fn nothing_else() -> Router {
    Router::new()
        .route("/api", any(nothing_here))
        .route("/api/", any(nothing_here))
        .route("/api/{*rest}", any(nothing_here))
}

async fn nothing_here() -> Refusal {
    Refusal::not_found("there is no such address; /docs lists all of them")
}

async fn wrong_method() -> Refusal {
    Refusal::new(ProblemKind::MethodNotAllowed, "the header Allow lists what this address takes")
}

/// A value as JSON.
fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page of a list, with the address of the next one.
fn page(list: &impl Serialize, next: Option<&str>, query: &Query) -> Response {
    let mut response = json(list);
    if let Some(link) = next.and_then(|cursor| HeaderValue::try_from(query.next(cursor)).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
