//! Moments and lengths of time as writers of XML reports write them.

use crate::model::{Moment, Span};
use crate::scan;
use time::{Date, Month};

/// Whatever lies before 1980 was never meant: a zero, or a clock without a battery.
const FIRST: Moment = 315_532_800_000_000;

/// A length of time: seconds, or hours, minutes and seconds.
pub fn span(text: &str) -> Option<Span> {
    let text = text.trim_ascii();
    if text.is_empty() || text.starts_with('-') {
        return None;
    }
    let seconds = || match text.split_once(',') {
        Some((whole, part)) if is_decimal(whole, part) => scan::seconds(&format!("{whole}.{part}")),
        _ => scan::seconds(text),
    };
    plain(text.as_bytes()).or_else(seconds).or_else(|| clock(text))
}

/// Whether a comma stands where others have a point: in "0,123" and "1,5", but
/// not in "1,234".
fn is_decimal(whole: &str, part: &str) -> bool {
    !part.contains(['.', ',', ' ']) && (whole == "0" || part.len() != 3)
}

/// "12.345678", which is how nearly all of them are written.
fn plain(text: &[u8]) -> Option<Span> {
    const MOST_DIGITS: usize = 8;
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, mut part) = (&text[..point], text.get(point..).unwrap_or_default());
    if whole.is_empty() || whole.len() > MOST_DIGITS {
        return None;
    }
    let seconds = number(&mut &whole[..], whole.len())?;
    let is_up = part.get(7).is_some_and(|digit| *digit >= b'5');
    let micros = fraction(&mut part) + i64::from(is_up);
    part.is_empty().then_some(seconds * 1_000_000 + micros)
}

/// "hh:mm:ss", with a fraction and with days before a point if need be.
fn clock(text: &str) -> Option<Span> {
    let mut parts = text.trim().splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let whole = |text: &str| text.parse::<u32>().ok().map(f64::from);
    let seconds: f64 = seconds.parse().ok()?;
    scan::span(whole(days)? * 86_400.0 + whole(hours)? * 3_600.0 + whole(minutes)? * 60.0 + seconds)
}

/// A moment: year first with or without dashes, or month first with slashes;
/// then the time of day, and a zone perhaps. Anything else as [`scan::moment`] has it.
pub fn moment(text: &str) -> Option<Moment> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return None;
    }
    written(text).or_else(|| scan::moment(text)).filter(|moment| *moment >= FIRST)
}

/// A date and a time that are written apart.
pub fn joined(date: Option<&str>, time: Option<&str>) -> Option<Moment> {
    moment(&format!("{}T{}", date?, time?))
}

fn written(text: &str) -> Option<Moment> {
    let mut rest = text.as_bytes();
    let date = date(&mut rest)?;
    let midnight = (i64::from(date.to_julian_day()) - 2_440_588) * 86_400;
    let [b'T' | b't' | b' ', ..] = rest else { return None };
    rest = rest[1..].trim_ascii_start();
    let hour = number(&mut rest, 2)?;
    let minute = number(passed(&mut rest, b':')?, 2)?;
    let second = number(passed(&mut rest, b':')?, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let micros = fraction(&mut rest);
    let zone = zone(rest)?;
    Some((midnight + hour * 3_600 + minute * 60 + second - zone) * 1_000_000 + micros)
}

fn date(rest: &mut &[u8]) -> Option<Date> {
    let (year, month, day) = if rest.get(2) == Some(&b'/') {
        let month = number(rest, 2)?;
        let day = number(passed(rest, b'/')?, 2)?;
        (number(passed(rest, b'/')?, 4)?, month, day)
    } else if rest.get(4) == Some(&b'-') {
        let year = number(rest, 4)?;
        let month = number(passed(rest, b'-')?, 2)?;
        (year, month, number(passed(rest, b'-')?, 2)?)
    } else {
        (number(rest, 4)?, number(rest, 2)?, number(rest, 2)?)
    };
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()
}

/// Takes so many digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (taken, left) = rest.split_at_checked(digits)?;
    *rest = left;
    taken.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

/// Takes one byte, if it is this one.
fn passed<'r, 'a>(rest: &'r mut &'a [u8], byte: u8) -> Option<&'r mut &'a [u8]> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(rest)
}

/// Takes a fraction of a second, in microseconds.
fn fraction(rest: &mut &[u8]) -> i64 {
    let [b'.' | b',', digits @ ..] = *rest else { return 0 };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    *rest = &digits[end..];
    (0..6).fold(0, |micros, place| micros * 10 + digits[..end].get(place).map_or(0, |digit| i64::from(digit - b'0')))
}

/// The seconds by which a zone is ahead; none at all counts as UTC.
fn zone(rest: &[u8]) -> Option<i64> {
    let rest = rest.trim_ascii();
    let (sign, mut rest) = match rest {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let hours = number(&mut rest, 2)?;
    let minutes = match rest {
        [] => 0,
        [b':', minutes @ ..] | minutes => number(&mut &minutes[..], 2)?,
    };
    Some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_every_writer() {
        const BASE: Moment = 1_704_164_645_000_000;
        let table = [
            ("2024-01-02T03:04:05", Some(BASE)),
            ("2024-01-02T04:04:05.1234567+01:00", Some(BASE + 123_456)),
            ("2024-01-01T21:34:05-0530", Some(BASE)),
            ("2024-01-02 03:04:05Z", Some(BASE)),
            ("20240102 03:04:05.25", Some(BASE + 250_000)),
            ("01/02/2024 03:04:05", Some(BASE)),
            ("1704164645", Some(BASE)),
            ("0001-01-01T00:00:00Z", None),
            ("2018-38-06T02:38:04", None),
            ("2024-02-30T00:00:00", None),
            ("Tue Mar 31 05:03:00 2020", None),
            ("N/A", None),
            ("", None),
            ("é0240102", None),
        ];
        for (text, expected) in table {
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[test]
    fn lengths_of_time() {
        let table = [
            ("1.5", Some(1_500_000)),
            ("4", Some(4_000_000)),
            ("0.", Some(0)),
            (" 0.000123 ", Some(123)),
            ("0.0000019", Some(2)),
            ("3.6e-05", Some(36)),
            ("123456789012", None),
            (".", None),
            ("1.5.5", None),
            ("1,5", Some(1_500_000)),
            ("0,123", Some(123_000)),
            ("1,234", Some(1_234_000_000)),
            ("1,234.5", Some(1_234_500_000)),
            ("1,234,567", Some(1_234_567_000_000)),
            ("-0.5", None),
            ("670.06950001", Some(670_069_500)),
            ("0.9999999", Some(1_000_000)),
            ("00:00:00.0250000", Some(25_000)),
            ("02:03:56", Some(7_436_000_000)),
            ("1.00:00:01", Some(86_401_000_000)),
            ("-4.5", None),
            ("<<computed>>", None),
            ("1:2", None),
            ("::", None),
        ];
        for (text, expected) in table {
            assert_eq!(span(text), expected, "{text}");
        }
    }
}
