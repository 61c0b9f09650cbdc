//! `/settings/schedules`: what is run again and again, as plain forms.

use super::batch_pages::badge;
use super::extract::Segment as Name;
use super::form::{self, Form, field};
use super::html::{self, Escaped};
use super::problem::Refusal;
use super::schedules::no_schedule;
use super::wire::schedule::LastBody;
use crate::config::{Order, SchedulePlan};
use crate::service::schedules::Schedule;
use crate::service::{Desk, Failure};
use app::domain::problem::Problem;
use app::domain::rights::Action;
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

const INTRODUCTION: &str = "<h1>Schedules</h1><p>The files of a <a href=\"/batches\">batch</a>, or the head of a \
    branch, run again and again. What was missed while the server was away runs once.</p>";

/// Every schedule, and a form for a new one.
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let mut main = String::from(INTRODUCTION);
    let all = desk.schedules().await?;
    if all.is_empty() {
        main.push_str("<p data-test=\"no-schedules\">Nothing is run by itself yet.</p>");
    } else {
        html::begin_table(&mut main, "Schedules", "schedules", &["Name", "Runs", "When", "Next", "Last", "By", ""]);
        all.iter().for_each(|schedule| row(&mut main, &desk, schedule));
        html::end_table(&mut main);
    }
    if desk.may_somewhere(Action::Launch) {
        let form = form("", &SchedulePlan::default(), None, &form::proof(&desk));
        let _ = write!(main, "<h2>A new schedule</h2>{form}");
    }
    Ok(html::respond(html::page(&desk, "Schedules", &main)))
}

fn row(main: &mut String, desk: &Desk, schedule: &Schedule) {
    let row = &schedule.row;
    let next = match row.next_at {
        _ if row.is_paused => badge("paused"),
        Some(at) => html::when(at),
        None => "never".into(),
    };
    let last = match (&schedule.last, &row.fault) {
        (_, Some(why)) => format!("{} {}", badge("errored"), Escaped(why)),
        (Some(last), None) => {
            let LastBody { url, status } = LastBody::of(last);
            format!("<a href=\"{url}\">{}</a>", badge(status))
        }
        (None, None) => String::new(),
    };
    let _ = write!(
        main,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{next}</td><td>{last} {}</td><td>{}</td><td>{}</td></tr>",
        named(desk, schedule),
        what(&schedule.plan),
        when(&schedule.plan),
        row.last_at.map(html::when).unwrap_or_default(),
        Escaped(&row.made_by),
        acts(desk, schedule)
    );
}

fn named(desk: &Desk, schedule: &Schedule) -> String {
    let name = Escaped(&schedule.row.name);
    if schedule.row.is_configured || !desk.may_somewhere(Action::Launch) {
        return name.to_string();
    }
    format!("<a href=\"/settings/schedules/{name}\">{name}</a>")
}

fn what(plan: &SchedulePlan) -> String {
    match plan.order() {
        Ok(Order::Batch(id)) => format!("<a href=\"/batches/{id}\">a batch</a>"),
        Ok(Order::Branch { repository, branch }) => format!("{} of {}", Escaped(branch), Escaped(repository)),
        Err(fault) => Escaped(fault).to_string(),
    }
}

fn when(plan: &SchedulePlan) -> String {
    let words = plan.timetable().map(|timetable| timetable.words()).unwrap_or_default();
    format!("{} <code>{}</code> {}", Escaped(words), Escaped(&plan.cron), Escaped(&plan.time_zone))
}

fn acts(desk: &Desk, schedule: &Schedule) -> String {
    if !desk.may_somewhere(Action::Launch) {
        return String::new();
    }
    let (act, label) = if schedule.row.is_paused { ("resume", "Resume") } else { ("pause", "Pause") };
    let mut acts = button(desk, &schedule.row.name, act, label);
    if !schedule.row.is_configured {
        acts.push_str(&button(desk, &schedule.row.name, "delete", "Delete"));
    }
    acts
}

fn button(desk: &Desk, name: &str, act: &str, label: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/settings/schedules/{}/{act}\" class=\"line\">{}\
         <button class=\"button\" data-test=\"{act}-schedule\">{label}</button></form>",
        Escaped(name),
        form::proof(desk)
    )
}

/// One schedule, to be changed.
pub async fn one(desk: Desk, Name(name): Name) -> Result<Response, Refusal> {
    let found = desk.schedule(&name).await?.ok_or_else(|| no_schedule(&name))?;
    let mut main = format!("<p><a href=\"/settings/schedules\">Schedules</a></p><h1>{}</h1>", Escaped(&found.row.name));
    if found.row.is_configured {
        main.push_str("<p>This schedule is written in holter.toml, and changed there.</p>");
    } else {
        main.push_str(&form(&found.row.name, &found.plan, None, &form::proof(&desk)));
    }
    Ok(html::respond(html::page(&desk, &name, &main)))
}

fn form(name: &str, plan: &SchedulePlan, refused: Option<&Problem>, proof: &str) -> String {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        "<form method=\"post\" action=\"/settings/schedules\" class=\"stacked\" data-test=\"schedule-form\">"
            .to_owned(),
        form::not_saved(refused),
        field("Name", "name", name, "nightly"),
        field("When: minute, hour, day, month, weekday", "cron", &plan.cron, "30 2 * * 1-5"),
        field("Time zone", "time_zone", &plan.time_zone, "UTC"),
        field("The files of the batch (its id)", "batch", &some(&plan.batch), "not for a build"),
        field("Or the repository", "repository", &some(&plan.repository), "acme/pump"),
        field("And its branch", "branch", &some(&plan.branch), "main"),
        proof.to_owned(),
        "<button class=\"button\" data-test=\"save-schedule\">Save</button></form>".to_owned(),
    ]
    .concat()
}

fn read(form: &Form) -> SchedulePlan {
    SchedulePlan {
        cron: form.text("cron").into(),
        time_zone: form.text("time_zone").into(),
        batch: form.some("batch"),
        repository: form.some("repository"),
        branch: form.some("branch"),
    }
}

/// Saves what a form says.
pub async fn save(desk: Desk, form: Form) -> Response {
    let name = form.text("name").to_owned();
    let saved = async {
        let desk = form::trusted(&desk, &form).await?;
        let is_paused = desk.schedule(&name).await?.is_some_and(|known| known.row.is_paused);
        desk.schedule_save(&name, &read(&form), is_paused).await
    };
    match saved.await {
        Ok(_) => Redirect::to("/settings/schedules").into_response(),
        Err(failure) => {
            let problem = Problem::from(failure);
            let form = self::form(&name, &read(&form), Some(&problem), &form::proof(&desk));
            form::refused(&problem, html::respond(html::page(&desk, "Schedules", &format!("{INTRODUCTION}{form}"))))
        }
    }
}

async fn acted(done: impl Future<Output = Result<(), Failure>>) -> Result<Response, Refusal> {
    done.await?;
    Ok(Redirect::to("/settings/schedules").into_response())
}

/// Lets turns pass a schedule by.
pub async fn pause(desk: Desk, Name(name): Name, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    acted(desk.schedule_pause(&name, true)).await
}

/// Does not any more.
pub async fn resume(desk: Desk, Name(name): Name, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    acted(desk.schedule_pause(&name, false)).await
}

/// Deletes a schedule.
pub async fn delete(desk: Desk, Name(name): Name, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    acted(desk.schedule_delete(&name)).await
}
