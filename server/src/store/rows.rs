//! What a row holds, in the words of the domain.

mod events;
mod files;
mod foreign;
mod health;
mod news;
mod outbox;
mod output;
mod owners;
mod pasts;
mod people;
mod renames;
mod retention;
mod schedules;
mod suites;
mod walls;
mod work;

pub use events::*;
pub use files::*;
pub use foreign::*;
pub use health::*;
pub use news::*;
pub use outbox::*;
pub use output::*;
pub use owners::*;
pub use pasts::*;
pub use people::*;
pub use renames::*;
pub use retention::*;
pub use schedules::*;
pub use suites::*;
pub use walls::*;
pub use work::*;

use super::error::StoreError;
use app::domain::counts::Counts;
use app::domain::ids::{RunId, ScriptId, SetupId, SuiteId, TokenId};
use app::domain::name::{ProjectName, RunKey, SetupName};
use app::domain::run::{Run, RunFacts, RunResult, RunState, Said};
use app::domain::suite::Suite;
use app::domain::test::{Outcome, Test};
use app::domain::time::Timestamp;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What a setup tells about itself.
pub type Attributes = BTreeMap<Box<str>, Box<str>>;

/// A setup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupRow {
    /// Its identity.
    pub id: SetupId,
    /// Its name.
    pub name: SetupName,
    /// Grows by one with every group that speaks of it.
    pub version: i64,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// When it last spoke, by our clock.
    pub heard_at: Option<Timestamp>,
    /// What it told about itself.
    pub attributes: Attributes,
}

/// A setup is spoken of in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupTouch {
    /// The id it gets if it is new.
    pub id: SetupId,
    /// Its name; once in a group.
    pub name: SetupName,
    /// The version it has at least after this; the one after the stored one, if that is higher.
    pub version: i64,
    /// When it spoke, by our clock; none where somebody else spoke of it.
    pub heard_at: Option<Timestamp>,
    /// Now, by our clock.
    pub now: Timestamp,
    /// What it told, to be joined with what it told before.
    pub attributes: Option<Attributes>,
}

/// What came of a [`SetupTouch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupTouched {
    /// The id that stands.
    pub id: SetupId,
    /// Its name.
    pub name: SetupName,
    /// Its new version; 1 where it is new.
    pub version: i64,
}

/// A run without its suites and tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its identity.
    pub id: RunId,
    /// Where it runs.
    pub setup: SetupId,
    /// What the listener calls it.
    pub key: RunKey,
    /// Its project.
    pub project: ProjectName,
    /// Where it stands.
    pub state: RunState,
    /// What it came to, once it is over.
    pub result: Option<RunResult>,
    /// Its tests by outcome.
    pub counts: Counts,
    /// What was said about it.
    pub facts: RunFacts,
    /// When it began, by our clock.
    pub started_at: Option<Timestamp>,
    /// When it ended, by our clock.
    pub finished_at: Option<Timestamp>,
    /// When it last spoke, by our clock.
    pub heard_at: Option<Timestamp>,
    /// When it was first heard of, by our clock.
    pub created_at: Timestamp,
    /// The branch under test.
    pub branch: Option<Box<str>>,
    /// The commit under test.
    pub commit: Option<Box<str>>,
    /// A name for people.
    pub name: Option<Box<str>>,
    /// The version of the setup that wrote it last.
    pub version: i64,
}

impl RunRow {
    /// When it began, or was first heard of where nobody said: the order of runs.
    pub fn began_at(&self) -> Timestamp {
        self.started_at.unwrap_or(self.created_at)
    }

    /// The row of a run.
    pub fn of(run: &Run, created_at: Timestamp, version: i64) -> Self {
        let facts = run.facts().clone();
        let said = |said: &Option<Said<Box<str>>>| said.as_ref().map(|said| said.value.clone());
        Self {
            id: run.id,
            setup: run.setup,
            key: run.key.clone(),
            project: run.project(),
            state: run.state(),
            result: run.result(),
            counts: run.counts(),
            started_at: run.started_at(),
            finished_at: run.finished_at(),
            heard_at: facts.heard_at,
            created_at,
            branch: said(&facts.about.branch),
            commit: said(&facts.about.commit),
            name: said(&facts.about.name),
            version,
            facts,
        }
    }

    /// What tests that never ended have come to: none while the run is open.
    pub fn unfinished_as(&self) -> Option<Outcome> {
        match self.state {
            RunState::Waiting | RunState::Running => None,
            _ if self.facts.shards.aborted => Some(Outcome::Cancelled),
            _ => Some(Outcome::Lost),
        }
    }
}

/// A suite in a run. Its times are the listener's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteRow {
    /// The run.
    pub run: RunId,
    /// Its number in the run.
    pub ordinal: u32,
    /// Its identity over all runs.
    pub id: SuiteId,
    /// Where the run runs.
    pub setup: SetupId,
    /// The suite.
    pub suite: Suite,
    /// The version of the setup that wrote it last.
    pub version: i64,
}

impl SuiteRow {
    /// The row of the suite with this ordinal, which the run must have.
    pub fn of(run: &Run, ordinal: u32, version: i64) -> Self {
        Self {
            run: run.id,
            ordinal,
            id: run.suite_id(ordinal),
            setup: run.setup,
            suite: run.suites()[ordinal as usize].clone(),
            version,
        }
    }
}

