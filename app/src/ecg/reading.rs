//! What the data say of a scope, and what that makes of its rhythm.
//!
//! [`Measures`] are plain numbers about a test, suite, setup or project.
//! [`Measures::reading`] turns them into the parameters of the waveform,
//! [`Measures::rhythm`] into the word for it and [`Measures::alarm`] into how
//! loudly that must be said. All three are functions of the numbers alone.

use super::sample::{Ink, Look};
use super::wave::{Form, PLAIN};
use crate::domain::time::Micros;
use serde::{Deserialize, Serialize};

/// Whether there are beats at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conduction {
    /// Beats.
    Beating,
    /// Flat: the suite is failing.
    Standstill,
    /// No data: nothing may be said about the suite.
    #[default]
    LeadOff,
}

/// The parameters of the waveform from a moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Beats per minute, 45 to 150.
    pub rate: f64,
    /// Root mean square of the swing of the intervals, as a share.
    pub variability: f64,
    /// Share of intervals that are of fibrillation.
    pub fibrillation: f64,
    /// Elevation of ST, mV.
    pub st: f64,
    /// How far T is turned, 0 to 1.
    pub inversion: f64,
    /// Whether there are beats at all.
    pub conduction: Conduction,
    /// Whether the trace is disturbed.
    pub has_artefact: bool,
    /// How the trace is drawn.
    pub look: Look,
}

/// The slowest rate, beats per minute: nothing runs.
pub const SLOWEST: f64 = 45.0;

/// The fastest rate, beats per minute: three flashes a second are the limit of
/// WCAG 2.3.1, and this is two and a half.
pub const FASTEST: f64 = 150.0;

/// Variability of a healthy heart.
pub const HEALTHY_VARIABILITY: f64 = 0.03;

/// No data: the lead is off.
impl Default for Reading {
    fn default() -> Self {
        Self {
            rate: SLOWEST,
            variability: HEALTHY_VARIABILITY,
            fibrillation: 0.0,
            st: 0.0,
            inversion: 0.0,
            conduction: Conduction::LeadOff,
            has_artefact: false,
            look: Look { ink: Ink::Technical, is_dashed: true, is_dim: false },
        }
    }
}

fn kept(value: f64, least: f64, most: f64) -> f64 {
    if value.is_nan() { least } else { value.clamp(least, most) }
}

impl Reading {
    /// A healthy heart at `rate` beats per minute.
    pub fn healthy(rate: f64) -> Self {
        Self { rate, conduction: Conduction::Beating, look: Look::default(), ..Self::default() }
    }

    /// The reading with every number within its bounds.
    pub fn bounded(self) -> Self {
        Self {
            rate: kept(self.rate, SLOWEST, FASTEST),
            variability: kept(self.variability, 0.0, 0.12),
            fibrillation: kept(self.fibrillation, 0.0, 1.0),
            st: kept(self.st, 0.0, 0.3),
            inversion: kept(self.inversion, 0.0, 1.0),
            ..self
        }
    }

    /// The mean interval between two beats, s.
    pub fn mean_rr(&self) -> f64 {
        60.0 / self.rate
    }

    /// What changes the look of a beat.
    pub fn form(&self) -> Form {
        Form { p: (1.0 - self.fibrillation) as f32, st: self.st as f32, inversion: self.inversion as f32, ..PLAIN }
    }
}

/// A probability with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The probability.
    pub mean: f64,
    /// Lower end of its 90 % interval.
    pub low: f64,
    /// Upper end of its 90 % interval.
    pub high: f64,
    /// The results it rests on.
    pub results: u32,
}

/// An interval wider than this says little.
const WIDE: f64 = 0.4;

/// An estimate from fewer results than this says little.
const FEW: u32 = 20;

impl Estimate {
    /// Whether it says little.
    pub fn is_uncertain(&self) -> bool {
        self.results < FEW || self.high - self.low > WIDE
    }
}

/// The latest results of the current run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Tests with a result.
    pub results: u32,
    /// Of those, failed.
    pub failed: u32,
    /// Failures since the last pass.
    pub failed_in_a_row: u32,
}

