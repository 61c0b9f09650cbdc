//! The health of tests and setups.

use super::prelude::*;

macro_rules! health_columns {
    () => {
        "h.setup_id, h.test_id, h.label, h.p_flaky, h.p_broken, h.phi, h.results, h.failures, h.failed, h.last_at, h.model, h.state"
    };
}

statements! {
    /// A test on all setups.
    HEALTH_OF_TEST = concat!("select ", health_columns!(), " from health h where h.test_id = $1 order by h.setup_id");
    /// Tests that are neither new nor healthy, the most expensive first. Word
    /// for word the condition of its index.
    HEALTH_SICK = concat!(
        "select ", health_columns!(), ", t.name, t.parameters, t.detail, t.duration, s.path, s.detail as suite_detail, \
         r.project, t.run_id from health h \
         join test_pasts p on p.setup_id = h.setup_id and p.test_id = h.test_id \
         join tests x on x.run_id = p.run_id and x.test_id = p.test_id \
         join tests t on t.run_id = x.run_id and t.ordinal = x.ordinal join runs r on r.id = t.run_id \
         left join suites s on s.run_id = t.run_id and s.ordinal = t.suite \
         where h.label not in ('new', 'healthy') order by h.phi desc limit $1"
    );
    /// Of the tests of a run ($1), how they are on its setup.
    HEALTH_OF_RUN = concat!(
        "select ", health_columns!(), ", t.name, t.parameters, s.path from tests t \
         join health h on h.setup_id = t.setup_id and h.test_id = t.test_id \
         left join suites s on s.run_id = t.run_id and s.ordinal = t.suite where t.run_id = $1 order by t.ordinal"
    );
    /// What is known of the tests of a setup ($1).
    HEALTH_OF_SETUP = "select test_id, state from health where setup_id = $1 limit $2";
    /// Nothing is known of the tests of a setup.
    HEALTH_CLEAR = "delete from health where setup_id = $1";
    /// The health of all setups.
    SETUP_HEALTH_LIST = "select setup_id, model, base, sums, calibration from setup_health";
    /// The health of a setup ($1).
    SETUP_HEALTH_GET = "select setup_id, model, base, sums, calibration from setup_health where setup_id = $1";
}

bulk! {
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
        "failed" "boolean" = row.failed;
        "last_at" "bigint" = row.last_at.map(|at| at.0);
        "model" "bigint" = i64::from(row.model);
        "state" "bytea" = &*row.state;
    } OnConflict::Replace("(setup_id, test_id)", &[
        "label", "p_flaky", "p_broken", "phi", "results", "failures", "failed", "last_at", "model", "state",
    ]);

    /// The health of setups as it now is.
    SetupHealthSave: SetupHealthRow => "setup_health" |row| {
        "setup_id" "uuid" = row.setup.0;
        "model" "bigint" = i64::from(row.model);
        "base" "bytea" = &*row.base;
        "sums" "bytea" = &*row.sums;
        "calibration" "jsonb" = Json(&row.calibration);
    } OnConflict::Replace("(setup_id)", &["model", "base", "sums", "calibration"]);
}

delegate! {
    /// What is known of a test on all setups.
    read fn health_of_test(test: TestId) -> Vec<HealthRow>;
    /// How the tests of a run are on its setup; none of those without a result.
    read fn health_of_run(run: RunId) -> Vec<TestHealthRow>;
    /// Tests that are neither new nor healthy, the most expensive first.
    read fn health_sick(limit: u32) -> Vec<SickRow>;
    /// The health of every setup.
    read fn setup_health_list() -> Vec<SetupHealthRow>;
}

