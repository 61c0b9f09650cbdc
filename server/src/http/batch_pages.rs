//! `/batches` and `/workers`: what Holter runs itself, for people. Plain pages
//! and forms, which need no script.

use super::batches::{Upload, batch_named, no_batch};
use super::extract::{Query, Segment};
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::Desk;
use crate::service::batches::Batch;
use crate::service::jobs::JobRow;
use crate::service::workers::WorkerCard;
use app::domain::job::{JobResult, JobState, Progress, Stance, WorkState};
use app::domain::problem::ProblemKind;
use app::domain::rights::{Action, Who};
use app::domain::time::Timestamp;
use app::format;
use app::paths::Segment as Encoded;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

const SCRIPTS: [&str; 1] = ["/theme.js"];

/// Batches on a page.
const PAGE: u32 = 50;

/// A badge for a word that says how something stands.
pub(super) fn badge(word: &str) -> String {
    let result = match word {
        "success" => "passed",
        "errored" | "timed_out" => "failed",
        "cancelled" => "incomplete",
        other => other,
    };
    format!("<span class=\"badge\" data-result=\"{}\">{}</span>", Escaped(result), Escaped(word.replace('_', " ")))
}

/// The word of people for how a batch stands: that of its jobs.
fn word(batch: &Batch) -> &'static str {
    match batch.state() {
        WorkState::Finished => batch.result().map_or("lost", JobResult::as_str),
        other => other.as_str(),
    }
}

/// How long a job took, or takes so far.
pub(super) fn took(row: &JobRow, now: Timestamp) -> String {
    let began = row.job.started_at;
    began.map_or_else(String::new, |began| format::took(row.job.finished_at.unwrap_or(now).since(began)))
}

/// Every batch, the newest first.
pub async fn list(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let before = query.text("before").map(batch_named).transpose()?;
    let (batches, total) = desk.batches(before, PAGE).await?;
    let mut main = String::from(
        "<h1>Batches</h1><p>Test files that are sent here are run by <a href=\"/workers\">workers</a>. \
         <a class=\"button\" href=\"/batches/new\">New batch</a></p>",
    );
    if batches.is_empty() {
        main.push_str("<p>None was sent yet.</p>");
        return Ok(html::respond(html::page_with(&desk, "Batches", &main, &SCRIPTS)));
    }
    let _ = write!(main, "<p>{total} in all.</p>");
    html::begin_table(&mut main, "Batches", "batches", &["Name", "Status", "Files", "Made"]);
    for batch in &batches {
        let _ = write!(
            main,
            "<tr><td><a href=\"/batches/{}\">{}</a></td><td>{}</td><td>{} of {}</td><td>{}</td></tr>",
            batch.id,
            Escaped(&batch.name),
            badge(word(batch)),
            batch.over(),
            batch.plan.units.len(),
            html::when(batch.created_at)
        );
    }
    html::end_table(&mut main);
    if let Some(last) = batches.last().filter(|_| batches.len() == PAGE as usize) {
        let _ = write!(main, "<p><a class=\"button\" href=\"/batches?before={}\">Older batches</a></p>", last.id);
    }
    let page = html::page_with(&desk, "Batches", &main, &SCRIPTS);
    let is_live = |batch: &Batch| matches!(batch.state(), WorkState::Waiting | WorkState::Running);
    Ok(if batches.iter().any(is_live) { html::respond_again(page, 5) } else { html::respond(page) })
}

