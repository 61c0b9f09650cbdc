//! The public contract: events as JSON, one, many in an array, or one a line.
//!
//! Nearly every event is well-formed, so the way for those is short: one pass
//! over the text into borrowed fields ([`raw`]), one over the fields into
//! values ([`event`]). Only an event that does not fit is read a second time,
//! slowly, to say where the fault is ([`fault`]).

mod event;
mod fault;
mod plan;
mod raw;
#[cfg(test)]
mod tests;

pub use fault::Fault;

use super::{Incoming, Parsed, Rejected};
use app::domain::problem::{Problem, ProblemKind};
use app::domain::time::Timestamp;
use raw::Raw;
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;
use thiserror::Error;

/// Events in one request at most.
pub const EVENTS_MAX: usize = 10_000;

/// How events are written in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One event, or an array of events.
    Json,
    /// One event a line.
    Ndjson,
}

impl Format {
    /// What a body looks like, where nobody said: several values after one
    /// another are lines, anything else is JSON.
    pub fn sniff(body: &[u8]) -> Self {
        let one_value = || match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
            Ok(_) => true,
            Err(error) => !error.to_string().starts_with("trailing characters"),
        };
        if body.trim_ascii_start().first() == Some(&b'{') && !one_value() { Self::Ndjson } else { Self::Json }
    }
}

/// Why nothing at all of a body could be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IntakeError {
    /// Not what its content type says.
    #[error("{detail}")]
    Malformed {
        /// What is wrong, and where.
        detail: String,
    },
    /// More than [`EVENTS_MAX`] events.
    #[error("a request carries at most {EVENTS_MAX} events; send the rest in another one")]
    TooMany,
}

impl IntakeError {
    fn malformed(detail: impl Into<String>) -> Self {
        Self::Malformed { detail: detail.into() }
    }

    fn json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let hint = if text.starts_with("trailing characters") {
            "; several events are sent as an array, or as lines with the content type application/x-ndjson"
        } else {
            ""
        };
        Self::malformed(format!("the body is not valid JSON: {text}{hint}"))
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        let detail = error.to_string();
        match error {
            IntakeError::Malformed { .. } => Problem::new(ProblemKind::Malformed, detail.clone()).at("", detail),
            IntakeError::TooMany => Problem::new(ProblemKind::TooLarge, detail),
        }
    }
}

/// Reads a body. Good events and bad ones come apart; only a body in which
/// there is nothing to be told apart is an error.
pub fn parse(body: &[u8], format: Format) -> Result<Parsed, IntakeError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if body.is_empty() {
        return Err(IntakeError::malformed("the body is empty; send an event, an array of events, or lines of events"));
    }
    match format {
        Format::Ndjson => lines(body),
        Format::Json => json(body),
    }
}

/// Takes events that were put into the words of the contract here, from what
/// another protocol said: kept in the log as if a listener had sent them.
pub fn told(events: impl IntoIterator<Item = Value>) -> Parsed {
    let mut parsed = Parsed::default();
    for (index, event) in events.into_iter().enumerate() {
        read(&mut parsed, index, &event.to_string());
    }
    parsed
}

/// Reads a moment as headers carry it: RFC 3339.
pub fn moment(text: &str) -> Option<Timestamp> {
    raw::moment(text)
}

/// A moment in microseconds, held in the range that is kept.
pub fn held(micros: i64) -> Timestamp {
    raw::held(micros)
}

fn json(body: &[u8]) -> Result<Parsed, IntakeError> {
    let (text, broken) = decode(body);
    match text.as_bytes().first() {
        Some(b'[') => array(&text, &broken),
        Some(b'{') => single(&text, !broken.is_empty()),
        _ => match serde_json::from_str::<&RawValue>(&text) {
            Ok(_) => Err(IntakeError::malformed("expected an event (a JSON object) or an array of events")),
            Err(error) => Err(IntakeError::json(&error)),
        },
    }
}

fn single(text: &str, broken: bool) -> Result<Parsed, IntakeError> {
    let mut parsed = Parsed::default();
    if !broken && let Ok(raw) = serde_json::from_str::<Raw<'_>>(text) {
        take(&mut parsed, 0, text, event::build(&raw));
        return Ok(parsed);
    }
    serde_json::from_str::<&RawValue>(text).map_err(|error| IntakeError::json(&error))?;
    if broken {
        refuse(&mut parsed, 0, Fault::encoding())
    } else {
        read(&mut parsed, 0, text)
    }
    Ok(parsed)
}

fn array(text: &str, broken: &[usize]) -> Result<Parsed, IntakeError> {
    let Elements(elements) = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => IntakeError::TooMany,
        _ => IntakeError::json(&error),
    })?;
    let mut parsed = Parsed { events: Vec::with_capacity(elements.len()), rejected: Vec::new() };
    for (index, element) in elements.into_iter().enumerate() {
        let place = place_in(text, element.get());
        if broken.iter().any(|at| place.contains(at)) {
            refuse(&mut parsed, index, Fault::encoding());
        } else {
            read(&mut parsed, index, element.get());
        }
    }
    Ok(parsed)
}

fn lines(body: &[u8]) -> Result<Parsed, IntakeError> {
    let mut parsed = Parsed::default();
    let filled = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    for (index, line) in filled.enumerate() {
        if index == EVENTS_MAX {
            return Err(IntakeError::TooMany);
        }
        match std::str::from_utf8(line) {
            Ok(text) => read(&mut parsed, index, text),
            Err(_) => refuse(&mut parsed, index, Fault::encoding()),
        }
    }
    let nothing_legible = parsed.events.is_empty() && parsed.rejected.iter().all(|fault| fault.pointer.is_empty());
    match parsed.rejected.first() {
        Some(first) if nothing_legible => Err(IntakeError::malformed(format!("no line is an event; {}", first.detail))),
        _ => Ok(parsed),
    }
}

/// Reads the text of one event: the short way, else the long one.
fn read(parsed: &mut Parsed, index: usize, text: &str) {
    let event = match serde_json::from_str::<Raw<'_>>(text) {
        // serde would take an array as a struct's fields in order.
        Ok(raw) if text.starts_with('{') => event::build(&raw),
        _ => fault::read(text),
    };
    take(parsed, index, text, event);
}

fn take(parsed: &mut Parsed, index: usize, text: &str, event: Result<event::Built, Fault>) {
    match event {
        Ok((kind, event)) => {
            parsed.events.push(Incoming { index, event, kind, body: text.into() });
        }
        Err(fault) => refuse(parsed, index, fault),
    }
}

fn refuse(parsed: &mut Parsed, index: usize, Fault { pointer, detail }: Fault) {
    parsed.rejected.push(Rejected { index, pointer, detail });
}

/// The body as text. Where it is not UTF-8 a mark stands instead, and the
/// places of the marks come along: only the events around them are lost.
fn decode(body: &[u8]) -> (Cow<'_, str>, Vec<usize>) {
    if let Ok(text) = std::str::from_utf8(body) {
        return (text.into(), Vec::new());
    }
    let (mut text, mut broken) = (String::with_capacity(body.len()), Vec::new());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            broken.push(text.len());
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    (text.into(), broken)
}

/// Where `part` lies in `whole`, of which it is a slice.
fn place_in(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

/// The elements of an array, unread and bounded in number.
struct Elements<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of events")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element()? {
                    if elements.len() == EVENTS_MAX {
                        return Err(A::Error::custom("too many events"));
                    }
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}
