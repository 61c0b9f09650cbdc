//! Where the lines of a log lie, and which have a text, as programs see it.

use crate::service::job_log::{LogHits, LogIndex};
use serde::Serialize;
use utoipa::ToSchema;

/// Where everything lies in a log
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LogIndexBody {
    /// Which attempt put it out.
    attempt: u32,
    /// Its bytes.
    end: u64,
    /// Lines that end in it; what is behind the last of them is one more.
    lines: u64,
    /// All of it, in its order.
    pieces: Vec<LogPieceBody>,
    /// The steps that began, in their order; of the last attempt alone.
    steps: Vec<LogStepBody>,
}

/// A part of a log
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LogPieceBody {
    /// The bytes before it.
    start: u64,
    /// Its bytes.
    size: u64,
    /// Lines that end before it.
    first_line: u64,
    /// Lines that end in it.
    lines: u64,
}

/// A step, in a log
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LogStepBody {
    /// Its name.
    name: String,
    /// `running`, `passed` or `failed`.
    state: &'static str,
    /// The bytes before it.
    log_start: u64,
    /// Lines that end before it.
    first_line: u64,
}

impl LogIndexBody {
    /// As it was found for an attempt.
    pub fn of(attempt: u32, index: LogIndex) -> Self {
        let pieces = index.stretches.iter().map(|one| LogPieceBody {
            start: one.start,
            size: one.size,
            first_line: one.first_line,
            lines: one.lines,
        });
        let steps = index.steps.into_iter().map(|step| LogStepBody {
            name: step.name,
            state: step.state.as_str(),
            log_start: step.log_start,
            first_line: step.first_line,
        });
        Self { attempt, end: index.end, lines: index.lines, pieces: pieces.collect(), steps: steps.collect() }
    }
}

/// The lines of a log that have a text
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LogHitsBody {
    /// Their numbers, from 1.
    lines: Vec<u64>,
    /// There may be more behind the last of them: ask again with it as `after`.
    more: bool,
}

impl From<LogHits> for LogHitsBody {
    fn from(found: LogHits) -> Self {
        Self { lines: found.lines, more: found.more }
    }
}
