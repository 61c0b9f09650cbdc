//! What of a tape is seen, and how closely.

use super::draw::{Point, Rect, Scale, baseline};
use super::sample::{RATE, STEP};
use super::tape::{Finding, Tape};
use super::wave::{self, Form, PLAIN, R_HEIGHT};
use std::ops::Range;

/// From this many pixels per beat on its waveform is drawn.
const WAVES_FROM: f64 = 12.0;

/// From this many pixels per beat on each has a line of its own.
const LINES_FROM: f64 = 3.0;

/// A part of a tape, seen at a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Seconds of paper at the left edge.
    pub start: f64,
    /// Pixels of one second of paper.
    pub px_per_second: f64,
    /// Pixels from the left edge to the right.
    pub width: f64,
}

/// The waveform of one beat, from the end of the one before to the beginning of
/// the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Wave {
    /// Its number on the tape.
    pub beat: usize,
    /// What it says: its colour, and dashes for what is not known.
    pub finding: Finding,
    /// The line.
    pub points: Vec<Point>,
}

/// The R peak of one beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Its number on the tape.
    pub beat: usize,
    /// What it says.
    pub finding: Finding,
    /// The upper end of a line that stands on the baseline.
    pub top: Point,
}

/// The beats that share a column of one pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Their numbers on the tape.
    pub beats: Range<usize>,
    /// The gravest of what they say.
    pub worst: Finding,
    /// How many say that.
    pub worst_count: u32,
    /// From the lowest R peak to the highest, one pixel wide.
    pub span: Rect,
}

/// A gap of more than 30 days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Break {
    /// Where the mark stands, on the baseline.
    pub at: Point,
}

/// What is drawn, by how much room a beat has.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// At least 12 px: waveforms.
    Waves(Vec<Wave>),
    /// 3 to 12 px: R peaks.
    Lines(Vec<Line>),
    /// Less: columns.
    Columns(Vec<Column>),
}

impl View {
    /// The view that holds these beats and no more.
    pub fn of(tape: &Tape, beats: &Range<usize>, width: f64) -> Self {
        let first = tape.place(beats.start).map_or(0.0, |place| place - tape.rr(beats.start) / 2.0);
        let after = tape.place(beats.end).map(|place| place - tape.rr(beats.end) / 2.0);
        let end = after.unwrap_or_else(|| tape.seconds());
        Self { start: first, px_per_second: width / (end - first).max(1e-3), width }
    }

    /// Where a place on the paper is seen.
    pub fn x(&self, seconds: f64) -> f64 {
        (seconds - self.start) * self.px_per_second
    }

    /// The place on the paper that is seen at `x`.
    pub fn seconds(&self, x: f64) -> f64 {
        self.start + x / self.px_per_second
    }

    /// The view `factor` times as close; the place at `x` stays where it is.
    #[must_use]
    pub fn zoomed(self, x: f64, factor: f64) -> Self {
        let px_per_second = (self.px_per_second * factor).clamp(1e-6, 1e4);
        Self { start: self.seconds(x) - x / px_per_second, px_per_second, ..self }
    }

    /// The view moved so that a beat stands in its middle.
    #[must_use]
    pub fn centred(self, tape: &Tape, beat: usize) -> Self {
        let place = tape.place(beat).unwrap_or(self.start);
        Self { start: place - self.width / self.px_per_second / 2.0, ..self }
    }

    /// The view moved so that it shows paper where there is any.
    #[must_use]
    pub fn on(self, tape: &Tape) -> Self {
        let last = (tape.seconds() - self.width / self.px_per_second).max(0.0);
        Self { start: if self.start.is_nan() { 0.0 } else { self.start.clamp(0.0, last) }, ..self }
    }

    /// The beats that are seen.
    pub fn beats(&self, tape: &Tape) -> Range<usize> {
        tape.within(self.start..self.seconds(self.width))
    }

    /// The beat at `x`, if its R peak is within `reach` px.
    pub fn hit(&self, tape: &Tape, x: f64, reach: f64) -> Option<usize> {
        let beat = tape.nearest(self.seconds(x))?;
        (tape.place(beat).is_some_and(|place| (self.x(place) - x).abs() <= reach)).then_some(beat)
    }

    /// What is drawn of the tape in `area`.
    pub fn detail(&self, tape: &Tape, area: &Rect, scale: &Scale) -> Detail {
        let beats = self.beats(tape);
        let px_per_beat = self.width / beats.len().max(1) as f64;
        if px_per_beat >= WAVES_FROM {
            // A beat beyond the edge reaches into the view.
            let seen = beats.start.saturating_sub(1)..(beats.end + 1).min(tape.len());
            Detail::Waves(seen.map(|beat| self.wave(tape, beat, area, scale)).collect())
        } else if px_per_beat >= LINES_FROM {
            Detail::Lines(beats.map(|beat| self.line(tape, beat, area, scale)).collect())
        } else {
            Detail::Columns(self.columns(tape, area, scale))
        }
    }

