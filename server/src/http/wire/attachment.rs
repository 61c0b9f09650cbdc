//! Files of runs, as the public reads tell of them.

use super::Moment;
use crate::service::output::RunFile;
use app::domain::file::Attachment;
use app::domain::ids::RunId;
use serde::Serialize;
use utoipa::ToSchema;

/// A file that is kept
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = KeptFile)]
pub struct AttachmentBody {
    /// The SHA-256 of its content, by which it is known.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub file: String,
    /// What it is called, without folders.
    #[schema(example = "screen.png")]
    pub name: String,
    /// Its media type.
    #[schema(example = "image/png")]
    pub r#type: String,
    /// Its size in bytes.
    pub size: u64,
}

impl AttachmentBody {
    /// Of a file.
    pub fn new(file: &Attachment) -> Self {
        let Attachment { file, name, media_type, size } = file;
        Self { file: file.to_string(), name: name.to_string(), r#type: media_type.to_string(), size: *size }
    }
}

/// A file of a run
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Attachment)]
pub struct AttachmentItem {
    /// The file.
    #[serde(flatten)]
    pub file: AttachmentBody,
    /// Where it is to be had, on this server.
    pub url: String,
    /// The suite it belongs to: names from the root; empty where it belongs to the run.
    pub suite: Vec<String>,
    /// The test it belongs to.
    pub test: Option<String>,
    /// What tells the test from its likes of the same name.
    pub parameters: Option<String>,
    /// The attempt at the test.
    pub attempt: Option<u32>,
    /// When it came.
    pub at: Moment,
}

/// The files of a run
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttachmentList {
    /// The files in the order in which they came.
    pub items: Vec<AttachmentItem>,
    /// Always null: the list has one page.
    pub next: Option<String>,
}

impl AttachmentList {
    /// The files of this run.
    pub fn of(run: RunId, files: &[RunFile]) -> Self {
        let item = |file: &RunFile| AttachmentItem {
            file: AttachmentBody::new(&file.attachment),
            url: address(run, &file.attachment),
            suite: file.suite.clone(),
            test: file.test.clone(),
            parameters: file.parameters.clone(),
            attempt: file.test.as_ref().map(|_| file.attempt),
            at: Moment(file.at),
        };
        Self { items: files.iter().map(item).collect(), next: None }
    }
}

/// Where a file of a run is to be had.
pub fn address(run: RunId, file: &Attachment) -> String {
    app::paths::attachment(run, file.file)
}
