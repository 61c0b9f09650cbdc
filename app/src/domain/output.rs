//! What a run, a suite or a test puts out: lines of logs, the steps inside it,
//! and files. None of it is judged; it is kept for people to read.

use super::event::TestRef;
use super::file::Attachment;
use super::ids::PlaceId;
use super::suite::SuitePath;
use super::test::words;
use serde::{Deserialize, Serialize};

words! {
    /// How grave a line is, from the least on.
    Level {
        /// Every little thing.
        Trace = "trace",
        /// Of use to who looks for a fault.
        Debug = "debug",
        /// What goes on.
        Info = "info",
        /// Something may be wrong.
        Warn = "warn",
        /// Something is wrong.
        Error = "error",
        /// Nothing can go on.
        Fatal = "fatal",
    }
}

impl Level {
    /// The level that a framework's own word means. Words that nobody knows
    /// are plain information: a line is never refused for its level.
    pub fn of(word: &str) -> Self {
        let word = word.trim();
        let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
        match () {
            () if is(&["trace", "verbose", "silly", "all"]) => Self::Trace,
            () if is(&["debug", "fine"]) => Self::Debug,
            () if is(&["warn", "warning"]) => Self::Warn,
            () if is(&["error", "err", "fail", "failed", "failure", "severe"]) => Self::Error,
            () if is(&["fatal", "critical", "crit", "panic", "emergency", "alert"]) => Self::Fatal,
            () => Self::Info,
        }
    }

    /// How grave it is, from 0.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// The level of this rank.
    pub fn ranked(rank: u32) -> Option<Self> {
        Self::ALL.get(rank as usize).copied()
    }
}

/// Whose output it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// The run's own.
    Run,
    /// A suite's: names from the root.
    Suite(SuitePath),
    /// An attempt's at a test.
    Test(TestRef),
}

impl Place {
    /// By what it is known in its run.
    pub fn id(&self) -> PlaceId {
        match self {
            Self::Run => PlaceId::RUN,
            Self::Suite(path) => PlaceId::of(path, None),
            Self::Test(test) => PlaceId::of(&test.suite, Some((&test.name, test.parameters.as_deref()))),
        }
    }

    /// Which attempt, from 1; 0 where it is not a test's.
    pub const fn attempt(&self) -> u32 {
        match self {
            Self::Run | Self::Suite(_) => 0,
            Self::Test(test) => test.attempt,
        }
    }
}

/// A line, or a step that begins or ends. The event log has what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Whose it is.
    pub place: Place,
    /// How grave a line is; none of a step.
    pub level: Option<Level>,
    /// The file that came with it.
    pub attachment: Option<Attachment>,
}

/// Whether there is output to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Lines or steps.
    #[serde(default, skip_serializing_if = "is_not")]
    pub lines: bool,
    /// Files.
    #[serde(default, skip_serializing_if = "is_not")]
    pub files: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_not(value: &bool) -> bool {
    !*value
}

impl Outputs {
    /// What an output adds.
    pub const fn of(output: &Output) -> Self {
        Self { lines: true, files: output.attachment.is_some() }
    }

    /// There is none.
    pub const fn is_none(&self) -> bool {
        !self.lines && !self.files
    }

    /// Joins more; tells whether that is new.
    pub fn join(&mut self, more: Self) -> bool {
        let before = *self;
        self.lines |= more.lines;
        self.files |= more.files;
        *self != before
    }
}

/// From where on output is read, by the numbers of the event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFrom {
    /// The next after this number.
    After(i64),
    /// The last before this number.
    Before(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_told_by_the_words_of_many_frameworks() {
        for (word, level) in [
            ("INFO", Level::Info),
            ("Warning", Level::Warn),
            ("FAIL", Level::Error),
            ("critical", Level::Fatal),
            (" trace ", Level::Trace),
            ("step", Level::Info),
            ("", Level::Info),
        ] {
            assert_eq!(Level::of(word), level, "{word:?}");
        }
        assert!(Level::ALL.iter().zip(0..).all(|(level, rank)| Level::ranked(rank) == Some(*level)));
        assert_eq!((Level::Warn.rank(), Level::ranked(6)), (3, None));
    }

    #[test]
    fn outputs_are_joined() {
        let mut known = Outputs::default();
        assert!(known.is_none());
        assert!(known.join(Outputs { lines: true, files: false }));
        assert!(!known.join(Outputs { lines: true, files: false }));
        assert!(known.join(Outputs { lines: false, files: true }) && known.lines);
    }
}
