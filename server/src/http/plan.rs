//! `/plan`: what would run where, when and for how long, and why not.

use super::html::{self, Escaped};
use super::json;
use super::problem::Refusal;
use super::wire::plan::{PlanBody, why};
use crate::service::Desk;
use crate::service::jobs::JobRow;
use crate::service::plan::Plan;
use app::domain::job::{Foretold, Hindrance};
use app::domain::time::Timestamp;
use app::format;
use axum::response::Response;
use std::fmt::Write;

/// Tells what would run where
///
/// Each job that waits, the worker that should take it, when and for how long, and why it does not run now. A forecast
/// from the order of the queue and from how long jobs of the same definition took; where nobody knows, it is null.
#[utoipa::path(
    get, path = "/api/v1/plan", tag = "Work", operation_id = "getPlan",
    responses((status = 200, description = "What is to be expected", body = PlanBody)),
)]
pub async fn get(desk: Desk) -> Result<Response, Refusal> {
    Ok(json(&PlanBody::from(&desk.plan().await?)))
}

/// The same for people. It is read again by the browser itself.
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    let plan = desk.plan().await?;
    let mut main = String::from(
        "<h1>Plan</h1><p>What waits, which <a href=\"/workers\">worker</a> should take it, and when: a forecast from \
         how long the same took before.</p>",
    );
    waiting(&mut main, &plan);
    running(&mut main, &plan);
    held(&mut main, &plan);
    main.push_str("<p><a href=\"/api/v1/plan\">As JSON</a></p>");
    Ok(html::respond_again(html::page_with(&desk, "Plan", &main, &["/theme.js"]), 10))
}

fn waiting(main: &mut String, plan: &Plan) {
    let _ = write!(main, "<h2>Waits</h2><p>{}.</p>", format::count(plan.waiting_in_all, "job", "jobs"));
    if plan.waiting.is_empty() {
        return;
    }
    html::begin_table(main, "What waits", "plan", &["Job", "Where", "Begins", "Takes", "Why not now"]);
    plan.waiting.iter().for_each(|(row, told)| planned(main, plan.now, row, told));
    html::end_table(main);
    let shown = u32::try_from(plan.waiting.len()).unwrap_or(u32::MAX);
    if plan.waiting_in_all > shown {
        let _ = write!(main, "<p>{} more are behind these.</p>", format::number(plan.waiting_in_all - shown));
    }
}

fn planned(main: &mut String, now: Timestamp, row: &JobRow, told: &Foretold) {
    let starts = match told.starts_at {
        Some(at) if at <= now => "now".to_owned(),
        Some(at) => format!("in {} <span class=\"quiet\">{}</span>", format::coarse(at.since(now)), html::when(at)),
        None => "unknown".to_owned(),
    };
    let _ = write!(
        main,
        "<tr><td><a href=\"/jobs/{}\">{}</a></td><td>{}</td><td>{starts}</td><td>{}</td><td>{}</td></tr>",
        row.job.id,
        Escaped(&row.name),
        Escaped(told.worker.as_deref().unwrap_or("unknown")),
        told.usual.map_or_else(|| "unknown".to_owned(), format::took),
        told.why.as_ref().map(said).unwrap_or_default()
    );
}

/// Why a job does not run now, with a link to the one that is in its way.
pub(super) fn said(hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::Key { job } => format!("<a href=\"/jobs/{job}\">another job</a> of its key has to end first"),
        other => Escaped(why(other)).to_string(),
    }
}

fn running(main: &mut String, plan: &Plan) {
    if plan.running.is_empty() {
        return;
    }
    main.push_str("<h2>Runs</h2>");
    html::begin_table(main, "What runs", "running", &["Job", "Since", "Should be done"]);
    for (row, done_at) in &plan.running {
        let _ = write!(
            main,
            "<tr><td><a href=\"/jobs/{}\">{}</a></td><td>{}</td><td>{}</td></tr>",
            row.job.id,
            Escaped(&row.name),
            row.job.started_at.map(html::when).unwrap_or_default(),
            done_at.map_or_else(|| "unknown".to_owned(), html::when)
        );
    }
    html::end_table(main);
}

fn held(main: &mut String, plan: &Plan) {
    if plan.held.is_empty() && plan.unapproved.is_empty() {
        return;
    }
    main.push_str("<h2>Waits for somebody</h2><ul data-test=\"held\">");
    for batch in &plan.held {
        let _ = write!(main, "<li>To be started: <a href=\"/batches/{}\">{}</a></li>", batch.id, Escaped(&batch.name));
    }
    for row in &plan.unapproved {
        let _ = write!(
            main,
            "<li>To be approved: <a href=\"/builds/{}\">{} {}</a>, {}</li>",
            row.id,
            Escaped(&row.repository),
            Escaped(&row.branch),
            Escaped(row.held.as_deref().unwrap_or_default())
        );
    }
    main.push_str("</ul>");
}
