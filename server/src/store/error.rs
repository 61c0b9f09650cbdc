//! What may go wrong in the store.

use super::sql::constraint;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;
use thiserror::Error;

/// A failure of the store. Absence is no failure: it is `Option`.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot serve right now and may heal: try again.
    #[error("the store cannot serve right now: {reason}")]
    Busy {
        /// What is in the way.
        reason: &'static str,
        /// As the driver put it.
        #[source]
        source: sqlx::Error,
    },
    /// A rule of the tables stands against it.
    #[error("the constraint {constraint} does not hold")]
    Conflict {
        /// Its name, see [`constraint`].
        constraint: Box<str>,
    },
    /// A row cannot be read.
    #[error("{table} {id}: column {column} cannot be read: {reason}")]
    Corrupt {
        /// In which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// Which row.
        id: String,
        /// Why.
        reason: String,
    },
    /// It cannot be used like this; the text says what to do.
    #[error("{what}")]
    Unusable {
        /// What is wrong and what to do.
        what: String,
        /// As the driver put it.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// The tables could not be brought up to date.
    #[error("{what}")]
    Migration {
        /// What is wrong and what to do.
        what: &'static str,
        /// As the driver put it.
        #[source]
        source: MigrateError,
    },
    /// Anything else.
    #[error("the database refused a statement")]
    Driver(#[source] sqlx::Error),
}

impl StoreError {
    /// It cannot be used like this.
    pub(super) fn unusable(what: impl Into<String>) -> Self {
        Self::Unusable { what: what.into(), source: None }
    }

    /// It may heal: the caller may try again.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// A rule of the tables stands against it: which one.
    pub fn conflict(&self) -> Option<&str> {
        match self {
            Self::Conflict { constraint } => Some(constraint),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                if let Some(reason) = passing(&**database) {
                    return Self::Busy { reason, source: error };
                }
                match constraint_of(&**database) {
                    Some(constraint) => Self::Conflict { constraint: constraint.into() },
                    None => Self::Driver(error),
                }
            }
            sqlx::Error::PoolTimedOut => Self::Busy { reason: "every connection is in use", source: error },
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                Self::Busy { reason: "the database is out of reach", source: error }
            }
            sqlx::Error::PoolClosed => Self::Busy { reason: "the store is closing", source: error },
            _ => Self::Driver(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        let what = match error {
            MigrateError::Execute(error) => return error.into(),
            MigrateError::ExecuteMigration(sqlx::Error::Database(error), _) if passing(&*error).is_some() => {
                return sqlx::Error::Database(error).into();
            }
            MigrateError::VersionMissing(_) | MigrateError::VersionTooOld(..) => {
                "the database was written by a newer version of this program; install that version, or restore a backup"
            }
            MigrateError::VersionMismatch(_) => {
                "the tables were made by another build of this program; restore a backup, or start with an empty database"
            }
            _ => "the tables could not be brought up to date; the database is as it was before",
        };
        Self::Migration { what, source: error }
    }
}

/// The primary result code of SQLite; the extended one is in the upper bits.
pub(super) fn sqlite_code(error: &dyn DatabaseError) -> Option<i32> {
    error.try_downcast_ref::<SqliteError>()?;
    Some(error.code()?.parse::<i32>().ok()? & 0xff)
}

fn passing(error: &dyn DatabaseError) -> Option<&'static str> {
    if let Some(code) = sqlite_code(error) {
        return match code {
            5 | 6 => Some("the database file is locked"),
            8 => Some("the database file is read-only"),
            10 => Some("the database file could not be read or written"),
            13 => Some("the disk is full"),
            14 => Some("the database file could not be opened"),
            _ => None,
        };
    }
    let code = error.try_downcast_ref::<PgDatabaseError>()?.code();
    match code {
        "25006" => Some("the server is a read-only replica"),
        "40001" | "40P01" | "55P03" => Some("another transaction is in the way"),
        "53100" => Some("the disk is full"),
        "58030" => Some("the server could not read or write"),
        _ if code.starts_with("08") || code.starts_with("57P") => Some("the database is out of reach"),
        _ if code.starts_with("53") => Some("the server is short of resources"),
        _ => None,
    }
}

fn constraint_of(error: &dyn DatabaseError) -> Option<&str> {
    if error.try_downcast_ref::<SqliteError>().is_none() {
        return error.constraint();
    }
    if sqlite_code(error)? != 19 {
        return None;
    }
    // SQLite names the columns, not the constraint.
    let columns = error.message().split_once(": ").map_or(constraint::REFERENCE, |(_, columns)| columns);
    Some(constraint::BY_COLUMNS.iter().find(|(of, _)| *of == columns).map_or(columns, |(_, name)| name))
}
