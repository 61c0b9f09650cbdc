//! A room a kind of thing that is kept: its statements, how its rows are read
//! and written, and the methods of the store that follow.
//!
//! Each has a macro `body`, which is expanded once a driver (see [`bodies`]):
//! the same functions over a connection, with the types of either.

/// The end of a run changes the outcome of tests that never ended, and their
/// rows are not written for it.
macro_rules! outcome {
    () => {
        "case when t.outcome in ('waiting', 'running') then coalesce(r.unfinished_as, t.outcome) else t.outcome end"
    };
}
pub(super) use outcome;

pub(super) mod audit;
pub(super) mod batches;
pub(super) mod commit_builds;
pub(super) mod events;
pub(super) mod files;
pub(super) mod foreign;
pub(super) mod health;
pub(super) mod history;
pub(super) mod jobs;
pub(super) mod logs;
pub(super) mod news;
pub(super) mod outbox;
pub(super) mod owners;
pub(super) mod people;
pub(super) mod renames;
pub(super) mod repositories;
pub(super) mod reservations;
pub(super) mod retention;
pub(super) mod runs;
pub(super) mod schedules;
pub(super) mod sessions;
pub(super) mod setups;
pub(super) mod tests;
pub(super) mod tokens;
pub(super) mod walls;
pub(super) mod workers;

use super::bulk::Texts;

/// What every room needs.
pub(super) mod prelude {
    pub(in crate::store) use crate::store::bulk::{Bulk, OnConflict, Texts, bulk, texts};
    pub(in crate::store) use crate::store::detail::{SuiteDetail, TestDetail};
    pub(in crate::store) use crate::store::rows::*;
    pub(in crate::store) use crate::store::sql::statements;
    pub(in crate::store) use crate::store::{
        Group, Store, StoreError, Transaction, delegate, delegate_group, postgres, sqlite,
    };
    pub(in crate::store) use app::domain::account::{Failures, LinkKind};
    pub(in crate::store) use app::domain::build::BuildStatus;
    pub(in crate::store) use app::domain::file::{Attachment, Digest};
    pub(in crate::store) use app::domain::health::Label;
    pub(in crate::store) use app::domain::ids::*;
    pub(in crate::store) use app::domain::job::{Job, JobKind, JobResult, JobState, Labels, Standing};
    pub(in crate::store) use app::domain::name::*;
    pub(in crate::store) use app::domain::output::{Level, OutputFrom, Outputs};
    pub(in crate::store) use app::domain::rights::Role;
    pub(in crate::store) use app::domain::run::{Run, RunResult, RunState};
    pub(in crate::store) use app::domain::suite::Suite;
    pub(in crate::store) use app::domain::test::{Attempt, Outcome, Test};
    pub(in crate::store) use app::domain::time::*;
    pub(in crate::store) use sqlx::Arguments;
    pub(in crate::store) use sqlx::error::BoxDynError;
    pub(in crate::store) use sqlx::postgres::PgArguments;
    pub(in crate::store) use sqlx::sqlite::SqliteArguments;
    pub(in crate::store) use sqlx::types::Json;
    pub(in crate::store) use std::sync::LazyLock;
    pub(in crate::store) use uuid::Uuid;
}

/// Every statement that is not a bulk write, by name.
pub(super) fn statements() -> Vec<(&'static str, &'static str)> {
    [
        audit::ALL,
        batches::ALL,
        commit_builds::ALL,
        events::ALL,
        files::ALL,
        foreign::ALL,
        health::ALL,
        history::ALL,
        jobs::ALL,
        logs::ALL,
        news::ALL,
        outbox::ALL,
        owners::ALL,
        people::ALL,
        renames::ALL,
        repositories::ALL,
        reservations::ALL,
        retention::ALL,
        runs::ALL,
        schedules::ALL,
        sessions::ALL,
        setups::ALL,
        tests::ALL,
        tokens::ALL,
        walls::ALL,
        workers::ALL,
    ]
    .concat()
}

/// Every bulk write, by name.
pub(super) fn bulk_writes() -> Vec<(&'static str, &'static Texts)> {
    [
        batches::bulk(),
        events::bulk(),
        files::bulk(),
        foreign::bulk(),
        health::bulk(),
        history::bulk(),
        jobs::bulk(),
        news::bulk(),
        runs::bulk(),
        setups::bulk(),
        tests::bulk(),
    ]
    .concat()
}

/// The bodies of all rooms, for one driver.
macro_rules! bodies {
    ($Db:ty, $Connection:ty, $Row:ty, $dialect:path) => {
        $crate::store::read::columns!($Db, $Row);

        $crate::store::tables::bodies!(@rooms $Connection, $Row, $dialect, audit batches commit_builds events files foreign health history jobs logs news outbox owners people renames repositories reservations retention runs schedules sessions setups tests tokens walls workers);
    };
    (@rooms $Connection:ty, $Row:ty, $dialect:path, $($room:ident)*) => {$(
        mod $room {
            use super::{Answer, Columns, all};
            #[allow(unused_imports, reason = "few rooms need what the databases say differently")]
            use $dialect as dialect;
            use $crate::store::tables::{$room::*, prelude::*};

            $crate::store::tables::$room::body!($Connection, $Row);
        }
        pub(in crate::store) use $room::*;
    )*};
}
pub(super) use bodies;
