//! Makes calls.

use super::call::{Answer, Call, CallError};
use super::rules::{Refused, RuleError, Rules};
use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Calls that are made at once; others wait, within their own time.
const AT_ONCE: usize = 32;

/// Connections to a host that are kept for the next call, and for how long.
const KEPT: usize = 2;
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Why there is no client.
#[derive(Debug, Error)]
pub enum OutgoingError {
    /// A rule means nothing.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// TLS cannot be had.
    #[error("no client for HTTP can be made")]
    Client(#[from] reqwest::Error),
}

/// Calls other servers, as far as its rules allow. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outgoing {
    client: Client,
    rules: Arc<Rules>,
    room: Arc<Semaphore>,
    timeout: Duration,
}

impl Outgoing {
    /// A client with these rules; a call takes at most `timeout` in all.
    pub fn new(rules: Rules, timeout: Duration) -> Result<Self, OutgoingError> {
        let rules = Arc::new(rules);
        let client = Client::builder()
            .redirect(Policy::none())
            // A proxy would resolve names itself, where no rule is looked at.
            .no_proxy()
            .dns_resolver(Arc::new(Checked(rules.clone())))
            .pool_max_idle_per_host(KEPT)
            .pool_idle_timeout(KEPT_FOR)
            .user_agent(concat!("holter/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, rules, room: Arc::new(Semaphore::new(AT_ONCE)), timeout })
    }

    /// Who may be called: to be asked early, before anything is kept.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Makes a call. An answer of any status is an answer.
    pub async fn send(&self, call: Call) -> Result<Answer, CallError> {
        self.rules.check(&call.url)?;
        let host = call.host();
        let within = call.within.unwrap_or(self.timeout);
        let made = tokio::time::timeout(within, async {
            // It is never closed.
            let _room = self.room.acquire().await;
            self.make(call).await
        });
        made.await.unwrap_or(Err(CallError::TimedOut { host }))
    }

    async fn make(&self, call: Call) -> Result<Answer, CallError> {
        let host = call.host();
        let mut request = self.client.request(call.method, call.url).headers(call.headers);
        if let Some((user, password)) = call.user {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let answer = request.send().await.map_err(|error| failed(host.clone(), error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answer { status, headers, body: read(answer, host, call.answer_max).await? })
    }
}

fn failed(host: String, error: reqwest::Error) -> CallError {
    match refusal_in(&error) {
        Some(refused) => CallError::Refused(refused.clone()),
        None if error.is_timeout() => CallError::TimedOut { host },
        // The address of a call may be a secret.
        None => CallError::Unreachable { host, source: error.without_url() },
    }
}

fn refusal_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refused> {
    let mut inner = Some(error);
    while let Some(error) = inner {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        inner = error.source();
    }
    None
}

/// A body, as far as it may be read: it is counted as it comes out of its
/// compression.
async fn read(mut answer: Response, host: String, max: usize) -> Result<Bytes, CallError> {
    let mut body = BytesMut::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > max => return Err(CallError::TooMuch { host, max }),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body.freeze()),
            Err(error) => return Err(CallError::BrokenOff { host, source: error.without_url() }),
        }
    }
}

/// Resolves names for the connection itself: what is looked at here is what is
/// connected to, so no second answer of a name server slips in between.
struct Checked(Arc<Rules>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            let name = name.as_str();
            let mut refused = None;
            let mut allowed: Vec<SocketAddr> = Vec::new();
            for address in tokio::net::lookup_host((name, 0)).await? {
                match rules.check_address(name, address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(refusal) => refused = Some(refusal),
                }
            }
            match refused {
                Some(refused) if allowed.is_empty() => Err(refused.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
