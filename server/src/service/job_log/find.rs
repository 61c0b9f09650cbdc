//! Finding a text in the whole log of a job.

use super::{elsewhere, unpack};
use crate::service::desk::Desk;
use crate::service::failure::Failure;
use crate::store::rows::LogSpan;
use app::domain::ids::JobId;
use memchr::memmem::Finder;
use std::ops::RangeInclusive;
use tokio::sync::Semaphore;

/// Bytes of a text that can be looked for.
pub const SOUGHT: RangeInclusive<usize> = 2..=200;

/// Lines that are told at once; a search ends when it has so many.
const LINES_MOST: usize = 1_000;

/// Unpacked text that is looked through in one; a piece alone may be larger.
const TEXT_AT_ONCE: u64 = 4 * 1024 * 1024;

/// A line that is longer is looked through in parts, so that one without end
/// needs no memory.
const LINE_MOST: usize = 1024 * 1024;

/// Of such a line so much is kept of each part for the next: what is looked for
/// may lie across both, with what is for terminals in between.
const KEPT: usize = 1024;

/// Two searches at once in the whole program: each unpacks a gigabyte at worst,
/// and has a core for itself while it does. The others wait for their turn. A
/// search is dropped between two reads when who asked for it goes away.
static TURNS: Semaphore = Semaphore::const_new(2);

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogHits {
    /// The numbers of lines that have it, from 1.
    pub lines: Vec<u64>,
    /// There may be more behind the last of them.
    pub more: bool,
}

/// Looks through a log that comes piece by piece.
struct Search {
    sought: Finder<'static>,
    /// Lines up to this number are passed over.
    after: u64,
    /// Lines that ended so far.
    ended: u64,
    /// The beginning of a line whose end did not come yet.
    rest: Vec<u8>,
    found: LogHits,
}

impl Search {
    fn new(sought: &str, after: u64, ended: u64) -> Self {
        let sought = Finder::new(&sought.to_ascii_lowercase()).into_owned();
        Self { sought, after, ended, rest: Vec::new(), found: LogHits::default() }
    }

    fn take(&mut self, text: &[u8]) {
        let whole = memchr::memrchr(b'\n', text).map_or(0, |last| last + 1);
        if whole > 0 {
            let mut lines = std::mem::take(&mut self.rest);
            lines.extend_from_slice(&text[..whole]);
            self.look(&lines);
            self.ended += memchr::memchr_iter(b'\n', &lines).count() as u64;
        }
        self.rest.extend_from_slice(&text[whole..]);
        if self.rest.len() > LINE_MOST {
            let part = std::mem::take(&mut self.rest);
            self.look(&part);
            self.rest = part[part.len() - KEPT..].to_vec();
        }
    }

    /// The line that has no end is one too.
    fn end(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        self.look(&rest);
    }

    /// Looks through text that begins in the line after those that ended.
    fn look(&mut self, text: &[u8]) {
        let text = shown(text);
        let (mut at, mut number) = (0, self.ended + 1);
        while let Some(hit) = self.sought.find(&text[at..]).map(|hit| at + hit) {
            number += memchr::memchr_iter(b'\n', &text[at..hit]).count() as u64;
            self.hit(number);
            let Some(next) = memchr::memchr(b'\n', &text[hit..]) else { return };
            if self.found.more {
                return;
            }
            at = hit + next + 1;
            number += 1;
        }
    }

    fn hit(&mut self, number: u64) {
        // A long line is looked through more than once.
        if number <= self.after || self.found.lines.last() == Some(&number) {
            return;
        }
        if self.found.lines.len() == LINES_MOST {
            self.found.more = true;
        } else {
            self.found.lines.push(number);
        }
    }
}

/// A text in small letters and without what tells a terminal how to draw it,
/// which may stand in the middle of a word. What a line was overwritten with is
/// looked through like the rest.
fn shown(text: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(escape) = memchr::memchr(0x1b, &text[at..]).map(|found| at + found) {
        shown.extend_from_slice(&text[at..escape]);
        at = escape + escape_length(&text[escape..]);
    }
    shown.extend_from_slice(&text[at..]);
    shown.make_ascii_lowercase();
    shown
}

/// How long the escape is that a text begins with. None goes beyond its line:
/// the lines would not be counted right.
fn escape_length(text: &[u8]) -> usize {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    let body = line.get(2..).unwrap_or_default();
    match line.get(1) {
        Some(b'[') => body.iter().position(u8::is_ascii_alphabetic).map_or(line.len(), |end| end + 3),
        Some(b']') => match memchr::memchr2(0x07, 0x1b, body) {
            Some(end) if body[end] == 0x1b && body.get(end + 1) == Some(&b'\\') => end + 4,
            Some(end) => end + 3,
            None => line.len(),
        },
        Some(_) => 2,
        None => 1,
    }
}

