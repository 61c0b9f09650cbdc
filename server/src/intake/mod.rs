//! From what arrives to events. Pure: text in, values out.

pub mod archive;
pub mod attachment;
pub mod hooks;
pub mod native;
pub mod report_portal;
pub mod reports;
pub mod robot_board;
pub mod tm_api;

use app::domain::event::{Event, EventKind, RunEvent};
use app::domain::name::NAME_MAX;
use std::borrow::Cow;
use std::sync::Arc;

/// One event that could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Its place in the request, from 0.
    pub index: usize,
    /// What it says.
    pub event: Event,
    /// Its `type`.
    pub kind: Cow<'static, str>,
    /// Its text, as sent; kept in the event log.
    pub body: Arc<str>,
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

impl Parsed {
    /// What anybody may send: files come by a door of their own, which knows
    /// their content, so an event that names one is refused.
    pub fn without_files(mut self) -> Self {
        let has_file = |incoming: &Incoming| match &incoming.event.kind {
            EventKind::Run(_, RunEvent::Output(output)) => output.attachment.is_some(),
            _ => false,
        };
        for incoming in self.events.extract_if(.., |incoming| has_file(incoming)) {
            let detail = "must not name a file; send the file itself to /api/v1/attachments".to_owned();
            self.rejected.push(Rejected { index: incoming.index, pointer: "/attachment".into(), detail });
        }
        self.rejected.sort_by_key(|rejected| rejected.index);
        self
    }
}

/// What another protocol says, as the name of a setup or the key of a run may
/// be: without control characters, which those have no place for, and cut.
fn as_name(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    plain.trim().chars().take(NAME_MAX).collect::<String>().trim_end().to_owned()
}