delegate_group! {
    /// What is known of some tests of a setup, as it was kept.
    step fn health_load(setup: SetupId, tests: &[TestId]) -> Vec<(TestId, Box<[u8]>)>;
    /// Forgets what is known of the tests of a setup.
    step fn health_clear(setup: SetupId) -> ();
    /// As [`Self::health_load`], of at most so many tests of a setup, in no
    /// particular order.
    step fn health_of_setup(setup: SetupId, limit: u32) -> Vec<(TestId, Box<[u8]>)>;
    /// The health of a setup as it was kept.
    step fn setup_health_get(setup: SetupId) -> Option<SetupHealthRow>;
    /// Writes the health of tests as it now is, each once.
    step fn health_save(rows: &[HealthRow]) -> ();
    /// Writes the health of setups as it now is, each once.
    step fn setup_health_save(rows: &[SetupHealthRow]) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn health(row: &$Row) -> Result<HealthRow, StoreError> {
            let row = Columns::of(row, "health", &["setup_id", "test_id"]);
            Ok(HealthRow {
                setup: SetupId(row.get("setup_id")?),
                test: TestId(row.get("test_id")?),
                label: row.word("label", Label::parse)?,
                p_flaky: row.get("p_flaky")?,
                p_broken: row.get("p_broken")?,
                phi: row.get("phi")?,
                results: row.count("results")?,
                failures: row.count("failures")?,
                failed: row.get("failed")?,
                last_at: row.get::<Option<i64>>("last_at")?.map(Timestamp),
                model: row.count("model")?,
                state: row.get::<&[u8]>("state")?.into(),
            })
        }

        pub(super) fn state(row: &$Row) -> Result<(TestId, Box<[u8]>), StoreError> {
            let row = Columns::of(row, "health", &["test_id"]);
            Ok((TestId(row.get("test_id")?), row.get::<&[u8]>("state")?.into()))
        }

        pub(super) fn sick(row: &$Row) -> Result<SickRow, StoreError> {
            let health = health(row)?;
            let row = Columns::of(row, "health", &["setup_id", "test_id"]);
            Ok(SickRow {
                health,
                path: row.test_path()?,
                owner: row.owner()?,
                source: row.source()?,
                project: ProjectName::stored(row.get::<&str>("project")?),
                run: RunId(row.get("run_id")?),
                duration: row.get::<Option<i64>>("duration")?.map(Micros),
            })
        }

        pub(super) fn setup_health(row: &$Row) -> Result<SetupHealthRow, StoreError> {
            let row = Columns::of(row, "setup_health", &["setup_id"]);
            Ok(SetupHealthRow {
                setup: SetupId(row.get("setup_id")?),
                model: row.count("model")?,
                base: row.get::<&[u8]>("base")?.into(),
                sums: row.get::<&[u8]>("sums")?.into(),
                calibration: row.json("calibration")?,
            })
        }

        pub(in crate::store) async fn health_load(
            db: &mut $Connection,
            setup: SetupId,
            tests: &[TestId],
        ) -> Answer<Vec<(TestId, Box<[u8]>)>> {
            let ids: Vec<_> = tests.iter().map(|test| test.0.simple().to_string()).collect();
            let query = sqlx::query(dialect::HEALTH_LOAD).bind(setup.0).bind(Json(ids));
            all(query.fetch_all(db).await?, state)
        }

        pub(in crate::store) async fn health_of_setup(
            db: &mut $Connection,
            setup: SetupId,
            limit: u32,
        ) -> Answer<Vec<(TestId, Box<[u8]>)>> {
            let query = sqlx::query(HEALTH_OF_SETUP).bind(setup.0).bind(i64::from(limit));
            all(query.fetch_all(db).await?, state)
        }

        pub(in crate::store) async fn health_of_test(db: &mut $Connection, test: TestId) -> Answer<Vec<HealthRow>> {
            all(sqlx::query(HEALTH_OF_TEST).bind(test.0).fetch_all(db).await?, health)
        }

        pub(super) fn test_health(row: &$Row) -> Result<TestHealthRow, StoreError> {
            let health = health(row)?;
            Ok(TestHealthRow { health, path: Columns::of(row, "health", &["setup_id", "test_id"]).test_path()? })
        }

        pub(in crate::store) async fn health_of_run(db: &mut $Connection, run: RunId) -> Answer<Vec<TestHealthRow>> {
            all(sqlx::query(HEALTH_OF_RUN).bind(run.0).fetch_all(db).await?, test_health)
        }

        pub(in crate::store) async fn health_sick(db: &mut $Connection, limit: u32) -> Answer<Vec<SickRow>> {
            all(sqlx::query(HEALTH_SICK).bind(i64::from(limit)).fetch_all(db).await?, sick)
        }

        pub(in crate::store) async fn health_clear(db: &mut $Connection, setup: SetupId) -> Answer<()> {
            sqlx::query(HEALTH_CLEAR).bind(setup.0).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn setup_health_list(db: &mut $Connection) -> Answer<Vec<SetupHealthRow>> {
            all(sqlx::query(SETUP_HEALTH_LIST).fetch_all(db).await?, setup_health)
        }

        pub(in crate::store) async fn setup_health_get(
            db: &mut $Connection,
            setup: SetupId,
        ) -> Answer<Option<SetupHealthRow>> {
            let row = sqlx::query(SETUP_HEALTH_GET).bind(setup.0).fetch_optional(db).await?;
            row.as_ref().map(setup_health).transpose()
        }

        pub(in crate::store) async fn health_save(db: &mut $Connection, rows: &[HealthRow]) -> Answer<()> {
            dialect::bulk::<HealthSave>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn setup_health_save(db: &mut $Connection, rows: &[SetupHealthRow]) -> Answer<()> {
            dialect::bulk::<SetupHealthSave>(db, rows).await.map(drop)
        }
    };
}
pub(in crate::store) use body;
