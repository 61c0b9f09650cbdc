//! Finished tests per minute, smoothed.

use crate::domain::time::{Micros, Timestamp};
use serde::{Deserialize, Serialize};

/// After this time without a test the rate has halved.
pub const HALF_LIFE: Micros = Micros::from_secs(20);

/// Finished tests per minute: each test adds to a level that fades with
/// [`HALF_LIFE`]. At a steady rate the level is that rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    level: f64,
    at: Timestamp,
}

impl Throughput {
    fn fading(&self, now: Timestamp) -> f64 {
        (-(now.since(self.at).0.max(0) as f64) / HALF_LIFE.0 as f64).exp2()
    }

    /// Tests per minute at `now`.
    pub fn per_minute(&self, now: Timestamp) -> f64 {
        self.level * self.fading(now)
    }

    /// `count` tests finished at `at`. A time before the last one counts as that.
    pub fn finished(&mut self, count: u32, at: Timestamp) {
        let per_second = std::f64::consts::LN_2 * 1e6 / HALF_LIFE.0 as f64;
        self.level = self.per_minute(at) + f64::from(count) * 60.0 * per_second;
        self.at = self.at.max(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_its_own_level_and_fades_by_half() {
        let mut throughput = Throughput::default();
        for second in 0..600 {
            throughput.finished(2, Timestamp(second * 1_000_000));
        }
        let now = Timestamp(599_500_000);
        assert!((throughput.per_minute(now) - 120.0).abs() < 1.0, "{}", throughput.per_minute(now));
        let ratio = throughput.per_minute(now + HALF_LIFE) / throughput.per_minute(now);
        assert!((ratio - 0.5).abs() < 1e-12);
    }

    #[test]
    fn clocks_that_jump_do_no_harm() {
        let mut throughput = Throughput::default();
        for at in [i64::MAX, i64::MIN, 0] {
            throughput.finished(1, Timestamp(at));
            assert!(throughput.per_minute(Timestamp(-at.saturating_add(1))).is_finite());
        }
    }
}
