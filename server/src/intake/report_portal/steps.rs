//! Steps: what happens inside tests, and around them in suites.
//!
//! They are most of what an agent sends, and nothing is judged by them; so
//! they are known for as long as there is room, and then the oldest are not.

use app::domain::suite::Phase;
use std::collections::{HashMap, VecDeque};

/// Steps of a launch that are known at once.
const STEPS_MAX: usize = 10_000;

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The suite or test it belongs to; none where that is the launch.
    pub owner: Option<Box<str>>,
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
    order: VecDeque<Box<str>>,
    has_forgotten: bool,
}

impl Steps {
    pub(super) fn get(&self, id: &str) -> Option<&Step> {
        self.known.get(id)
    }

    pub(super) fn put(&mut self, id: Box<str>, step: Step) {
        if self.order.len() >= STEPS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.has_forgotten |= self.known.remove(&oldest).is_some();
        }
        self.order.push_back(id.clone());
        self.known.insert(id, step);
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.known.remove(id);
    }

    /// Whether there were more than are known.
    pub(super) fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }
}
