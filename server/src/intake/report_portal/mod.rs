//! What agents of ReportPortal say, told in the words of the public contract.
//!
//! Such an agent reports a launch as a tree of items, each begun and ended by a
//! request of its own. A launch is a run here, and its items are what their
//! type, their `hasStats` and their children make of them:
//!
//! - SUITE and STORY are suites. A STEP is a test. A TEST or SCENARIO is one or
//!   the other depending on the framework, so it stays [`Role::Open`] until a
//!   child or its end tells.
//! - Items with `hasStats: false`, and everything inside a test, are steps:
//!   lines in the log, never tests. BEFORE_ and AFTER_ items are steps too, and
//!   those of suites tell which phase their suite is in.
//! - An attempt is a new item of the same name: `retry`, `retryOf`, or a rerun
//!   of the launch say so. Two items of one name that are neither are two tests,
//!   and the second is called `(2)`.
//!
//! [`Launch`] holds what is needed to put a request about an item into the
//! words of a run. It is joined from what agents say in any order; its rows
//! are kept with the events they belong to, so a new start of the server goes
//! on where the old one ended. Steps alone are not kept: nothing that is judged
//! hangs on them.
//!
//! The agents know one kind of failure, that of their own tests. So this reads
//! leniently: a date in any of their ways, a status nobody knows, a finish
//! before the start. What is refused is what has no meaning at all.

mod attempts;
mod events;
mod finish;
mod item;
mod launch;
mod logs;
mod moment;
pub mod multipart;
mod resource;
mod start;
mod steps;
#[cfg(test)]
mod tests;
pub mod words;

pub use item::{Item, Role};
pub use launch::{About, Kept, Launch, Told};
pub use resource::{Clockwork, number_of};

use thiserror::Error;

/// Items with statistics that a launch may have; steps do not count.
pub const ITEMS_MAX: usize = 200_000;

/// Why a request has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Something that is needed is missing or is not what it should be.
    #[error("Incorrect Request. {0}")]
    Incorrect(String),
    /// There is no such launch.
    #[error("Launch '{0}' not found. Did you use correct Launch ID?")]
    NoLaunch(String),
    /// There is no such item.
    #[error("Test Item '{0}' not found. Did you use correct Test Item ID?")]
    NoItem(String),
    /// More items than one launch may have.
    #[error("A launch may have at most {ITEMS_MAX} suites and tests.")]
    TooMany,
}

impl Refused {
    /// The number that ReportPortal gives to such a refusal.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Incorrect(_) | Self::TooMany => 4001,
            Self::NoLaunch(_) => 4041,
            Self::NoItem(_) => 4043,
        }
    }

    /// A field that is missing or cannot be.
    pub fn field(name: &str, detail: &str) -> Self {
        Self::Incorrect(format!("[Field '{name}' {detail}.]"))
    }
}
