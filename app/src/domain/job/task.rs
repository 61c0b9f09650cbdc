//! What a job is to do, and how far it is.
//!
//! Both travel as JSON between server and workers of different releases, so
//! what is left out is as usual and what is not known is passed over.

use super::words;
use crate::domain::file::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Steps of a job at most.
pub const STEPS_MAX: usize = 50;

/// What a job is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// Files that are put into its folder.
    pub files: Vec<TaskFile>,
    /// A commit that is checked out into its folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout: Option<Checkout>,
    /// What is run, one after the other.
    pub steps: Vec<Step>,
    /// All that its programs find in their environment, beside where they are.
    pub environment: BTreeMap<String, String>,
    /// Names of secrets that the server adds to the environment; they are
    /// masked in what is put out.
    pub secrets: Vec<String>,
    /// What it may take.
    pub limits: Limits,
    /// Its steps may use the network.
    pub has_network: bool,
    /// Whose results its tests are.
    pub tells: Tells,
    /// Report files that are read when all steps are over; `*` and `**` stand
    /// for any letters and any folders.
    pub reports: Vec<String>,
    /// Files that are kept with the run, by patterns like those of reports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// What its worker keeps for the next job of its kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caches: Vec<Cache>,
    /// References whose caches it may read, the nearest first; it writes those of
    /// the first alone. Where there is none, that of its checkout.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cached_for: Vec<String>,
}

/// Files and folders that a worker keeps from one job to the next, since they
/// take long to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cache {
    /// Where they are, within the job's folder; checked by [`check_path`].
    pub paths: Vec<String>,
    /// Patterns of the files that say what is in it: when one of them changes it
    /// is made anew. Where there is none, it is kept anew by each job.
    pub key: Vec<String>,
}

/// A file of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFile {
    /// Where in its folder; checked by [`super::check_path`].
    pub path: String,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A commit of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkout {
    /// Where it is.
    pub url: String,
    /// The commit; where it is empty, that to which the reference leads.
    pub commit: String,
    /// The branch or tag where it was pushed.
    pub reference: String,
}

/// A step of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// A name for people.
    pub name: String,
    /// A text for the shell.
    pub script: String,
    /// The folder in which it runs, within the job's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// It runs even where one before it failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
    /// Where it fails, the job goes on and does not fail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_fail: bool,
    /// What it puts out is kept in this file too, as a report.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub keeps: String,
    /// The variant of the matrix that it belongs to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// What it finds in its environment beside what all do.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The image of the container in which it runs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
}

/// What a job may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Seconds, for all of its steps.
    pub seconds: u32,
    /// Memory of all its programs.
    pub memory_mebibytes: u32,
    /// Programs and threads at once.
    pub processes: u32,
    /// What it may write.
    pub disk_mebibytes: u32,
    /// What it may put out.
    pub output_mebibytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { seconds: 1_800, memory_mebibytes: 2_048, processes: 512, disk_mebibytes: 2_048, output_mebibytes: 64 }
    }
}

impl Limits {
    /// Memory of all its programs, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        bytes(self.memory_mebibytes)
    }

    /// What it may write, in bytes.
    pub fn disk_bytes(&self) -> u64 {
        bytes(self.disk_mebibytes)
    }

    /// What it may put out, in bytes.
    pub fn output_bytes(&self) -> u64 {
        bytes(self.output_mebibytes)
    }

    /// No more of anything than here.
    pub fn within(self, most: Self) -> Self {
        Self {
            seconds: self.seconds.min(most.seconds),
            memory_mebibytes: self.memory_mebibytes.min(most.memory_mebibytes),
            processes: self.processes.min(most.processes),
            disk_mebibytes: self.disk_mebibytes.min(most.disk_mebibytes),
            output_mebibytes: self.output_mebibytes.min(most.output_mebibytes),
        }
    }
}

fn bytes(mebibytes: u32) -> u64 {
    u64::from(mebibytes) * 1024 * 1024
}

/// Whose results the tests of a job are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tells {
    /// The setup.
    pub setup: String,
    /// The key of the run.
    pub run: String,
    /// The product under test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The commit under test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Its branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

impl Tells {
    /// The same for one attempt, from 1: the run of the attempt before has an
    /// end of its own.
    pub fn of_attempt(mut self, attempt: u32) -> Self {
        if attempt > 1 && !self.run.is_empty() {
            self.run = format!("{}, attempt {attempt}", self.run);
        }
        self
    }

    /// The same for one variant of a matrix, which is a setup of its own.
    pub fn of_variant(&self, variant: &str) -> Self {
        let is_plain = variant.is_empty() || self.setup.is_empty();
        let setup = if is_plain { self.setup.clone() } else { format!("{} ({variant})", self.setup) };
        Self { setup, ..self.clone() }
    }
}