fn form(desk: &Desk, refused: Option<&str>) -> String {
    let mut main = String::from("<p><a href=\"/batches\">Batches</a></p><h1>New batch</h1>");
    if let Some(why) = refused {
        let _ = write!(main, "<p role=\"alert\" data-test=\"refused\">Not taken: {}</p>", Escaped(why));
    }
    if let Err(why) = desk.may(Action::Launch) {
        if *desk.who() != Who::Nobody {
            let _ = write!(main, "<p>Not for you: {}.</p>", Escaped(why));
            return main;
        }
        main.push_str("<p>Who has tests run needs an account for that: <a href=\"/login\">sign in</a>.</p>");
    }
    let name = match desk.who() {
        Who::Person(person) => person.name.to_string(),
        _ => String::new(),
    };
    let _ = write!(
        main,
        "<form method=\"post\" action=\"/batches/new\" enctype=\"multipart/form-data\" class=\"stacked\" data-test=\"batch-form\">\
         <label>Your name, or one for the batch <input type=\"text\" name=\"name\" required maxlength=\"80\" value=\"{}\"></label>\
         <label>Files: tests and what they need, or a zip; they can be dropped here \
         <input type=\"file\" name=\"files\" multiple required></label>\
         <label>Needs of a worker <input type=\"text\" name=\"labels\" placeholder=\"any worker; labels between commas\"></label>\
         <label>Seconds a file may take <input type=\"text\" inputmode=\"numeric\" name=\"timeout_seconds\" placeholder=\"1800\"></label>\
         <label>Setup <input type=\"text\" name=\"setup\" placeholder=\"batches\"></label>\
         <label>Project <input type=\"text\" name=\"project\" placeholder=\"the default project\"></label>\
         <label class=\"check\"><input type=\"checkbox\" name=\"hold\" checked> Show what would be run first</label>\
         {}<button class=\"button\" data-test=\"send-batch\">Send</button></form>\
         <p>pytest, unittest, Robot Framework, shell scripts with or without TAP, and packages for Cargo, Go and npm are \
         known by their files. Each is run in a folder of its own, which finds all files of the batch.</p>",
        Escaped(name),
        // Files are taken from nobody who was not known before they came: a token
        // in the form would be too late.
        desk.asker().form_key().map(|_| form::proof(desk)).unwrap_or_default()
    );
    main
}

/// A form for a new batch.
pub async fn new(desk: Desk) -> Response {
    html::respond(html::page_with(&desk, "New batch", &form(&desk, None), &SCRIPTS))
}

/// Takes the form.
pub async fn send(desk: Desk, request: Request) -> Response {
    let sending = async {
        desk.allow(Action::Launch)?;
        let Upload { name, plan, files, form } = Upload::read(request).await?;
        let desk = form::trusted(&desk, &form).await?;
        Ok::<_, Refusal>(desk.batch_make(&name, plan, files).await?)
    };
    match sending.await {
        Ok(batch) => Redirect::to(&format!("/batches/{}", batch.id)).into_response(),
        Err(refusal) => {
            let problem = refusal.into_problem();
            let page = html::page_with(&desk, "New batch", &form(&desk, Some(&problem.detail)), &SCRIPTS);
            form::refused(&problem, html::respond(page))
        }
    }
}

fn act_form(batch: &Batch, act: &str, label: &str, proof: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/batches/{}/{act}\" class=\"line\">{proof}<button class=\"button\" data-test=\"{act}\">{label}</button></form>",
        batch.id
    )
}

/// One batch.
pub async fn one(desk: Desk, Segment(id): Segment) -> Result<Response, Refusal> {
    let batch = desk.batch(batch_named(&id)?).await?.ok_or_else(|| no_batch(&id))?;
    let mut main = format!(
        "<p><a href=\"/batches\">Batches</a></p><h1>{}</h1><p>{} made {} by {}</p>",
        Escaped(&batch.name),
        badge(word(&batch)),
        html::when(batch.created_at),
        Escaped(&batch.plan.by)
    );
    let state = batch.state();
    if desk.may_somewhere(Action::Launch) {
        let has_failed = state == WorkState::Finished && batch.result() != Some(JobResult::Passed);
        let acts = [
            (state == WorkState::Held, "start", "Start"),
            (matches!(state, WorkState::Waiting | WorkState::Running), "cancel", "Cancel"),
            (state == WorkState::Finished, "rerun", "Run again"),
            (has_failed, "rerun-failed", "Run again what did not pass"),
        ];
        for (_, act, label) in acts.iter().filter(|(is_offered, ..)| *is_offered) {
            main.push_str(&act_form(&batch, act, label, &form::proof(&desk)));
        }
    }
    refused(&mut main, &batch);
    uninstalled(&mut main, &desk, &batch);
    if state == WorkState::Held {
        planned(&mut main, &desk, &batch);
    } else {
        jobs(&mut main, &desk, &batch).await?;
    }
    let _ = write!(main, "<p><a href=\"/api/v1/batches/{}\">As JSON</a></p>", batch.id);
    let page = html::page_with(&desk, &batch.name, &main, &SCRIPTS);
    let is_over = matches!(state, WorkState::Finished | WorkState::Held);
    Ok(if is_over { html::respond(page) } else { html::respond_again(page, 3) })
}

