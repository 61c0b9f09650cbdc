//! `/welcome` and `/password-reset`: links that work once, and the way to one.

use super::extract::Query;
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::signing::{agent, enter};
use crate::service::links::LinkPage;
use crate::service::{Desk, Failure};
use app::domain::account::{LinkKind, PASSWORD_MIN};
use app::domain::problem::Problem;
use axum::http::HeaderMap;
use axum::response::Response;

/// What the link in the address leads to, or the way to one.
pub async fn page(desk: Desk, query: Query) -> Response {
    match query.text("link") {
        None => html::respond(html::page(&desk, "A new password", &ask_page(&desk, None))),
        Some(secret) => show(&desk, secret, "", None).await,
    }
}

async fn show(desk: &Desk, secret: &str, name: &str, problem: Option<Problem>) -> Response {
    match (desk.link_page(secret).await, problem) {
        (Ok(found), problem) => {
            let main = link_page(&found, secret, name, problem.as_ref());
            let page = html::respond(html::page(desk, title(found.kind), &main));
            problem.map_or_else(|| page_of(desk, found.kind, &main), |problem| form::refused(&problem, page))
        }
        (Err(failure), _) => {
            let problem = Problem::from(failure);
            let main = format!("<h1>This link does not work</h1><p role=\"alert\">{}.</p>", Escaped(&problem.detail));
            form::refused(&problem, html::respond(html::page(desk, "This link does not work", &main)))
        }
    }
}

fn page_of(desk: &Desk, kind: LinkKind, main: &str) -> Response {
    html::respond(html::page(desk, title(kind), main))
}

const fn title(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::First => "The first account",
        LinkKind::Invitation => "Welcome",
        LinkKind::Reset => "A new password",
    }
}

fn link_page(found: &LinkPage, secret: &str, name: &str, problem: Option<&Problem>) -> String {
    let problem =
        problem.map(|problem| format!("<p role=\"alert\" data-test=\"refused\">{}.</p>", Escaped(&problem.detail)));
    let whose = match &found.name {
        Some(name) => format!(
            "<p>For the account <strong>{0}</strong>.</p>\
             <input type=\"hidden\" name=\"username\" value=\"{0}\" autocomplete=\"username\">",
            Escaped(name)
        ),
        None => format!(
            "<p>Whoever makes the first account is its administrator.</p>\
             <label>Name <input type=\"text\" name=\"name\" value=\"{}\" autocomplete=\"username\" autocapitalize=\"none\" \
             spellcheck=\"false\" required></label>",
            Escaped(name)
        ),
    };
    format!(
        "<h1>{}</h1>{}<form method=\"post\" action=\"{}\" class=\"stacked\" data-test=\"link\">{whose}\
         <input type=\"hidden\" name=\"link\" value=\"{}\">\
         <label>Password, {PASSWORD_MIN} characters at least <input type=\"password\" name=\"password\" \
         autocomplete=\"new-password\" minlength=\"{PASSWORD_MIN}\" required></label>\
         <button class=\"button\" data-test=\"set-password\">Set the password and sign in</button></form>",
        title(found.kind),
        problem.unwrap_or_default(),
        if found.kind == LinkKind::Reset { "/password-reset" } else { "/welcome" },
        Escaped(secret)
    )
}

fn ask_page(desk: &Desk, news: Option<&str>) -> String {
    let news = news.unwrap_or_default();
    if desk.mailer().is_none() {
        return "<h1>A new password</h1><p>This server sends no mail. An administrator can give you a link.</p>\
                <p><a href=\"/login\">Sign in</a></p>"
            .into();
    }
    format!(
        "<h1>A new password</h1>{news}<form method=\"post\" action=\"/password-reset\" class=\"stacked\" \
         data-test=\"ask-reset\"><label>Name, or address for mail <input type=\"text\" name=\"who\" \
         autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required></label>\
         <button class=\"button\">Send a link</button></form>"
    )
}

/// Uses a link, or sends one.
pub async fn submit(desk: Desk, headers: HeaderMap, form: Form) -> Response {
    let secret = form.text("link");
    if secret.is_empty() {
        return ask(&desk, &form).await;
    }
    match desk.link_use(secret, form.text("name"), form.raw("password"), agent(&headers)).await {
        Ok(session) => enter(&desk, &session, "/"),
        Err(failure @ Failure::NotFound(_)) => {
            let problem = Problem::from(failure);
            let main = format!("<h1>This link does not work</h1><p role=\"alert\">{}.</p>", Escaped(&problem.detail));
            form::refused(&problem, html::respond(html::page(&desk, "This link does not work", &main)))
        }
        Err(failure) => show(&desk, secret, form.text("name"), Some(failure.into())).await,
    }
}

/// The answer is the same whether there is such an account or not.
async fn ask(desk: &Desk, form: &Form) -> Response {
    match desk.ask_reset(form.text("who")).await {
        Ok(()) => {
            let news = "<p role=\"status\" data-test=\"asked\">If there is such an account and it has an address, a \
                        link is on its way. It works for an hour.</p>";
            html::respond(html::page(desk, "A new password", &ask_page(desk, Some(news))))
        }
        Err(failure) => {
            let problem = Problem::from(failure);
            let news = format!("<p role=\"alert\">{}.</p>", Escaped(&problem.detail));
            let page = html::page(desk, "A new password", &ask_page(desk, Some(&news)));
            form::refused(&problem, html::respond(page))
        }
    }
}
