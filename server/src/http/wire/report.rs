//! What came of an upload of reports.

use super::RejectedBody;
use super::owners::OwnersBody;
use crate::service::reports::{FileReceipt, ReportReceipt};
use serde::Serialize;
use utoipa::ToSchema;

/// What came of an upload of reports
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportBody {
    /// The key of the run that the files made.
    pub run: String,
    /// Every report in the upload.
    pub files: Vec<ReportFile>,
    /// Events that the reports told, new and durable.
    pub accepted: u32,
    /// Events that were known already: the upload was sent before.
    pub duplicate: u32,
    /// Events that were not taken, with the reason.
    pub rejected: Vec<RejectedBody>,
    /// The file `CODEOWNERS` in the upload, where there was one and it is kept.
    pub owners: Option<OwnersBody>,
}

/// What came of one file
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportFile {
    /// Its name.
    pub name: String,
    /// What it was read as.
    pub format: Option<&'static str>,
    /// Tests in it.
    pub tests: u32,
    /// Tests that passed, at once or in the end.
    pub passed: u32,
    /// Tests among them that passed only when tried again.
    pub flaky: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were not run.
    pub skipped: u32,
    /// What could not be read of it, and where.
    pub lost: Vec<LostPart>,
    /// Why nothing was taken of it.
    pub refused: Option<String>,
}

/// Something that could not be read
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LostPart {
    /// Where: a line, or a JSON pointer.
    pub place: String,
    /// What is lost, and why.
    pub detail: String,
}

impl From<FileReceipt> for ReportFile {
    fn from(file: FileReceipt) -> Self {
        let lost = file.lost.into_iter().map(|loss| LostPart { place: loss.place, detail: loss.detail }).collect();
        let FileReceipt { name, tests, passed, flaky, failed, skipped, refused, .. } = file;
        let format = file.format.map(|format| format.as_str());
        Self { name, format, tests, passed, flaky, failed, skipped, lost, refused }
    }
}

impl From<ReportReceipt> for ReportBody {
    fn from(receipt: ReportReceipt) -> Self {
        Self {
            run: receipt.run,
            files: receipt.files.into_iter().map(ReportFile::from).collect(),
            accepted: receipt.events.accepted,
            duplicate: receipt.events.duplicate,
            rejected: receipt.events.rejected.into_iter().map(RejectedBody::from).collect(),
            owners: None,
        }
    }
}
