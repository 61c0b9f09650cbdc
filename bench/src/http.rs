//! Just enough HTTP/1.1 for a load generator: one connection, one request at a
//! time, and no work beyond finding where the answer ends. A general client
//! would take more of the machine than the server it measures.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer of ours is longer; what is, is a mistake.
const LONGEST_ANSWER: usize = 64 << 20;

const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A connection that is kept alive.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    unfolded: Vec<u8>,
}

/// An answer, valid until the next request.
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// How the body is compressed, if it is.
    pub encoding: Option<String>,
    /// The first cookie, as it is sent back.
    pub cookie: Option<String>,
    /// The body, as it travelled.
    pub body: &'a [u8],
}

#[derive(Default)]
struct Head {
    size: usize,
    status: u16,
    length: Option<usize>,
    is_chunked: bool,
    encoding: Option<String>,
    cookie: Option<String>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("the server does not answer")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10), unfolded: Vec::new() })
    }

    /// Asks for a path, naming the encodings that are welcome.
    pub async fn get(&mut self, path: &str, encodings: &str) -> Result<Answer<'_>> {
        let accepted = if encodings.is_empty() { String::new() } else { format!("accept-encoding: {encodings}\r\n") };
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n{accepted}\r\n");
        self.exchange_in_time(request.as_bytes()).await
    }

    /// Sends a body, with headers of the caller's: lines that end in CRLF.
    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Answer<'_>> {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {length}\r\n\r\n");
        self.exchange_in_time(&[head.as_bytes(), body].concat()).await
    }

    /// [`Self::exchange`], given up after a while.
    pub async fn exchange_in_time(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        timeout(ANSWER_WITHIN, self.exchange(request)).await.context("the server does not answer in time")?
    }

    /// Sends a request and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.fill().await?;
            if let Some(head) = Head::read(&self.buffer)? {
                break head;
            }
        };
        if head.is_chunked {
            while !unfold(&self.buffer[head.size..], &mut self.unfolded)? {
                self.fill().await?;
            }
            return Ok(head.answer(&self.unfolded));
        }
        let end = head.size + head.length.unwrap_or_default();
        while self.buffer.len() < end {
            self.fill().await?;
        }
        let body = &self.buffer[head.size..end];
        Ok(head.answer(body))
    }

    async fn fill(&mut self) -> Result<()> {
        ensure!(self.buffer.len() < LONGEST_ANSWER, "the answer does not end");
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}

impl Head {
    fn answer(self, body: &[u8]) -> Answer<'_> {
        Answer { status: self.status, encoding: self.encoding, cookie: self.cookie, body }
    }

    /// Reads the head, once it is complete.
    fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[..end]).context("the head is not text")?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).context("the answer has no status")?;
        let mut head = Self { size: end + 4, status, ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.parse()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.is_chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("content-encoding") {
                head.encoding = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("set-cookie") && head.cookie.is_none() {
                head.cookie = value.split(';').next().map(str::to_owned);
            }
        }
        if head.length.is_none() && !head.is_chunked && !matches!(status, 204 | 304) {
            bail!("the answer says not how long it is");
        }
        Ok(Some(head))
    }
}

/// Joins chunks. Says whether the last one was there.
fn unfold(mut bytes: &[u8], body: &mut Vec<u8>) -> Result<bool> {
    body.clear();
    loop {
        let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else { return Ok(false) };
        let digits = std::str::from_utf8(&bytes[..end])?.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(digits.trim(), 16).context("a chunk has no length")?;
        let Some(chunk) = bytes.get(end + 2..end + 4 + size) else { return Ok(false) };
        if size == 0 {
            return Ok(true);
        }
        body.extend_from_slice(&chunk[..size]);
        bytes = &bytes[end + 4 + size..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_once_all_are_there() {
        let whole = b"4\r\nabcd\r\n2;x=y\r\nef\r\n0\r\n\r\n";
        let mut body = Vec::new();
        assert!(!unfold(&whole[..20], &mut body).expect("well formed"));
        assert!(unfold(whole, &mut body).expect("well formed"));
        assert_eq!(body, b"abcdef");
    }

    #[test]
    fn a_head_tells_status_and_length() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\ncontent-encoding: br\r\n\r\n";
        let head = Head::read(bytes).expect("well formed").expect("complete");
        assert_eq!((head.status, head.length, head.size), (200, Some(12), bytes.len()));
        assert_eq!(head.encoding.as_deref(), Some("br"));
        assert!(Head::read(&bytes[..30]).expect("well formed").is_none());
    }
}
