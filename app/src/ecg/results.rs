//! A test as a strip: one beat per result, so the strip *is* its history.

use super::tape::{Entry, Finding};
use crate::domain::test::Outcome;
use crate::domain::time::Timestamp;

/// The beats of the results of one test, in their order, the oldest first. What
/// has no result yet has no beat. The numbers say which result each beat is.
pub fn entries(results: &[(Timestamp, Outcome)]) -> (Vec<Entry>, Vec<usize>) {
    let mut has_failed = false;
    let entry = |(index, (at, outcome)): (usize, &(Timestamp, Outcome))| {
        let finding = finding(*outcome)?.after(&mut has_failed);
        Some((Entry { at: *at, finding, ..Entry::default() }, index))
    };
    results.iter().enumerate().filter_map(entry).unzip()
}

fn finding(outcome: Outcome) -> Option<Finding> {
    match outcome {
        Outcome::Waiting | Outcome::Running => None,
        Outcome::Passed => Some(Finding::Passed),
        Outcome::Flaky => Some(Finding::Flaky),
        Outcome::Failed => Some(Finding::Failed),
        Outcome::Skipped | Outcome::Cancelled | Outcome::Lost => Some(Finding::Unknown),
    }
}
