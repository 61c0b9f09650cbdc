//! Events as the `OpenAPI` document describes them.
//!
//! They are read by hand in `intake::native`, which is faster and points at
//! every fault; these types carry the description alone, and a test sends
//! each of them through the reader.

use super::{Phase, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A point in time, as senders may write it
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Time {
    /// RFC 3339, with an offset.
    #[schema(examples("2026-03-01T12:00:00.250Z"))]
    Text(String),
    /// Milliseconds since 1970-01-01T00:00:00Z; decimals are kept to the microsecond.
    #[schema(examples(1772366400250.0))]
    Millis(f64),
}

/// What every event says
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Common {
    /// When it happened, by the sender's clock. A clock that is wrong is noticed and corrected, never refused.
    pub at: Time,
    /// The setup's name, 1 to 200 characters.
    #[schema(examples("bench 7"), min_length = 1, max_length = 200)]
    pub setup: String,
    /// The project; `default` where nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// With an id, a repeat is counted as duplicate and changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
}

/// What every event of a run says
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InRun {
    /// What every event says.
    #[serde(flatten)]
    pub common: Common,
    /// The sender's own key of the run, 1 to 200 characters; shards share it.
    #[schema(examples("nightly-4711"), min_length = 1, max_length = 200)]
    pub run: String,
}

/// An event: something that happened
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "type")]
pub enum Event {
    /// The dry run: what the listener means to execute.
    #[serde(rename = "run.planned")]
    RunPlanned(RunPlanned),
    /// A run, or one shard of it, began.
    #[serde(rename = "run.started")]
    RunStarted(RunStarted),
    /// A suite began.
    #[serde(rename = "suite.started")]
    SuiteStarted(SuiteStarted),
    /// A suite went on to another phase.
    #[serde(rename = "suite.phase")]
    SuitePhase(SuitePhase),
    /// An attempt at a test began.
    #[serde(rename = "test.started")]
    TestStarted(TestStarted),
    /// An attempt at a test ended.
    #[serde(rename = "test.finished")]
    TestFinished(TestFinished),
    /// A line of output.
    #[serde(rename = "log")]
    Log(Log),
    /// A step inside a test or suite began.
    #[serde(rename = "step.started")]
    StepStarted(StepStarted),
    /// A step ended.
    #[serde(rename = "step.finished")]
    StepFinished(StepFinished),
    /// A suite ended.
    #[serde(rename = "suite.finished")]
    SuiteFinished(SuiteFinished),
    /// A run, or one shard of it, ended.
    #[serde(rename = "run.finished")]
    RunFinished(RunFinished),
    /// The setup is alive.
    #[serde(rename = "setup.heartbeat")]
    SetupHeartbeat(SetupHeartbeat),
    /// The setup tells about itself.
    #[serde(rename = "setup.described")]
    SetupDescribed(SetupDescribed),
}

/// One event, or an array of events
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum EventBatch {
    /// One event.
    One(Box<Event>),
    /// Up to 10,000 events.
    Many(Vec<Event>),
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident in $base:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, ToSchema)]
        pub struct $name {
            /// What every event of its kind says.
            #[serde(flatten)]
            pub base: $base,
            $($(#[$fdoc])* pub $field: $type,)*
        }
    )*};
}

