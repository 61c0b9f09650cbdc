//! What one screen draws: plain values with public fields.
//!
//! Private to a build: browser and server are always the same one (each beat
//! says which), so these may change with every release. The public contract
//! has types of its own, in the server's `http::wire`.
//!
//! They travel as arrays, without the names of their fields: readers by names
//! were 33 kB of the browser's module, 8 kB under brotli.

mod look;
mod output;
mod pulse;
mod sick;
mod strip;

pub use look::{Claim, Look, Reservation};
pub use output::{FileLine, OutputLine, OutputPage};
pub use pulse::{Mark, Pulse, SickTests};
pub use sick::{
    Broke, KnownName, LastFailure, PerMille, RenameOffer, SickPage, SickTest, TapePicture, TestHealth, TestPage,
    TestResult,
};

use crate::domain::activity::{Activity, ActivityFacts};
use crate::domain::counts::Counts;
use crate::domain::ids::{RunId, ScriptId, SetupId, TestId};
use crate::domain::run::{RunResult, RunState};
use crate::domain::suite::Phase;
use crate::domain::test::{Outcome, Verdict};
use crate::domain::time::{Micros, Timestamp};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// A setup on the grid or the wall.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct Tile {
    /// Which setup.
    pub setup: SetupId,
    /// Its name.
    pub name: String,
    /// What its owner wrote about it.
    pub comment: Option<String>,
    /// Rises with every change; a newer tile replaces an older one.
    pub version: u64,
    /// Its last word, by our clock.
    pub seen_at: Option<Timestamp>,
    /// What its activity is derived from.
    pub facts: ActivityFacts,
    /// Its newest open run, else its newest run.
    pub run: Option<RunCard>,
    /// Its latest builds can be asked for.
    pub has_builds: bool,
    /// What its strip is drawn from.
    pub pulse: Pulse,
    /// Who looks after it.
    pub claim: Option<Claim>,
    /// Who keeps it for themselves, or did.
    pub reservation: Option<Reservation>,
}

impl Tile {
    /// What the setup is doing at `now`.
    pub fn activity(&self, now: Timestamp, silent_after: Micros) -> Activity {
        Activity::of(now, &self.facts, silent_after)
    }

    /// Who keeps it for themselves at `now`.
    pub fn reserved(&self, now: Timestamp) -> Option<&Reservation> {
        self.reservation.as_ref().filter(|kept| kept.ends_at > now)
    }

    /// How ill it looks at `now`, for the order "sick first": what it is
    /// doing weighs most, then failures, then flakes.
    pub fn sickness(&self, now: Timestamp, silent_after: Micros) -> u32 {
        let activity = match self.activity(now, silent_after) {
            Activity::Lost => 5,
            Activity::Silent => 4,
            Activity::Overdue => 2,
            Activity::Running | Activity::Idle => 0,
        };
        let result = self.run.as_ref().map_or(0, |run| match () {
            () if run.counts.failed > 0 => 3,
            () if matches!(run.result, Some(RunResult::Incomplete | RunResult::Cancelled)) => 2,
            () if run.counts.flaky > 0 => 1,
            () => 0,
        });
        activity.max(result) * 10 + result
    }
}

/// A run as a tile shows it.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct RunCard {
    /// Which run.
    pub id: RunId,
    /// What the listener calls it.
    pub key: String,
    /// A name for people, where the listener gave one.
    pub name: Option<String>,
    /// The product under test.
    pub project: String,
    /// Where it stands.
    pub state: RunState,
    /// What it came to.
    pub result: Option<RunResult>,
    /// Its tests by outcome.
    pub counts: Counts,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// When it began, by our clock.
    pub started_at: Option<Timestamp>,
    /// When it ended, by our clock.
    pub finished_at: Option<Timestamp>,
    /// The suite it is busy with: names from the root.
    pub suite: Vec<String>,
    /// What that suite is busy with.
    pub phase: Option<Phase>,
    /// When that suite began.
    pub suite_started_at: Option<Timestamp>,
    /// When that suite's phase began.
    pub phase_started_at: Option<Timestamp>,
    /// The test it is busy with, parameters included.
    pub test: Option<String>,
    /// When that test began.
    pub test_started_at: Option<Timestamp>,
    /// When it should be done, from what is left.
    pub eta_at: Option<Timestamp>,
    /// When it should have been done, by what was known when it began.
    pub due_at: Option<Timestamp>,
}

