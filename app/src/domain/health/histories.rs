//! Random histories for the tests of the detector.

use super::Observation;
use crate::domain::time::Timestamp;

/// `SplitMix64`: the same histories on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn chance(&mut self, p: f64) -> bool {
        self.share() < p
    }
}

/// A test that is steady, flaky, broken and mended in turn, with retries,
/// repeated runs, silences and now and then an incident.
pub fn eventful(seed: u64, results: usize) -> Vec<Observation> {
    let dice = &mut Dice(seed);
    let (mut rate, mut commit, mut run, mut at) = (0.0, 0, 0, 1_700_000_000_000_000);
    let mut last_failed = false;
    (0..results)
        .map(|_| {
            if dice.chance(0.01) {
                let rates = [0.0, 0.0, 0.002, 0.02, 0.1, 0.4, 0.9, 1.0];
                rate = rates[(dice.roll() % 8) as usize];
            }
            if !last_failed || dice.chance(0.5) {
                run += 1;
                commit += u64::from(dice.chance(0.7));
            }
            at += (dice.share() * 8e10) as i64;
            if dice.chance(0.001) {
                at += 86_400_000_000 * 200;
            }
            let incident = dice.chance(0.003);
            last_failed = dice.chance(rate) || incident;
            let known = !dice.chance(0.05);
            Observation { failed: last_failed, commit: known.then_some(commit), run, at: Timestamp(at), incident }
        })
        .collect()
}