events! {
    /// What will be executed
    RunPlanned in InRun {
        /// The suites.
        plan: Plan,
    }
    /// A run, or one shard of it, began
    RunStarted in InRun {
        /// A name for people.
        name: Option<String>,
        /// The commit under test.
        commit: Option<String>,
        /// Its branch.
        branch: Option<String>,
        /// What set it off.
        trigger: Option<String>,
        /// Where more is to be seen, for instance the CI job.
        url: Option<String>,
        /// Who set it off.
        user: Option<String>,
        /// The test framework and its version.
        framework: Option<String>,
        /// Tests that will run, in this shard.
        total_tests: Option<u32>,
        /// Which shard this is, from 1; any number where nobody counted them.
        shard: Option<u32>,
        /// How many shards the run has.
        shards: Option<u32>,
        /// Anything else, as text.
        attributes: Option<BTreeMap<String, String>>,
    }
    /// A suite began
    SuiteStarted in InRun {
        /// Names from the root, at most 32.
        suite: Vec<String>,
        /// Tests in it, nested ones included.
        total_tests: Option<u32>,
        /// The file or folder it is written in.
        source: Option<String>,
    }
    /// A suite went on to another phase
    SuitePhase in InRun {
        /// Names from the root.
        suite: Vec<String>,
        /// The phase that begins.
        phase: Phase,
    }
    /// An attempt at a test began
    TestStarted in InRun {
        /// Names from the root.
        suite: Vec<String>,
        /// Its name.
        test: String,
        /// What tells it from its likes of the same name.
        parameters: Option<String>,
        /// From 1; 1 where nobody says.
        attempt: Option<u32>,
        /// The file it is written in.
        source: Option<String>,
        /// The line there, from 1.
        line: Option<u32>,
        /// Tags; the first 100 are kept.
        tags: Option<Vec<String>>,
        /// Who looks after it.
        owner: Option<String>,
    }
    /// An attempt at a test ended. Without a start it implies one
    TestFinished in InRun {
        /// Names from the root.
        suite: Vec<String>,
        /// Its name.
        test: String,
        /// What it came to.
        verdict: Verdict,
        /// What tells it from its likes of the same name.
        parameters: Option<String>,
        /// From 1; 1 where nobody says.
        attempt: Option<u32>,
        /// How long it took, where it was measured.
        duration_ms: Option<f64>,
        /// Why; the first 64 KiB are kept.
        message: Option<String>,
        /// Where it broke; the first 64 KiB are kept.
        trace: Option<String>,
    }
    /// A line of output
    Log in InRun {
        /// The suite it belongs to.
        suite: Option<Vec<String>>,
        /// The test it belongs to.
        test: Option<String>,
        /// What tells the test from its likes of the same name.
        parameters: Option<String>,
        /// The attempt at the test, from 1; 1 where nobody says.
        attempt: Option<u32>,
        /// The step in which it came, as the sender calls it.
        step: Option<String>,
        /// How grave it is, in the framework's words.
        level: String,
        /// The line.
        message: String,
    }
    /// A step began: a keyword, a fixture, a block
    StepStarted in InRun {
        /// The suite it belongs to.
        suite: Option<Vec<String>>,
        /// The test it belongs to.
        test: Option<String>,
        /// What tells the test from its likes of the same name.
        parameters: Option<String>,
        /// The attempt at the test, from 1; 1 where nobody says.
        attempt: Option<u32>,
        /// What the sender calls it: unique within the run, 1 to 200 bytes.
        step: String,
        /// The step around it.
        parent: Option<String>,
        /// Its name, for people.
        name: String,
    }
    /// A step ended
    StepFinished in InRun {
        /// The suite it belongs to.
        suite: Option<Vec<String>>,
        /// The test it belongs to.
        test: Option<String>,
        /// What tells the test from its likes of the same name.
        parameters: Option<String>,
        /// The attempt at the test, from 1; 1 where nobody says.
        attempt: Option<u32>,
        /// What the sender calls it.
        step: String,
        /// What it came to. No test is judged by it.
        verdict: Option<Verdict>,
        /// How long it took, where it was measured.
        duration_ms: Option<f64>,
        /// Why.
        message: Option<String>,
    }
    /// A suite ended
    SuiteFinished in InRun {
        /// Names from the root.
        suite: Vec<String>,
        /// Its own verdict.
        verdict: Option<Verdict>,
        /// Why, for instance of a failed suite setup.
        message: Option<String>,
    }
    /// A run, or one shard of it, ended
    RunFinished in InRun {
        /// Stopped before its time.
        aborted: Option<bool>,
        /// Which shard, from 1.
        shard: Option<u32>,
    }
    /// The setup is alive
    SetupHeartbeat in Common {}
    /// The setup tells about itself
    SetupDescribed in Common {
        /// Texts by name; they replace what was told before.
        attributes: BTreeMap<String, String>,
    }
}

/// What will be executed, as a tree of suites
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Plan {
    /// The root suites.
    pub suites: Vec<PlannedSuite>,
}

/// A suite of a plan
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct PlannedSuite {
    /// Its own name, not the path.
    pub name: String,
    /// The file or folder it is written in.
    pub source: Option<String>,
    /// The text of that file; the first 256 KiB are kept.
    pub script: Option<String>,
    /// Suites inside it.
    #[schema(no_recursion, required = false)]
    pub suites: Vec<PlannedSuite>,
    /// Tests directly in it.
    #[schema(required = false)]
    pub tests: Vec<PlannedTest>,
}

/// A test of a plan
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct PlannedTest {
    /// Its name.
    pub name: String,
    /// What tells it from its likes of the same name.
    pub parameters: Option<String>,
    /// The file it is written in.
    pub source: Option<String>,
    /// The text of the test itself; the first 256 KiB are kept.
    pub script: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::native::{Format, parse};
    use app::domain::event::EventKind;

    fn in_run() -> InRun {
        let common =
            Common { at: Time::Text("2026-03-01T12:00:00Z".into()), setup: "s".into(), project: None, id: None };
        InRun { common, run: "r".into() }
    }

    #[test]
    fn what_is_described_is_what_is_read() {
        let suite = vec!["Root".to_owned()];
        let test = TestFinished {
            base: in_run(),
            suite: suite.clone(),
            test: "t".into(),
            verdict: Verdict(app::domain::test::Verdict::Warned),
            parameters: None,
            attempt: Some(2),
            duration_ms: Some(1.5),
            message: Some("m".into()),
            trace: None,
        };
        let events = [
            Event::RunPlanned(RunPlanned {
                base: in_run(),
                plan: Plan { suites: vec![PlannedSuite { name: "a".into(), ..PlannedSuite::default() }] },
            }),
            Event::StepStarted(StepStarted {
                base: in_run(),
                suite: Some(suite.clone()),
                test: Some("t".into()),
                parameters: None,
                attempt: None,
                step: "1".into(),
                parent: Some("0".into()),
                name: "Open".into(),
            }),
            Event::StepFinished(StepFinished {
                base: in_run(),
                suite: None,
                test: None,
                parameters: None,
                attempt: None,
                step: "1".into(),
                verdict: None,
                duration_ms: Some(0.5),
                message: None,
            }),
            Event::SuitePhase(SuitePhase { base: in_run(), suite, phase: Phase(app::domain::suite::Phase::Setup) }),
            Event::TestFinished(test),
            Event::RunFinished(RunFinished { base: in_run(), aborted: Some(true), shard: None }),
            Event::SetupHeartbeat(SetupHeartbeat { base: in_run().common }),
        ];
        let body = serde_json::to_vec(&EventBatch::Many(events.into())).expect("JSON");
        let parsed = parse(&body, Format::Json).expect("readable");
        assert_eq!(parsed.rejected, []);
        assert!(parsed.events.iter().all(|event| !matches!(event.event.kind, EventKind::Unknown(_))));
    }
}
