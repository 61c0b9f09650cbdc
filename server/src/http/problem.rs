//! Problems as responses (RFC 9457).

use super::html::{self, Escaped};
use crate::intake::native::IntakeError;
use crate::service::Failure;
use app::domain::problem::{Fault, Problem, ProblemKind};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal as an answer; handlers return it with `?`.
#[derive(Clone, Debug)]
pub struct Refusal(Problem);

impl Refusal {
    /// A refusal of a kind, with its detail.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self(Problem::new(kind, detail))
    }

    /// A value of the query that cannot be.
    pub fn query(name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self(Problem::new(ProblemKind::Invalid, format!("{name} {detail}")).at(format!("/{name}"), detail))
    }

    /// The problem, for who answers in another shape.
    pub fn into_problem(self) -> Problem {
        self.0
    }

    /// There is no such thing.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, what)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(failure.into())
    }
}

impl From<IntakeError> for Refusal {
    fn from(error: IntakeError) -> Self {
        Self(error.into())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

fn render(problem: &Problem) -> Response {
    let kind = problem.kind;
    let body = Body {
        r#type: format!("/problems/{}", kind.slug()),
        title: kind.title(),
        status: kind.status(),
        detail: &problem.detail,
        instance: problem.instance.as_deref(),
        errors: &problem.errors,
    };
    // A problem is plain text and numbers: writing it cannot fail.
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if kind == ProblemKind::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = render(&self.0);
        response.extensions_mut().insert(self);
        response
    }
}

/// The same as a page, for who asked in a browser.
fn render_page(problem: &Problem) -> Response {
    let title = problem.kind.title();
    let faults: String = problem
        .errors
        .iter()
        .filter(|fault| fault.detail != problem.detail)
        .map(|fault| format!("<li>{}: {}</li>", Escaped(&fault.pointer), Escaped(&fault.detail)))
        .collect();
    let main = format!(
        "<h1>{}</h1><p role=\"alert\" data-test=\"problem\">{}.</p><ul>{faults}</ul>\
         <p><a href=\"/\">All setups</a></p><p>Request {}</p>",
        Escaped(title),
        Escaped(&problem.detail),
        Escaped(problem.instance.as_deref().unwrap_or_default())
    )
    .replace("<ul></ul>", "");
    let mut response = render(problem);
    *response.body_mut() = html::document(title, &main).into();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Names the request in the problem that it came to, and says the ones that
/// are our own fault in the log. Other responses pass untouched.
pub fn sign(mut response: Response, id: &str, is_for_people: bool) -> Response {
    let Some(Refusal(mut problem)) = response.extensions_mut().remove::<Refusal>() else { return response };
    if problem.kind.status() >= 500 {
        tracing::warn!(request.id = %id, status = problem.kind.status(), detail = %problem.detail, "a request was refused");
    }
    problem.instance = Some(id.to_owned());
    let mut signed = if is_for_people { render_page(&problem) } else { render(&problem) };
    // What the router knows and the problem does not, such as `Allow`; not what
    // tells of the body, which may have been packed since and is a new one now.
    for (name, value) in response.headers() {
        let is_of_body = [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING].contains(name);
        if !is_of_body && !signed.headers().contains_key(name) {
            signed.headers_mut().insert(name, value.clone());
        }
    }
    signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_names_its_request_and_when_to_come_back() {
        let refusal = Refusal::from(Problem::new(ProblemKind::Busy, "wait").at("/0", "why").retry_after(3));
        let response = sign(refusal.into_response(), "r-1", false);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["type"], "/problems/busy");
        assert_eq!(body["instance"], "r-1");
        assert_eq!(body["errors"][0]["pointer"], "/0");
    }

    #[tokio::test]
    async fn people_are_shown_a_page_with_the_same_words() {
        let refusal = Refusal::not_found("there is no <b>wall</b> of this name");
        let response = sign(refusal.into_response(), "r-1", true);
        assert_eq!(
            (response.status(), &response.headers()[header::CACHE_CONTROL]),
            (StatusCode::NOT_FOUND, &"no-store".parse().expect("a value"))
        );
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(body.contains("there is no &lt;b&gt;wall&lt;/b&gt; of this name.") && body.contains("r-1"), "{body}");
    }
}
