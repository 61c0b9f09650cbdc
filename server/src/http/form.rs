//! Forms: what their fields say, and the proof that the page they were on came
//! from here.

use super::body;
use super::html::Escaped;
use super::problem::Refusal;
use crate::service::access::Shown;
use crate::service::{Desk, Failure};
use app::domain::problem::{Problem, ProblemKind};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use subtle::ConstantTimeEq;

/// The fields of a form that was sent.
#[derive(Default)]
pub struct Form(HashMap<String, String>);

impl Form {
    /// Reads a body.
    pub fn of(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// Adds a field, of a form that was sent in parts.
    pub fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// A field; empty where it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field as it was typed, for passwords.
    pub fn raw(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A field that is not empty.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The lines of a field, or its parts between commas.
    pub fn lines(&self, name: &str) -> Vec<String> {
        self.text(name).split(['\n', ',']).map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a box is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A whole number.
    pub fn number(&self, name: &'static str) -> Result<Option<u32>, Failure> {
        let Some(text) = self.some(name) else { return Ok(None) };
        let not_whole = |_| Failure::invalid(name, "must be a whole number");
        text.parse().map(Some).map_err(not_whole)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Refusal::new(ProblemKind::Unsupported, "this address takes a form, as browsers send it"));
        }
        let (parts, body) = request.into_parts();
        Ok(Self::of(&body::read_form(&parts.headers, body).await?))
    }
}

/// What every form has in it: the proof for who is signed in, else a field for
/// a token.
pub fn proof(desk: &Desk) -> String {
    match desk.asker().form_key() {
        Some(key) => format!("<input type=\"hidden\" name=\"key\" value=\"{key}\">"),
        None if desk.policy().is_development => String::new(),
        None => "<label>Admin token <input type=\"password\" name=\"token\" autocomplete=\"off\" \
                 placeholder=\"not needed when signed in\"></label>"
            .to_owned(),
    }
}

/// The desk for who sends a form. Who is signed in must have got the form from
/// here; else the token in it counts.
pub async fn trusted(desk: &Desk, form: &Form) -> Result<Desk, Failure> {
    match (desk.asker().form_key(), form.text("token")) {
        (Some(key), _) if bool::from(key.as_bytes().ct_eq(form.text("key").as_bytes())) => Ok(desk.clone()),
        (Some(_), _) => Err(Failure::Forbidden("this form is of another session; load its page again".into())),
        (None, "") => Ok(desk.clone()),
        (None, secret) => desk.desk(Shown::Token(secret), desk.asker().address).await,
    }
}

/// A line of text to be typed in.
pub fn field(label: &str, name: &str, value: &str, hint: &str) -> String {
    let (value, hint) = (Escaped(value), Escaped(hint));
    format!("<label>{label} <input type=\"text\" name=\"{name}\" value=\"{value}\" placeholder=\"{hint}\"></label>")
}

/// Why what a form says was not saved; nothing where it was not refused.
pub fn not_saved(refused: Option<&Problem>) -> String {
    let said = |problem: &Problem| {
        format!("<p role=\"alert\" data-test=\"refused\">Not saved: {}</p>", Escaped(&*problem.detail))
    };
    refused.map(said).unwrap_or_default()
}

/// A page with the status of a refusal.
pub fn refused(problem: &Problem, page: Response) -> Response {
    let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, page).into_response();
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
