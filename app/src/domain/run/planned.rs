//! What a plan says of a run before it happens.

use super::{Run, fill};
use crate::domain::event::TestRef;
use crate::domain::ids::ScriptId;
use crate::domain::name::tidy;
use crate::domain::plan::{Entry, Plan, PlannedSuite};
use crate::domain::suite::{DEPTH_MAX, NAME_KEPT};

impl Run {
    pub(super) fn plan(&mut self, plan: &Plan) {
        let mut position = 0;
        plan.walk(DEPTH_MAX, &mut |entry| {
            position += 1;
            match entry {
                Entry::Suite(path, planned) => self.plan_suite(path, planned, position),
                Entry::Test(path, planned) => {
                    let name = tidy(&planned.name, NAME_KEPT);
                    let test = TestRef { suite: path.into(), name, parameters: planned.parameters.clone(), attempt: 1 };
                    let script = planned.script.as_deref().map(|text| self.script(text));
                    let (test, _) = self.test_mut(&test);
                    test.position = Some(test.position.map_or(position, |standing| standing.min(position)));
                    test.script = test.script.max(script);
                    fill(&mut test.source, planned.source.as_deref());
                }
            }
        });
    }

    fn plan_suite(&mut self, path: &[Box<str>], planned: &PlannedSuite, position: u32) {
        let script = planned.script.as_deref().map(|text| self.script(text));
        let suite = self.suite_mut(path);
        suite.position = Some(suite.position.map_or(position, |standing| standing.min(position)));
        suite.script = suite.script.max(script);
        fill(&mut suite.source, planned.source.as_deref());
    }

    fn script(&mut self, text: &str) -> ScriptId {
        let id = ScriptId::of(text);
        self.touched.scripts.push((id, text.into()));
        id
    }
}