/// The grid or the wall.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct Wall {
    /// Every setup, by name.
    pub tiles: Vec<Tile>,
    /// The server's clock.
    pub now: Timestamp,
    /// Which build the server is.
    pub build: String,
    /// How long until a setup that owes us a word is called silent.
    pub silent_after: Micros,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct RunLine {
    /// Which run.
    pub id: RunId,
    /// What the listener calls it.
    pub key: String,
    /// A name for people.
    pub name: Option<String>,
    /// The product under test.
    pub project: String,
    /// Where it stands.
    pub state: RunState,
    /// What it came to.
    pub result: Option<RunResult>,
    /// Its tests by outcome.
    pub counts: Counts,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The page of one setup.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct SetupPage {
    /// Its tile.
    pub tile: Tile,
    /// What it told about itself.
    pub attributes: Vec<(String, String)>,
    /// The run its tile shows, whole.
    pub run: Option<RunPage>,
    /// Its runs, newest first.
    pub runs: Vec<RunLine>,
    /// Where the next page of runs begins.
    pub next: Option<String>,
    /// The server's clock.
    pub now: Timestamp,
    /// How long until silence is called so.
    pub silent_after: Micros,
}

/// The page of one run.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct RunPage {
    /// What stands above the tree.
    pub head: RunHead,
    /// Its suites; a test names its suite by `ordinal`.
    pub suites: Vec<SuiteLine>,
    /// Its tests.
    pub tests: Vec<TestLine>,
    /// Tests that likely go on from ones of the run before; told only to who
    /// may join them.
    pub renames: Vec<RenameOffer>,
    /// The server's clock.
    pub now: Timestamp,
}

/// What stands above the tree of a run.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct RunHead {
    /// The setup's name.
    pub setup: String,
    /// The run as a tile shows it.
    pub card: RunCard,
    /// Rises with every change.
    pub version: u64,
    /// What its setup's activity is derived from, as far as this run goes.
    pub facts: ActivityFacts,
    /// How long until silence is called so.
    pub silent_after: Micros,
    /// What set it off.
    pub trigger: Option<String>,
    /// Where more is to be seen, as told; only ever shown as a link when it is
    /// http or https.
    pub url: Option<String>,
    /// Who set it off.
    pub user: Option<String>,
    /// The framework and its version.
    pub framework: Option<String>,
    /// Anything else that was told.
    pub attributes: Vec<(String, String)>,
    /// Events that came after it was over.
    pub late: u32,
    /// What was added to the listener's times, where its clock is wrong.
    pub clock_correction: Option<Micros>,
    /// The setup's last run before this one that passed.
    pub last_good: Option<RunId>,
    /// What the setup's strip is drawn from, while this is the run it shows.
    pub pulse: Option<Pulse>,
}

/// A suite of a run.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct SuiteLine {
    /// Its number in the run.
    pub ordinal: u32,
    /// Names from the root.
    pub path: Vec<String>,
    /// Its place in the plan.
    pub position: Option<u32>,
    /// When it began, by our clock.
    pub started_at: Option<Timestamp>,
    /// When it ended, by our clock.
    pub finished_at: Option<Timestamp>,
    /// What it is, or was last, busy with.
    pub phase: Option<Phase>,
    /// How long its own setup took.
    pub setup_duration: Option<Micros>,
    /// How long its own teardown took.
    pub teardown_duration: Option<Micros>,
    /// Its own verdict.
    pub verdict: Option<Verdict>,
    /// Why.
    pub message: Option<String>,
    /// The file or folder it is written in.
    pub source: Option<String>,
    /// Its script.
    pub script: Option<ScriptId>,
    /// The version at which it last changed.
    pub version: u64,
}

/// A test of a run.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct TestLine {
    /// Its number in the run.
    pub ordinal: u32,
    /// Its identity over runs.
    pub id: TestId,
    /// The number of its suite.
    pub suite: u32,
    /// Its name.
    pub name: String,
    /// What tells it from its likes.
    pub parameters: Option<String>,
    /// Its place in the plan.
    pub position: Option<u32>,
    /// What it came to.
    pub outcome: Outcome,
    /// When its last attempt began, by our clock.
    pub began_at: Option<Timestamp>,
    /// How long its last attempt took.
    pub duration: Option<Micros>,
    /// Its attempts.
    pub attempts: Vec<AttemptLine>,
    /// The beginning of its last message.
    pub message: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// The file it is written in.
    pub source: Option<String>,
    /// The line there.
    pub line: Option<u32>,
    /// Its own script, where the plan carried one.
    pub script: Option<ScriptId>,
    /// Lines, steps or files came with it.
    pub has_output: bool,
    /// The version at which it last changed.
    pub version: u64,
}

/// An attempt at a test.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct AttemptLine {
    /// From 1.
    pub number: u32,
    /// What it came to; `None` while it runs.
    pub verdict: Option<Verdict>,
    /// How long it took.
    pub duration: Option<Micros>,
    /// There is a message or trace to be read.
    pub has_text: bool,
}

/// Message and trace of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct AttemptText {
    /// From 1.
    pub number: u32,
    /// The message.
    pub message: Option<String>,
    /// The trace.
    pub trace: Option<String>,
}

/// A build of the setup's job, as its CI server tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Build {
    /// Its number.
    pub number: u64,
    /// Its page there.
    pub url: String,
    /// What it came to, in that server's words; `None` while it runs.
    pub result: Option<String>,
    /// Tests that passed.
    pub passed: Option<u32>,
    /// Tests in all.
    pub total: Option<u32>,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Micros,
}
