//! What a job puts out, on its way to the server: masked, packed, in pieces.
//!
//! A task of its own sends, so a server that is away holds the job's output up
//! and nothing else: what waits is bounded by the channel, then by the pipe,
//! and then the job's programs wait.

use super::mask::Mask;
use super::office::{Office, OfficeError};
use app::domain::ids::JobId;
use app::domain::job::Claim;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Texts that wait to be sent.
const WAITING: usize = 16;

/// A piece is sent when it has so many bytes …
const PIECE: usize = 1024 * 1024;

/// … and while others are on their way it grows to this: each piece is a commit
/// of the server's. One text more still fits what the server takes at once.
const PIECE_GROWN: usize = 3 * 1024 * 1024;

/// … or when its first byte has waited for so long.
const SENT_WITHIN: Duration = Duration::from_millis(100);

/// Between two tries while the server is away.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

enum Word {
    Text(Vec<u8>),
    Where(oneshot::Sender<u64>),
}

/// The log of a job that runs.
pub struct Log {
    words: mpsc::Sender<Word>,
    task: JoinHandle<Result<(), OfficeError>>,
}

/// Room for one more text.
pub struct Room<'a>(mpsc::Permit<'a, Word>);

impl Room<'_> {
    /// Puts the text there.
    pub fn put(self, text: Vec<u8>) {
        self.0.send(Word::Text(text));
    }
}

impl Log {
    /// Opens it. It is empty: an attempt begins anew.
    pub fn open(office: Office, job: JobId, by: Claim, mask: Mask) -> Self {
        let (words, heard) = mpsc::channel(WAITING);
        let (pieces, packed) = mpsc::channel(1);
        let post = tokio::spawn(post(office, job, by, packed));
        let sender = Sender { mask, text: Vec::new(), given: 0, pieces, post };
        Self { words, task: tokio::spawn(sender.run(heard)) }
    }

    /// Waits for room; `None` where the log is over, since somebody else has
    /// the job.
    pub async fn room(&self) -> Option<Room<'_>> {
        self.words.reserve().await.ok().map(Room)
    }

    /// Says something of the worker's own.
    pub async fn say(&self, text: &str) {
        if let Some(room) = self.room().await {
            room.put(format!("{text}\n").into_bytes());
        }
    }

    /// Where the log ends when all that was put there is in it.
    pub async fn end(&self) -> u64 {
        let (tell, told) = oneshot::channel();
        let _ = self.words.send(Word::Where(tell)).await;
        told.await.unwrap_or_default()
    }

    /// Sends what is left.
    pub async fn close(self) -> Result<(), OfficeError> {
        drop(self.words);
        self.task.await.unwrap_or_else(|_| Err(OfficeError::Refused("the log ended before its time".into())))
    }
}

/// A piece on its way: while one is sent the next is packed.
struct Piece {
    size: u64,
    packed: JoinHandle<Bytes>,
}

struct Sender {
    mask: Mask,
    text: Vec<u8>,
    /// Bytes that were given to be sent.
    given: u64,
    pieces: mpsc::Sender<Piece>,
    post: JoinHandle<Result<(), OfficeError>>,
}

impl Sender {
    async fn run(mut self, mut heard: mpsc::Receiver<Word>) -> Result<(), OfficeError> {
        let mut due: Option<Instant> = None;
        let mut is_heard = true;
        while is_heard {
            let next = async {
                match due {
                    Some(due) => tokio::time::timeout_at(due, heard.recv()).await,
                    None => Ok(heard.recv().await),
                }
            };
            let is_due = match next.await {
                Ok(Some(Word::Text(text))) => {
                    let shown = self.mask.pass(&text);
                    self.text.extend(shown);
                    due = due.or(Some(Instant::now() + SENT_WITHIN));
                    self.is_piece()
                }
                Ok(Some(Word::Where(tell))) => {
                    let _ = tell.send(self.given + self.text.len() as u64);
                    false
                }
                Ok(None) => {
                    let rest = self.mask.rest();
                    self.text.extend(rest);
                    is_heard = false;
                    true
                }
                Err(_) => true,
            };
            if is_due {
                due = None;
                is_heard = self.give().await && is_heard;
            }
        }
        drop(self.pieces);
        self.post.await.unwrap_or_else(|_| Err(OfficeError::Refused("the log ended before its time".into())))
    }

    fn is_piece(&self) -> bool {
        let wanted = if self.pieces.capacity() > 0 { PIECE } else { PIECE_GROWN };
        self.text.len() >= wanted
    }

    /// Gives what there is to be sent; tells whether anybody still sends.
    async fn give(&mut self) -> bool {
        while !self.text.is_empty() {
            let next = self.text.len().min(PIECE_GROWN + PIECE);
            let left = self.text.split_off(next);
            let piece = std::mem::replace(&mut self.text, left);
            let size = piece.len() as u64;
            self.given += size;
            let packed = tokio::task::spawn_blocking(move || pack(&piece));
            if self.pieces.send(Piece { size, packed }).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// Sends pieces in their order, each until the server has it or will never take
/// it.
async fn post(office: Office, job: JobId, by: Claim, mut pieces: mpsc::Receiver<Piece>) -> Result<(), OfficeError> {
    let mut sent = 0;
    while let Some(Piece { size, packed }) = pieces.recv().await {
        let packed = packed.await.map_err(|_| OfficeError::Refused("the log could not be packed".into()))?;
        sent = loop {
            match office.log(job, by, sent, packed.clone()).await {
                Ok(end) if end == sent + size => break end,
                Ok(end) => return Err(OfficeError::Refused(format!("the server has {end} bytes of the log"))),
                Err(OfficeError::Away(_)) => tokio::time::sleep(AGAIN_AFTER).await,
                Err(error) => return Err(error),
            }
        };
    }
    Ok(())
}

fn pack(text: &[u8]) -> Bytes {
    let mut packer = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    // Writing into memory cannot fail.
    let _ = packer.write_all(text);
    packer.finish().unwrap_or_default().into()
}
