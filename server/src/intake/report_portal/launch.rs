//! A launch: what has to be known of it to understand the next request.

use super::attempts::Seats;
use super::item::Item;
use super::steps::Steps;
use super::words::Attribute;
use super::{ITEMS_MAX, Refused};
use app::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// What is known of a launch as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its id, which is the key of the run.
    pub id: Box<str>,
    /// Its project.
    pub project: Box<str>,
    /// The setup it runs on.
    pub setup: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// The suite around all its items; none where its one root item is that.
    pub root: Option<Box<str>>,
    /// When it began.
    pub started: Timestamp,
    /// When and how it ended.
    pub ended: Option<(Timestamp, Option<Box<str>>)>,
    /// How often it was run again.
    pub round: u32,
    /// About it, in prose; only the beginning.
    pub description: Option<Box<str>>,
    /// About it, in words.
    pub attributes: Vec<Attribute>,
    /// Not meant for everybody's eyes.
    pub is_debug: bool,
    /// Its own start has come, and not only items of it.
    pub is_announced: bool,
}

/// A part of a launch as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The item; empty for the launch itself.
    pub item: Box<str>,
    /// What is known of it, as JSON.
    pub body: String,
}

/// What follows from a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Events in the words of the contract.
    pub events: Vec<Value>,
    /// What is to be kept with them.
    pub kept: Vec<Kept>,
}

/// A launch.
#[derive(Debug)]
pub struct Launch {
    /// What is known of it as a whole.
    pub about: About,
    pub(super) items: HashMap<Box<str>, Item>,
    pub(super) seats: Seats,
    pub(super) steps: Steps,
    pub(super) order: u32,
    /// All of it was heard since this process began, steps too.
    is_whole: bool,
}

impl Launch {
    pub(super) fn of(about: About) -> Self {
        Self {
            about,
            items: HashMap::new(),
            seats: Seats::default(),
            steps: Steps::default(),
            order: 0,
            is_whole: true,
        }
    }

    /// A launch as it was kept. What cannot be read is left out; `None` where
    /// that is the launch itself.
    pub fn restore(kept: &[Kept]) -> Option<Self> {
        let about = kept.iter().find(|kept| kept.item.is_empty())?;
        let mut launch = Self { is_whole: false, ..Self::of(serde_json::from_str(&about.body).ok()?) };
        let items = kept.iter().filter(|kept| !kept.item.is_empty());
        launch.items =
            items.filter_map(|kept| Some((kept.item.clone(), serde_json::from_str(&kept.body).ok()?))).collect();
        let mut tests: Vec<_> = launch.items.values().collect();
        tests.sort_unstable_by_key(|item| item.order);
        launch.order = tests.last().map_or(0, |item| item.order + 1);
        tests.into_iter().for_each(|item| launch.seats.restore(item));
        Some(launch)
    }

    /// Whether an item that is not known cannot be one.
    pub(super) fn knows_all(&self) -> bool {
        self.is_whole && !self.steps.has_forgotten()
    }

    /// Forgets an item whose start could not be recorded: the client was told
    /// so, and will send it again or go on without it.
    pub fn forget(&mut self, id: &str) {
        match self.items.remove(id) {
            Some(item) => self.seats.leave(&item),
            None => self.steps.forget(id),
        }
    }

    pub(super) fn room(&self) -> Result<(), Refused> {
        if self.items.len() < ITEMS_MAX { Ok(()) } else { Err(Refused::TooMany) }
    }

    pub(super) fn next_order(&mut self) -> u32 {
        self.order = self.order.saturating_add(1);
        self.order
    }

    /// The launch as it is to be kept.
    pub(super) fn kept(&self) -> Kept {
        Kept { item: "".into(), body: body(&self.about) }
    }

    pub(super) fn kept_item(&self, id: &str) -> Option<Kept> {
        Some(Kept { item: id.into(), body: body(self.items.get(id)?) })
    }
}

/// A value of texts and numbers: writing it cannot fail.
fn body(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
