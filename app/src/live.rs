//! What travels to open pages, and the pure rule by which they take it.
//!
//! State travels, not events: a message carries the newest tile or row, and a
//! newer version replaces an older one. A message may be lost, doubled or
//! overtaken; the digest in each beat tells a page that it missed something,
//! and a snapshot heals it.

use crate::domain::ids::SetupId;
use crate::domain::time::{Micros, Timestamp};
use crate::read::{RunHead, RunPage, SuiteLine, TestLine, Tile, Wall};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// How often a stream says that it is alive.
pub const BEAT_EVERY: Micros = Micros::from_secs(15);

/// Without a beat for this long a page is stale, and says so.
pub const STALE_AFTER: Micros = Micros::from_secs(40);

/// On the wall's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// Everything, first and after a gap.
    Snapshot(Wall),
    /// Setups that changed.
    Tiles(Vec<Tile>),
    /// Alive.
    Beat(Beat),
}

/// On a run's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RunMessage {
    /// Everything, first and after a gap.
    Snapshot(Box<RunPage>),
    /// What changed.
    Change(Box<RunChange>),
    /// Alive.
    Beat(Beat),
}

/// Alive, and what a page needs to know that it is right.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct Beat {
    /// The server's clock.
    pub now: Timestamp,
    /// Which build the server is; another one means: load the page again.
    pub build: String,
    /// [`digest`] of the newest versions.
    pub digest: u64,
}

/// What changed in a run.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct RunChange {
    /// The head, with the version this change leads to.
    pub head: RunHead,
    /// Suites that changed.
    pub suites: Vec<SuiteLine>,
    /// Tests that changed.
    pub tests: Vec<TestLine>,
    /// The server's clock.
    pub now: Timestamp,
}

/// One number for many versions (FNV-1a over setup and version, in the order
/// given). Pages and server must give the same order: by setup id.
pub fn digest(versions: impl Iterator<Item = (SetupId, u64)>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (setup, version) in versions {
        for byte in setup.0.as_bytes().iter().chain(&version.to_le_bytes()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    // JavaScript numbers are exact up to 53 bits, and a beat may be read there.
    hash >> 11
}

/// What taking a message asks of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing new.
    Nothing,
    /// These setups changed, by index into [`Board::tiles`].
    Changed(Vec<usize>),
    /// Setups came or went: draw anew.
    Redraw,
    /// Something was missed: ask for a snapshot.
    Missed,
    /// The server is another build: load the page again.
    NewBuild,
}

/// What a page knows of all setups.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Setups by name.
    pub tiles: Vec<Tile>,
    build: String,
}

impl Board {
    /// A board that shows a wall.
    pub fn new(wall: Wall) -> Self {
        let mut board = Self { tiles: wall.tiles, build: wall.build };
        board.sort();
        board
    }

    fn sort(&mut self) {
        self.tiles.sort_by(|a, b| a.name.cmp(&b.name).then(a.setup.cmp(&b.setup)));
    }

    /// [`digest`] of what the board shows.
    pub fn digest(&self) -> u64 {
        let mut versions: Vec<_> = self.tiles.iter().map(|tile| (tile.setup, tile.version)).collect();
        versions.sort_unstable();
        digest(versions.into_iter())
    }

    /// Takes a message: a newer version wins, an older one is dropped. In a
    /// snapshot what is not there is gone.
    pub fn take(&mut self, message: Message) -> Taken {
        match message {
            Message::Beat(beat) if beat.build != self.build => Taken::NewBuild,
            Message::Beat(beat) if beat.digest != self.digest() => Taken::Missed,
            Message::Beat(_) => Taken::Nothing,
            Message::Snapshot(wall) if wall.build != self.build => Taken::NewBuild,
            Message::Snapshot(wall) => {
                let same_setups = wall.tiles.len() == self.tiles.len()
                    && wall.tiles.iter().all(|tile| self.index_of(tile.setup).is_some());
                if same_setups {
                    return self.patch(wall.tiles);
                }
                *self = Self::new(wall);
                Taken::Redraw
            }
            Message::Tiles(tiles) => self.patch(tiles),
        }
    }