fn refused(main: &mut String, batch: &Batch) {
    if batch.plan.refused.is_empty() {
        return;
    }
    main.push_str("<h2>Not taken</h2><ul data-test=\"refused-files\">");
    for file in &batch.plan.refused {
        let _ = write!(main, "<li>{}: {}</li>", Escaped(&file.name), Escaped(&file.why));
    }
    main.push_str("</ul>");
}

fn planned(main: &mut String, desk: &Desk, batch: &Batch) {
    main.push_str("<h2>Would be run</h2>");
    html::begin_table(main, "What would be run", "units", &["File", "By"]);
    for unit in &batch.plan.units {
        let _ = write!(main, "<tr><td>{}</td><td>{}</td></tr>", Escaped(&unit.path), unit.framework.as_str());
    }
    html::end_table(main);
    if let Some(file) = batch.plan.requirements.as_ref().filter(|_| desk.jobs_have_network()) {
        let _ = write!(main, "<p>The packages in {} are installed first.</p>", Escaped(file));
    }
}

/// What is needed and cannot be had is said before a test fails of it.
fn uninstalled(main: &mut String, desk: &Desk, batch: &Batch) {
    if let Some(file) = batch.plan.requirements.as_ref().filter(|_| !desk.jobs_have_network()) {
        let _ = write!(
            main,
            "<p role=\"status\" data-test=\"uninstalled\">The packages in {} are not installed: jobs have no network \
             here. Tests find what <code>runner.python</code> has; <code>runner.network</code> in holter.toml lets jobs \
             fetch more.</p>",
            Escaped(file)
        );
    }
}

async fn jobs(main: &mut String, desk: &Desk, batch: &Batch) -> Result<(), Refusal> {
    // Its jobs need the same: what keeps one waiting keeps all.
    if let Some(row) = batch.jobs.iter().find(|row| row.job.state() == JobState::Waiting) {
        super::job_page::waits(desk, row, main).await?;
    }
    html::begin_table(main, "Jobs", "jobs", &["File", "Status", "Took", ""]);
    let setup = batch.plan.setup.as_deref().unwrap_or("batches");
    for row in &batch.jobs {
        let word = row.job.result().map_or(row.job.state().as_str(), JobResult::as_str);
        let mut said = row.job.note.as_deref().map(|note| Escaped(note).to_string()).unwrap_or_default();
        if row.job.state() == JobState::Waiting {
            let ahead = desk.jobs_ahead(row).await?;
            let _ = write!(said, " {ahead} before it in the queue");
        }
        let progress: Progress = serde_json::from_str(&row.progress).unwrap_or_default();
        if let Some(step) = progress.steps.iter().find(|step| step.state.as_str() == "running") {
            let _ = write!(said, " step {}", Escaped(&step.name));
        }
        let _ = write!(
            main,
            "<tr><td><a href=\"/jobs/{}\">{}</a></td><td>{}</td><td>{}</td><td>{said}</td></tr>",
            row.job.id,
            Escaped(&row.name),
            badge(word),
            took(row, desk.now())
        );
    }
    html::end_table(main);
    let _ = write!(main, "<p><a href=\"/setups/{}\">Results of single tests</a></p>", Encoded(setup));
    Ok(())
}

