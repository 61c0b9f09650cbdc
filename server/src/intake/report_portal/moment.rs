//! The many ways in which agents write a moment.

use crate::intake::native;
use app::domain::time::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Milliseconds as a number or as text; ISO 8601 with or without a zone, with
/// an offset with or without a colon, with a blank for the T; RFC 1123. A text
/// without a zone is taken as UTC, as ReportPortal does.
pub(super) fn read(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(millis) => of_millis(millis.as_f64()?),
        Value::String(text) => of_text(text.trim()),
        _ => None,
    }
}

fn of_millis(millis: f64) -> Option<Timestamp> {
    // A float that is out of range saturates, and is then held.
    native::held((millis * 1_000.0).round() as i64).into()
}

fn of_text(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return of_millis(text.parse().ok()?);
    }
    native::moment(text).or_else(|| native::moment(&spelt(text)?)).or_else(|| {
        let moment = OffsetDateTime::parse(text, &Rfc2822).ok()?;
        native::held(moment.unix_timestamp().checked_mul(1_000_000)?).into()
    })
}

/// The same moment as RFC 3339 writes it.
fn spelt(text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    let zone = match zone.trim().as_bytes() {
        [] | [b'Z' | b'z'] => "Z".to_owned(),
        [sign @ (b'+' | b'-'), h1, h2, m1, m2] if [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()) => {
            format!("{}{}{}:{}{}", *sign as char, *h1 as char, *h2 as char, *m1 as char, *m2 as char)
        }
        [b'+' | b'-', _, _] => format!("{}:00", zone.trim()),
        _ => zone.trim().to_owned(),
    };
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    Some(format!("{date}T{clock}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_write_a_moment_is_read() {
        let noon = Timestamp::from_rfc3339("2026-11-21T12:00:00.123Z");
        let cases = [
            json!(1_795_262_400_123_u64),
            json!("1795262400123"),
            json!("2026-11-21T12:00:00.123000+0000"),
            json!("2026-11-21T12:00:00.1230000Z"),
            json!("2026-11-21T13:00:00.123000456+01:00"),
            json!("2026-11-21T13:00:00.123+01"),
            json!("2026-11-21T12:00:00.123"),
            json!("2026-11-21 12:00:00.123"),
        ];
        for case in cases {
            assert_eq!(read(&case), noon, "{case}");
        }
        assert_eq!(read(&json!("Sat, 21 Nov 2026 12:00:00 GMT")), Timestamp::from_rfc3339("2026-11-21T12:00:00Z"));
        assert_eq!(read(&json!("2026-11-21T12:00")), Timestamp::from_rfc3339("2026-11-21T12:00:00Z"));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for case in [json!("yesterday"), json!(""), json!(null), json!({}), json!("2026-11-21"), json!("2026-13-01 1")]
        {
            assert_eq!(read(&case), None, "{case}");
        }
        assert_eq!(read(&json!(-5)), Some(Timestamp(0)));
    }
}
