//! Tests over many runs: which of them are ill, and one of them closely.
//!
//! Probabilities are whole per mille: no screen shows them finer, and the
//! browser then needs no code to write fractions.

use crate::domain::health::{Label, Reason, Trend};
use crate::domain::ids::{RunId, TestId};
use crate::domain::rename::Sign;
use crate::domain::test::Outcome;
use crate::domain::time::{Micros, Timestamp};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// A probability in thousandths.
pub type PerMille = u32;

/// The tests that are neither new nor healthy, the most expensive first.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct SickPage {
    /// The tests.
    pub tests: Vec<SickTest>,
    /// There are more than are listed.
    pub is_cut: bool,
    /// Setups whose probabilities are not worth their name.
    pub uncalibrated: Vec<String>,
    /// Our clock.
    pub now: Timestamp,
}

/// A test on a setup that is neither new nor healthy.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct SickTest {
    /// Which test.
    pub id: TestId,
    /// Its name, the suites before it.
    pub path: Vec<String>,
    /// The setup.
    pub setup: String,
    /// The project of its newest run.
    pub project: String,
    /// Who looks after it.
    pub owner: Option<String>,
    /// What is known of it there.
    pub health: TestHealth,
    /// Lost to its spurious failures in a thousand runs, with one more attempt
    /// for each.
    pub lost_in_1000_runs: Micros,
}

/// What is known of a test on a setup.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct TestHealth {
    /// What it is called.
    pub label: Label,
    /// How likely it is flaky.
    pub p_flaky: PerMille,
    /// How likely it is broken.
    pub p_broken: PerMille,
    /// Expected spurious failures in a thousand runs.
    pub spurious: u32,
    /// How often it fails, given that it is flaky: the mean, and the ends of
    /// the 90 % interval.
    pub rate: [PerMille; 3],
    /// Which way it is going.
    pub trend: Option<Trend>,
    /// Why it is called so, the weightiest reason first.
    pub reasons: Vec<Reason>,
    /// How many results there were.
    pub results: u32,
    /// How many of them were failures.
    pub failures: u32,
    /// When the last one came.
    pub last_at: Option<Timestamp>,
}

/// One test over all its runs.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct TestPage {
    /// Which test.
    pub id: TestId,
    /// Its name, the suites before it.
    pub path: Vec<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// The project of its newest run.
    pub project: String,
    /// What is known of it, setup by setup.
    pub setups: Vec<(String, TestHealth)>,
    /// It is broken here and healthy there: setups of both kinds.
    pub environment: Option<(Vec<String>, Vec<String>)>,
    /// How likely it is flaky on any setup.
    pub p_flaky_anywhere: PerMille,
    /// Its results, the newest first.
    pub results: Vec<TestResult>,
    /// What it said when it last failed, where that is kept.
    pub last_failure: Option<LastFailure>,
    /// Where it broke: the first commit of the failures that go on, and the
    /// last one before that.
    pub broke: Option<Broke>,
    /// Its results as a strip, the oldest left.
    pub strip: TapePicture,
    /// What it was called before; those results are among its own.
    pub before: Vec<KnownName>,
    /// What it is called now, where that is something else.
    pub now_called: Option<KnownName>,
    /// What it may have been called before.
    pub offers: Vec<RenameOffer>,
    /// The reader may join tests and part them.
    pub may_rename: bool,
    /// Our clock.
    pub now: Timestamp,
}

/// A name of a test that has another one too.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct KnownName {
    /// Under which it is known.
    pub id: TestId,
    /// The suites before it, and the name.
    pub path: Vec<String>,
    /// When they were joined.
    pub at: Timestamp,
    /// Who joined them.
    pub by: String,
}

/// A test that likely goes on under another name.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct RenameOffer {
    /// What it was.
    pub was: TestId,
    /// The suites before that, and the name.
    pub was_path: Vec<String>,
    /// What it is.
    pub now_is: TestId,
    /// The suites before that, and the name.
    pub now_path: Vec<String>,
    /// What gives it away.
    pub sign: Sign,
    /// How alike they are.
    pub likeness: PerMille,
}

/// What a test said when it last failed.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct LastFailure {
    /// In which run.
    pub run: RunId,
    /// Its number there.
    pub ordinal: u32,
    /// The beginning of its message.
    pub message: String,
}

/// Where a test broke.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct Broke {
    /// The setup.
    pub setup: String,
    /// The first commit on which it failed for good.
    pub bad: Option<String>,
    /// The first run of those.
    pub bad_run: RunId,
    /// The last commit on which it passed.
    pub good: Option<String>,
}

/// One result of a test.
#[derive(Clone, Debug, PartialEq, Serialize_tuple, Deserialize_tuple)]
pub struct TestResult {
    /// The run.
    pub run: RunId,
    /// Its number there.
    pub ordinal: u32,
    /// What the run is called.
    pub key: String,
    /// The setup.
    pub setup: String,
    /// What came of it.
    pub outcome: Outcome,
    /// How many attempts it took.
    pub attempts: u32,
    /// The commit under test.
    pub commit: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// How long it took.
    pub duration: Option<Micros>,
    /// When it ended, by the listener's clock.
    pub finished_at: Option<Timestamp>,
}

/// A tape as lines to be drawn, in tenths of a pixel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct TapePicture {
    /// How wide it is.
    pub width: u32,
    /// How high it is.
    pub height: u32,
    /// Paths of SVG, with what they say.
    pub paths: Vec<(Outcome, String)>,
}
