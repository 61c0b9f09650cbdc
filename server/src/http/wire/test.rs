//! Tests, as the public reads tell of them.

use super::{Moment, Outcome, Verdict, millis};
use crate::service::test_details::{AttemptDetail, TestDetail};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A test of a run
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Test)]
pub struct TestItem {
    /// Its identity, the same over all runs.
    pub id: Uuid,
    /// Its suite: names from the root.
    pub suite: Vec<String>,
    /// Its name.
    pub name: String,
    /// What tells it from its likes of the same name.
    pub parameters: Option<String>,
    /// What it came to.
    pub outcome: Outcome,
    /// How long its last attempt took.
    pub duration_ms: Option<f64>,
    /// Its attempts, the first one first; none while it waits.
    pub attempts: Vec<AttemptItem>,
    /// Tags.
    pub tags: Vec<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// The file it is written in.
    pub source: Option<String>,
    /// The line there, from 1.
    pub line: Option<u32>,
}

/// An attempt at a test
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub struct AttemptItem {
    /// From 1.
    pub attempt: u32,
    /// What it came to; null while it runs.
    pub verdict: Option<Verdict>,
    /// When it began.
    pub started_at: Option<Moment>,
    /// When it ended.
    pub finished_at: Option<Moment>,
    /// How long it took.
    pub duration_ms: Option<f64>,
    /// Why it ended so; the first 64 KiB.
    pub message: Option<String>,
    /// Where it broke; the first 64 KiB.
    pub trace: Option<String>,
}

/// A page of tests, in the order in which they became known
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestList {
    /// The tests.
    pub items: Vec<TestItem>,
    /// Hand it back as `cursor` for the next page; null on the last one.
    pub next: Option<String>,
}

impl From<AttemptDetail> for AttemptItem {
    fn from(attempt: AttemptDetail) -> Self {
        Self {
            attempt: attempt.number,
            verdict: attempt.verdict.map(Verdict),
            started_at: attempt.started_at.map(Moment),
            finished_at: attempt.finished_at.map(Moment),
            duration_ms: attempt.duration.map(millis),
            message: attempt.message,
            trace: attempt.trace,
        }
    }
}

impl From<TestDetail> for TestItem {
    fn from(test: TestDetail) -> Self {
        let line = test.line;
        Self {
            id: line.id.0,
            suite: test.suite,
            name: line.name,
            parameters: line.parameters,
            outcome: Outcome(line.outcome),
            duration_ms: line.duration.map(millis),
            attempts: test.attempts.into_iter().map(Into::into).collect(),
            tags: line.tags,
            owner: test.owner,
            source: line.source,
            line: line.line,
        }
    }
}
