//! Whether the detector's assumptions suit a project.
//!
//! A shop where a third of all results fail and flip breaks the hazards the
//! filter assumes, and then its probabilities are not worth their name. That
//! can be noticed: a filter that predicts the next result worse than a plain
//! running mean of the same test does not understand the project.

use super::state::Step;
use serde::{Deserialize, Serialize};

/// What is kept from result to result: half in 20,000 of them.
const KEPT: f64 = 0.999_965_343_241_531_3; // 2^(-1/20000)

/// Fewer results than this say nothing.
const RESULTS_NEEDED: f64 = 1_000.0;

/// Nor do results with fewer failures than this: a handful of regressions,
/// which no one can foresee, would decide.
const FAILURES_NEEDED: f64 = 30.0;

/// Not calibrated if worse than the running mean by this factor.
const WORSE: f64 = 1.1;

/// A loss is bounded as if nothing were thought less likely than this.
const LEAST: f64 = 1e-9;

/// The running log-loss of the filter's predictions and of a running mean's,
/// over a project. Results of incidents are best left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[u64; 4]", into = "[u64; 4]")]
pub struct Calibration {
    results: f64,
    failures: f64,
    filter: f64,
    mean: f64,
}

/// Written as the bits of its numbers: as decimals some would not come back.
impl From<Calibration> for [u64; 4] {
    fn from(of: Calibration) -> Self {
        [of.results, of.failures, of.filter, of.mean].map(f64::to_bits)
    }
}

impl From<[u64; 4]> for Calibration {
    fn from(bits: [u64; 4]) -> Self {
        let [results, failures, filter, mean] = bits.map(f64::from_bits);
        Self { results, failures, filter, mean }
    }
}

fn loss(p_fail: f64, failed: bool) -> f64 {
    -(if failed { p_fail } else { 1.0 - p_fail }).clamp(LEAST, 1.0).ln()
}

impl Calibration {
    /// Judges the two predictions of a result.
    pub fn observe(&mut self, step: &Step) {
        self.results = self.results * KEPT + 1.0;
        self.failures = self.failures * KEPT + f64::from(u8::from(step.failed));
        self.filter = self.filter * KEPT + loss(step.p_fail, step.failed);
        self.mean = self.mean * KEPT + loss(step.mean_fail, step.failed);
    }

    /// Whether there is enough to judge by: 1,000 results with 30 failures.
    pub fn is_conclusive(&self) -> bool {
        self.results >= RESULTS_NEEDED && self.failures >= FAILURES_NEEDED
    }

    /// The mean loss per result in nats, of the filter and of the running mean.
    pub fn losses(&self) -> (f64, f64) {
        if self.results > 0.0 { (self.filter / self.results, self.mean / self.results) } else { (0.0, 0.0) }
    }

    /// The filter is worse than the running mean by 10 % or more: its
    /// probabilities are not calibrated for this project, and pages should say
    /// so. `false` until it is conclusive.
    pub fn is_off(&self) -> bool {
        self.is_conclusive() && self.filter > WORSE * self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::{Model, Observation, State};
    use crate::domain::time::Timestamp;

    /// Each of 20 tests gets its result from `fails(test, commit, dice)`, and is
    /// replaced by another after `life` commits.
    fn project(commits: u64, life: u64, fails: impl Fn(u64, u64, u64) -> bool) -> Calibration {
        let model = Model::default();
        let mut calibration = Calibration::default();
        let mut states = vec![State::new(&model); 20];
        let mut dice = 1_u64;
        for commit in 0..commits {
            if commit % life == 0 {
                states.fill(State::new(&model));
            }
            for (test, state) in (0..).zip(&mut states) {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let failed = fails(test, commit, (dice >> 33) % 1_000);
                let at = Timestamp(commit.cast_signed() * 3_600_000_000);
                let seen = Observation { failed, commit: Some(commit), run: commit, at, incident: false };
                calibration.observe(&state.observe(&model, &seen));
            }
        }
        calibration
    }

    #[test]
    fn a_project_of_regressions_and_flakes_is_understood() {
        let usual = project(300, 300, |test, commit, dice| match test {
            0 => dice < 100,
            1 => dice < 10,
            _ => (commit + 37 * test) % 250 < 8,
        });
        assert!(usual.is_conclusive());
        assert!(!usual.is_off(), "{:?}", usual.losses());
    }

    #[test]
    fn short_lived_tests_of_which_a_third_fails_at_random_are_not() {
        let odd = project(300, 12, |_, _, dice| dice < 300);
        assert!(odd.is_off(), "{:?}", odd.losses());
    }

    #[test]
    fn nothing_is_said_before_there_is_enough() {
        let short = project(40, 40, |test, commit, _| (commit + test) % 2 == 0);
        assert!(!short.is_conclusive() && !short.is_off());
        assert_eq!(Calibration::default().losses(), (0.0, 0.0));
    }
}
