//! Chance without memory: every random number is a function of the strip's
//! seed, a running number and a channel, so two browsers draw the same picture.

use crate::domain::chance::{GAMMA, share_of, split_mix};

/// Keeps channels apart; an odd constant of xxHash64.
const CHANNEL: u64 = 0xC2B2_AE3D_27D4_EB4F;

/// What a random number is for; each has its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Channel {
    /// Phase of the slow (Mayer) wave of the heart rate.
    SlowPhase = 1,
    /// Phase of breathing.
    BreathPhase = 2,
    /// Small change of each interval.
    Jitter = 3,
    /// Length of an interval in fibrillation.
    Fibrillation = 4,
    /// Whether an interval is one of fibrillation.
    IsFibrillation = 5,
    /// How far the anchors of a strip wander.
    Anchor = 6,
    /// Noise of an artefact, per sample.
    Noise = 7,
    /// Phases of the slow parts of an artefact and of fibrillation waves.
    WavePhase = 8,
}

/// A number in [0, 1) with 53 bits, the same for the same three arguments.
pub const fn uniform(seed: u64, index: u64, channel: Channel) -> f64 {
    uniform_on(seed, index, channel as u64)
}

const fn uniform_on(seed: u64, index: u64, channel: u64) -> f64 {
    let state = seed ^ index.wrapping_mul(GAMMA) ^ channel.wrapping_mul(CHANNEL);
    share_of(split_mix(state))
}

/// The seed of a scope: FNV-1a over its id, mixed once so that ids which
/// differ in their last letter do not give neighbouring seeds.
pub const fn seed_of(scope: &[u8]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut at = 0;
    while at < scope.len() {
        hash = (hash ^ scope[at] as u64).wrapping_mul(0x0100_0000_01B3);
        at += 1;
    }
    split_mix(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_numbers_are_those_of_the_vectors() {
        let vectors = [
            ((42, 1, 1), 0.556_079_048_968_920_1),
            ((42, 1, 2), 0.023_130_608_521_443_885),
            ((42, 1, 3), 0.089_996_506_704_043_47),
            ((7, 0, 5), 0.092_481_213_548_858_41),
            ((1_234_567_890_123, 99, 4), 0.059_151_016_433_806_49),
        ];
        for ((seed, index, channel), expected) in vectors {
            assert_eq!(uniform_on(seed, index, channel), expected);
        }
    }

    #[test]
    fn scopes_that_differ_little_get_seeds_that_differ_much() {
        let (one, two) = (seed_of(b"setup/lab-1"), seed_of(b"setup/lab-2"));
        assert!((one ^ two).count_ones() > 16);
    }
}
