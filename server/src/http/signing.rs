//! `/login` and `/logout`: plain forms that need no script.

use super::cookies;
use super::extract::Query;
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::Desk;
use app::domain::problem::Problem;
use app::domain::rights::Who;
use app::paths::Segment;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};

/// Where to go after signing in: a page of ours, whatever the address says.
pub fn next_page(next: &str) -> &str {
    let is_own = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if is_own && !next.chars().any(char::is_control) { next } else { "/" }
}

/// The browser, as it calls itself.
pub fn agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::USER_AGENT)?.to_str().ok()
}

/// Begins a session in the browser, and leads on.
pub fn enter(desk: &Desk, secret: &str, next: &str) -> Response {
    let mut response = Redirect::to(next).into_response();
    if let Some(cookie) = cookies::session(secret, desk.is_behind_tls()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Asks who is there.
pub async fn login(desk: Desk, query: Query) -> Response {
    let next = next_page(query.text("next").unwrap_or_default());
    html::respond(html::page(&desk, "Sign in", &login_page(&desk, "", next, None)))
}

fn login_page(desk: &Desk, name: &str, next: &str, problem: Option<&Problem>) -> String {
    if let Who::Person(person) = desk.who() {
        return format!(
            "<h1>Sign in</h1><p>You are signed in as {}. <a href=\"{}\">Go on</a>, or \
             <a href=\"/logout\">sign out</a>.</p>",
            Escaped(&person.name),
            Escaped(next)
        );
    }
    let problem =
        problem.map(|problem| format!("<p role=\"alert\" data-test=\"refused\">{}.</p>", Escaped(&problem.detail)));
    let forgotten = if desk.mailer().is_some() {
        "<p><a href=\"/password-reset\">Forgotten the password?</a></p>"
    } else {
        "<p>Forgotten the password? An administrator can give you a link to a new one.</p>"
    };
    let openid = desk.openid_label().map(|label| {
        let (label, next) = (Escaped(label), Segment(next));
        format!("<p><a class=\"button\" href=\"/login/openid?next={next}\" data-test=\"openid\">Sign in with {label}</a></p>")
    });
    let openid = openid.unwrap_or_default();
    format!(
        "<h1>Sign in</h1>{}{openid}<form method=\"post\" action=\"/login\" class=\"stacked\" data-test=\"login\">\
         <input type=\"hidden\" name=\"next\" value=\"{}\">\
         <label>Name <input type=\"text\" name=\"name\" value=\"{}\" autocomplete=\"username\" autocapitalize=\"none\" \
         spellcheck=\"false\" required autofocus></label>\
         <label>Password <input type=\"password\" name=\"password\" autocomplete=\"current-password\" required></label>\
         <button class=\"button\" data-test=\"sign-in-button\">Sign in</button></form>{forgotten}",
        problem.unwrap_or_default(),
        Escaped(next),
        Escaped(name)
    )
}

/// Lets somebody in, or says why not.
pub async fn sign_in(desk: Desk, headers: HeaderMap, form: Form) -> Response {
    let (name, next) = (form.text("name"), next_page(form.text("next")));
    match desk.sign_in(name, form.raw("password"), agent(&headers)).await {
        Ok(secret) => enter(&desk, &secret, next),
        Err(failure) => {
            let problem = Problem::from(failure);
            let page = html::page(&desk, "Sign in", &login_page(&desk, name, next, Some(&problem)));
            form::refused(&problem, html::respond(page))
        }
    }
}

/// Asks whether to go: an address alone changes nothing.
pub async fn logout(desk: Desk) -> Response {
    let main = match desk.who() {
        Who::Person(person) => format!(
            "<h1>Sign out</h1><form method=\"post\" action=\"/logout\"><p>You are signed in as {}.</p>{}\
             <button class=\"button\" data-test=\"sign-out\">Sign out</button></form>",
            Escaped(&person.name),
            form::proof(&desk)
        ),
        _ => "<h1>Sign out</h1><p>Nobody is signed in here. <a href=\"/login\">Sign in</a></p>".to_owned(),
    };
    html::respond(html::page(&desk, "Sign out", &main))
}

/// Ends the session.
pub async fn sign_out(desk: Desk, form: Form) -> Result<Response, Refusal> {
    form::trusted(&desk, &form).await?.sign_out().await?;
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = cookies::no_session(desk.is_behind_tls()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_no_other_site() {
        assert_eq!(next_page("/runs/7?x=1"), "/runs/7?x=1");
        for odd in ["", "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/\r\nx: y"] {
            assert_eq!(next_page(odd), "/", "{odd:?}");
        }
    }
}
