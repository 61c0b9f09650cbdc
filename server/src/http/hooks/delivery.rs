//! What the headers of a delivery say, and which deliveries came before.

use crate::intake::hooks::Kind;
use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Deliveries that are remembered. The oldest are forgotten; the store still
/// knows their events by id, and a repeat then only costs the reading of it.
const REMEMBERED: usize = 4_096;

fn text<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    let values = names.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    values.map(str::trim).find(|value| !value.is_empty())
}

/// The kind of server, as its headers tell. Forgejo speaks as Gitea too, and
/// both speak as GitHub.
pub fn kind_of(headers: &HeaderMap) -> Option<Kind> {
    let has = |name: &str| headers.contains_key(name);
    match () {
        () if has("x-gitlab-event") => Some(Kind::Gitlab),
        () if has("x-forgejo-event") => Some(Kind::Forgejo),
        () if has("x-gitea-event") => Some(Kind::Gitea),
        () if has("x-github-event") => Some(Kind::Github),
        () if has("x-event-key") && has("x-hook-uuid") => Some(Kind::Bitbucket),
        () if has("x-event-key") => Some(Kind::BitbucketDatacenter),
        () => None,
    }
}

/// What the server calls the event; GitLab says it in the body.
pub fn event_of(headers: &HeaderMap) -> &str {
    text(headers, &["x-forgejo-event", "x-gitea-event", "x-github-event", "x-event-key"]).unwrap_or_default()
}

/// What the server calls the delivery. GitLab gives several of one cause the
/// same id, so theirs is joined with what they say.
pub fn id_of(kind: Kind, headers: &HeaderMap, bytes: &[u8]) -> Option<String> {
    let names: &[&str] = match kind {
        Kind::Gitlab => &["idempotency-key"],
        Kind::Github => &["x-github-delivery"],
        Kind::Gitea => &["x-gitea-delivery", "x-github-delivery"],
        Kind::Forgejo => &["x-forgejo-delivery", "x-gitea-delivery", "x-github-delivery"],
        Kind::Bitbucket => &["x-request-uuid"],
        Kind::BitbucketDatacenter => &["x-request-id"],
        Kind::Jenkins => &[],
    };
    let joined = || {
        let cause = text(headers, &["x-gitlab-event-uuid"]).filter(|_| kind == Kind::Gitlab)?;
        Some(format!("{cause} {}", hex::encode(Sha256::digest(bytes))))
    };
    text(headers, names).map(str::to_owned).or_else(joined)
}

/// Deliveries that came before.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    all: HashSet<u128>,
    by_age: VecDeque<u128>,
}

impl Deliveries {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this one came before.
    pub fn knows(&self, kind: Kind, id: &str) -> bool {
        self.known().all.contains(&mark(kind, id))
    }

    /// Remembers one that is durable; one that is not may come again.
    pub fn note(&self, kind: Kind, id: &str) {
        let (mark, mut known) = (mark(kind, id), self.known());
        if !known.all.insert(mark) {
            return;
        }
        known.by_age.push_back(mark);
        if known.by_age.len() > REMEMBERED
            && let Some(oldest) = known.by_age.pop_front()
        {
            known.all.remove(&oldest);
        }
    }
}

/// A name of fixed size: a sender decides how long its ids are.
fn mark(kind: Kind, id: &str) -> u128 {
    let digest = Sha256::new().chain_update(kind.as_str()).chain_update([0]).chain_update(id).finalize();
    digest.iter().take(16).fold(0, |mark, byte| mark << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_kind_is_the_most_special_one_that_is_said() {
        let all = headers(&[("x-forgejo-event", "push"), ("x-gitea-event", "push"), ("x-github-event", "push")]);
        assert_eq!((kind_of(&all), event_of(&all)), (Some(Kind::Forgejo), "push"));
        assert_eq!(kind_of(&headers(&[("x-event-key", "repo:push"), ("x-hook-uuid", "1")])), Some(Kind::Bitbucket));
        assert_eq!(kind_of(&headers(&[("x-event-key", "repo:push")])), Some(Kind::BitbucketDatacenter));
        assert_eq!(kind_of(&HeaderMap::new()), None);
    }

    #[test]
    fn deliveries_of_one_cause_are_told_apart() {
        let cause = headers(&[("x-gitlab-event-uuid", "u")]);
        assert_ne!(id_of(Kind::Gitlab, &cause, b"1"), id_of(Kind::Gitlab, &cause, b"2"));
        let key = headers(&[("x-gitlab-event-uuid", "u"), ("idempotency-key", "k")]);
        assert_eq!(id_of(Kind::Gitlab, &key, b"1").as_deref(), Some("k"));
        assert_eq!(id_of(Kind::Jenkins, &cause, b""), None);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let deliveries = Deliveries::default();
        for number in 0..=REMEMBERED {
            deliveries.note(Kind::Github, &number.to_string());
            deliveries.note(Kind::Github, &number.to_string());
        }
        assert!(!deliveries.knows(Kind::Github, "0") && deliveries.knows(Kind::Github, "1"));
        assert!(!deliveries.knows(Kind::Gitea, "1"));
    }
}
