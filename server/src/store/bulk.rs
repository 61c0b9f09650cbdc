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

use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use std::fmt::Write;

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

pub(super) fn texts(table: &str, columns: &[(&str, &str)], on_conflict: &OnConflict) -> Texts {
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
            pub(in crate::store) struct $Name;

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

        /// The bulk writes of this room by their names.
        pub(in crate::store) fn bulk() -> Vec<(&'static str, &'static Texts)> {
            vec![$(($Name::NAME, $Name::texts())),*]
        }
    };
}
pub(in crate::store) use bulk;
