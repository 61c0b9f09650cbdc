//! The one way through an XML file: a pull reader that mends what it can.
//!
//! A parser asks for what stands directly inside the element that it is in
//! ([`Walk::step`]); whatever it does not ask for is passed over. A reader of
//! well-formed documents gives up at the first fault. This one notes a
//! [`Loss`] and goes on: an end tag closes what its writer forgot to close, one
//! that closes nothing is ignored, and a tag that never ends is left out. Only
//! a document type is refused outright, since entities are defined there.

use super::decode::lines;
use super::tag::{Tag, character, local};
use super::text::Text;
use crate::{Loss, Refusal, Report};
use memchr::memchr;
use quick_xml::events::Event;
use quick_xml::{Reader, errors::SyntaxError};
use std::borrow::Cow;

/// Elements inside each other; nobody means more.
const DEEPEST: usize = 10_000;

/// Losses that are listed one by one.
const LISTED_LOSSES: usize = 50;

/// How far out an element is looked for that an end tag may close.
const FARTHEST_CLOSED: usize = 64;

/// How often reading is taken up again after a fault of syntax. Each may cost a
/// pass to the end of the file.
const MENDINGS: usize = 32;

const CDATA: &str = "<![CDATA[";

/// What stands next inside an element.
pub enum Step<'a> {
    /// An element; its content is passed over unless it is asked for.
    Child(Tag<'a>),
    Text(Cow<'a, str>),
    /// The element is closed.
    Done,
}

enum Token<'a> {
    Open { tag: Tag<'a>, is_empty: bool },
    Close,
    Text(Piece<'a>),
    End,
}

/// A text as it stands, which is looked at only by who wants it.
enum Piece<'a> {
    Raw(&'a [u8]),
    Known(Cow<'a, str>),
}

/// A way through a file.
pub struct Walk<'a> {
    source: &'a [u8],
    /// Where in the source the reader began.
    base: usize,
    reader: Reader<&'a [u8]>,
    /// The names of the open elements from the root.
    open: Vec<&'a str>,
    /// The innermost of them was written as `<name/>`.
    closes_itself: bool,
    is_over: bool,
    is_cut: bool,
    is_strange: bool,
    mendings: usize,
    refusal: Option<Refusal>,
    losses: Vec<Loss>,
    unlisted_losses: usize,
    /// A place whose line is known.
    known: (usize, usize),
}

impl<'a> Walk<'a> {
    /// A way through what should be UTF-8.
    pub fn new(source: &'a [u8]) -> Self {
        Self {
            source,
            base: 0,
            reader: reader(source),
            open: Vec::new(),
            closes_itself: false,
            is_over: false,
            is_cut: false,
            is_strange: false,
            mendings: 0,
            refusal: None,
            losses: Vec::new(),
            unlisted_losses: 0,
            known: (0, 1),
        }
    }

    /// How many elements are open: the level of the innermost.
    pub fn level(&self) -> usize {
        self.open.len()
    }

    /// The file ended, or became unreadable, inside an element.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// What was read is no text in UTF-8, or has NULs in it; nothing that the
    /// walk said after that counts.
    pub fn is_strange(&self) -> bool {
        self.is_strange
    }

    /// Whether the innermost element was written as `<name/>`.
    pub fn is_empty(&self) -> bool {
        self.closes_itself
    }

    /// How much of the file is still to be read.
    pub fn bytes_left(&self) -> usize {
        self.source.len().saturating_sub(self.base + self.reader.buffer_position() as usize)
    }

    /// What stands next directly inside the element of this level.
    pub fn step(&mut self, level: usize) -> Step<'a> {
        while self.is_within(level) {
            let is_here = self.open.len() == level;
            match self.token() {
                Token::Open { tag, is_empty } => {
                    self.enter(tag, is_empty);
                    if is_here {
                        return Step::Child(tag);
                    }
                }
                Token::Text(piece) if is_here => return Step::Text(self.said(piece)),
                Token::Text(_) | Token::Close | Token::End => {}
            }
        }
        Step::Done
    }

    /// The next element directly inside the one of this level.
    pub fn child(&mut self, level: usize) -> Option<Tag<'a>> {
        loop {
            match self.step(level) {
                Step::Child(tag) => return Some(tag),
                Step::Text(_) => {}
                Step::Done => return None,
            }
        }
    }

    /// The next element anywhere inside the one of this level.
    pub fn dive(&mut self, level: usize) -> Option<Tag<'a>> {
        while self.is_within(level) {
            if let Token::Open { tag, is_empty } = self.token() {
                self.enter(tag, is_empty);
                return Some(tag);
            }
        }
        None
    }

    /// All text inside the innermost element, which is closed after it.
    pub fn text(&mut self) -> Text {
        let level = self.open.len();
        let mut all = Text::default();
        while self.is_within(level) {
            match self.token() {
                Token::Open { tag, is_empty } => self.enter(tag, is_empty),
                Token::Text(piece) => all.push(&self.said(piece)),
                Token::Close | Token::End => {}
            }
        }
        all
    }

    /// Notes a loss at the place that was reached.
    pub fn lose(&mut self, detail: impl Into<String>) {
        let place = self.place();
        self.lose_at(place, detail.into());
    }

    /// Gives up what was lost, or the reason to refuse the file.
    pub fn finish(self, report: &mut Report) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        report.losses.extend(self.losses);
        if self.unlisted_losses > 0 {
            report.lose("the rest", format!("{} more faults are not listed", self.unlisted_losses));
        }
        report.is_aborted |= self.is_cut;
        Ok(())
    }

    /// Whether the element of this level is still open. An element that was
    /// written as `<name/>` is closed by the first question after it.
    fn is_within(&mut self, level: usize) -> bool {
        if std::mem::take(&mut self.closes_itself) {
            self.open.pop();
        }
        !self.is_over && self.open.len() >= level
    }

    fn enter(&mut self, tag: Tag<'a>, is_empty: bool) {
        self.open.push(tag.name());
        self.closes_itself = is_empty;
        if self.open.len() > DEEPEST {
            self.lose(format!("elements are nested deeper than {DEEPEST}; the rest is left out"));
            self.stop(true);
        }
    }

    fn token(&mut self) -> Token<'a> {
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    self.mend(&error);
                    continue;
                }
            };
            match event {
                Event::Start(start) => return self.opened(&start, false),
                Event::Empty(start) => return self.opened(&start, true),
                Event::End(end) => {
                    let name = self.text_of(self.slice(&end));
                    self.close(local(name));
                    return Token::Close;
                }
                Event::Text(text) => return Token::Text(Piece::Raw(self.slice(&text))),
                Event::CData(text) => return Token::Text(Piece::Raw(self.slice(&text))),
                Event::GeneralRef(name) => {
                    let name = self.text_of(self.slice(&name));
                    return Token::Text(Piece::Known(resolve(name)));
                }
                Event::DocType(_) => self.refuse(),
                Event::Eof => {
                    self.end();
                    return Token::End;
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// The part of the source that an event shows.
    fn slice(&self, shown: &[u8]) -> &'a [u8] {
        let at = (shown.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize);
        self.source.get(at..at.saturating_add(shown.len())).unwrap_or_default()
    }

    fn said(&mut self, piece: Piece<'a>) -> Cow<'a, str> {
        match piece {
            Piece::Raw(bytes) => self.text_of(bytes).into(),
            Piece::Known(text) => text,
        }
    }

    /// Bytes as text. If they are none, the walk ends: who reads has to begin
    /// again with a source that was decoded.
    fn text_of(&mut self, bytes: &'a [u8]) -> &'a str {
        match std::str::from_utf8(bytes) {
            Ok(text) if memchr(0, bytes).is_none() => text,
            _ => {
                self.is_strange = true;
                self.stop(false);
                ""
            }
        }
    }

    /// A start tag, or a text in which somebody wrote "a < b" as it is.
    fn opened(&mut self, shown: &[u8], is_empty: bool) -> Token<'a> {
        let content = self.slice(shown);
        let is_name = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..);
        if content.first().is_some_and(is_name) {
            return Token::Open { tag: Tag::new(self.text_of(content)), is_empty };
        }
        let from = (content.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize).saturating_sub(1);
        let end = from + 1 + content.len() + 1 + usize::from(is_empty);
        Token::Text(Piece::Raw(self.source.get(from..end).unwrap_or(content)))
    }

    fn close(&mut self, name: &'a str) {
        let depth = self.open.len();
        let nearest = depth.saturating_sub(FARTHEST_CLOSED);
        match self.open[nearest..].iter().rposition(|open| *open == name) {
            Some(at) => {
                let at = nearest + at;
                if at + 1 < depth {
                    let forgotten = self.open[at + 1..].iter().take(4).copied().collect::<Vec<_>>().join(">, <");
                    self.lose(format!("</{name}> comes before <{forgotten}> is closed"));
                }
                self.open.truncate(at);
            }
            None => self.lose(format!("</{}> closes nothing", &name[..name.floor_char_boundary(100)])),
        }
    }

    /// Takes up reading after a fault of syntax, where that can be done.
    fn mend(&mut self, error: &quick_xml::Error) {
        let at = self.base + self.reader.error_position() as usize;
        let rest = self.source.get(at..).unwrap_or_default();
        let again = match error {
            quick_xml::Error::IllFormed(_) => return,
            // The section is read on as text, so that what follows it is found.
            quick_xml::Error::Syntax(SyntaxError::UnclosedCData) if rest.starts_with(CDATA.as_bytes()) => {
                Some(at + CDATA.len())
            }
            quick_xml::Error::Syntax(SyntaxError::UnclosedComment | SyntaxError::UnclosedDoctype) => None,
            _ => rest.get(1..).and_then(|rest| memchr(b'<', rest)).map(|next| at + 1 + next),
        };
        if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"<!DOCTYPE")) {
            return self.refuse();
        }
        let place = self.place_of(at);
        self.lose_at(place, format!("what begins here never ends ({error})"));
        self.mendings += 1;
        match again.filter(|_| self.mendings <= MENDINGS) {
            Some(next) => {
                self.base = next;
                self.reader = reader(&self.source[next..]);
            }
            None => self.stop(true),
        }
    }

    fn end(&mut self) {
        if self.is_over {
            return;
        }
        let is_cut = !self.open.is_empty();
        if is_cut {
            let open = self.open.iter().rev().take(6).map(|name| format!("</{name}>")).collect::<Vec<_>>().join("");
            self.lose(format!("the file ends before {open}"));
        }
        self.stop(is_cut);
    }

    fn refuse(&mut self) {
        self.refusal = Some(Refusal::Unsafe("the file has a document type, which may define entities".into()));
        self.stop(false);
    }

    fn stop(&mut self, is_cut: bool) {
        self.is_over = true;
        self.is_cut |= is_cut;
        self.reader = reader(b"");
        self.open.clear();
        self.closes_itself = false;
    }

    fn lose_at(&mut self, place: String, detail: String) {
        if self.losses.len() < LISTED_LOSSES {
            self.losses.push(Loss { place, detail });
        } else {
            self.unlisted_losses += 1;
        }
    }

    /// "line 12" for the place that was reached.
    fn place(&mut self) -> String {
        self.place_of(self.base + self.reader.buffer_position() as usize)
    }

    fn place_of(&mut self, at: usize) -> String {
        if self.losses.len() < LISTED_LOSSES {
            let (from, line) = if self.known.0 <= at { self.known } else { (0, 1) };
            let passed = self.source.get(from..at).unwrap_or_default();
            self.known = (at, line + lines(passed) - 1);
        }
        format!("line {}", self.known.1)
    }
}

fn reader(source: &[u8]) -> Reader<&[u8]> {
    let mut reader = Reader::from_reader(source);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    reader
}

/// What a reference in a text stands for; itself, where that is not defined.
fn resolve(name: &str) -> Cow<'_, str> {
    match name {
        "amp" => "&".into(),
        "lt" => "<".into(),
        "gt" => ">".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        "#10" | "#xA" | "#xa" => "\n".into(),
        "#13" | "#xD" | "#xd" => "\r".into(),
        _ => character(name).map_or_else(|| format!("&{name};"), String::from).into(),
    }
}
