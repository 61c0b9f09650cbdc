//! `/settings/account`: the own password and the own sessions.

use super::extract::Segment;
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::people::Session;
use crate::service::{Desk, Failure};
use app::domain::account::PASSWORD_MIN;
use app::domain::ids::SessionId;
use app::domain::problem::Problem;
use app::domain::rights::Person;
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

/// Everything about oneself.
pub async fn page(desk: Desk) -> Result<Response, Refusal> {
    let main = main_of(&desk, "").await?;
    Ok(html::respond(html::page(&desk, "Your account", &main)))
}

async fn main_of(desk: &Desk, news: &str) -> Result<String, Failure> {
    let person = desk.person()?;
    let user = desk.own_account().await?;
    let proof = form::proof(desk);
    let email = user.email.as_deref().unwrap_or("none; an administrator can write one down");
    let mut main = format!(
        "<h1>{}</h1>{news}<p>{}</p><p>Address for mail: {}</p>\
         <form method=\"post\" action=\"/logout\">{proof}<button class=\"button\" data-test=\"sign-out\">Sign out</button></form>\
         <h2>Change the password</h2>{}<h2>Where you are signed in</h2>",
        Escaped(&person.name),
        Escaped(said_of(person)),
        Escaped(email),
        password_form(&proof, user.password.is_some()),
    );
    sessions(&mut main, &desk.own_sessions().await?, person.session, &proof);
    Ok(main)
}

/// What somebody may, in a sentence.
fn said_of(person: &Person) -> String {
    let everywhere = person.role.map(|role| format!("You are {role} everywhere"));
    let granted = person.grants.iter().map(|(project, role)| format!("{role} in {}", project.as_str()));
    let parts: Vec<_> = everywhere.into_iter().chain(granted).collect();
    if parts.is_empty() {
        "You have no role yet; an administrator can give you one.".into()
    } else {
        format!("{}.", parts.join(", "))
    }
}

fn password_form(proof: &str, has_old: bool) -> String {
    let old = if has_old {
        "<label>The password until now <input type=\"password\" name=\"old\" autocomplete=\"current-password\" required></label>"
    } else {
        ""
    };
    format!(
        "<form method=\"post\" action=\"/settings/account/password\" class=\"stacked\" data-test=\"password\">{proof}{old}\
         <label>The new one, {PASSWORD_MIN} characters at least <input type=\"password\" name=\"password\" \
         autocomplete=\"new-password\" minlength=\"{PASSWORD_MIN}\" required></label>\
         <button class=\"button\">Change it, and sign out everywhere else</button></form>"
    )
}

fn sessions(main: &mut String, sessions: &[Session], own: SessionId, proof: &str) {
    for session in sessions {
        let from = session.address.as_deref().unwrap_or("an unknown address");
        let agent = session.agent.as_deref().unwrap_or("an unnamed browser");
        let which = if session.id == own { "This one" } else { "Another" };
        let end = if session.id == own { "" } else { "<button class=\"button\">End it</button>" };
        let _ = write!(
            main,
            "<form method=\"post\" action=\"/settings/account/sessions/{}\" class=\"line\" data-test=\"session\">{proof}\
             <span>{which}: from {}, last used {}, since {}, by {}</span>{end}</form>",
            session.id,
            Escaped(from),
            html::when(session.used_at),
            html::when(session.created_at),
            Escaped(agent),
        );
    }
}

/// Sets another password.
pub async fn password(desk: Desk, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    match desk.own_password(form.raw("old"), form.raw("password")).await {
        Ok(()) => {
            let news = "<p role=\"status\" data-test=\"changed\">The password is changed; you are signed out everywhere else.</p>";
            Ok(html::respond(html::page(&desk, "Your account", &main_of(&desk, news).await?)))
        }
        Err(failure @ Failure::Unauthenticated(_)) => Err(failure.into()),
        Err(failure) => {
            let problem = Problem::from(failure);
            let news =
                format!("<p role=\"alert\" data-test=\"refused\">Not changed: {}.</p>", Escaped(&problem.detail));
            let page = html::page(&desk, "Your account", &main_of(&desk, &news).await?);
            Ok(form::refused(&problem, html::respond(page)))
        }
    }
}

/// Ends one of the own sessions.
pub async fn end_session(desk: Desk, Segment(id): Segment, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let id = id.parse().map(SessionId).map_err(|_| Refusal::not_found("there is no such session"))?;
    desk.own_session_end(id).await?;
    Ok(Redirect::to("/settings/account").into_response())
}
