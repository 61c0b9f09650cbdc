//! Points in time and lengths of time, in whole microseconds.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// A length of time in microseconds; may be negative (a clock that is ahead).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// `n` milliseconds.
    pub const fn from_millis(n: i64) -> Self {
        Self(n.saturating_mul(1_000))
    }

    /// `n` seconds.
    pub const fn from_secs(n: i64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// Whole milliseconds, towards zero.
    pub const fn as_millis(self) -> i64 {
        self.0 / 1_000
    }

    /// Whole seconds, towards zero.
    pub const fn as_secs(self) -> i64 {
        self.0 / 1_000_000
    }

    /// The length without its sign.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// It serialises as that number, which is what the store and our own pages
/// use; the public contract writes RFC 3339, see [`Timestamp::to_rfc3339`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// `ms` milliseconds since the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Whole milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// How long ago `earlier` was; negative if it lies ahead.
    pub const fn since(self, earlier: Timestamp) -> Micros {
        Micros(self.0.saturating_sub(earlier.0))
    }

    /// Reads RFC 3339, with any offset and any number of decimals. A text
    /// without an offset is refused: guessing a zone is how hours get lost.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let parsed = ::time::OffsetDateTime::parse(text, &::time::format_description::well_known::Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos().div_euclid(1_000)).ok().map(Self)
    }

    /// RFC 3339 in UTC with six decimals: `2026-03-01T12:00:00.000000Z`.
    pub fn to_rfc3339(self) -> String {
        // The years 0000 to 9999 are all that RFC 3339 can say.
        const FIRST: i64 = -62_167_219_200_000_000;
        const LAST: i64 = 253_402_300_799_999_999;
        let micros = self.0.clamp(FIRST, LAST);
        let moment = ::time::OffsetDateTime::from_unix_timestamp(micros.div_euclid(1_000_000))
            .unwrap_or(::time::OffsetDateTime::UNIX_EPOCH);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            moment.year(),
            u8::from(moment.month()),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second(),
            micros.rem_euclid(1_000_000)
        )
    }
}

impl Add<Micros> for Timestamp {
    type Output = Timestamp;
    fn add(self, length: Micros) -> Timestamp {
        Timestamp(self.0.saturating_add(length.0))
    }
}

impl Sub<Micros> for Timestamp {
    type Output = Timestamp;
    fn sub(self, length: Micros) -> Timestamp {
        Timestamp(self.0.saturating_sub(length.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_with_any_offset_and_written_in_utc() {
        let noon = Timestamp::from_rfc3339("2026-03-01T14:00:00.5+02:00").expect("valid");
        assert_eq!(noon.to_rfc3339(), "2026-03-01T12:00:00.500000Z");
        assert_eq!(Timestamp::from_rfc3339(&noon.to_rfc3339()), Some(noon));
    }

    #[test]
    fn times_before_the_epoch_and_without_a_zone() {
        assert_eq!(Timestamp(-1).to_rfc3339(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_rfc3339("2026-03-01T14:00:00"), None);
    }

    #[test]
    fn extremes_do_not_panic() {
        for micros in [i64::MIN, i64::MAX] {
            assert!(Timestamp(micros).to_rfc3339().ends_with('Z'));
            assert!(Timestamp(micros).since(Timestamp(-micros.saturating_add(1))).abs().0 >= 0);
        }
    }
}