words! {
    /// Where a step stands.
    StepState {
        /// It has not begun.
        Waiting = "waiting",
        /// It runs.
        Running = "running",
        /// It was well.
        Passed = "passed",
        /// It was not.
        Failed = "failed",
        /// It never ran, since one before it failed.
        Skipped = "skipped",
    }
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProgress {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// Where in the log it began, in bytes.
    #[serde(default)]
    pub log_start: u64,
    /// How long it took, or takes so far, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// What it ended with, where it ended by itself.
    #[serde(default)]
    pub code: Option<i32>,
    /// The variant of the matrix that it belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Its steps.
    pub steps: Vec<StepProgress>,
    /// The commit that it found at the head of a branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl Progress {
    /// The variants of its matrix in their order; one without a name where there
    /// is no matrix.
    pub fn variants(&self) -> Vec<&str> {
        let mut all: Vec<_> = self.steps.iter().map(|step| &*step.variant).filter(|name| !name.is_empty()).collect();
        all.dedup();
        if all.is_empty() { vec![""] } else { all }
    }
}

/// Why a path may not be a file of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathFault {
    /// Nothing, or nothing but dots and strokes.
    #[error("a file needs a name")]
    Empty,
    /// It leads out of the folder.
    #[error("it leads out of its folder")]
    Outside,
    /// It is longer than systems take.
    #[error("its path is longer than 500 bytes, or a part of it than 200")]
    Long,
    /// A letter that cannot be seen, or that some systems refuse.
    #[error("its name has letters that no file name may have")]
    Odd,
}

/// The path of a file within a folder, with `/` between its parts; or why there
/// is none. Names come from strangers: nothing that some system takes for a way
/// out is let through.
pub fn check_path(name: &str) -> Result<String, PathFault> {
    let name = name.replace('\\', "/");
    if name.len() > 500 {
        return Err(PathFault::Long);
    }
    if name.chars().any(char::is_control) {
        return Err(PathFault::Odd);
    }
    let drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || drive || name.split('/').any(|part| part == "..") {
        return Err(PathFault::Outside);
    }
    let parts: Vec<_> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.iter().any(|part| part.len() > 200) {
        return Err(PathFault::Long);
    }
    if parts.is_empty() { Err(PathFault::Empty) } else { Ok(parts.join("/")) }
}

/// Whether a path within a folder is one of a pattern: `*` stands for any
/// letters of one part, `**/` for any folders, `?` for one letter.
pub fn path_fits(pattern: &str, path: &str) -> bool {
    fits(pattern.as_bytes(), path.as_bytes(), &mut 20_000)
}

/// `patience` bounds what a pattern of many stars may cost.
fn fits(pattern: &[u8], path: &[u8], patience: &mut u32) -> bool {
    let Some(left) = patience.checked_sub(1) else { return false };
    *patience = left;
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            let folders = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
            std::iter::once(0).chain(folders).any(|at| fits(rest, &path[at..], patience))
        }
        [b'*', b'*'] => true,
        [b'*', rest @ ..] => {
            let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=end).any(|at| fits(rest, &path[at..], patience))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && fits(rest, &path[1..], patience),
        [byte, rest @ ..] => path.first() == Some(byte) && fits(rest, &path[1..], patience),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_within_their_folder() {
        assert_eq!(check_path("a/./b//c.py"), Ok("a/b/c.py".into()));
        assert_eq!(check_path("sub\\test.py"), Ok("sub/test.py".into()));
        for outside in ["../x", "a/../../x", "/etc/passwd", "C:\\x", "..", "a\\..\\x"] {
            assert_eq!(check_path(outside), Err(PathFault::Outside), "{outside}");
        }
        assert_eq!(check_path("./"), Err(PathFault::Empty));
        assert_eq!(check_path("a\0b"), Err(PathFault::Odd));
        assert_eq!(check_path(&"x".repeat(201)), Err(PathFault::Long));
    }

    #[test]
    fn patterns_take_what_they_say() {
        assert!(path_fits("**/*.xml", "a/b/c.xml") && path_fits("**/*.xml", "c.xml"));
        assert!(path_fits("reports/*.xml", "reports/c.xml") && !path_fits("reports/*.xml", "reports/a/c.xml"));
        assert!(path_fits("junit-?.xml", "junit-1.xml") && !path_fits("*.xml", "a.json"));
        assert!(path_fits("target/**", "target/a/b"));
        assert!(!path_fits(&"*a".repeat(40), &("a".repeat(200) + "b")), "it is given up before the end of time");
    }

    #[test]
    fn what_is_left_out_of_a_task_is_as_usual() {
        let task: Task =
            serde_json::from_str(r#"{"steps": [{"name": "a", "script": "true"}], "new": 1}"#).expect("a task");
        assert_eq!(task.limits, Limits::default());
        assert!(!task.has_network);
        let less = Limits { seconds: 5, ..Limits::default() };
        assert_eq!(Limits::default().within(less).seconds, 5);
        assert_eq!(Limits { disk_mebibytes: 5_000, ..less }.disk_bytes(), 5_242_880_000);
    }
}
