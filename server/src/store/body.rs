//! The one body of every statement, expanded for each driver.
//!
//! Functions over a connection: the store hands them one from a pool, a group
//! the one of its transaction. Called with the driver's types and its folder,
//! which holds what the databases say differently.

macro_rules! body {
    ($Db:ty, $Connection:ty, $Row:ty, $dialect:path) => {
        use crate::store::bulk::*;
        use crate::store::read::reading;
        use crate::store::sql;
        use $dialect as dialect;

        reading!($Db, $Row);

        type Answer<T> = Result<T, StoreError>;

        fn all<T>(rows: Vec<$Row>, read: fn(&$Row) -> Answer<T>) -> Answer<Vec<T>> {
            rows.iter().map(read).collect()
        }

        pub(in crate::store) async fn ping(db: &mut $Connection) -> Answer<()> {
            sqlx::query(sql::PING).fetch_one(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn setup_list(db: &mut $Connection) -> Answer<Vec<SetupRow>> {
            all(sqlx::query(sql::SETUP_LIST).fetch_all(db).await?, setup)
        }

        pub(in crate::store) async fn run_get(db: &mut $Connection, id: RunId) -> Answer<Option<RunRow>> {
            sqlx::query(sql::RUN_GET).bind(id.0).fetch_optional(db).await?.as_ref().map(run).transpose()
        }

        pub(in crate::store) async fn run_find(
            db: &mut $Connection,
            setup: SetupId,
            key: &RunKey,
        ) -> Answer<Option<RunRow>> {
            let row = sqlx::query(sql::RUN_FIND).bind(setup.0).bind(key.as_str()).fetch_optional(db).await?;
            row.as_ref().map(run).transpose()
        }

        pub(in crate::store) async fn run_open_list(db: &mut $Connection) -> Answer<Vec<RunRow>> {
            all(sqlx::query(sql::RUN_OPEN_LIST).fetch_all(db).await?, run)
        }

        pub(in crate::store) async fn run_latest_list(db: &mut $Connection) -> Answer<Vec<RunRow>> {
            all(sqlx::query(sql::RUN_LATEST_LIST).fetch_all(db).await?, run)
        }

        pub(in crate::store) async fn run_page(
            db: &mut $Connection,
            filter: &RunFilter,
            after: Option<(Timestamp, RunId)>,
            limit: u32,
        ) -> Answer<Vec<RunRow>> {
            let (at, id) = after.unwrap_or((Timestamp(i64::MAX), RunId(Uuid::max())));
            let text = if filter.setup.is_some() { sql::RUN_PAGE_OF_SETUP } else { sql::RUN_PAGE };
            let mut query = sqlx::query(text)
                .bind(at.0)
                .bind(id.0)
                .bind(i64::from(limit))
                .bind(filter.project.as_ref().map(|project| project.as_str()))
                .bind(filter.branch.as_deref())
                .bind(filter.result.map(|result| result.as_str()))
                .bind(filter.state.map(|state| state.as_str()));
            if let Some(setup) = filter.setup {
                query = query.bind(setup.0);
            }
            all(query.fetch_all(db).await?, run)
        }

        /// Needs one view of the three tables: a transaction.
        pub(in crate::store) async fn run_load(
            db: &mut $Connection,
            id: RunId,
        ) -> Answer<Option<app::domain::run::Run>> {
            let Some(row) = run_get(db, id).await? else { return Ok(None) };
            let suites = suite_rows(db, id).await?;
            let tests = test_rows(db, id).await?;
            row.join(suites, tests).map(Some)
        }

        pub(in crate::store) async fn suite_rows(db: &mut $Connection, run: RunId) -> Answer<Vec<SuiteRow>> {
            all(sqlx::query(sql::SUITE_ROWS).bind(run.0).fetch_all(db).await?, suite)
        }

        pub(in crate::store) async fn test_rows(db: &mut $Connection, run: RunId) -> Answer<Vec<TestRow>> {
            all(sqlx::query(sql::TEST_ROWS).bind(run.0).fetch_all(db).await?, test)
        }

        pub(in crate::store) async fn suite_changes(
            db: &mut $Connection,
            run: RunId,
            after_version: i64,
        ) -> Answer<Vec<SuiteRow>> {
            all(sqlx::query(sql::SUITE_CHANGES).bind(run.0).bind(after_version).fetch_all(db).await?, suite)
        }

        pub(in crate::store) async fn test_changes(
            db: &mut $Connection,
            run: RunId,
            after_version: i64,
        ) -> Answer<Vec<TestRow>> {
            all(sqlx::query(sql::TEST_CHANGES).bind(run.0).bind(after_version).fetch_all(db).await?, test)
        }

        pub(in crate::store) async fn test_page(
            db: &mut $Connection,
            run: RunId,
            filter: &TestFilter<'_>,
            after_ordinal: Option<u32>,
            limit: u32,
        ) -> Answer<Vec<TestRow>> {
            let rows = sqlx::query(sql::TEST_PAGE)
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
            let row = sqlx::query(sql::SCRIPT_GET).bind(id.0).fetch_optional(db).await?;
            row.map(|row| Columns::of(&row, "scripts", &[]).get("body")).transpose()
        }

        pub(in crate::store) async fn passes(
            db: &mut $Connection,
            run: RunId,
            setup: SetupId,
            per_test: u32,
        ) -> Answer<Vec<(TestId, Micros)>> {
            let query = sqlx::query(sql::PASSES).bind(run.0).bind(setup.0).bind(i64::from(per_test));
            let mut passes = Vec::new();
            for row in query.fetch_all(db).await? {
                let row = Columns::of(&row, "tests", &["id"]);
                let id = TestId(row.get("id")?);
                passes.extend(row.durations("durations")?.into_iter().map(|length| (id, length)));
            }
            Ok(passes)
        }

        pub(in crate::store) async fn suite_durations(
            db: &mut $Connection,
            run: RunId,
            setup: SetupId,
            per_suite: u32,
        ) -> Answer<Vec<(u32, Micros)>> {
            let query = sqlx::query(sql::SUITE_DURATIONS).bind(run.0).bind(setup.0).bind(i64::from(per_suite));
            let mut durations = Vec::new();
            for row in query.fetch_all(db).await? {
                let row = Columns::of(&row, "suites", &["ordinal"]);
                let ordinal = row.count("ordinal")?;
                durations.extend(row.durations("durations")?.into_iter().map(|length| (ordinal, length)));
            }
            Ok(durations)
        }

        pub(in crate::store) async fn event_ids(db: &mut $Connection, scope: Uuid) -> Answer<Vec<Uuid>> {
            let rows = sqlx::query(sql::EVENT_IDS).bind(scope).fetch_all(db).await?;
            let mut ids = Vec::new();
            for row in rows {
                let bytes = Columns::of(&row, "event_ids", &[]).get::<&[u8]>("ids")?.chunks_exact(16);
                ids.extend(bytes.filter_map(|bytes| Uuid::from_slice(bytes).ok()));
            }
            Ok(ids)
        }

        pub(in crate::store) async fn event_page(
            db: &mut $Connection,
            after_seq: i64,
            limit: u32,
        ) -> Answer<Vec<EventRow>> {
            let query = sqlx::query(sql::EVENT_PAGE).bind(after_seq).bind(i64::from(limit));
            all(query.fetch_all(db).await?, event)
        }

        pub(in crate::store) async fn event_last(db: &mut $Connection) -> Answer<i64> {
            let row = sqlx::query(sql::EVENT_LAST).fetch_one(db).await?;
            Columns::of(&row, "events", &[]).get("seq")
        }

        pub(in crate::store) async fn log_mark(db: &mut $Connection) -> Answer<i64> {
            let row = sqlx::query(sql::LOG_MARK).fetch_one(db).await?;
            Columns::of(&row, "log_mark", &[]).get("seq")
        }

        pub(in crate::store) async fn log_mark_set(db: &mut $Connection, seq: i64) -> Answer<()> {
            sqlx::query(sql::LOG_MARK_SET).bind(seq).execute(db).await?;
            Ok(())
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
            let query = sqlx::query(sql::HEALTH_OF_SETUP).bind(setup.0).bind(i64::from(limit));
            all(query.fetch_all(db).await?, state)
        }

        pub(in crate::store) async fn health_of_test(db: &mut $Connection, test: TestId) -> Answer<Vec<HealthRow>> {
            all(sqlx::query(sql::HEALTH_OF_TEST).bind(test.0).fetch_all(db).await?, health)
        }

        pub(in crate::store) async fn health_sick(db: &mut $Connection, limit: u32) -> Answer<Vec<SickRow>> {
            all(sqlx::query(sql::HEALTH_SICK).bind(i64::from(limit)).fetch_all(db).await?, sick)
        }

        pub(in crate::store) async fn test_results(
            db: &mut $Connection,
            test: TestId,
            limit: u32,
        ) -> Answer<Vec<ResultRow>> {
            let query = sqlx::query(sql::TEST_RESULTS).bind(test.0).bind(i64::from(limit));
            all(query.fetch_all(db).await?, result)
        }

        pub(in crate::store) async fn health_clear(db: &mut $Connection, setup: SetupId) -> Answer<()> {
            sqlx::query(sql::HEALTH_CLEAR).bind(setup.0).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn setup_health_list(db: &mut $Connection) -> Answer<Vec<SetupHealthRow>> {
            all(sqlx::query(sql::SETUP_HEALTH_LIST).fetch_all(db).await?, setup_health)
        }

        pub(in crate::store) async fn setup_health_get(
            db: &mut $Connection,
            setup: SetupId,
        ) -> Answer<Option<SetupHealthRow>> {
            let row = sqlx::query(sql::SETUP_HEALTH_GET).bind(setup.0).fetch_optional(db).await?;
            row.as_ref().map(setup_health).transpose()
        }

        pub(in crate::store) async fn health_save(db: &mut $Connection, rows: &[HealthRow]) -> Answer<()> {
            dialect::bulk::<HealthSave>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn setup_health_save(db: &mut $Connection, rows: &[SetupHealthRow]) -> Answer<()> {
            dialect::bulk::<SetupHealthSave>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn wall_save(db: &mut $Connection, row: &WallRow) -> Answer<()> {
            let query = sqlx::query(sql::WALL_SAVE).bind(&*row.name).bind(&*row.body).bind(row.changed_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn wall_get(db: &mut $Connection, name: &str) -> Answer<Option<WallRow>> {
            let row = sqlx::query(sql::WALL_GET).bind(name).fetch_optional(db).await?;
            row.as_ref().map(saved_wall).transpose()
        }

        pub(in crate::store) async fn wall_list(db: &mut $Connection) -> Answer<Vec<WallRow>> {
            all(sqlx::query(sql::WALL_LIST).fetch_all(db).await?, saved_wall)
        }

        pub(in crate::store) async fn wall_delete(db: &mut $Connection, name: &str) -> Answer<bool> {
            Ok(sqlx::query(sql::WALL_DELETE).bind(name).execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn claim_save(db: &mut $Connection, row: &ClaimRow) -> Answer<()> {
            let query = sqlx::query(sql::CLAIM_SAVE)
                .bind(row.setup.0)
                .bind(&*row.holder)
                .bind(row.note.as_deref())
                .bind(row.at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn claim_list(db: &mut $Connection) -> Answer<Vec<ClaimRow>> {
            all(sqlx::query(sql::CLAIM_LIST).fetch_all(db).await?, claim)
        }

        pub(in crate::store) async fn claim_end(db: &mut $Connection, setup: SetupId, at: Timestamp) -> Answer<bool> {
            let query = sqlx::query(sql::CLAIM_END).bind(setup.0).bind(at.0);
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn foreign_load(
            db: &mut $Connection,
            project: &str,
            launch: &str,
        ) -> Answer<Vec<ForeignRow>> {
            all(sqlx::query(sql::FOREIGN_LOAD).bind(project).bind(launch).fetch_all(db).await?, foreign)
        }

        pub(in crate::store) async fn foreign_launches(
            db: &mut $Connection,
            project: &str,
            limit: u32,
        ) -> Answer<Vec<ForeignRow>> {
            let query = sqlx::query(sql::FOREIGN_LAUNCHES).bind(project).bind(i64::from(limit));
            all(query.fetch_all(db).await?, foreign)
        }

        pub(in crate::store) async fn foreign_forget(db: &mut $Connection, before: Timestamp) -> Answer<u64> {
            Ok(sqlx::query(sql::FOREIGN_FORGET).bind(before.0).execute(db).await?.rows_affected())
        }

        pub(in crate::store) async fn foreign_save(db: &mut $Connection, rows: &[ForeignRow]) -> Answer<()> {
            dialect::bulk::<ForeignSave>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn token_insert(db: &mut $Connection, row: &TokenRow) -> Answer<()> {
            let query = sqlx::query(sql::TOKEN_INSERT)
                .bind(row.id.0)
                .bind(&row.hash[..])
                .bind(&*row.scope)
                .bind(row.setup.as_ref().map(|setup| setup.as_str()))
                .bind(row.project.as_ref().map(|project| project.as_str()))
                .bind(row.label.as_deref())
                .bind(row.created_at.0)
                .bind(row.expires_at.map(|at| at.0))
                .bind(row.revoked_at.map(|at| at.0))
                .bind(row.used_at.map(|at| at.0))
                .bind(row.wall.as_deref());
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn token_by_hash(db: &mut $Connection, hash: &[u8; 32]) -> Answer<Option<TokenRow>> {
            let row = sqlx::query(sql::TOKEN_BY_HASH).bind(&hash[..]).fetch_optional(db).await?;
            row.as_ref().map(token).transpose()
        }

        pub(in crate::store) async fn token_list(db: &mut $Connection) -> Answer<Vec<TokenRow>> {
            all(sqlx::query(sql::TOKEN_LIST).fetch_all(db).await?, token)
        }

        pub(in crate::store) async fn token_touch(db: &mut $Connection, id: TokenId, at: Timestamp) -> Answer<()> {
            sqlx::query(sql::TOKEN_TOUCH).bind(id.0).bind(at.0).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn token_revoke(db: &mut $Connection, id: TokenId, at: Timestamp) -> Answer<bool> {
            let done = sqlx::query(sql::TOKEN_REVOKE).bind(id.0).bind(at.0).execute(db).await?;
            Ok(done.rows_affected() > 0)
        }

        pub(in crate::store) async fn setup_touch(
            db: &mut $Connection,
            touches: &[SetupTouch],
        ) -> Answer<Vec<SetupTouched>> {
            all(dialect::bulk::<SetupsTouch>(db, touches).await?, setup_touched)
        }

        pub(in crate::store) async fn run_save(db: &mut $Connection, rows: &[RunRow]) -> Answer<()> {
            dialect::bulk::<RunsSave>(db, rows).await.map(drop)
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

        pub(in crate::store) async fn event_insert(db: &mut $Connection, rows: &[EventRow]) -> Answer<()> {
            dialect::bulk::<EventsInsert>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn ids_insert(db: &mut $Connection, rows: &[IdsRow]) -> Answer<()> {
            dialect::bulk::<IdsInsert>(db, rows).await.map(drop)
        }
    };
}
pub(super) use body;
