//! The formats: how each is recognised, and which parser reads it.

use crate::model::Report;
use crate::{json, lines, xml};
use thiserror::Error;

/// A format of report files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `JUnit` XML, in any of its dialects.
    Junit,
    /// Robot Framework `output.xml`.
    RobotXml,
    /// Robot Framework `output.json` (7.2 and later).
    RobotJson,
    /// Visual Studio test results.
    Trx,
    /// `NUnit` 2 and 3.
    Nunit,
    /// xUnit.net v1, v2 and v3.
    Xunit,
    /// Common Test Report Format.
    Ctrf,
    /// `go test -json`.
    GoTest,
    /// Rust's libtest, and nextest, as JSON lines.
    Libtest,
    /// TAP 12 to 14, and KTAP.
    Tap,
    /// One file of an Allure results folder.
    Allure,
    /// Playwright's JSON reporter.
    Playwright,
    /// Mocha's JSON reporter.
    Mocha,
    /// Jest's (and Vitest's) `--json`.
    Jest,
    /// `RSpec`'s JSON formatter.
    Rspec,
    /// Cucumber's JSON formatter.
    Cucumber,
    /// Dart's and Flutter's JSON lines.
    Dart,
    /// LAVA job results.
    Lava,
    /// SQUAD's tests file.
    Squad,
    /// Results of the Linux Test Project.
    Ltp,
}

/// Why nothing at all of a file could be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It holds nothing.
    #[error("the file is empty")]
    Empty,
    /// Of no format that we know.
    #[error("{0}")]
    Unknown(String),
    /// Not what it was said to be.
    #[error("{0}")]
    Malformed(String),
    /// It asks for something that is not done for a stranger's file.
    #[error("{0}")]
    Unsafe(String),
}

/// The parser of a format.
type Parser = fn(&[u8]) -> Result<Report, Refusal>;

/// Whether a file looks like one of a format: its first few kilobytes, or all.
type Looks = fn(&[u8]) -> bool;

impl Format {
    /// Every format, the ones that are surest to recognise first.
    pub const ALL: [Self; 20] = [
        Self::RobotXml,
        Self::Trx,
        Self::Nunit,
        Self::Xunit,
        Self::Junit,
        Self::RobotJson,
        Self::Ctrf,
        Self::Playwright,
        Self::Jest,
        Self::Mocha,
        Self::Rspec,
        Self::Cucumber,
        Self::Ltp,
        Self::Allure,
        Self::Lava,
        Self::GoTest,
        Self::Libtest,
        Self::Dart,
        Self::Tap,
        Self::Squad,
    ];

    /// Its name in a query string and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::RobotXml => "robot",
            Self::RobotJson => "robot-json",
            Self::Trx => "trx",
            Self::Nunit => "nunit",
            Self::Xunit => "xunit",
            Self::Ctrf => "ctrf",
            Self::GoTest => "go-test",
            Self::Libtest => "libtest",
            Self::Tap => "tap",
            Self::Allure => "allure",
            Self::Playwright => "playwright",
            Self::Mocha => "mocha",
            Self::Jest => "jest",
            Self::Rspec => "rspec",
            Self::Cucumber => "cucumber",
            Self::Dart => "dart",
            Self::Lava => "lava",
            Self::Squad => "squad",
            Self::Ltp => "ltp",
        }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    fn looks(self) -> Looks {
        match self {
            Self::Junit => xml::junit::looks,
            Self::RobotXml => xml::robot::looks,
            Self::Trx => xml::trx::looks,
            Self::Nunit => xml::nunit::looks,
            Self::Xunit => xml::xunit::looks,
            Self::RobotJson => json::robot::looks,
            Self::Ctrf => json::ctrf::looks,
            Self::Playwright => json::playwright::looks,
            Self::Jest => json::jest::looks,
            Self::Mocha => json::mocha::looks,
            Self::Rspec => json::rspec::looks,
            Self::Cucumber => json::cucumber::looks,
            Self::Allure => json::allure::looks,
            Self::Lava => json::lava::looks,
            Self::Squad => json::squad::looks,
            Self::Ltp => json::ltp::looks,
            Self::GoTest => lines::go::looks,
            Self::Libtest => lines::libtest::looks,
            Self::Dart => lines::dart::looks,
            Self::Tap => lines::tap::looks,
        }
    }

    fn parser(self) -> Parser {
        match self {
            Self::Junit => xml::junit::parse,
            Self::RobotXml => xml::robot::parse,
            Self::Trx => xml::trx::parse,
            Self::Nunit => xml::nunit::parse,
            Self::Xunit => xml::xunit::parse,
            Self::RobotJson => json::robot::parse,
            Self::Ctrf => json::ctrf::parse,
            Self::Playwright => json::playwright::parse,
            Self::Jest => json::jest::parse,
            Self::Mocha => json::mocha::parse,
            Self::Rspec => json::rspec::parse,
            Self::Cucumber => json::cucumber::parse,
            Self::Allure => json::allure::parse,
            Self::Lava => json::lava::parse,
            Self::Squad => json::squad::parse,
            Self::Ltp => json::ltp::parse,
            Self::GoTest => lines::go::parse,
            Self::Libtest => lines::libtest::parse,
            Self::Dart => lines::dart::parse,
            Self::Tap => lines::tap::parse,
        }
    }
}

/// The format of a file, by its content.
pub fn recognise(file: &[u8]) -> Option<Format> {
    Format::ALL.into_iter().find(|format| format.looks()(file))
}

/// Reads a file of a known format, or of the one that it looks like.
pub fn read(file: &[u8], format: Option<Format>) -> Result<(Format, Report), Refusal> {
    if file.trim_ascii().is_empty() {
        return Err(Refusal::Empty);
    }
    let unknown = || Refusal::Unknown("this is no test report that Holter knows".into());
    let format = format.or_else(|| recognise(file)).ok_or_else(unknown)?;
    Ok((format, format.parser()(file)?))
}
