//! Setups that somebody keeps for themselves: for programs, and as plain forms
//! under `/settings/reservations`.

use super::extract::Segment as Name;
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use super::wire::{ReservationBody, ReservationItem};
use super::{body, json};
use crate::service::{Desk, Failure};
use app::domain::problem::Problem;
use app::domain::rights::Action;
use app::domain::time::{Micros, Timestamp};
use app::paths::Segment;
use app::read::Reservation;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

/// For how long a form offers a setup, in hours.
const HOURS: [(u32, &str); 7] =
    [(1, "an hour"), (2, "2 hours"), (4, "4 hours"), (8, "8 hours"), (24, "a day"), (72, "3 days"), (168, "a week")];

/// Keeps a setup for somebody
///
/// Until a time: jobs for that setup wait meanwhile, and its tile says for whom. What runs goes on. Whoever has it may
/// change until when; 409 where somebody else has it. Needs an engineer, or a token of scope `ingest`.
#[utoipa::path(
    post, path = "/api/v1/setups/{name}/reservation", tag = "Walls", operation_id = "reserveSetup",
    security(("token" = [])),
    params(("name" = String, Path, description = "The setup's name, percent-encoded", example = "bench 7")),
    request_body(content = ReservationBody),
    responses((status = 200, description = "It is reserved", body = ReservationItem)),
)]
pub async fn reserve(desk: Desk, Name(name): Name, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.may(Action::Care)?;
    let said: ReservationBody = body::value(&headers, body).await?;
    let not_a_time = || Failure::invalid("until", "must be a time such as 2026-03-01T16:00:00Z");
    let until = Timestamp::from_rfc3339(&said.until).ok_or_else(not_a_time)?;
    let kept = desk.reserve(&name, said.holder.as_deref(), &said.reason, until).await?;
    Ok(json(&ReservationItem::from(&kept)))
}

