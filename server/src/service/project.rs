//! A project: its commits as beats, and how likely a flake hits them.

use super::desk::{Desk, Sight};
use super::failure::Failure;
use crate::store::rows::{RunFilter, RunRow};
use app::domain::ids::RunId;
use app::domain::name::ProjectName;
use app::domain::run::RunResult;
use app::domain::time::Timestamp;
use app::ecg::commits::{self, Commit, CommitResult};
use app::ecg::reading::Estimate;
use app::ecg::tape::Tape;
use std::collections::HashMap;

/// Runs that are read at once.
const PAGE: u32 = 500;

/// Runs that are looked at; older ones are not on the strip.
pub const RUNS_MAX: usize = 100_000;

/// A commit, or a run of which no commit is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The commit.
    pub commit: Option<Box<str>>,
    /// Its branch.
    pub branch: Option<Box<str>>,
    /// Its last run.
    pub run: RunId,
    /// Its runs.
    pub runs: u32,
    /// When it was first run.
    pub at: Timestamp,
    /// Tests that were run.
    pub tests: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were flaky.
    pub flaky: u32,
    /// What came of it; none while nothing has ended.
    pub result: Option<CommitResult>,
}

/// A setup of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectSetup {
    /// Its name.
    pub name: String,
    /// The chance that a run on it is hit by a flake.
    pub flake: Option<Estimate>,
    /// Tests that are known, that are flaky, that are broken.
    pub tests: (u32, u32, u32),
    /// Its probabilities are not worth their name.
    pub is_uncalibrated: bool,
}

/// Commits as a strip.
#[derive(Clone, Debug)]
pub struct Strip {
    /// The commits, the oldest first.
    pub beats: Vec<Beat>,
    /// The same as a tape.
    pub tape: Tape,
}

impl Strip {
    /// One beat a commit, from runs that come the newest first.
    pub(super) fn of(rows: Vec<RunRow>) -> Self {
        let beats = beats_of(rows);
        let tape = Tape::new(&commits::entries(&beats.iter().map(commit_of).collect::<Vec<_>>()));
        Self { beats, tape }
    }
}

/// A project as its page shows it.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its commits.
    pub strip: Strip,
    /// Its setups, by name.
    pub setups: Vec<ProjectSetup>,
}

impl Project {
    /// The chance that a flake hits a commit that is run once on every setup,
    /// taken as independent: 1 - Π (1 - p).
    pub fn flake_anywhere(&self) -> Option<f64> {
        let chances: Vec<f64> = self.setups.iter().filter_map(|setup| setup.flake).map(|flake| flake.mean).collect();
        (!chances.is_empty()).then(|| 1.0 - chances.iter().map(|p| 1.0 - p).product::<f64>())
    }
}

impl Desk {
    /// A project by its name; `None` where nothing was ever run for it.
    pub async fn project(&self, name: &str, branch: Option<&str>) -> Result<Option<Project>, Failure> {
        let sight = self.reading().await?;
        let Ok(name) = ProjectName::parse(name) else { return Ok(None) };
        let filter = RunFilter { project: Some(name.clone()), branch: branch.map(Into::into), ..RunFilter::default() };
        let Some(filter) = self.within(filter, &sight) else { return Ok(None) };
        let strip = Strip::of(self.runs_of(&filter).await?);
        if strip.beats.is_empty() && branch.is_none() {
            return Ok(None);
        }
        Ok(Some(Project { strip, setups: self.setups_of(name.as_str(), &sight) }))
    }

    async fn runs_of(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Failure> {
        let mut rows: Vec<RunRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| (row.created_at, row.id));
            let page = self.inner.store.run_page(filter, after, PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            rows.extend(page);
            if is_last || rows.len() >= RUNS_MAX {
                return Ok(rows);
            }
        }
    }

    fn setups_of(&self, project: &str, sight: &Sight) -> Vec<ProjectSetup> {
        let tiles = self.inner.board.tiles();
        let is_own = |tile: &&std::sync::Arc<app::read::Tile>| {
            tile.run.as_ref().is_some_and(|run| run.project == project) && sight.sees(tile)
        };
        let own = tiles.iter().filter(is_own);
        own.map(|tile| ProjectSetup {
            name: tile.name.clone(),
            flake: tile.pulse.flake,
            tests: (tile.pulse.tests.all, tile.pulse.tests.flaky, tile.pulse.tests.broken),
            is_uncalibrated: tile.pulse.is_uncalibrated,
        })
        .collect()
    }
}

fn beats_of(rows: Vec<RunRow>) -> Vec<Beat> {
    let mut beats: Vec<Beat> = Vec::new();
    let mut places: HashMap<Box<str>, usize> = HashMap::new();
    for row in rows.into_iter().rev() {
        let beat = beat_of(&row);
        match row.commit.as_ref().and_then(|commit| places.get(commit)) {
            Some(place) => join(&mut beats[*place], beat),
            None => {
                if let Some(commit) = row.commit {
                    places.insert(commit, beats.len());
                }
                beats.push(beat);
            }
        }
    }
    beats
}

fn beat_of(row: &RunRow) -> Beat {
    let counts = &row.counts;
    let result = row.result.and_then(|result| match result {
        RunResult::Passed => Some(CommitResult::Passed),
        RunResult::Flaky => Some(CommitResult::Flaky),
        RunResult::Failed | RunResult::Incomplete => Some(CommitResult::Failed),
        RunResult::Cancelled => None,
    });
    Beat {
        commit: row.commit.clone(),
        branch: row.branch.clone(),
        run: row.id,
        runs: 1,
        at: row.began_at(),
        tests: counts.passed + counts.flaky + counts.failed,
        failed: counts.failed,
        flaky: counts.flaky,
        result,
    }
}

/// A commit was run again. One that failed and then passed is flaky: the same
/// code came to two ends.
fn join(beat: &mut Beat, again: Beat) {
    use CommitResult::{Failed, Flaky};
    beat.result = match (beat.result, again.result) {
        (None, other) | (other, None) => other,
        (Some(one), Some(other)) if one == other => Some(one),
        (Some(Failed), Some(_)) | (Some(_), Some(Failed)) => Some(Flaky),
        (Some(one), Some(other)) => Some(one.max(other)),
    };
    beat.run = again.run;
    beat.runs += again.runs;
    beat.tests = beat.tests.max(again.tests);
    beat.failed = again.failed.max(beat.failed);
    beat.flaky = again.flaky.max(beat.flaky);
}

fn commit_of(beat: &Beat) -> Commit {
    Commit { at: beat.at, result: beat.result, changed_lines: None, tests: Some(beat.tests), is_tagged: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn beat(result: Option<CommitResult>) -> Beat {
        let run = RunId(Uuid::from_u128(1));
        Beat { commit: None, branch: None, run, runs: 1, at: Timestamp(0), tests: 3, failed: 0, flaky: 0, result }
    }

    #[test]
    fn a_commit_that_failed_and_passed_is_flaky() {
        use CommitResult::{Failed, Flaky, Passed};
        let table = [
            (Some(Passed), Some(Passed), Some(Passed)),
            (Some(Failed), Some(Failed), Some(Failed)),
            (Some(Failed), Some(Passed), Some(Flaky)),
            (Some(Passed), Some(Failed), Some(Flaky)),
            (Some(Passed), Some(Flaky), Some(Flaky)),
            (None, Some(Passed), Some(Passed)),
            (None, None, None),
        ];
        for (one, other, expected) in table {
            let mut joined = beat(one);
            join(&mut joined, beat(other));
            assert_eq!((joined.result, joined.runs), (expected, 2), "{one:?} {other:?}");
        }
    }
}
