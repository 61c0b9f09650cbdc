//! One strip: told events and readings, asked for samples and beats.
//!
//! It keeps the beats of the last minute and goes on from there. The answer is
//! the same as if it were computed afresh from the log: what comes late is put
//! in its place, and the beats since the last anchor before it are found anew.
//! After a pause nothing is caught up: it starts at the anchor before the
//! moment it is asked for.

use super::anchor::{anchor, epoch_at};
use super::ground::Ground;
use super::log::{Event, Log, Stated, bounded};
use super::reading::{Conduction, Reading};
use super::rhythm::{Beat, Chain};
use super::sample::{self, STEP, Sample};
use super::wave;
use crate::domain::time::{Micros, Timestamp};
use std::collections::VecDeque;

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
    ground: Ground,
    log: Log,
    chain: Option<Chain>,
    beats: VecDeque<Beat>,
    /// The beats are complete from here on.
    from: Timestamp,
    /// Nothing before this is known any more.
    forgotten: Timestamp,
    /// When to forget next.
    forget_at: Timestamp,
    buffer: Vec<f32>,
}

impl Strip {
    /// A strip of the scope with this seed, see [`super::chance::seed_of`].
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ground: Ground::of(seed),
            log: Log::default(),
            chain: None,
            beats: VecDeque::new(),
            from: Timestamp(i64::MAX),
            forgotten: Timestamp(i64::MIN),
            forget_at: Timestamp(i64::MIN),
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
            self.forget_at = Timestamp(i64::MIN);
        }
        let chain = self.chain.as_ref().filter(|_| from >= self.from);
        if chain.is_none_or(|chain| chain.due() < from && chain.epoch() < epoch_at(self.seed, from)) {
            self.restart(epoch_at(self.seed, from));
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
        let mut buffer = std::mem::take(&mut self.buffer);
        let end = from + buffer.len() as i64;
        let mut next = from;
        while next < end {
            let at = sample::time_of(next);
            let reading = self.log.reading_at(at);
            let change = self.log.next_change(at).map_or(end, sample::index_at).clamp(next + 1, end);
            self.finish_stretch(&reading, next, &mut buffer[(next - from) as usize..(change - from) as usize], out);
            next = change;
        }
        self.buffer = buffer;
    }

    fn finish_stretch(&self, reading: &Reading, from: i64, stretch: &mut [f32], out: &mut Vec<Sample>) {
        let look = reading.look;
        if reading.conduction == Conduction::LeadOff {
            out.extend(stretch.iter().map(|_| Sample { uv: 0, look }));
            return;
        }
        Ground::add_wander(from, stretch);
        if reading.conduction == Conduction::Beating && reading.fibrillation > 0.0 {
            self.ground.add_atria(reading.fibrillation as f32, from, stretch);
        }
        if reading.has_artefact {
            self.ground.add_artefact(from, stretch);
        }
        out.extend(stretch.iter().map(|mv| Sample { uv: whole(mv * 1e3), look }));
    }

    fn forget(&mut self, last: Timestamp) {
        let keep = last - KEEP;
        if keep < self.forget_at {
            return;
        }
        // Once a second is often enough.
        self.forget_at = keep + Micros::from_secs(1);
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

/// The nearest whole number. `f32::round` is a call into the library on both
/// of our targets and costs more than the rest of a sample.
fn whole(uv: f32) -> i16 {
    (uv + 0.5_f32.copysign(uv)) as i16
}

#[cfg(test)]
#[path = "tests/properties.rs"]
mod properties;
#[cfg(test)]
#[path = "tests/strip.rs"]
mod tests;
