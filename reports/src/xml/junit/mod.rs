//! `JUnit` XML, which has many writers and no standard.
//!
//! `outcome` reads what a case came to, `suite` the suites around it. Where
//! dialects disagree:
//!
//! - Several failures in one case are one failed attempt, whose trace has all
//!   of them, unless the file marks reruns or counts flaky tests.
//! - A case of the same class and name again is the next attempt if the one
//!   before it failed; see [`super::repeats`].
//! - An error "on teardown" after its own test is a second half of that test,
//!   not another one.
//! - The class is a suite of its own unless the suites around it say the same.

mod case;
mod outcome;
mod suite;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::SAMPLE;

use super::repeats::Repeats;
use super::room::Room;
use super::root_is;
use crate::{Refusal, Report};

const ROOTS: [&str; 2] = ["testsuites", "testsuite"];

pub fn looks(file: &[u8]) -> bool {
    // Check's own format has the same root in its own namespace.
    root_is(file, |tag, _| {
        ROOTS.contains(&tag.name()) && !tag.raw("xmlns").is_some_and(|space| space.contains("check.sourceforge.net"))
    })
}

pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    super::read(
        file,
        &ROOTS,
        |junit: &mut Junit, walk, tag| junit.root(walk, tag),
        |junit| junit.room.settle(junit.report),
    )
}

/// What was read so far.
#[derive(Default)]
struct Junit {
    report: Report,
    repeats: Repeats,
    room: Room,
    /// The names of the open suites.
    path: Vec<String>,
    /// How many suite elements were entered.
    groups: usize,
}
