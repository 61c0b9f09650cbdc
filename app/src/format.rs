//! Times, lengths and numbers as people read them.
//!
//! Pure, and without floating point: formatting floats would add kilobytes to
//! the bundle for one decimal. Times of day are written in UTC here; the
//! browser shows them in the viewer's zone, see `ui::When`.

use crate::domain::time::{Micros, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A running timer: `0:07`, `12:34`, `1:02:03`. Never negative.
pub fn timer(length: Micros) -> String {
    let seconds = length.as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / HOUR, seconds % HOUR / MINUTE, seconds % MINUTE);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How long something took: `340 ms`, `3.4 s`, `12:34`, `1:02:03`.
pub fn took(length: Micros) -> String {
    let millis = length.as_millis().max(0);
    match millis {
        0 => "0 ms".into(),
        1..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => timer(length),
    }
}

/// How long ago: `just now`, `32 s ago`, `5 min ago`, `3 h ago`, `4 d ago`.
pub fn ago(length: Micros) -> String {
    match length.as_secs() {
        ..5 => "just now".into(),
        _ => format!("{} ago", coarse(length)),
    }
}

/// A length in its largest unit: `32 s`, `5 min`, `3 h`, `4 d`.
pub fn coarse(length: Micros) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} d", seconds / DAY),
    }
}

/// A moment to the minute in UTC: `2026-03-01 12:00 UTC`.
pub fn utc(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    format!("{} {} UTC", &text[..10], &text[11..16])
}

/// A moment to the second in UTC: `2026-03-01 12:00:05 UTC`.
pub fn utc_exact(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    format!("{} {} UTC", &text[..10], &text[11..19])
}

/// The time of day in UTC: `12:00`.
pub fn utc_clock(at: Timestamp) -> String {
    at.to_rfc3339()[11..16].to_owned()
}

/// A number with its thousands apart: `10,000`.
pub fn number(n: u32) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with its noun: `1 test`, `2 tests`.
pub fn count(n: u32, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A size: `812 bytes`, `2 KB`, `1.4 MB`.
pub fn bytes(size: u64) -> String {
    const KILO: u64 = 1_000;
    match size {
        0..KILO => format!("{size} bytes"),
        KILO..1_000_000 => format!("{} KB", size / KILO),
        _ => format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
    }
}

/// How long after the first of many something came: `+0.000`, `+1:02.340`.
pub fn after(length: Micros) -> String {
    let millis = (length.0 / 1_000).max(0);
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    match seconds / MINUTE {
        0 => format!("+{seconds}.{millis:03}"),
        minutes => format!("+{minutes}:{:02}.{millis:03}", seconds % MINUTE),
    }
}

/// The first characters of a commit; other texts stay as they are.
pub fn commit(text: &str) -> &str {
    let is_hash = text.len() >= 20 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { &text[..10] } else { text }
}

/// The first lines of a text, and whether there are more.
pub fn first_lines(text: &str, lines: usize) -> (&str, bool) {
    let text = text.trim_end();
    match text.match_indices('\n').nth(lines.saturating_sub(1)) {
        Some((end, _)) => (text[..end].trim_end(), true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: i64) -> Micros {
        Micros::from_secs(n)
    }

    #[test]
    fn timers_grow_an_hour_when_they_need_one() {
        let shown = [-5, 0, 7, 130, 3_723].map(|n| timer(secs(n)));
        assert_eq!(shown, ["0:00", "0:00", "0:07", "2:10", "1:02:03"]);
    }

    #[test]
    fn durations_are_as_exact_as_they_are_short() {
        let shown = [0, 340, 3_449, 59_999, 60_000].map(|n| took(Micros::from_millis(n)));
        assert_eq!(shown, ["0 ms", "340 ms", "3.4 s", "59.9 s", "1:00"]);
    }

    #[test]
    fn the_past_is_told_in_its_largest_unit() {
        let shown = [-3, 4, 32, 300, 3 * HOUR, 4 * DAY + 5].map(|n| ago(secs(n)));
        assert_eq!(shown, ["just now", "just now", "32 s ago", "5 min ago", "3 h ago", "4 d ago"]);
    }

    #[test]
    fn moments_are_written_in_utc() {
        let at = Timestamp::from_rfc3339("2026-03-01T14:00:05.5+02:00").expect("valid");
        assert_eq!((utc(at), utc_exact(at)), ("2026-03-01 12:00 UTC".into(), "2026-03-01 12:00:05 UTC".into()));
        assert_eq!(utc_clock(at), "12:00");
    }

    #[test]
    fn numbers_keep_their_thousands_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((count(1, "test", "tests"), count(0, "test", "tests")), ("1 test".into(), "0 tests".into()));
    }

    #[test]
    fn sizes_and_delays_are_as_exact_as_they_are_small() {
        assert_eq!([0, 812, 2_048, 1_450_000].map(bytes), ["0 bytes", "812 bytes", "2 KB", "1.4 MB"]);
        let shown = [-1, 0, 1_002, 62_340].map(|n| after(Micros::from_millis(n)));
        assert_eq!(shown, ["+0.000", "+0.000", "+1.002", "+1:02.340"]);
    }

    #[test]
    fn only_hashes_are_shortened() {
        assert_eq!(commit("0123456789abcdef0123456789abcdef01234567"), "0123456789");
        assert_eq!(commit("release-2026-03-long-name"), "release-2026-03-long-name");
    }

    #[test]
    fn a_long_text_is_cut_at_a_line() {
        assert_eq!(first_lines("a\nb\nc\n", 2), ("a\nb", true));
        assert_eq!(first_lines("a\nb\n", 2), ("a\nb", false));
        assert_eq!(first_lines("", 2), ("", false));
    }
}
