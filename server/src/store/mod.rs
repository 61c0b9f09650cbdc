//! What is kept: setups, runs, results, texts, events and tokens.
//!
//! Two databases, one text. [`Store`] is a closed choice between an embedded
//! SQLite file and a PostgreSQL server. `tables` has a room a kind of thing:
//! its statements (written as `sql` and `bulk` say), and the one body around
//! them, which is expanded for each driver, so the drivers' own types (uuid,
//! jsonb, bigint) are used on both sides without boxing. What the databases say
//! differently is listed in `sqlite` and `postgres`.
//!
//! It is not a repository trait: there is no third implementation, and tests
//! use a real file. It is not sqlx's `Any` either, which knows neither uuid
//! nor jsonb. The compiler does not check SQL against the tables; the contract
//! test prepares every statement on both databases instead.
//!
//! Writing goes through a [`Group`]: one transaction, one statement a table.
//! SQLite has one connection that writes, and its queue is the backpressure;
//! readers have connections of their own and never wait for it.

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
mod tables;
mod url;

pub use error::StoreError;
pub use postgres::PgStore;
pub use sqlite::SqliteStore;
pub use url::StoreUrl;

use session::Session;
use sqlx::{Postgres, Sqlite};
use std::path::Path;

const PING: &str = "select 1";

/// The store. Cheap to clone: clones share their connections.
#[derive(Clone, Debug)]
pub enum Store {
    /// In a file.
    Sqlite(SqliteStore),
    /// On a server.
    Postgres(PgStore),
}

/// Methods of [`Store`] that take a session and call the body. The first word
/// says which: `read`, `snapshot` (one view for several statements), `write`, or
/// `whole` (several statements that are written together or not at all).
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
use delegate;

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
use delegate_group;

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

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => sqlx::query(PING).fetch_one(store.read().await?.db()).await.map(drop)?,
            Self::Postgres(store) => sqlx::query(PING).fetch_one(store.read().await?.db()).await.map(drop)?,
        }
        Ok(())
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
        let (mut all, bulk) = (tables::statements(), tables::bulk_writes());
        match self {
            Self::Sqlite(_) => {
                all.extend(sqlite::OWN);
                all.extend(bulk.iter().flat_map(|(name, texts)| texts.sqlite.iter().map(|text| (*name, *text))));
            }
            Self::Postgres(_) => {
                all.extend(postgres::OWN);
                all.extend(bulk.iter().map(|(name, texts)| (*name, texts.postgres)));
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

    /// Copies what was written last from a file's log into the file, beside
    /// whoever reads and writes. A server of PostgreSQL does so itself.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.checkpoint().await,
            Self::Postgres(_) => Ok(()),
        }
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
