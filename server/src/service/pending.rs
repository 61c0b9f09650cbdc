//! What the log tells and the other tables do not yet.
//!
//! A row of a run says what a thousand events say, so writing it with each of
//! them is a thousand times the work. Events are therefore durable before they
//! are acknowledged, and what follows from them is written later; `telling`
//! says when. What was pending in a crash is read from the log again (see
//! `replay`).
//!
//! Where several servers share a store, nothing is ever pending: each of them
//! relies on the rows that another wrote.

use crate::store::rows::{Attributes, SetupTouch};
use app::domain::event::{Event, EventKind};
use app::domain::ids::SetupId;
use app::domain::name::{RunKey, SetupName};
use app::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// A run as it is found at hand.
pub type At = (SetupId, RunKey);

/// What is to be written.
#[derive(Debug, Default)]
pub struct Pending {
    /// Setups that were spoken of.
    pub setups: BTreeMap<SetupName, Word>,
    /// Their events.
    events: usize,
}

/// From when something is pending.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    /// When it was heard.
    pub heard: Instant,
    /// An event of the log that came before it.
    pub after: i64,
}

/// What was heard of a setup.
#[derive(Debug)]
pub struct Word {
    /// From when it is pending.
    pub since: Since,
    /// When it last spoke, by our clock; none where somebody else spoke of it.
    pub heard_at: Option<Timestamp>,
    /// What it told about itself.
    pub attributes: Option<Attributes>,
    /// Its runs that changed.
    pub runs: BTreeSet<At>,
    /// How many events said all this.
    pub events: usize,
    /// Whether its tile tells it already.
    pub is_shown: bool,
    /// The version that the store had before this was written to it.
    pub before: Option<i64>,
}

impl Pending {
    /// Whether all is written.
    pub fn is_empty(&self) -> bool {
        self.setups.is_empty()
    }

    /// All setups that were spoken of.
    pub fn names(&self) -> Vec<SetupName> {
        self.setups.keys().cloned().collect()
    }

    /// Whether something was said that no tile tells yet.
    pub fn is_unshown(&self) -> bool {
        self.setups.values().any(|word| !word.is_shown)
    }

    /// How many events are pending.
    pub fn events(&self) -> usize {
        self.events
    }

    /// What is pending of a setup.
    pub fn word(&mut self, name: &SetupName, since: Since) -> &mut Word {
        self.setups.entry(name.clone()).or_insert_with(|| Word::new(since))
    }

    /// A setup spoke.
    pub fn hear(&mut self, event: &Event, received: Timestamp, since: Since) {
        self.events += 1;
        // Looked up first: `entry` would copy the name with each event.
        if !self.setups.contains_key(&event.setup) {
            self.word(&event.setup, since);
        }
        let Some(word) = self.setups.get_mut(&event.setup) else { return };
        word.events += 1;
        word.is_shown = false;
        word.heard_at = word.heard_at.max(Some(received));
        if let EventKind::SetupDescribed(attributes) = &event.kind {
            word.attributes.get_or_insert_default().extend(attributes.clone());
        }
    }

    /// An event changed a run.
    pub fn changed(&mut self, name: &SetupName, at: At) {
        if let Some(word) = self.setups.get_mut(name) {
            word.runs.insert(at);
        }
    }

    /// All runs that changed.
    pub fn runs(&self) -> impl Iterator<Item = (&At, &SetupName)> {
        self.setups.iter().flat_map(|(name, word)| word.runs.iter().map(move |at| (at, name)))
    }

    /// Takes what is pending of these setups out, as it is about to be written.
    pub fn take(&mut self, names: &[SetupName]) -> Self {
        let mut taken = Self::default();
        for name in names {
            if let Some((name, word)) = self.setups.remove_entry(name) {
                self.events -= word.events;
                taken.events += word.events;
                taken.setups.insert(name, word);
            }
        }
        taken
    }

    /// Puts back what could not be written.
    pub fn put_back(&mut self, taken: Self) {
        self.events += taken.events;
        self.setups.extend(taken.setups);
    }

    /// Up to which event the tables tell all that the log tells, if they tell
    /// what is not pending up to `last`.
    pub fn told_up_to(&self, last: i64) -> i64 {
        self.setups.values().map(|word| word.since.after).min().unwrap_or(last)
    }
}

impl Word {
    /// Nothing was heard yet.
    pub fn new(since: Since) -> Self {
        Self {
            since,
            heard_at: None,
            attributes: None,
            runs: BTreeSet::new(),
            events: 0,
            is_shown: false,
            before: None,
        }
    }

    /// As the store is told; `version` at least.
    pub fn touch(&self, id: SetupId, name: &SetupName, version: i64, now: Timestamp) -> SetupTouch {
        SetupTouch {
            id,
            name: name.clone(),
            version,
            heard_at: self.heard_at,
            now,
            attributes: self.attributes.clone(),
        }
    }
}
