//! Which test an item is an attempt at.

use super::item::{Item, Role};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The most attempts that are told apart.
const ATTEMPTS_MAX: u32 = 1_000;

/// One test among those of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seat {
    attempt: u32,
    round: u32,
}

/// The tests of a launch by their place: suite, name and parameters.
#[derive(Debug, Default)]
pub(super) struct Seats(HashMap<String, Vec<Seat>>);

/// Whose attempt an item says it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Nobody's: it is a test of its own, unless the launch is run again.
    #[default]
    Own,
    /// The latest of the same name.
    Latest,
    /// This one of the same name.
    Of(u32),
}

fn place(item: &Item) -> String {
    let mut place = item.path.join("\u{1f}");
    for part in [Some(&*item.name), item.parameters.as_deref()].into_iter().flatten() {
        place.push('\u{1e}');
        place.push_str(part);
    }
    place
}

impl Seats {
    /// Gives an item its seat and the number of its attempt.
    pub(super) fn take(&mut self, item: &mut Item) {
        let seats = self.0.entry(place(item)).or_default();
        let round = item.round;
        let found = match item.claim {
            Claim::Own => seats.iter().position(|seat| seat.round < round),
            Claim::Latest => seats.len().checked_sub(1),
            Claim::Of(seat) => Some(seat as usize).filter(|seat| *seat < seats.len()),
        };
        let index = found.unwrap_or_else(|| {
            seats.push(Seat { attempt: 0, round });
            seats.len() - 1
        });
        let seat = &mut seats[index];
        *seat = Seat { attempt: (seat.attempt + 1).min(ATTEMPTS_MAX), round };
        (item.seat, item.attempt) = (index as u32, seat.attempt);
    }

    /// Takes an item in that had its seat before. Earlier ones come first.
    pub(super) fn restore(&mut self, item: &Item) {
        if item.role != Role::Test {
            return;
        }
        let seats = self.0.entry(place(item)).or_default();
        // A gap cannot be, as seats are given one after another; a row that
        // says otherwise must not cost the memory.
        let index = (item.seat as usize).min(seats.len());
        if index == seats.len() {
            seats.push(Seat::default());
        }
        let seat = &mut seats[index];
        *seat = Seat { attempt: seat.attempt.max(item.attempt), round: seat.round.max(item.round) };
    }

    /// The number of the latest attempt at the test of an item.
    pub(super) fn last_attempt(&self, item: &Item) -> u32 {
        self.0.get(&place(item)).and_then(|seats| seats.get(item.seat as usize)).map_or(0, |seat| seat.attempt)
    }

    /// An attempt that was never told.
    pub(super) fn leave(&mut self, item: &Item) {
        let Some(seats) = self.0.get_mut(&place(item)).filter(|_| item.role == Role::Test) else { return };
        let Some(seat) = seats.get_mut(item.seat as usize) else { return };
        seat.attempt = seat.attempt.saturating_sub(1);
        if seat.attempt == 0 && item.seat as usize + 1 == seats.len() {
            seats.pop();
        }
    }
}
