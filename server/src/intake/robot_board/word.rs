//! What the listener may say, read from the bodies of its requests.

use super::Refused;
use app::domain::name::{NAME_MAX, SetupName, tidy};
use app::domain::suite::NAME_KEPT;
use serde_json::Value;

/// Characters of a time, which is kept as it was sent.
const TIME_MAX: usize = 64;

/// Tests that a suite may promise.
const TESTS_MAX: u64 = 1_000_000;

/// Something that the listener says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A suite begins.
    ScopeStarted {
        /// On the setup of this number.
        setup: u32,
        /// Its name.
        name: String,
        /// When, as it says.
        at: String,
    },
    /// A test begins.
    TestStarted {
        /// In this suite.
        scope: i64,
        /// Its name.
        name: String,
    },
    /// Something ends.
    Ended {
        /// What kind of thing.
        table: Table,
        /// Its number, maybe guessed.
        id: i64,
        /// It went well.
        passed: bool,
    },
    /// A suite turns to something else.
    Phase {
        /// Which suite.
        scope: i64,
        /// To its `tests`, or to its `teardown`.
        phase: &'static str,
    },
    /// How far a suite is.
    Progress {
        /// The setup, as it calls itself.
        setup: String,
        /// Tests that are over.
        done: u32,
        /// Tests in all.
        total: u32,
    },
    /// A time that only the page shows.
    Since {
        /// On the setup of this number.
        setup: u32,
        /// Of what.
        place: Place,
        /// The time, as it says.
        at: String,
    },
}

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// A test.
    Tests,
    /// A suite.
    Scopes,
}

/// What a time is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The preparation of a suite.
    Preparing,
    /// The clearing up after it.
    Clearing,
}

fn field<'a>(body: &'a Value, name: &str) -> Result<&'a Value, Refused> {
    let value = body.get(name).filter(|value| !value.is_null());
    value.ok_or_else(|| Refused::bad(format!("{name} is missing")))
}

fn text(body: &Value, name: &str, max: usize) -> Result<String, Refused> {
    let text = field(body, name)?.as_str().ok_or_else(|| Refused::bad(format!("{name} must be text")))?;
    let is_blank = |letter: char| letter.is_control() || letter.is_whitespace();
    if text.chars().all(is_blank) {
        return Err(Refused::bad(format!("{name} must not be empty")));
    }
    Ok(tidy(text.trim(), max).into())
}

/// A number, which may be written as text.
fn number(body: &Value, name: &str) -> Result<i64, Refused> {
    let value = field(body, name)?;
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    number.ok_or_else(|| Refused::bad(format!("{name} must be a whole number")))
}

fn setup(body: &Value) -> Result<u32, Refused> {
    let number = number(body, "setup_id")?;
    u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| Refused::bad("setup_id counts from 1"))
}

fn count(body: &Value, name: &str) -> Result<u32, Refused> {
    let Some(value) = body.get(name).filter(|value| !value.is_null()) else { return Ok(0) };
    let count = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    match count {
        Some(count) => Ok(count.min(TESTS_MAX) as u32),
        None => Err(Refused::bad(format!("{name} must be a whole number from 0"))),
    }
}

impl Word {
    /// `POST /api/post_scope_results`.
    pub fn scope_started(body: &Value) -> Result<Self, Refused> {
        let at = text(body, "start_time", TIME_MAX)?;
        Ok(Self::ScopeStarted { setup: setup(body)?, name: text(body, "name", NAME_KEPT)?, at })
    }

    /// `POST /api/post_test_results`.
    pub fn test_started(body: &Value) -> Result<Self, Refused> {
        text(body, "start_time", TIME_MAX)?;
        Ok(Self::TestStarted { scope: number(body, "scope_id")?, name: text(body, "test_name", NAME_KEPT)? })
    }

    /// `PUT /api/update_end_time`.
    pub fn ended(body: &Value) -> Result<Self, Refused> {
        let table = match &*text(body, "table_name", NAME_MAX)? {
            "tests" => Table::Tests,
            "scopes" => Table::Scopes,
            other => return Err(Refused::bad(format!("table_name {other:?} is neither tests nor scopes"))),
        };
        let passed = match &*text(body, "status", NAME_MAX)? {
            "pass" => true,
            "fail" => false,
            other => return Err(Refused::bad(format!("status {other:?} is neither pass nor fail"))),
        };
        Ok(Self::Ended { table, id: number(body, "id")?, passed })
    }

    /// `PUT /api/update_scope_status`.
    pub fn phase(body: &Value) -> Result<Self, Refused> {
        let phase = match &*text(body, "status", NAME_MAX)? {
            "startup" => "setup",
            "running" => "tests",
            "teardown" => "teardown",
            other => return Err(Refused::bad(format!("status {other:?} is not startup, running or teardown"))),
        };
        Ok(Self::Phase { scope: number(body, "scope_id")?, phase })
    }

    /// `POST /api/update_progress/{setup}`.
    pub fn progress(setup: &str, body: &Value) -> Result<Self, Refused> {
        if !body.is_object() {
            return Err(Refused::bad("the body must be a JSON object"));
        }
        SetupName::parse(setup).map_err(|error| Refused::bad(format!("the setup in the address {error}")))?;
        let (done, total) = (count(body, "completed_tests")?, count(body, "total_tests")?);
        Ok(Self::Progress { setup: setup.trim().to_owned(), done, total })
    }

    /// `POST /api/update_setup_start_time` and its like for the teardown.
    pub fn since(place: Place, body: &Value) -> Result<Self, Refused> {
        Ok(Self::Since { setup: setup(body)?, place, at: text(body, "start_time", TIME_MAX)? })
    }
}
