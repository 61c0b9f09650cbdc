//! The steps that make the tables: the same on both databases.

use server::store::migrations::{POSTGRES, SQLITE, Step};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

/// Table and column; the kind and whether it may be null.
type Columns = BTreeMap<(String, String), (String, bool)>;

fn files(database: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(database);
    let entries = std::fs::read_dir(folder).expect("the folder of the steps is there");
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("it can be listed").path();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        (path.file_stem().expect("it has a name").to_string_lossy().into_owned(), text)
    };
    entries.map(entry).collect()
}

#[test]
fn every_file_is_a_step_of_both_databases() {
    for (database, steps) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
        let known: BTreeMap<_, _> = steps.iter().map(|step| (step.name.to_owned(), step.text.to_owned())).collect();
        assert_eq!(files(database), known, "{database}: a file without a step, or a step without a file");
        for (step, number) in steps.iter().zip(1..) {
            assert_eq!(step.number, number, "steps are numbered without a gap");
            assert!(step.name.starts_with(&format!("{number:04}_")), "{} begins with its number", step.name);
        }
    }
    assert_eq!(files("sqlite").keys().collect::<Vec<_>>(), files("postgres").keys().collect::<Vec<_>>());
}

/// The tables after each step.
async fn sqlite_columns() -> Vec<Columns> {
    let mut db = sqlx::SqliteConnection::connect("sqlite::memory:").await.expect("opens");
    let mut all = Vec::new();
    for Step { name, text, .. } in SQLITE {
        sqlx::raw_sql(*text).execute(&mut db).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = db
            .fetch_all(
                "select t.name as table_name, t.strict as strict, c.name as column_name, lower(c.type) as kind, \
                 c.\"notnull\" as present from pragma_table_list t join pragma_table_info(t.name) c \
                 where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'",
            )
            .await
            .expect("lists");
        let column = |row: &sqlx::sqlite::SqliteRow| {
            let table: String = row.get("table_name");
            assert!(row.get::<bool, _>("strict"), "the table {table} is not strict");
            ((table, row.get("column_name")), (row.get("kind"), row.get::<bool, _>("present")))
        };
        all.push(rows.iter().map(column).collect());
    }
    all
}

async fn postgres_columns(db: &mut sqlx::PgConnection) -> Vec<Columns> {
    let mut all = Vec::new();
    for Step { name, text, .. } in POSTGRES {
        sqlx::raw_sql(*text).execute(&mut *db).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = db
            .fetch_all(
                "select cast(table_name as text) as table_name, cast(column_name as text) as column_name, \
                 cast(data_type as text) as kind, is_nullable = 'NO' as present \
                 from information_schema.columns where table_schema = current_schema()",
            )
            .await
            .expect("lists");
        let column = |row: &sqlx::postgres::PgRow| {
            ((row.get("table_name"), row.get("column_name")), (row.get("kind"), row.get("present")))
        };
        all.push(rows.iter().map(column).collect());
    }
    all
}

/// What SQLite calls a type of PostgreSQL.
fn on_sqlite(kind: &str) -> &'static str {
    match kind {
        "uuid" | "bytea" => "blob",
        "bigint" | "boolean" => "integer",
        "text" | "jsonb" => "text",
        "double precision" => "real",
        other => panic!("{other} has no counterpart in SQLite; think of one before it is used"),
    }
}

#[tokio::test]
async fn both_databases_have_the_same_tables_after_each_step() {
    let sqlite = sqlite_columns().await;
    assert!(sqlite.last().is_some_and(|columns| columns.len() > 60));
    #[allow(clippy::disallowed_methods, reason = "the test run says where its PostgreSQL is")]
    let Ok(server) = std::env::var("HOLTER_TEST_POSTGRES") else {
        eprintln!("HOLTER_TEST_POSTGRES is not set: PostgreSQL is left out");
        return;
    };
    let options = sqlx::postgres::PgConnectOptions::from_str(&server).expect("HOLTER_TEST_POSTGRES is a URL");
    let mut db = sqlx::PgConnection::connect_with(&options).await.expect("the server answers");
    let schema = format!("holter_{}", uuid::Uuid::new_v4().simple());
    let enter = format!("create schema {schema}; set search_path to {schema}");
    sqlx::raw_sql(AssertSqlSafe(enter)).execute(&mut db).await.expect("may create a schema");
    let mut postgres = postgres_columns(&mut db).await;
    let leave = format!("drop schema {schema} cascade");
    sqlx::raw_sql(AssertSqlSafe(leave)).execute(&mut db).await.expect("may drop it");

    for columns in &mut postgres {
        columns.values_mut().for_each(|(kind, _)| *kind = on_sqlite(kind).into());
    }
    for ((sqlite, postgres), step) in sqlite.iter().zip(&postgres).zip(SQLITE) {
        let differing: BTreeSet<_> = sqlite.keys().chain(postgres.keys()).collect();
        let differing: Vec<_> = differing
            .into_iter()
            .filter(|column| sqlite.get(column) != postgres.get(column))
            .map(|column| (column, sqlite.get(column), postgres.get(column)))
            .collect();
        assert!(differing.is_empty(), "{}: column, SQLite, PostgreSQL: {differing:#?}", step.name);
    }
}