    /// The break marks in `area`.
    pub fn breaks(&self, tape: &Tape, area: &Rect) -> Vec<Break> {
        let mark = |beat: &usize| {
            let middle = tape.place(*beat)? - tape.rr(*beat) / 2.0;
            Some(Break { at: Point { x: area.x + self.x(middle) as f32, y: baseline(area) } })
        };
        tape.breaks(&self.beats(tape)).iter().filter_map(mark).collect()
    }

    fn line(&self, tape: &Tape, beat: usize, area: &Rect, scale: &Scale) -> Line {
        let x = self.x(tape.place(beat).unwrap_or_default()) as f32;
        let y = (baseline(area) - tape.height(beat) * scale.px_per_mv).max(area.y);
        Line { beat, finding: tape.finding(beat).unwrap_or_default(), top: Point { x: area.x + x, y } }
    }

    fn columns(&self, tape: &Tape, area: &Rect, scale: &Scale) -> Vec<Column> {
        let mut first = tape.within(self.start..self.start).start;
        let mut columns = Vec::new();
        for x in 0..self.width.clamp(0.0, 1e5) as u32 {
            let end = tape.within(self.start..self.seconds(f64::from(x) + 1.0)).end;
            let beats = first..end;
            first = end;
            let Some(block) = tape.block(beats.clone()) else { continue };
            let (low, high) = (block.low * scale.px_per_mv, block.high * scale.px_per_mv);
            let top = (baseline(area) - high).max(area.y);
            let height = (baseline(area) - low - top).max(1.0);
            let span = Rect { x: area.x + x as f32, y: top, width: 1.0, height };
            columns.push(Column { beats, worst: block.worst, worst_count: block.worst_count, span });
        }
        columns
    }

    fn wave(&self, tape: &Tape, beat: usize, area: &Rect, scale: &Scale) -> Wave {
        let finding = tape.finding(beat).unwrap_or_default();
        let place = tape.place(beat).unwrap_or_default();
        let before = lead(tape.rr(beat));
        let until = tape.place(beat + 1).map_or(place + 0.7, |next| next - lead(tape.rr(beat + 1)));
        let first = -((before * 1e6) as i64);
        let mut samples = vec![0.0; (((until - place + before) * RATE as f64).ceil() as usize).saturating_add(1)];
        for neighbour in beat.saturating_sub(1)..(beat + 2).min(tape.len()) {
            draw(
                tape,
                neighbour,
                first + ((place - tape.place(neighbour).unwrap_or(place)) * 1e6) as i64,
                &mut samples,
            );
        }
        let points = samples.iter().enumerate().map(|(n, mv)| {
            let seconds = place + (first + n as i64 * STEP.0) as f64 * 1e-6;
            let y = (baseline(area) - mv * scale.px_per_mv).clamp(area.y, area.y + area.height);
            Point { x: area.x + self.x(seconds.min(until)) as f32, y }
        });
        Wave { beat, finding, points: thinned(points) }
    }
}

/// How long before its R peak a beat begins, s.
fn lead(rr: f64) -> f64 {
    (0.45 * rr).min(0.28)
}

fn draw(tape: &Tape, beat: usize, first: i64, samples: &mut [f32]) {
    let shape = tape.finding(beat).unwrap_or_default().shape();
    let form = Form { height: tape.height(beat) / R_HEIGHT, ..PLAIN };
    wave::draw(shape, shape.shaping_rr(tape.rr(beat)), &form, first, samples);
}

/// Of many points in one column of pixels only the first, the highest, the
/// lowest and the last: the line looks the same.
fn thinned(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    let mut column: Vec<Point> = Vec::new();
    let mut close = |column: &mut Vec<Point>| {
        let by_height = |one: &usize, other: &usize| column[*one].y.total_cmp(&column[*other].y);
        let last = column.len().saturating_sub(1);
        let top = (0..column.len()).min_by(by_height).unwrap_or(0);
        let bottom = (0..column.len()).max_by(by_height).unwrap_or(0);
        let mut picked = [0, top.min(bottom), top.max(bottom), last].map(Some);
        for n in (1..picked.len()).rev() {
            if picked[n] == picked[n - 1] {
                picked[n] = None;
            }
        }
        kept.extend(picked.iter().flatten().filter_map(|n| column.get(*n)));
        column.clear();
    };
    for point in points {
        if column.first().is_some_and(|first| first.x.floor() != point.x.floor()) {
            close(&mut column);
        }
        column.push(point);
    }
    close(&mut column);
    kept
}
