//! Histories of which the truth is known.

use app::domain::chance::Dice;

pub const TESTS: usize = 1_200;
pub const COMMITS: usize = 300;
pub const COMMITS_A_DAY: usize = 4;

const BREAKS_PER_COMMIT: f64 = 0.0015;
const INCIDENTS_PER_RUN: f64 = 0.004;
const HIT_IN_INCIDENT: f64 = 0.2;

/// How runs are made.
#[derive(Clone, Copy, PartialEq)]
pub enum Regime {
    /// One run per commit, no retries.
    R0,
    /// One to three runs per commit (mean 1.4), no retries.
    R1,
    /// The same with up to two retries of a failure.
    R2,
}

impl Regime {
    pub fn runs(self, dice: &mut Dice) -> usize {
        let share = if self == Self::R0 { 0.0 } else { dice.share() };
        if share < 0.7 {
            1
        } else if share < 0.9 {
            2
        } else {
            3
        }
    }

    pub fn attempts(self) -> usize {
        if self == Self::R2 { 3 } else { 1 }
    }
}

/// How flaky tests fail.
#[derive(Clone, Copy, PartialEq)]
pub enum Rates {
    /// By the quartiles of `FlakeFlagger`'s 811 flaky tests, each result by itself.
    Quartiles,
    /// Log-uniform from 1e-4 to 0.9, each result by itself.
    LogUniform,
    /// By the quartiles, in bursts: a failure lasts. Stickiness as measured on
    /// reruns in isolation: a median of 0.001, over 0.25 in one test of five,
    /// 0.118 in the mean.
    Bursts,
}

impl Rates {
    fn rate(self, dice: &mut Dice) -> f64 {
        const QUANTILES: [(f64, f64); 6] =
            [(0.0, 1e-4), (0.25, 4e-4), (0.5, 7.1e-3), (0.75, 0.16), (0.9, 0.55), (1.0, 0.9)];
        let share = dice.share();
        if self == Self::LogUniform {
            return 1e-4 * (share * (0.9_f64 / 1e-4).ln()).exp();
        }
        let above = QUANTILES.iter().position(|(q, _)| share < *q).unwrap_or(QUANTILES.len() - 1);
        let ((q0, r0), (q1, r1)) = (QUANTILES[above - 1], QUANTILES[above]);
        r0 * (r1 / r0).powf((share - q0) / (q1 - q0))
    }

    fn stickiness(self, dice: &mut Dice) -> f64 {
        if self != Self::Bursts {
            return 0.0;
        }
        let kind = dice.share();
        let share = dice.share();
        if kind < 0.6 {
            0.002 * share
        } else if kind < 0.8 {
            0.25 * share
        } else {
            0.25 + 0.43 * share
        }
    }
}

/// A test and what is true of it.
pub struct Test {
    pub rate: f64,
    stickiness: f64,
    /// The commits at which it is flaky.
    pub flaky: std::ops::Range<usize>,
    /// The commits at which it is broken.
    pub regressions: Vec<std::ops::Range<usize>>,
    sticks: bool,
}

impl Test {
    fn new(rates: Rates, dice: &mut Dice) -> Self {
        let kind = dice.share();
        let turn = COMMITS / 5 + (dice.share() * (3 * COMMITS / 5) as f64) as usize;
        let flaky = match kind {
            k if k < 0.10 => 0..COMMITS,
            k if k < 0.15 => turn..COMMITS,
            k if k < 0.20 => 0..turn,
            _ => 0..0,
        };
        let mut regressions: Vec<std::ops::Range<usize>> = Vec::new();
        let mut commit = 0;
        while commit < COMMITS {
            if dice.chance(BREAKS_PER_COMMIT) {
                let lasts = if dice.chance(0.3) { 1 } else { 1 + (-8.0 * (1.0 - dice.share()).ln()) as usize };
                regressions.push(commit..(commit + lasts).min(COMMITS));
                commit += lasts;
            }
            commit += 1;
        }
        Self { rate: rates.rate(dice), stickiness: rates.stickiness(dice), flaky, regressions, sticks: false }
    }

    pub fn is_flaky_at(&self, commit: usize) -> bool {
        self.flaky.contains(&commit)
    }

    pub fn is_broken_at(&self, commit: usize) -> bool {
        self.regressions.iter().any(|regression| regression.contains(&commit))
    }

    pub fn was_ever_flaky(&self) -> bool {
        !self.flaky.is_empty()
    }

    /// Whether a flake makes it fail this time. Bursts keep the rate: a failure
    /// follows a failure more often, and a pass less.
    pub fn flakes(&mut self, commit: usize, dice: &mut Dice) -> bool {
        if !self.is_flaky_at(commit) {
            return false;
        }
        let again = self.rate + self.stickiness * (1.0 - self.rate);
        let afresh = self.rate * (1.0 - self.stickiness);
        self.sticks = dice.chance(if self.sticks { again } else { afresh });
        self.sticks
    }
}

/// All tests of a project.
pub fn project(rates: Rates, dice: &mut Dice) -> Vec<Test> {
    (0..TESTS).map(|_| Test::new(rates, dice)).collect()
}

/// Whether a run is an incident.
pub fn is_incident(dice: &mut Dice) -> bool {
    dice.chance(INCIDENTS_PER_RUN)
}

/// Whether an incident hits a test.
pub fn is_hit(dice: &mut Dice) -> bool {
    dice.chance(HIT_IN_INCIDENT)
}
