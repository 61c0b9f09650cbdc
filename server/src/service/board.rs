//! The newest tile of every setup, in memory.
//!
//! The recorder writes it after each commit, before it answers: who reads
//! after a receipt sees what the receipt is for. Pages, streams and the public
//! reads all look here, so a wall of 500 setups costs no statement.

use app::domain::activity::Patience;
use app::domain::ids::SetupId;
use app::domain::time::{Micros, Timestamp};
use app::live::{self, Beat, Message};
use app::read::{Tile, Wall};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Tiles by the id of their setup.
#[derive(Debug)]
pub struct Board {
    build: String,
    patience: Patience,
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tiles: BTreeMap<SetupId, Arc<Tile>>,
    by_name: BTreeMap<String, SetupId>,
    /// Rises with every change.
    epoch: u64,
    /// The last snapshot and when it was made: streams that open in the same
    /// moment share one.
    snapshot: Option<(Timestamp, Bytes)>,
}

/// How long a snapshot may be shared.
const SNAPSHOT_KEPT: Micros = Micros::from_millis(500);

/// One server-sent event with a JSON text.
pub fn frame(json: &str) -> Bytes {
    Bytes::from(format!("data: {json}\n\n"))
}

/// A message of the wall's stream as a frame.
pub fn frame_of(message: &Message) -> Bytes {
    // Tiles are plain values with text keys: writing them cannot fail.
    frame(&serde_json::to_string(message).unwrap_or_default())
}

impl Board {
    /// An empty board of a server of this build.
    pub fn new(build: String, patience: Patience) -> Self {
        Self { build, patience, inner: RwLock::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How long until silence is called so.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Which build this server is.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// Puts tiles up, replacing those of the same setups.
    pub fn put(&self, tiles: impl IntoIterator<Item = Arc<Tile>>) {
        let mut inner = self.write();
        for tile in tiles {
            inner.by_name.insert(tile.name.clone(), tile.setup);
            inner.tiles.insert(tile.setup, tile);
        }
        inner.epoch += 1;
        inner.snapshot = None;
    }

    /// One tile, by its setup's name.
    pub fn tile(&self, name: &str) -> Option<Arc<Tile>> {
        let inner = self.read();
        inner.tiles.get(inner.by_name.get(name)?).cloned()
    }

    /// One tile, by its setup.
    pub fn tile_of(&self, setup: SetupId) -> Option<Arc<Tile>> {
        self.read().tiles.get(&setup).cloned()
    }

    /// All tiles, by name.
    pub fn tiles(&self) -> Vec<Arc<Tile>> {
        let inner = self.read();
        inner.by_name.values().filter_map(|setup| inner.tiles.get(setup).cloned()).collect()
    }

    /// The wall, with the tiles that are seen.
    pub fn wall(&self, now: Timestamp, is_seen: impl Fn(&Tile) -> bool) -> Wall {
        let tiles = self.tiles().iter().filter(|tile| is_seen(tile)).map(|tile| Tile::clone(tile)).collect();
        Wall { tiles, now, build: self.build.clone(), silent_after: self.patience.silent_after }
    }

    /// The wall as the first frame of a stream. It carries our clock, so an
    /// old one is not handed out again.
    pub fn snapshot_frame(&self, now: Timestamp) -> Bytes {
        let epoch = {
            let inner = self.read();
            match &inner.snapshot {
                Some((made, frame)) if now.since(*made) < SNAPSHOT_KEPT => return frame.clone(),
                _ => inner.epoch,
            }
        };
        let fresh = frame_of(&Message::Snapshot(self.wall(now, |_| true)));
        let mut inner = self.write();
        // A tile that changed while the frame was written must not be hidden
        // behind it.
        if inner.epoch == epoch {
            inner.snapshot = Some((now, fresh.clone()));
        }
        fresh
    }

    /// The sign of life.
    pub fn beat(&self, now: Timestamp) -> Beat {
        let inner = self.read();
        let digest = live::digest(inner.tiles.values().map(|tile| (tile.setup, tile.version)));
        Beat { now, build: self.build.clone(), digest }
    }

    /// The sign of life as a frame of the wall's stream.
    pub fn beat_frame(&self, now: Timestamp) -> Bytes {
        frame_of(&Message::Beat(self.beat(now)))
    }
}

/// Tiles as a frame of the wall's stream.
pub fn tiles_frame(tiles: &[Arc<Tile>]) -> Bytes {
    let tiles = tiles.iter().map(|tile| Tile::clone(tile)).collect();
    frame_of(&Message::Tiles(tiles))
}