/// A test in a run. Its times are the listener's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRow {
    /// The run.
    pub run: RunId,
    /// Its number in the run.
    pub ordinal: u32,
    /// Where the run runs.
    pub setup: SetupId,
    /// The test.
    pub test: Test,
    /// What it came to, with the end of the run taken into account.
    pub outcome: Outcome,
    /// The version of the setup that wrote it last. The end of a run changes
    /// outcomes without writing the tests again.
    pub version: i64,
}

impl TestRow {
    /// The row of the test with this ordinal, which the run must have.
    pub fn of(run: &Run, ordinal: u32, version: i64) -> Self {
        let test = run.tests()[ordinal as usize].clone();
        Self { run: run.id, ordinal, setup: run.setup, outcome: run.outcome(&test), test, version }
    }

    /// When its last attempt ended.
    pub fn finished_at(&self) -> Option<Timestamp> {
        self.test.attempts.last()?.finished.map(|finish| finish.at)
    }
}

/// Why an attempt ended as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRow {
    /// The run.
    pub run: RunId,
    /// The test's number in the run.
    pub ordinal: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The message.
    pub message: Option<Box<str>>,
    /// The trace.
    pub trace: Option<Box<str>>,
}

/// The text of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptRow {
    /// By its content.
    pub id: ScriptId,
    /// The text.
    pub body: Box<str>,
}

/// A token; the secret itself is never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its public name.
    pub id: TokenId,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// What it allows.
    pub scope: Box<str>,
    /// The one setup it is for.
    pub setup: Option<SetupName>,
    /// The one project it is for.
    pub project: Option<ProjectName>,
    /// A note for people.
    pub label: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is not valid.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
    /// The one wall it shows.
    pub wall: Option<Box<str>>,
    /// From where it was last used.
    pub used_from: Option<Box<str>>,
    /// Who made it.
    pub created_by: Option<Box<str>>,
}

/// Which runs; what is none does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// On this setup.
    pub setup: Option<SetupId>,
    /// Of this project.
    pub project: Option<ProjectName>,
    /// Of one of these projects.
    pub projects: Option<BTreeSet<ProjectName>>,
    /// Of this branch.
    pub branch: Option<Box<str>>,
    /// That came to this.
    pub result: Option<RunResult>,
    /// That stand here.
    pub state: Option<RunState>,
}

/// Which tests of a run; what is none does not filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestFilter<'a> {
    /// That came to one of these.
    pub outcome: Option<&'a [Outcome]>,
    /// With this text in name, parameters or suite path. Upper and lower case
    /// of A to Z are the same; of other letters, that is up to the database.
    pub q: Option<&'a str>,
}

impl RunRow {
    /// The whole run, from all its rows in the order of their ordinals.
    pub(super) fn join(self, suites: Vec<SuiteRow>, tests: Vec<TestRow>) -> Result<Run, StoreError> {
        let gap = |table, at: usize| StoreError::Corrupt {
            table,
            column: "ordinal",
            id: format!("{}/{at}", self.id),
            reason: "a row before it is missing".into(),
        };
        if let Some(at) = suites.iter().zip(0..).position(|(row, at)| row.ordinal != at) {
            return Err(gap("suites", at));
        }
        if let Some(at) = tests.iter().zip(0..).position(|(row, at)| row.ordinal != at) {
            return Err(gap("tests", at));
        }
        if let Some(row) = tests.iter().find(|row| row.test.suite as usize >= suites.len()) {
            return Err(StoreError::Corrupt {
                table: "tests",
                column: "suite",
                id: format!("{}/{}", self.id, row.ordinal),
                reason: "the run has no such suite".into(),
            });
        }
        let suites = suites.into_iter().map(|row| row.suite).collect();
        let tests = tests.into_iter().map(|row| row.test).collect();
        Ok(Run::restore(self.id, self.setup, self.key, self.facts, suites, tests))
    }
}

impl RunFilter {
    /// The projects, each between separators that occur in no name.
    pub(super) fn within(&self) -> Option<String> {
        let projects = self.projects.as_ref()?;
        Some(projects.iter().map(|project| format!("\u{1f}{project}\u{1f}")).collect())
    }
}

impl TestFilter<'_> {
    /// The outcomes between commas.
    pub(super) fn outcomes(&self) -> Option<String> {
        let words = self.outcome?.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>();
        Some(format!(",{},", words.join(",")))
    }

    /// The text as a pattern, with its own signs taken literally.
    pub(super) fn pattern(&self) -> Option<String> {
        Some(format!("%{}%", self.q?.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
    }
}

/// Of several texts for one attempt, the last: PostgreSQL refuses to write a
/// row twice in one statement.
pub(super) fn last_of_each(rows: &[TextRow]) -> Cow<'_, [TextRow]> {
    let last: BTreeMap<_, _> = rows.iter().map(|row| ((row.run, row.ordinal, row.attempt), row)).collect();
    if last.len() == rows.len() { rows.into() } else { last.into_values().cloned().collect() }
}
