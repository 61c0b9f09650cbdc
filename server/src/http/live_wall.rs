//! `GET /live/wall`: every setup, live, for our own pages.
//!
//! The frames come ready made from the recorder, signs of life among them: in
//! one order, so that a beat's digest is that of the tiles before it.

use super::Door;
use super::sse::{self, Frames};
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};

/// Streams the wall.
pub async fn get(State(door): State<Door>) -> Response {
    // Subscribed before the snapshot is made: what changes in between comes
    // twice, and the newer version wins; nothing is lost.
    let frames = door.service.bus().tiles();
    sse::respond(Wall { door, frames, opened: false })
}

struct Wall {
    door: Door,
    frames: broadcast::Receiver<Bytes>,
    opened: bool,
}

impl Wall {
    fn snapshot(&self) -> Bytes {
        self.door.service.board().snapshot_frame(self.door.service.now())
    }
}

impl Frames for Wall {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.opened {
            self.opened = true;
            return Some(self.snapshot());
        }
        tokio::select! {
            biased;
            () = self.door.stop.cancelled() => None,
            frame = self.frames.recv() => match frame {
                Ok(frame) => Some(frame),
                Err(RecvError::Lagged(_)) => {
                    // What waits is older than the snapshot.
                    self.frames = self.frames.resubscribe();
                    Some(self.snapshot())
                }
                Err(RecvError::Closed) => None,
            },
        }
    }
}
