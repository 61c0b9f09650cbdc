//! What a run puts out, joined: which of its suites and tests have something
//! to be read. The lines themselves are in the event log alone.

use super::Run;
use crate::domain::event::TestRef;
use crate::domain::ids::PlaceId;
use crate::domain::output::{Output, Outputs, Place};
use crate::domain::time::Timestamp;
use std::collections::HashMap;

/// Suites and tests whose output may come before themselves; of one too many
/// it is not known that it has some.
const EARLY_MAX: usize = 1_000;

/// Output of suites and tests that nobody spoke of yet. It makes neither: a
/// line with a name that never was must not count as a test that never ran.
#[derive(Clone, Debug, Default)]
pub(super) struct Early(HashMap<PlaceId, Outputs>);

impl Early {
    fn put(&mut self, place: PlaceId, outputs: Outputs) {
        if self.0.len() < EARLY_MAX || self.0.contains_key(&place) {
            self.0.entry(place).or_default().join(outputs);
        }
    }

    /// What came early of a suite or test that is now known.
    pub(super) fn take(&mut self, place: impl FnOnce() -> PlaceId) -> Outputs {
        if self.0.is_empty() { Outputs::default() } else { self.0.remove(&place()).unwrap_or_default() }
    }
}

impl Run {
    pub(super) fn put_out(&mut self, at: Timestamp, output: &Output) {
        let outputs = Outputs::of(output);
        self.facts.outputs.join(outputs);
        match &output.place {
            Place::Run => {}
            Place::Suite(path) => match self.suite_index.get(path) {
                Some(ordinal) => {
                    if self.suites[*ordinal as usize].outputs.join(outputs) {
                        self.touched.suites.insert(*ordinal);
                    }
                }
                None => self.early.put(output.place.id(), outputs),
            },
            Place::Test(test) => match self.test_ordinal(test) {
                Some(ordinal) => {
                    if self.tests[ordinal as usize].outputs.join(outputs) {
                        self.touched.tests.insert(ordinal);
                    }
                }
                None => self.early.put(output.place.id(), outputs),
            },
        }
        if let Some(attachment) = &output.attachment {
            self.touched.files.push((output.place.id(), output.place.attempt(), at, attachment.clone()));
        }
    }

    fn test_ordinal(&self, test: &TestRef) -> Option<u32> {
        let suite = *self.suite_index.get(&test.suite)?;
        self.test_index.get(&(suite, test.name.clone(), test.parameters.clone())).copied()
    }
}
