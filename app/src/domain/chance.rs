//! Chance that is the same on every machine.

/// The golden-ratio step of `SplitMix64` (Steele, Lea, Flood 2014).
pub const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The first output of `SplitMix64` started at `state`.
pub const fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(GAMMA);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The 53 bits of a random word that an `f64` holds, as a number in [0, 1).
pub const fn share_of(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// A sequence of random numbers: the whole of `SplitMix64`.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform over all words.
    pub const fn roll(&mut self) -> u64 {
        let word = split_mix(self.0);
        self.0 = self.0.wrapping_add(GAMMA);
        word
    }

    /// Uniform in [0, 1).
    pub const fn share(&mut self) -> f64 {
        share_of(self.roll())
    }

    /// True with probability `p`.
    pub const fn chance(&mut self, p: f64) -> bool {
        self.share() < p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_is_the_published_one() {
        assert_eq!(split_mix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(split_mix(1), 0x910A_2DEC_8902_5CC1);
        assert_eq!(split_mix(2), 0x9758_35DE_1C97_56CE);
        let mut dice = Dice::new(0);
        assert_eq!([dice.roll(), dice.roll()], [0xE220_A839_7B1D_CDAF, split_mix(GAMMA)]);
    }
}
