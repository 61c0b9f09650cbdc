//! Where the rhythm of a strip begins anew, so that any moment can be found.
//!
//! Each beat follows from the one before, so a strip that has run for a month
//! would have to be computed from its first second. Instead the rhythm *lands*
//! once a minute. The anchor of a minute is a moment known from the seed alone.
//! Over the last 10 s before it the intervals are stretched by a few per cent,
//! so that one beat falls two mean intervals before the anchor (the landing)
//! and one on the anchor itself. Everything that came up before the landing is
//! shown by then, at worst as one beat that counts for several; what comes up
//! in the last 1.3 intervals waits for the anchor. So the state at an anchor
//! does not depend on what was before it, and any moment is found by going back
//! to the last anchor: at most a minute of beats.

use super::chance::{Channel, uniform};
use super::log::Log;
use crate::domain::time::Timestamp;

/// One landing to the next, µs. A multiple of the 20 s in which the waves of
/// the heart rate repeat, so that seconds may be counted from its beginning.
pub(super) const EPOCH: i64 = 60_000_000;

/// The first beat of an epoch is at least this far in, s.
const FIRST: f64 = 0.4;

/// Anchors of different strips differ by up to this, s: a wall must not beat as one.
const SPREAD: f64 = 0.8;

/// The intervals are led to the landing for this long before the anchor, s.
const APPROACH: f64 = 10.0;

/// The landing lies this many mean intervals before the anchor.
const LANDING: f64 = 2.0;

/// What happens later than this many mean intervals before the anchor waits for it.
const CUT: f64 = 1.3;

pub(super) fn to_micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

/// The moment of the anchor of an epoch.
pub(super) fn anchor(seed: u64, epoch: i64) -> Timestamp {
    // Multiples of one number, as far as they exceed whole numbers, are spread
    // evenly; those of epoch 0 begin at nought.
    let share = (epoch as f64 * uniform(seed, 0, Channel::Anchor)).rem_euclid(1.0);
    Timestamp(epoch.saturating_mul(EPOCH).saturating_add(to_micros(FIRST + SPREAD * share)))
}

/// The epoch whose anchor is the last at or before `at`.
pub(super) fn epoch_at(seed: u64, at: Timestamp) -> i64 {
    let epoch = at.0.div_euclid(EPOCH);
    if anchor(seed, epoch) > at { epoch - 1 } else { epoch }
}

/// How the coming anchor is approached. Its interval is held from the moment
/// the approach begins, so that no change of rate can spoil the landing.
pub(super) struct Approach {
    /// When it begins, s from the beginning of the epoch.
    pub begins: f64,
    /// The place of the landing, s.
    pub landing: f64,
    /// The mean interval, s.
    pub rr: f64,
    /// What happens from here on waits for the anchor.
    pub cut: Timestamp,
}

impl Approach {
    /// The approach to the anchor of `epoch`, counted from `base` (µs).
    pub fn to(seed: u64, epoch: i64, base: i64, log: &Log) -> Self {
        let anchor = anchor(seed, epoch);
        let rr = log.reading_at(Timestamp(anchor.0 - to_micros(APPROACH))).mean_rr();
        let place = (anchor.0 - base) as f64 / 1e6;
        Self {
            begins: place - APPROACH,
            landing: place - LANDING * rr,
            rr,
            cut: Timestamp(anchor.0 - to_micros(CUT * rr)),
        }
    }
}
