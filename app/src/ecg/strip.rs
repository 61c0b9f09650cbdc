//! One strip: told events and readings, asked for samples and beats.
//!
//! It keeps the beats of the last minute and goes on from there. The answer is
//! the same as if it were computed afresh from the log: what comes late is put
//! in its place, and the beats since the last anchor before it are found anew.
//! After a pause nothing is caught up: it starts at the anchor before the
//! moment it is asked for.

use super::anchor::{anchor, epoch_at};
use super::chance::{Channel, uniform};
use super::log::{Event, Log, Stated, bounded};
use super::reading::{Conduction, Reading};
use super::rhythm::{Beat, Chain};
use super::sample::{self, RATE, STEP, Sample};
use super::wave;
use crate::domain::time::{Micros, Timestamp};
use std::collections::VecDeque;
use std::f32::consts::TAU;

/// Beats and events are kept this long; nothing older can be asked for.
pub const KEEP: Micros = Micros::from_secs(60);

/// Whoever draws this far behind the server's clock never corrects himself.
pub const DELAY: Micros = Micros::from_secs(2);

/// The log is kept this much longer, for the anchor before.
const MARGIN: Micros = Micros::from_secs(25);

/// A strip.
#[derive(Clone, Debug)]
pub struct Strip {
    seed: u64,
    log: Log,
    chain: Option<Chain>,
    beats: VecDeque<Beat>,
    /// The beats are complete from here on.
    from: Timestamp,
    /// Nothing before this is known any more.
    forgotten: Timestamp,
    buffer: Vec<f32>,
}