impl Latest {
    /// Whether the suite as a whole fails: four of five results, and none of
    /// the last four passed. The first pass ends it.
    pub fn is_failing(&self) -> bool {
        self.results >= 5 && u64::from(self.failed) * 5 >= u64::from(self.results) * 4 && self.failed_in_a_row >= 4
    }
}

/// What is known of a scope at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Finished tests per minute, see [`super::throughput::Throughput`].
    pub tests_per_minute: f64,
    /// Chance that a run is hit by a flake; `None` where nothing is known.
    pub flake: Option<Estimate>,
    /// Share of tests that are broken with a probability of at least ½.
    pub broken: f64,
    /// The current run.
    pub latest: Latest,
    /// Whether a run is open.
    pub is_run_open: bool,
    /// Whether the run crashed and nothing has passed since.
    pub has_crashed: bool,
    /// How long nothing was heard.
    pub silence: Micros,
    /// The 95th percentile of the gaps between two words.
    pub expected_gap: Micros,
    /// Whether the agent of the setup is gone.
    pub is_agent_gone: bool,
    /// Whether the strip follows the last build alone, and that one is red.
    pub is_classic_red: bool,
    /// Passes still needed until what was broken counts as fixed, of
    /// [`RECOVERY_RESULTS`]; 0 where nothing recovers.
    pub recovery_left: u32,
    /// Whether failures have a common cause outside the tests.
    pub has_incident: bool,
    /// Whether a test that passed has begun to fail.
    pub has_regression: bool,
    /// Flaky results in the last 10 s.
    pub flaky_in_10_s: u32,
    /// Whether flaky results per minute are over the limit.
    pub is_over_flaky_limit: bool,
}

/// Passes in a row until a broken test counts as fixed.
pub const RECOVERY_RESULTS: u32 = 20;

/// The gap between two words is never taken as shorter than this.
const GAP_AT_LEAST: Micros = Micros::from_secs(30);

/// Silence of more than this many gaps is a lost lead.
const SILENT_AFTER: i64 = 4;

/// This many flaky results in 10 s are a tachycardia.
const STORM: u32 = 5;

/// The word for a rhythm, in the order of precedence: the first that holds is
/// the one that is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// A run is open and nothing is heard.
    LeadOff,
    /// The suite fails.
    Asystole,
    /// A storm of flaky results.
    Tachycardia,
    /// An incident outside the tests.
    Artefact,
    /// A run is as likely hit by a flake as not.
    Fibrillation,
    /// Runs are sometimes hit by a flake.
    Irregular,
    /// Healthy.
    Sinus,
    /// Nothing runs.
    Resting,
}

impl Rhythm {
    /// The word, as it stands on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeadOff => "lead off",
            Self::Asystole => "asystole",
            Self::Tachycardia => "ventricular tachycardia",
            Self::Artefact => "artefact",
            Self::Fibrillation => "fibrillation",
            Self::Irregular => "irregular",
            Self::Sinus => "sinus rhythm",
            Self::Resting => "resting",
        }
    }

    /// What it stands for, where the word alone would leave that open.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::LeadOff => Some("a run is open and nothing is heard"),
            Self::Asystole => Some("the suite is failing"),
            Self::Tachycardia => Some("a storm of flaky results"),
            Self::Artefact => Some("an incident outside the tests"),
            Self::Fibrillation => Some("a run is as likely hit by a flake as not"),
            Self::Irregular | Self::Sinus | Self::Resting => None,
        }
    }
}

/// How loudly it must be said (IEC 60601-1-8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// Not at all.
    #[default]
    None,
    /// Steady cyan or yellow.
    Low,
    /// Yellow, 0.6 Hz.
    Medium,
    /// Red, 1.5 Hz; stays until it is acknowledged.
    High,
}

impl Alarm {
    /// As CSS knows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The stars a monitor puts before the word.
    pub const fn stars(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Low => "*",
            Self::Medium => "**",
            Self::High => "***",
        }
    }
}

