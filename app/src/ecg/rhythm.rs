//! When the heart beats, and how: the list of beats as a function of the seed,
//! the log and time.
//!
//! Each beat follows from the one before, from the last anchor on (module
//! `anchor`). A step looks ahead by at most one interval for events, and to the
//! end of a burst for whether beats stop: whoever draws two seconds behind the
//! server's clock never has to correct what he drew.

use super::anchor::{Approach, EPOCH, anchor, to_micros};
use super::log::Log;
use super::reading::{Conduction, Reading};
use super::rr::Intervals;
use super::wave::{Form, Shape};
use crate::domain::time::Timestamp;
use std::collections::VecDeque;

/// One beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// The moment of its R peak, or where that would have been.
    pub at: Timestamp,
    /// Its kind.
    pub shape: Shape,
    /// How many events it stands for; 0 for a beat of the rhythm itself.
    pub count: u32,
    /// The event it stands for, the first if there are several.
    pub origin: Option<u64>,
    /// The RR interval that shapes it, in seconds.
    pub rr: f64,
    /// What changes its look.
    pub form: Form,
}

/// No interval is shorter, s: three beats a second is the limit of what may flash.
const SHORTEST: f64 = 0.33;

/// From one ectopic beat of a burst to the next, s.
const ECTOPIC_EVERY: f64 = 0.36;

/// An ectopic beat comes at this share of the interval, but not before [`EARLIEST`].
const COUPLING: f64 = 0.58;

/// The earliest ectopic beat after an R peak, s.
const EARLIEST: f64 = 0.30;

/// After the last ectopic beat at least this share of an interval passes.
const REST: f64 = 0.6;

/// The longest interval an ectopic beat is coupled to, in mean intervals.
const LONGEST_COUPLED: f64 = 1.25;

/// A burst shows at most this many beats; the last counts for the rest.
const BURST: u64 = 8;

/// Escape beats after a standstill, and slow beats after those.
const ESCAPES: u8 = 3;
const SLOW: u8 = 3;
const ESCAPE_PACE: f64 = 1.5;
const SLOW_PACE: f64 = 1.15;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// On the way to the landing.
    Running,
    /// On the landing: everything open is shown now.
    Landing,
    /// Between the landing and the anchor.
    Between,
}

/// What lies ahead of a place.
struct Ahead {
    /// To the next place if nothing comes between, s.
    rr: f64,
    /// The interval an ectopic beat is coupled to, s.
    coupled: f64,
    /// How many coupled intervals there is room for.
    room: u32,
    /// Flaky results before this are seen from here.
    flaky_until: Timestamp,
    /// Failures before this are seen from here.
    failures_until: Timestamp,
}

/// The rhythm at one place: where the next beat is due, and what is still open.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    seed: u64,
    intervals: Intervals,
    epoch: i64,
    /// The beginning of the epoch, µs.
    base: i64,
    /// Where the next beat is due, s from the beginning of the epoch.
    place: f64,
    stage: Stage,
    /// The number of the next interval.
    index: u64,
    /// The last beat of this epoch, s.
    last: Option<f64>,
    /// Numbers of the first events not yet shown.
    next_flaky: u64,
    next_failure: u64,
    /// Beats dropped in a row.
    drops: u64,
    /// Escape and slow beats still to come.
    recovery: u8,
    was_standstill: bool,
    /// The log before this has been used: what comes earlier changes beats.
    decided: Timestamp,
}

impl Chain {
    /// The rhythm at the anchor of an epoch.
    pub fn at_anchor(seed: u64, epoch: i64, log: &Log) -> Self {
        let base = epoch.saturating_mul(EPOCH);
        let at = anchor(seed, epoch);
        let cut = Approach::to(seed, epoch, base, log).cut;
        Self {
            seed,
            intervals: Intervals::new(seed),
            epoch,
            base,
            place: (at.0 - base) as f64 / 1e6,
            stage: Stage::Running,
            index: (epoch as u64).wrapping_mul(4096).wrapping_add(1),
            last: None,
            next_flaky: log.flaky.first_from(cut),
            next_failure: log.failures.first_from(cut),
            drops: 0,
            recovery: recovery_at(at, log),
            was_standstill: false,
            decided: at,
        }
    }

    /// The epoch it is in.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Where the next beat is due.
    pub fn due(&self) -> Timestamp {
        self.moment(self.place)
    }

    /// The log before this has been used.
    pub fn decided(&self) -> Timestamp {
        self.decided
    }

