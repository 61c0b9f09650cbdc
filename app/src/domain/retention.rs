//! How long what was recorded is kept.
//!
//! Four kinds of things grow, and each has an age of its own: output, files,
//! events of the log, and runs with their suites, tests and texts. What follows
//! from them and does not grow, such as the health of tests, stays for ever.

use super::time::{Micros, Timestamp};

/// How long the things of a project are kept; what is none is kept for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// Lines and steps.
    pub output: Option<Micros>,
    /// Files.
    pub files: Option<Micros>,
    /// All other events of the log.
    pub events: Option<Micros>,
    /// Runs, with everything that belongs to them.
    pub runs: Option<Micros>,
}

fn least(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    one.into_iter().chain(other).min()
}

impl Ages {
    /// Nothing is ever forgotten.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// How long an event of the log is kept: not longer than its run.
    pub fn of_event(&self, is_output: bool) -> Option<Micros> {
        least(if is_output { least(self.output, self.events) } else { self.events }, self.runs)
    }

    /// How long files are kept: not longer than their run.
    pub fn of_files(&self) -> Option<Micros> {
        least(self.files, self.runs)
    }

    /// The least age of both for anything at all.
    pub fn youngest(&self, other: &Self) -> Self {
        Self {
            output: least(self.output, other.output),
            files: least(self.files, other.files),
            events: least(self.events, other.events),
            runs: least(self.runs, other.runs),
        }
    }
}

/// Whether something is too old.
pub fn is_over(age: Option<Micros>, at: Timestamp, now: Timestamp) -> bool {
    age.is_some_and(|age| now.since(at) > age)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn days(days: i64) -> Option<Micros> {
        Some(Micros::from_secs(days * 86_400))
    }

    #[test]
    fn nothing_outlives_its_run() {
        let ages = Ages { output: days(30), files: None, events: days(90), runs: days(60) };
        assert_eq!((ages.of_event(true), ages.of_event(false), ages.of_files()), (days(30), days(60), days(60)));
        assert_eq!(Ages { events: days(5), ..ages }.of_event(true), days(5), "output is of the log");
        assert!(Ages::default().are_none() && Ages::default().of_event(true).is_none());
        let least = ages.youngest(&Ages { runs: days(7), ..Ages::default() });
        assert_eq!((least.runs, least.output), (days(7), days(30)));
    }

    #[test]
    fn what_has_just_reached_its_age_is_kept() {
        let (at, now) = (Timestamp(0), Timestamp(86_400_000_000));
        assert!(!is_over(days(1), at, now) && is_over(days(1), at, now + Micros(1)) && !is_over(None, at, now));
    }
}
