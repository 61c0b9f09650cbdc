//! `/settings/tokens`: what programs are let in by, as plain forms.

use super::extract::Segment;
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::tokens::{Scope, Token, TokenText};
use crate::service::{Desk, Failure};
use app::domain::ids::TokenId;
use app::domain::problem::Problem;
use app::domain::time::Timestamp;
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

const INTRODUCTION: &str = "<h1>Tokens</h1><p>Programs show a token as <code>Authorization: Bearer …</code>. It is told \
    once, and holds until it is over or taken back: then it is refused at once, and open streams end.</p>";

/// What the scopes are for.
const SCOPES: [(Scope, &str); 4] = [
    (Scope::Ingest, "ingest: sends events and reports"),
    (Scope::Read, "read: reads, where reading needs it"),
    (Scope::Worker, "worker: takes jobs"),
    (Scope::Admin, "admin: everything"),
];

/// Every token, and a form for a new one.
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let main = main_of(&desk, "", &TokenText::default()).await?;
    Ok(html::respond(html::page(&desk, "Tokens", &main)))
}

async fn main_of(desk: &Desk, news: &str, said: &TokenText) -> Result<String, Failure> {
    let mut main = format!("{INTRODUCTION}{news}");
    let tokens = desk.tokens().await?;
    let (now, proof) = (desk.now(), form::proof(desk));
    if tokens.is_empty() {
        main.push_str("<p>There are none yet.</p>");
    } else {
        html::begin_table(
            &mut main,
            "Tokens",
            "tokens",
            &["For", "Scope", "Only", "Made", "Holds", "Last used", "Take back"],
        );
        tokens.iter().for_each(|token| row(&mut main, token, now, &proof));
        html::end_table(&mut main);
    }
    let _ = write!(main, "<h2>A new token</h2>{}", fields(said, &proof));
    Ok(main)
}

/// For what alone a token is, in a line.
fn bounds(token: &Token) -> String {
    let setup = token.setup.as_ref().map(|setup| format!("setup {}", setup.as_str()));
    let project = token.project.as_ref().map(|project| format!("project {}", project.as_str()));
    let wall = token.wall.as_ref().map(|wall| format!("wall {wall}"));
    let all: Vec<_> = setup.into_iter().chain(project).chain(wall).collect();
    all.join(", ")
}

/// Until when it holds, or why it does not.
fn holds(token: &Token, now: Timestamp) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("taken back {}", html::when(at)),
        (None, Some(at)) if at <= now => format!("over since {}", html::when(at)),
        (None, Some(at)) => format!("until {}", html::when(at)),
        (None, None) => "for ever".to_owned(),
    }
}

fn row(main: &mut String, token: &Token, now: Timestamp, proof: &str) {
    let used = token.used_at.map_or_else(|| "never".to_owned(), html::when);
    let from = token.used_from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    let by = token.created_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let end = if token.revoked_at.is_some() {
        String::new()
    } else {
        format!(
            "<form method=\"post\" action=\"/settings/tokens/{}\" class=\"line\">{proof}\
             <button class=\"button\" data-test=\"revoke\">Take back</button></form>",
            token.id
        )
    };
    let _ = write!(
        main,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td><td>{}{}</td><td>{end}</td></tr>",
        Escaped(token.label.as_deref().unwrap_or("unnamed")),
        Escaped(&token.scope),
        Escaped(bounds(token)),
        html::when(token.created_at),
        Escaped(by),
        holds(token, now),
        used,
        Escaped(from),
    );
}

fn fields(said: &TokenText, proof: &str) -> String {
    let scopes = SCOPES.iter().map(|(scope, words)| {
        let selected = if said.scope == Some(*scope) { " selected" } else { "" };
        format!("<option value=\"{scope}\"{selected}>{words}</option>")
    });
    let field = |label: &str, name: &str, value: &str, hint: &str| {
        format!(
            "<label>{label} <input type=\"text\" name=\"{name}\" value=\"{}\" placeholder=\"{hint}\" autocomplete=\"off\"></label>",
            Escaped(value)
        )
    };
    let days = said.days.map(|days| days.to_string()).unwrap_or_default();
    [
        format!("<form method=\"post\" action=\"/settings/tokens\" class=\"stacked\" data-test=\"token-form\">{proof}"),
        field("What it is for", "label", &said.label, "nightly on bench 7"),
        format!("<label>Scope <select name=\"scope\">{}</select></label>", scopes.collect::<String>()),
        field("Only this setup", "setup", &said.setup, "all"),
        field("Only this project", "project", &said.project, "all"),
        field("Days it holds", "days", &days, "for ever"),
        "<button class=\"button\">Make a token</button></form>".to_owned(),
    ]
    .concat()
}

fn read(form: &Form) -> Result<TokenText, Failure> {
    Ok(TokenText {
        label: form.text("label").to_owned(),
        scope: Scope::parse(form.text("scope")),
        setup: form.text("setup").to_owned(),
        project: form.text("project").to_owned(),
        days: form.number("days")?,
    })
}

/// Makes a token, and shows it once.
pub async fn make(desk: Desk, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let made = match read(&form) {
        Ok(said) => desk.token_make(&said).await,
        Err(failure) => Err(failure),
    };
    match made {
        Ok((secret, _)) => {
            let news = format!(
                "<p role=\"status\" data-test=\"token\">The token is told once: <code>{}</code></p>",
                Escaped(secret.expose())
            );
            let main = main_of(&desk, &news, &TokenText::default()).await?;
            Ok(html::respond(html::page(&desk, "Tokens", &main)))
        }
        Err(failure @ Failure::Invalid { .. }) => {
            let problem = Problem::from(failure);
            let news =
                format!("<p role=\"alert\" data-test=\"refused\">None was made: {}.</p>", Escaped(&problem.detail));
            let main = main_of(&desk, &news, &read(&form).unwrap_or_default()).await?;
            Ok(form::refused(&problem, html::respond(html::page(&desk, "Tokens", &main))))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Takes a token back.
pub async fn revoke(desk: Desk, Segment(id): Segment, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let id = id.parse().map(TokenId).map_err(|_| Refusal::not_found("there is no such token"))?;
    desk.token_revoke(id).await?;
    Ok(Redirect::to("/settings/tokens").into_response())
}