/// 0 below `from`, 1 above `to`, smooth between.
fn smoothstep(from: f64, to: f64, x: f64) -> f64 {
    let x = ((x - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Beats per minute for `x` finished tests per minute: each fourfold of tests
/// is worth 30 beats.
pub fn rate(x: f64) -> f64 {
    kept(SLOWEST + 15.0 * (1.0 + x.max(0.0) / 4.0).log2(), SLOWEST, FASTEST)
}

/// Variability of the intervals for a flake chance of `f`.
pub fn variability(f: f64) -> f64 {
    HEALTHY_VARIABILITY + 0.09 * smoothstep(0.05, 0.20, f)
}

/// Share of fibrillation for a flake chance of `f`.
pub fn fibrillation(f: f64) -> f64 {
    smoothstep(0.20, 0.60, f)
}

/// Elevation of ST in mV for a share of `b` broken tests.
pub fn st_elevation(b: f64) -> f64 {
    if b > 0.0 { 0.08 + 0.22 * (b / 0.05).min(1.0).sqrt() } else { 0.0 }
}

impl Measures {
    fn chance(&self) -> f64 {
        self.flake.map_or(0.0, |flake| kept(flake.mean, 0.0, 1.0))
    }

    fn is_lead_off(&self) -> bool {
        let gap = self.expected_gap.max(GAP_AT_LEAST);
        self.is_run_open && (self.is_agent_gone || self.silence.0 > gap.0.saturating_mul(SILENT_AFTER))
    }

    fn is_standstill(&self) -> bool {
        self.has_crashed || self.is_classic_red || (self.is_run_open && self.latest.is_failing())
    }

    fn conduction(&self) -> Conduction {
        match self {
            _ if self.is_lead_off() => Conduction::LeadOff,
            _ if self.is_standstill() => Conduction::Standstill,
            _ => Conduction::Beating,
        }
    }

    /// The word for the rhythm.
    pub fn rhythm(&self) -> Rhythm {
        match self {
            _ if self.is_lead_off() => Rhythm::LeadOff,
            _ if self.is_standstill() => Rhythm::Asystole,
            _ if self.flaky_in_10_s >= STORM => Rhythm::Tachycardia,
            _ if self.has_incident => Rhythm::Artefact,
            _ if self.chance() >= 0.4 => Rhythm::Fibrillation,
            _ if self.chance() >= 0.125 => Rhythm::Irregular,
            _ if self.is_run_open => Rhythm::Sinus,
            _ => Rhythm::Resting,
        }
    }

    /// The level of alarm. A lost lead hides what lies behind it: of a suite
    /// that is not heard nothing grave may be claimed.
    pub fn alarm(&self) -> Alarm {
        let is_medium = self.has_regression || self.has_incident || self.flaky_in_10_s >= 3 || self.chance() >= 0.5;
        match self.rhythm() {
            Rhythm::LeadOff => Alarm::Low,
            Rhythm::Asystole | Rhythm::Tachycardia => Alarm::High,
            _ if is_medium => Alarm::Medium,
            _ if self.flaky_in_10_s == 2 || self.is_over_flaky_limit => Alarm::Low,
            _ => Alarm::None,
        }
    }

    fn look(&self) -> Look {
        let rhythm = self.rhythm();
        let ink = match self.alarm() {
            _ if rhythm == Rhythm::LeadOff => Ink::Technical,
            Alarm::High => Ink::High,
            Alarm::Medium => Ink::Medium,
            _ if self.flake.is_some_and(|flake| flake.is_uncertain()) => Ink::Uncertain,
            _ => Ink::Plain,
        };
        Look { ink, is_dashed: rhythm == Rhythm::LeadOff, is_dim: rhythm == Rhythm::Resting }
    }

    /// The parameters of the waveform.
    pub fn reading(&self) -> Reading {
        let left = f64::from(self.recovery_left.min(RECOVERY_RESULTS)) / f64::from(RECOVERY_RESULTS);
        Reading {
            rate: rate(self.tests_per_minute),
            variability: variability(self.chance()),
            fibrillation: fibrillation(self.chance()),
            st: st_elevation(kept(self.broken, 0.0, 1.0)),
            inversion: 0.9 * left,
            conduction: self.conduction(),
            has_artefact: self.has_incident,
            look: self.look(),
        }
    }
}

#[cfg(test)]
#[path = "tests/reading.rs"]
mod tests;
