//! What a job left: its reports and the files that are kept of it.

use super::folder::{self, Folder, Found};
use super::log::Log;
use super::office::Office;
use super::relay::Relay;
use app::domain::job::{Progress, StepState, Task};

/// All that is needed to hand it in.
pub(super) struct HandIn<'a> {
    pub office: &'a Office,
    pub log: &'a Log,
    pub folder: &'a Folder,
    pub task: &'a Task,
    pub progress: &'a Progress,
}

impl HandIn<'_> {
    /// Hands in everything; tells of which steps the own report says that tests
    /// failed.
    pub async fn all(&self, relay: Option<&Relay>) -> Vec<usize> {
        let (found, left_out) = self.folder.reports(self.task);
        for why in left_out {
            self.log.say(&format!("holter: a report is left out: {why}")).await;
        }
        // Before the reports, which end a run that nothing else was told of.
        if let Some(relay) = relay {
            self.files(relay, !found.is_empty()).await;
        }
        let mut ill = Vec::new();
        for report in found {
            let step = report.step;
            if self.report(report).await > 0 {
                ill.extend(step);
            }
        }
        ill
    }

    /// The files that are kept belong to a run: where nothing was told of one,
    /// none is made for them.
    async fn files(&self, relay: &Relay, has_reports: bool) {
        let (files, left_out) = self.folder.artifacts(self.task);
        if let Some(why) = left_out {
            self.log.say(&format!("holter: {why}")).await;
        }
        if files.is_empty() {
            return;
        }
        if !relay.is_begun() && !has_reports {
            self.log.say("holter: no files are kept: nothing was told of any test, so there is no run for them").await;
            return;
        }
        relay.begin();
        for (name, path) in files {
            let taken = match folder::content(&path) {
                Ok(bytes) => self.office.attach(&self.task.tells, &name, bytes.into()).await.map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = taken {
                self.log.say(&format!("holter: the file {name} is not kept: {error}")).await;
            }
        }
    }

    /// Tells how many tests of a report failed.
    async fn report(&self, report: Found) -> u32 {
        let Found { step, name, bytes } = report;
        let (format, bytes) = match step {
            Some(step) => understood(self.progress, step, &name, bytes),
            None => (None, bytes),
        };
        match self.office.report(&self.task.tells, format, bytes.into()).await {
            Ok(failed) => failed,
            Err(error) => {
                self.log.say(&format!("holter: the report {name} was not taken: {error}")).await;
                0
            }
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
