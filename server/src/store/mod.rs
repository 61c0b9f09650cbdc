//! What is kept: setups, runs, results, texts, events and tokens.
//!
//! Two databases, one text. [`Store`] is a closed choice between an embedded
//! SQLite file and a PostgreSQL server. Every statement is a constant in `sql`
//! (or a table of columns in `bulk`), and the one `body` around them is
//! expanded for each driver, so the drivers' own types (uuid, jsonb, bigint)
//! are used on both sides without boxing. What the databases say differently
//! is listed in `sqlite` and `postgres`.
//!
//! It is not a repository trait: there is no third implementation, and tests
//! use a real file. It is not sqlx's `Any` either, which knows neither uuid
//! nor jsonb. The compiler does not check SQL against the tables; the contract
//! test prepares every statement on both databases instead.
//!
//! Writing goes through a [`Group`]: one transaction, one statement a table.
//! SQLite has one connection that writes, and its queue is the backpressure;
//! readers have connections of their own and never wait for it.

mod body;
mod bulk;
mod detail;
mod error;
pub mod migrations;
mod postgres;
mod read;
pub mod rows;
mod session;
pub mod sql;
mod sqlite;
mod url;

pub use error::StoreError;
pub use postgres::PgStore;
pub use sqlite::SqliteStore;
pub use url::StoreUrl;

use app::domain::ids::{RunId, ScriptId, SetupId, TestId, TokenId};
use app::domain::name::RunKey;
use app::domain::run::Run;
use app::domain::time::{Micros, Timestamp};
use rows::*;
use session::Session;
use sqlx::{Postgres, Sqlite};
use std::path::Path;
use uuid::Uuid;

/// The store. Cheap to clone: clones share their connections.
#[derive(Clone, Debug)]
pub enum Store {
    /// In a file.
    Sqlite(SqliteStore),
    /// On a server.
    Postgres(PgStore),
}

