//! Lines of output. They are kept, and those that tell of a failure explain
//! the test they belong to: most agents say there why it failed, and many do
//! so after its end, as they send lines in batches.

use super::events::Line;
use super::launch::{Launch, Told};
use super::words::LogLine;
use std::collections::BTreeSet;

impl Launch {
    /// Takes lines in, each with the id under which it is kept.
    pub fn log_lines(&mut self, lines: &[(String, LogLine)]) -> Told {
        let mut told = Told::default();
        let mut explained = BTreeSet::new();
        for (id, line) in lines {
            let item = line.item.as_deref();
            let owner = item.and_then(|item| self.owner_of(item));
            let attachment = line.attachment();
            let said = Line {
                message: &line.message,
                step: item.filter(|item| self.steps.get(item).is_some()),
                attachment: attachment.as_ref(),
            };
            told.events.push(self.log(id, owner.as_deref(), line.at, &line.level, said));
            let Some(owner) = owner.filter(|_| line.is_error()) else { continue };
            let has_more = self.items.get_mut(&owner).is_some_and(|item| item.note_error(&line.message));
            if has_more {
                explained.insert(owner);
            }
        }
        for owner in explained {
            self.explain(&owner, &mut told);
        }
        told
    }

    /// The suite or test that an item is, or is a step of.
    fn owner_of(&self, id: &str) -> Option<Box<str>> {
        if self.items.contains_key(id) {
            return Some(id.into());
        }
        self.steps.get(id)?.owner.clone()
    }
}