    /// Shows what is due at this place and goes on to the next.
    pub fn step(&mut self, log: &Log, beats: &mut VecDeque<Beat>) {
        let reading = log.reading_at(self.due());
        let approach = Approach::to(self.seed, self.epoch + 1, self.base, log);
        let ahead = self.ahead(&reading, &approach);
        self.decide(Timestamp(ahead.flaky_until.0.max(self.due().0 + 1)));
        let intervals = if reading.conduction == Conduction::Beating {
            self.beat(&reading, &ahead, log, beats);
            self.burst(&reading, &ahead, log, beats)
        } else {
            self.pass_over(&reading, &ahead, log);
            None
        };
        self.advance(&ahead, intervals, &approach, log);
    }

    fn moment(&self, seconds: f64) -> Timestamp {
        Timestamp(self.base.saturating_add(to_micros(seconds)))
    }

    fn decide(&mut self, until: Timestamp) {
        self.decided = self.decided.max(until);
    }

    /// The next interval as a share of the mean, and how much slower it is
    /// while the heart recovers.
    fn factor(&self, reading: &Reading, is_tight: bool) -> f64 {
        if reading.conduction != Conduction::Beating {
            1.0
        } else if self.recovery > 0 || !self.intervals.is_fibrillation(self.index, reading.fibrillation) {
            self.intervals.sinus(self.index, self.place, reading.variability)
        } else if is_tight {
            self.intervals.mild_fibrillation(self.index)
        } else {
            self.intervals.fibrillation(self.index)
        }
    }

    fn pace(&self, reading: &Reading) -> f64 {
        let left = if self.was_standstill { ESCAPES + SLOW } else { self.recovery };
        match left {
            _ if reading.conduction != Conduction::Beating => 1.0,
            0 => 1.0,
            1..=SLOW => SLOW_PACE,
            _ => ESCAPE_PACE,
        }
    }

    fn ahead(&self, reading: &Reading, approach: &Approach) -> Ahead {
        let to_landing = approach.landing - self.place;
        match self.stage {
            Stage::Landing => Ahead {
                rr: approach.rr,
                coupled: approach.rr,
                room: 2,
                flaky_until: approach.cut,
                failures_until: approach.cut,
            },
            Stage::Between => self.waiting(approach.rr),
            Stage::Running if self.place < approach.begins => {
                let mean = reading.mean_rr();
                let factor = self.factor(reading, false);
                let rr = (mean * factor).max(SHORTEST);
                let coupled = (mean * factor.min(LONGEST_COUPLED)).max(SHORTEST);
                self.open(rr * self.pace(reading), coupled, u32::MAX)
            }
            Stage::Running => {
                let left = (to_landing / approach.rr).round().max(1.0);
                let share = to_landing / left;
                if left < 2.0 {
                    return self.waiting(to_landing);
                }
                // Close to the landing a long or short interval could not be
                // made good any more.
                let is_tight = left < 5.0;
                let pace = if is_tight { 1.0 } else { self.pace(reading) };
                self.open(share * self.factor(reading, is_tight) * pace, share, left as u32)
            }
        }
    }

    fn open(&self, rr: f64, coupled: f64, room: u32) -> Ahead {
        let failures_until = Timestamp(self.due().0 + 1);
        Ahead { rr, coupled, room, flaky_until: self.moment(self.place + rr.min(coupled)), failures_until }
    }

    /// Nothing is shown here; there is no room for it before the next place.
    fn waiting(&self, rr: f64) -> Ahead {
        let never = Timestamp(i64::MIN);
        Ahead { rr, coupled: rr, room: 0, flaky_until: never, failures_until: never }
    }

    /// The beat of the rhythm at this place: conducted or dropped.
    fn beat(&mut self, reading: &Reading, ahead: &Ahead, log: &Log, beats: &mut VecDeque<Beat>) {
        if std::mem::take(&mut self.was_standstill) {
            self.recovery = ESCAPES + SLOW;
        }
        let due = log.failures.first_from(ahead.failures_until).saturating_sub(self.next_failure);
        let escape = if self.recovery > SLOW { Shape::Escape } else { Shape::Sinus };
        self.recovery = self.recovery.saturating_sub(1);
        if due == 0 || self.drops == BURST {
            self.drops = 0;
            beats.push_back(self.at_place(self.place, escape, reading));
        } else {
            self.drops += 1;
            let count = if self.stage == Stage::Landing || self.drops == BURST { due } else { 1 };
            let origin = log.failures.get(self.next_failure).map(|event| event.origin);
            let plain = self.at_place(self.place, Shape::Dropped, reading);
            beats.push_back(Beat { count: u32::try_from(count).unwrap_or(u32::MAX), origin, ..plain });
            self.next_failure += count;
        }
        self.last = Some(self.place);
    }

