//! Parts of a row that no statement looks into, each kept as one JSON value.

use app::domain::ids::ScriptId;
use app::domain::output::Outputs;
use app::domain::suite::{Phase, Suite, SuiteFinish};
use app::domain::test::Test;
use app::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Of a suite.
#[derive(Serialize, Deserialize)]
pub(super) struct SuiteDetail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<SuiteFinish>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<(Timestamp, Phase)>,
    #[serde(default)]
    pub phases: [Option<Timestamp>; 3],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tests: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptId>,
    #[serde(default, skip_serializing_if = "Outputs::is_none")]
    pub outputs: Outputs,
}

impl SuiteDetail {
    pub(super) fn of(suite: &Suite) -> Self {
        let Suite { finished, phase, phases, total_tests, source, script, outputs, .. } = suite.clone();
        Self { finished, phase, phases, total_tests, source, script, outputs }
    }
}

/// Of a test; rarely there.
#[derive(Serialize, Deserialize)]
pub(super) struct TestDetail<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptId>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub tags: Cow<'a, [Box<str>]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Outputs::is_none")]
    pub outputs: Outputs,
}

impl<'a> TestDetail<'a> {
    /// None where there is nothing to say.
    pub(super) fn of(test: &'a Test) -> Option<Self> {
        let bare = test.source.is_none()
            && test.line.is_none()
            && test.script.is_none()
            && test.tags.is_empty()
            && test.owner.is_none()
            && test.outputs.is_none();
        (!bare).then(|| Self {
            source: test.source.as_deref().map(Cow::Borrowed),
            line: test.line,
            script: test.script,
            tags: Cow::Borrowed(&test.tags),
            owner: test.owner.as_deref().map(Cow::Borrowed),
            outputs: test.outputs,
        })
    }

    pub(super) fn put_into(self, test: &mut Test) {
        test.source = self.source.map(|source| source.as_ref().into());
        test.line = self.line;
        test.script = self.script;
        test.tags = self.tags.into_owned().into();
        test.owner = self.owner.map(|owner| owner.as_ref().into());
        test.outputs = self.outputs;
    }
}
