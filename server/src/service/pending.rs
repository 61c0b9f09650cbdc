//! What the log tells and the other tables do not yet.
//!
//! A row of a run says what a thousand events say, so writing it with each of
//! them is a thousand times the work. Events are therefore durable before they
//! are acknowledged, and what follows from them is written a few times a
//! second: with the first event after a pause, then when [`TELL_EVERY`] is
//! over, or when somebody wants to read. What was pending in a crash is read
//! from the log again (see `replay`).
//!
//! Where several servers share a store, nothing is ever pending: each of them
//! relies on the rows that another wrote.
//!
//! [`TELL_EVERY`]: super::recorder::TELL_EVERY

use crate::store::rows::{Attributes, SetupTouch};
use app::domain::event::{Event, EventKind};
use app::domain::ids::SetupId;
use app::domain::name::{RunKey, SetupName};
use app::domain::time::Timestamp;
use std::collections::BTreeMap;

/// What is to be written.
#[derive(Debug, Default)]
pub struct Pending {
    /// Setups that were spoken of.
    pub setups: BTreeMap<SetupName, Word>,
    /// Runs that changed, with the name of their setup.
    pub runs: BTreeMap<(SetupId, RunKey), SetupName>,
}

/// What was heard of a setup.
#[derive(Debug, Default)]
pub struct Word {
    /// When it last spoke, by our clock; none where somebody else spoke of it.
    pub heard_at: Option<Timestamp>,
    /// What it told about itself.
    pub attributes: Option<Attributes>,
    /// The version that the store had before this was written to it.
    pub before: Option<i64>,
}

impl Pending {
    /// Whether all is written.
    pub fn is_empty(&self) -> bool {
        self.setups.is_empty()
    }

    /// A setup spoke.
    pub fn hear(&mut self, event: &Event, received: Timestamp) {
        if !self.setups.contains_key(&event.setup) {
            self.setups.insert(event.setup.clone(), Word::default());
        }
        let Some(word) = self.setups.get_mut(&event.setup) else { return };
        word.heard_at = word.heard_at.max(Some(received));
        if let EventKind::SetupDescribed(attributes) = &event.kind {
            word.attributes.get_or_insert_default().extend(attributes.clone());
        }
    }
}

impl Word {
    /// As the store is told.
    pub fn touch(&self, id: SetupId, name: &SetupName, now: Timestamp) -> SetupTouch {
        SetupTouch { id, name: name.clone(), heard_at: self.heard_at, now, attributes: self.attributes.clone() }
    }
}
