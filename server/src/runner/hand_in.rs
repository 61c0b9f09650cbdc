//! What a job left: its reports and the files that are kept of it.

use super::folder::{self, Folder, Found};
use super::hold::AGAIN_AFTER;
use super::log::Log;
use super::office::{Office, OfficeError};
use app::domain::job::{Progress, StepState, Task, Tells};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A server that is away for longer gets nothing more.
const AWAY_MOST: Duration = Duration::from_secs(60);

/// All that is needed to hand it in.
pub(super) struct HandIn<'a> {
    pub office: &'a Office,
    pub log: &'a Log,
    pub folder: &'a Arc<Folder>,
    pub task: &'a Task,
    /// Whose results they are.
    pub tells: &'a Tells,
    /// The numbers of the steps that left it.
    pub steps: Range<usize>,
    pub progress: &'a Progress,
    /// Something was told of the run while the job ran.
    pub is_begun: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct HandedIn {
    /// Steps whose own report tells of tests that failed.
    pub ill: Vec<usize>,
    /// Why not all reports were handed in, where the server was away.
    pub away: Option<String>,
}

impl HandIn<'_> {
    /// Hands in everything. Reports go first: what they tell decides whether
    /// there is a run that files can belong to.
    pub async fn all(&self) -> HandedIn {
        let steps = self.steps.clone();
        let (found, left_out) = self.search(move |folder, task| folder.reports(task, &steps)).await;
        for why in left_out {
            self.log.say(&format!("holter: a report is left out: {why}")).await;
        }
        let mut handed = HandedIn::default();
        let mut is_begun = self.is_begun;
        for report in found {
            let (step, name) = (report.step, report.name.clone());
            match self.report(report).await {
                Ok(failed) => {
                    is_begun = true;
                    handed.ill.extend(step.filter(|_| failed > 0));
                }
                Err(error) => {
                    self.log.say(&format!("holter: the report {name} was not taken: {error}")).await;
                    if let OfficeError::Away(why) = error {
                        handed.away = Some(why);
                        return handed;
                    }
                }
            }
        }
        self.files(is_begun).await;
        handed
    }

    /// Searches the folder; it may be large, and is a stranger's.
    async fn search<T: Default + Send + 'static>(&self, look: impl FnOnce(&Folder, &Task) -> T + Send + 'static) -> T {
        let (folder, task) = (self.folder.clone(), self.task.clone());
        tokio::task::spawn_blocking(move || look(&folder, &task)).await.unwrap_or_default()
    }

    async fn files(&self, is_begun: bool) {
        if self.task.artifacts.is_empty() {
            return;
        }
        let (files, left_out) = self.search(Folder::artifacts).await;
        if let Some(why) = left_out {
            self.log.say(&format!("holter: {why}")).await;
        }
        if !is_begun && !files.is_empty() {
            self.log.say("holter: no files are kept: nothing was told of any test, so there is no run for them").await;
            return;
        }
        for (name, path) in files {
            let bytes = tokio::task::spawn_blocking(move || folder::content(&path)).await;
            let taken = match bytes.map_err(std::io::Error::other).and_then(|read| read) {
                Ok(bytes) => {
                    let bytes = Bytes::from(bytes);
                    until_there(|| self.office.attach(self.tells, &name, bytes.clone())).await
                }
                Err(error) => Err(OfficeError::Refused(error.to_string())),
            };
            let Err(error) = taken else { continue };
            self.log.say(&format!("holter: the file {name} is not kept: {error}")).await;
            if matches!(error, OfficeError::Away(_)) {
                return;
            }
        }
    }

    /// Tells how many tests of a report failed.
    async fn report(&self, report: Found) -> Result<u32, OfficeError> {
        let Found { step, name, bytes } = report;
        let (format, bytes) = match step {
            Some(step) => understood(self.progress, step, &name, bytes),
            None => (None, bytes),
        };
        let bytes = Bytes::from(bytes);
        until_there(|| self.office.report(self.tells, format, bytes.clone())).await
    }
}

/// Asks again while the server is away, for a while. What was taken before its
/// answer was lost counts once.
async fn until_there<T, F: Future<Output = Result<T, OfficeError>>>(ask: impl Fn() -> F) -> F::Output {
    let until = Instant::now() + AWAY_MOST;
    loop {
        match ask().await {
            Err(OfficeError::Away(_)) if Instant::now() < until => tokio::time::sleep(AGAIN_AFTER).await,
            other => return other,
        }
    }
}

/// What a script put out is TAP where it says so; else its exit code is its one
/// test.
fn understood(progress: &Progress, step: usize, name: &str, bytes: Vec<u8>) -> (Option<&'static str>, Vec<u8>) {
    let Some(script) = name.strip_suffix(".tap") else { return (None, bytes) };
    let is_result = |line: &[u8]| line.starts_with(b"ok") || line.starts_with(b"not ok");
    if bytes.split(|byte| *byte == b'\n').any(is_result) {
        return (Some("tap"), bytes);
    }
    let is_well = progress.steps.get(step).is_some_and(|step| step.state == StepState::Passed);
    let word = if is_well { "ok" } else { "not ok" };
    (Some("tap"), format!("1..1\n{word} 1 - {script}\n").into_bytes())
}
