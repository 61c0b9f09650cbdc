//! How long things take, learnt from how long they took.

use super::ids::TestId;
use super::run::Run;
use super::test::{Outcome, Test};
use super::time::{Micros, Timestamp};
use std::collections::HashMap;

/// How many of the last passes of a test are looked at.
pub const PASSES: usize = 9;

/// How many of the last durations of a suite are looked at.
pub const SUITE_RUNS: usize = 50;

/// Fewer past runs of a suite than this say nothing about its 95th percentile.
pub const SUITE_RUNS_MIN: usize = 3;

/// Nothing is late by less than this: a suite of a tenth of a second varies by
/// more than itself.
pub const LATE_AT_LEAST: Micros = Micros::from_secs(5);

/// Without a history a suite may take this many times its plan.
pub const PLAN_FACTOR: i64 = 3;

/// The median; of an even number the lower of the two in the middle, so that
/// it is a duration that really occurred.
pub fn median(durations: &mut [Micros]) -> Option<Micros> {
    if durations.is_empty() {
        return None;
    }
    let middle = (durations.len() - 1) / 2;
    Some(*durations.select_nth_unstable(middle).1)
}

/// The 95th percentile by the nearest-rank method.
pub fn percentile_95(durations: &mut [Micros]) -> Option<Micros> {
    if durations.is_empty() {
        return None;
    }
    let rank = (durations.len() * 95).div_ceil(100) - 1;
    Some(*durations.select_nth_unstable(rank).1)
}

/// What the past says about the tests and suites of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecast {
    /// The expected duration of each test that has passed before.
    pub tests: HashMap<TestId, Micros>,
    /// The 95th percentile of each suite with a history, by its ordinal.
    pub suites: HashMap<u32, Micros>,
    /// The expected duration of a test without a history.
    pub mean: Option<Micros>,
}

impl Forecast {
    /// A forecast from the last passes of each test.
    pub fn from_passes(passes: HashMap<TestId, Vec<Micros>>) -> Self {
        let tests: HashMap<_, _> =
            passes.into_iter().filter_map(|(test, mut passes)| Some((test, median(&mut passes)?))).collect();
        let sum: i64 = tests.values().map(|expected| expected.0).sum();
        let mean = (!tests.is_empty()).then(|| Micros(sum / tests.len() as i64));
        Self { tests, suites: HashMap::new(), mean }
    }

    /// The mean duration of the tests that finished in this run; it stands in
    /// for tests without a history.
    fn mean_of(&self, run: &Run) -> Option<Micros> {
        let done = run.tests().iter().filter_map(Test::duration);
        let (count, sum) = done.fold((0_i64, 0_i64), |(count, sum), took| (count + 1, sum.saturating_add(took.0)));
        if count > 0 { Some(Micros(sum / count)) } else { self.mean }
    }

    /// How long the whole run should take, from what was known before it:
    /// `None` where nothing was.
    pub fn expected(&self, run: &Run) -> Option<Micros> {
        let mean = self.mean?;
        let known = run.tests().iter().map(|test| self.tests.get(&test.id).copied().unwrap_or(mean).0);
        let unnamed = i64::from(run.counts().planned) - run.tests().len() as i64;
        Some(Micros(known.sum::<i64>().saturating_add(mean.0.saturating_mul(unnamed.max(0)))))
    }

    /// When the run should be done, by our clock: what is left, counted from
    /// its last word. Tests that run at the same time are taken as so many
    /// lanes.
    pub fn eta(&self, run: &Run) -> Option<Timestamp> {
        let heard = run.facts().heard_at?;
        let mean = self.mean_of(run)?;
        let counts = run.counts();
        let unnamed = i64::from(counts.planned) - run.tests().len() as i64;
        let mut left = mean.0.saturating_mul(unnamed.max(0));
        for test in run.tests() {
            let expected = self.tests.get(&test.id).copied().unwrap_or(mean);
            left = left.saturating_add(match test.outcome() {
                Outcome::Waiting => expected.0,
                Outcome::Running => {
                    let ran = test.began().map_or(0, |began| heard.since(run.by_our_clock(began)).0.max(0));
                    (expected.0 - ran).max(0)
                }
                _ => 0,
            });
        }
        let lanes = i64::from(counts.running.max(1));
        Some(heard + Micros(left / lanes))
    }

