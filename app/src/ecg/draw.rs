//! Lines to draw, without anything that could draw them.

use super::sample::{Look, RATE, Sample};

/// A point in CSS pixels, from the upper left corner of the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A rectangle in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Its left side.
    pub x: f32,
    /// Its upper side.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Rect {
    /// Whether a point lies in it.
    pub fn contains(&self, point: Point) -> bool {
        (self.x..self.x + self.width).contains(&point.x) && (self.y..self.y + self.height).contains(&point.y)
    }
}

/// How time and voltage become pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Pixels of one second.
    pub px_per_second: f32,
    /// Pixels of one millivolt.
    pub px_per_mv: f32,
}

/// Millimetres of paper per second, on every ECG.
pub const MM_PER_SECOND: f32 = 25.0;

/// Millimetres of paper per millivolt.
pub const MM_PER_MV: f32 = 10.0;

/// What a strip must have room for above its baseline, mV.
const ABOVE: f32 = 1.5;

/// What a strip must have room for below its baseline, mV.
const BELOW: f32 = 0.8;

impl Scale {
    /// The scale of paper of which one millimetre has so many pixels.
    pub fn paper(px_per_mm: f32) -> Self {
        Self { px_per_second: MM_PER_SECOND * px_per_mm, px_per_mv: MM_PER_MV * px_per_mm }
    }

    /// Paper, flattened where a strip of this height could not hold a beat.
    pub fn fitting(px_per_mm: f32, height: f32) -> Self {
        let paper = Self::paper(px_per_mm);
        Self { px_per_mv: paper.px_per_mv.min(height / (ABOVE + BELOW)), ..paper }
    }

    /// Pixels from one sample to the next.
    pub fn px_per_sample(&self) -> f32 {
        self.px_per_second / RATE as f32
    }

    /// Sides of a small square of the grid (40 ms by 0.1 mV); a large one is
    /// five times that.
    pub fn small_square(&self) -> (f32, f32) {
        (self.px_per_second / MM_PER_SECOND, self.px_per_mv / MM_PER_MV)
    }
}

/// The baseline of a strip that fills `area`: the share above it is what beats
/// need above it.
pub fn baseline(area: &Rect) -> f32 {
    area.y + area.height * ABOVE / (ABOVE + BELOW)
}

/// The calibration pulse at the beginning of a strip: 1 mV for 200 ms.
pub fn calibration(x: f32, baseline: f32, scale: &Scale) -> [Point; 4] {
    let (right, top) = (x + 0.2 * scale.px_per_second, baseline - scale.px_per_mv);
    [(x, baseline), (x, top), (right, top), (right, baseline)].map(|(x, y)| Point { x, y })
}

/// One pass over a path: a glow is a wide faint stroke under a thin one, since
/// blurred shadows cost ten times as much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// CSS pixels.
    pub width: f32,
    /// 0 to 1.
    pub opacity: f32,
}

/// The strokes of each path, in their order.
pub const STROKES: [Stroke; 2] = [Stroke { width: 5.0, opacity: 0.18 }, Stroke { width: 1.5, opacity: 1.0 }];

/// All lines of one look: one path on the canvas, stroked once per layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// How they are drawn.
    pub look: Look,
    points: Vec<Point>,
    starts: Vec<usize>,
}

impl Path {
    /// Its lines: move to the first point of each, go on to the others.
    pub fn lines(&self) -> impl Iterator<Item = &[Point]> {
        let ends = self.starts.iter().skip(1).copied().chain([self.points.len()]);
        self.starts.iter().zip(ends).map(|(start, end)| &self.points[*start..end])
    }
}

/// What changes on the canvas: erase, then draw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Rectangles to fill with the background.
    pub erase: Vec<Rect>,
    /// Paths to stroke, none of them empty.
    pub paths: Vec<Path>,
}

/// Dashes repeat after this many samples (160 ms).
const DASH_EVERY: i64 = 40;

/// A dash is this many samples long (100 ms).
const DASH: i64 = 25;

impl Look {
    /// Whether the pen is down at a sample. Dashes belong to time, not to a
    /// path: they must not depend on how often a frame is drawn.
    fn is_down(self, index: i64) -> bool {
        !self.is_dashed || index.rem_euclid(DASH_EVERY) < DASH
    }
}

impl Frame {
    /// Makes it empty and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.erase.clear();
        for path in &mut self.paths {
            path.points.clear();
            path.starts.clear();
        }
    }

    /// Drops the paths that nothing was drawn with.
    pub(super) fn finish(&mut self) {
        self.paths.retain(|path| !path.points.is_empty());
    }

    fn path(&mut self, look: Look) -> &mut Path {
        let found = self.paths.iter().position(|path| path.look == look);
        let index = found.unwrap_or_else(|| {
            self.paths.push(Path { look, ..Path::default() });
            self.paths.len() - 1
        });
        &mut self.paths[index]
    }

    /// Adds a line through samples that follow each other. The first only leads
    /// in: it was drawn before, or is where the line begins.
    pub(super) fn trace(&mut self, samples: impl Iterator<Item = (i64, Sample, Point)>) {
        let mut before: Option<Point> = None;
        let mut drawing: Option<Look> = None;
        for (index, sample, point) in samples {
            let is_down = sample.look.is_down(index);
            if let Some(last) = before.filter(|_| is_down) {
                let path = self.path(sample.look);
                if drawing != Some(sample.look) {
                    path.starts.push(path.points.len());
                    path.points.push(last);
                }
                path.points.push(point);
            }
            drawing = is_down.then_some(sample.look).filter(|_| before.is_some());
            before = Some(point);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_is_25_mm_a_second_and_10_mm_a_millivolt() {
        let scale = Scale::paper(4.0);
        assert_eq!((scale.px_per_second, scale.px_per_mv, scale.small_square()), (100.0, 40.0, (4.0, 4.0)));
        let [foot, shoulder, _, end] = calibration(10.0, 50.0, &scale);
        assert_eq!((foot.y - shoulder.y, end.x - foot.x), (40.0, 20.0));
    }

    #[test]
    fn a_low_strip_is_flattened_and_still_holds_every_beat() {
        let area = Rect { x: 0.0, y: 7.0, width: 300.0, height: 23.0 };
        let scale = Scale::fitting(4.0, area.height);
        assert_eq!((scale.px_per_second, scale.px_per_mv), (100.0, 10.0));
        assert!((baseline(&area) - 22.0).abs() < 1e-4);
    }
}