/// Methods of [`Store`] that take a session and call the body. The first word
/// says which: `read`, `snapshot` (one view for several statements) or `write`.
macro_rules! delegate {
    ($($(#[$doc:meta])* $session:ident fn $name:ident($($arg:ident: $Arg:ty),*) -> $Answer:ty;)*) => {
        impl Store {$(
            $(#[$doc])*
            pub async fn $name(&self, $($arg: $Arg),*) -> Result<$Answer, StoreError> {
                match self {
                    Self::Sqlite(store) => {
                        let mut session = store.$session().await?;
                        let answer = sqlite::body::$name(session.db(), $($arg),*).await?;
                        session.end().await.map(|()| answer)
                    }
                    Self::Postgres(store) => {
                        let mut session = store.$session().await?;
                        let answer = postgres::body::$name(session.db(), $($arg),*).await?;
                        session.end().await.map(|()| answer)
                    }
                }
            }
        )*}
    };
}

/// Methods of [`Group`], which call the body in its transaction.
macro_rules! delegate_group {
    ($($(#[$doc:meta])* step fn $name:ident($($arg:ident: $Arg:ty),*) -> $Answer:ty;)*) => {
        impl Group {$(
            $(#[$doc])*
            pub async fn $name(&mut self, $($arg: $Arg),*) -> Result<$Answer, StoreError> {
                match &mut self.0 {
                    Transaction::Sqlite(session) => {
                        let answer = sqlite::body::$name(session.db(), $($arg),*).await;
                        session.note(answer)
                    }
                    Transaction::Postgres(session) => {
                        let answer = postgres::body::$name(session.db(), $($arg),*).await;
                        session.note(answer)
                    }
                }
            }
        )*}
    };
}

impl Store {
    /// Opens the store and brings its tables up to date; a SQLite file and its
    /// folder are made where they are missing.
    pub async fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => SqliteStore::open(path).await.map(Self::Sqlite),
            StoreUrl::Postgres(options) => PgStore::open((**options).clone()).await.map(Self::Postgres),
        }
    }

    /// Waits for what is under way, then closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }

    /// Which one it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Every statement it may prepare, by name.
    pub fn statements(&self) -> Vec<(&'static str, &'static str)> {
        let mut all = sql::ALL.to_vec();
        match self {
            Self::Sqlite(_) => {
                all.extend(sqlite::OWN);
                all.extend(bulk::all().iter().flat_map(|(name, texts)| texts.sqlite.iter().map(|text| (*name, *text))));
            }
            Self::Postgres(_) => {
                all.extend(postgres::OWN);
                all.extend(bulk::all().iter().map(|(name, texts)| (*name, texts.postgres)));
            }
        }
        all
    }

    /// Begins a group: everything in it is written, or nothing. Waits for its
    /// turn; on PostgreSQL also for the groups of other servers.
    pub async fn begin_group(&self) -> Result<Group, StoreError> {
        Ok(Group(match self {
            Self::Sqlite(store) => Transaction::Sqlite(store.group().await?),
            Self::Postgres(store) => Transaction::Postgres(store.group().await?),
        }))
    }

    /// Copies the store into a new file while it is in use.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.backup(to).await,
            Self::Postgres(_) => {
                Err(StoreError::unusable("a store on PostgreSQL is backed up by PostgreSQL's own tools: run pg_dump"))
            }
        }
    }
}

delegate! {
    /// Whether it answers.
    read fn ping() -> ();

    /// All setups by name.
    read fn setup_list() -> Vec<SetupRow>;

    /// A run by its id.
    read fn run_get(id: RunId) -> Option<RunRow>;
    /// A run by what its listener calls it.
    read fn run_find(setup: SetupId, key: &RunKey) -> Option<RunRow>;
    /// Runs that are not over, the oldest first.
    read fn run_open_list() -> Vec<RunRow>;
    /// The newest run of each setup, by the names of the setups.
    read fn run_latest_list() -> Vec<RunRow>;
    /// Runs, the newest first, after the one with this time and id.
    read fn run_page(filter: &RunFilter, after: Option<(Timestamp, RunId)>, limit: u32) -> Vec<RunRow>;
    /// A run with its suites and tests, as it can be gone on with.
    snapshot fn run_load(id: RunId) -> Option<Run>;

    /// The suites of a run in the order of their ordinals.
    read fn suite_rows(run: RunId) -> Vec<SuiteRow>;
    /// Those written after a version of the setup.
    read fn suite_changes(run: RunId, after_version: i64) -> Vec<SuiteRow>;
    /// The tests of a run in the order of their ordinals.
    read fn test_rows(run: RunId) -> Vec<TestRow>;
    /// Those written after a version of the setup.
    read fn test_changes(run: RunId, after_version: i64) -> Vec<TestRow>;
    /// Tests of a run in the order of their ordinals, after one of them.
    read fn test_page(
        run: RunId, filter: &TestFilter<'_>, after_ordinal: Option<u32>, limit: u32
    ) -> Vec<TestRow>;
    /// The texts of these tests, by ordinal and attempt.
    read fn text_list(run: RunId, ordinals: &[u32]) -> Vec<TextRow>;
    /// The text of a script.
    read fn script_get(id: ScriptId) -> Option<String>;

    /// How long the tests of this run took when they last passed in other runs
    /// on this setup: at most `per_test` each, the newest first.
    read fn passes(run: RunId, setup: SetupId, per_test: u32) -> Vec<(TestId, Micros)>;
    /// How long the suites of this run last took in other runs on this setup:
    /// at most `per_suite` each, by ordinal, the newest first.
    read fn suite_durations(run: RunId, setup: SetupId, per_suite: u32) -> Vec<(u32, Micros)>;

    /// The ids of the events in a run, or in a setup outside runs.
    read fn event_ids(scope: Uuid) -> Vec<Uuid>;
    /// Events after a number, in their order.
    read fn event_page(after_seq: i64, limit: u32) -> Vec<EventRow>;
    /// The number of the newest event, 0 where there is none.
    read fn event_last() -> i64;

    /// Up to which event the other tables tell what the log tells.
    read fn log_mark() -> i64;

    /// What is known of a test on all setups.
    read fn health_of_test(test: TestId) -> Vec<HealthRow>;
    /// Tests that are neither new nor healthy, the most expensive first.
    read fn health_sick(limit: u32) -> Vec<SickRow>;
    /// The results of a test on all setups, the newest first.
    read fn test_results(test: TestId, limit: u32) -> Vec<ResultRow>;
    /// The health of every setup.
    read fn setup_health_list() -> Vec<SetupHealthRow>;

    /// Keeps a wall as it now is.
    write fn wall_save(row: &WallRow) -> ();
    /// A saved wall.
    read fn wall_get(name: &str) -> Option<WallRow>;
    /// All saved walls, by name.
    read fn wall_list() -> Vec<WallRow>;
    /// A wall is no more. Tells whether it was there.
    write fn wall_delete(name: &str) -> bool;
    /// Somebody looks after a setup; whoever did before is let off.
    write fn claim_save(row: &ClaimRow) -> ();
    /// Who looks after which setup.
    read fn claim_list() -> Vec<ClaimRow>;
    /// A claim that is as old as that, or older, is over. Tells whether there
    /// was one.
    write fn claim_end(setup: SetupId, at: Timestamp) -> bool;
    /// A launch of another protocol with its items.
    read fn foreign_load(project: &str, launch: &str) -> Vec<ForeignRow>;
    /// The launches of a project without their items, the last written first.
    read fn foreign_launches(project: &str, limit: u32) -> Vec<ForeignRow>;
    /// Forgets launches of other protocols that were last written before this.
    /// Tells how many rows went.
    write fn foreign_forget(before: Timestamp) -> u64;

    /// Keeps a new token.
    write fn token_insert(row: &TokenRow) -> ();
    /// A token by the hash of its secret.
    read fn token_by_hash(hash: &[u8; 32]) -> Option<TokenRow>;
    /// All tokens, the newest first.
    read fn token_list() -> Vec<TokenRow>;
    /// A token was used.
    write fn token_touch(id: TokenId, at: Timestamp) -> ();
    /// A token is no longer valid. Tells whether it was until now.
    write fn token_revoke(id: TokenId, at: Timestamp) -> bool;
}

/// One transaction of the recorder. Dropped without a commit, it leaves nothing.
#[derive(Debug)]
pub struct Group(Transaction);

enum Transaction {
    Sqlite(Session<Sqlite>),
    Postgres(Session<Postgres>),
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Postgres(_) => "Postgres",
        })
    }
}

