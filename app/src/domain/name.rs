//! Names with rules: of setups, runs and projects.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The longest name, in characters.
pub const NAME_MAX: usize = 200;

/// First words of our own paths under `/api/v1/`, which no project may have:
/// another protocol puts the project's name there.
pub const RESERVED_PROJECTS: [&str; 23] = [
    "attachments",
    "badges",
    "batches",
    "builds",
    "events",
    "flaky",
    "flaky.csv",
    "health",
    "hooks",
    "jobs",
    "listeners",
    "openapi.json",
    "plan",
    "projects",
    "reports",
    "runs",
    "schedules",
    "setups",
    "stream",
    "tests",
    "tokens",
    "walls",
    "work",
];

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`NAME_MAX`].
    #[error("must have at most {NAME_MAX} characters")]
    TooLong,
    /// A line break, NUL or the like.
    #[error("must not contain control characters")]
    Control,
    /// A project may not be called like one of our own paths.
    #[error("is reserved for the program's own paths; choose another project name")]
    Reserved,
}

fn check(text: &str) -> Result<&str, NameError> {
    let text = text.trim();
    if text.is_empty() {
        Err(NameError::Empty)
    } else if text.chars().any(char::is_control) {
        Err(NameError::Control)
    } else if text.chars().nth(NAME_MAX).is_some() {
        Err(NameError::TooLong)
    } else {
        Ok(text)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A name that was checked when it was stored.
            pub fn stored(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The name of a setup: 1 to 200 characters, none of them a control character.
    SetupName;
    /// What the listener calls a run; unique within its setup.
    RunKey;
    /// The name of a project.
    ProjectName;
}

impl SetupName {
    /// Checks a text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text).map(|text| Self(text.into()))
    }
}

impl RunKey {
    /// Checks a text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text).map(|text| Self(text.into()))
    }
}

impl ProjectName {
    /// Checks a text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = check(text)?;
        if RESERVED_PROJECTS.contains(&text) {
            return Err(NameError::Reserved);
        }
        Ok(Self(text.into()))
    }
}

impl Default for ProjectName {
    fn default() -> Self {
        Self("default".into())
    }
}

/// Text as it may be kept: NUL, which PostgreSQL refuses and no screen shows,
/// becomes U+FFFD. Borrowed where nothing had to change.
pub fn without_nul(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// The name of a suite or test as it may be kept: control characters become
/// spaces (they separate the parts of a key), and the length is bounded.
pub fn tidy(text: &str, max_chars: usize) -> Box<str> {
    let fits = text.len() <= max_chars && !text.bytes().any(|byte| byte < 0x20 || byte == 0x7f);
    if fits {
        return text.into();
    }
    text.chars().take(max_chars).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(SetupName::parse(" bench 7 ").expect("valid").as_str(), "bench 7");
        assert_eq!(SetupName::parse(" "), Err(NameError::Empty));
        assert_eq!(SetupName::parse("a\nb"), Err(NameError::Control));
        assert!(SetupName::parse(&"ü".repeat(NAME_MAX)).is_ok());
        assert_eq!(SetupName::parse(&"ü".repeat(NAME_MAX + 1)), Err(NameError::TooLong));
    }

    #[test]
    fn a_project_may_not_shadow_our_paths() {
        assert_eq!(ProjectName::parse("events"), Err(NameError::Reserved));
        assert!(ProjectName::parse("events2").is_ok());
    }

    #[test]
    fn text_is_cleaned_only_where_needed() {
        assert_eq!(without_nul("a\0b"), "a\u{fffd}b");
        assert_eq!(&*tidy("a\u{1f}b", 10), "a b");
        assert_eq!(&*tidy("äöü", 2), "äö");
    }
}
