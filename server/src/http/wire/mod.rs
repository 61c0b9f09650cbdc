//! The public types: what callers may rely on.
//!
//! They are written out here, apart from what our own pages draw, so that a
//! screen may change at any time and the contract does not. Additions are
//! fine; nothing here changes its meaning.

pub mod attachment;
pub mod badge;
pub mod batch;
pub mod build;
pub mod event;
pub mod flaky;
pub mod hook;
pub mod job_log;
pub mod output;
pub mod owners;
pub mod plan;
pub mod rename;
pub mod report;
mod run;
pub mod schedule;
mod setup;
mod test;
pub mod tokens;
pub mod walls;
pub mod work;

pub use run::{RunDetail, RunItem, RunList};
pub use setup::{CurrentRun, ReservationBody, ReservationItem, SetupItem, SetupList};
pub use test::{AttemptItem, TestItem, TestList};

use crate::intake::Rejected;
use crate::service::ingest::Receipt;
use app::domain::counts::Counts;
use app::domain::time::{Micros, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// A point in time as RFC 3339, UTC, with microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339())
    }
}

fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

impl PartialSchema for Moment {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        let object: Object = text_schema()
            .format(Some(format))
            .description(Some("RFC 3339, UTC, with microseconds."))
            .examples(["2026-03-01T12:00:00.250000Z"])
            .build();
        Schema::Object(object).into()
    }
}

impl ToSchema for Moment {}

/// A length of time in milliseconds, as a number with three decimals.
pub fn millis(length: Micros) -> f64 {
    length.0 as f64 / 1_000.0
}

/// Words of the domain as public strings, their lists taken from the domain.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $word:ty, $said:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub $word);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<Schema> {
                let words = <$word>::ALL.iter().map(|word| word.as_str());
                Schema::Object(text_schema().enum_values(Some(words)).description(Some($said)).build()).into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

words! {
    /// What a setup is doing.
    Activity = app::domain::activity::Activity, "What a setup is doing: no run is open; a run is open and speaks; it takes longer than it ever did; nobody has spoken for too long; its last run was given up.";
    /// Where a run stands.
    RunState = app::domain::run::RunState, "Where a run stands: planned; begun; over by the listener's word; given up.";
    /// What a run came to.
    RunResult = app::domain::run::RunResult, "What a run came to. A flaky run passed, with tests that needed another attempt; an incomplete one ended without a word about some of its tests.";
    /// What a test came to.
    Outcome = app::domain::test::Outcome, "What a test came to in a run; derived from its attempts. Flaky: passed after a failed attempt. Lost: nobody ever said how it ended.";
    /// What one attempt came to.
    Verdict = app::domain::test::Verdict, "What one attempt at a test came to.";
    /// How grave a line is.
    Level = app::domain::output::Level, "How grave a line of output is, from the least on.";
    /// What a suite is busy with.
    Phase = app::domain::suite::Phase, "What a suite is busy with.";
}

/// Tests of a run by outcome
///
/// Each test is in exactly one counter beside `planned`, so the others sum up to it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct CountsBody {
    /// All tests: known by name, or announced as a number.
    pub planned: u32,
    /// Announced, not started.
    pub waiting: u32,
    /// Started, not finished.
    pub running: u32,
    /// Passed at the first attempt, warnings included.
    pub passed: u32,
    /// Passed after a failed attempt; not in `passed`.
    pub flaky: u32,
    /// Failed, errored or timed out in the last attempt.
    pub failed: u32,
    /// Not run, on purpose.
    pub skipped: u32,
    /// Stopped, or never begun in a run that was aborted.
    pub cancelled: u32,
    /// Announced or begun in a run that ended without a word about them.
    pub lost: u32,
}

impl From<Counts> for CountsBody {
    fn from(counts: Counts) -> Self {
        let Counts { planned, waiting, running, passed, flaky, failed, skipped, cancelled, lost } = counts;
        Self { planned, waiting, running, passed, flaky, failed, skipped, cancelled, lost }
    }
}

/// What was done with the events of a request
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Receipt)]
pub struct ReceiptBody {
    /// New, understood and durable.
    pub accepted: u32,
    /// Known already by their id; nothing changed.
    pub duplicate: u32,
    /// Kept, but of a type that this version does not know.
    pub ignored: u32,
    /// Not taken, with the reason.
    pub rejected: Vec<RejectedBody>,
}

/// An event that was not taken
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rejected)]
pub struct RejectedBody {
    /// Its place in the request, from 0; blank lines do not count.
    pub index: usize,
    /// JSON pointer to the fault inside the event.
    #[schema(example = "/verdict")]
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl From<Rejected> for RejectedBody {
    fn from(Rejected { index, pointer, detail }: Rejected) -> Self {
        Self { index, pointer, detail }
    }
}

impl From<Receipt> for ReceiptBody {
    fn from(receipt: Receipt) -> Self {
        Self {
            accepted: receipt.accepted,
            duplicate: receipt.duplicate,
            ignored: receipt.ignored,
            rejected: receipt.rejected.into_iter().map(RejectedBody::from).collect(),
        }
    }
}

/// A refusal (RFC 9457)
///
/// Sent as `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Which problem: the address of a page that explains it.
    #[schema(example = "/problems/invalid")]
    pub r#type: String,
    /// The same few words for every problem of the type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, and what to do.
    pub detail: String,
    /// The request, as it is named in the server's log and in the header `x-request-id`.
    pub instance: Option<String>,
    /// Where the body is at fault.
    #[serde(default)]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
}

/// A fault in a body
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the body; `/name` for a value of the query.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}
