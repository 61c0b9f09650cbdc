//! The suites and tests of a run, each made with the first word about it.

use super::Run;
use crate::domain::event::TestRef;
use crate::domain::ids::{PlaceId, TestId};
use crate::domain::suite::Suite;
use crate::domain::test::Test;

impl Run {
    fn suite_ordinal(&mut self, path: &[Box<str>]) -> u32 {
        if let Some(ordinal) = self.suite_index.get(path) {
            return *ordinal;
        }
        let ordinal = self.suites.len() as u32;
        let outputs = self.early.take(|| PlaceId::of(path, None));
        self.suites.push(Suite { outputs, ..Suite::named(path.into()) });
        self.suite_index.insert(path.into(), ordinal);
        self.touched.suites.insert(ordinal);
        ordinal
    }

    pub(super) fn suite_mut(&mut self, path: &[Box<str>]) -> &mut Suite {
        let ordinal = self.suite_ordinal(path);
        self.touched.suites.insert(ordinal);
        &mut self.suites[ordinal as usize]
    }

    pub(super) fn test_mut(&mut self, which: &TestRef) -> (&mut Test, u32) {
        let suite = self.suite_ordinal(&which.suite);
        let key = (suite, which.name.clone(), which.parameters.clone());
        let ordinal = match self.test_index.get(&key) {
            Some(ordinal) => *ordinal,
            None => {
                let ordinal = self.tests.len() as u32;
                let parameters = which.parameters.as_deref();
                let id = TestId::of(self.project().as_str(), &which.suite, &which.name, parameters);
                let outputs = self.early.take(|| PlaceId::of(&which.suite, Some((&which.name, parameters))));
                self.tests.push(Test {
                    id,
                    suite,
                    name: which.name.clone(),
                    parameters: which.parameters.clone(),
                    position: None,
                    source: None,
                    line: None,
                    script: None,
                    tags: [].into(),
                    owner: None,
                    outputs,
                    attempts: Vec::new(),
                });
                self.test_index.insert(key, ordinal);
                self.tally.waiting += 1;
                ordinal
            }
        };
        self.touched.tests.insert(ordinal);
        (&mut self.tests[ordinal as usize], ordinal)
    }
}
