//! Many rows in one statement.
//!
//! A table's columns and what happens to a row that is already there are said
//! once, in [`bulk!`]; both texts and both ways to bind follow from it.
//!
//! - PostgreSQL takes one array a column: one text and one round trip for any
//!   number of rows.
//! - SQLite takes `values` with a row of `?` each. Its statements are prepared
//!   once a length, so lengths are powers of two: any number of rows is at
//!   most a handful of statements, all of them from the cache. The `?` have no
//!   numbers because SQLite looks numbered ones up in a list, one by one.

use super::detail::{SuiteDetail, TestDetail};
use super::rows::*;
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::types::Json;
use std::fmt::Write;
use std::sync::LazyLock;

/// The most rows in one SQLite statement, as a power of two. More would gain
/// little and keep a larger program and its parameters in memory.
pub(super) const MOST_ROWS_LOG2: u32 = 7;

/// What becomes of a row that is already there.
pub(super) enum OnConflict {
    /// The old one stays.
    Keep(&'static str),
    /// These columns are written anew.
    Replace(&'static str, &'static [&'static str]),
    /// As said; `{joined}` stands for two JSON objects joined into one.
    Say(&'static str),
    /// There never is one.
    Never,
}

/// The texts of one bulk write.
pub(super) struct Texts {
    /// One text.
    pub postgres: &'static str,
    /// For 1, 2, 4 … rows.
    pub sqlite: Vec<&'static str>,
}

/// A statement that writes many rows at once.
pub(super) trait Bulk {
    /// A row of it.
    type Row: Sync;

    /// What it is called.
    const NAME: &'static str;

    /// Its texts, made once for as long as the program runs.
    fn texts() -> &'static Texts;

    /// All values, row by row.
    fn for_sqlite(rows: &[Self::Row]) -> Result<SqliteArguments, BoxDynError>;

    /// All values, column by column.
    fn for_postgres(rows: &[Self::Row]) -> Result<PgArguments, BoxDynError>;
}

fn texts(table: &str, columns: &[(&str, &str)], on_conflict: &OnConflict) -> Texts {
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let tail = match on_conflict {
        OnConflict::Keep(key) => format!("on conflict {key} do nothing"),
        OnConflict::Replace(key, columns) => {
            let set = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
            format!("on conflict {key} do update set {set}")
        }
        OnConflict::Say(text) => (*text).into(),
        OnConflict::Never => String::new(),
    };
    let mut arrays = String::new();
    for ((_, kind), number) in columns.iter().zip(1..) {
        let comma = if number == 1 { "" } else { ", " };
        let _ = write!(arrays, "{comma}cast(${number} as {kind}[])");
    }
    let postgres = format!(
        "insert into {table} ({names}) select * from unnest({arrays}) {}",
        tail.replace("{joined}", super::postgres::JOINED)
    );
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    let sqlite = (0..=MOST_ROWS_LOG2).map(|log2| {
        let rows = vec![row.as_str(); 1 << log2].join(",");
        leak(format!("insert into {table} ({names}) values {rows} {}", tail.replace("{joined}", super::sqlite::JOINED)))
    });
    Texts { sqlite: sqlite.collect(), postgres: leak(postgres) }
}

/// The drivers want texts that live as long as the program; these do.
fn leak(text: String) -> &'static str {
    text.leak()
}

macro_rules! bulk {
    ($($(#[$doc:meta])* $Name:ident: $Row:ty => $table:literal |$row:ident| {
        $($column:literal $kind:literal = $value:expr;)*
    } $on_conflict:expr;)*) => {
        $(
            $(#[$doc])*
            pub(super) struct $Name;

            impl Bulk for $Name {
                type Row = $Row;

                const NAME: &'static str = stringify!($Name);

                fn texts() -> &'static Texts {
                    static TEXTS: LazyLock<Texts> =
                        LazyLock::new(|| texts($table, &[$(($column, $kind)),*], &$on_conflict));
                    &TEXTS
                }

                fn for_sqlite(rows: &[$Row]) -> Result<SqliteArguments, BoxDynError> {
                    const COLUMNS: usize = [$($column),*].len();
                    let mut arguments = SqliteArguments::default();
                    arguments.reserve(rows.len() * COLUMNS, 0);
                    for $row in rows {
                        $(arguments.add($value)?;)*
                    }
                    Ok(arguments)
                }

                fn for_postgres(rows: &[$Row]) -> Result<PgArguments, BoxDynError> {
                    let mut arguments = PgArguments::default();
                    $(arguments.add(rows.iter().map(|$row| { let _ = $row; $value }).collect::<Vec<_>>())?;)*
                    Ok(arguments)
                }
            }
        )*

        /// Every bulk write by its name.
        pub(super) fn all() -> Vec<(&'static str, &'static Texts)> {
            vec![$(($Name::NAME, $Name::texts())),*]
        }
    };
}

bulk! {
    /// Setups are spoken of: new ones appear, versions grow.
    SetupsTouch: SetupTouch => "setups" |row| {
        "id" "uuid" = row.id.0;
        "name" "text" = row.name.as_str();
        "version" "bigint" = 1_i64;
        "created_at" "bigint" = row.now.0;
        "heard_at" "bigint" = row.heard_at.map(|at| at.0);
        "attributes" "jsonb" = row.attributes.as_ref().map_or(Json(&NO_ATTRIBUTES), Json);
    } OnConflict::Say(
        "on conflict (name) do update set version = setups.version + 1, \
         heard_at = case when setups.heard_at is null or excluded.heard_at > setups.heard_at \
         then excluded.heard_at else setups.heard_at end, \
         attributes = {joined} returning id, name, version"
    );

    /// Runs as they now are.
    RunsSave: RunRow => "runs" |row| {
        "id" "uuid" = row.id.0;
        "setup_id" "uuid" = row.setup.0;
        "key" "text" = row.key.as_str();
        "project" "text" = row.project.as_str();
        "state" "text" = row.state.as_str();
        "result" "text" = row.result.map(|result| result.as_str());
        "unfinished_as" "text" = row.unfinished_as().map(|outcome| outcome.as_str());
        "counts" "jsonb" = Json(&row.counts);
        "facts" "jsonb" = Json(&row.facts);
        "started_at" "bigint" = row.started_at.map(|at| at.0);
        "finished_at" "bigint" = row.finished_at.map(|at| at.0);
        "heard_at" "bigint" = row.heard_at.map(|at| at.0);
        "created_at" "bigint" = row.created_at.0;
        "branch" "text" = row.branch.as_deref();
        "commit_id" "text" = row.commit.as_deref();
        "name" "text" = row.name.as_deref();
        "version" "bigint" = row.version;
    } OnConflict::Replace("(id)", &[
        "project", "state", "result", "unfinished_as", "counts", "facts", "started_at", "finished_at", "heard_at",
        "branch", "commit_id", "name", "version",
    ]);

    /// Suites as they now are.
    SuitesSave: SuiteRow => "suites" |row| {
        "run_id" "uuid" = row.run.0;
        "ordinal" "bigint" = i64::from(row.ordinal);
        "suite_id" "uuid" = row.id.0;
        "setup_id" "uuid" = row.setup.0;
        "path" "jsonb" = Json(&row.suite.path);
        "position" "bigint" = row.suite.position.map(i64::from);
        "started_at" "bigint" = row.suite.started.map(|at| at.0);
        "finished_at" "bigint" = row.suite.finished.as_ref().map(|finish| finish.at.0);
        "duration" "bigint" = row.suite.duration().map(|length| length.0);
        "detail" "jsonb" = Json(SuiteDetail::of(&row.suite));
        "version" "bigint" = row.version;
    } OnConflict::Replace("(run_id, ordinal)", &[
        "suite_id", "position", "started_at", "finished_at", "duration", "detail", "version",
    ]);

    /// Tests as they now are.
    TestsSave: TestRow => "tests" |row| {
        "run_id" "uuid" = row.run.0;
        "ordinal" "bigint" = i64::from(row.ordinal);
        "test_id" "uuid" = row.test.id.0;
        "setup_id" "uuid" = row.setup.0;
        "suite" "bigint" = i64::from(row.test.suite);
        "name" "text" = &*row.test.name;
        "parameters" "text" = row.test.parameters.as_deref();
        "outcome" "text" = row.test.outcome().as_str();
        "position" "bigint" = row.test.position.map(i64::from);
        "began_at" "bigint" = row.test.began().map(|at| at.0);
        "finished_at" "bigint" = row.finished_at().map(|at| at.0);
        "duration" "bigint" = row.test.duration().map(|length| length.0);
        "attempts" "jsonb" = Json(&row.test.attempts);
        "detail" "jsonb" = TestDetail::of(&row.test).map(Json);
        "version" "bigint" = row.version;
    } OnConflict::Replace("(run_id, ordinal)", &[
        "test_id", "outcome", "position", "began_at", "finished_at", "duration", "attempts", "detail", "version",
    ]);

    /// Texts as they now are.
    TextsSave: TextRow => "texts" |row| {
        "run_id" "uuid" = row.run.0;
        "ordinal" "bigint" = i64::from(row.ordinal);
        "attempt" "bigint" = i64::from(row.attempt);
        "message" "text" = row.message.as_deref();
        "trace" "text" = row.trace.as_deref();
    } OnConflict::Replace("(run_id, ordinal, attempt)", &["message", "trace"]);

    /// Scripts; the same text has the same id.
    ScriptsSave: ScriptRow => "scripts" |row| {
        "id" "uuid" = row.id.0;
        "body" "text" = &*row.body;
    } OnConflict::Keep("(id)");

    /// Events in the order of their arrival.
    EventsInsert: EventRow => "events" |row| {
        "event_id" "uuid" = row.event.map(|id| id.0);
        "setup_id" "uuid" = row.setup.0;
        "run_id" "uuid" = row.run.map(|id| id.0);
        "kind" "text" = &*row.kind;
        "at" "bigint" = row.at.0;
        "received_at" "bigint" = row.received_at.0;
        "late" "boolean" = row.late;
        "project" "text" = row.project.as_ref().map(|project| project.as_str());
        "delay" "bigint" = row.delay.map(|delay| delay.0);
        "body" "text" = &*row.body;
    } OnConflict::Never;

    /// Ids by which events are known again.
    IdsInsert: IdsRow => "event_ids" |row| {
        "scope" "uuid" = row.scope;
        "seq" "bigint" = row.seq;
        "ids" "bytea" = &*row.ids;
    } OnConflict::Never;

    /// The health of tests as it now is.
    HealthSave: HealthRow => "health" |row| {
        "setup_id" "uuid" = row.setup.0;
        "test_id" "uuid" = row.test.0;
        "label" "text" = row.label.as_str();
        "p_flaky" "double precision" = row.p_flaky;
        "p_broken" "double precision" = row.p_broken;
        "phi" "double precision" = row.phi;
        "results" "bigint" = i64::from(row.results);
        "failures" "bigint" = i64::from(row.failures);
        "last_at" "bigint" = row.last_at.map(|at| at.0);
        "model" "bigint" = i64::from(row.model);
        "state" "bytea" = &*row.state;
    } OnConflict::Replace("(setup_id, test_id)", &[
        "label", "p_flaky", "p_broken", "phi", "results", "failures", "last_at", "model", "state",
    ]);

    /// The health of setups as it now is.
    SetupHealthSave: SetupHealthRow => "setup_health" |row| {
        "setup_id" "uuid" = row.setup.0;
        "model" "bigint" = i64::from(row.model);
        "base" "bytea" = &*row.base;
        "sums" "bytea" = &*row.sums;
    } OnConflict::Replace("(setup_id)", &["model", "base", "sums"]);

    /// Launches of other protocols as they now are.
    ForeignSave: ForeignRow => "foreign_items" |row| {
        "project" "text" = &*row.project;
        "launch" "text" = &*row.launch;
        "item" "text" = &*row.item;
        "at" "bigint" = row.at.0;
        "body" "text" = &*row.body;
    } OnConflict::Replace("(project, launch, item)", &["at", "body"]);
}

static NO_ATTRIBUTES: Attributes = Attributes::new();
