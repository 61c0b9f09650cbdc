//! The shape of one beat, in closed form.
//!
//! ECGSYN (`McSharry` and others 2003) integrates three differential equations.
//! With a slow baseline their solution is a sum of Gaussian bells, which needs
//! no integration and can be asked for any moment. Each bell has a height in
//! mV, a centre in seconds from the R peak and a width (one standard
//! deviation) in seconds, given for an RR interval of one second. With RR the
//! centres of P and T move as RR^¾; those of Q, R, S and all widths as RR^½.
//!
//! [`value`] is the definition. [`draw`] is the same from tables of 512 steps,
//! fifteen times as fast and within 0.1 µV.

use super::sample::STEP;
use std::sync::LazyLock;

/// The kinds of beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// An ordinary beat: P, QRS, T.
    Sinus,
    /// An ectopic beat of the ventricles: early, wide, without P, T opposite.
    Ventricular,
    /// A slow, wide beat that comes after a standstill.
    Escape,
    /// A beat that was not conducted: P alone.
    Dropped,
}

/// What changes the look of a beat besides its shape and RR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// Share of the height of P that is left, 0 to 1.
    pub p: f32,
    /// Elevation of the ST segment in mV.
    pub st: f32,
    /// How far T is turned: 0 upright, 0.5 flat, 1 upside down.
    pub inversion: f32,
    /// Height of the whole beat, as a share of a healthy one's.
    pub height: f32,
}

/// Height of the R peak of a healthy beat, mV.
pub const R_HEIGHT: f32 = 1.1;

/// The look of a healthy beat.
pub const PLAIN: Form = Form { p: 1.0, st: 0.0, inversion: 0.0, height: 1.0 };

/// No beat reaches further before its R peak, in µs.
pub const BEFORE: i64 = 330_000;

/// No beat reaches further after its R peak, in µs.
pub const AFTER: i64 = 700_000;

/// The RR interval of every ectopic beat's shape, in seconds.
const VENTRICULAR_RR: f64 = 0.8;

/// The RR interval of every escape beat's shape, in seconds.
const ESCAPE_RR: f64 = 1.0;

#[derive(Clone, Copy, PartialEq)]
enum Part {
    P,
    Qrs,
    T,
}

struct Bell {
    part: Part,
    height: f64,
    centre: f64,
    width: f64,
}

const fn bell(part: Part, height: f64, centre: f64, width: f64) -> Bell {
    Bell { part, height, centre, width }
}

const P: Bell = bell(Part::P, 0.14, -0.165, 0.023);
const SINUS: [Bell; 6] = [
    P,
    bell(Part::Qrs, -0.09, -0.029, 0.0085),
    bell(Part::Qrs, 1.10, 0.0, 0.0105),
    bell(Part::Qrs, -0.24, 0.029, 0.0095),
    bell(Part::T, 0.27, 0.270, 0.050),
    bell(Part::T, 0.09, 0.315, 0.032),
];
const VENTRICULAR: [Bell; 3] =
    [bell(Part::Qrs, 1.35, 0.010, 0.034), bell(Part::Qrs, -0.62, 0.088, 0.036), bell(Part::T, -0.42, 0.275, 0.058)];
const ESCAPE: [Bell; 3] =
    [bell(Part::Qrs, 0.75, 0.010, 0.040), bell(Part::Qrs, -0.25, 0.095, 0.035), bell(Part::T, -0.22, 0.300, 0.065)];
const DROPPED: [Bell; 1] = [P];

impl Shape {
    const fn bells(self) -> &'static [Bell] {
        match self {
            Self::Sinus => &SINUS,
            Self::Ventricular => &VENTRICULAR,
            Self::Escape => &ESCAPE,
            Self::Dropped => &DROPPED,
        }
    }

    /// The RR interval that shapes a beat after an interval of `rr` seconds:
    /// QT follows the preceding interval within physiological bounds, beats of
    /// the ventricles have their own.
    pub const fn shaping_rr(self, rr: f64) -> f64 {
        match self {
            Self::Sinus | Self::Dropped => rr.clamp(0.45, 1.2),
            Self::Ventricular => VENTRICULAR_RR,
            Self::Escape => ESCAPE_RR,
        }
    }
}

/// A bell placed for one RR interval and one form.
struct Placed {
    height: f64,
    centre: f64,
    width: f64,
}

impl Bell {
    fn place(&self, rr: f64, form: &Form) -> Placed {
        let root = rr.sqrt();
        let (stretch, share) = match self.part {
            Part::P => (root * root.sqrt(), f64::from(form.p)),
            Part::Qrs => (root, 1.0),
            Part::T => (root * root.sqrt(), 1.0 - 2.0 * f64::from(form.inversion)),
        };
        let height = self.height * share * f64::from(form.height);
        Placed { height, centre: self.centre * stretch, width: self.width * root }
    }
}

/// Where the ST segment begins and ends, and how softly: s after R.
struct Segment {
    from: f64,
    to: f64,
}

const RISE: f64 = 0.010;
const FALL: f64 = 0.030;

impl Segment {
    fn of(rr: f64) -> Self {
        let root = rr.sqrt();
        Self { from: 0.045 * root, to: 0.25 * root * root.sqrt() }
    }
}

