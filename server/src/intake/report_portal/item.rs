//! An item of a launch, as it is kept.

use super::attempts::Claim;
use super::words::Attribute;
use app::domain::event::Text;
use app::domain::name::tidy;
use app::domain::suite::{DEPTH_MAX, NAME_KEPT};
use app::domain::test::Verdict;
use app::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes of error lines that are remembered of a test, for its message.
const ERRORS_KEPT: usize = 16 * 1024;

/// Characters of a description that are remembered.
const DESCRIPTION_KEPT: usize = 200;

/// What an item is in the words of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A group of tests.
    Suite,
    /// A test, or a suite: its children or its end will tell.
    Open,
    /// One attempt at a test.
    Test,
}

impl Role {
    /// What a type makes of an item that counts.
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "suite" | "story" => Self::Suite,
            "test" | "scenario" => Self::Open,
            _ => Self::Test,
        }
    }
}

/// How an item ended, as it was last told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When, as told: each word about the same end comes after the last one.
    pub at: Timestamp,
    /// The status as sent, in lower case.
    pub status: Option<Box<str>>,
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took, in microseconds.
    pub took: i64,
    /// The fingerprint of its message.
    pub said: u64,
    /// The message was named as such: lines of errors do not replace it.
    pub named: bool,
}

/// A suite or a test of a launch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The item above it.
    pub parent: Option<Box<str>>,
    /// Its type, in lower case.
    pub kind: Box<str>,
    /// What it is here.
    pub role: Role,
    /// The suite in which it stands: names from the root.
    pub path: Vec<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// Its parameters, as sent.
    pub parameters: Option<Box<str>>,
    /// Whose attempt it says it is.
    #[serde(default)]
    pub claim: Claim,
    /// Which of several tests of this name it is, from 0.
    pub seat: u32,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// In which execution of the launch, from 0.
    pub round: u32,
    /// Its place in the order of arrival.
    pub order: u32,
    /// When it began.
    pub started: Timestamp,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Where it is written.
    pub code_ref: Option<Box<str>>,
    /// About it, in prose; only the beginning.
    pub description: Option<Box<str>>,
    /// About it, in words.
    pub attributes: Vec<Attribute>,
    /// It has steps of its own.
    #[serde(default)]
    pub has_steps: bool,
    /// One of them failed.
    #[serde(default)]
    pub step_failed: bool,
    /// What its error lines said.
    #[serde(skip)]
    pub errors: String,
}

/// The beginning of a description, by which it is known again.
pub(super) fn beginning(description: Option<&str>) -> Option<Box<str>> {
    description.map(|text| text.chars().take(DESCRIPTION_KEPT).collect::<String>().into())
}

impl Item {
    /// Its path as a suite. Deeper than suites may nest, names are joined.
    pub fn own_path(&self) -> Vec<Box<str>> {
        let mut path = self.path.clone();
        match path.last_mut().filter(|_| self.path.len() >= DEPTH_MAX) {
            Some(last) => *last = tidy(&format!("{last} / {}", self.name), NAME_KEPT),
            None => path.push(self.name.clone()),
        }
        path
    }

    /// What tells it from its likes of the same name. A name that carries its
    /// parameters already is left alone.
    pub fn told_parameters(&self) -> Option<String> {
        let own = self.parameters.as_deref().filter(|_| !self.name.ends_with(']'));
        match (own, self.seat) {
            (own, 0) => own.map(str::to_owned),
            (None, seat) => Some(format!("({})", seat + 1)),
            (Some(own), seat) => Some(format!("{own} ({})", seat + 1)),
        }
    }

    /// Remembers an error line. Tells whether there was room for it.
    pub(super) fn note_error(&mut self, line: &str) -> bool {
        let line = line.trim();
        if line.is_empty() || self.errors.len() >= ERRORS_KEPT || self.errors.ends_with(line) {
            return false;
        }
        if !self.errors.is_empty() {
            self.errors.push('\n');
        }
        let room = ERRORS_KEPT.saturating_sub(self.errors.len());
        self.errors.push_str(&line[..line.floor_char_boundary(room)]);
        true
    }

    /// Takes an end in. What was told before stands where nothing is new.
    pub(super) fn end(&mut self, at: Timestamp, status: Option<&str>, verdict: Verdict, message: Option<&Message>) {
        let took = at.since(self.started).0.max(0);
        let said = fingerprint(message);
        let at = match &self.ended {
            Some(before) if (before.verdict, before.took, before.said) == (verdict, took, said) => return,
            // Of two ends the later stands, whatever the order of what they say.
            Some(before) => at.max(Timestamp(before.at.0.saturating_add(1))),
            None => at,
        };
        let named = message.is_some_and(|message| message.named);
        self.ended = Some(Ended { at, status: status.map(Into::into), verdict, took, said, named });
    }

    /// Takes in that an end is known better now: error lines came after it.
    /// Gives the message that now stands, if there is another one.
    pub(super) fn explain(&mut self) -> Option<Message> {
        let ended = self.ended.as_mut().filter(|ended| ended.verdict.is_failure() && !ended.named)?;
        let message = Message { text: self.errors.clone(), named: false };
        let said = fingerprint(Some(&message));
        if ended.said == said || message.text.is_empty() {
            return None;
        }
        (ended.said, ended.at) = (said, Timestamp(ended.at.0.saturating_add(1)));
        Some(message)
    }

    /// What a test without a status came to: what its steps did.
    pub(super) fn derived(&self) -> Verdict {
        match (self.step_failed, self.has_steps) {
            (true, _) => Verdict::Failed,
            (false, true) => Verdict::Passed,
            (false, false) => Verdict::Unknown,
        }
    }
}

fn fingerprint(message: Option<&Message>) -> u64 {
    Text { message: message.map(|message| message.text.as_str().into()), trace: None }.fingerprint()
}

/// Why an attempt ended as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub text: String,
    /// The agent said that this is the message.
    pub named: bool,
}

/// What a status means. One that nobody knows is a failure, as a test that
/// ends in an unheard-of way is not one to be trusted.
pub(super) fn verdict(status: &str) -> Verdict {
    match status {
        "passed" | "info" => Verdict::Passed,
        "warn" | "warning" => Verdict::Warned,
        "skipped" => Verdict::Skipped,
        "cancelled" | "canceled" | "stopped" | "interrupted" => Verdict::Cancelled,
        "error" | "errored" => Verdict::Errored,
        "timedout" | "timed_out" => Verdict::TimedOut,
        _ => Verdict::Failed,
    }
}
