//! Batches of log lines with files, as `multipart/form-data`, read in pieces.
//!
//! Agents bend the rules in ways of their own: an empty line before the JSON,
//! quotes inside a quoted file name, names without quotes, percent-encoded
//! names, several files of one name. The JSON is gathered; what came of a file
//! is handed on after each piece, so a batch of any size takes no more memory
//! than its lines.

use thiserror::Error;

/// Bytes of log lines in one request.
pub const LINES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of the headers of one part.
const HEADERS_MAX: usize = 16 * 1024;

/// Parts in one request.
const PARTS_MAX: usize = 2_000;

/// Why a body is not a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// The content type names no boundary.
    #[error("the content type names no boundary")]
    NoBoundary,
    /// It ended inside a part.
    #[error("the body ended in the middle of a part")]
    CutOff,
    /// Headers without an end.
    #[error("the headers of a part are too long")]
    Headers,
    /// More parts than anybody sends.
    #[error("a batch may have at most {PARTS_MAX} parts")]
    Parts,
    /// More log lines than are read at once.
    #[error("the log lines of a batch may have at most {LINES_MAX} bytes")]
    TooLarge,
    /// No part with log lines.
    #[error("there is no part json_request_part")]
    NoLines,
}

/// A file that came along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, as sent.
    pub name: String,
    /// Its media type, where one was sent.
    pub kind: Option<String>,
    /// Which of the files of its batch it is, from 0.
    pub number: usize,
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The log lines, as JSON.
    pub lines: Vec<u8>,
    /// The files that were not yet given to a line, in their order.
    pub files: Vec<File>,
}

impl Batch {
    /// The file of a line: the one of its name, the one whose decoded name it
    /// is, else the next one. Each belongs to one line.
    pub fn take(&mut self, name: &str) -> Option<File> {
        let place = self
            .files
            .iter()
            .position(|file| file.name == name)
            .or_else(|| self.files.iter().position(|file| decoded(&file.name) == name));
        let place = place.or((!self.files.is_empty()).then_some(0))?;
        Some(self.files.remove(place))
    }
}

fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| std::str::from_utf8(after.get(..2)?).ok()).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The boundary that a content type names.
pub fn boundary(content_type: &str) -> Result<String, Broken> {
    let named = content_type.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    });
    named.filter(|boundary| (1..=200).contains(&boundary.len())).ok_or(Broken::NoBoundary)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preamble,
    Delimited,
    Headers,
    Lines,
    File,
    End,
}

/// Reads a body piece by piece.
#[derive(Debug)]
pub struct Scanner {
    /// `CRLF--boundary`
    delimiter: Vec<u8>,
    /// What was not understood yet: at most a delimiter, or headers, or a piece.
    tail: Vec<u8>,
    state: State,
    parts: usize,
    has_lines: bool,
    batch: Batch,
    /// Bytes of files that were not handed on yet.
    fresh: Vec<(usize, Vec<u8>)>,
}

