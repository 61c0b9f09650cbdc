//! Every address as a value; links and routes share it.

use crate::domain::file::Digest;
use crate::domain::ids::{RunId, TestId};
use std::fmt;

/// A page that people see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page<'a> {
    /// The setup grid.
    Grid,
    /// One setup, by name.
    Setup(&'a str),
    /// Keeping one setup for oneself.
    Reserve(&'a str),
    /// One run.
    Run(RunId),
    /// What one test in a run said, by its number there.
    Result(RunId, u32),
    /// What all of a run put out.
    Output(RunId),
    /// One test over all its runs.
    Test(TestId),
    /// One project, by name.
    Project(&'a str),
    /// One suite of a project, by its path.
    Suite(&'a str, &'a [String]),
    /// The tests that are ill.
    Flaky,
    /// Batches of test files that are run here.
    Batches,
    /// The wall.
    Wall,
    /// Signing in.
    Login,
    /// The own account.
    Account,
    /// The API, to be tried.
    Docs,
    /// The API, to be read.
    Redoc,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grid => f.write_str("/"),
            Self::Setup(name) => write!(f, "/setups/{}", Segment(name)),
            Self::Reserve(name) => write!(f, "/settings/reservations/{}", Segment(name)),
            Self::Run(id) => write!(f, "/runs/{id}"),
            Self::Result(id, test) => write!(f, "/runs/{id}/tests/{test}"),
            Self::Output(id) => write!(f, "/runs/{id}/output"),
            Self::Test(id) => write!(f, "/tests/{id}"),
            Self::Project(name) => write!(f, "/projects/{}", Segment(name)),
            Self::Suite(project, path) => {
                write!(f, "/projects/{}/suites", Segment(project))?;
                path.iter().try_for_each(|part| write!(f, "/{}", Segment(part)))
            }
            Self::Flaky => f.write_str("/flaky"),
            Self::Batches => f.write_str("/batches"),
            Self::Wall => f.write_str("/wall"),
            Self::Login => f.write_str("/login"),
            Self::Account => f.write_str("/settings/account"),
            Self::Docs => f.write_str("/docs"),
            Self::Redoc => f.write_str("/redoc"),
        }
    }
}

/// The stream of all setups.
pub const LIVE_WALL: &str = "/live/wall";

/// The stream of one run.
pub fn live_run(id: RunId) -> String {
    format!("/live/runs/{id}")
}

/// A file of a run.
pub fn attachment(run: RunId, file: Digest) -> String {
    format!("/api/v1/runs/{run}/attachments/{file}")
}

/// Text as one path segment: everything but RFC 3986's unreserved characters
/// is percent-encoded.
pub struct Segment<'a>(pub &'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                write!(f, "{}", byte as char)?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_stays_one_segment() {
        assert_eq!(Page::Setup("bench 7/ä").to_string(), "/setups/bench%207%2F%C3%A4");
        let path = ["Power".into(), "AC/DC".into()];
        assert_eq!(Page::Suite("boiler", &path).to_string(), "/projects/boiler/suites/Power/AC%2FDC");
    }
}