/// Does to a batch what one of its buttons says.
pub async fn act(desk: Desk, Path((id, act)): Path<(String, String)>, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let id = batch_named(&id)?;
    let shown = match &*act {
        "start" => desk.batch_start(id).await?.id,
        "cancel" => desk.batch_cancel(id).await.map(|()| id)?,
        "rerun" => desk.batch_again(id, false).await?.id,
        "rerun-failed" => desk.batch_again(id, true).await?.id,
        _ => return Err(Refusal::new(ProblemKind::NotFound, "a batch can be started, cancelled and run again")),
    };
    Ok(Redirect::to(&format!("/batches/{shown}")).into_response())
}

/// Every worker, and what runs and waits.
pub async fn workers(desk: Desk) -> Result<Response, Refusal> {
    let workers = desk.workers().await?;
    let (running, queue, waiting) = desk.queue(20).await?;
    let mut main = String::from("<h1>Workers</h1>");
    if workers.is_empty() {
        main.push_str("<p>There is none. <code>holter worker --url … --token …</code> starts one on any machine; a server has one of its own where bubblewrap is installed.</p>");
    } else {
        html::begin_table(&mut main, "Workers", "workers", &["Name", "Stands", "Runs", "Has", ""]);
        workers.iter().for_each(|card| worker(&mut main, &desk, card));
        html::end_table(&mut main);
    }
    let _ = write!(main, "<h2>Queue</h2><p>{} run, {waiting} wait.</p>", running.len());
    if !queue.is_empty() {
        html::begin_table(&mut main, "The queue", "queue", &["Job", "Needs", "Since"]);
        for row in &queue {
            let needs = if row.labels.is_empty() { "any worker".to_owned() } else { row.labels.to_string() };
            let has_one = workers
                .iter()
                .any(|card| card.stance == Stance::Active && !card.is_away && row.labels.fit(&card.row.labels));
            let why = if has_one { "" } else { " – no worker that is there has this" };
            let _ = write!(
                main,
                "<tr><td><a href=\"/jobs/{}\">{}</a></td><td>{}{why}</td><td>{}</td></tr>",
                row.job.id,
                Escaped(&row.name),
                Escaped(needs),
                html::when(row.job.created_at)
            );
        }
        html::end_table(&mut main);
    }
    Ok(html::respond_again(html::page_with(&desk, "Workers", &main, &SCRIPTS), 10))
}

fn worker(main: &mut String, desk: &Desk, card: &WorkerCard) {
    let stands = match (card.is_away, card.stance) {
        (true, _) => "lost",
        (_, Stance::Active) if card.runs.is_empty() => "idle",
        (_, Stance::Active) => "running",
        (_, other) => other.as_str(),
    };
    let runs: Vec<_> =
        card.runs.iter().map(|row| format!("<a href=\"/jobs/{}\">{}</a>", row.job.id, Escaped(&row.name))).collect();
    let _ = write!(
        main,
        "<tr><td>{}</td><td>{} last seen {}</td><td>{} of {}{}{}</td><td>{}</td><td>",
        Escaped(&card.row.name),
        badge(stands),
        html::when(card.row.seen_at),
        card.runs.len(),
        card.row.slots,
        if runs.is_empty() { "" } else { ": " },
        runs.join(", "),
        Escaped(&card.row.labels)
    );
    if desk.may_somewhere(Action::Configure) {
        for (stance, label) in
            [(Stance::Active, "Give jobs"), (Stance::Draining, "Drain"), (Stance::Disabled, "Disable")]
        {
            if stance != card.stance {
                let _ = write!(
                    main,
                    "<form method=\"post\" action=\"/workers/{}/{}\" class=\"line\">{}<button class=\"button\">{label}</button></form>",
                    Encoded(&card.row.name),
                    stance.as_str(),
                    form::proof(desk)
                );
            }
        }
    }
    main.push_str("</td></tr>");
}

/// Decides whether a worker is given jobs.
pub async fn stance(desk: Desk, Path((name, stance)): Path<(String, String)>, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let stance =
        Stance::parse(&stance).ok_or_else(|| Refusal::not_found("a worker is active, draining or disabled"))?;
    desk.worker_stance(&name, stance).await?;
    Ok(Redirect::to("/workers").into_response())
}
