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
        let sender = Sender { office, job, by, mask, text: Vec::new(), sent: 0 };
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

struct Sender {
    office: Office,
    job: JobId,
    by: Claim,
    mask: Mask,
    text: Vec<u8>,
    /// Bytes that the server has.
    sent: u64,
}

impl Sender {
    async fn run(mut self, mut heard: mpsc::Receiver<Word>) -> Result<(), OfficeError> {
        let mut due: Option<Instant> = None;
        loop {
            let next = async {
                match due {
                    Some(due) => tokio::time::timeout_at(due, heard.recv()).await,
                    None => Ok(heard.recv().await),
                }
            };
            match next.await {
                Ok(Some(Word::Text(text))) => {
                    let shown = self.mask.pass(&text);
                    self.text.extend(shown);
                    due = due.or(Some(Instant::now() + SENT_WITHIN));
                    if self.text.len() >= PIECE {
                        self.send().await?;
                        due = None;
                    }
                }
                Ok(Some(Word::Where(tell))) => {
                    let _ = tell.send(self.sent + self.text.len() as u64);
                }
                Ok(None) => {
                    let rest = self.mask.rest();
                    self.text.extend(rest);
                    return self.send().await;
                }
                Err(_) => {
                    self.send().await?;
                    due = None;
                }
            }
        }
    }

    /// Sends what there is, until the server has it or will never take it.
    async fn send(&mut self) -> Result<(), OfficeError> {
        while !self.text.is_empty() {
            let piece: Vec<u8> = self.text.drain(..self.text.len().min(2 * PIECE)).collect();
            let size = piece.len() as u64;
            let packed = tokio::task::spawn_blocking(move || pack(&piece)).await;
            let packed = packed.map_err(|_| OfficeError::Refused("the log could not be packed".into()))?;
            self.sent = loop {
                match self.office.log(self.job, self.by, self.sent, packed.clone()).await {
                    Ok(end) if end == self.sent + size => break end,
                    Ok(end) => return Err(OfficeError::Refused(format!("the server has {end} bytes of the log"))),
                    Err(OfficeError::Away(_)) => tokio::time::sleep(AGAIN_AFTER).await,
                    Err(error) => return Err(error),
                }
            };
        }
        Ok(())
    }
}

fn pack(text: &[u8]) -> Bytes {
    let mut packer = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    // Writing into memory cannot fail.
    let _ = packer.write_all(text);
    packer.finish().unwrap_or_default().into()
}
