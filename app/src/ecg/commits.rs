//! Every commit as a heartbeat.

use super::tape::{Entry, Finding};
use crate::domain::time::Timestamp;

/// What the tests said of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CommitResult {
    /// Everything passed at once.
    Passed,
    /// Everything passed in the end: a retry was needed, or a test was flaky.
    Flaky,
    /// Something failed.
    Failed,
}

/// A commit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Commit {
    /// When it was made.
    pub at: Timestamp,
    /// What the tests said; `None` if none were run.
    pub result: Option<CommitResult>,
    /// Lines added and removed.
    pub changed_lines: Option<u32>,
    /// Tests run, which stand in for lines that are not known.
    pub tests: Option<u32>,
    /// Whether it has a tag.
    pub is_tagged: bool,
}

/// The beats of these commits, in their order, the oldest first.
pub fn entries(commits: &[Commit]) -> Vec<Entry> {
    let mut has_failed = false;
    let entry = |commit: &Commit| {
        let finding = match commit.result {
            None => Finding::Unknown,
            Some(CommitResult::Passed) => Finding::Passed,
            Some(CommitResult::Flaky) => Finding::Flaky,
            Some(CommitResult::Failed) => Finding::Failed,
        };
        Entry {
            at: commit.at,
            finding: finding.after(&mut has_failed),
            size: commit.changed_lines.or(commit.tests),
            is_tagged: commit.is_tagged,
        }
    };
    commits.iter().map(entry).collect()
}