    /// From when on the run is late, by our clock: the first of its open
    /// suites past the 95th percentile of its own history; where none has a
    /// history, three times the plan.
    pub fn overdue_at(&self, run: &Run) -> Option<Timestamp> {
        let by_history = run.suites().iter().zip(0..).filter(|(suite, _)| suite.finished.is_none()).filter_map(
            |(suite, ordinal)| {
                let limit = *self.suites.get(&ordinal)?;
                let began = run.by_our_clock(run.suite_began(suite)?);
                Some(began + Micros(limit.0.saturating_add(LATE_AT_LEAST.0)))
            },
        );
        by_history.min().or_else(|| {
            let planned = self.expected(run)?;
            let allowed = planned.0.saturating_mul(PLAN_FACTOR).saturating_add(LATE_AT_LEAST.0);
            Some(run.started_at()? + Micros(allowed))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{RunEvent, RunStarted, TestRef};
    use crate::domain::ids::{RunId, SetupId};
    use crate::domain::name::RunKey;
    use crate::domain::test::Verdict;

    fn secs(all: &[i64]) -> Vec<Micros> {
        all.iter().map(|n| Micros::from_secs(*n)).collect()
    }

    #[test]
    fn median_and_percentile_are_durations_that_occurred() {
        assert_eq!(median(&mut secs(&[9, 1, 5])), Some(Micros::from_secs(5)));
        assert_eq!(median(&mut secs(&[9, 1, 5, 3])), Some(Micros::from_secs(3)));
        assert_eq!(percentile_95(&mut secs(&(1..=100).collect::<Vec<_>>())), Some(Micros::from_secs(95)));
        assert_eq!(percentile_95(&mut secs(&[4])), Some(Micros::from_secs(4)));
        assert_eq!((median(&mut []), percentile_95(&mut [])), (None, None));
    }

    fn run_of_four() -> (Run, Forecast) {
        let at = Timestamp(0);
        let mut run = Run::new(RunId(uuid::Uuid::nil()), SetupId(uuid::Uuid::nil()), RunKey::stored("k"));
        let start = RunStarted { total_tests: Some(4), ..RunStarted::default() };
        run.apply(&RunEvent::Started(Box::new(start)), at, at, Micros(0));
        let test = TestRef { suite: ["S".into()].into(), name: "a".into(), parameters: None, attempt: 1 };
        let known = TestId::of("default", &test.suite, "a", None);
        run.apply(&RunEvent::TestStarted { test: test.clone(), about: Box::default() }, at, at, Micros(0));
        let passes = HashMap::from([(known, secs(&[10, 10, 30]))]);
        (run, Forecast::from_passes(passes))
    }

    #[test]
    fn eta_is_what_is_left_by_each_tests_own_history() {
        let (mut run, forecast) = run_of_four();
        assert_eq!(forecast.expected(&run), Some(Micros::from_secs(40)));
        assert_eq!(forecast.eta(&run), Some(Timestamp(40_000_000)));
        let at = Timestamp(20_000_000);
        let test = TestRef { suite: ["S".into()].into(), name: "a".into(), parameters: None, attempt: 1 };
        let end = RunEvent::TestFinished { test, verdict: Verdict::Passed, duration: None, text: None };
        run.apply(&end, at, at, Micros(0));
        assert_eq!(forecast.eta(&run), Some(Timestamp(80_000_000)), "three left at this run's mean of 20 s");
    }

    #[test]
    fn late_is_past_the_history_else_three_times_the_plan() {
        let (run, mut forecast) = run_of_four();
        assert_eq!(forecast.overdue_at(&run), Some(Timestamp(125_000_000)));
        forecast.suites.insert(0, Micros::from_secs(50));
        assert_eq!(forecast.overdue_at(&run), Some(Timestamp(55_000_000)));
        assert_eq!(Forecast::default().overdue_at(&run), None);
    }
}
