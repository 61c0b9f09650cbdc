//! An event as flat fields that borrow from its text.

use app::domain::time::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Text, borrowed wherever the JSON carries no escapes.
///
/// A plain `Option<Cow<str>>` would not do: serde borrows into a `Cow` only
/// where it stands by itself.
#[derive(Debug, Default)]
pub(super) struct Word<'a>(pub(super) Cow<'a, str>);

impl Deref for Word<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// A point in time, as said.
#[derive(Debug)]
pub(super) enum Moment<'a> {
    /// RFC 3339.
    Text(Word<'a>),
    /// Milliseconds since the epoch.
    Millis(f64),
}

impl Default for Moment<'_> {
    fn default() -> Self {
        Self::Millis(0.0)
    }
}

struct Read<'a, T>(std::marker::PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a> Visitor<'de> for Read<'a, Word<'a>> {
    type Value = Word<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Word<'a>, E> {
        Ok(Word(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Word<'a>, E> {
        Ok(Word(Cow::Owned(text.to_owned())))
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Read<'a, Moment<'a>> {
    type Value = Moment<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RFC 3339 or milliseconds")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Moment<'a>, E> {
        Ok(Moment::Text(Word(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Moment<'a>, E> {
        Ok(Moment::Text(Word(Cow::Owned(text.to_owned()))))
    }

    fn visit_f64<E: Error>(self, millis: f64) -> Result<Moment<'a>, E> {
        Ok(Moment::Millis(millis))
    }

    fn visit_u64<E: Error>(self, millis: u64) -> Result<Moment<'a>, E> {
        Ok(Moment::Millis(millis as f64))
    }

    fn visit_i64<E: Error>(self, millis: i64) -> Result<Moment<'a>, E> {
        Ok(Moment::Millis(millis as f64))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Read::<Word<'a>>(std::marker::PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Moment<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read::<Moment<'a>>(std::marker::PhantomData))
    }
}

/// Every field of every type of event. Numbers stay as they were written, so
/// that whoever needs one can say what is wrong with it.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Raw<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Option<Word<'a>>,
    #[serde(borrow)]
    pub id: Option<Word<'a>>,
    #[serde(borrow)]
    pub at: Option<Moment<'a>>,
    #[serde(borrow)]
    pub setup: Option<Word<'a>>,
    #[serde(borrow)]
    pub project: Option<Word<'a>>,
    #[serde(borrow)]
    pub run: Option<Word<'a>>,
    #[serde(borrow)]
    pub suite: Option<Vec<Word<'a>>>,
    #[serde(borrow)]
    pub test: Option<Word<'a>>,
    #[serde(borrow)]
    pub parameters: Option<Word<'a>>,
    pub attempt: Option<f64>,
    #[serde(borrow)]
    pub verdict: Option<Word<'a>>,
    pub duration_ms: Option<f64>,
    #[serde(borrow)]
    pub message: Option<Word<'a>>,
    #[serde(borrow)]
    pub trace: Option<Word<'a>>,
    #[serde(borrow)]
    pub source: Option<Word<'a>>,
    pub line: Option<f64>,
    #[serde(borrow)]
    pub tags: Option<Vec<Word<'a>>>,
    #[serde(borrow)]
    pub owner: Option<Word<'a>>,
    pub total_tests: Option<f64>,
    #[serde(borrow)]
    pub phase: Option<Word<'a>>,
    #[serde(borrow)]
    pub level: Option<Word<'a>>,
    #[serde(borrow)]
    pub step: Option<Word<'a>>,
    #[serde(borrow)]
    pub parent: Option<Word<'a>>,
    #[serde(borrow)]
    pub attachment: Option<&'a RawValue>,
    pub aborted: Option<bool>,
    pub shard: Option<f64>,
    pub shards: Option<f64>,
    #[serde(borrow)]
    pub name: Option<Word<'a>>,
    #[serde(borrow)]
    pub commit: Option<Word<'a>>,
    #[serde(borrow)]
    pub branch: Option<Word<'a>>,
    #[serde(borrow)]
    pub trigger: Option<Word<'a>>,
    #[serde(borrow)]
    pub url: Option<Word<'a>>,
    #[serde(borrow)]
    pub user: Option<Word<'a>>,
    #[serde(borrow)]
    pub framework: Option<Word<'a>>,
    #[serde(borrow)]
    pub attributes: Option<&'a RawValue>,
    #[serde(borrow)]
    pub plan: Option<&'a RawValue>,
}

