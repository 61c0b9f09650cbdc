//! Where the store is.

use super::error::StoreError;
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where the store is: a file, or a PostgreSQL server.
#[derive(Clone)]
pub enum StoreUrl {
    /// The file of an embedded SQLite store.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

impl StoreUrl {
    /// Reads `sqlite:PATH`, `sqlite://PATH`, `postgres://…` or `postgresql://…`.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(refused("it has no scheme"));
        };
        match scheme {
            "sqlite" => sqlite_path(rest.strip_prefix("//").unwrap_or(rest)),
            "postgres" | "postgresql" => match PgConnectOptions::from_str(text) {
                Ok(options) => Ok(Self::Postgres(Box::new(options.application_name("holter")))),
                // The text is not repeated: it may hold a password.
                Err(error) => Err(StoreError::Unusable {
                    what: "the address of the PostgreSQL server cannot be read; write postgres://USER:PASSWORD@HOST:PORT/DATABASE".into(),
                    source: Some(error),
                }),
            },
            _ => Err(refused("its scheme is unknown")),
        }
    }
}

fn sqlite_path(path: &str) -> Result<StoreUrl, StoreError> {
    if path.is_empty() {
        return Err(refused("it names no file"));
    }
    // Writer and readers are separate connections: each would see a memory of its own.
    if path == ":memory:" {
        return Err(refused("a store in memory is not possible; name a file"));
    }
    if path.contains('?') {
        return Err(refused("a SQLite store takes no options after '?'"));
    }
    Ok(StoreUrl::Sqlite(path.into()))
}

fn refused(why: &str) -> StoreError {
    StoreError::unusable(format!(
        "the database URL is not usable: {why}; write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    ))
}

/// Without the password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or(options.get_username());
                write!(f, "postgres://{}:{}/{database}", options.get_host(), options.get_port())
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_decides() {
        for (text, shown) in [
            ("sqlite:data/holter.db", "sqlite:data/holter.db"),
            ("sqlite://data/holter.db", "sqlite:data/holter.db"),
            ("sqlite:///var/holter.db", "sqlite:/var/holter.db"),
            ("postgres://me:secret@db:5433/holter", "postgres://db:5433/holter"),
            ("postgresql://me:secret@db/holter", "postgres://db:5432/holter"),
        ] {
            let url = StoreUrl::parse(text).expect(text);
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("secret"));
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_way_out() {
        for text in ["", "holter.db", "mysql://x", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro"] {
            let error = StoreUrl::parse(text).expect_err(text);
            assert!(error.to_string().contains("write sqlite:PATH"), "{error}");
        }
        let error = StoreUrl::parse("postgres://me:secret@db:port/x").expect_err("a bad port");
        assert!(!format!("{error}").contains("secret"));
    }
}
