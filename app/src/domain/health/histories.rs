//! Random histories for the tests of the detector.

use super::Observation;
use crate::domain::chance::Dice;
use crate::domain::time::Timestamp;

/// A test that is steady, flaky, broken and mended in turn, with retries,
/// repeated runs, silences and now and then an incident.
pub fn eventful(seed: u64, results: usize) -> Vec<Observation> {
    let dice = &mut Dice::new(seed);
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
