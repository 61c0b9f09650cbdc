//! From what arrives to events. Pure: text in, values out.

pub mod archive;
pub mod hooks;
pub mod native;
pub mod report_portal;
pub mod reports;
pub mod robot_board;
pub mod tm_api;

use app::domain::event::Event;
use app::domain::name::NAME_MAX;

/// One event that could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Its place in the request, from 0.
    pub index: usize,
    /// What it says.
    pub event: Event,
    /// Its `type`, as sent.
    pub kind: Box<str>,
    /// Its text, as sent; kept in the event log.
    pub body: Box<str>,
}

/// One event that could not be read, or may not be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the request, from 0.
    pub index: usize,
    /// JSON pointer to the fault inside the event.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

/// A request, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The good ones.
    pub events: Vec<Incoming>,
    /// The bad ones.
    pub rejected: Vec<Rejected>,
}

/// What another protocol says, as the name of a setup or the key of a run may
/// be: without control characters, which those have no place for, and cut.
fn as_name(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    plain.trim().chars().take(NAME_MAX).collect::<String>().trim_end().to_owned()
}