/// The end of the year 2199. Times are held between 1970 and here, so that no
/// sum or difference of them ever overflows.
const LAST: i64 = 7_258_118_400_000_000;

impl Moment<'_> {
    /// The point in time; `None` where the text is not RFC 3339.
    pub(super) fn read(&self) -> Option<Timestamp> {
        match self {
            // A float that is out of range saturates, and is then held.
            Self::Millis(millis) => Some(held((millis * 1_000.0).round() as i64)),
            Self::Text(text) => moment(text),
        }
    }
}

/// Reads RFC 3339.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let micros = usual(text.as_bytes()).or_else(|| Timestamp::from_rfc3339(text).map(|at| at.0));
    micros.map(held)
}

pub(super) fn held(micros: i64) -> Timestamp {
    Timestamp(micros.clamp(0, LAST))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// RFC 3339 as nearly everybody writes it. Whatever is unusual, or wrong, is
/// left to the full reader, which is ten times slower.
fn usual(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(19)?;
    let marks = [date[4], date[7], date[10], date[13], date[16]];
    if marks != *b"--T::" {
        return None;
    }
    let part = |from: usize, to: usize| digits(&date[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let in_calendar = year >= 1 && (1..=days_in(year, month)?).contains(&day);
    if !in_calendar || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    let (fraction, zone) = rest.split_at(end);
    let seconds = days_from_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((seconds - offset(zone)?) * 1_000_000 + micros(fraction)?)
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 29 } else { 28 }),
        _ => None,
    }
}

/// The part after the point, cut to microseconds.
fn micros(fraction: &[u8]) -> Option<i64> {
    let Some((point, decimals)) = fraction.split_first() else { return Some(0) };
    if *point != b'.' || decimals.is_empty() {
        return None;
    }
    let kept = &decimals[..decimals.len().min(6)];
    digits(decimals.get(6..).unwrap_or_default())?;
    Some(digits(kept)? * 10_i64.pow(6 - kept.len() as u32))
}

fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            let seconds = (hours * 60 + minutes) * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, with the year beginning in
/// March so that the leap day comes last.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_reader_agrees_with_the_full_one() {
        let texts = [
            "2026-03-01T12:00:00Z",
            "2024-02-29T23:59:59.123456Z",
            "2024-12-31T23:59:59.1+14:00",
            "1999-10-05T01:02:03.123456789-09:30",
            "1970-01-01T00:00:00Z",
            "2100-02-28T00:00:00Z",
        ];
        for text in texts {
            assert_eq!(usual(text.as_bytes()).map(Timestamp), Timestamp::from_rfc3339(text), "{text}");
            assert!(usual(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_stays_none() {
        let wrong = [
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-04-31T00:00:00Z",
            "2025-00-10T00:00:00Z",
            "2025-01-01T00:00:00",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01",
            "yesterday",
            "",
        ];
        for text in wrong {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn far_times_are_held_in_range() {
        assert_eq!(moment("0001-01-01T00:00:00Z"), Some(Timestamp(0)));
        assert_eq!(moment("9999-12-31T23:59:59Z"), Some(Timestamp(LAST)));
        assert_eq!(Moment::Millis(1e300).read(), Some(Timestamp(LAST)));
        assert_eq!(Moment::Millis(-5.0).read(), Some(Timestamp(0)));
        assert_eq!(moment("2199-12-31T23:59:59.999999Z"), Some(Timestamp(LAST - 1)));
    }
}
