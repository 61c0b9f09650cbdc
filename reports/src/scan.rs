//! Times, durations and texts as report writers really write them.

use crate::model::{Moment, Span};
use std::borrow::Cow;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{OffsetDateTime, PrimitiveDateTime};

/// The longest length of time that is believed: ten years.
const LONGEST: f64 = 315_576_000.0;

/// Seconds as a report writes them: "1.5", "1,234.5", "1 234", "1.5s". `None`
/// for everything that is no length of time: empty, "NaN", "<<computed>>".
pub fn seconds(text: &str) -> Option<Span> {
    let text = text.trim().trim_end_matches('s');
    let plain: Cow<'_, str> = if text.contains([',', ' ', '\u{a0}', '\u{202f}']) {
        text.chars().filter(|letter| !matches!(letter, ',' | ' ' | '\u{a0}' | '\u{202f}')).collect::<String>().into()
    } else {
        text.into()
    };
    span(plain.parse().ok()?)
}

/// So many seconds, if that is a length of time.
pub fn span(seconds: f64) -> Option<Span> {
    ((0.0..=LONGEST).contains(&seconds)).then(|| (seconds * 1e6).round() as Span)
}

/// So many milliseconds, if that is a length of time.
pub fn millis(millis: f64) -> Option<Span> {
    span(millis / 1e3)
}

/// A moment as a report writes it: RFC 3339 or ISO 8601, with or without a
/// zone (without one it is taken as UTC); or seconds or milliseconds since 1970.
pub fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return epoch(number);
    }
    let text = text.replacen(' ', "T", 1);
    let micros = |moment: OffsetDateTime| i64::try_from(moment.unix_timestamp_nanos() / 1_000).ok();
    OffsetDateTime::parse(&text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&text, &Iso8601::DEFAULT))
        .ok()
        .or_else(|| PrimitiveDateTime::parse(&text, &Iso8601::DEFAULT).ok().map(PrimitiveDateTime::assume_utc))
        .and_then(micros)
}

/// Seconds or milliseconds since 1970; whatever is not between 1980 and 2200
/// as either of them is no moment.
pub fn epoch(number: f64) -> Option<Moment> {
    const FIRST: f64 = 315_532_800.0;
    const LAST: f64 = 7_258_118_400.0;
    let seconds = if (FIRST..LAST).contains(&number) { number } else { number / 1e3 };
    (FIRST..LAST).contains(&seconds).then(|| (seconds * 1e6).round() as Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_as_people_write_them() {
        let table = [
            ("1.5", Some(1_500_000)),
            ("1,234.5", Some(1_234_500_000)),
            ("1 234", Some(1_234_000_000)),
            ("0.123s", Some(123_000)),
            ("", None),
            ("NaN", None),
            ("-1", None),
            ("<<computed>>", None),
            ("1e300", None),
        ];
        for (text, expected) in table {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn moments_with_a_zone_without_one_and_as_numbers() {
        let table = [
            ("2024-01-02T03:04:05Z", Some(1_704_164_645_000_000)),
            ("2024-01-02T04:04:05.5+01:00", Some(1_704_164_645_500_000)),
            ("2024-01-02T03:04:05", Some(1_704_164_645_000_000)),
            ("2024-01-02 03:04:05.123456", Some(1_704_164_645_123_456)),
            ("1704164645", Some(1_704_164_645_000_000)),
            ("1704164645123", Some(1_704_164_645_123_000)),
            ("yesterday", None),
            ("0", None),
        ];
        for (text, expected) in table {
            assert_eq!(moment(text), expected, "{text}");
        }
    }
}
