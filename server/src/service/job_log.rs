//! What jobs put out: taken in packed pieces, kept as they came, read from
//! anywhere.

mod find;
mod index;

pub use find::{LogHits, SOUGHT};
pub use index::{LogIndex, LogStep, LogStretch};

use super::desk::Desk;
use super::failure::Failure;
use super::jobs::no_job;
use crate::store::rows::LogPiece;
use app::domain::ids::JobId;
use app::domain::job::Claim;
use app::domain::rights::Action;
use bytes::Bytes;
use flate2::read::GzDecoder;
use std::io::Read;

/// Bytes of a piece at most, unpacked.
pub const PIECE_MOST: usize = 4 * 1024 * 1024;

/// Bytes of the log of one attempt.
pub const LOG_MOST: u64 = 1024 * 1024 * 1024;

/// Pieces that are read at once, which may be of a few bytes each …
const PIECES_AT_ONCE: u32 = 4_096;

/// … and what is unpacked of them: no piece more once there is so much.
const TEXT_AT_ONCE: usize = 1024 * 1024;

/// A part of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPart {
    /// The bytes before it.
    pub start: u64,
    /// It.
    pub text: Vec<u8>,
}

impl LogPart {
    /// Where it ends.
    pub fn end(&self) -> u64 {
        self.start + self.text.len() as u64
    }
}

/// What is known of a piece once it was unpacked.
fn measure(packed: &[u8]) -> Result<(u32, u32), &'static str> {
    let text = unpack(packed)?;
    let lines = memchr::memchr_iter(b'\n', &text).count();
    Ok((text.len() as u32, lines as u32))
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut text = Vec::new();
    let most = PIECE_MOST as u64 + 1;
    GzDecoder::new(packed).take(most).read_to_end(&mut text).map_err(|_| "is not packed with gzip")?;
    if text.len() > PIECE_MOST { Err("is more than 4 MiB unpacked") } else { Ok(text) }
}

async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, &'static str> + Send + 'static,
) -> Result<Result<T, &'static str>, Failure> {
    let gone = |_| Failure::Upstream("a piece of a log could not be read".into());
    tokio::task::spawn_blocking(work).await.map_err(gone)
}

impl Desk {
    /// Adds a packed piece to the log of a job. Tells where the log ends now:
    /// a worker that is told another place than it thought goes on from there.
    pub async fn append_log(&self, id: JobId, by: Claim, start: u64, packed: Bytes) -> Result<u64, Failure> {
        self.allow(Action::Work)?;
        let measured = packed.clone();
        let measured = elsewhere(move || measure(&measured)).await?;
        let (size, lines) =
            measured.map_err(|why| Failure::Invalid { pointer: String::new(), detail: format!("the piece {why}") })?;
        if start + u64::from(size) > LOG_MOST {
            return Err(Failure::TooLarge("a job may put out 1 GiB at most".into()));
        }
        let piece = LogPiece { start, size, lines, packed: packed.into() };
        let end = self.inner.store.log_append(id, by.attempt, &piece).await?;
        let end = end.ok_or_else(|| {
            Failure::Conflict("the lease of this attempt is over; stop it, its results count for nothing".into())
        })?;
        self.inner.bus.job_changed(id);
        Ok(end)
    }

    /// The log of a job from a place on, a part of it; empty at its end. The
    /// last attempt where none is named.
    pub async fn job_log(&self, id: JobId, attempt: Option<u32>, from: u64) -> Result<LogPart, Failure> {
        self.reading().await?;
        let attempt = match attempt {
            Some(attempt) => attempt,
            None => self.inner.store.job_get(id).await?.ok_or_else(|| no_job(id))?.job.attempt,
        };
        let range = from..from.saturating_add(TEXT_AT_ONCE as u64);
        let pieces = self.inner.store.log_read(id, attempt, range, PIECES_AT_ONCE).await?;
        let joined = elsewhere(move || {
            let mut part = LogPart { start: from, text: Vec::new() };
            for piece in pieces {
                if part.text.len() >= TEXT_AT_ONCE {
                    break;
                }
                let text = unpack(&piece.packed)?;
                let known = usize::try_from(part.end().saturating_sub(piece.start)).unwrap_or(usize::MAX);
                part.text.extend_from_slice(text.get(known..).unwrap_or_default());
            }
            Ok(part)
        });
        joined.await?.map_err(|why| Failure::Upstream(format!("a piece of this log {why}")))
    }

    /// Where the log of a job ends.
    pub async fn job_log_end(&self, id: JobId, attempt: u32) -> Result<u64, Failure> {
        self.reading().await?;
        Ok(self.inner.store.log_end(id, attempt).await?)
    }
}
