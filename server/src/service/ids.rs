//! Ids by which events are known again.

use std::collections::HashSet;
use uuid::Uuid;

/// The ids of the events in a run, or in a setup outside runs. The store has
/// all of them but the fresh ones.
#[derive(Debug, Default)]
pub struct Ids {
    known: HashSet<Uuid>,
    fresh: Vec<Uuid>,
}

impl Ids {
    /// Ids that are stored.
    pub fn stored(ids: Vec<Uuid>) -> Self {
        Self { known: ids.into_iter().collect(), fresh: Vec::new() }
    }

    /// Remembers an id. Tells whether it was new.
    pub fn is_new(&mut self, id: Uuid) -> bool {
        let new = self.known.insert(id);
        if new {
            self.fresh.push(id);
        }
        new
    }

    /// The ids that are to be stored; asked for once.
    pub fn take_fresh(&mut self) -> Vec<Uuid> {
        std::mem::take(&mut self.fresh)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }
}
