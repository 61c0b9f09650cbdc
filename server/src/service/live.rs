//! The wall's stream for one asker.
//!
//! Who sees everything gets the frames that all streams share. For who sees a
//! part of it, such a frame is no more than a bell: what follows is told from
//! the board, and a setup that is not seen any more goes with a snapshot.

use super::board::frame_of;
use super::desk::{Desk, Sight};
use super::failure::Failure;
use app::domain::ids::SetupId;
use app::domain::rights::Action;
use app::live::{Beat, Message, digest};
use app::read::Tile;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the shared frames of a beat begin.
const BEAT: &[u8] = b"data: {\"Beat\"";

/// What a stream of the wall has told.
pub struct WallView {
    desk: Desk,
    sight: Sight,
    told: BTreeMap<SetupId, u64>,
}

impl Desk {
    /// A stream of the wall that has told nothing yet.
    pub async fn wall_view(&self) -> Result<WallView, Failure> {
        let sight = self.sight(Action::Show).await?;
        Ok(WallView { desk: self.clone(), sight, told: BTreeMap::new() })
    }
}

impl WallView {
    /// Everything that is seen.
    pub fn snapshot(&mut self) -> Bytes {
        let (board, now) = (&self.desk.inner.board, self.desk.now());
        if matches!(self.sight, Sight::Everything) {
            return board.snapshot_frame(now);
        }
        let wall = board.wall(now, |tile| self.sight.sees(tile));
        self.told = wall.tiles.iter().map(|tile| (tile.setup, tile.version)).collect();
        frame_of(&Message::Snapshot(wall))
    }

    /// What is to be told after a frame that all streams share; none where it
    /// changed nothing that is seen.
    pub fn after(&mut self, shared: Bytes) -> Option<Bytes> {
        if matches!(self.sight, Sight::Everything) {
            return Some(shared);
        }
        if shared.starts_with(BEAT) {
            let versions = self.told.iter().map(|(setup, version)| (*setup, *version));
            let (now, build) = (self.desk.now(), self.desk.inner.board.build().to_owned());
            return Some(frame_of(&Message::Beat(Beat { now, build, digest: digest(versions) })));
        }
        let tiles = self.desk.inner.board.tiles();
        let seen: Vec<&Arc<Tile>> = tiles.iter().filter(|tile| self.sight.sees(tile)).collect();
        let is_gone = self.told.keys().any(|setup| seen.iter().all(|tile| tile.setup != *setup));
        if is_gone {
            return Some(self.snapshot());
        }
        let is_new = |tile: &&&Arc<Tile>| self.told.get(&tile.setup) != Some(&tile.version);
        let new: Vec<Tile> = seen.iter().filter(is_new).map(|tile| Tile::clone(tile)).collect();
        self.told.extend(new.iter().map(|tile| (tile.setup, tile.version)));
        (!new.is_empty()).then(|| frame_of(&Message::Tiles(new)))
    }
}
