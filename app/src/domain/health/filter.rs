//! The belief about one test on one setup, as an exact Bayes filter.
//!
//! A test has a trait that seldom changes (deterministic, or flaky with some
//! rate), and the code under it is good or bad. The code can turn only where
//! something changed: at a commit, or a little between runs. So results that
//! disagree inside one commit speak for a flake, results that disagree across
//! commits may as well be a regression, and how much each weighs follows from
//! Bayes' rule instead of hand-set points.

use super::parameters::{GRID, Model, RATES, TRAITS, Traits, logistic};

/// No probability falls below this: what has become unthinkable must be able
/// to come back, and zeros would end in 0/0.
const FLOOR: f64 = 1e-30;

/// What may have happened between two results.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    /// How likely a good test broke.
    pub breaks: f64,
    /// How likely a broken test was mended.
    pub mends: f64,
    /// How likely the trait was dealt anew.
    pub redrawn: f64,
}

/// The probability of each trait under good and under bad code; all 26 sum
/// to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(super) good: Traits,
    pub(super) bad: Traits,
}

/// What the filter says; all numbers are probabilities but `phi` and `var_phi`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// That the test is flaky at all.
    pub p_flaky: f64,
    /// That the code under it is broken now.
    pub p_broken: f64,
    /// That it is neither.
    pub p_healthy: f64,
    /// That its next result is a failure, without a new commit.
    pub p_next_fail: f64,
    /// φ, the expected spurious failures per run.
    pub phi: f64,
    /// The variance of φ.
    pub var_phi: f64,
}

/// The failure rate of a test, given that it is flaky.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// The expected rate.
    pub mean: f64,
    /// The rate is below this with 5 % probability.
    pub q05: f64,
    /// The rate is below this with 95 % probability.
    pub q95: f64,
}

impl Filter {
    /// What is believed of a test without results.
    pub fn new(model: &Model) -> Self {
        let broken = model.parameters.prior_broken;
        Self { good: model.prior.map(|p| p * (1.0 - broken)), bad: model.prior.map(|p| p * broken) }
    }

    /// Time passes: the trait may be dealt anew, the code may turn.
    pub(super) fn change(&mut self, model: &Model, change: Change) {
        let Change { breaks, mends, redrawn } = change;
        let kept = 1.0 - redrawn;
        let good_dealt = redrawn * self.good.iter().sum::<f64>();
        let bad_dealt = redrawn * self.bad.iter().sum::<f64>();
        for k in 0..TRAITS {
            let good = kept * self.good[k] + good_dealt * model.prior[k];
            let bad = kept * self.bad[k] + bad_dealt * model.prior[k];
            self.good[k] = good * (1.0 - breaks) + bad * mends;
            self.bad[k] = bad * (1.0 - mends) + good * breaks;
        }
    }

    /// A result is seen; `again` says that it is a retry right after a
    /// failure. Returns how likely this result was thought to be.
    pub(super) fn see(&mut self, model: &Model, failed: bool, again: bool) -> f64 {
        let fails = if again { &model.fails_again } else { &model.fails };
        let stray = model.parameters.stray_pass;
        // `offset + sign · rate` is the rate of a failure or of a pass without
        // a branch in the loop.
        let (offset, sign, bad) = if failed { (0.0, 1.0, 1.0 - stray) } else { (1.0, -1.0, stray) };
        let mut all = 0.0;
        for ((good, broken), rate) in self.good.iter_mut().zip(&mut self.bad).zip(fails) {
            *good *= offset + sign * rate;
            *broken *= bad;
            all += *good + *broken;
        }
        for p in self.good.iter_mut().chain(&mut self.bad) {
            *p = (*p / all).max(FLOOR);
        }
        all
    }

    /// Numbers that were kept, rounded; `None` if they are no probabilities.
    /// They are left as they are, so that what was kept reads the same each
    /// time: the next result brings their sum back to 1.
    pub(super) fn restored(good: Traits, bad: Traits) -> Option<Self> {
        let all: f64 = good.iter().chain(&bad).sum();
        let sane = good.iter().chain(&bad).all(|p| (0.0..=1.0).contains(p)) && (0.999..1.001).contains(&all);
        sane.then(|| Self { good: good.map(|p| p.max(FLOOR)), bad: bad.map(|p| p.max(FLOOR)) })
    }

    /// How likely it is that the test is flaky, and that it is broken: the two
    /// numbers labels are made of.
    pub(super) fn flaky_and_broken(&self) -> (f64, f64) {
        let flaky = self.good[1..].iter().zip(&self.bad[1..]).map(|(g, b)| g + b).sum();
        (flaky, self.bad.iter().sum())
    }

    /// The read-outs, in full.
    pub fn reading(&self, model: &Model) -> Reading {
        let (p_flaky, p_broken) = self.flaky_and_broken();
        let (mut phi, mut square) = (0.0, 0.0);
        for k in 1..TRAITS {
            let weighed = (self.good[k] + self.bad[k]) * model.fails[k];
            phi += weighed;
            square += weighed * model.fails[k];
        }
        let spurious: f64 = self.good.iter().zip(&model.fails).map(|(p, rate)| p * rate).sum();
        Reading {
            p_flaky,
            p_broken,
            p_healthy: self.good[0],
            p_next_fail: spurious + p_broken * (1.0 - model.parameters.stray_pass),
            phi,
            var_phi: (square - phi * phi).max(0.0),
        }
    }

    /// The failure rate if the test is flaky. Quantiles lie between the edges
    /// of a cell in proportion, measured in log-odds.
    pub fn rate(&self, model: &Model) -> Rate {
        let mass: [f64; RATES] = std::array::from_fn(|k| self.good[k + 1] + self.bad[k + 1]);
        let all: f64 = mass.iter().sum();
        let mean = mass.iter().zip(GRID).map(|(m, rate)| m * rate).sum::<f64>() / all;
        let quantile = |share: f64| {
            let mut left = share * all;
            let mut cell = 0;
            while cell + 1 < RATES && left > mass[cell] {
                left -= mass[cell];
                cell += 1;
            }
            let (low, high) = (model.edges[cell], model.edges[cell + 1]);
            logistic(low + (high - low) * (left / mass[cell]).clamp(0.0, 1.0))
        };
        Rate { mean, q05: quantile(0.05), q95: quantile(0.95) }
    }
}
