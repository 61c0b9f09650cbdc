//! A database of its own for each contract.

use server::store::{Store, StoreUrl};
use sqlx::{AssertSqlSafe, Connection, Executor, SqlSafeStr};
use std::future::Future;
use std::str::FromStr;
use uuid::Uuid;

/// Where a contract is tried: the store, and a way round it.
#[derive(Clone)]
pub struct Place {
    /// The store.
    pub store: Store,
    /// Where it is.
    pub url: StoreUrl,
}

impl Place {
    /// Does something that the store would never do.
    pub async fn meddle(&self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        match &self.url {
            StoreUrl::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut db = sqlx::SqliteConnection::connect_with(&options).await.expect("the file opens");
                sqlx::raw_sql(sql).execute(&mut db).await.expect("the statement is right");
                db.close().await.expect("it closes");
            }
            StoreUrl::Postgres(options) => {
                let mut db = sqlx::PgConnection::connect_with(options).await.expect("the server answers");
                sqlx::raw_sql(sql).execute(&mut db).await.expect("the statement is right");
                db.close().await.expect("it closes");
            }
        }
    }

    pub async fn prepare(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let statements = self.store.statements();
        assert!(statements.len() > 30);
        for (name, text) in statements {
            let text = text.into_sql_str();
            let prepared = match &self.url {
                StoreUrl::Sqlite(path) => {
                    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                    let mut db = sqlx::SqliteConnection::connect_with(&options).await.expect("the file opens");
                    (&mut db).prepare(text).await.map(drop)
                }
                StoreUrl::Postgres(options) => {
                    let mut db = sqlx::PgConnection::connect_with(options).await.expect("the server answers");
                    (&mut db).prepare(text).await.map(drop)
                }
            };
            faults.extend(prepared.err().map(|error| format!("{name}: {error}")));
        }
        faults
    }
}

pub async fn on_sqlite<F: Future<Output = ()>>(contract: impl FnOnce(Place) -> F) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let url = StoreUrl::Sqlite(folder.path().join("new/holter.db"));
    let store = Store::open(&url).await.expect("a new file opens");
    contract(Place { store: store.clone(), url }).await;
    store.close().await;
}

pub async fn on_postgres<F: Future<Output = ()> + Send + 'static>(contract: impl FnOnce(Place) -> F) {
    #[allow(clippy::disallowed_methods, reason = "the test run says where its PostgreSQL is")]
    let Ok(server) = std::env::var("HOLTER_TEST_POSTGRES") else {
        eprintln!("HOLTER_TEST_POSTGRES is not set: PostgreSQL is left out");
        return;
    };
    let options = sqlx::postgres::PgConnectOptions::from_str(&server).expect("HOLTER_TEST_POSTGRES is a URL");
    let mut admin = sqlx::PgConnection::connect_with(&options).await.expect("the server answers");
    let name = format!("holter_{}", Uuid::new_v4().simple());
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await.expect("may create databases");
    let url = StoreUrl::Postgres(Box::new(options.database(&name)));
    let store = Store::open(&url).await.expect("a new database opens");
    let done = tokio::spawn(contract(Place { store: store.clone(), url })).await;
    store.close().await;
    admin.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await.expect("may drop databases");
    if let Err(failed) = done {
        std::panic::resume_unwind(failed.into_panic());
    }
}
