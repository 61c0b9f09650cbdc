//! Samples on one fixed grid of 250 Hz, and the ring that keeps the last of
//! them for drawing.

use crate::domain::time::{Micros, Timestamp};

/// Samples per second, the usual rate of a monitor.
pub const RATE: i64 = 250;

/// From one sample to the next.
pub const STEP: Micros = Micros(1_000_000 / RATE);

/// The number of the first sample at or after `at`. Sample 0 is at the epoch of
/// [`Timestamp`], so that all strips and all browsers share one grid.
pub const fn index_at(at: Timestamp) -> i64 {
    let whole = at.0.div_euclid(STEP.0);
    if at.0.rem_euclid(STEP.0) == 0 { whole } else { whole + 1 }
}

/// When sample `index` is.
pub const fn time_of(index: i64) -> Timestamp {
    Timestamp(index.saturating_mul(STEP.0))
}

/// The colour of a trace. What colour that is belongs to the style sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ink {
    /// Nothing to say.
    #[default]
    Plain,
    /// Few results, or a wide interval.
    Uncertain,
    /// A technical fault: no data.
    Technical,
    /// An alarm of medium level.
    Medium,
    /// An alarm of high level.
    High,
}

impl Ink {
    /// Every ink.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Uncertain, Self::Technical, Self::Medium, Self::High];
}

/// How a stretch of a trace is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Look {
    /// Its colour.
    pub ink: Ink,
    /// Drawn as dashes: the line stands for the absence of data.
    pub is_dashed: bool,
    /// Drawn at 45 % brightness: nothing runs.
    pub is_dim: bool,
}

/// One sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Microvolts.
    pub uv: i16,
    /// How it is drawn.
    pub look: Look,
}

/// The last samples of a strip. It holds a run without gaps; what does not
/// follow on its end begins it anew.
#[derive(Clone, Debug)]
pub struct Ring {
    samples: Vec<Sample>,
    /// One past the newest.
    end: i64,
    held: usize,
}

impl Ring {
    /// A ring for `capacity` samples, at least one.
    pub fn new(capacity: usize) -> Self {
        Self { samples: vec![Sample::default(); capacity.max(1)], end: 0, held: 0 }
    }

    fn slot(&self, index: i64) -> usize {
        index.rem_euclid(self.samples.len() as i64) as usize
    }

    /// Takes samples of which the first has the number `from`.
    pub fn push(&mut self, from: i64, samples: &[Sample]) {
        if from != self.end {
            self.held = 0;
        }
        let skip = samples.len().saturating_sub(self.samples.len());
        for (index, sample) in (from.saturating_add(skip as i64)..).zip(&samples[skip..]) {
            let slot = self.slot(index);
            self.samples[slot] = *sample;
        }
        self.end = from.saturating_add(samples.len() as i64);
        self.held = (self.held + samples.len()).min(self.samples.len());
    }

    /// The numbers of the samples held: from the first to one past the last.
    pub fn range(&self) -> std::ops::Range<i64> {
        self.end.saturating_sub(self.held as i64)..self.end
    }

    /// Sample `index`, if it is held.
    pub fn get(&self, index: i64) -> Option<Sample> {
        self.range().contains(&index).then(|| self.samples[self.slot(index)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_numbered_by_the_first_grid_point_not_before() {
        assert_eq!(index_at(Timestamp(0)), 0);
        assert_eq!(index_at(Timestamp(1)), 1);
        assert_eq!(index_at(Timestamp(4_000)), 1);
        assert_eq!(index_at(Timestamp(-1)), 0);
        assert_eq!(time_of(index_at(Timestamp(-4_000))), Timestamp(-4_000));
    }

    #[test]
    fn the_ring_keeps_the_last_and_forgets_at_a_gap() {
        let samples: Vec<Sample> = (0..10).map(|uv| Sample { uv, ..Sample::default() }).collect();
        let mut ring = Ring::new(4);
        ring.push(100, &samples);
        assert_eq!((ring.range(), ring.get(106).map(|s| s.uv), ring.get(105)), (106..110, Some(6), None));
        ring.push(110, &samples[..2]);
        assert_eq!((ring.range(), ring.get(111).map(|s| s.uv)), (108..112, Some(1)));
        ring.push(500, &samples[..1]);
        assert_eq!(ring.range(), 500..501);
    }
}
