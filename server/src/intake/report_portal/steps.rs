//! Steps: what happens inside tests, and around them in suites.
//!
//! They are most of what an agent sends, and nothing is judged by them; so
//! they are known for as long as there is room, and then those that ended long
//! ago are not.

use app::domain::suite::Phase;
use std::collections::{HashMap, VecDeque};

/// Steps of a launch that are known at once.
pub(super) const STEPS_MAX: usize = 10_000;

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The suite or test it belongs to; none where that is the launch.
    pub owner: Option<Box<str>>,
    /// The step around it.
    pub parent: Option<Box<str>>,
    /// It stands directly in its owner.
    pub is_direct: bool,
    /// The phase that its suite is in because of it.
    pub phase: Option<Phase>,
    /// Its name.
    pub name: Box<str>,
}

/// The steps of a launch.
#[derive(Debug, Default)]
pub(super) struct Steps {
    known: HashMap<Box<str>, Step>,
    open: VecDeque<Box<str>>,
    /// Lines of a step come after its end too.
    ended: VecDeque<Box<str>>,
    has_forgotten: bool,
}

impl Steps {
    pub(super) fn get(&self, id: &str) -> Option<&Step> {
        self.known.get(id)
    }

    pub(super) fn put(&mut self, id: Box<str>, step: Step) {
        if self.known.len() >= STEPS_MAX {
            self.make_room();
        }
        self.open.push_back(id.clone());
        self.known.insert(id, step);
    }

    /// Forgets the step that ended first; the one that began first where all
    /// are open. One around thousands of others is known to its end.
    fn make_room(&mut self) {
        while let Some(oldest) = self.ended.pop_front().or_else(|| self.open.pop_front()) {
            if self.known.remove(&oldest).is_some() {
                self.has_forgotten = true;
                return;
            }
        }
    }

    /// A step ended.
    pub(super) fn end(&mut self, id: &str) {
        // It is nearly always among the last that began.
        if let Some(at) = self.open.iter().rposition(|open| &**open == id)
            && let Some(id) = self.open.remove(at)
        {
            self.ended.push_back(id);
        }
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.known.remove(id);
    }

    /// Whether there were more than are known.
    pub(super) fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }
}