impl Strip {
    /// A strip of the scope with this seed, see [`super::chance::seed_of`].
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            log: Log::default(),
            chain: None,
            beats: VecDeque::new(),
            from: Timestamp(i64::MAX),
            forgotten: Timestamp(i64::MIN),
            buffer: Vec::new(),
        }
    }

    /// Takes an event; false if it is known already or too old to matter.
    pub fn tell(&mut self, event: Event) -> bool {
        let event = Event { at: bounded(event.at), ..event };
        let is_new = event.at >= self.forgotten && self.log.tell(event);
        if is_new {
            self.reconsider(event.at);
        }
        is_new
    }

    /// From `at` on this reading holds, until the next. Of two readings of one
    /// moment the newer version holds. False if it is known already or too old.
    pub fn set(&mut self, at: Timestamp, version: u64, reading: Reading) -> bool {
        let at = bounded(at);
        let stated = Stated { at, version, reading: reading.bounded() };
        let is_new = at >= self.forgotten && self.log.state(stated);
        if is_new {
            self.reconsider(at);
        }
        is_new
    }

    /// The reading in force at `at`.
    pub fn reading_at(&self, at: Timestamp) -> Reading {
        self.log.reading_at(bounded(at))
    }

    /// Adds the samples from number `from` up to, not including, `to`: what the
    /// trace shows then. Of a longer stretch than [`KEEP`] only the end is
    /// given. Returns the number of the first sample added.
    pub fn samples(&mut self, from: i64, to: i64, out: &mut Vec<Sample>) -> i64 {
        let far = bounded(Timestamp(i64::MAX)).0 / STEP.0;
        let to = to.clamp(-far, far);
        let from = from.clamp(to - KEEP.0 / STEP.0, to);
        if from < to {
            let (first, last) = (sample::time_of(from), sample::time_of(to - 1));
            self.find(first - Micros(wave::AFTER), last + Micros(wave::BEFORE));
            self.fill(from, (to - from) as usize);
            self.finish(from, out);
            self.forget(last);
        }
        from
    }

    /// The beats from `from` up to, not including, `to`.
    pub fn beats(&mut self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &Beat> {
        let to = bounded(to);
        let from = bounded(from).clamp(to - KEEP, to);
        self.find(from, to);
        self.kept(from, to)
    }

    /// The beat nearest to `at`, if its R peak lies within `reach`.
    pub fn beat_near(&mut self, at: Timestamp, reach: Micros) -> Option<Beat> {
        let distance = |beat: &&Beat| beat.at.since(at).abs();
        let reach = Micros(reach.0.clamp(0, KEEP.0 / 2));
        self.beats(at - reach, at + reach + Micros(1)).min_by_key(distance).copied()
    }

    fn kept(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &Beat> {
        let first = self.beats.partition_point(|beat| beat.at < from);
        self.beats.range(first..).take_while(move |beat| beat.at < to)
    }

    /// Finds the beats of a stretch of time.
    fn find(&mut self, from: Timestamp, to: Timestamp) {
        if to < self.forgotten {
            // The clock was wrong before, or is now: never stay deaf for it.
            self.forgotten = Timestamp(i64::MIN);
        }
        let epoch = epoch_at(self.seed, from);
        let is_ahead = self.chain.as_ref().is_some_and(|chain| chain.epoch() < epoch);
        if self.chain.is_none() || from < self.from || is_ahead {
            self.restart(epoch);
        }
        while let Some(chain) = self.chain.as_mut().filter(|chain| chain.due() < to) {
            chain.step(&self.log, &mut self.beats);
        }
    }

    fn restart(&mut self, epoch: i64) {
        self.beats.clear();
        self.from = anchor(self.seed, epoch);
        self.chain = Some(Chain::at_anchor(self.seed, epoch, &self.log));
    }

    /// Takes back the beats that something at `at` may change.
    fn reconsider(&mut self, at: Timestamp) {
        if self.chain.as_ref().is_none_or(|chain| at >= chain.decided()) {
            return;
        }
        let epoch = epoch_at(self.seed, at);
        let anchor = anchor(self.seed, epoch);
        if anchor < self.from {
            self.chain = None;
        } else {
            let kept = self.beats.partition_point(|beat| beat.at < anchor);
            self.beats.truncate(kept);
            self.chain = Some(Chain::at_anchor(self.seed, epoch, &self.log));
        }
    }

    /// Draws the beats into the buffer, in mV.
    fn fill(&mut self, from: i64, count: usize) {
        let (first, last) = (sample::time_of(from), sample::time_of(from + count as i64));
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.resize(count, 0.0);
        for beat in self.kept(first - Micros(wave::AFTER), last + Micros(wave::BEFORE)) {
            wave::draw(beat.shape, beat.rr, &beat.form, first.since(beat.at).0, &mut buffer);
        }
        self.buffer = buffer;
    }

    /// Adds what does not belong to a beat, and gives the samples out. Each
    /// stretch between two readings is drawn in one go.
    fn finish(&mut self, from: i64, out: &mut Vec<Sample>) {
        let ground = Ground::of(self.seed);
        let end = from + self.buffer.len() as i64;
        let mut next = from;
        while next < end {
            let at = sample::time_of(next);
            let reading = self.log.reading_at(at);
            let change = self.log.next_change(at).map_or(end, sample::index_at);
            let stretch = next..change.clamp(next + 1, end);
            self.finish_stretch(&ground, &reading, from, stretch.clone(), out);
            next = stretch.end;
        }
    }

    fn finish_stretch(
        &self,
        ground: &Ground,
        reading: &Reading,
        from: i64,
        stretch: std::ops::Range<i64>,
        out: &mut Vec<Sample>,
    ) {
        let look = reading.look;
        if reading.conduction == Conduction::LeadOff {
            out.extend(stretch.map(|_| Sample { uv: 0, look }));
            return;
        }
        let is_beating = reading.conduction == Conduction::Beating;
        let atria = if is_beating { reading.fibrillation as f32 } else { 0.0 };
        for index in stretch {
            let mut mv = self.buffer[(index - from) as usize] + ground.wander(index);
            if atria > 0.0 {
                mv += atria * ground.atria(index);
            }
            if reading.has_artefact {
                mv += ground.artefact(index);
            }
            out.push(Sample { uv: (mv * 1e3).round() as i16, look });
        }
    }

    fn forget(&mut self, last: Timestamp) {
        let keep = last - KEEP;
        let old = self.beats.partition_point(|beat| beat.at < keep);
        self.beats.drain(..old);
        self.from = self.from.max(keep);
        let anchor = anchor(self.seed, epoch_at(self.seed, keep - Micros(wave::AFTER)));
        let events = anchor - Micros::from_secs(3);
        if events > self.forgotten {
            self.forgotten = events;
            self.log.forget(events, anchor - MARGIN);
        }
    }
}

/// What lies under the beats: functions of time alone.
struct Ground {
    seed: u64,
    phases: [f32; 3],
}

/// All waves of the ground repeat after this many samples (20 s): their
/// frequencies are multiples of 0.05 Hz.
const PERIOD: i64 = 20 * RATE;

fn sine(hertz: f32, index: i64, phase: f32) -> f32 {
    let cycles = hertz * (index.rem_euclid(PERIOD) as f32 / RATE as f32) + phase;
    (TAU * cycles.fract()).sin()
}

impl Ground {
    fn of(seed: u64) -> Self {
        Self { seed, phases: [0, 1, 2].map(|index| uniform(seed, index, Channel::WavePhase) as f32) }
    }

    /// The slow wander of the baseline with breathing, mV.
    fn wander(&self, index: i64) -> f32 {
        0.012 * sine(0.25, index, 0.0)
    }

    /// The waves of fibrillating atria, mV.
    fn atria(&self, index: i64) -> f32 {
        let slip = 0.25 * sine(0.55, index, self.phases[2]);
        0.045 * sine(6.1, index, self.phases[0] + slip) + 0.02 * sine(9.7, index, self.phases[1])
    }

    /// Noise and wander of a disturbed lead, mV.
    fn artefact(&self, index: i64) -> f32 {
        let noise = 2.0 * uniform(self.seed, index as u64, Channel::Noise) as f32 - 1.0;
        let wander = 0.08 * sine(0.65, index, self.phases[0]) + 0.05 * sine(1.35, index, self.phases[1]);
        0.18 * noise + wander
    }
}

#[cfg(test)]
#[path = "tests/properties.rs"]
mod properties;
#[cfg(test)]
#[path = "tests/strip.rs"]
mod tests;
