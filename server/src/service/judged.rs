//! What the detector has seen of a run.

use app::domain::health::Observation;
use app::domain::ids::TestId;
use app::domain::run::Run;
use app::domain::test::{Attempt, Outcome, Test};
use app::domain::time::{Micros, Timestamp};
use std::collections::HashMap;

/// Attempts of a test in a run that are looked at.
const ATTEMPTS: u32 = 64;

/// A failure that nobody tries again within this time has used up its retries.
const RETRIED_WITHIN: Micros = Micros::from_secs(2);

/// An attempt that passed or failed.
#[derive(Clone, Copy, Debug)]
pub struct Result {
    /// The test's number in the run.
    pub ordinal: u32,
    /// Which test.
    pub test: TestId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What was seen.
    pub seen: Observation,
}

/// Which results of a run were taken in, and what is still to be decided.
///
/// A result is written in the same transaction as what it did to its test, so
/// the results of a run that comes from the store have all been taken in.
#[derive(Debug, Default)]
pub struct Judged {
    /// Attempts by test: bit 0 is the first.
    attempts: HashMap<u32, u64>,
    /// Failures that may yet be tried again, and when they were heard of.
    open_failures: Vec<(u32, u32, Timestamp)>,
    /// Failures since the last pass.
    pub failed_in_a_row: u32,
    /// A test that passed has begun to fail.
    pub has_regression: bool,
    /// It was taken in to its end.
    pub is_finished: bool,
}

fn bit(attempt: &Attempt) -> u64 {
    if (1..=ATTEMPTS).contains(&attempt.number) { 1 << (attempt.number - 1) } else { 0 }
}

impl Judged {
    /// Of a run as it is stored.
    pub fn stored(run: &Run) -> Self {
        let ended = |attempts: &[Attempt]| {
            attempts.iter().filter(|attempt| attempt.finished.is_some()).fold(0, |bits, attempt| bits | bit(attempt))
        };
        let attempts = (0..).zip(run.tests()).map(|(ordinal, test)| (ordinal, ended(&test.attempts)));
        let attempts = attempts.filter(|(_, bits)| *bits != 0).collect();
        Self { attempts, is_finished: run.is_over(), ..Self::default() }
    }

    /// Results that are new, in the order in which they came.
    pub fn take_results(&mut self, run: &Run, run_hash: u64, commit: Option<u64>) -> Vec<Result> {
        self.take(run, run.touched().tests.iter(), run_hash, commit)
    }

    /// As [`Self::take_results`], of all tests of the run.
    pub fn take_all_results(&mut self, run: &Run, run_hash: u64, commit: Option<u64>) -> Vec<Result> {
        let all: Vec<u32> = (0..).take(run.tests().len()).collect();
        self.take(run, all.iter(), run_hash, commit)
    }

    fn take<'a>(
        &mut self,
        run: &Run,
        ordinals: impl Iterator<Item = &'a u32>,
        run_hash: u64,
        commit: Option<u64>,
    ) -> Vec<Result> {
        let mut results = Vec::new();
        for ordinal in ordinals {
            let test = &run.tests()[*ordinal as usize];
            let known = self.attempts.entry(*ordinal).or_default();
            for attempt in &test.attempts {
                let Some(finish) = attempt.finished.filter(|_| *known & bit(attempt) == 0 && bit(attempt) != 0) else {
                    continue;
                };
                *known |= bit(attempt);
                let failed = finish.verdict.is_failure();
                if failed || finish.verdict.is_pass() {
                    let at = run.by_our_clock(finish.at);
                    let seen = Observation { failed, commit, run: run_hash, at, incident: false };
                    results.push(Result { ordinal: *ordinal, test: test.id, attempt: attempt.number, seen });
                }
            }
        }
        results.sort_by_key(|result| (result.seen.at, result.ordinal, result.attempt));
        results
    }

    /// A failure that may be tried again.
    pub fn failed(&mut self, ordinal: u32, attempt: u32, now: Timestamp) {
        self.open_failures.retain(|(known, ..)| *known != ordinal);
        self.open_failures.push((ordinal, attempt, now));
    }

    /// Whether a failure has waited for long enough.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.open_failures.iter().any(|(_, _, heard)| now.since(*heard) >= RETRIED_WITHIN)
    }

    /// Failures of which it is now clear that nobody tries again: the run is
    /// over, goes on with another test, or has let too much time pass.
    pub fn take_hard_failures(&mut self, run: &Run, now: Timestamp) -> Vec<(u32, u32)> {
        let mut hard = Vec::new();
        let current = run.current_test().and_then(Test::began);
        self.open_failures.retain(|(ordinal, attempt, heard)| {
            let test = &run.tests()[*ordinal as usize];
            let ended = test.attempts.last().and_then(|last| last.finished).map(|finish| finish.at);
            match test.outcome() {
                Outcome::Failed => {}
                Outcome::Running => return true,
                // It was tried again, and passed.
                _ => return false,
            }
            let goes_on = current.zip(ended).is_some_and(|(began, ended)| began >= ended);
            let decided = run.is_over() || goes_on || now.since(*heard) >= RETRIED_WITHIN;
            if decided {
                hard.push((*ordinal, *attempt));
            }
            !decided
        });
        hard
    }
}
