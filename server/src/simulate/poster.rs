//! Sends batches until they are durable.
//!
//! Where a server cannot take a batch now, the same batch is sent again: every
//! event has an id, so one that did arrive the first time counts once. Where a
//! server will never take it, that is an error, because everything played here
//! is meant to be well formed.

use super::batch::Batch;
use super::options::Options;
use super::{SimulateError, Tally};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use serde::Deserialize;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LAST: Duration = Duration::from_secs(10);
/// A server that was never reached in this time is taken for a wrong address.
const FIRST_ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Whose clock the times of events are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The server's: times should be about now.
    Now,
    /// Ours: times are of the past and meant as they are.
    Past,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The server has it.
    Durable,
    /// The end came first.
    Stopped,
}

/// Sends batches to one server.
#[derive(Clone, Debug)]
pub struct Poster {
    client: Client,
    endpoint: Url,
    tally: Arc<Tally>,
    stop: CancellationToken,
    begun: Instant,
    reached: Arc<AtomicBool>,
}

/// What to do about an answer or its absence.
enum Answer {
    Taken(Receipt),
    Again(Option<Duration>, String),
    Refused(SimulateError),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Receipt {
    accepted: u64,
    duplicate: u64,
    ignored: u64,
    rejected: Vec<Fault>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
    pointer: String,
    detail: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    errors: Vec<Fault>,
}

impl Poster {
    /// A poster for the server that the options name.
    pub fn new(options: &Options, tally: Arc<Tally>, stop: CancellationToken) -> Result<Self, SimulateError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        // An empty variable in the environment means no token.
        if let Some(token) = options.token.as_ref().filter(|token| !token.expose().is_empty()) {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
            let mut value = value.map_err(|_| SimulateError::Token)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        // A redirect would carry the token to a place nobody named.
        let builder =
            Client::builder().default_headers(headers).redirect(redirect::Policy::none()).timeout(ANSWER_WITHIN);
        let builder = if options.allow_remote { builder } else { builder.no_proxy() };
        let client = builder.build().map_err(SimulateError::Client)?;
        let endpoint = endpoint(&options.url);
        Ok(Self { client, endpoint, tally, stop, begun: Instant::now(), reached: Arc::default() })
    }

    /// Sends a batch until the server has it, refuses it, or the end comes.
    pub async fn post(&self, batch: &Batch, times: Times) -> Result<Posted, SimulateError> {
        let mut pause = RETRY_FIRST;
        loop {
            match self.send(batch, times).await {
                Answer::Taken(receipt) => return self.count(batch, receipt),
                Answer::Refused(error) => return Err(error),
                Answer::Again(asked, trouble) => {
                    self.check_reached(&trouble)?;
                    self.tally.retried(trouble);
                    let wait = asked.unwrap_or(pause).min(RETRY_LAST);
                    pause = (pause * 2).min(RETRY_LAST);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.stop.cancelled() => {
                            self.tally.unsent(batch.events);
                            return Ok(Posted::Stopped);
                        }
                    }
                }
            }
        }
    }

    fn check_reached(&self, trouble: &str) -> Result<(), SimulateError> {
        if self.reached.load(Ordering::Relaxed) || self.begun.elapsed() < FIRST_ANSWER_WITHIN {
            return Ok(());
        }
        Err(SimulateError::Unreachable { url: self.endpoint.to_string(), trouble: trouble.to_owned() })
    }

    fn count(&self, batch: &Batch, receipt: Receipt) -> Result<Posted, SimulateError> {
        if let Some(fault) = receipt.rejected.first() {
            let detail = format!(
                "{} of {} events, the first at {}: {}",
                receipt.rejected.len(),
                batch.events,
                fault.pointer,
                fault.detail
            );
            return Err(SimulateError::Refused { status: 200, detail });
        }
        self.tally.sent(receipt.accepted, receipt.duplicate, receipt.ignored, batch.runs_finished);
        Ok(Posted::Durable)
    }

    async fn send(&self, batch: &Batch, times: Times) -> Answer {
        let mut request = self.client.post(self.endpoint.clone()).body(batch.body.clone());
        if times == Times::Past {
            request = request.header("Holter-Clock", "trusted");
        }
        match request.send().await {
            Ok(response) => {
                self.reached.store(true, Ordering::Relaxed);
                read(response).await
            }
            Err(error) => Answer::Again(None, whole_story(&error)),
        }
    }
}

async fn read(response: Response) -> Answer {
    let status = response.status();
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => return Answer::Again(None, whole_story(&error)),
    };
    match status {
        StatusCode::OK => match serde_json::from_slice(&body) {
            Ok(receipt) => Answer::Taken(receipt),
            Err(error) => Answer::Refused(SimulateError::Receipt(error)),
        },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Answer::Again(asked.map(Duration::from_secs), format!("the server answers {status}"))
        }
        // A proxy answers 502 and 504 while the server is being upgraded.
        status if status.is_server_error() => {
            Answer::Again(asked.map(Duration::from_secs), format!("the server answers {status}"))
        }
        status => Answer::Refused(SimulateError::Refused { status: status.as_u16(), detail: detail(status, &body) }),
    }
}

/// What a problem document says, or the status where there is none.
fn detail(status: StatusCode, body: &[u8]) -> String {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let mut text = match (problem.detail.is_empty(), problem.title.is_empty()) {
        (false, _) => problem.detail,
        (true, false) => problem.title,
        (true, true) => status.canonical_reason().unwrap_or("no reason given").to_owned(),
    };
    if let Some(fault) = problem.errors.first() {
        text.push_str(&format!(" ({}: {})", fault.pointer, fault.detail));
    }
    text
}

/// The client's own text leaves out why; its sources tell.
fn whole_story(error: &reqwest::Error) -> String {
    let mut story = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        story.push_str(": ");
        story.push_str(&error.to_string());
        source = error.source();
    }
    story
}

/// The server may be mounted below a path.
fn endpoint(url: &Url) -> Url {
    let mut endpoint = url.clone();
    endpoint.set_query(None);
    endpoint.set_fragment(None);
    if let Ok(mut path) = endpoint.path_segments_mut() {
        path.pop_if_empty().extend(["api", "v1", "events"]);
    }
    endpoint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_be_mounted_below_a_path() {
        for (url, whole) in [
            ("http://localhost:8080", "http://localhost:8080/api/v1/events"),
            ("http://localhost/holter/?x=1#y", "http://localhost/holter/api/v1/events"),
        ] {
            assert_eq!(endpoint(&Url::parse(url).unwrap()).as_str(), whole);
        }
    }

    #[test]
    fn a_refusal_says_what_the_problem_says() {
        let problem = br#"{"title":"Unprocessable","detail":"no event was readable","errors":[{"pointer":"/0/at","detail":"is missing"}]}"#;
        assert_eq!(detail(StatusCode::UNPROCESSABLE_ENTITY, problem), "no event was readable (/0/at: is missing)");
        assert_eq!(detail(StatusCode::UNAUTHORIZED, b"<html>"), "Unauthorized");
    }
}
