//! Output of runs, as the public reads tell of it.

use super::attachment::AttachmentBody;
use super::{Moment, Verdict};
use crate::service::output::{Attached, Entry};
use serde::Serialize;
use utoipa::ToSchema;

/// A line of output, or a step that began or ended
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Output)]
pub struct OutputItem {
    /// Its number in the event log; numbers rise.
    pub seq: i64,
    /// `log`, `step.started` or `step.finished`.
    #[schema(example = "log")]
    pub r#type: String,
    /// When.
    pub at: Moment,
    /// The suite it belongs to: names from the root; empty where it belongs to the run.
    pub suite: Vec<String>,
    /// The test it belongs to.
    pub test: Option<String>,
    /// What tells the test from its likes of the same name.
    pub parameters: Option<String>,
    /// The attempt at the test.
    pub attempt: Option<u32>,
    /// How grave a line is: `trace`, `debug`, `info`, `warn`, `error` or `fatal`.
    pub level: Option<String>,
    /// A line, or why a step ended as it did.
    pub message: Option<String>,
    /// The step in which a line came, or which began or ended.
    pub step: Option<String>,
    /// The step around one that began.
    pub parent: Option<String>,
    /// The name of a step that began.
    pub name: Option<String>,
    /// What a step came to.
    pub verdict: Option<Verdict>,
    /// How long a step took.
    pub duration_ms: Option<f64>,
    /// The file that came with a line.
    pub attachment: Option<AttachmentBody>,
}

/// Output of a run
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OutputList {
    /// In the order of arrival.
    pub items: Vec<OutputItem>,
    /// Where the next page begins.
    pub next: Option<String>,
}

impl From<Entry> for OutputItem {
    fn from(Entry { seq, at, said, .. }: Entry) -> Self {
        let level = (said.kind == "log").then(|| said.level().as_str().to_owned());
        let attachment = match &said.attachment {
            Some(Attached::Kept(file)) => Some(AttachmentBody::new(file)),
            _ => None,
        };
        let attempt = said.test.as_ref().map(|_| said.attempt.map_or(1, |attempt| attempt as u32));
        Self {
            seq,
            r#type: said.kind,
            at: Moment(at),
            suite: said.suite.unwrap_or_default(),
            test: said.test,
            parameters: said.parameters,
            attempt,
            level,
            message: said.message,
            step: said.step,
            parent: said.parent,
            name: said.name,
            verdict: said.verdict.map(Verdict),
            duration_ms: said.duration_ms,
            attachment,
        }
    }
}
