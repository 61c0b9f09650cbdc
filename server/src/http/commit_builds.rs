//! Builds of pushed commits: for programs, and their pages.

use super::batch_pages::{badge, took};
use super::extract::{Query, Segment};
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use super::wire::build::{BuildBody, BuildList, status};
use super::{body, job_page, json, page};
use crate::service::Desk;
use crate::service::commit_builds::{Build, BuildFilter};
use app::domain::build::BuildStatus;
use app::domain::ids::BuildId;
use app::domain::job::Progress;
use app::domain::rights::Action;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

/// Builds on a page.
const PAGE: u32 = 50;

pub(super) fn build_named(text: &str) -> Result<BuildId, Refusal> {
    text.parse().map_err(|_| no_build(text))
}

fn no_build(id: impl std::fmt::Display) -> Refusal {
    Refusal::not_found(format!("there is no build {id}; builds are listed under /api/v1/builds"))
}

/// Lists builds of pushed commits
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/v1/builds", tag = "Work", operation_id = "listBuilds",
    params(
        ("repository" = Option<String>, Query, description = "Of this repository"),
        ("branch" = Option<String>, Query, description = "Of this branch"),
        ("status" = Option<String>, Query, description = "That stand so"),
        ("limit" = Option<u32>, Query, description = "How many, 500 at most"),
        ("cursor" = Option<String>, Query, description = "Where the next page begins"),
    ),
    responses((status = 200, description = "Builds", body = BuildList)),
)]
pub async fn list(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let limit = query.limit()?;
    let before = query.text("cursor").map(build_named).transpose()?;
    let builds = desk.commit_builds(filter(&query)?, before, limit).await?;
    let next = builds.last().filter(|_| builds.len() == limit as usize).map(|build| build.row.id.to_string());
    let list = BuildList { items: builds.iter().map(BuildBody::from).collect(), next: next.clone() };
    Ok(page(&list, next.as_deref(), &query))
}

/// Tells about one build
#[utoipa::path(
    get, path = "/api/v1/builds/{build}", tag = "Work", operation_id = "getBuild",
    params(("build" = String, Path, description = "The build's id")),
    responses((status = 200, description = "The build", body = BuildBody)),
)]
pub async fn one(desk: Desk, Segment(build): Segment) -> Result<Response, Refusal> {
    let found = desk.commit_build(build_named(&build)?).await?.ok_or_else(|| no_build(&build))?;
    Ok(json(&BuildBody::from(&found)))
}

/// Builds a commit once more
#[utoipa::path(
    post, path = "/api/v1/builds/{build}/rerun", tag = "Work", operation_id = "rerunBuild", security(("token" = [])),
    params(("build" = String, Path, description = "The build's id")),
    responses((status = 201, description = "The new build", body = BuildBody)),
)]
pub async fn rerun(desk: Desk, Segment(build): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    body::drain(&headers, body).await;
    let again = desk.build_again(build_named(&build)?).await?;
    let found = desk.commit_build(again).await?.ok_or_else(|| no_build(again))?;
    let mut response = json(&BuildBody::from(&found));
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Has a build run that waits for it
///
/// A request from a fork waits until somebody has looked at it; each commit for itself. It is given no secrets. Needs a
/// token of scope `admin`, or an engineer.
#[utoipa::path(
    post, path = "/api/v1/builds/{build}/approve", tag = "Work", operation_id = "approveBuild", security(("token" = [])),
    params(("build" = String, Path, description = "The build's id")),
    responses((status = 200, description = "The build", body = BuildBody)),
)]
pub async fn approve(desk: Desk, Segment(build): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    body::drain(&headers, body).await;
    desk.build_approve(build_named(&build)?).await?;
    one(desk, Segment(build)).await
}

/// Has a build not run that waits for it
///
/// Needs a token of scope `admin`, or an engineer.
#[utoipa::path(
    post, path = "/api/v1/builds/{build}/refuse", tag = "Work", operation_id = "refuseBuild", security(("token" = [])),
    params(("build" = String, Path, description = "The build's id")),
    responses((status = 200, description = "The build", body = BuildBody)),
)]
pub async fn refuse(desk: Desk, Segment(build): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    body::drain(&headers, body).await;
    desk.build_refuse(build_named(&build)?).await?;
    one(desk, Segment(build)).await
}

