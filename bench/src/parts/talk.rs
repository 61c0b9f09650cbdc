//! (n) What a job puts out: from its worker to the store, with a reader at its
//! page who wants all of it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::Setting;
use crate::report::{Bar, Findings, Measure};
use crate::stats::median;
use crate::yard::Yard;

/// Bytes that the job puts out; a job may put out 64 MiB.
const SIZE: usize = 60_000_000;

/// A line as tests write them.
const LINE: &str = "2026-03-01 12:00:00.000 INFO  charger: cell 3 of 8 at 3.71 V, 24.9 C, balancing on";

const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let plan = format!("[[steps]]\nname = \"talk\"\nrun = \"yes '{LINE}' | head -c {SIZE}\"\n");
    let mut yard = Yard::open(setting, &plan).await?;
    let mut rates = Vec::new();
    for _ in 0..setting.pick(5, 2) {
        let pushed = yard.push().await?;
        let mut tail = Tail::open(yard.holter.process.address, &pushed.job).await?;
        let begin = tail.until(b"charger: cell 3").await?;
        let end = tail.until(b"event: over").await?;
        ensure!(tail.read >= SIZE, "the reader was told {} bytes of {SIZE}", tail.read);
        rates.push(SIZE as f64 / 1e6 / end.duration_since(begin).as_secs_f64());
        yard.passed(&pushed.job).await?;
    }
    findings.measure(Measure::new("what a job puts out, median", median(&rates), "MB/s").bar(Bar::AtLeast(50.0)));
    findings.note(format!(
        "{} MB through pipe, worker, server and store, from the first line at the reader to the end of the job, when \
         the reader has all of it; job, worker, server and reader share the cores",
        SIZE / 1_000_000
    ));
    yard.close().await
}

/// A reader of a job's page.
pub struct Tail {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were not looked at yet.
    kept: usize,
    /// Bytes read in all.
    pub read: usize,
}

impl Tail {
    /// Opens the stream of a job, from its beginning.
    pub async fn open(address: SocketAddr, job: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /live/jobs/{job} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        Ok(Self { stream, buffer: vec![0; 256 << 10], kept: 0, read: 0 })
    }

    /// Reads until a word comes; when that was.
    pub async fn until(&mut self, word: &[u8]) -> Result<Instant> {
        let coming = async {
            loop {
                let text = &self.buffer[..self.kept];
                if let Some(at) = memchr::memmem::find(text, word) {
                    self.keep(at + word.len());
                    return anyhow::Ok(Instant::now());
                }
                // A word may be cut in two.
                self.keep(self.kept.saturating_sub(word.len() - 1));
                let read = self.stream.read(&mut self.buffer[self.kept..]).await?;
                ensure!(read > 0, "the stream ended");
                self.kept += read;
                self.read += read;
            }
        };
        let word = String::from_utf8_lossy(word).into_owned();
        timeout(ENDS_WITHIN, coming).await.with_context(|| format!("{word:?} never comes"))?
    }

    /// Forgets what was looked at.
    fn keep(&mut self, from: usize) {
        self.buffer.copy_within(from..self.kept, 0);
        self.kept -= from;
    }
}
