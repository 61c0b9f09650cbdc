//! Whether a test has become more flaky of late.
//!
//! Flaky events are counted twice, once with a short memory and once with a
//! long one; the two rates are compared as two Poisson rates with half an
//! event added to each, so that "none so far" is not taken for "never".

use serde::{Deserialize, Serialize};

/// What the short memory keeps from result to result: half in 200 of them.
const FAST_KEPT: f64 = 0.9965402628278678; // 2^(-1/200)

/// What the long memory keeps: half in 5,000 results.
const SLOW_KEPT: f64 = 0.9998613801725043; // 2^(-1/5000)

/// So sure one must be of a change either way.
const SURE: f64 = 0.95;

/// Events among results; both may have been decayed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Events {
    /// Flaky events.
    pub events: f64,
    /// Results they were counted among.
    pub results: f64,
}

/// Two rates of flaky events against each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The first rate, per result.
    pub rate: f64,
    /// The rate it is held against.
    pub other: f64,
    /// Their difference in standard deviations.
    pub z: f64,
    /// How likely the first is the higher one.
    pub p_worse: f64,
}

/// Which way a test is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// More flaky than it used to be.
    Worsening,
    /// As it was, as far as one can tell.
    Steady,
    /// Less flaky than it used to be.
    Improving,
}

impl Events {
    /// This rate against another: z = (m - m')/√((k+½)/n² + (k'+½)/n'²) with
    /// m = (k+½)/n, and the normal distribution's Φ(z). `None` where either
    /// has no results. The same comparison tells a setup from the others.
    pub fn against(self, other: Events) -> Option<Comparison> {
        if !(self.results > 0.0 && other.results > 0.0) {
            return None;
        }
        let (k, l) = (self.events.max(0.0) + 0.5, other.events.max(0.0) + 0.5);
        let (n, m) = (self.results, other.results);
        let z = (k / n - l / m) / (k / (n * n) + l / (m * m)).sqrt();
        Some(Comparison { rate: k / n, other: l / m, z, p_worse: normal(z) })
    }
}

impl Comparison {
    /// Worsening: surely higher, and at least twice as high. Improving: surely
    /// lower.
    pub fn trend(&self) -> Trend {
        if self.p_worse >= SURE && self.rate >= 2.0 * self.other {
            Trend::Worsening
        } else if self.p_worse <= 1.0 - SURE {
            Trend::Improving
        } else {
            Trend::Steady
        }
    }
}

/// Flaky events under a short and a long memory. The results they are counted
/// among follow from the number of all results, so they are not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Memory {
    pub fast: f64,
    pub slow: f64,
}

impl Memory {
    /// Another result came in; whether it was a flaky event.
    pub fn count(&mut self, is_event: bool) {
        let event = f64::from(u8::from(is_event));
        self.fast = self.fast * FAST_KEPT + event;
        self.slow = self.slow * SLOW_KEPT + event;
    }

    /// The two rates after `results` results in all.
    pub fn events(&self, results: u32) -> (Events, Events) {
        let among = |kept: f64| -(f64::from(results) * kept.ln()).exp_m1() / (1.0 - kept);
        (
            Events { events: self.fast, results: among(FAST_KEPT) },
            Events { events: self.slow, results: among(SLOW_KEPT) },
        )
    }
}

/// The normal distribution function, by Marsaglia's series ("Evaluating the
/// normal distribution", 2004); good to 1e-15.
fn normal(z: f64) -> f64 {
    const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_8;
    // Beyond this the series would cancel, and the answer is 0 or 1 anyway.
    if z.abs() > 7.0 {
        return f64::from(u8::from(z > 0.0));
    }
    let square = z * z;
    let (mut sum, mut term, mut last, mut i) = (z, z, 0.0, 1.0);
    while sum != last {
        last = sum;
        i += 2.0;
        term *= square / i;
        sum += term;
    }
    0.5 + sum * (-0.5 * square - LN_SQRT_TWO_PI).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_at_known_points() {
        for (z, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.959_963_984_540_054, 0.025),
            (4.0, 0.999_968_328_758_166_9),
            (9.0, 1.0),
            (-9.0, 0.0),
        ] {
            assert!((normal(z) - p).abs() < 1e-14, "{z}: {}", normal(z));
        }
    }

    #[test]
    fn counts_decay_by_half_in_a_half_life() {
        let mut memory = Memory::default();
        memory.count(true);
        for _ in 0..200 {
            memory.count(false);
        }
        assert!((memory.fast - 0.5).abs() < 1e-12);
        let (fast, slow) = memory.events(201);
        let expected: f64 = (0..201).map(|i| 0.5_f64.powf(f64::from(i) / 200.0)).sum();
        assert!((fast.results - expected).abs() < 1e-9);
        assert!(slow.results > 198.0 && slow.results < 201.0);
        assert!((SLOW_KEPT.powi(5_000) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_said_about_nothing_and_twice_is_needed_to_worsen() {
        assert_eq!(Events::default().against(Events { events: 0.0, results: 10.0 }), None);
        let many = |events| Events { events, results: 100_000.0 };
        let slightly = many(1_200.0).against(many(1_000.0)).expect("both have results");
        assert!(slightly.p_worse > 0.99);
        assert_eq!(slightly.trend(), Trend::Steady);
        assert_eq!(many(2_100.0).against(many(1_000.0)).map(|c| c.trend()), Some(Trend::Worsening));
        assert_eq!(many(900.0).against(many(1_000.0)).map(|c| c.trend()), Some(Trend::Improving));
    }
}