    fn at_place(&self, place: f64, shape: Shape, reading: &Reading) -> Beat {
        let rr = self.last.map_or_else(|| reading.mean_rr(), |last| place - last);
        Beat { at: self.moment(place), shape, count: 0, origin: None, rr: shape.shaping_rr(rr), form: reading.form() }
    }

    /// The ectopic beats after this place; how many intervals they take up.
    fn burst(&mut self, reading: &Reading, ahead: &Ahead, log: &Log, beats: &mut VecDeque<Beat>) -> Option<u32> {
        let end = log.flaky.first_from(ahead.flaky_until).max(self.next_flaky);
        let pending = end - self.next_flaky;
        if pending == 0 {
            return None;
        }
        let most = if self.stage == Stage::Landing { 1 } else { pending.min(BURST) };
        let (fits, intervals) = fitting(most, ahead)?;
        let first = self.place + (COUPLING * ahead.coupled).max(EARLIEST);
        let places = (0..fits).map(|n| first + n as f64 * ECTOPIC_EVERY);
        // A standstill or a lost lead that begins meanwhile ends the burst.
        let shown: Vec<f64> =
            places.take_while(|place| log.reading_at(self.moment(*place)).conduction == Conduction::Beating).collect();
        self.decide(self.moment(first + fits as f64 * ECTOPIC_EVERY));
        for (number, place) in (self.next_flaky..).zip(&shown) {
            let is_last = number + 1 == self.next_flaky + shown.len() as u64;
            let count = if is_last { end - number } else { 1 };
            let origin = log.flaky.get(number).map(|event| event.origin);
            let plain = self.at_place(*place, Shape::Ventricular, reading);
            beats.push_back(Beat { count: u32::try_from(count).unwrap_or(u32::MAX), origin, ..plain });
            self.last = Some(*place);
        }
        self.next_flaky = end;
        self.drops = 0;
        (!shown.is_empty()).then_some(intervals)
    }

    /// Without a beat events leave no mark.
    fn pass_over(&mut self, reading: &Reading, ahead: &Ahead, log: &Log) {
        let now = Timestamp(self.due().0 + 1);
        let until = if self.stage == Stage::Landing { ahead.flaky_until } else { now };
        if self.stage != Stage::Between {
            self.next_flaky = self.next_flaky.max(log.flaky.first_from(until));
            self.next_failure = self.next_failure.max(log.failures.first_from(until));
        }
        self.drops = 0;
        self.recovery = 0;
        self.was_standstill = reading.conduction == Conduction::Standstill;
    }

    fn advance(&mut self, ahead: &Ahead, intervals: Option<u32>, approach: &Approach, log: &Log) {
        self.index = self.index.wrapping_add(1);
        let is_at_anchor = match self.stage {
            Stage::Between => true,
            Stage::Landing => intervals.is_some(),
            Stage::Running => false,
        };
        if is_at_anchor {
            let decided = self.decided;
            *self = Self::at_anchor(self.seed, self.epoch + 1, log);
            self.decide(decided);
            return;
        }
        let next = self.place + intervals.map_or(ahead.rr, |count| f64::from(count) * ahead.coupled);
        self.stage = match self.stage {
            Stage::Running if next < approach.landing - 0.01 => Stage::Running,
            Stage::Running => Stage::Landing,
            Stage::Landing | Stage::Between => Stage::Between,
        };
        self.place = if self.stage == Stage::Landing { approach.landing } else { next };
    }
}

/// How many of `most` ectopic beats there is room for, and the intervals they
/// take up: the clock of the rhythm is not reset, so the beat after them falls
/// on a whole number of intervals, after a rest.
fn fitting(most: u64, ahead: &Ahead) -> Option<(u64, u32)> {
    let first = (COUPLING * ahead.coupled).max(EARLIEST);
    (1..=most).rev().find_map(|count| {
        let end = first + (count - 1) as f64 * ECTOPIC_EVERY + REST * ahead.coupled;
        let intervals = ((end / ahead.coupled).ceil() as u32).max(2);
        (intervals <= ahead.room).then_some((count, intervals))
    })
}

/// How much of a recovery is left at an anchor, from the log alone.
fn recovery_at(at: Timestamp, log: &Log) -> u8 {
    let longest = Timestamp(at.0 - 20_000_000);
    let Some(ended) = log.standstill_ended(at, longest) else { return 0 };
    let rr = log.reading_at(at).mean_rr();
    let gone = at.since(ended).0 as f64 / 1e6 / rr;
    let escapes = f64::from(ESCAPES) * ESCAPE_PACE;
    let done = if gone < escapes {
        (gone / ESCAPE_PACE).floor()
    } else {
        f64::from(ESCAPES) + ((gone - escapes) / SLOW_PACE).floor()
    };
    (ESCAPES + SLOW).saturating_sub(done.min(255.0) as u8)
}
