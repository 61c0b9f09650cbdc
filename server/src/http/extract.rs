//! Parts of requests, each with an answer of ours for what is wrong with it.

use super::problem::Refusal;
use crate::intake::native;
use crate::service::Desk;
use crate::service::ingest::SenderClock;
use app::domain::ids::RunId;
use app::domain::problem::ProblemKind;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// Items on a page where the caller does not say.
const LIMIT_DEFAULT: u32 = 50;

/// Items on a page at most.
const LIMIT_MAX: u32 = 500;

/// The token of a request. It is read from the header alone: an address ends
/// in logs and histories. Another scheme is none of ours: a proxy before us may
/// ask for a password of its own.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The service for whoever asks, as the guard found out.
pub fn desk_of(parts: &Parts) -> Result<Desk, Refusal> {
    let desk = parts.extensions.get::<Desk>().cloned();
    desk.ok_or_else(|| Refusal::new(ProblemKind::Internal, "nobody stands guard before this address"))
}

impl<S: Send + Sync> FromRequestParts<S> for Desk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        desk_of(parts)
    }
}

/// What a request tells about its sender's clock. What cannot be read is as
/// good as not said: a clock never costs an event.
pub fn sender_clock(headers: &HeaderMap) -> SenderClock {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    SenderClock {
        sent_at: text("holter-sent-at").and_then(native::moment),
        trusted: text("holter-clock").is_some_and(|word| word.eq_ignore_ascii_case("trusted")),
    }
}

/// The one parameter of a path, decoded.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found = RawPathParams::from_request_parts(parts, state).await;
        let found = found.ok().and_then(|found| found.iter().next().map(|(_, value)| value.to_owned()));
        found.map(Self).ok_or_else(|| Refusal::not_found("this address is not text"))
    }
}

/// A run, by the id in the path.
pub struct RunInPath(pub RunId);

impl<S: Send + Sync> FromRequestParts<S> for RunInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Segment(text) = Segment::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_| no_run(&text))
    }
}

/// The answer where a run is not known.
pub fn no_run(id: impl std::fmt::Display) -> Refusal {
    Refusal::not_found(format!("there is no run {id}; runs are listed under /api/v1/runs"))
}

/// The query of a request. A name that we do not know is ignored, and a value
/// that is empty counts as absent, as forms send it.
pub struct Query {
    path: String,
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        Ok(Self { path: parts.uri.path().to_owned(), pairs: pairs.filter(|(_, value)| !value.is_empty()).collect() })
    }
}

impl Query {
    /// The value of a name; the last one where it is repeated.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rfind(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Every value of a name, in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Refusal::query(name, "must be a whole number"))
    }

    /// How many items a page may have; more than we give is cut, not refused.
    pub fn limit(&self) -> Result<u32, Refusal> {
        Ok(self.number::<u32>("limit")?.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX))
    }

    /// One word of a list.
    pub fn word<T: Copy>(
        &self,
        name: &str,
        parse: fn(&str) -> Option<T>,
        all: &[T],
        spell: fn(T) -> &'static str,
    ) -> Result<Option<T>, Refusal> {
        match *self.words(name, parse, all, spell)? {
            [] => Ok(None),
            [word] => Ok(Some(word)),
            _ => Err(Refusal::query(name, "takes one word")),
        }
    }

    /// Words of a list: repeated, or separated by commas.
    pub fn words<T: Copy>(
        &self,
        name: &str,
        parse: fn(&str) -> Option<T>,
        all: &[T],
        spell: fn(T) -> &'static str,
    ) -> Result<Vec<T>, Refusal> {
        let values = self.pairs.iter().filter(|(known, _)| known == name).flat_map(|(_, value)| value.split(','));
        let words = values.map(str::trim).filter(|word| !word.is_empty()).map(|word| {
            parse(word).ok_or_else(|| {
                let known: Vec<_> = all.iter().map(|word| spell(*word)).collect();
                Refusal::query(name, format!("must be one of {}", known.join(", ")))
            })
        });
        words.collect()
    }

    /// The address of the next page, for the `Link` header.
    pub fn next(&self, cursor: &str) -> String {
        format!("<{}{}>; rel=\"next\"", self.path, self.with("cursor", cursor))
    }

    /// This query with one value changed.
    pub fn with(&self, name: &str, value: &str) -> String {
        let kept = self.pairs.iter().filter(|(known, _)| known != name);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        format!("?{}", query.extend_pairs(kept).append_pair(name, value).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::domain::test::Outcome;
    use axum::http::Request;

    async fn query(uri: &str) -> Query {
        let (mut parts, ()) = Request::get(uri).body(()).expect("a request").into_parts();
        let Ok(query) = Query::from_request_parts(&mut parts, &()).await;
        query
    }

    #[tokio::test]
    async fn words_may_repeat_or_stand_in_one_value() {
        let words = |query: Query| query.words("outcome", Outcome::parse, Outcome::ALL, Outcome::as_str);
        let found = words(query("/x?outcome=failed,flaky&outcome=lost&q=").await).ok();
        assert_eq!(found, Some(vec![Outcome::Failed, Outcome::Flaky, Outcome::Lost]));
        assert!(words(query("/x?outcome=nice").await).is_err());
    }

    #[tokio::test]
    async fn the_next_page_keeps_the_question() {
        let query = query("/api/v1/runs?setup=bench%207&cursor=old&limit=5").await;
        assert_eq!(query.next("5_x"), "</api/v1/runs?setup=bench+7&limit=5&cursor=5_x>; rel=\"next\"");
        assert_eq!(query.limit().ok(), Some(5));
    }

    #[test]
    fn a_token_comes_as_a_bearer() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, axum::http::HeaderValue::from_static(value));
            headers
        };
        assert_eq!(bearer(&with("bearer  abc")), Some("abc"));
        assert!(bearer(&with("Basic abc")).is_none() && bearer(&with("abc")).is_none());
        assert!(bearer(&HeaderMap::new()).is_none());
    }
}