impl Scanner {
    /// For a body with this boundary.
    pub fn new(boundary: &str) -> Self {
        Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // The first delimiter stands at the very beginning.
            tail: b"\r\n".to_vec(),
            state: State::Preamble,
            parts: 0,
            has_lines: false,
            batch: Batch::default(),
            fresh: Vec::new(),
        }
    }

    /// What came of files since this was last asked: the number of each and
    /// its next bytes. A file without any was begun.
    pub fn fresh(&mut self) -> Vec<(usize, Vec<u8>)> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes the next piece.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Broken> {
        self.tail.extend_from_slice(piece);
        let tail = std::mem::take(&mut self.tail);
        let mut rest = &tail[..];
        while let Some(after) = self.step(rest)? {
            rest = after;
        }
        if self.state != State::End {
            self.tail = self.leave(rest)?.to_vec();
        }
        Ok(())
    }

    /// What it held, after the last piece.
    pub fn end(self) -> Result<Batch, Broken> {
        match self.state {
            State::End if self.has_lines => Ok(self.batch),
            State::End => Err(Broken::NoLines),
            _ => Err(Broken::CutOff),
        }
    }

    /// Understands one thing; `None` where that needs more bytes.
    fn step<'a>(&mut self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, Broken> {
        match self.state {
            State::End => Ok(None),
            State::Preamble | State::Lines | State::File => {
                let Some(at) = find(rest, &self.delimiter) else { return Ok(None) };
                self.gather(&rest[..at])?;
                self.state = State::Delimited;
                Ok(Some(&rest[at + self.delimiter.len()..]))
            }
            State::Delimited if rest.starts_with(b"--") => {
                self.state = State::End;
                Ok(Some(&rest[2..]))
            }
            State::Delimited => {
                let Some(at) = find(rest, b"\n") else { return Ok(None) };
                self.state = State::Headers;
                Ok(Some(&rest[at + 1..]))
            }
            State::Headers => self.headers(rest),
        }
    }

    fn headers<'a>(&mut self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, Broken> {
        let (head, body) = if let Some(body) = rest.strip_prefix(b"\r\n") {
            (&rest[..0], body)
        } else if let Some(at) = find(rest, b"\r\n\r\n") {
            // The empty line may be the beginning of the next delimiter.
            (&rest[..at], &rest[at + 4..])
        } else if rest.len() > HEADERS_MAX {
            return Err(Broken::Headers);
        } else {
            return Ok(None);
        };
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(Broken::Parts);
        }
        self.open(&String::from_utf8_lossy(head));
        Ok(Some(body))
    }

    fn open(&mut self, head: &str) {
        let header = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
            })
        };
        let disposition = header("content-disposition").unwrap_or_default();
        let kind = header("content-type");
        let file = file_name(&disposition);
        let is_json = kind.as_deref().is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
        let is_lines = name(&disposition) == Some("json_request_part") || file.is_none() && is_json;
        if is_lines && !self.has_lines {
            self.has_lines = true;
            self.state = State::Lines;
        } else {
            let number = self.batch.files.len();
            self.batch.files.push(File { name: file.unwrap_or_default(), kind, number });
            self.fresh.push((number, Vec::new()));
            self.state = State::File;
        }
    }

    fn gather(&mut self, data: &[u8]) -> Result<(), Broken> {
        match self.state {
            State::Lines if self.batch.lines.len() + data.len() > LINES_MAX => return Err(Broken::TooLarge),
            State::Lines => self.batch.lines.extend_from_slice(data),
            State::File => {
                if let Some(file) = self.batch.files.last() {
                    self.fresh.push((file.number, data.to_vec()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Gathers what cannot belong to a delimiter, and hands back the rest.
    fn leave<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], Broken> {
        if !matches!(self.state, State::Preamble | State::Lines | State::File) {
            return if rest.len() > HEADERS_MAX { Err(Broken::Headers) } else { Ok(rest) };
        }
        let kept = rest.len().min(self.delimiter.len() - 1);
        let (data, tail) = rest.split_at(rest.len() - kept);
        self.gather(data)?;
        Ok(tail)
    }
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, word)
}

/// The name of a part, in quotes or not.
fn name(disposition: &str) -> Option<&str> {
    let after = disposition.split(';').find_map(|part| part.trim().strip_prefix("name="))?;
    Some(after.trim().trim_matches('"'))
}

/// The file name of a part. Quotes inside it are not always escaped, so the
/// last one ends it.
fn file_name(disposition: &str) -> Option<String> {
    let (_, rest) = disposition.split_once("filename=")?;
    let rest = rest.split_once("; filename*=").map_or(rest, |(plain, _)| plain).trim();
    match rest.strip_prefix('"') {
        Some(quoted) => Some(quoted.rfind('"').map_or(quoted, |end| &quoted[..end]).to_owned()),
        None => Some(rest.split(';').next().unwrap_or_default().trim().to_owned()),
    }
}
