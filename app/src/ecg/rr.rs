//! How long the next interval is.
//!
//! A healthy heart breathes: its intervals swing with breathing (0.25 Hz) and,
//! slower, with the pressure waves of Mayer (0.1 Hz), at a power ratio of one
//! to two, as in ECGSYN. In fibrillation the atria give no beat at all; an
//! interval is a refractory floor and an exponential tail, as in recordings
//! (Lian and others 2007, Hennig and others 2006).

use super::chance::{Channel, uniform};
use std::f64::consts::{SQRT_2, TAU};

/// Frequency of the slow wave, Hz.
const SLOW: f64 = 0.1;

/// Frequency of breathing, Hz.
const BREATH: f64 = 0.25;

/// Greatest jitter of an interval, as a share.
const JITTER: f64 = 0.005;

/// The longest interval of fibrillation, in mean intervals.
pub const LONGEST: f64 = 2.2;

/// How the intervals of one strip come about.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    seed: u64,
    slow: f64,
    breath: f64,
}

impl Intervals {
    /// The intervals of the strip with this seed.
    pub fn new(seed: u64) -> Self {
        let phase = |channel| TAU * uniform(seed, 0, channel);
        Self { seed, slow: phase(Channel::SlowPhase), breath: phase(Channel::BreathPhase) }
    }

    /// Interval number `index`, begun at `t` seconds, in mean intervals.
    /// `variability` is the root mean square of its swing. Both waves repeat
    /// after 20 s, so `t` may be counted from any multiple of that.
    pub fn sinus(&self, index: u64, t: f64, variability: f64) -> f64 {
        let breath = variability * (4.0_f64 / 3.0).sqrt();
        let slow = breath / SQRT_2;
        1.0 + slow * (TAU * SLOW * t + self.slow).sin()
            + breath * (TAU * BREATH * t + self.breath).sin()
            + JITTER * (2.0 * uniform(self.seed, index, Channel::Jitter) - 1.0)
    }

    /// Interval number `index` in fibrillation, in mean intervals.
    pub fn fibrillation(&self, index: u64) -> f64 {
        let u = uniform(self.seed, index, Channel::Fibrillation);
        (0.45 - 0.55 * (1.0 - u).ln()).min(LONGEST)
    }

    /// Interval number `index` of a fibrillation that must keep within a third
    /// of the mean.
    pub fn mild_fibrillation(&self, index: u64) -> f64 {
        0.7 + 0.6 * uniform(self.seed, index, Channel::Fibrillation)
    }

    /// Whether interval number `index` is one of fibrillation, of which there
    /// is a share of `share`.
    pub fn is_fibrillation(&self, index: u64, share: f64) -> bool {
        uniform(self.seed, index, Channel::IsFibrillation) < share
    }
}
