//! The ceiling of batches: the rows that Holter wrote, inserted by nothing but
//! multi-row inserts.
//!
//! The tables, with their keys and indices, are those of Holter's database; the
//! rows are the ones found in it; connection, pragmas and the lengths of the
//! prepared statements are Holter's too. Rows that Holter wrote several times
//! over, as a run or a test went on, are inserted once: the ceiling is higher
//! than it would be for the same writes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, Column, ConnectOptions, Connection, Row, SqliteConnection, TypeInfo, ValueRef};

/// Parents before children, as foreign keys want it.
const TABLES: [&str; 10] =
    ["setups", "runs", "suites", "tests", "texts", "scripts", "events", "event_ids", "health", "setup_health"];

/// Few, and others point at them: they all go first.
const FIRST: [&str; 2] = ["setups", "runs"];

/// Rows in the longest statement, as a power of two.
const MOST_ROWS_LOG2: u32 = 7;

/// A value in a row.
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Box<str>),
    Blob(Box<[u8]>),
}

/// A table's rows.
struct Table {
    name: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
    /// For 1, 2, 4 … rows.
    inserts: Vec<Arc<str>>,
}

/// What Holter wrote.
pub struct Recorded {
    schema: Vec<String>,
    tables: Vec<Table>,
}

/// Which of the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those of the event log alone.
    Events,
}

impl Recorded {
    /// Reads the database of a Holter that has stopped.
    pub async fn read(database: &Path) -> Result<Self> {
        let mut db = SqliteConnectOptions::new().filename(database).read_only(true).connect().await?;
        let schema = "select sql from sqlite_master where sql is not null and name not like 'sqlite%' \
                      and tbl_name not like '\\_sqlx%' escape '\\' order by type = 'index'";
        let schema = sqlx::query_scalar(schema).fetch_all(&mut db).await?;
        let mut tables = Vec::new();
        for name in TABLES {
            let order = match name {
                "suites" | "tests" => "run_id, ordinal",
                "event_ids" => "scope, seq",
                "health" => "setup_id, test_id",
                "setup_health" => "setup_id",
                _ => "rowid",
            };
            let ordered = format!("select * from {name} order by {order}");
            let rows = sqlx::query(AssertSqlSafe(ordered)).fetch_all(&mut db).await?;
            tables.push(Table::of(name, rows)?);
        }
        db.close().await?;
        Ok(Self { schema, tables })
    }

    /// How many rows, by table.
    pub fn counts(&self) -> String {
        let counts: Vec<_> = self.tables.iter().filter(|table| !table.rows.is_empty()).collect();
        counts.iter().map(|table| format!("{} {}", table.rows.len(), table.name)).collect::<Vec<_>>().join(", ")
    }

    /// Rows of the event log.
    pub fn events(&self) -> usize {
        self.tables.iter().filter(|table| table.name == "events").map(|table| table.rows.len()).sum()
    }

    /// Inserts the rows into a new database in so many transactions, and says
    /// how long it took.
    pub async fn insert(&self, which: Which, transactions: usize, folder: &Path) -> Result<Duration> {
        let file = folder.join("bare.db");
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options(&file)).await?;
        let mut db = pool.acquire().await?;
        for statement in &self.schema {
            sqlx::raw_sql(AssertSqlSafe(statement.as_str())).execute(&mut *db).await?;
        }
        let begin = Instant::now();
        for number in 0..transactions {
            let mut group = db.begin_with("begin immediate").await?;
            for table in &self.tables {
                for rows in table.share(which, number, transactions).chunks_by_powers() {
                    table.insert(&mut group, rows).await?;
                }
            }
            group.commit().await?;
        }
        let took = begin.elapsed();
        drop(db);
        pool.close().await;
        std::fs::remove_file(&file)?;
        Ok(took)
    }
}

/// The writer's options, as Holter sets them.
fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .statement_cache_capacity(128)
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging()
}

impl Table {
    fn of(name: &'static str, found: Vec<SqliteRow>) -> Result<Self> {
        let columns = found.first().map_or_else(Vec::new, |row| row.columns().to_vec());
        // The number of an event is given by the database, to Holter as to us.
        let given = if name == "events" { "seq" } else { "" };
        let kept: Vec<_> = columns.iter().enumerate().filter(|(_, column)| column.name() != given).collect();
        let columns: Vec<String> = kept.iter().map(|(_, column)| column.name().to_owned()).collect();
        let places: Vec<usize> = kept.iter().map(|(place, _)| *place).collect();
        let rows = found.iter().map(|row| places.iter().map(|place| cell(row, *place)).collect());
        let rows = rows.collect::<Result<_>>()?;
        let row = format!("({})", vec!["?"; columns.len()].join(","));
        let names = columns.join(", ");
        let insert = |log2: u32| {
            let rows = vec![row.as_str(); 1 << log2].join(",");
            format!("insert into {name} ({names}) values {rows}").into()
        };
        Ok(Self { name, rows, inserts: (0..=MOST_ROWS_LOG2).map(insert).collect(), columns })
    }

