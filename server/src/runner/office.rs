//! The server, as a worker speaks to it: the public API, over the network or,
//! for the workers of the server itself, straight to its routes.

use crate::http::wire::work::{
    ClaimRequest, ExtendBody, FinishBody, HelloBody, LogEnd, OrderBody, WelcomeBody, WordBody,
};
use app::domain::file::Digest;
use app::domain::ids::JobId;
use app::domain::job::{Claim, Tells};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use thiserror::Error;
use tower::ServiceExt;
use url::Url;

/// A claim waits so long for a job.
const CLAIM_WAITS_SECONDS: u32 = 30;

/// Any other answer comes within this, or never.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// Bytes of an answer.
const ANSWER_MOST: usize = 256 * 1024 * 1024;

/// Why the server did not do what it was asked.
#[derive(Debug, Error)]
pub enum OfficeError {
    /// It could not be reached, or is busy: it may work in a moment.
    #[error("the server is away: {0}")]
    Away(String),
    /// Somebody else has what was spoken of.
    #[error("{0}")]
    Gone(String),
    /// It does not know what was spoken of.
    #[error("{0}")]
    Unknown(String),
    /// It will never do it.
    #[error("{0}")]
    Refused(String),
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// The way to the server. Cheap to clone.
#[derive(Clone)]
enum Line {
    Network { client: reqwest::Client, url: Url, token: String },
    Here(Router),
}

/// The server. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    line: Line,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.line {
            Line::Network { .. } => "Office on another machine",
            Line::Here(_) => "Office in this program",
        })
    }
}

impl Office {
    /// A server at an address, for whoever has this token.
    pub fn at(url: Url, token: String) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .tcp_nodelay(true)
            .user_agent(concat!("holter-worker/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { line: Line::Network { client, url, token } })
    }

    /// The server in this program, by its routes; they have to know for whom
    /// they are asked.
    pub fn here(routes: Router) -> Self {
        Self { line: Line::Here(routes) }
    }

    /// Asks, and reads the answer whole.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Bytes,
        within: Duration,
    ) -> Result<Answer, OfficeError> {
        let asking = async {
            match &self.line {
                Line::Network { client, url, token } => network(client, url, token, method, path, kind, body).await,
                Line::Here(routes) => here(routes, method, path, kind, body).await,
            }
        };
        let answer = tokio::time::timeout(within, asking).await;
        answer.unwrap_or_else(|_| Err(OfficeError::Away(format!("no answer within {} s", within.as_secs()))))
    }

    async fn say<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        within: Duration,
    ) -> Result<Option<T>, OfficeError> {
        let body = serde_json::to_vec(body).map_err(|error| OfficeError::Refused(error.to_string()))?;
        let answer = self.ask(Method::POST, path, "application/json", body.into(), within).await?;
        let answer = well(answer)?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        read(&answer).map(Some)
    }

    /// Says that a worker has started.
    pub async fn hello(&self, hello: &HelloBody) -> Result<WelcomeBody, OfficeError> {
        self.say("/api/v1/work/workers", hello, ANSWERS_WITHIN).await?.ok_or_else(nothing)
    }

    /// Asks for a job, and waits for one for a while.
    pub async fn claim(&self, request: ClaimRequest) -> Result<Option<OrderBody>, OfficeError> {
        let request = ClaimRequest { wait_seconds: CLAIM_WAITS_SECONDS, ..request };
        let within = Duration::from_secs(u64::from(CLAIM_WAITS_SECONDS) + 30);
        self.say("/api/v1/work/claim", &request, within).await
    }

    /// Holds a job for longer, and says how far it is.
    pub async fn extend(&self, job: JobId, body: &ExtendBody) -> Result<WordBody, OfficeError> {
        self.say(&format!("/api/v1/work/jobs/{job}/extend"), body, ANSWERS_WITHIN).await?.ok_or_else(nothing)
    }

    /// Says what a job came to.
    pub async fn finish(&self, job: JobId, body: &FinishBody) -> Result<(), OfficeError> {
        self.say::<serde_json::Value>(&format!("/api/v1/work/jobs/{job}/finish"), body, ANSWERS_WITHIN).await.map(drop)
    }

    /// Adds a packed piece to a log; tells where it ends.
    pub async fn log(&self, job: JobId, by: Claim, start: u64, packed: Bytes) -> Result<u64, OfficeError> {
        let Claim { worker, attempt } = by;
        let path = format!("/api/v1/work/jobs/{job}/log?worker={worker}&attempt={attempt}&start={start}");
        let answer = self.ask(Method::POST, &path, "application/gzip", packed, ANSWERS_WITHIN).await?;
        read::<LogEnd>(&well(answer)?).map(|log| log.end)
    }

    /// A file of a job.
    pub async fn file(&self, job: JobId, file: Digest) -> Result<Bytes, OfficeError> {
        let path = format!("/api/v1/work/jobs/{job}/files/{file}");
        let answer = self.ask(Method::GET, &path, "", Bytes::new(), ANSWERS_WITHIN * 5).await?;
        Ok(well(answer)?.body)
    }

    /// Hands on what a listener says; the answer is for it.
    pub async fn events(&self, lines: Bytes) -> Result<Answer, OfficeError> {
        self.ask(Method::POST, "/api/v1/events", "application/x-ndjson", lines, ANSWERS_WITHIN).await
    }

    /// Hands in a report; tells how many of its tests failed.
    pub async fn report(&self, tells: &Tells, format: Option<&str>, report: Bytes) -> Result<u32, OfficeError> {
        let format = format.map(|format| ("format", format));
        let some = [("commit", tells.commit.as_deref()), ("branch", tells.branch.as_deref())];
        let some = some.iter().filter_map(|(name, value)| Some((*name, (*value)?))).chain(format);
        let path = told("/api/v1/reports", tells, some);
        let answer = self.ask(Method::POST, &path, "application/octet-stream", report, ANSWERS_WITHIN * 5).await?;
        let Reported { files } = read(&well(answer)?)?;
        Ok(files.iter().map(|file| file.failed).sum())
    }

    /// Hands in a file that is kept with the run.
    pub async fn attach(&self, tells: &Tells, name: &str, file: Bytes) -> Result<(), OfficeError> {
        // The name is kept without its folders; the message says all of it.
        let path = told("/api/v1/attachments", tells, [("name", name), ("message", name)]);
        // Without a type: what it is follows from its name.
        let answer = self.ask(Method::POST, &path, "", file, ANSWERS_WITHIN * 5).await?;
        well(answer).map(drop)
    }
}

