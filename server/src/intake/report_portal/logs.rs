//! Lines of output. They are kept, and those that tell of a failure explain
//! the test they belong to: most agents say there why it failed, and many do
//! so after its end, as they send lines in batches.

use super::launch::{Launch, Told};
use super::words::LogLine;
use app::domain::name::tidy;
use app::domain::suite::NAME_KEPT;
use serde_json::json;
use std::collections::BTreeSet;

impl Launch {
    /// Takes lines in, each with the id under which it is kept.
    pub fn log_lines(&mut self, lines: &[(String, LogLine)]) -> Told {
        let mut told = Told::default();
        let mut explained = BTreeSet::new();
        for (id, line) in lines {
            let owner = line.item.as_deref().and_then(|item| self.owner_of(item));
            let mut event = self.log(id, owner.as_deref(), line.at, &line.level, &line.message);
            if let Some(file) = &line.file {
                let (kind, size) = line.attached.clone().unzip();
                event["attachment"] = json!({ "name": tidy(file, NAME_KEPT), "type": kind.flatten(), "size": size });
            }
            told.events.push(event);
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