impl Group {
    /// Makes it last. After a failed step it refuses.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Transaction::Sqlite(session) => session.end().await,
            Transaction::Postgres(session) => session.end().await,
        }
    }
}

delegate_group! {
    /// Setups are spoken of: each name once. New ones appear with version 1,
    /// the versions of the others grow by one; that is also the lock on them.
    /// In no particular order.
    step fn setup_touch(touches: &[SetupTouch]) -> Vec<SetupTouched>;
    /// As [`Store::run_find`], in this transaction.
    step fn run_find(setup: SetupId, key: &RunKey) -> Option<RunRow>;
    /// As [`Store::run_load`], in this transaction.
    step fn run_load(id: RunId) -> Option<Run>;
    /// As [`Store::event_ids`], in this transaction.
    step fn event_ids(scope: Uuid) -> Vec<Uuid>;
    /// Keeps events in this order. Whether one is known already is for the
    /// caller to see, who has the ids at hand.
    step fn event_insert(rows: &[EventRow]) -> ();
    /// Keeps the ids by which events are known again.
    step fn ids_insert(rows: &[IdsRow]) -> ();
    /// What is known of some tests of a setup, as it was kept.
    step fn health_load(setup: SetupId, tests: &[TestId]) -> Vec<(TestId, Box<[u8]>)>;
    /// Forgets what is known of the tests of a setup.
    step fn health_clear(setup: SetupId) -> ();
    /// As [`Self::health_load`], of at most so many tests of a setup, in no
    /// particular order.
    step fn health_of_setup(setup: SetupId, limit: u32) -> Vec<(TestId, Box<[u8]>)>;
    /// The health of a setup as it was kept.
    step fn setup_health_get(setup: SetupId) -> Option<SetupHealthRow>;
    /// Writes the health of tests as it now is, each once.
    step fn health_save(rows: &[HealthRow]) -> ();
    /// Writes the health of setups as it now is, each once.
    step fn setup_health_save(rows: &[SetupHealthRow]) -> ();
    /// As [`Store::event_last`], in this transaction.
    step fn event_last() -> i64;
    /// The other tables now tell what the log tells up to this event.
    step fn log_mark_set(seq: i64) -> ();
    /// Writes runs as they now are, each once.
    step fn run_save(rows: &[RunRow]) -> ();
    /// Writes suites as they now are, each once.
    step fn suite_save(rows: &[SuiteRow]) -> ();
    /// Writes tests as they now are, each once.
    step fn test_save(rows: &[TestRow]) -> ();
    /// Writes texts; of several for one attempt the last.
    step fn text_save(rows: &[TextRow]) -> ();
    /// Writes what is known of launches of other protocols, each row once.
    step fn foreign_save(rows: &[ForeignRow]) -> ();
    /// Keeps scripts that are not there yet.
    step fn script_save(rows: &[ScriptRow]) -> ();
}
