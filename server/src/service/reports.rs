//! Takes in report files: each on its own, so that a bad one never costs the
//! good ones beside it.

use super::Service;
use super::desk::Caller;
use super::failure::Failure;
use super::ingest::{Receipt, SenderClock};
use crate::intake::archive::{self, File, Unpacked};
use crate::intake::native;
use crate::intake::reports::{self as telling, Origin};
use app::domain::time::Timestamp;
use reports::{Format, Loss, Report, Verdict};

/// Events that are recorded at once.
const CHUNK: usize = 5_000;

/// What came of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileReceipt {
    /// Its name, with the archive's before it.
    pub name: String,
    /// What it was read as.
    pub format: Option<Format>,
    /// Tests in it.
    pub tests: u32,
    /// Tests that passed, at once or in the end.
    pub passed: u32,
    /// Tests that passed when tried again; they are among those that passed.
    pub flaky: u32,
    /// Tests that failed, with errors or by time too.
    pub failed: u32,
    /// Tests that were not run.
    pub skipped: u32,
    /// What could not be read of it.
    pub lost: Vec<Loss>,
    /// Why nothing was taken of it.
    pub refused: Option<String>,
}

/// What came of an upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportReceipt {
    /// The run's key.
    pub run: String,
    /// Every file.
    pub files: Vec<FileReceipt>,
    /// What the recorder made of the events.
    pub events: Receipt,
    /// A file among them that says who looks after what.
    pub owners: Option<String>,
}

/// A file that could be read.
struct Read {
    content: [u8; 32],
    format: Format,
    report: Report,
}

impl Service {
    /// Takes the reports in these files, which make one run. It costs memory
    /// for as long as it takes, and a thread while it reads.
    pub async fn take_reports(
        &self,
        caller: &Caller,
        origin: Origin,
        format: Option<Format>,
        files: Vec<File>,
    ) -> Result<ReportReceipt, Failure> {
        let reading = tokio::task::spawn_blocking(move || read_all(files, format));
        let (read, files, owners) =
            reading.await.map_err(|_| Failure::Upstream("the reports could not be read".into()))?;
        let digests: Vec<_> = read.iter().map(|read| read.content).collect();
        let run = origin.run.clone().unwrap_or_else(|| telling::run_key(&digests));
        let mut receipt = ReportReceipt { run, files, events: Receipt::default(), owners };
        for read in read {
            self.record_report(caller, &origin, &read, &mut receipt).await?;
        }
        Ok(receipt)
    }

    async fn record_report(
        &self,
        caller: &Caller,
        origin: &Origin,
        read: &Read,
        receipt: &mut ReportReceipt,
    ) -> Result<(), Failure> {
        let now: Timestamp = self.now();
        let mut events = telling::told((read.format, &read.report), origin, &receipt.run, &read.content, now);
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(CHUNK));
            let taken = self.record(caller, SenderClock { trusted: true, sent_at: None }, native::told(events)).await?;
            receipt.events.accepted += taken.accepted;
            receipt.events.duplicate += taken.duplicate;
            receipt.events.ignored += taken.ignored;
            receipt.events.rejected.extend(taken.rejected);
            events = rest;
        }
        Ok(())
    }
}

fn read_all(files: Vec<File>, format: Option<Format>) -> (Vec<Read>, Vec<FileReceipt>, Option<String>) {
    let (mut read, mut receipts, mut allure, mut owners) = (Vec::new(), Vec::new(), Vec::new(), None);
    for file in files {
        let archive = file.name.clone();
        let Unpacked { files: unpacked, error, .. } = archive::unpack(file);
        if let Some(error) = error {
            receipts.push(FileReceipt {
                name: archive.clone(),
                refused: Some(error.to_string()),
                ..FileReceipt::default()
            });
        }
        let is_many = unpacked.len() > 1;
        for mut file in unpacked {
            if is_of_owners(&file.name) {
                owners = String::from_utf8(file.bytes.to_vec()).ok();
                continue;
            }
            if is_many {
                file.name = format!("{archive}/{}", file.name);
            }
            let found = format.or_else(|| reports::recognise(&file.bytes));
            match found {
                // Files of an Allure folder tell of each other.
                Some(Format::Allure) if is_many => allure.push(file),
                found => read_one(&file, found, is_many, &mut read, &mut receipts),
            }
        }
    }
    if !allure.is_empty() {
        join_allure(&allure, &mut read, &mut receipts);
    }
    (read, receipts, owners)
}

fn is_of_owners(name: &str) -> bool {
    name.rsplit(['/', '\\']).next() == Some("CODEOWNERS")
}

fn read_one(file: &File, format: Option<Format>, is_many: bool, read: &mut Vec<Read>, receipts: &mut Vec<FileReceipt>) {
    let mut receipt = FileReceipt { name: file.name.clone(), format, ..FileReceipt::default() };
    match reports::read(&file.bytes, format) {
        Ok((format, report)) => {
            receipt.format = Some(format);
            count(&report, &mut receipt);
            read.push(Read { content: telling::digest(&file.bytes), format, report });
        }
        // An archive holds pictures and logs too: they are no fault.
        Err(reports::Refusal::Unknown(_)) if is_many => return,
        Err(refusal) => receipt.refused = Some(refusal.to_string()),
    }
    receipts.push(receipt);
}

fn join_allure(files: &[File], read: &mut Vec<Read>, receipts: &mut Vec<FileReceipt>) {
    let report = reports::join_allure(files.iter().map(|file| (&*file.name, &*file.bytes)));
    let all: Vec<u8> = files.iter().flat_map(|file| telling::digest(&file.bytes)).collect();
    let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
    let name = format!("{name} and {} more", files.len() - 1);
    let mut receipt = FileReceipt { name, format: Some(Format::Allure), ..FileReceipt::default() };
    count(&report, &mut receipt);
    receipts.push(receipt);
    read.push(Read { content: telling::digest(&all), format: Format::Allure, report });
}

fn count(report: &Report, receipt: &mut FileReceipt) {
    receipt.tests = report.cases.len() as u32;
    for case in &report.cases {
        match case.verdict() {
            Verdict::Passed | Verdict::Warned => receipt.passed += 1,
            Verdict::Failed | Verdict::Errored | Verdict::TimedOut => receipt.failed += 1,
            Verdict::Skipped => receipt.skipped += 1,
            Verdict::Cancelled | Verdict::Unknown => {}
        }
        receipt.flaky += u32::from(case.is_flaky());
    }
    receipt.lost.clone_from(&report.losses);
}