/// Gives a setup back before its time
#[utoipa::path(
    delete, path = "/api/v1/setups/{name}/reservation", tag = "Walls", operation_id = "giveBackSetup",
    security(("token" = [])),
    params(("name" = String, Path, description = "The setup's name, percent-encoded", example = "bench 7")),
    responses((status = 204, description = "Nobody keeps it")),
)]
pub async fn give_back(desk: Desk, Name(name): Name) -> Result<Response, Refusal> {
    desk.end_reservation(&name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Every setup, and who keeps it.
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let mut main = String::from(
        "<h1>Reserved setups</h1><p>Jobs for a setup that somebody keeps for themselves wait until it is given back, \
         or its time is over.</p>",
    );
    let setups = desk.setups().await?;
    if setups.is_empty() {
        main.push_str("<p>There are no setups yet: each appears with its first event.</p>");
        return Ok(html::respond(html::page(&desk, "Reserved setups", &main)));
    }
    html::begin_table(&mut main, "Setups", "reservations", &["Setup", "Kept by", "Until", "What for"]);
    let now = desk.now();
    for tile in &setups {
        let (holder, until, reason) = match tile.reserved(now) {
            Some(kept) => (&*kept.holder, html::when(kept.ends_at), &*kept.reason),
            None => ("", String::new(), ""),
        };
        let _ = write!(
            main,
            "<tr><td><a href=\"/settings/reservations/{}\">{}</a></td><td>{}</td><td>{until}</td><td>{}</td></tr>",
            Segment(&tile.name),
            Escaped(&tile.name),
            Escaped(holder),
            Escaped(reason)
        );
    }
    html::end_table(&mut main);
    Ok(html::respond(html::page(&desk, "Reserved setups", &main)))
}

/// One setup, to be kept or given back.
pub async fn one(desk: Desk, Name(name): Name) -> Result<Response, Refusal> {
    page(&desk, &name, None).await
}

async fn page(desk: &Desk, name: &str, refused: Option<&Problem>) -> Result<Response, Refusal> {
    let none = || Refusal::not_found("there is no setup of this name; /settings/reservations lists all");
    let tile = desk.setup(name).await?.ok_or_else(none)?;
    let mut main = format!(
        "<p><a href=\"/settings/reservations\">Reserved setups</a></p><h1>{}</h1><p><a href=\"/setups/{}\">Its \
         results</a></p>",
        Escaped(name),
        Segment(name)
    );
    if let Some(problem) = refused {
        let _ = write!(main, "<p role=\"alert\" data-test=\"refused\">Not done: {}</p>", Escaped(&*problem.detail));
    }
    let kept = tile.reserved(desk.now());
    let may = desk.may_somewhere(Action::Care);
    match kept {
        Some(kept) => main.push_str(&held(kept)),
        None => main.push_str("<p data-test=\"not-reserved\">Nobody keeps it for themselves.</p>"),
    }
    if may {
        main.push_str(&forms(name, kept, &form::proof(desk)));
    }
    Ok(html::respond(html::page(desk, name, &main)))
}

fn held(kept: &Reservation) -> String {
    format!(
        "<p data-test=\"reserved\">{} keeps it until {}: {}</p>",
        Escaped(&kept.holder),
        html::when(kept.ends_at),
        Escaped(&kept.reason)
    )
}

fn forms(name: &str, kept: Option<&Reservation>, proof: &str) -> String {
    let address = format!("/settings/reservations/{}", Segment(name));
    if kept.is_some() {
        return format!(
            "<form method=\"post\" action=\"{address}/end\">{proof}\
             <button class=\"button\" data-test=\"give-back\">Give it back</button></form>"
        );
    }
    let hours = HOURS.map(|(hours, words)| format!("<option value=\"{hours}\">{words}</option>"));
    format!(
        "<form method=\"post\" action=\"{address}\" class=\"stacked\" data-test=\"reserve-form\">\
         <label>What for <input type=\"text\" name=\"reason\" required maxlength=\"200\"></label>\
         <label>For how long <select name=\"hours\">{}</select></label>\
         <label>Or until, in UTC <input type=\"datetime-local\" name=\"until\"></label>{proof}\
         <button class=\"button\" data-test=\"reserve\">Keep it for me</button></form>",
        hours.concat()
    )
}

/// Until when a form says.
fn until(form: &Form, now: Timestamp) -> Result<Timestamp, Failure> {
    let Some(text) = form.some("until") else {
        let hours = form.number("hours")?.unwrap_or(1).min(24 * 31);
        return Ok(now + Micros::from_secs(i64::from(hours) * 3_600));
    };
    let seconds = if text.len() == 16 { ":00Z" } else { "Z" };
    let not_a_time = || Failure::invalid("until", "is not a time");
    Timestamp::from_rfc3339(&format!("{text}{seconds}")).ok_or_else(not_a_time)
}

async fn answered(desk: &Desk, name: &str, done: Result<(), Failure>) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/settings/reservations/{}", Segment(name))).into_response()),
        Err(failure) => {
            let problem = Problem::from(failure);
            if desk.setup(name).await?.is_none() {
                return Err(problem.into());
            }
            Ok(form::refused(&problem, page(desk, name, Some(&problem)).await?))
        }
    }
}

/// Keeps a setup for whoever sends the form.
pub async fn save(desk: Desk, Name(name): Name, form: Form) -> Result<Response, Refusal> {
    let saved = async {
        let desk = form::trusted(&desk, &form).await?;
        desk.reserve(&name, None, form.text("reason"), until(&form, desk.now())?).await.map(drop)
    };
    answered(&desk, &name, saved.await).await
}

/// Gives a setup back.
pub async fn end(desk: Desk, Name(name): Name, form: Form) -> Result<Response, Refusal> {
    let ended = async { form::trusted(&desk, &form).await?.end_reservation(&name).await };
    answered(&desk, &name, ended.await).await
}
