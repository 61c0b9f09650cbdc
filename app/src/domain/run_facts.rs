//! The parts of a run that are joined rather than set.
//!
//! Each part keeps what was said in a form in which order and repetition do
//! not matter: the earliest, the latest, the union. A run is then the join of
//! its events, whatever the order they arrive in.

use super::name::ProjectName;
use super::time::{Micros, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A word and when it was said; of two, the later stands. Of two said at the
/// same moment the greater stands, so that the order does not matter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said<T> {
    /// When, by the listener's clock.
    pub at: Timestamp,
    /// What.
    pub value: T,
}

/// Joins a word into a place. Tells whether the place changed.
pub fn say<T: Ord>(place: &mut Option<Said<T>>, at: Timestamp, value: T) -> bool {
    let said = Said { at, value };
    let changes = place.as_ref().is_none_or(|standing| *standing < said);
    if changes {
        *place = Some(said);
    }
    changes
}

/// Joins the earlier of two times.
pub fn earliest(place: &mut Option<Timestamp>, at: Timestamp) {
    *place = Some(place.map_or(at, |standing| standing.min(at)));
}

/// Joins the greater of two numbers.
pub fn greatest(place: &mut Option<u32>, value: Option<u32>) {
    *place = (*place).max(value);
}

/// What the listener told about the run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The project, where it was named.
    pub project: Option<Said<ProjectName>>,
    /// A name for people.
    pub name: Option<Said<Box<str>>>,
    /// The commit under test.
    pub commit: Option<Said<Box<str>>>,
    /// Its branch.
    pub branch: Option<Said<Box<str>>>,
    /// What set the run off.
    pub trigger: Option<Said<Box<str>>>,
    /// Where more is to be seen.
    pub url: Option<Said<Box<str>>>,
    /// Who set it off.
    pub user: Option<Said<Box<str>>>,
    /// The framework and its version.
    pub framework: Option<Said<Box<str>>>,
    /// Anything else.
    pub attributes: BTreeMap<Box<str>, Said<Box<str>>>,
}

/// The shards of a run. A run that is not sharded has one, unnumbered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shards {
    /// How many there will be, where that was said.
    pub announced: Option<u32>,
    /// Those that began, with the tests each promised.
    pub started: BTreeMap<u32, u32>,
    /// Tests promised by starts that carried no shard number.
    pub promised: u32,
    /// Those that ended.
    pub finished: BTreeSet<u32>,
    /// A word of the end came without a shard number.
    pub finished_whole: bool,
    /// The last word of an end.
    pub finished_at: Option<Timestamp>,
    /// One of the ends was an abort.
    pub aborted: bool,
}

/// How far the shards have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// At least one has not ended.
    Open,
    /// All that began have ended, but nobody said how many there would be:
    /// another may follow.
    Settling,
    /// The run is over.
    Complete,
}

impl Shards {
    /// Tests promised by all of them.
    pub fn total_tests(&self) -> u32 {
        self.started.values().fold(self.promised, |sum, promised| sum.saturating_add(*promised))
    }

    /// Whether the run is over, as far as its shards tell. An end without a
    /// number is the end of the whole run, unless a numbered shard is still open
    /// beside one that ended.
    pub fn completion(&self) -> Completion {
        let ended = self.finished.len() as u32;
        let has_ends = ended > 0;
        let all_ended = self.started.keys().all(|shard| self.finished.contains(shard));
        match self.announced {
            Some(announced) if ended >= announced => Completion::Complete,
            Some(_) => Completion::Open,
            // Whoever knows the whole said that no other follows.
            None if self.finished_whole && (all_ended || !has_ends) => Completion::Complete,
            None if has_ends && all_ended => Completion::Settling,
            None => Completion::Open,
        }
    }
}

/// How the listener's clock stands to ours.
///
/// It is the least delay between an event and its arrival. A late delivery only makes delays longer, so the least one
/// tells a wrong clock from a slow road once a single event came straight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockOffset(Option<Micros>);

/// Clocks that differ by less than this are taken as they are.
pub const CLOCK_TOLERANCE: Micros = Micros::from_secs(10 * 60);

impl ClockOffset {
    /// Joins the delay of one event.
    pub fn observe(&mut self, delay: Micros) {
        self.0 = Some(self.0.map_or(delay, |least| least.min(delay)));
    }

    /// What to add to the listener's times, where its clock is plainly wrong.
    pub fn correction(self) -> Option<Micros> {
        self.0.filter(|delay| delay.abs() > CLOCK_TOLERANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsharded_run_ends_with_its_end() {
        let mut shards = Shards::default();
        assert_eq!(shards.completion(), Completion::Open);
        shards.finished_whole = true;
        assert_eq!(shards.completion(), Completion::Complete);
    }

    #[test]
    fn announced_shards_must_all_end() {
        let mut shards = Shards { announced: Some(2), ..Shards::default() };
        shards.started.insert(1, 10);
        shards.finished.insert(1);
        assert_eq!(shards.completion(), Completion::Open);
        shards.finished.insert(2);
        assert_eq!(shards.completion(), Completion::Complete);
    }

    #[test]
    fn shards_nobody_counted_settle() {
        let mut shards = Shards::default();
        shards.started.insert(7, 10);
        shards.started.insert(9, 5);
        shards.finished.insert(7);
        assert_eq!(shards.completion(), Completion::Open);
        shards.finished.insert(9);
        assert_eq!((shards.completion(), shards.total_tests()), (Completion::Settling, 15));
    }

    #[test]
    fn shards_nobody_counted_need_not_settle_once_the_whole_has_ended() {
        let mut shards = Shards { finished_whole: true, ..Shards::default() };
        shards.started.insert(7, 10);
        shards.started.insert(9, 5);
        shards.finished.insert(7);
        assert_eq!(shards.completion(), Completion::Open);
        shards.finished.insert(9);
        assert_eq!(shards.completion(), Completion::Complete);
    }

    #[test]
    fn one_straight_event_tells_a_late_delivery_from_a_wrong_clock() {
        let mut offset = ClockOffset::default();
        offset.observe(Micros::from_secs(5 * 3_600));
        assert!(offset.correction().is_some());
        offset.observe(Micros::from_millis(20));
        assert_eq!(offset.correction(), None);
        offset.observe(Micros::from_secs(-7_200));
        assert_eq!(offset.correction(), Some(Micros::from_secs(-7_200)));
    }
}
