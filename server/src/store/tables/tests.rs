//! Suites and tests of runs, with their texts and scripts.

use super::prelude::*;

macro_rules! suite_columns {
    () => {
        "select run_id, ordinal, suite_id, setup_id, path, position, started_at, detail, version from suites"
    };
}

macro_rules! test_columns {
    () => {
        concat!(
            "select t.run_id, t.ordinal, t.test_id, t.setup_id, t.suite, t.name, t.parameters, ",
            outcome!(),
            " as outcome, t.position, t.attempts, t.detail, t.version from tests t join runs r on r.id = t.run_id"
        )
    };
}

statements! {
    /// The suites of a run.
    SUITE_ROWS = concat!(suite_columns!(), " where run_id = $1 order by ordinal");
    /// One suite of a run.
    SUITE_GET = concat!(suite_columns!(), " where run_id = $1 and ordinal = $2");
    /// Those written since a version.
    SUITE_CHANGES = concat!(suite_columns!(), " where run_id = $1 and version > $2 order by ordinal");
    /// The tests of a run.
    TEST_ROWS = concat!(test_columns!(), " where t.run_id = $1 order by t.ordinal");
    /// One test of a run.
    TEST_GET = concat!(test_columns!(), " where t.run_id = $1 and t.ordinal = $2");
    /// Those written since a version.
    TEST_CHANGES = concat!(test_columns!(), " where t.run_id = $1 and t.version > $2 order by t.ordinal");
    /// Tests of a run after an ordinal. The outcomes are words between commas
    /// because a list cannot be bound in the same way on both databases.
    TEST_PAGE = concat!(
        test_columns!(),
        " left join suites s on s.run_id = t.run_id and s.ordinal = t.suite \
          where t.run_id = $1 and t.ordinal > $2 \
          and (cast($4 as text) is null or $4 like '%,' || ", outcome!(), " || ',%') \
          and (cast($5 as text) is null or lower(t.name) like lower($5) escape '\\' \
          or lower(t.parameters) like lower($5) escape '\\' \
          or lower(cast(s.path as text)) like lower($5) escape '\\') \
          order by t.ordinal limit $3"
    );
    /// The text of a script.
    SCRIPT_GET = "select body from scripts where id = $1";
}

bulk! {
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
}

delegate! {
    /// The suites of a run in the order of their ordinals.
    read fn suite_rows(run: RunId) -> Vec<SuiteRow>;
    /// Those written after a version of the setup.
    read fn suite_changes(run: RunId, after_version: i64) -> Vec<SuiteRow>;
    /// One suite of a run by its ordinal.
    read fn suite_get(run: RunId, ordinal: u32) -> Option<SuiteRow>;
    /// One test of a run by its ordinal.
    read fn test_get(run: RunId, ordinal: u32) -> Option<TestRow>;
    /// The tests of a run in the order of their ordinals.
    read fn test_rows(run: RunId) -> Vec<TestRow>;
    /// Those written after a version of the setup.
    read fn test_changes(run: RunId, after_version: i64) -> Vec<TestRow>;
    /// Tests of a run in the order of their ordinals, after one of them.
    read fn test_page(
        run: RunId, filter: &TestFilter<'_>, after_ordinal: Option<u32>, limit: u32
    ) -> Vec<TestRow>;
    /// The texts of these tests, by ordinal and attempt.
    read fn text_list(run: RunId, ordinals: &[u32]) -> Vec<TextRow>;
    /// The text of a script.
    read fn script_get(id: ScriptId) -> Option<String>;
}

