//! Texts of report files: how bytes become one, and how much of it is kept.
//!
//! A report is a stranger's file. Whatever it holds, no text of a case grows
//! past [`LONGEST`], and no list of complaints past [`MOST_LOSSES`].

use crate::model::Report;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// The most bytes that are kept of a message, a trace or an output.
pub const LONGEST: usize = 64 * 1024;

/// The deepest that suites nest; deeper ones are taken for the deepest.
pub const DEEPEST: usize = 64;

/// The most losses that are listed for one file.
pub const MOST_LOSSES: usize = 1_000;

/// The most attempts that a bare number of retries is believed to stand for.
pub const MOST_RETRIES: usize = 100;

/// The end of a long text is where a failure is told, so some of it is kept.
const TAIL: usize = 16 * 1024;

/// Room for the words between what is kept of the beginning and of the end.
const GAP: usize = 64;

/// Bytes as text: by their byte order mark, as UTF-16 if every second byte is
/// zero (a shell's redirection on Windows), else as UTF-8. Nothing is refused;
/// what is no text is replaced, and NUL too, which no database takes.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let text = decode_plain(bytes);
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text }
}

fn decode_plain(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    match bytes {
        [first, 0, _, 0, ..] if *first != 0 => UTF_16LE.decode_without_bom_handling(bytes).0,
        [0, second, 0, _, ..] if *second != 0 => UTF_16BE.decode_without_bom_handling(bytes).0,
        _ => String::from_utf8_lossy(bytes),
    }
}

/// The greatest place of a text up to `at` where it may be cut.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// What is kept of a text: all of it, or its beginning and its end.
pub fn clip(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let head = floor(text, LONGEST - TAIL - GAP);
    let tail = floor(text, text.len() - TAIL).max(head);
    format!("{}\n[… {} bytes left out …]\n{}", &text[..head], tail - head, &text[tail..])
}

/// A text that is put together from many pieces, of which the beginning and
/// the end are kept.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    head: String,
    tail: String,
    dropped: usize,
}

impl Gathered {
    /// Adds a piece.
    pub fn push(&mut self, piece: &str) {
        let room = (LONGEST - TAIL - GAP).saturating_sub(self.head.len());
        let here = if self.tail.is_empty() { floor(piece, room) } else { 0 };
        self.head.push_str(&piece[..here]);
        let rest = &piece[here..];
        let skipped = floor(rest, rest.len().saturating_sub(TAIL));
        self.dropped += skipped;
        self.tail.push_str(&rest[skipped..]);
        // Twice the length, so that a long text is not moved with every piece.
        if self.tail.len() > 2 * TAIL {
            self.trim();
        }
    }

    /// Adds a piece as a line of its own.
    pub fn line(&mut self, line: &str) {
        self.push(line);
        self.push("\n");
    }

    fn trim(&mut self) {
        let from = floor(&self.tail, self.tail.len().saturating_sub(TAIL));
        self.dropped += from;
        self.tail.drain(..from);
    }

    /// The text, if there is more to it than blanks.
    pub fn finish(mut self) -> Option<String> {
        if self.dropped > 0 || self.head.len() + self.tail.len() > LONGEST {
            self.trim();
        }
        let gap =
            if self.dropped > 0 { format!("\n[… {} bytes left out …]\n", self.dropped) } else { String::new() };
        let text = format!("{}{gap}{}", self.head, self.tail);
        (!text.trim().is_empty()).then_some(text)
    }
}

/// The text, if there is more to it than blanks, as it is kept.
pub fn some(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| clip(text))
}

/// Texts as paragraphs of one; `None` if all are blank.
pub fn paragraphs<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut all = Gathered::default();
    for (at, text) in texts.into_iter().map(str::trim_end).filter(|text| !text.trim().is_empty()).enumerate() {
        if at > 0 {
            all.push("\n\n");
        }
        all.push(text);
    }
    all.finish()
}

/// The last part of a path, whichever way its slashes lean.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