/// The voltage in mV of a beat `tau` seconds after its R peak, for an RR of
/// `rr` seconds.
pub fn value(shape: Shape, tau: f64, rr: f64, form: &Form) -> f64 {
    let bells = shape.bells().iter().map(|bell| {
        let placed = bell.place(rr, form);
        let x = (tau - placed.centre) / placed.width;
        placed.height * (-0.5 * x * x).exp()
    });
    let sum: f64 = bells.sum();
    if shape != Shape::Sinus || form.st <= 0.0 {
        return sum;
    }
    let st = Segment::of(rr);
    let (rise, fall) = ((-(tau - st.from) / RISE).exp(), ((tau - st.to) / FALL).exp());
    sum + f64::from(form.st) / ((1.0 + rise) * (1.0 + fall))
}

/// Steps of each table.
const STEPS: usize = 512;

/// Where the table of the bell ends, in standard deviations: beyond it a bell
/// is under 4 millionths of its height.
const BELL_END: f32 = 5.0;

/// Where the table of the logistic curve ends to both sides.
const CURVE_END: f32 = 10.0;

struct Tables {
    bell: [f32; STEPS + 2],
    curve: [f32; STEPS + 2],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let x = |i: usize| i as f64 / STEPS as f64;
    Tables {
        bell: std::array::from_fn(|i| {
            let x = x(i) * f64::from(BELL_END);
            (-0.5 * x * x).exp() as f32
        }),
        curve: std::array::from_fn(|i| {
            let x = (2.0 * x(i) - 1.0) * f64::from(CURVE_END);
            (1.0 / (1.0 + (-x).exp())) as f32
        }),
    }
});

fn between(table: &[f32; STEPS + 2], at: f32) -> f32 {
    let index = (at as usize).min(STEPS);
    let rest = at - index as f32;
    table[index] + (table[index + 1] - table[index]) * rest
}

fn curve(tables: &Tables, x: f32) -> f32 {
    let at = (x + CURVE_END) * (STEPS as f32 / (2.0 * CURVE_END));
    between(&tables.curve, at.clamp(0.0, STEPS as f32))
}

/// Adds a beat to samples of which the first lies `first` µs after its R peak.
///
/// What a sample gets depends on its own distance from R alone, never on where
/// the slice begins: that makes the picture the same at every frame rate.
pub fn draw(shape: Shape, rr: f64, form: &Form, first: i64, samples: &mut [f32]) {
    let tables = &*TABLES;
    for bell in shape.bells() {
        let placed = bell.place(rr, form);
        let reach = placed.width * f64::from(BELL_END);
        let (height, centre, scale) = (placed.height as f32, placed.centre as f32, (1.0 / placed.width) as f32);
        within(first, placed.centre - reach, placed.centre + reach, samples, |tau, sample| {
            let x = ((tau - centre) * scale).abs();
            if x < BELL_END {
                *sample += height * between(&tables.bell, x * (STEPS as f32 / BELL_END));
            }
        });
    }
    if shape == Shape::Sinus && form.st > 0.0 {
        let st = Segment::of(rr);
        let (from, to) = (st.from as f32, st.to as f32);
        let (rise, fall) = ((1.0 / RISE) as f32, (1.0 / FALL) as f32);
        let end = f64::from(CURVE_END);
        within(first, st.from - end * RISE, st.to + end * FALL, samples, |tau, sample| {
            *sample += form.st * curve(tables, (tau - from) * rise) * curve(tables, (to - tau) * fall);
        });
    }
}

/// Calls `each` for the samples from `from` to `to` seconds after R.
fn within(first: i64, from: f64, to: f64, samples: &mut [f32], mut each: impl FnMut(f32, &mut f32)) {
    // Whole µs and a sample more on both sides: what is taken must not depend
    // on where the slice begins, so `each` judges by the distance alone.
    let (from, to) = ((from * 1e6) as i64 - STEP.0 - first, (to * 1e6) as i64 + STEP.0 - first);
    if to < 0 {
        return;
    }
    let start = (from.max(0) / STEP.0) as usize;
    let end = ((to / STEP.0) as usize).min(samples.len());
    let Some(samples) = samples.get_mut(start..end) else { return };
    let first = (first + start as i64 * STEP.0) as i32;
    for (index, sample) in (0_i32..).zip(samples) {
        each((first + index * STEP.0 as i32) as f32 * 1e-6, sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_agree_with_the_definition() {
        let form = Form { p: 0.6, st: 0.3, inversion: 0.2, height: 0.9 };
        for shape in [Shape::Sinus, Shape::Ventricular, Shape::Escape, Shape::Dropped] {
            for rr in [0.45, 0.8, 1.2] {
                let mut samples = [0.0; 300];
                draw(shape, rr, &form, -401_003, &mut samples);
                for (index, sample) in samples.iter().enumerate() {
                    let tau = (-401_003 + index as i64 * 4_000) as f64 / 1e6;
                    let exact = value(shape, tau, rr, &form);
                    assert!((f64::from(*sample) - exact).abs() < 1e-4, "{shape:?} {rr} {tau}: {sample} {exact}");
                }
            }
        }
    }

    #[test]
    fn no_beat_reaches_beyond_its_bounds() {
        let form = Form { st: 0.3, inversion: 1.0, ..PLAIN };
        for shape in [Shape::Sinus, Shape::Ventricular, Shape::Escape, Shape::Dropped] {
            for at in [-BEFORE, AFTER] {
                let volts = value(shape, at as f64 / 1e6, shape.shaping_rr(9.0), &form);
                assert!(volts.abs() < 2e-4, "{shape:?} at {at}: {volts}");
            }
        }
    }
}