delegate_group! {
    /// Writes suites as they now are, each once.
    step fn suite_save(rows: &[SuiteRow]) -> ();
    /// Writes tests as they now are, each once.
    step fn test_save(rows: &[TestRow]) -> ();
    /// Writes texts; of several for one attempt the last.
    step fn text_save(rows: &[TextRow]) -> ();
    /// Keeps scripts that are not there yet.
    step fn script_save(rows: &[ScriptRow]) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn suite(row: &$Row) -> Result<SuiteRow, StoreError> {
            let row = Columns::of(row, "suites", &["run_id", "ordinal"]);
            let SuiteDetail { finished, phase, phases, total_tests, source, script, outputs } = row.json("detail")?;
            Ok(SuiteRow {
                run: RunId(row.get("run_id")?),
                ordinal: row.count("ordinal")?,
                id: SuiteId(row.get("suite_id")?),
                setup: SetupId(row.get("setup_id")?),
                suite: Suite {
                    path: row.json("path")?,
                    position: row.count_or_none("position")?,
                    started: row.time("started_at")?,
                    finished,
                    phase,
                    phases,
                    total_tests,
                    source,
                    script,
                    outputs,
                },
                version: row.get("version")?,
            })
        }

        pub(super) fn test(row: &$Row) -> Result<TestRow, StoreError> {
            let row = Columns::of(row, "tests", &["run_id", "ordinal"]);
            let mut test = Test {
                id: TestId(row.get("test_id")?),
                suite: row.count("suite")?,
                name: row.get::<&str>("name")?.into(),
                parameters: row.text("parameters")?,
                position: row.count_or_none("position")?,
                source: None,
                line: None,
                script: None,
                tags: [].into(),
                owner: None,
                outputs: Outputs::default(),
                attempts: row.json("attempts")?,
            };
            if let Some(Json(detail)) = row.get::<Option<Json<TestDetail<'static>>>>("detail")? {
                detail.put_into(&mut test);
            }
            Ok(TestRow {
                run: RunId(row.get("run_id")?),
                ordinal: row.count("ordinal")?,
                setup: SetupId(row.get("setup_id")?),
                outcome: row.word("outcome", Outcome::parse)?,
                version: row.get("version")?,
                test,
            })
        }

        pub(super) fn text(row: &$Row) -> Result<TextRow, StoreError> {
            let row = Columns::of(row, "texts", &["run_id", "ordinal", "attempt"]);
            Ok(TextRow {
                run: RunId(row.get("run_id")?),
                ordinal: row.count("ordinal")?,
                attempt: row.count("attempt")?,
                message: row.text("message")?,
                trace: row.text("trace")?,
            })
        }

        pub(in crate::store) async fn suite_rows(db: &mut $Connection, run: RunId) -> Answer<Vec<SuiteRow>> {
            all(sqlx::query(SUITE_ROWS).bind(run.0).fetch_all(db).await?, suite)
        }

        pub(in crate::store) async fn test_rows(db: &mut $Connection, run: RunId) -> Answer<Vec<TestRow>> {
            all(sqlx::query(TEST_ROWS).bind(run.0).fetch_all(db).await?, test)
        }

        pub(in crate::store) async fn suite_get(
            db: &mut $Connection,
            run: RunId,
            ordinal: u32,
        ) -> Answer<Option<SuiteRow>> {
            let row = sqlx::query(SUITE_GET).bind(run.0).bind(i64::from(ordinal)).fetch_optional(db).await?;
            row.as_ref().map(suite).transpose()
        }

        pub(in crate::store) async fn test_get(
            db: &mut $Connection,
            run: RunId,
            ordinal: u32,
        ) -> Answer<Option<TestRow>> {
            let row = sqlx::query(TEST_GET).bind(run.0).bind(i64::from(ordinal)).fetch_optional(db).await?;
            row.as_ref().map(test).transpose()
        }

        pub(in crate::store) async fn suite_changes(
            db: &mut $Connection,
            run: RunId,
            after_version: i64,
        ) -> Answer<Vec<SuiteRow>> {
            all(sqlx::query(SUITE_CHANGES).bind(run.0).bind(after_version).fetch_all(db).await?, suite)
        }

        pub(in crate::store) async fn test_changes(
            db: &mut $Connection,
            run: RunId,
            after_version: i64,
        ) -> Answer<Vec<TestRow>> {
            all(sqlx::query(TEST_CHANGES).bind(run.0).bind(after_version).fetch_all(db).await?, test)
        }

        pub(in crate::store) async fn test_page(
            db: &mut $Connection,
            run: RunId,
            filter: &TestFilter<'_>,
            after_ordinal: Option<u32>,
            limit: u32,
        ) -> Answer<Vec<TestRow>> {
            let rows = sqlx::query(TEST_PAGE)
                .bind(run.0)
                .bind(after_ordinal.map_or(-1, i64::from))
                .bind(i64::from(limit))
                .bind(filter.outcomes())
                .bind(filter.pattern())
                .fetch_all(db)
                .await?;
            all(rows, test)
        }

        pub(in crate::store) async fn text_list(
            db: &mut $Connection,
            run: RunId,
            ordinals: &[u32],
        ) -> Answer<Vec<TextRow>> {
            all(sqlx::query(dialect::TEXT_LIST).bind(run.0).bind(Json(ordinals)).fetch_all(db).await?, text)
        }

        pub(in crate::store) async fn script_get(db: &mut $Connection, id: ScriptId) -> Answer<Option<String>> {
            let row = sqlx::query(SCRIPT_GET).bind(id.0).fetch_optional(db).await?;
            row.map(|row| Columns::of(&row, "scripts", &[]).get("body")).transpose()
        }

        pub(in crate::store) async fn suite_save(db: &mut $Connection, rows: &[SuiteRow]) -> Answer<()> {
            dialect::bulk::<SuitesSave>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn test_save(db: &mut $Connection, rows: &[TestRow]) -> Answer<()> {
            dialect::bulk::<TestsSave>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn text_save(db: &mut $Connection, rows: &[TextRow]) -> Answer<()> {
            dialect::bulk::<TextsSave>(db, &last_of_each(rows)).await.map(drop)
        }

        pub(in crate::store) async fn script_save(db: &mut $Connection, rows: &[ScriptRow]) -> Answer<()> {
            dialect::bulk::<ScriptsSave>(db, rows).await.map(drop)
        }
    };
}
pub(in crate::store) use body;
