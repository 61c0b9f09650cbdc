//! What a saved wall shows, and how.

use super::name::NameError;
use super::test::words;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name of a wall, in characters.
pub const WALL_NAME_MAX: usize = 60;

/// Projects or setups that a wall may list.
const LISTED_MAX: usize = 200;

/// The fastest turn of pages, in seconds: slower than anyone reads.
const ROTATE_MIN: u32 = 5;

words! {
    /// The colours of a wall.
    #[derive(Default)]
    Theme {
        /// As the machine has it.
        #[default]
        System = "system",
        /// Light.
        Light = "light",
        /// Dark.
        Dark = "dark",
    }
}

words! {
    /// Which colours tell well from ill.
    #[derive(Default)]
    Palette {
        /// Green, amber, red.
        #[default]
        Standard = "standard",
        /// Blue, yellow, vermilion: told apart with any colour vision.
        ColourBlind = "colour-blind",
    }
}

/// A part of the day in minutes since midnight; it may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// It begins with this minute.
    pub from: u16,
    /// It ends before this one.
    pub to: u16,
}

impl Hours {
    /// Reads "22:00-06:30".
    pub fn parse(text: &str) -> Option<Self> {
        let minutes = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let (from, to) = text.split_once('-')?;
        Some(Self { from: minutes(from)?, to: minutes(to)? }).filter(|hours| hours.from != hours.to)
    }
}

/// A saved wall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WallPlan {
    /// A title; the count of setups stands in its place where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Only setups whose run is of one of these projects; none for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Only these setups; `*` stands for any letters. None for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<String>,
    /// Only what is ill, silent or late; a calm wall is an empty one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only_sick: bool,
    /// By name, and not the sickest first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_name: bool,
    /// The most tiles on one page, where the screen should not decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiles: Option<u32>,
    /// Seconds until the next page, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_seconds: Option<u32>,
    /// Light or dark.
    pub theme: Theme,
    /// Which colours tell well from ill.
    pub palette: Palette,
    /// A sound for each new failure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sound: bool,
    /// The language of the clock, such as `de` or `en-GB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// When it is dimmed, such as `22:00-06:00`; what is ill stays bright.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dim: Option<String>,
}

/// What is wrong with a wall.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field} {detail}")]
pub struct WallFault {
    /// Which field.
    pub field: &'static str,
    /// What is wrong there.
    pub detail: String,
}

fn fault(field: &'static str, detail: impl Into<String>) -> WallFault {
    WallFault { field, detail: detail.into() }
}

/// Checks the name of a wall: it stands in an address that people type.
pub fn check_wall_name(name: &str) -> Result<(), WallFault> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if name.is_empty() || name.len() > WALL_NAME_MAX || !name.chars().all(plain) || name.starts_with('-') {
        return Err(fault("name", format!("must be 1 to {WALL_NAME_MAX} of a-z, 0-9 and -, such as lobby-2")));
    }
    Ok(())
}

impl WallPlan {
    /// Everything that is wrong with it.
    pub fn faults(&self) -> Vec<WallFault> {
        let mut faults = Vec::new();
        for (field, names) in [("projects", &self.projects), ("setups", &self.setups)] {
            if names.len() > LISTED_MAX {
                faults.push(fault(field, format!("lists more than {LISTED_MAX}")));
            }
            if names.iter().any(|name| name.trim().is_empty()) {
                faults.push(fault(field, NameError::Empty.to_string()));
            }
        }
        if self.title.as_ref().is_some_and(|title| title.chars().count() > 80) {
            faults.push(fault("title", "must have at most 80 characters"));
        }
        if self.tiles.is_some_and(|tiles| tiles == 0 || tiles > 500) {
            faults.push(fault("tiles", "must be between 1 and 500"));
        }
        if self.rotate_seconds.is_some_and(|seconds| !(ROTATE_MIN..=3_600).contains(&seconds)) {
            faults.push(fault("rotate_seconds", format!("must be between {ROTATE_MIN} and 3600")));
        }
        if self.language.as_deref().is_some_and(|language| !is_language(language)) {
            faults.push(fault("language", "must be a language tag such as de or en-GB"));
        }
        if self.dim.as_deref().is_some_and(|dim| Hours::parse(dim).is_none()) {
            faults.push(fault("dim", "must be two times such as 22:00-06:00"));
        }
        faults
    }
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts.next().is_some_and(|first| (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether a name is what a pattern means; `*` stands for any letters, and
/// case makes no difference.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.trim().to_lowercase(), name.to_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_people_expect() {
        let table = [
            ("bench-1", "bench-1", true),
            ("bench-1", "bench-10", false),
            ("Bench*", "bench-10", true),
            ("*10", "bench-10", true),
            ("b*-1*", "bench-10", true),
            ("a*a", "a", false),
            ("*", "anything", true),
            ("**x", "x", true),
            ("", "x", false),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn hours_may_go_over_midnight() {
        assert_eq!(Hours::parse("22:00-06:30"), Some(Hours { from: 1_320, to: 390 }));
        for bad in ["", "22-06", "24:00-06:00", "08:00-08:00", "ab:00-01:00"] {
            assert_eq!(Hours::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        assert!(WallPlan::default().faults().is_empty());
        let bad = WallPlan {
            title: Some("x".repeat(81)),
            projects: vec![" ".into()],
            tiles: Some(0),
            rotate_seconds: Some(1),
            language: Some("klingon!".into()),
            dim: Some("night".into()),
            ..WallPlan::default()
        };
        let fields: Vec<_> = bad.faults().iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["projects", "title", "tiles", "rotate_seconds", "language", "dim"]);
    }

    #[test]
    fn names_stand_in_addresses() {
        for name in ["lobby", "lobby-2", "2"] {
            assert!(check_wall_name(name).is_ok(), "{name}");
        }
        for name in ["", "Lobby", "a b", "a/b", "-a", &"x".repeat(61)] {
            assert!(check_wall_name(name).is_err(), "{name}");
        }
    }
}
