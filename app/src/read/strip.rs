//! The strip of a setup in words, as the server and the browser say them.

use super::{Pulse, Tile};
use crate::domain::time::{Micros, Timestamp};
use crate::ecg::twin::{Numeral, Recent, Twin};
use crate::ecg::{DELAY, EventKind, KEEP};

impl Pulse {
    /// What happened in the [`KEEP`] before `until`.
    pub fn recent(&self, until: Timestamp) -> Recent {
        let lately = || self.marks.iter().rev().filter(|mark| mark.at <= until && mark.at >= until - KEEP);
        let count = |kind| u32::try_from(lately().filter(|mark| mark.kind == kind).count()).unwrap_or(u32::MAX);
        let mut flaky_tests: Vec<String> = Vec::new();
        for mark in lately().filter(|mark| mark.kind == EventKind::Flaky) {
            if !flaky_tests.contains(&mark.test) {
                flaky_tests.push(mark.test.clone());
            }
        }
        Recent {
            over: KEEP,
            flaky: count(EventKind::Flaky),
            flaky_tests,
            failed: count(EventKind::Failure),
            broken: self.tests.broken,
        }
    }
}

impl Tile {
    /// The text twin of the setup's strip at `now`.
    pub fn twin(&self, now: Timestamp, silent_after: Micros, recent: Recent) -> Twin {
        Twin::of(&format!("Setup {}", self.name), &self.measures(now, silent_after), recent)
    }

    /// The numbers beside the setup's strip at `now`.
    pub fn numerals(&self, now: Timestamp, silent_after: Micros) -> Vec<Numeral> {
        let mut numerals = self.twin(now, silent_after, self.pulse.recent(now - DELAY)).numerals();
        numerals.push(Numeral { label: "Flaky tests", value: self.pulse.tests.flaky.to_string() });
        numerals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RunId;
    use crate::read::Mark;
    use uuid::Uuid;

    fn mark(second: i64, kind: EventKind, test: &str) -> Mark {
        let (at, run) = (Timestamp::from_millis(second * 1_000), RunId(Uuid::nil()));
        Mark { at, kind, origin: second as u64, test: test.into(), ordinal: 0, attempt: 2, run }
    }

    #[test]
    fn only_what_is_on_the_strip_is_counted_and_each_test_is_named_once() {
        let marks = vec![
            mark(10, EventKind::Flaky, "Old"),
            mark(70, EventKind::Flaky, "Boot"),
            mark(71, EventKind::Failure, "Stop"),
            mark(72, EventKind::Flaky, "Login"),
            mark(73, EventKind::Flaky, "Boot"),
            mark(90, EventKind::Flaky, "To come"),
        ];
        let recent = Pulse { marks, ..Pulse::default() }.recent(Timestamp::from_millis(80_000));
        assert_eq!((recent.flaky, recent.failed, recent.flaky_tests.join(" ")), (3, 1, "Boot Login".into()));
    }
}
