//! The store on a PostgreSQL server, which several servers may share.

use super::bulk::Bulk;
use super::error::StoreError;
use super::migrations;
use super::session::Session;
use super::tables::history::suite_counts;
use super::tables::jobs::{job_claim, job_columns};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{ConnectOptions, PgConnection, PgPool, Postgres};
use std::time::Duration;

/// Two JSON objects as one, in the upsert of setups.
pub(super) const JOINED: &str = "setups.attributes || excluded.attributes";

/// The texts of some tests of a run.
pub(super) const TEXT_LIST: &str = "select run_id, ordinal, attempt, message, trace from texts \
     where run_id = $1 and ordinal in (select cast(value as bigint) from jsonb_array_elements_text($2)) \
     order by ordinal, attempt";

/// What is known of some tests of a setup.
pub(super) const HEALTH_LOAD: &str = "select test_id, state from health where setup_id = $1 and test_id in (select cast(value as uuid) from jsonb_array_elements_text($2))";

/// The counts of some runs by suite.
pub(super) const SUITE_COUNTS: &str = suite_counts!("select cast(value as uuid) from jsonb_array_elements_text($1)");

/// Some events, by their numbers.
pub(super) const EVENTS_FORGET: &str =
    "delete from events where seq in (select cast(value as bigint) from jsonb_array_elements_text($1))";

/// A worker takes a job: one that no other claim has in hand.
pub(super) const JOB_CLAIM: &str =
    job_claim!("j.labels", "select jsonb_array_elements_text($4)", " for update skip locked");

/// What is said differently here.
pub(super) const OWN: &[(&str, &str)] = &[
    ("TEXT_LIST", TEXT_LIST),
    ("HEALTH_LOAD", HEALTH_LOAD),
    ("SUITE_COUNTS", SUITE_COUNTS),
    ("EVENTS_FORGET", EVENTS_FORGET),
    ("JOB_CLAIM", JOB_CLAIM),
];

/// Numbers of events are given before they are seen: without the lock, a
/// reader could see 8 before 7 and never come back for 7. With it, groups of
/// several servers commit in the order of their numbers.
const BEGIN_GROUP: &str = "begin; select pg_advisory_xact_lock(5208295477)";
/// Nothing of it is an event, so no order has to be kept.
const BEGIN_WHOLE: &str = "begin";
/// One view for all statements.
const BEGIN_SNAPSHOT: &str = "begin isolation level repeatable read read only";

const CONNECTIONS: u32 = 10;
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);

/// The store on a server.
#[derive(Clone, Debug)]
pub struct PgStore {
    pool: PgPool,
}

pub(super) mod body {
    crate::store::tables::bodies!(sqlx::Postgres, sqlx::PgConnection, sqlx::postgres::PgRow, crate::store::postgres);
}

impl PgStore {
    pub(super) async fn open(options: PgConnectOptions) -> Result<Self, StoreError> {
        let place = format!("{}:{}", options.get_host(), options.get_port());
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(WAIT_FOR_CONNECTION)
            .connect_with(options.disable_statement_logging())
            .await
            .map_err(|error| explain(&place, error))?;
        migrations::migrator(migrations::POSTGRES).run(&pool).await?;
        Ok(Self { pool })
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn read(&self) -> Result<Session<Postgres>, StoreError> {
        Session::of(&self.pool).await
    }

    pub(super) async fn snapshot(&self) -> Result<Session<Postgres>, StoreError> {
        Session::begin(&self.pool, BEGIN_SNAPSHOT).await
    }

    pub(super) async fn write(&self) -> Result<Session<Postgres>, StoreError> {
        Session::of(&self.pool).await
    }

    pub(super) async fn whole(&self) -> Result<Session<Postgres>, StoreError> {
        Session::begin(&self.pool, BEGIN_WHOLE).await
    }

    pub(super) async fn group(&self) -> Result<Session<Postgres>, StoreError> {
        Session::begin(&self.pool, BEGIN_GROUP).await
    }
}

/// All rows in one statement. Gives what it returns.
pub(super) async fn bulk<B: Bulk>(db: &mut PgConnection, rows: &[B::Row]) -> Result<Vec<PgRow>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let values = B::for_postgres(rows).map_err(|error| StoreError::Driver(sqlx::Error::Encode(error)))?;
    Ok(sqlx::query_with(B::texts().postgres, values).fetch_all(db).await?)
}

/// What to do where the server cannot be reached.
fn explain(place: &str, error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|database| database.code());
    let what = match code.as_deref() {
        Some("28P01" | "28000") => format!("PostgreSQL at {place} does not accept this user or password"),
        Some("3D000") => format!("PostgreSQL at {place} has no database of this name; create it with createdb"),
        None => {
            format!("PostgreSQL at {place} cannot be reached; check that it runs and that host, port and TLS are right")
        }
        Some(_) => return error.into(),
    };
    StoreError::Unusable { what, source: Some(error) }
}
