//! Identities, each a type of its own so that none can stand in for another.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::from_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// A setup, for as long as its name is known.
    SetupId;
    /// One execution of a set of tests on one setup.
    RunId;
    /// A test over all its runs; derived from its key, see [`TestId::of`].
    TestId;
    /// A suite over all its runs; derived like [`TestId`].
    SuiteId;
    /// What a listener calls an event, so that a repeat is known as one.
    EventId;
    /// Where in its run output belongs: a suite, a test, or the run itself; see
    /// [`PlaceId::of`].
    PlaceId;
    /// The text of a script, by its content: the same text has the same id.
    ScriptId;
    /// A token's public name; the secret half is never kept.
    TokenId;
    /// A piece of work that one worker takes.
    JobId;
    /// A batch of test files that somebody had run.
    BatchId;
    /// What was made of a pushed commit.
    BuildId;
    /// A program that takes jobs, over all its starts.
    WorkerId;
    /// Somebody's account.
    UserId;
    /// One sign-in of one person; its secret half is never kept.
    SessionId;
}

/// The namespace under which derived ids are made. Changing it would cut every
/// test off from its history.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f0e_7a52_61c4_4b9e_9d7b_0e5a_486f_6c74);

/// Separates the parts of a key. It cannot occur in a name: control characters
/// are replaced when a name is read.
const PART: char = '\u{1f}';
const PARAMETERS: char = '\u{1e}';

/// The path by which a test is known over all runs: the root suite's name is
/// left out where there is anything below it, because frameworks name the root
/// after the folder or the command line of the day.
pub(super) fn lasting_path(path: &[Box<str>]) -> &[Box<str>] {
    if path.len() > 1 { &path[1..] } else { path }
}

fn key_of(project: &str, path: &[Box<str>]) -> String {
    let mut key = String::with_capacity(96);
    key.push_str(project);
    for part in lasting_path(path) {
        key.push(PART);
        key.push_str(part);
    }
    key
}

impl TestId {
    /// The identity of the test `name` with `parameters` under the suite `path`
    /// (names from the root) in `project`.
    pub fn of(project: &str, path: &[Box<str>], name: &str, parameters: Option<&str>) -> Self {
        let mut key = key_of(project, path);
        key.push(PARAMETERS);
        key.push_str(name);
        if let Some(parameters) = parameters {
            key.push(PARAMETERS);
            key.push_str(parameters);
        }
        Self(Uuid::new_v5(&NAMESPACE, key.as_bytes()))
    }
}

impl SuiteId {
    /// The identity of the suite at `path` (names from the root) in `project`.
    pub fn of(project: &str, path: &[Box<str>]) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, key_of(project, path).as_bytes()))
    }
}

impl PlaceId {
    /// The run itself.
    pub const RUN: Self = Self(Uuid::nil());

    /// The suite at `path` (names from the root), or the test `test` in it by
    /// its name and parameters. It follows from the names as they were said,
    /// and not from row numbers: output may come before the test it belongs to.
    pub fn of(path: &[Box<str>], test: Option<(&str, Option<&str>)>) -> Self {
        let mut key = path.join("\u{1f}");
        for part in test.into_iter().flat_map(|(name, parameters)| [Some(name), parameters]).flatten() {
            key.push(PARAMETERS);
            key.push_str(part);
        }
        Self(Uuid::new_v5(&NAMESPACE, key.as_bytes()))
    }
}

impl ScriptId {
    /// The id of a script by its text.
    pub fn of(text: &str) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(parts: &[&str]) -> Vec<Box<str>> {
        parts.iter().map(|part| (*part).into()).collect()
    }

    #[test]
    fn a_test_keeps_its_identity_when_the_root_suite_is_renamed() {
        let nightly = TestId::of("pump", &path(&["Nightly", "Valves"]), "opens", None);
        let weekly = TestId::of("pump", &path(&["Weekly", "Valves"]), "opens", None);
        let alone = TestId::of("pump", &path(&["Valves"]), "opens", None);
        assert_eq!(nightly, weekly);
        assert_eq!(nightly, alone);
    }

    #[test]
    fn output_of_a_suite_is_not_that_of_a_test_of_its_name() {
        let all = [
            PlaceId::RUN,
            PlaceId::of(&path(&["R", "S"]), None),
            PlaceId::of(&path(&["R"]), Some(("S", None))),
            PlaceId::of(&path(&["R"]), Some(("S", Some("x")))),
            PlaceId::of(&path(&["S"]), None),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(one));
        }
    }

    #[test]
    fn project_suite_name_and_parameters_all_tell_tests_apart() {
        let all = [
            TestId::of("a", &path(&["R", "S"]), "t", None),
            TestId::of("b", &path(&["R", "S"]), "t", None),
            TestId::of("a", &path(&["R", "S", "S"]), "t", None),
            TestId::of("a", &path(&["R", "S"]), "u", None),
            TestId::of("a", &path(&["R", "S"]), "t", Some("x=1")),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(one));
        }
    }
}
