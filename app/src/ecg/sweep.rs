//! The erase bar of a bedside monitor, for many strips at once.
//!
//! All strips of a canvas share one position, so a frame costs one pass of
//! rectangles and one path per look, whatever the number of strips. A frame
//! draws what is new since the last and nothing else. Which samples are drawn
//! depends on their numbers alone: all frame rates leave the same picture.

use super::draw::{Frame, Point, Rect, Scale, baseline};
use super::sample::{RATE, Ring, Sample, time_of};
use crate::domain::time::Timestamp;

/// What is erased before the newest sample, px.
pub const GAP: f32 = 14.0;

/// No sample has a greater number: a clock that is far off must not overflow.
const FAR: i64 = 1 << 60;

/// A sweep over strips of one width.
#[derive(Clone, Debug)]
pub struct Sweep {
    width: f32,
    scale: Scale,
    /// Samples from the left to the right.
    span: i64,
    /// One past the last sample drawn.
    drawn: Option<i64>,
    frame: Frame,
}

impl Sweep {
    /// A sweep over strips of this width in CSS pixels.
    pub fn new(width: f32, scale: Scale) -> Self {
        let width = width.max(1.0);
        let span = (width / scale.px_per_sample()).floor().clamp(1.0, (3_600 * RATE) as f32) as i64;
        Self { width, scale, span, drawn: None, frame: Frame::default() }
    }

    /// How many samples a ring must hold to fill a strip.
    pub fn span(&self) -> usize {
        self.span as usize
    }

    /// What has been drawn is lost; the next frame draws everything.
    pub fn begin_anew(&mut self) {
        self.drawn = None;
    }

    /// Where the newest sample stands, px from the left of each strip.
    pub fn head(&self) -> f32 {
        self.drawn.map_or(0.0, |drawn| self.x(drawn - 1))
    }

    fn x(&self, index: i64) -> f32 {
        index.rem_euclid(self.span) as f32 * self.scale.px_per_sample()
    }

    /// The changes that bring every strip up to, not including, sample `until`.
    /// Time that goes back, or on by more than a strip holds, draws everything.
    pub fn frame<'a>(&mut self, until: i64, strips: impl IntoIterator<Item = (Rect, &'a Ring)>) -> &Frame {
        let until = until.clamp(-FAR, FAR);
        let oldest = until.saturating_sub(self.span - self.gap());
        let drawn = self.drawn.filter(|drawn| (oldest..=until).contains(drawn));
        let from = drawn.unwrap_or(oldest);
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        for (area, ring) in strips {
            match drawn {
                Some(drawn) => self.erase(&area, drawn + self.gap(), until + self.gap(), &mut frame),
                None => frame.erase.push(Rect { width: self.width, ..area }),
            }
            self.draw(&area, ring, from, until, &mut frame);
        }
        frame.finish();
        self.frame = frame;
        self.drawn = Some(until);
        &self.frame
    }

    /// The gap in samples, less than a strip.
    fn gap(&self) -> i64 {
        ((GAP / self.scale.px_per_sample()).ceil() as i64).min(self.span - 1)
    }

    /// Erases where the samples from `from` up to, not including, `to` will stand.
    fn erase(&self, area: &Rect, from: i64, to: i64, frame: &mut Frame) {
        let mut next = from;
        while next < to {
            let wrap = next - next.rem_euclid(self.span) + self.span;
            let end = to.min(wrap);
            let left = self.x(next);
            let right = if end == wrap { self.width } else { self.x(end) };
            frame.erase.push(Rect { x: area.x + left, width: right - left, ..*area });
            next = end;
        }
    }

    fn draw(&self, area: &Rect, ring: &Ring, from: i64, until: i64, frame: &mut Frame) {
        let held = ring.range();
        let mut next = from.max(held.start);
        let until = until.min(held.end);
        while next < until {
            let wrap = next - next.rem_euclid(self.span) + self.span;
            let end = until.min(wrap);
            // The line goes on from the last sample of the frame before, unless
            // it begins at the left.
            let start = if next == wrap - self.span { next } else { next - 1 };
            let samples = (start..end).filter_map(|index| Some((index, ring.get(index)?)));
            frame.trace(samples.map(|(index, sample)| (index, sample, self.point(area, self.x(index), sample))));
            next = end;
        }
    }

    fn point(&self, area: &Rect, x: f32, sample: Sample) -> Point {
        place(area, x, sample, &self.scale)
    }

    /// Which strip, and which moment of it, is drawn at a point.
    pub fn hit(&self, point: Point, strips: impl IntoIterator<Item = Rect>) -> Option<(usize, Timestamp)> {
        let newest = self.drawn?.checked_sub(1)?;
        let areas = strips.into_iter().map(|area| Rect { width: self.width, ..area });
        let (strip, area) = areas.enumerate().find(|(_, area)| area.contains(point))?;
        let column = ((point.x - area.x) / self.scale.px_per_sample()).round() as i64;
        let age = (newest - column).rem_euclid(self.span);
        (age < self.span - self.gap()).then(|| (strip, time_of(newest - age)))
    }
}

fn place(area: &Rect, x: f32, sample: Sample, scale: &Scale) -> Point {
    let y = baseline(area) - f32::from(sample.uv) * 1e-3 * scale.px_per_mv;
    Point { x: area.x + x, y: y.clamp(area.y, area.y + area.height) }
}

/// A strip that does not move: the last samples of the ring, oldest left, for
/// who asked for less motion.
pub fn still(area: &Rect, ring: &Ring, scale: &Scale) -> Frame {
    let held = ring.range();
    let fitting = (area.width / scale.px_per_sample()).floor() as i64;
    let from = held.start.max(held.end.saturating_sub(fitting));
    let mut frame = Frame { erase: vec![*area], ..Frame::default() };
    let samples = (from..held.end).filter_map(|index| Some((index, ring.get(index)?)));
    let x = |index: i64| (index - from) as f32 * scale.px_per_sample();
    frame.trace(samples.map(|(index, sample)| (index, sample, place(area, x(index), sample, scale))));
    frame
}

#[cfg(test)]
#[path = "tests/sweep.rs"]
mod tests;
