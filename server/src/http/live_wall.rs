//! `GET /live/wall`: every setup, live, for our own pages.
//!
//! The frames come ready made from the recorder, signs of life among them: in
//! one order, so that a beat's digest is that of the tiles before it.

use super::Door;
use super::problem::Refusal;
use super::sse::{self, Frames};
use crate::service::{Desk, WallView};
use app::domain::rights::Action;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};

/// Streams the wall.
pub async fn get(State(door): State<Door>, desk: Desk) -> Result<Response, Refusal> {
    // Subscribed before the snapshot is made: what changes in between comes
    // twice, and the newer version wins; nothing is lost.
    let frames = desk.bus().tiles();
    let view = desk.wall_view().await?;
    Ok(sse::respond(desk, Action::Show, Wall { door, view, frames, opened: false }))
}

struct Wall {
    door: Door,
    view: WallView,
    frames: broadcast::Receiver<Bytes>,
    opened: bool,
}

impl Frames for Wall {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.opened {
            self.opened = true;
            return Some(self.view.snapshot());
        }
        loop {
            let frame = tokio::select! {
                biased;
                () = self.door.stop.cancelled() => return None,
                frame = self.frames.recv() => frame,
            };
            match frame {
                Ok(frame) => {
                    if let Some(frame) = self.view.after(frame) {
                        return Some(frame);
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    // What waits is older than the snapshot.
                    self.frames = self.frames.resubscribe();
                    return Some(self.view.snapshot());
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
