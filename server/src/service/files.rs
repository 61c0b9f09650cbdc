//! Files: taken in, handed out, and deleted when nothing points at them.
//!
//! A content is written down as wanted before its bytes are in their place, and
//! stays for a day from then on whether or not something points at it already:
//! the words that do come after it, and may have to be sent twice.

use super::Service;
use super::failure::{Failure, chain};
use crate::files::{Incoming, Pieces};
use crate::store::StoreError;
use app::domain::file::Digest;
use app::domain::time::Micros;
use std::ops::Range;
use std::time::Duration;

/// How long a content stays that nothing points at.
const STAYS: Micros = Micros::from_secs(86_400);

/// Deleting a file never takes so long: who marked it and did not finish died.
const DIED_AFTER: Micros = Micros::from_secs(600);

/// How long is waited, and how often, for a content that is just being deleted.
const AGAIN_AFTER: [Duration; 5] = [
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Contents that are looked at in one step of tidying up.
const LOOKED_AT: u32 = 500;

/// A file that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its content.
    pub file: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// What came of one step of tidying up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Where the next step begins; none where this was the last one.
    pub next: Option<Digest>,
    /// Contents that were deleted.
    pub deleted: u32,
    /// Their bytes.
    pub bytes: u64,
}

impl Service {
    /// Begins a file that is taken in piece by piece. It is kept by
    /// [`Service::keep_file`], and leaves nothing where it is dropped.
    pub fn begin_file(&self) -> Incoming {
        self.inner.files.begin(self.inner.file_most)
    }

    /// The most bytes that a file may have.
    pub fn file_most(&self) -> u64 {
        self.inner.file_most
    }

    /// Keeps a file that is whole. It stays for a day, and for as long as
    /// something points at it.
    pub async fn keep_file(&self, incoming: Incoming) -> Result<Kept, Failure> {
        let sealed = incoming.seal().await?;
        let kept = Kept { file: sealed.digest, size: sealed.size };
        self.want(kept).await?;
        self.inner.files.place(sealed).await?;
        Ok(kept)
    }

    async fn want(&self, Kept { file, size }: Kept) -> Result<(), Failure> {
        let take = || self.inner.store.content_take(file, size, self.now());
        for pause in AGAIN_AFTER {
            if take().await? {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        let busy = Failure::Busy { reason: "the same file is just being deleted", retry_after: 60, source: None };
        if take().await? { Ok(()) } else { Err(busy) }
    }

    /// Keeps a file of which all bytes are at hand.
    pub async fn put_file(&self, bytes: &[u8]) -> Result<Kept, Failure> {
        let mut incoming = self.begin_file();
        incoming.write(bytes).await?;
        self.keep_file(incoming).await
    }

    /// The bytes of a file within a range; `None` where it is not kept.
    pub async fn file(&self, file: Digest, range: Range<u64>) -> Result<Option<Pieces>, Failure> {
        Ok(self.inner.files.read(file, range).await?)
    }

    /// Deletes contents that nothing needs, among the next few after `after`.
    pub async fn tidy_files(&self, after: Option<Digest>) -> Result<Tidied, Failure> {
        let before = self.now() - STAYS;
        let after = after.unwrap_or(Digest([0; 32]));
        let rows = self.inner.store.content_idle(after, before, LOOKED_AT).await?;
        let is_full = rows.len() == LOOKED_AT as usize;
        let mut tidied =
            Tidied { next: rows.last().filter(|_| is_full).map(|(row, _)| row.digest), ..Tidied::default() };
        for (row, _) in rows.into_iter().filter(|(_, is_idle)| *is_idle) {
            if self.delete_file(row.digest).await? {
                tidied.deleted += 1;
                tidied.bytes += row.size;
            }
        }
        Ok(tidied)
    }

    async fn delete_file(&self, file: Digest) -> Result<bool, StoreError> {
        let (store, now) = (&self.inner.store, self.now());
        if !store.content_leave(file, now - STAYS, now, now - DIED_AFTER).await? {
            return Ok(false);
        }
        if let Err(error) = self.inner.files.delete(file).await {
            tracing::warn!(%file, error = %chain(&error), "a file that nothing needs could not be deleted; will try again");
            store.content_stay(file).await?;
            return Ok(false);
        }
        store.content_forget(file).await?;
        Ok(true)
    }
}
