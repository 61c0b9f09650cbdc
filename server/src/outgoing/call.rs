//! One call, and what came of it.

use super::rules::Refused;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// The largest answer that is read where a call does not say otherwise.
const ANSWER_MAX: usize = 256 * 1024;

/// A call to be made. What is shown of it names the host alone: paths and
/// headers hold secrets.
#[derive(Clone)]
pub struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) user: Option<(String, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) within: Option<Duration>,
    pub(super) answer_max: usize,
}

/// What another server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status. Redirects are not followed, so it may be one.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decompressed.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// It is not allowed, and was not tried.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was not answered in time.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// The host.
        host: String,
    },
    /// No connection came about.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The connection ended inside the answer.
    #[error("{host} broke off its answer")]
    BrokenOff {
        /// The host.
        host: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is larger than may be.
    #[error("{host} answered with more than {max} bytes")]
    TooMuch {
        /// The host.
        host: String,
        /// The most that is read.
        max: usize,
    },
}

impl CallError {
    /// Whether it may go well later; what is not allowed stays so until the
    /// configuration changes.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

impl Call {
    /// A call of any method.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), user: None, body: None, within: None, answer_max: ANSWER_MAX }
    }

    /// Reads.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// Sends JSON.
    pub fn post_json(url: Url, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, url).header("content-type", "application/json").body(body)
    }

    /// With a body.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// With a header. One whose value cannot stand in a header is left out: it
    /// came from outside, and the server there says what it lacks.
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        if let Ok(mut value) = HeaderValue::try_from(value.as_ref()) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// As a user with a password, which may be empty.
    pub fn basic(self, user: &str, password: &str) -> Self {
        Self { user: Some((user.into(), password.into())), ..self }
    }

    /// With a bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// With another time in all than is configured.
    pub fn within(self, time: Duration) -> Self {
        Self { within: Some(time), ..self }
    }

    /// With answers of another size than is usual, in bytes.
    pub fn answer_max(self, bytes: usize) -> Self {
        Self { answer_max: bytes, ..self }
    }

    /// Whom it calls, for people.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {}://{}/…)", self.method, self.url.scheme(), self.host())
    }
}

impl Answer {
    /// A header as text, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the other server did what it was asked to.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the same call may go well later.
    pub fn may_pass(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500..)
    }

    /// When the other server wants to be asked again, in seconds.
    pub fn retry_after(&self) -> Option<u32> {
        self.header("retry-after")?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_shows_no_secret() {
        let url = "https://hooks.example/services/T0/B0/secret?token=secret".parse().expect("an address");
        let call = Call::post_json(url, "{}").bearer("secret").basic("user", "secret");
        assert_eq!(format!("{call:?}"), "Call(POST https://hooks.example/…)");
        assert!(call.headers.values().all(HeaderValue::is_sensitive));
    }
}
