//! What runs put out: files that come in with it, and everything to be read.

use super::desk::{Caller, Desk};
use super::failure::Failure;
use super::files::Kept;
use super::ingest::SenderClock;
use crate::intake::attachment::{self, Belongs};
use crate::intake::native;
use crate::store::rows::{AttachmentRow, EventRow, OutputFilter};
use app::domain::file::{Attachment, Digest, UNKNOWN_TYPE, file_name, media_type};
use app::domain::ids::{PlaceId, RunId};
use app::domain::output::{Level, OutputFrom};
use app::domain::run::Run;
use app::domain::test::Verdict;
use app::domain::time::{Micros, Timestamp};
use serde::Deserialize;
use std::collections::HashMap;

/// A file of a run, and where in it it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFile {
    /// What it is.
    pub attachment: Attachment,
    /// The suite: names from the root; none where it belongs to the run.
    pub suite: Vec<String>,
    /// The test in it.
    pub test: Option<String>,
    /// What tells the test from its likes.
    pub parameters: Option<String>,
    /// The attempt at it, from 1; else 0.
    pub attempt: u32,
    /// When it came, by our clock.
    pub at: Timestamp,
}

/// A line of output, or a step that began or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number in the event log.
    pub seq: i64,
    /// When, by our clock.
    pub at: Timestamp,
    /// Where it belongs.
    pub place: PlaceId,
    /// What was said.
    pub said: Said,
}

/// What a listener said of an output, as it stands in the log.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Said {
    /// `log`, `step.started` or `step.finished`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The suite: names from the root.
    pub suite: Option<Vec<String>>,
    /// The test in it.
    pub test: Option<String>,
    /// What tells the test from its likes.
    pub parameters: Option<String>,
    /// The attempt at it; the first where nobody says.
    pub attempt: Option<f64>,
    /// The step in which a line came, or which began or ended.
    pub step: Option<String>,
    /// The step around one that began.
    pub parent: Option<String>,
    /// The name of a step.
    pub name: Option<String>,
    /// How grave a line is, in the framework's word.
    pub level: Option<String>,
    /// The line.
    pub message: Option<String>,
    /// What a step came to.
    pub verdict: Option<Verdict>,
    /// How long a step took.
    pub duration_ms: Option<f64>,
    /// The file that came with a line.
    pub attachment: Option<Attached>,
}

/// A file that came with a line, kept or lost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Attached {
    /// It is kept.
    Kept(Attachment),
    /// It is not.
    Lost {
        /// What it was called.
        name: String,
        /// Why it is not kept.
        #[serde(default)]
        lost: Option<String>,
    },
}

impl Said {
    /// How grave a line is.
    pub fn level(&self) -> Level {
        Level::of(self.level.as_deref().unwrap_or_default())
    }

    /// How long a step took, where its listener measured it.
    pub fn took(&self) -> Option<Micros> {
        self.duration_ms.map(|millis| Micros((millis * 1_000.0) as i64))
    }
}

/// Which output is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputQuestion {
    /// Of a suite or a test alone.
    pub place: Option<PlaceId>,
    /// Lines that are at least so grave, and no steps.
    pub level: Option<Level>,
    /// From where on.
    pub from: OutputFrom,
    /// So many at most.
    pub limit: u32,
}

impl Desk {
    /// Records where a file belongs that is kept. What it is called and what it
    /// is are as its sender says, made safe.
    pub async fn attach(
        &self,
        caller: &Caller,
        belongs: &Belongs,
        kept: Kept,
        name: &str,
        kind: Option<&str>,
    ) -> Result<Attachment, Failure> {
        let file = attachment_of(kept, name, kind);
        let parsed = native::told([attachment::told(belongs, &file, self.now())]);
        let receipt = self.record(caller, SenderClock::default(), parsed).await?;
        match receipt.rejected.into_iter().next() {
            None => Ok(file),
            Some(fault) => Err(Failure::Invalid { pointer: fault.pointer, detail: fault.detail }),
        }
    }

