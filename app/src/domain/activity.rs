//! What a setup is doing, judged by the time since its last word.
//!
//! Activity is never stored: server and browser derive it from the same facts
//! and their own view of now, so a wall turns silent on time even while
//! nothing arrives.

use super::test::words;
use super::time::{Micros, Timestamp};
use serde::{Deserialize, Serialize};

words! {
    /// What a setup is doing.
    Activity {
        /// No run is open.
        Idle = "idle",
        /// A run is open and speaks.
        Running = "running",
        /// It speaks, but takes longer than it ever did.
        Overdue = "overdue",
        /// A run is open and nobody has spoken for too long.
        Silent = "silent",
        /// The last run was given up.
        Lost = "lost",
    }
}

/// What activity is derived from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityFacts {
    /// A run is open.
    pub open: bool,
    /// The newest run was given up.
    pub lost: bool,
    /// The last word of the setup, by our clock; none where silence says nothing.
    pub heard_at: Option<Timestamp>,
    /// From when on what it is busy with is late, by our clock.
    pub overdue_at: Option<Timestamp>,
}

/// How long until silence is called so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// No word for this long while a run is open: silent.
    pub silent_after: Micros,
    /// No word for this long while a run is open: lost.
    pub lost_after: Micros,
    /// The same for a run whose teller speaks rarely, which is never silent.
    pub rare_lost_after: Micros,
    /// Shards that nobody counted are taken as complete after this long.
    pub settle_after: Micros,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silent_after: Micros::from_secs(60),
            lost_after: Micros::from_secs(15 * 60),
            rare_lost_after: Micros::from_secs(6 * 3_600),
            settle_after: Micros::from_secs(20),
        }
    }
}

impl Activity {
    /// What a setup with these facts is doing at `now`. Silence weighs more
    /// than lateness: who does not speak cannot be trusted to be busy.
    pub fn of(now: Timestamp, facts: &ActivityFacts, silent_after: Micros) -> Self {
        if !facts.open {
            return if facts.lost { Self::Lost } else { Self::Idle };
        }
        if facts.heard_at.is_some_and(|heard| now.since(heard) >= silent_after) {
            Self::Silent
        } else if facts.overdue_at.is_some_and(|due| now >= due) {
            Self::Overdue
        } else {
            Self::Running
        }
    }

    /// How ill this looks, 0 for well: the order "sick first".
    pub const fn severity(self) -> u8 {
        match self {
            Self::Lost => 4,
            Self::Silent => 3,
            Self::Overdue => 2,
            Self::Running => 1,
            Self::Idle => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_follows_from_the_time_since_the_last_word() {
        let minute = Micros::from_secs(60);
        let facts = ActivityFacts {
            open: true,
            lost: false,
            heard_at: Some(Timestamp(0)),
            overdue_at: Some(Timestamp(30_000_000)),
        };
        let at = |second: i64| Activity::of(Timestamp(second * 1_000_000), &facts, minute);
        assert_eq!(at(29), Activity::Running);
        assert_eq!(at(30), Activity::Overdue);
        assert_eq!(at(59), Activity::Overdue);
        assert_eq!(at(60), Activity::Silent);
        let closed = ActivityFacts { open: false, lost: true, ..facts };
        assert_eq!(Activity::of(Timestamp(0), &closed, minute), Activity::Lost);
        assert_eq!(Activity::of(Timestamp(0), &ActivityFacts::default(), minute), Activity::Idle);
    }
}