/// The message of a failure in a script's stack trace: what stands before its
/// first "at …" line.
pub fn before_stack(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(' ') && line.trim_start().starts_with("at ") {
            break;
        }
        at += line.len();
    }
    let message = text[..at].trim_end();
    if message.is_empty() { text.trim_end() } else { message }
}

/// A path of suites no deeper than [`DEEPEST`]; never empty.
pub fn path(mut names: Vec<String>, otherwise: &str) -> Vec<String> {
    names.retain(|name| !name.trim().is_empty());
    names.truncate(DEEPEST);
    if names.is_empty() {
        names.push(otherwise.to_owned());
    }
    names
}

/// What remains of a full title when the title of the test is taken from its
/// end: the titles of its suites, run together.
pub fn above<'a>(full: &'a str, own: &str) -> &'a str {
    full.trim_end().strip_suffix(own.trim_end()).unwrap_or_default().trim_end()
}

/// What suites are called outside of which something failed that is no test.
pub const OUTSIDE: &str = "outside of tests";

/// Notes something that could not be read, unless so much was noted already
/// that more of it tells nobody anything.
pub fn lose(report: &mut Report, place: impl Into<String>, detail: impl Into<String>) {
    match report.losses.len() {
        ..MOST_LOSSES => report.lose(clip_to(place.into(), 512), clip_to(detail.into(), 1_024)),
        MOST_LOSSES => report.lose("", "what else could not be read is not listed"),
        _ => {}
    }
}

fn clip_to(mut text: String, longest: usize) -> String {
    text.truncate(floor(&text, longest));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_encodings_that_shells_leave_behind() {
        let le: Vec<u8> = "ok 1 ü".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "ok 1 ü".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(le.iter().copied()).collect();
        for bytes in [le, be, marked, "\u{feff}ok 1 ü".as_bytes().to_vec(), "ok 1 ü".as_bytes().to_vec()] {
            assert_eq!(decode(&bytes), "ok 1 ü");
        }
        assert_eq!(decode(b"a\xffb\0c"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn long_texts_keep_their_beginning_and_their_end() {
        let long = format!("begin{}end", "ü".repeat(LONGEST));
        let mut pieces = Gathered::default();
        long.as_bytes().chunks(7_000).for_each(|piece| pieces.push(&String::from_utf8_lossy(piece)));
        for kept in [clip(&long), pieces.finish().expect("is not blank")] {
            assert!(kept.starts_with("begin") && kept.ends_with("end") && kept.contains("left out"));
            assert!(kept.len() <= LONGEST, "{}", kept.len());
        }
        assert_eq!(clip("short"), "short");
        assert_eq!(Gathered::default().finish(), None);
    }

    #[test]
    fn every_length_of_pieces_stays_within_the_bound() {
        for length in [LONGEST - TAIL - GAP - 1, LONGEST - TAIL, LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST] {
            for piece in [1_000, 15_999, 70_000] {
                let mut all = Gathered::default();
                "x".repeat(length).as_bytes().chunks(piece).for_each(|part| all.push(&String::from_utf8_lossy(part)));
                let kept = all.finish().expect("is not blank");
                assert!(kept.len() <= LONGEST, "{length} in pieces of {piece}: {}", kept.len());
                assert!(length > LONGEST || kept.len() == length || kept.contains("left out"));
            }
        }
    }

    #[test]
    fn losses_are_listed_up_to_a_bound() {
        let mut report = Report::default();
        (0..5_000).for_each(|line| lose(&mut report, format!("line {line}"), "is no event"));
        assert_eq!(report.losses.len(), MOST_LOSSES + 1);
    }

    #[test]
    fn a_stack_is_told_from_its_message() {
        assert_eq!(before_stack("Error: no\nreally\n    at f (a.js:1:2)\n    at g"), "Error: no\nreally");
        assert_eq!(before_stack("    at f (a.js:1:2)"), "    at f (a.js:1:2)");
        assert_eq!(before_stack("plain"), "plain");
    }
}
