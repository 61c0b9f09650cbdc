//! When something is to be done again and again: a line of cron, read in a time
//! zone. Pure: it is told the time.
//!
//! Where clocks go forward, what would fall into the hour that is not there is
//! done right after it; where they go back, a fixed time is done once.

use app::domain::time::Timestamp;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use thiserror::Error;

/// When something is to be done again and again.
#[derive(Clone, Debug)]
pub struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

/// Why there is no timetable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimetableFault {
    /// The line is none of cron.
    #[error("must be five fields of cron, such as 30 2 * * 1-5, or a word such as @daily: {0}")]
    Cron(String),
    /// Nobody knows the zone.
    #[error("{0:?} is not known; give a name such as Europe/Berlin or UTC")]
    Zone(String),
}

impl Timetable {
    /// Reads a line of cron, to the minute, and the name of a zone.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, TimetableFault> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(cron).map_err(|error| TimetableFault::Cron(error.to_string()))?;
        let zone = TimeZone::get(zone.trim()).map_err(|_| TimetableFault::Zone(zone.into()))?;
        Ok(Self { cron, zone })
    }

    /// The first time after a moment; none where there is none for years, such
    /// as on a 30 February.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let at = jiff::Timestamp::from_microsecond(at.0).ok()?.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&at, false).ok()?;
        Some(Timestamp(next.timestamp().as_microsecond()))
    }

    /// The line in words.
    pub fn words(&self) -> String {
        self.cron.describe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, zone: &str, after: &str) -> String {
        let at = Timestamp::from_rfc3339(after).expect("a time");
        let next = Timetable::parse(cron, zone).expect("a timetable").next_after(at);
        next.map(|at| at.to_rfc3339()[..16].to_owned()).unwrap_or_default()
    }

    #[test]
    fn the_next_time_comes_after_now_in_its_zone() {
        assert_eq!(next("30 2 * * *", "UTC", "2026-03-01T02:30:00Z"), "2026-03-02T02:30");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-01T00:00:00Z"), "2026-03-01T01:30");
        assert_eq!(next("*/15 * * * *", "UTC", "2026-03-01T12:07:31Z"), "2026-03-01T12:15");
        assert_eq!(next("0 6 * * MON-FRI", "UTC", "2026-02-27T07:00:00Z"), "2026-03-02T06:00");
        assert_eq!(next("@daily", "UTC", "2026-03-01T12:00:00Z"), "2026-03-02T00:00");
        assert_eq!(next("0 0 30 2 *", "UTC", "2026-03-01T12:00:00Z"), "");
    }

    #[test]
    fn a_time_that_is_not_there_comes_right_after_the_gap() {
        // On 29 March 2026 clocks in Berlin go from 02:00 to 03:00, which is 01:00 UTC.
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T01:00");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-03-30T00:30");
        assert_eq!(next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z"), "2026-03-29T01:00");
    }

    #[test]
    fn a_time_that_is_there_twice_comes_once() {
        // On 25 October 2026 clocks in Berlin go from 03:00 to 02:00, which is 01:00 UTC.
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"), "2026-10-25T00:30");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-26T01:30");
        assert_eq!(next("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-25T01:00");
    }

    #[test]
    fn what_is_no_timetable_says_why() {
        for odd in ["", "* * * *", "0 30 2 * * *", "61 * * * *", "x", "@never"] {
            let fault = Timetable::parse(odd, "UTC").expect_err(odd);
            assert!(matches!(fault, TimetableFault::Cron(_)), "{odd}: {fault}");
        }
        let fault = Timetable::parse("@daily", "Europe/Nowhere").expect_err("there is none");
        assert_eq!(fault, TimetableFault::Zone("Europe/Nowhere".into()));
    }
}
