//! What came of something that was said to another server. Pure.

use super::call::{Answer, CallError};
use std::time::Duration;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is known there now.
    Taken,
    /// It may be taken later: why not now, and when to ask again, where the
    /// other server said so.
    Later(String, Option<Duration>),
    /// It will never be taken, and this is why.
    Never(String),
}

impl Delivery {
    /// As the answer says in general.
    pub fn of(answer: &Answer) -> Self {
        let asked_for = answer.retry_after().map(|seconds| Duration::from_secs(u64::from(seconds)));
        match answer.status {
            200..300 => Self::Taken,
            300..400 => Self::Never("it answered with a redirect; give the address that leads to".into()),
            status if answer.may_pass() => Self::Later(format!("it answered with status {status}"), asked_for),
            status => Self::Never(format!("it answered with status {status}: {}", says(answer))),
        }
    }

    /// Where there was no answer.
    pub fn failed(error: &CallError) -> Self {
        if error.may_pass() { Self::Later(error.to_string(), None) } else { Self::Never(error.to_string()) }
    }
}

/// The beginning of an answer on one line, for people.
pub(super) fn says(answer: &Answer) -> String {
    let begin = answer.body.get(..1_000).unwrap_or(&answer.body);
    let words = String::from_utf8_lossy(begin).split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&words, 200)
}

/// Text of at most so many characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.into();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn an_answer_says_whether_to_try_again() {
        let answer = |status| Answer { status, headers: Default::default(), body: Bytes::from_static(b"no\nway") };
        assert_eq!(Delivery::of(&answer(204)), Delivery::Taken);
        assert_eq!(Delivery::of(&answer(422)), Delivery::Never("it answered with status 422: no way".into()));
        assert!(matches!(Delivery::of(&answer(302)), Delivery::Never(_)));
        let mut busy = answer(503);
        assert_eq!(Delivery::of(&busy), Delivery::Later("it answered with status 503".into(), None));
        busy.headers.insert("retry-after", "7".parse().expect("a value"));
        assert!(matches!(Delivery::of(&busy), Delivery::Later(_, Some(pause)) if pause.as_secs() == 7));
        assert_eq!(cut("größer", 4), "grö…");
    }
}