fn filter(query: &Query) -> Result<BuildFilter<'_>, Refusal> {
    let status = query.word("status", BuildStatus::parse, BuildStatus::ALL, BuildStatus::as_str)?;
    let (repository, branch) = (query.text("repository"), query.text("branch"));
    Ok(BuildFilter { repository, branch, status, ..BuildFilter::default() })
}

/// The word of people for a status: that of the build's job.
fn shown(status: BuildStatus) -> &'static str {
    match status {
        BuildStatus::Pending => "waiting",
        BuildStatus::Success => "passed",
        other => other.as_str(),
    }
}

/// The address of the list that is narrowed so.
fn address(filter: &BuildFilter<'_>) -> String {
    let status = filter.status.map(BuildStatus::as_str);
    let named = [("repository", filter.repository), ("branch", filter.branch), ("status", status)];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(named.into_iter().filter_map(|(name, value)| Some((name, value?))));
    format!("/builds?{}", query.finish())
}

/// Narrows the list, by links alone: the page draws itself again while something
/// runs, and what somebody types would be lost.
fn narrow(main: &mut String, filter: &BuildFilter<'_>) {
    let link = |status: Option<BuildStatus>| {
        let word = status.map_or("any", shown).replace('_', " ");
        let current = if filter.status == status { " aria-current=\"true\"" } else { "" };
        let address = address(&BuildFilter { status, ..*filter });
        format!("<a href=\"{}\"{current}>{word}</a> ", Escaped(address))
    };
    let links: String = std::iter::once(None).chain(BuildStatus::ALL.iter().copied().map(Some)).map(link).collect();
    let _ = write!(main, "<nav class=\"narrow\" aria-label=\"Status\" data-test=\"build-filter\">{links}</nav>");
    let only = [filter.repository, filter.branch].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if !only.is_empty() {
        let all = BuildFilter { status: filter.status, ..BuildFilter::default() };
        let _ = write!(main, "<p>Only {}. <a href=\"{}\">All</a></p>", Escaped(only), Escaped(address(&all)));
    }
}

/// Every build that is asked for, the newest first.
pub async fn pages(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let before = query.text("before").map(build_named).transpose()?;
    let filter = filter(&query)?;
    let is_narrowed = filter.repository.is_some() || filter.branch.is_some() || filter.status.is_some();
    let builds = desk.commit_builds(filter, before, PAGE).await?;
    let mut main = String::from("<h1>Builds</h1>");
    if is_narrowed || !builds.is_empty() {
        narrow(&mut main, &filter);
    }
    if builds.is_empty() && is_narrowed {
        main.push_str("<p>No build is like this. <a href=\"/builds\">All builds</a></p>");
    } else if builds.is_empty() {
        main.push_str("<p>Nothing was pushed yet. A repository is added on <a href=\"/settings/repositories\">its page</a> or in holter.toml; its forge then tells pushes to <code>/api/v1/hooks/…</code></p>");
    } else {
        html::begin_table(
            &mut main,
            "Builds",
            "builds",
            &["Commit", "Status", "Repository", "Branch", "Steps", "Took", "By", "Made"],
        );
        builds.iter().for_each(|build| row(&mut main, &desk, build));
        html::end_table(&mut main);
    }
    if let Some(last) = builds.last().filter(|_| builds.len() == PAGE as usize) {
        let address = Escaped(query.with("before", &last.row.id.to_string()));
        let _ = write!(main, "<p><a class=\"button\" href=\"/builds{address}\">Older builds</a></p>");
    }
    let page = html::page_with(&desk, "Builds", &main, &["/theme.js"]);
    let is_live = builds.iter().any(|build| build.job.as_ref().is_some_and(|job| !job.job.is_over()));
    // A page that waits for the first push is as well looked at again.
    Ok(if is_live || builds.is_empty() { html::respond_again(page, 5) } else { html::respond(page) })
}

