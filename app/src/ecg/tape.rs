//! A tape: one beat per thing that happened, the oldest left, as a Holter
//! recorder writes it. It is laid out once and then only looked at.
//!
//! Made for 100 000 beats: places are sums, so what is visible is found by
//! bisection; a pyramid of blocks answers what a stretch of any length held.
//! What is drawn of it follows from the scale, see [`View`] and [`Detail`].

pub use super::tape_view::{Break, Column, Detail, Line, View, Wave};

use super::wave::{R_HEIGHT, Shape};
use crate::domain::time::{Micros, Timestamp};
use std::ops::Range;

/// What a beat of a tape says, from harmless to grave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finding {
    /// Passed.
    #[default]
    Passed,
    /// Not known: P alone, on a dashed line.
    Unknown,
    /// The first pass after a failure: an escape beat.
    Recovered,
    /// Flaky: an ectopic beat.
    Flaky,
    /// Failed: a dropped beat.
    Failed,
}

impl Finding {
    /// The kind of beat that says it.
    pub const fn shape(self) -> Shape {
        match self {
            Self::Passed => Shape::Sinus,
            Self::Recovered => Shape::Escape,
            Self::Flaky => Shape::Ventricular,
            Self::Unknown | Self::Failed => Shape::Dropped,
        }
    }

    /// Whether a reader who looks for trouble stops here.
    pub const fn is_arrhythmia(self) -> bool {
        matches!(self, Self::Flaky | Self::Failed)
    }

    /// A failure turns the pass that follows it into a recovery; what is not
    /// known does not come between.
    pub(super) fn after(self, has_failed: &mut bool) -> Self {
        let found = if self == Self::Passed && *has_failed { Self::Recovered } else { self };
        if self != Self::Unknown {
            *has_failed = self == Self::Failed;
        }
        found
    }
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub finding: Finding,
    /// How much it was, in lines or tests: the height of its R peak.
    pub size: Option<u32>,
    /// Whether it has a name of its own, as a release has.
    pub is_tagged: bool,
}

/// A longer gap gets a break mark instead of paper.
const BREAK: Micros = Micros::from_secs(30 * 86_400);

/// Seconds of paper before the first beat and after the last.
const MARGIN: f64 = 0.6;

/// From one beat to the next while a tape is played, at least: 150 a minute.
pub const PLAY_EVERY: Micros = Micros::from_millis(400);

/// Seconds of paper between two beats that are `gap` apart: each tenfold of
/// minutes is worth a quarter of a second.
pub fn interval(gap: Micros) -> f64 {
    let minutes = gap.0.max(0) as f64 / 60e6;
    (0.35 + 0.25 * (1.0 + minutes).log10()).clamp(0.35, 2.0)
}

/// Height of the R peak in mV for a size.
pub fn height(size: Option<u32>) -> f32 {
    size.map_or(R_HEIGHT, |size| (0.6 + 0.2 * (1.0 + f64::from(size)).log10()).clamp(0.6, 1.6) as f32)
}

/// What a stretch of beats held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// The gravest finding.
    pub worst: Finding,
    /// How many beats had it.
    pub worst_count: u32,
    /// The lowest R peak, mV.
    pub low: f32,
    /// The highest R peak, mV.
    pub high: f32,
}

impl Block {
    fn with(self, other: Self) -> Self {
        let worst = self.worst.max(other.worst);
        let count = |block: Self| if block.worst == worst { block.worst_count } else { 0 };
        let worst_count = count(self) + count(other);
        Self { worst, worst_count, low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// A tape.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// Seconds of paper up to each R peak.
    places: Vec<f64>,
    findings: Vec<Finding>,
    heights: Vec<f32>,
    /// Beats that come after a gap with a break mark.
    breaks: Vec<usize>,
    tags: Vec<usize>,
    arrhythmias: Vec<usize>,
    /// Blocks of 2, 4, 8 … beats.
    pyramid: Vec<Vec<Block>>,
}

impl Tape {
    /// The tape of these entries, in their order. Times that go back count as
    /// no time at all.
    pub fn new(entries: &[Entry]) -> Self {
        let mut tape = Self::default();
        let mut place = MARGIN;
        let mut before: Option<Timestamp> = None;
        for (index, entry) in entries.iter().enumerate() {
            if let Some(before) = before {
                let gap = entry.at.since(before);
                place += interval(gap);
                if gap > BREAK {
                    tape.breaks.push(index);
                }
            }
            before = Some(entry.at);
            tape.places.push(place);
            tape.findings.push(entry.finding);
            tape.heights.push(height(entry.size));
            if entry.is_tagged {
                tape.tags.push(index);
            }
            if entry.finding.is_arrhythmia() {
                tape.arrhythmias.push(index);
            }
        }
        tape.build_pyramid();
        tape
    }

    fn build_pyramid(&mut self) {
        let mut level: Vec<Block> = (0..self.len()).map(|index| self.leaf(index)).collect();
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| pair[1..].iter().fold(pair[0], |a, b| a.with(*b))).collect();
            self.pyramid.push(level.clone());
        }
    }

