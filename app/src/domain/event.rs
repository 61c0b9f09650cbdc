//! What a listener may say. The public spelling is in `docs/API.md`; reading
//! it, with a pointer to every fault, is the server's `intake::native`.

use super::ids::EventId;
use super::name::{ProjectName, RunKey, SetupName};
use super::output::Output;
use super::plan::Plan;
use super::suite::{Phase, SuitePath};
use super::test::Verdict;
use super::time::{Micros, Timestamp};
use std::collections::BTreeMap;

/// The longest message or trace that is kept, in bytes.
pub const TEXT_KEPT: usize = 64 * 1024;

/// One word of a listener.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// With an id, a repeat is known as a duplicate.
    pub id: Option<EventId>,
    /// When it happened, by the listener's clock.
    pub at: Timestamp,
    /// Where.
    pub setup: SetupName,
    /// The project, where the listener named it.
    pub project: Option<ProjectName>,
    /// What.
    pub kind: EventKind,
}

/// What happened: to a run, or to the setup itself.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// Something in a run.
    Run(RunKey, RunEvent),
    /// The setup is alive.
    SetupHeartbeat,
    /// The setup tells about itself.
    SetupDescribed(BTreeMap<Box<str>, Box<str>>),
    /// A kind that this version does not know; kept, and counted as ignored.
    Unknown(Option<RunKey>),
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEvent {
    /// The dry run.
    Planned(Plan),
    /// The run, or one shard of it, began.
    Started(Box<RunStarted>),
    /// A suite began.
    SuiteStarted {
        /// Names from the root.
        suite: SuitePath,
        /// Tests in it, nested ones included.
        total_tests: Option<u32>,
        /// The file or folder it is written in.
        source: Option<Box<str>>,
    },
    /// A suite went on to another phase.
    SuitePhase {
        /// Names from the root.
        suite: SuitePath,
        /// The phase that begins.
        phase: Phase,
    },
    /// An attempt at a test began.
    TestStarted {
        /// Which test.
        test: TestRef,
        /// What else is known of it.
        about: Box<TestAbout>,
    },
    /// An attempt at a test ended.
    TestFinished {
        /// Which test.
        test: TestRef,
        /// What it came to.
        verdict: Verdict,
        /// How long it took.
        duration: Option<Micros>,
        /// Why.
        text: Option<Box<Text>>,
    },
    /// A line of output, or a step inside a test that begins or ends.
    Output(Box<Output>),
    /// A suite ended.
    SuiteFinished {
        /// Names from the root.
        suite: SuitePath,
        /// Its own verdict.
        verdict: Option<Verdict>,
        /// Why.
        message: Option<Box<str>>,
    },
    /// The run, or one shard of it, ended.
    Finished {
        /// Stopped before its time.
        aborted: bool,
        /// Which shard, from 1.
        shard: Option<u32>,
    },
}

/// Names one attempt at a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestRef {
    /// Names from the root.
    pub suite: SuitePath,
    /// Its name.
    pub name: Box<str>,
    /// What tells it from its likes of the same name.
    pub parameters: Option<Box<str>>,
    /// From 1; 1 where the listener does not say.
    pub attempt: u32,
}

/// What a listener knows of a test beside its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestAbout {
    /// The file it is written in.
    pub source: Option<Box<str>>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// Tags.
    pub tags: Vec<Box<str>>,
    /// Who looks after it.
    pub owner: Option<Box<str>>,
}

/// Why an attempt ended as it did; each at most [`TEXT_KEPT`] bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The message.
    pub message: Option<Box<str>>,
    /// The trace.
    pub trace: Option<Box<str>>,
}

impl Text {
    /// A fingerprint (FNV-1a, 64 bits) that is the same on every machine, and
    /// is 0 only for no text.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in [&self.message, &self.trace] {
            for byte in part.iter().flat_map(|text| text.bytes()).chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        if self.message.is_none() && self.trace.is_none() { 0 } else { hash.max(1) }
    }
}

/// What a listener tells when a run, or one shard of it, begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunStarted {
    /// A name for people.
    pub name: Option<Box<str>>,
    /// The commit under test.
    pub commit: Option<Box<str>>,
    /// Its branch.
    pub branch: Option<Box<str>>,
    /// What set the run off.
    pub trigger: Option<Box<str>>,
    /// Where more is to be seen, for instance the CI job.
    pub url: Option<Box<str>>,
    /// Who set it off.
    pub user: Option<Box<str>>,
    /// The test framework and its version.
    pub framework: Option<Box<str>>,
    /// Tests that will run (in this shard).
    pub total_tests: Option<u32>,
    /// Which shard this is, from 1.
    pub shard: Option<u32>,
    /// How many shards the run has.
    pub shards: Option<u32>,
    /// Anything else.
    pub attributes: BTreeMap<Box<str>, Box<str>>,
}
