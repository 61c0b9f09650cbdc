//! Files: their contents, and what they belong to.

use app::domain::file::{Attachment, Digest};
use app::domain::ids::{PlaceId, RunId};
use app::domain::time::Timestamp;

/// A content that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentRow {
    /// Its SHA-256.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last taken in, by our clock.
    pub taken_at: Timestamp,
    /// Since when its bytes are being deleted.
    pub leaving_at: Option<Timestamp>,
}

/// A file that belongs to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentRow {
    /// Which run.
    pub run: RunId,
    /// The suite or test in it, or the run itself.
    pub place: PlaceId,
    /// Of a test, from 1; else 0.
    pub attempt: u32,
    /// What it is.
    pub attachment: Attachment,
    /// When it came, by the listener's clock.
    pub at: Timestamp,
}
