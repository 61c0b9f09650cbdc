//! What lies under the beats: functions of time alone.

use super::chance::{Channel, uniform};
use super::sample::RATE;
use std::f64::consts::TAU;
use std::sync::LazyLock;

/// The ground of one strip.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    seed: u64,
    phases: [f32; 3],
}

/// All waves of the ground repeat after this many samples (20 s): their
/// frequencies are multiples of 0.05 Hz.
const PERIOD: i64 = 20 * RATE;

/// Wander of the baseline with breathing, Hz.
const BREATH: f64 = 0.25;

/// The height of that, mV.
const WANDER: f64 = 0.012;

/// The wander, sample by sample; it is the same under every strip.
static WANDERS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let seconds = (0..PERIOD).map(|tick| tick as f64 / RATE as f64);
    seconds.map(|t| (WANDER * (TAU * BREATH * t).sin()) as f32).collect()
});

/// Steps of the table of a sine.
const STEPS: usize = 512;

static SINE: LazyLock<[f32; STEPS + 2]> =
    LazyLock::new(|| std::array::from_fn(|i| (TAU * i as f64 / STEPS as f64).sin() as f32));

/// A sine at sample `index`, with a phase in cycles, 0 to 2.
/// A sine at a tick, with a phase in cycles, 0 to 2.
fn sine(table: &[f32; STEPS + 2], hertz: f32, tick: u16, phase: f32) -> f32 {
    let cycles = hertz / RATE as f32 * f32::from(tick) + phase;
    let at = (cycles - cycles as i32 as f32) * STEPS as f32;
    let step = (at as usize).min(STEPS);
    table[step] + (table[step + 1] - table[step]) * (at - step as f32)
}

/// The samples of a slice with their ticks, which count to [`PERIOD`] and begin anew.
fn ticks(from: i64, samples: &mut [f32]) -> impl Iterator<Item = (u16, &mut f32)> {
    (0..PERIOD as u16).cycle().skip(from.rem_euclid(PERIOD) as usize).zip(samples)
}

impl Ground {
    /// The ground of the strip with this seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, phases: [0, 1, 2].map(|index| uniform(seed, index, Channel::WavePhase) as f32) }
    }

    /// Adds the slow wander of the baseline. The first sample has the number `from`.
    pub fn add_wander(from: i64, samples: &mut [f32]) {
        let table = &*WANDERS;
        let (before, after) = table.split_at(from.rem_euclid(PERIOD) as usize);
        for (sample, wander) in samples.iter_mut().zip(after.iter().chain(before).cycle()) {
            *sample += wander;
        }
    }

    /// Adds the waves of fibrillating atria, at a share of their full height.
    pub fn add_atria(&self, share: f32, from: i64, samples: &mut [f32]) {
        let table = &*SINE;
        for (tick, sample) in ticks(from, samples) {
            let slip = 0.25 + 0.25 * sine(table, 0.55, tick, self.phases[2]);
            let coarse = 0.045 * sine(table, 6.1, tick, self.phases[0] + slip);
            *sample += share * (coarse + 0.02 * sine(table, 9.7, tick, self.phases[1]));
        }
    }

    /// Adds the noise and the wander of a disturbed lead.
    pub fn add_artefact(&self, from: i64, samples: &mut [f32]) {
        let table = &*SINE;
        for (index, (tick, sample)) in (from..).zip(ticks(from, samples)) {
            let noise = 2.0 * uniform(self.seed, index as u64, Channel::Noise) as f32 - 1.0;
            let slow = 0.12 * sine(table, 0.65, tick, self.phases[0]);
            *sample += 0.18 * noise + slow + 0.07 * sine(table, 1.35, tick, self.phases[1]);
        }
    }
}
