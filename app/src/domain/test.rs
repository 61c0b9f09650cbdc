//! A test in a run: its attempts, each with a verdict, and the outcome that
//! follows from them.

use super::ids::{ScriptId, TestId};
use super::output::Outputs;
use super::time::{Micros, Timestamp};
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in the order of the declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The one spelling, in SQL, JSON, CSS and on screens.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// The value with this spelling.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What one attempt came to. Ordered from harmless to grave, which decides
    /// between two contradicting words of the same moment.
    Verdict {
        /// It did not say.
        Unknown = "unknown",
        /// As it should be.
        Passed = "passed",
        /// As it should be, with a warning.
        Warned = "warned",
        /// Not run, on purpose.
        Skipped = "skipped",
        /// Stopped from outside.
        Cancelled = "cancelled",
        /// Took too long and was stopped.
        TimedOut = "timed_out",
        /// Could not be judged: its preparation or the test itself broke.
        Errored = "errored",
        /// An expectation did not hold.
        Failed = "failed",
    }
}

impl Verdict {
    /// Failed, errored or timed out.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Errored | Self::TimedOut)
    }

    /// Passed, with or without a warning.
    pub const fn is_pass(self) -> bool {
        matches!(self, Self::Passed | Self::Warned)
    }
}

words! {
    /// What a test came to in a run; derived from its attempts, see [`Test::outcome`].
    Outcome {
        /// Announced, not started.
        Waiting = "waiting",
        /// Its last attempt has not finished.
        Running = "running",
        /// Passed, and no attempt failed.
        Passed = "passed",
        /// Passed after a failed attempt.
        Flaky = "flaky",
        /// Its last attempt failed, errored or timed out.
        Failed = "failed",
        /// Not run, on purpose.
        Skipped = "skipped",
        /// Stopped, or never begun in an aborted run.
        Cancelled = "cancelled",
        /// Nobody ever said how it ended.
        Lost = "lost",
    }
}

/// The end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finish {
    /// When, by the listener's clock.
    pub at: Timestamp,
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took, where the listener measured it.
    pub duration: Option<Micros>,
    /// A fingerprint of message and trace, 0 where there are none. The texts
    /// themselves are kept by the store alone; the fingerprint lets two
    /// contradicting finishes be ordered without them.
    pub text: u64,
}

/// One execution of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began, by the listener's clock: the earliest that was said.
    pub started: Option<Timestamp>,
    /// How it ended: the latest that was said.
    pub finished: Option<Finish>,
}

impl Attempt {
    /// When it began: as said, else counted back from its end.
    pub fn began(&self) -> Option<Timestamp> {
        self.started.or_else(|| self.finished.map(|finish| finish.at - finish.duration.unwrap_or_default()))
    }

    /// How long it took: as measured, else from start to finish.
    pub fn duration(&self) -> Option<Micros> {
        let finish = self.finished?;
        finish.duration.or_else(|| self.started.map(|started| Micros(finish.at.since(started).0.max(0))))
    }
}

/// A test in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its identity over all runs.
    pub id: TestId,
    /// The suite it is in: an index into the run's suites.
    pub suite: u32,
    /// Its name.
    pub name: Box<str>,
    /// What tells it from its likes of the same name.
    pub parameters: Option<Box<str>>,
    /// Its place in the plan.
    pub position: Option<u32>,
    /// The file it is written in.
    pub source: Option<Box<str>>,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// Its script, where the plan carried one of its own.
    pub script: Option<ScriptId>,
    /// Tags, sorted, each once.
    pub tags: Box<[Box<str>]>,
    /// Who looks after it.
    pub owner: Option<Box<str>>,
    /// Whether it put something out.
    pub outputs: Outputs,
    /// Its attempts in the order of their numbers; none while it waits.
    pub attempts: Vec<Attempt>,
}

impl Test {
    /// The outcome as far as the attempts tell, for a run that is still open.
    /// The last attempt decides; a pass after a failure is flaky.
    pub fn outcome(&self) -> Outcome {
        let Some(last) = self.attempts.last() else { return Outcome::Waiting };
        let Some(finish) = last.finished else { return Outcome::Running };
        match finish.verdict {
            verdict if verdict.is_failure() => Outcome::Failed,
            verdict if verdict.is_pass() => {
                let failed_before =
                    self.attempts.iter().any(|a| a.finished.is_some_and(|finish| finish.verdict.is_failure()));
                if failed_before { Outcome::Flaky } else { Outcome::Passed }
            }
            Verdict::Skipped => Outcome::Skipped,
            Verdict::Cancelled => Outcome::Cancelled,
            _ => Outcome::Lost,
        }
    }

    /// When its last attempt began.
    pub fn began(&self) -> Option<Timestamp> {
        self.attempts.last().and_then(Attempt::began)
    }

    /// How long its last attempt took.
    pub fn duration(&self) -> Option<Micros> {
        self.attempts.last().and_then(Attempt::duration)
    }

    /// The attempt with this number, made where it is missing.
    pub(super) fn attempt_mut(&mut self, number: u32) -> &mut Attempt {
        let at = match self.attempts.binary_search_by_key(&number, |attempt| attempt.number) {
            Ok(at) => at,
            Err(at) => {
                self.attempts.insert(at, Attempt { number, started: None, finished: None });
                at
            }
        };
        &mut self.attempts[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(verdicts: &[Option<Verdict>]) -> Test {
        let attempts = verdicts.iter().enumerate().map(|(i, verdict)| Attempt {
            number: i as u32 + 1,
            started: Some(Timestamp(i as i64)),
            finished: verdict.map(|verdict| Finish { at: Timestamp(i as i64 + 1), verdict, duration: None, text: 0 }),
        });
        Test {
            id: TestId::of("p", &[], "t", None),
            suite: 0,
            name: "t".into(),
            parameters: None,
            position: None,
            source: None,
            line: None,
            script: None,
            tags: [].into(),
            owner: None,
            outputs: Outputs::default(),
            attempts: attempts.collect(),
        }
    }

    #[test]
    fn the_last_attempt_decides_and_a_pass_after_a_failure_is_flaky() {
        use Verdict::*;
        let table: &[(&[Option<Verdict>], Outcome)] = &[
            (&[], Outcome::Waiting),
            (&[None], Outcome::Running),
            (&[Some(Passed)], Outcome::Passed),
            (&[Some(Warned)], Outcome::Passed),
            (&[Some(Failed), Some(Passed)], Outcome::Flaky),
            (&[Some(TimedOut), Some(Warned)], Outcome::Flaky),
            (&[Some(Failed), None], Outcome::Running),
            (&[Some(Passed), Some(Errored)], Outcome::Failed),
            (&[Some(Skipped)], Outcome::Skipped),
            (&[Some(Cancelled)], Outcome::Cancelled),
            (&[Some(Unknown)], Outcome::Lost),
        ];
        for (verdicts, outcome) in table {
            assert_eq!(test(verdicts).outcome(), *outcome, "{verdicts:?}");
        }
    }

    #[test]
    fn a_finish_without_a_start_counts_back() {
        let mut lone = test(&[]);
        lone.attempt_mut(1).finished =
            Some(Finish { at: Timestamp(5_000), verdict: Verdict::Passed, duration: Some(Micros(2_000)), text: 0 });
        assert_eq!(lone.began(), Some(Timestamp(3_000)));
        assert_eq!(lone.duration(), Some(Micros(2_000)));
    }
}