fn row(main: &mut String, desk: &Desk, build: &Build) {
    let row = &build.row;
    let progress: Progress =
        build.job.as_ref().and_then(|job| serde_json::from_str(&job.progress).ok()).unwrap_or_default();
    let steps: String =
        progress.steps.iter().map(|step| format!("{} {} ", Escaped(&step.name), badge(step.state.as_str()))).collect();
    let of_repository = BuildFilter { repository: Some(&row.repository), ..BuildFilter::default() };
    let _ = write!(
        main,
        "<tr><td><a href=\"/builds/{}\">{}</a> {}</td><td>{}</td><td><a href=\"{}\">{}</a></td><td><a href=\"{}\">{}</a></td>\
         <td>{steps}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        row.id,
        Escaped(row.short_commit()),
        Escaped(row.message.as_deref().unwrap_or_default()),
        badge(shown(status(build))),
        Escaped(address(&of_repository)),
        Escaped(&row.repository),
        Escaped(address(&BuildFilter { branch: Some(&row.branch), ..of_repository })),
        Escaped(&row.branch),
        build.job.as_ref().map(|job| took(job, desk.now())).unwrap_or_default(),
        Escaped(row.author.as_deref().unwrap_or_default()),
        html::when(row.created_at)
    );
}

/// One build: its job's page, with what the commit is.
pub async fn build_page(desk: Desk, Segment(id): Segment) -> Result<Response, Refusal> {
    let build = desk.commit_build(build_named(&id)?).await?.ok_or_else(|| no_build(&id))?;
    let row = &build.row;
    let mut main = format!(
        "<p><a href=\"/builds\">Builds</a></p><h1>{} {}</h1><p>{} {} on {} by {}</p>",
        Escaped(&row.repository),
        Escaped(row.short_commit()),
        badge(shown(status(&build))),
        Escaped(row.message.as_deref().unwrap_or_default()),
        Escaped(&row.branch),
        Escaped(row.author.as_deref().unwrap_or("nobody that was told"))
    );
    acts(&mut main, &desk, &build);
    let Some(job) = &build.job else {
        main.push_str(if row.held.is_some() || row.note.is_some() {
            "<p>Nothing of it ran.</p>"
        } else {
            "<p>Its job is gone.</p>"
        });
        return Ok(html::respond(html::page_with(&desk, &row.repository, &main, &["/theme.js"])));
    };
    job_page::acts(&mut main, &desk, job);
    job_page::waits(&desk, job, &mut main).await?;
    job_page::results(&desk, job, &mut main).await?;
    job_page::body(&desk, job, None, &mut main).await?;
    Ok(html::respond(html::page_with(&desk, &row.repository, &main, &job_page::SCRIPTS)))
}

fn acts(main: &mut String, desk: &Desk, build: &Build) {
    let row = &build.row;
    if let Some(why) = &row.held {
        let _ = write!(
            main,
            "<p data-test=\"held\">It waits for somebody to approve it: {}. Look at what it would run first; it is given \
             no secrets.</p>",
            Escaped(why)
        );
    }
    if let Some(note) = &row.note {
        let _ = write!(main, "<p data-test=\"build-note\">{}</p>", Escaped(note));
    }
    if !desk.may_somewhere(Action::Launch) {
        return;
    }
    let acts: &[_] = match row.held {
        Some(_) => &[("approve", "Approve and build"), ("refuse", "Refuse")],
        None => &[("rerun", "Build again")],
    };
    let proof = form::proof(desk);
    for (act, label) in acts {
        let _ = write!(
            main,
            "<form method=\"post\" action=\"/builds/{}/{act}\" class=\"line\">{proof}<button class=\"button\" \
             data-test=\"{act}\">{label}</button></form>",
            row.id
        );
    }
}

/// Does to a build what one of its buttons says, and shows what came of it.
pub async fn act(desk: Desk, Path((id, act)): Path<(String, String)>, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    desk.allow(Action::Launch)?;
    let id = build_named(&id)?;
    let shown = match &*act {
        "rerun" => desk.build_again(id).await?,
        "approve" => desk.build_approve(id).await.map(|()| id)?,
        "refuse" => desk.build_refuse(id).await.map(|()| id)?,
        _ => return Err(Refusal::not_found("a build can be approved, refused and built again")),
    };
    Ok(Redirect::to(&format!("/builds/{shown}")).into_response())
}