    fn index_of(&self, setup: SetupId) -> Option<usize> {
        self.tiles.iter().position(|tile| tile.setup == setup)
    }

    fn patch(&mut self, tiles: Vec<Tile>) -> Taken {
        let mut changed = Vec::new();
        let mut came = false;
        for tile in tiles {
            match self.index_of(tile.setup) {
                Some(at) if self.tiles[at].version < tile.version => {
                    self.tiles[at] = tile;
                    changed.push(at);
                }
                Some(_) => {}
                None => {
                    self.tiles.push(tile);
                    came = true;
                }
            }
        }
        if came {
            self.sort();
            Taken::Redraw
        } else if changed.is_empty() {
            Taken::Nothing
        } else {
            Taken::Changed(changed)
        }
    }
}

impl RunPage {
    /// Takes a change: newer rows replace older ones, unknown ones are added.
    /// Returns whether anything changed.
    pub fn take(&mut self, change: RunChange) -> bool {
        if change.head.version <= self.head.version {
            return false;
        }
        self.now = change.now;
        self.head = change.head;
        for suite in change.suites {
            match self.suites.iter_mut().find(|known| known.ordinal == suite.ordinal) {
                Some(known) => *known = suite,
                None => self.suites.push(suite),
            }
        }
        for test in change.tests {
            match self.tests.binary_search_by_key(&test.ordinal, |known| known.ordinal) {
                Ok(at) => self.tests[at] = test,
                Err(at) => self.tests.insert(at, test),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::activity::ActivityFacts;
    use uuid::Uuid;

    fn tile(id: u128, version: u64) -> Tile {
        Tile {
            setup: SetupId(Uuid::from_u128(id)),
            name: format!("bench {id}"),
            comment: None,
            version,
            seen_at: None,
            facts: ActivityFacts::default(),
            run: None,
            has_builds: false,
            pulse: crate::read::Pulse::default(),
            claim: None,
            reservation: None,
        }
    }

    fn wall(tiles: Vec<Tile>) -> Wall {
        Wall { tiles, now: Timestamp(0), build: "b1".into(), silent_after: Micros::from_secs(60) }
    }

    fn beat(build: &str, digest: u64) -> Message {
        Message::Beat(Beat { now: Timestamp(0), build: build.into(), digest })
    }

    #[test]
    fn a_newer_tile_wins_and_an_older_one_is_dropped() {
        let mut board = Board::new(wall(vec![tile(1, 5), tile(2, 5)]));
        assert_eq!(board.take(Message::Tiles(vec![tile(1, 4), tile(2, 6)])), Taken::Changed(vec![1]));
        assert_eq!((board.tiles[0].version, board.tiles[1].version), (5, 6));
        assert_eq!(board.take(Message::Tiles(vec![tile(3, 1)])), Taken::Redraw);
    }

    #[test]
    fn a_lost_message_is_noticed_at_the_beat_and_healed_by_a_snapshot() {
        let server = vec![tile(1, 5), tile(2, 6)];
        let mut board = Board::new(wall(vec![tile(1, 5), tile(2, 5)]));
        let truth = Board::new(wall(server.clone())).digest();
        assert_eq!(board.take(beat("b1", truth)), Taken::Missed);
        assert_eq!(board.take(Message::Snapshot(wall(server))), Taken::Changed(vec![1]));
        assert_eq!(board.take(beat("b1", truth)), Taken::Nothing);
    }

    #[test]
    fn another_build_means_load_again() {
        let mut board = Board::new(wall(vec![]));
        assert_eq!(board.take(beat("b2", 0)), Taken::NewBuild);
    }

    #[test]
    fn a_setup_missing_from_a_snapshot_is_gone() {
        let mut board = Board::new(wall(vec![tile(1, 1), tile(2, 1)]));
        assert_eq!(board.take(Message::Snapshot(wall(vec![tile(2, 1)]))), Taken::Redraw);
        assert_eq!(board.tiles.len(), 1);
    }
}
