//! Chance without a state: every number is a function of the seed, an index
//! and a channel, so that a stream can be begun anywhere and nothing that is
//! drawn in one place changes what is drawn in another.

/// What a number is drawn for. Two channels never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Halves of an event's id.
    IdHigh,
    /// See [`Channel::IdHigh`].
    IdLow,
    /// Digits of a commit.
    Commit,
    /// The usual duration of a test.
    Base,
    /// The duration of one attempt.
    Duration,
    /// The pace of a setup.
    Pace,
    /// Whether a test is prone to something.
    Prone,
    /// Whether it happens this time.
    Happens,
    /// Which of several.
    Which,
    /// How much.
    Amount,
    /// Where in a run.
    Place,
    /// The pause between two runs.
    Pause,
    /// Whether an incident reaches a setup.
    Incident,
    /// Which tests a commit breaks.
    Breaks,
    /// Repeated deliveries.
    Repeat,
    /// Late deliveries.
    Late,
    /// Texts.
    Text,
    /// Branch and trigger.
    Branch,
}

/// A source of numbers (`SplitMix64` over the seed, the index and the channel).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    /// The source for a seed.
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed.wrapping_add(GOLDEN)))
    }

    /// A source of its own for a part of the world.
    pub const fn fork(self, part: u64) -> Self {
        Self(mix(self.0 ^ mix(part.wrapping_mul(GOLDEN).wrapping_add(1))))
    }

    /// 64 bits.
    pub const fn bits(self, index: u64, channel: Channel) -> u64 {
        let stream = mix(self.0.wrapping_add((channel as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03)));
        mix(stream.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// A number from 0 up to but not including 1.
    pub fn unit(self, index: u64, channel: Channel) -> f64 {
        (self.bits(index, channel) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub fn hits(self, index: u64, channel: Channel, probability: f64) -> bool {
        self.unit(index, channel) < probability
    }

    /// A number from `low` to `high`.
    pub fn between(self, index: u64, channel: Channel, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit(index, channel)
    }

    /// A whole number from 0 up to but not including `end`; 0 where `end` is 0.
    pub fn below(self, index: u64, channel: Channel, end: usize) -> usize {
        let end = end as u64;
        if end == 0 { 0 } else { (self.bits(index, channel) % end) as usize }
    }

    /// One of several; the default where there are none.
    pub fn pick<T: Copy + Default>(self, index: u64, channel: Channel, of: &[T]) -> T {
        of.get(self.below(index, channel, of.len())).copied().unwrap_or_default()
    }

    /// About normal, mean 0 and deviation 1, never beyond ±3.5: the sum of
    /// twelve draws is plenty for durations and needs no transcendental.
    pub fn normal(self, index: u64, channel: Channel) -> f64 {
        let deep = self.fork(index);
        let sum: f64 = (0..12).map(|draw| deep.unit(draw, channel)).sum();
        (sum - 6.0).clamp(-3.5, 3.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_indices_and_seeds_do_not_share_numbers() {
        let chance = Chance::new(1);
        let all = [
            chance.bits(0, Channel::Base),
            chance.bits(1, Channel::Base),
            chance.bits(0, Channel::Duration),
            chance.fork(0).bits(0, Channel::Base),
            chance.fork(1).bits(0, Channel::Base),
            Chance::new(2).bits(0, Channel::Base),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one));
        }
    }

    #[test]
    fn draws_are_spread_evenly() {
        let chance = Chance::new(7);
        let mean = (0..10_000).map(|at| chance.unit(at, Channel::Place)).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        let hits = (0..10_000).filter(|at| chance.hits(*at, Channel::Late, 0.1)).count();
        assert!((800..1_200).contains(&hits), "{hits}");
    }
}
