//! What a bench says and when, before it is put into words.

use app::domain::suite::Phase;
use app::domain::test::Verdict;
use app::domain::time::Micros;
use std::sync::Arc;
use uuid::Uuid;

/// Something a bench says.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When it is delivered.
    pub due: Micros,
    /// When it happened; earlier than `due` only on an unreliable line.
    pub at: Micros,
    /// Its id; a repeat has the same.
    pub id: Uuid,
    /// The run it belongs to, if any.
    pub run: Option<Arc<RunHead>>,
    /// What happened.
    pub what: What,
}

/// What is known of a run before it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct RunHead {
    /// Its number on the bench, from 0.
    pub number: u32,
    /// Its key.
    pub key: String,
    /// When it begins.
    pub start: Micros,
    /// The number of the commit on the main branch.
    pub commit_number: i64,
    /// The commit under test.
    pub commit: String,
    /// Its branch.
    pub branch: &'static str,
    /// What set it off.
    pub trigger: &'static str,
    /// How many shards.
    pub shards: usize,
    /// The suite that is slow this time, and how many times its usual time it takes.
    pub slow: Option<(usize, f64)>,
    /// The test during which it ends before its time.
    pub stop: Option<(usize, Stop)>,
}

/// How a run ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Somebody stops it.
    Aborted,
    /// The bench dies and says nothing.
    Dies,
}

/// Why a test did not pass at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The product is broken by a commit.
    Defect,
    /// The test fails now and then.
    Flake,
    /// Something around the bench is down.
    Incident,
}

/// What becomes of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Passes at once.
    Passed,
    /// Passes at once, with a warning.
    Warned,
    /// Is not run.
    Skipped,
    /// Fails and passes at the second attempt.
    Flaky(Verdict, Cause),
    /// Fails for good.
    Failed(Verdict, Cause),
}

/// A shard of a run, from 0.
pub type Shard = usize;

/// What happens. Suites and tests are indices into the bench's project.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// The setup tells about itself.
    Described,
    /// The setup is alive.
    Heartbeat,
    /// The plan.
    Planned,
    /// The run, or a shard of it, begins.
    Started(Shard),
    /// A suite begins.
    SuiteStarted(usize),
    /// A suite goes on to another phase.
    SuitePhase(usize, Phase),
    /// An attempt begins.
    TestStarted {
        /// Which test.
        test: usize,
        /// From 1.
        attempt: u32,
    },
    /// An attempt ends.
    TestFinished {
        /// Which test.
        test: usize,
        /// From 1.
        attempt: u32,
        /// What it came to.
        verdict: Verdict,
        /// How long it took.
        took: Micros,
        /// Why it failed, if it did.
        cause: Option<Cause>,
    },
    /// A line of output.
    Log(Line),
    /// A suite ends.
    SuiteFinished(usize, Verdict),
    /// The run, or a shard of it, ends.
    Finished {
        /// Which shard.
        shard: Shard,
        /// Stopped before its time.
        aborted: bool,
    },
}

/// A line of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A suite's preparation is done.
    Ready(usize),
    /// A test is tried again.
    Retry(usize),
    /// A test failed, and this is what was found.
    Diagnosis(usize, Cause),
    /// A test is slower than it should be.
    Slow(usize),
}

/// An offset and a length make an offset.
pub(super) const fn after(at: Micros, by: Micros) -> Micros {
    Micros(at.0.saturating_add(by.0))
}
