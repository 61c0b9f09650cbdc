//! What a strip was told, in the order of time whatever the order of arrival.

use super::reading::{Conduction, Reading};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What a result does to the rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// A test failed and passed on the same commit: one ectopic beat.
    Flaky,
    /// A test failed with its retries used up: one dropped beat.
    Failure,
}

/// Something that happened once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event {
    /// When it was heard, by the server's clock.
    pub at: Timestamp,
    /// What it does.
    pub kind: EventKind,
    /// What the caller knows it by; a beat gives it back. The same event told
    /// twice counts once.
    pub origin: u64,
}

/// A reading that holds from a moment on, until the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stated {
    pub at: Timestamp,
    /// Of two readings of one moment the newer version holds.
    pub version: u64,
    pub reading: Reading,
}

/// Times beyond this many µs from the epoch are taken as this: a clock that is
/// 36 000 years off must not overflow.
const FAR: i64 = 1 << 60;

/// `at` within what can be computed with.
pub(super) fn bounded(at: Timestamp) -> Timestamp {
    Timestamp(at.0.clamp(-FAR, FAR))
}

pub(super) trait Placed {
    fn place(&self) -> (Timestamp, u64);
}

impl Placed for Event {
    fn place(&self) -> (Timestamp, u64) {
        (self.at, self.origin)
    }
}

impl Placed for Stated {
    fn place(&self) -> (Timestamp, u64) {
        (self.at, self.version)
    }
}

/// Things in order of time. A number given to one of them stays valid when
/// older ones are forgotten.
#[derive(Clone, Debug)]
pub(super) struct Series<T> {
    items: VecDeque<T>,
    forgotten: u64,
}

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), forgotten: 0 }
    }
}

impl<T: Placed> Series<T> {
    /// Puts an item in its place; false if it is there already.
    fn insert(&mut self, item: T) -> bool {
        let place = item.place();
        let index = self.items.partition_point(|other| other.place() < place);
        if self.items.get(index).is_some_and(|other| other.place() == place) {
            return false;
        }
        self.items.insert(index, item);
        true
    }

    fn forget_before(&mut self, at: Timestamp) {
        let count = self.items.partition_point(|item| item.place().0 < at);
        self.items.drain(..count);
        self.forgotten += count as u64;
    }

    /// The number of the first item at or after `at`.
    pub fn first_from(&self, at: Timestamp) -> u64 {
        self.forgotten + self.items.partition_point(|item| item.place().0 < at) as u64
    }

    pub fn get(&self, number: u64) -> Option<&T> {
        self.items.get(usize::try_from(number.checked_sub(self.forgotten)?).ok()?)
    }
}

/// Everything a strip was told and has not forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub flaky: Series<Event>,
    pub failures: Series<Event>,
    readings: Series<Stated>,
}

impl Log {
    /// Takes an event; false if it is known.
    pub fn tell(&mut self, event: Event) -> bool {
        match event.kind {
            EventKind::Flaky => self.flaky.insert(event),
            EventKind::Failure => self.failures.insert(event),
        }
    }

    /// Takes a reading; false if it is known.
    pub fn state(&mut self, stated: Stated) -> bool {
        self.readings.insert(stated)
    }

    /// The number of the reading in force at `at`.
    fn in_force(&self, at: Timestamp) -> Option<u64> {
        self.readings.first_from(Timestamp(at.0.saturating_add(1))).checked_sub(1)
    }

    /// The reading in force at `at`. Before the first there is no data, which
    /// is what the default says.
    pub fn reading_at(&self, at: Timestamp) -> Reading {
        let stated = self.in_force(at).and_then(|number| self.readings.get(number));
        stated.map_or_else(Reading::default, |stated| stated.reading)
    }

    /// When the reading in force at `at` gives way to the next.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.readings.first_from(Timestamp(at.0.saturating_add(1)));
        self.readings.get(next).map(|stated| stated.at)
    }

    /// When the last standstill before `at` gave way to beats, if that was not
    /// before `since` and nothing else came between.
    pub fn standstill_ended(&self, at: Timestamp, since: Timestamp) -> Option<Timestamp> {
        let mut number = self.in_force(at)?;
        let mut ended = None;
        loop {
            let stated = self.readings.get(number)?;
            match stated.reading.conduction {
                Conduction::Beating => ended = Some(stated.at),
                Conduction::Standstill => return ended,
                Conduction::LeadOff => return None,
            }
            if stated.at < since {
                return None;
            }
            number = number.checked_sub(1)?;
        }
    }

    /// Forgets events before `events`, and readings that no longer hold at
    /// `readings`.
    pub fn forget(&mut self, events: Timestamp, readings: Timestamp) {
        self.flaky.forget_before(events);
        self.failures.forget_before(events);
        let held = self.in_force(readings).and_then(|number| self.readings.get(number));
        if let Some(at) = held.map(|stated| stated.at) {
            self.readings.forget_before(at);
        }
    }
}
