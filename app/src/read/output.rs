//! What a run, or a test in it, put out.

use super::{AttemptText, TestLine};
use crate::domain::file::Attachment;
use crate::domain::ids::RunId;
use crate::domain::output::Level;
use crate::domain::test::Verdict;
use crate::domain::time::{Micros, Timestamp};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// Output of a test in a run, or of a whole run.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct OutputPage {
    /// The run.
    pub run: RunId,
    /// What the run is called.
    pub title: String,
    /// The setup it ran on.
    pub setup: String,
    /// The suite of the test: names from the root.
    pub suite: Vec<String>,
    /// The test; none where all of the run is shown.
    pub test: Option<TestLine>,
    /// What its attempts said when they ended.
    pub texts: Vec<AttemptText>,
    /// What came with it, or with all of the run.
    pub files: Vec<FileLine>,
    /// There are more files than are listed.
    pub files_cut: bool,
    /// Lines and steps, the oldest first; of many the last.
    pub lines: Vec<OutputLine>,
    /// Where the lines before these are to be had.
    pub older: Option<i64>,
    /// These are not the newest lines.
    pub is_older: bool,
    /// Only lines that are at least so grave.
    pub level: Option<Level>,
    /// The server's clock.
    pub now: Timestamp,
}

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct FileLine {
    /// The file.
    pub file: Attachment,
    /// The attempt at which it came; 0 where it is not a test's.
    pub attempt: u32,
    /// Whose it is, where that is not clear: suites and test.
    pub place: Vec<String>,
}

/// A line of output, or a step.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct OutputLine {
    /// Its number in the event log.
    pub seq: i64,
    /// When, by our clock.
    pub at: Timestamp,
    /// How deep it stands in steps.
    pub depth: u32,
    /// How grave a line is; none of a step.
    pub level: Option<Level>,
    /// The line, or the name of the step.
    pub text: String,
    /// The text was too long for a page.
    pub is_cut: bool,
    /// Whose it is, where that is not clear: suites and test.
    pub place: Vec<String>,
    /// The attempt at the test.
    pub attempt: u32,
    /// What a step came to.
    pub verdict: Option<Verdict>,
    /// How long a step took.
    pub took: Option<Micros>,
    /// Why a step ended as it did.
    pub message: Option<String>,
    /// The file that came with a line.
    pub file: Option<Attachment>,
}
