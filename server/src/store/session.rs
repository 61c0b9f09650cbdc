//! A connection for a while, with or without a transaction.

use super::error::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, Pool};

/// A connection from a pool.
///
/// A transaction that does not come to its commit takes its connection with
/// it. The driver's own transaction would roll back and keep the connection,
/// but SQLite may already have rolled back by itself (a full disk, an I/O
/// error); the driver then counts one transaction too many for ever, and a pool
/// of one writer would never write again.
pub(super) struct Session<Db: Database> {
    db: PoolConnection<Db>,
    in_transaction: bool,
    has_failed: bool,
}

impl<Db: Database> Session<Db>
where
    for<'c> &'c mut Db::Connection: Executor<'c, Database = Db>,
{
    /// Each statement for itself.
    pub(super) async fn of(pool: &Pool<Db>) -> Result<Self, StoreError> {
        Ok(Self { db: pool.acquire().await?, in_transaction: false, has_failed: false })
    }

    /// All statements or none; `begin` may also take a lock.
    pub(super) async fn begin(pool: &Pool<Db>, begin: &'static str) -> Result<Self, StoreError> {
        let mut session = Self::of(pool).await?;
        session.in_transaction = true;
        sqlx::raw_sql(begin).execute(&mut *session.db).await?;
        Ok(session)
    }

    /// The connection.
    pub(super) fn db(&mut self) -> &mut Db::Connection {
        &mut self.db
    }

    /// Passes a result on and keeps in mind that it was a failure: what was
    /// written before it must not stand alone.
    pub(super) fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.has_failed |= result.is_err();
        result
    }

    /// Commits, where there is something to commit.
    pub(super) async fn end(mut self) -> Result<(), StoreError> {
        if self.has_failed {
            return Err(StoreError::unusable("a statement of this group failed, so nothing of it was written"));
        }
        if self.in_transaction {
            sqlx::raw_sql("commit").execute(&mut *self.db).await?;
            self.in_transaction = false;
        }
        Ok(())
    }
}

impl<Db: Database> Drop for Session<Db> {
    fn drop(&mut self) {
        if self.in_transaction {
            self.db.close_on_drop();
        }
    }
}