    fn leaf(&self, index: usize) -> Block {
        let height = self.heights[index];
        Block { worst: self.findings[index], worst_count: 1, low: height, high: height }
    }

    /// How many beats it has.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Its length in seconds of paper.
    pub fn seconds(&self) -> f64 {
        self.places.last().map_or(0.0, |last| last + MARGIN)
    }

    /// Where the R peak of a beat stands, in seconds of paper.
    pub fn place(&self, index: usize) -> Option<f64> {
        self.places.get(index).copied()
    }

    /// What a beat says.
    pub fn finding(&self, index: usize) -> Option<Finding> {
        self.findings.get(index).copied()
    }

    /// The R peak of a beat, mV.
    pub(super) fn height(&self, index: usize) -> f32 {
        self.heights.get(index).copied().unwrap_or(R_HEIGHT)
    }

    /// The interval before a beat; before the first, the one after it.
    pub(super) fn rr(&self, index: usize) -> f64 {
        let second = index.max(1);
        match (self.place(second - 1), self.place(second)) {
            (Some(before), Some(at)) => at - before,
            _ => 1.0,
        }
    }

    /// The beats whose R peaks stand in a stretch of paper.
    pub fn within(&self, seconds: Range<f64>) -> Range<usize> {
        let first = self.places.partition_point(|place| *place < seconds.start);
        let end = self.places.partition_point(|place| *place < seconds.end);
        first..end.max(first)
    }

    /// The beat nearest to a place on the paper.
    pub fn nearest(&self, seconds: f64) -> Option<usize> {
        let after = self.places.partition_point(|place| *place < seconds);
        let distance = |index: &usize| (self.places[*index] - seconds).abs();
        let around = after.saturating_sub(1)..(after + 1).min(self.len());
        around.min_by(|one, other| distance(one).total_cmp(&distance(other)))
    }

    /// What a stretch of beats held.
    pub fn block(&self, beats: Range<usize>) -> Option<Block> {
        let (mut first, mut end) = (beats.start, beats.end.min(self.len()));
        let mut found: Option<Block> = None;
        let mut take = |block: Block| found = Some(found.map_or(block, |found| found.with(block)));
        let mut level = 0;
        while first < end {
            if first % 2 == 1 {
                take(self.at_level(level, first));
                first += 1;
            }
            if end % 2 == 1 && first < end {
                end -= 1;
                take(self.at_level(level, end));
            }
            (first, end, level) = (first / 2, end / 2, level + 1);
        }
        found
    }

    fn at_level(&self, level: usize, index: usize) -> Block {
        level.checked_sub(1).map_or_else(|| self.leaf(index), |level| self.pyramid[level][index])
    }

    /// The first ectopic or dropped beat after this one.
    pub fn next_arrhythmia(&self, index: usize) -> Option<usize> {
        self.arrhythmias.get(self.arrhythmias.partition_point(|other| *other <= index)).copied()
    }

    /// The last ectopic or dropped beat before this one.
    pub fn previous_arrhythmia(&self, index: usize) -> Option<usize> {
        let before = self.arrhythmias.partition_point(|other| *other < index).checked_sub(1)?;
        self.arrhythmias.get(before).copied()
    }

    /// The tagged beats among these.
    pub fn tags(&self, beats: &Range<usize>) -> &[usize] {
        among(&self.tags, beats)
    }

    /// Those of these beats that come after a gap with a break mark.
    pub(super) fn breaks(&self, beats: &Range<usize>) -> &[usize] {
        among(&self.breaks, beats)
    }

    /// Rows of a page that shows everything, `per_row` beats in each.
    pub fn rows(&self, per_row: usize) -> impl Iterator<Item = Range<usize>> {
        let (count, per_row) = (self.len(), per_row.max(1));
        (0..count).step_by(per_row).map(move |first| first..(first + per_row).min(count))
    }
}

fn among<'a>(sorted: &'a [usize], beats: &Range<usize>) -> &'a [usize] {
    let first = sorted.partition_point(|index| *index < beats.start);
    let end = sorted.partition_point(|index| *index < beats.end).max(first);
    &sorted[first..end]
}

#[cfg(test)]
#[path = "tests/tape.rs"]
mod tests;
