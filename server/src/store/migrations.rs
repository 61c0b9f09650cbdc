//! The tables, step by step, in the program itself.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// One step for one database.
pub struct Step {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// The SQL.
    pub text: &'static str,
}

macro_rules! steps {
    ($($number:literal $name:literal,)*) => {
        /// The steps for SQLite.
        pub const SQLITE: &[Step] = &[$(Step {
            number: $number,
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite/", $name, ".sql")),
        }),*];

        /// The same steps for PostgreSQL.
        pub const POSTGRES: &[Step] = &[$(Step {
            number: $number,
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/postgres/", $name, ".sql")),
        }),*];
    };
}

// One list for both, so that neither can have a step that the other lacks.
steps! {
    1 "0001_first",
    2 "0002_walls",
    3 "0003_foreign_items",
    4 "0004_jobs",
    5 "0005_files",
    6 "0006_outbox",
    7 "0007_people",
    8 "0008_output",
    9 "0009_notifications",
    10 "0010_calibration",
    11 "0011_renames",
    12 "0012_work",
    13 "0013_codeowners",
    14 "0014_commit_builds",
    15 "0015_test_pasts",
    16 "0016_schedules",
    17 "0017_reservations",
    18 "0018_requests",
    19 "0019_repositories",
}

pub(super) fn migrator(steps: &[Step]) -> Migrator {
    let migrations = steps.iter().map(|step| {
        let text = step.text.into_sql_str();
        Migration::new(step.number, step.name.into(), MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(migrations.collect())
}