    /// The files of a run in the order in which they came; `None` where there
    /// is no such run.
    pub async fn run_files(&self, id: RunId) -> Result<Option<Vec<RunFile>>, Failure> {
        let store = &self.inner.store;
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let files = store.attachment_list(id).await?;
        let names = if files.is_empty() { HashMap::new() } else { self.place_names(id).await? };
        let run = super::reads::outline(&row);
        Ok(Some(files.into_iter().map(|file| named(&run, file, &names)).collect()))
    }

    /// What every suite and test of a run is called.
    async fn place_names(&self, run: RunId) -> Result<HashMap<PlaceId, Names>, Failure> {
        let suites = self.inner.store.suite_rows(run).await?;
        let mut names: HashMap<PlaceId, Names> = HashMap::new();
        for test in self.inner.store.test_rows(run).await? {
            let Some(suite) = suites.get(test.test.suite as usize) else { continue };
            let (path, name, parameters) = (&suite.suite.path, &test.test.name, test.test.parameters.as_deref());
            let place = PlaceId::of(path, Some((name, parameters)));
            let path = path.iter().map(ToString::to_string).collect();
            names.insert(place, (path, Some(name.to_string()), parameters.map(str::to_owned)));
        }
        names.extend(suites.iter().map(|suite| {
            let path = suite.suite.path.iter().map(ToString::to_string).collect();
            (PlaceId::of(&suite.suite.path, None), (path, None, None))
        }));
        Ok(names)
    }

    /// A file of a run by its content.
    pub async fn run_file(&self, run: RunId, file: Digest) -> Result<Option<Attachment>, Failure> {
        if self.row(run).await?.is_none() {
            return Ok(None);
        }
        Ok(self.inner.store.attachment_get(run, file).await?.map(|row| row.attachment))
    }

    /// The files of a suite or test, or of a run itself, with the attempt at
    /// which each came.
    pub async fn files_of(&self, run: RunId, place: PlaceId) -> Result<Vec<(u32, Attachment)>, Failure> {
        if self.row(run).await?.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.inner.store.attachments_of_place(run, place).await?;
        Ok(rows.into_iter().map(|row| (row.attempt, row.attachment)).collect())
    }

    /// Output of a run in its order; `None` where there is no such run.
    pub async fn output(&self, id: RunId, question: OutputQuestion) -> Result<Option<Vec<Entry>>, Failure> {
        let store = &self.inner.store;
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let OutputQuestion { place, level, from, limit } = question;
        let rows = store.output_page(id, &OutputFilter { place, level, from, limit }).await?;
        let run = super::reads::outline(&row);
        Ok(Some(rows.iter().filter_map(|row| entry(&run, row)).collect()))
    }
}

type Names = (Vec<String>, Option<String>, Option<String>);

fn named(run: &Run, row: AttachmentRow, names: &HashMap<PlaceId, Names>) -> RunFile {
    let (suite, test, parameters) = names.get(&row.place).cloned().unwrap_or_default();
    let at = run.by_our_clock(row.at);
    RunFile { attachment: row.attachment, suite, test, parameters, attempt: row.attempt, at }
}

fn entry(run: &Run, row: &EventRow) -> Option<Entry> {
    let (place, _) = row.output?;
    // It was read once before it was kept.
    let said = serde_json::from_str(&row.body).ok()?;
    Some(Entry { seq: row.seq, at: run.by_our_clock(row.at), place, said })
}

/// A kept file by the name and media type that its sender gave it, made safe.
/// Where it gave no type, the name may tell.
pub fn attachment_of(kept: Kept, name: &str, kind: Option<&str>) -> Attachment {
    let name = file_name(name);
    let told = kind.and_then(media_type).filter(|kind| &**kind != UNKNOWN_TYPE);
    let by_name = || mime_guess::from_path(&*name).first_raw().and_then(media_type);
    let media_type = told.or_else(by_name).unwrap_or_else(|| UNKNOWN_TYPE.into());
    Attachment { file: kept.file, name, media_type, size: kept.size }
}