/// What is read of the answer to a report.
#[derive(Deserialize)]
struct Reported {
    files: Vec<ReportedFile>,
}

#[derive(Deserialize)]
struct ReportedFile {
    failed: u32,
}

/// An address that says of which run something is.
fn told<'a>(path: &str, tells: &'a Tells, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("setup", &tells.setup)
        .append_pair("run", &tells.run)
        .extend_pairs(tells.project.as_deref().map(|project| ("project", project)))
        .extend_pairs(more);
    format!("{path}?{}", query.finish())
}

fn nothing() -> OfficeError {
    OfficeError::Refused("the server answered nothing".into())
}

/// An error and its sources on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

async fn network(
    client: &reqwest::Client,
    url: &Url,
    token: &str,
    method: Method,
    path: &str,
    kind: &str,
    body: Bytes,
) -> Result<Answer, OfficeError> {
    let address = format!("{}{path}", url.as_str().trim_end_matches('/'));
    let mut request = client.request(method, address).bearer_auth(token).body(body);
    if !kind.is_empty() {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let away = |error: reqwest::Error| OfficeError::Away(chain(&error));
    let answer = request.send().await.map_err(away)?;
    let status = answer.status();
    Ok(Answer { status, body: answer.bytes().await.map_err(away)? })
}

async fn here(routes: &Router, method: Method, path: &str, kind: &str, body: Bytes) -> Result<Answer, OfficeError> {
    let mut request = Request::builder().method(method).uri(path);
    if !kind.is_empty() {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let request = request.body(Body::from(body)).map_err(|error| OfficeError::Refused(error.to_string()))?;
    let Ok(answer) = routes.clone().oneshot(request).await;
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), ANSWER_MOST).await;
    Ok(Answer { status, body: body.map_err(|error| OfficeError::Away(error.to_string()))? })
}

/// An answer that is no refusal.
fn well(answer: Answer) -> Result<Answer, OfficeError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let detail = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
    let detail = detail.and_then(|problem| problem["detail"].as_str().map(str::to_owned));
    let detail = detail.unwrap_or_else(|| format!("the server answered {}", answer.status));
    Err(match answer.status.as_u16() {
        409 => OfficeError::Gone(detail),
        404 => OfficeError::Unknown(detail),
        408 | 425 | 429 | 500.. => OfficeError::Away(detail),
        _ => OfficeError::Refused(detail),
    })
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, OfficeError> {
    serde_json::from_slice(&answer.body).map_err(|error| OfficeError::Refused(format!("an odd answer: {error}")))
}