/// The pieces to read, so many at once that they unpack to [`TEXT_AT_ONCE`], and
/// the lines that end before the first of them. Those that end before a line are
/// left out.
fn batches(spans: &[LogSpan], after: u64) -> (u64, Vec<(u64, u32)>) {
    let mut ended = 0;
    let skipped = spans.iter().take_while(|span| {
        let is_before = ended + u64::from(span.lines) < after;
        ended += if is_before { u64::from(span.lines) } else { 0 };
        is_before
    });
    let skipped = skipped.count();
    let mut batches: Vec<(u64, u32)> = Vec::new();
    let mut size = u64::MAX;
    for span in &spans[skipped..] {
        match batches.last_mut() {
            Some((_, count)) if size + u64::from(span.size) <= TEXT_AT_ONCE => {
                *count += 1;
                size += u64::from(span.size);
            }
            _ => {
                batches.push((span.start, 1));
                size = span.size.into();
            }
        }
    }
    (ended, batches)
}

impl Desk {
    /// The lines behind a line that have a text, whatever its letters' case.
    pub async fn find_in_log(&self, id: JobId, attempt: u32, text: &str, after: u64) -> Result<LogHits, Failure> {
        self.reading().await?;
        let gone = |_| Failure::Upstream("this server ends".into());
        let _turn = TURNS.acquire().await.map_err(gone)?;
        let (ended, batches) = batches(&self.inner.store.log_index(id, attempt).await?, after);
        let mut search = Search::new(text, after, ended);
        for (start, count) in batches {
            let pieces = self.inner.store.log_read(id, attempt, start..u64::MAX, count).await?;
            let looked = elsewhere(move || {
                for piece in pieces {
                    search.take(&unpack(&piece.packed)?);
                }
                Ok(search)
            });
            search = looked.await?.map_err(|why| Failure::Upstream(format!("a piece of this log {why}")))?;
            if search.found.more {
                return Ok(search.found);
            }
        }
        search.end();
        Ok(search.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(sought: &str, after: u64, pieces: &[&str]) -> LogHits {
        let mut search = Search::new(sought, after, 0);
        pieces.iter().for_each(|piece| search.take(piece.as_bytes()));
        search.end();
        search.found
    }

    #[test]
    fn a_line_is_found_wherever_it_was_cut() {
        let text = "one\nTwo two\nthe \u{1b}[31mt\u{1b}[0mwo\n\u{1b}]8;;http://two\u{7}link\n\nend two";
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let found = search("two", 0, &[&text[..cut], &text[cut..]]);
            assert_eq!(found, LogHits { lines: vec![2, 3, 6], more: false }, "{cut}");
        }
        assert_eq!(search("two", 2, &[text]).lines, [3, 6]);
    }

    #[test]
    fn a_line_without_end_is_found_once() {
        let long = "x".repeat(LINE_MOST);
        let found = search("needle", 0, &["a\n", &long, "xnee", "dle", &long, "needle", &long, "\nneedle"]);
        assert_eq!(found.lines, [2, 3]);
    }

    #[test]
    fn an_escape_ends_with_its_line() {
        assert_eq!(search("b", 0, &["\u{1b}]0;no end\nb\n\u{1b}[9\nb\u{1b}"]).lines, [2, 4]);
    }

    #[test]
    fn no_more_than_a_thousand_are_told_at_once() {
        let text = "here\n".repeat(2_000);
        let found = search("here", 0, &[&text]);
        assert_eq!((found.lines.len(), found.lines[999], found.more), (1_000, 1_000, true));
        let rest = search("here", 1_000, &[&text]);
        assert_eq!((rest.lines[0], rest.lines.len(), rest.more), (1_001, 1_000, false));
    }

    #[test]
    fn pieces_before_a_line_are_not_read() {
        let spans: Vec<_> =
            (0..4_u32).map(|at| LogSpan { start: u64::from(at) * 3_000_000, size: 3_000_000, lines: 10 }).collect();
        assert_eq!(batches(&spans, 0), (0, vec![(0, 1), (3_000_000, 1), (6_000_000, 1), (9_000_000, 1)]));
        assert_eq!(batches(&spans, 20).0, 10, "the twentieth line ends in the second piece");
        assert_eq!(batches(&spans, 21), (20, vec![(6_000_000, 1), (9_000_000, 1)]));
        let small = [0, 5].map(|start| LogSpan { start, size: 5, lines: 0 });
        assert_eq!(batches(&small, 0), (0, vec![(0, 2)]));
    }
}
