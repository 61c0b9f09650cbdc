//! `/login/openid`: to the provider, and back.

use super::cookies;
use super::extract::Query;
use super::form;
use super::html::{self, Escaped};
use super::signing::{agent, enter, next_page};
use crate::service::{Desk, Failure};
use app::domain::problem::Problem;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};

fn refused(desk: &Desk, failure: Failure) -> Response {
    let problem = Problem::from(failure);
    let main = format!(
        "<h1>Not signed in</h1><p role=\"alert\" data-test=\"refused\">{}.</p><p><a href=\"/login\">Sign in</a></p>",
        Escaped(&problem.detail)
    );
    form::refused(&problem, html::respond(html::page(desk, "Not signed in", &main)))
}

/// Sends somebody to the provider.
pub async fn begin(desk: Desk, query: Query) -> Response {
    match desk.openid_begin(next_page(query.text("next").unwrap_or_default())).await {
        Ok(departure) => {
            let mut response = Redirect::to(&departure.way).into_response();
            if let Some(cookie) = cookies::trip(&departure.kept, desk.is_behind_tls()) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(failure) => refused(&desk, failure),
    }
}

/// Takes somebody who comes back.
pub async fn end(desk: Desk, query: Query, headers: HeaderMap) -> Response {
    let is_secure = desk.is_behind_tls();
    let kept = cookies::Cookies::of(&headers, is_secure).trip.unwrap_or_default();
    let (state, code) = (query.text("state").unwrap_or_default(), query.text("code").unwrap_or_default());
    let come = match query.text("error") {
        // There is no code to ask with. What else is said there may be anybody's words.
        Some(_) => Err(Failure::Forbidden("the provider did not let you in, or you called it off; begin again".into())),
        None => desk.openid_end(&kept, state, code, agent(&headers)).await,
    };
    let mut response = match come {
        Ok((secret, next)) => enter(&desk, &secret, next_page(&next)),
        Err(failure) => refused(&desk, failure),
    };
    // Either way it is used up.
    if let Some(cookie) = cookies::no_trip(is_secure) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