    /// The rows that one transaction of several writes.
    fn share(&self, which: Which, number: usize, transactions: usize) -> Share<'_> {
        let is_left_out = which == Which::Events && self.name != "events";
        let rows = self.rows.len();
        let range = match (is_left_out, FIRST.contains(&self.name), number) {
            (true, ..) => 0..0,
            (_, true, 0) => 0..rows,
            (_, true, _) => 0..0,
            _ => rows * number / transactions..rows * (number + 1) / transactions,
        };
        Share(&self.rows[range])
    }

    /// Inserts as many rows as there is a statement for.
    async fn insert(&self, db: &mut SqliteConnection, rows: &[Vec<Cell>]) -> Result<()> {
        let mut values = SqliteArguments::default();
        values.reserve(rows.len() * self.columns.len(), 0);
        for cell in rows.iter().flatten() {
            let added = match cell {
                Cell::Null => values.add(None::<i64>),
                Cell::Integer(value) => values.add(*value),
                Cell::Real(value) => values.add(*value),
                Cell::Text(value) => values.add(&**value),
                Cell::Blob(value) => values.add(&**value),
            };
            added.map_err(|error| anyhow!("a value cannot be bound: {error}"))?;
        }
        let text = self.inserts[rows.len().ilog2() as usize].clone();
        sqlx::query_with(AssertSqlSafe(text), values).execute(db).await?;
        Ok(())
    }
}

/// Rows of one transaction.
struct Share<'a>(&'a [Vec<Cell>]);

impl<'a> Share<'a> {
    /// In pieces that are powers of two long, the longest first.
    fn chunks_by_powers(self) -> impl Iterator<Item = &'a [Vec<Cell>]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let log2 = rest.len().checked_ilog2()?.min(MOST_ROWS_LOG2);
            let (now, later) = rest.split_at(1 << log2);
            rest = later;
            Some(now)
        })
    }
}

fn cell(row: &SqliteRow, place: usize) -> Result<Cell> {
    let raw = row.try_get_raw(place)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let kind = raw.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INTEGER" => Cell::Integer(row.try_get_unchecked(place)?),
        "REAL" => Cell::Real(row.try_get_unchecked(place)?),
        "TEXT" => Cell::Text(row.try_get_unchecked::<String, _>(place)?.into()),
        "BLOB" => Cell::Blob(row.try_get_unchecked::<Vec<u8>, _>(place)?.into()),
        other => return Err(anyhow!("a column holds a {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = include_str!("../../migrations/sqlite/0001_first.sql");

    const ROWS: &str = "
        insert into setups values (x'01', 'bench', 1, 1, null, '{}');
        insert into runs (id, setup_id, key, project, state, counts, facts, created_at, version)
            values (x'02', x'01', 'k', 'default', 'running', '{}', '{}', 1, 1);
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 300)
            insert into events (event_id, setup_id, run_id, kind, at, received_at, late, body)
            select cast(i as blob), x'01', x'02', 'log', i, i, 0, '{}' from n;
        insert into event_ids values (x'02', 300, x'00');
    ";

    #[tokio::test]
    async fn every_row_that_is_found_is_inserted_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("holter.db");
        let mut db = options(&file).connect().await.expect("opens");
        for text in [SCHEMA, ROWS] {
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut db).await.expect("is valid");
        }
        db.close().await.expect("closes");
        let recorded = Recorded::read(&file).await.expect("reads");
        assert_eq!((recorded.counts().as_str(), recorded.events()), ("1 setups, 1 runs, 300 events, 1 event_ids", 300));
        for which in [Which::All, Which::Events] {
            recorded.insert(which, 7, folder.path()).await.expect("inserts");
        }
    }

    #[test]
    fn shares_cover_all_rows_in_lengths_that_are_powers_of_two() {
        let rows: Vec<_> = (0..300).map(|number| vec![Cell::Integer(number)]).collect();
        let lengths: Vec<_> = Share(&rows).chunks_by_powers().map(<[_]>::len).collect();
        assert_eq!(lengths, [128, 128, 32, 8, 4]);
    }
}
