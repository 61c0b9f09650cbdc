//! How many tests of a run are in which outcome.

use super::test::Outcome;
use serde::{Deserialize, Serialize};

/// Tests of a run by outcome. Each test is in exactly one counter but
/// `planned`, so the others sum up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All tests: known by name, or announced as a number.
    pub planned: u32,
    /// Announced, not started.
    pub waiting: u32,
    /// Started, not finished.
    pub running: u32,
    /// Passed at the first attempt (warnings included).
    pub passed: u32,
    /// Passed after a failed attempt; not in `passed`.
    pub flaky: u32,
    /// Failed, errored or timed out in the last attempt.
    pub failed: u32,
    /// Not run, on purpose.
    pub skipped: u32,
    /// Stopped, or never begun in a run that was aborted.
    pub cancelled: u32,
    /// Announced or begun in a run that ended without a word about them.
    pub lost: u32,
}

impl Counts {
    /// The counter of an outcome.
    pub fn of(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::Waiting => &mut self.waiting,
            Outcome::Running => &mut self.running,
            Outcome::Passed => &mut self.passed,
            Outcome::Flaky => &mut self.flaky,
            Outcome::Failed => &mut self.failed,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Lost => &mut self.lost,
        }
    }

    /// Tests about which the last word is said: all but waiting and running.
    pub const fn done(&self) -> u32 {
        self.passed + self.flaky + self.failed + self.skipped + self.cancelled + self.lost
    }

    /// `done` of `planned` in percent, rounded down so that 100 means all.
    pub const fn percent(&self) -> u32 {
        if self.planned == 0 { 0 } else { ((self.done() as u64 * 100) / self.planned as u64) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_says_100_only_when_all_are_done() {
        let mut counts = Counts { planned: 1_000, passed: 999, running: 1, ..Counts::default() };
        assert_eq!(counts.percent(), 99);
        counts.running = 0;
        counts.failed = 1;
        assert_eq!((counts.done(), counts.percent()), (1_000, 100));
        assert_eq!(Counts::default().percent(), 0);
    }
}
