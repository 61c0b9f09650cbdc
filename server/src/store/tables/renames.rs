//! Tests that go on under another name, and what is asked to find and join them.

use super::prelude::*;

macro_rules! rename_columns {
    () => {
        "select r.was_id, r.now_id, r.was_path, r.at, r.actor from renames r"
    };
}

statements! {
    /// All renames.
    RENAME_LIST = concat!(rename_columns!(), " order by r.at, r.was_id");
    /// What a test ($1) goes on as.
    RENAME_GET = concat!(rename_columns!(), " where r.was_id = $1");
    /// What a test ($1) was called before, and before that.
    RENAMES_INTO = concat!(
        "with recursive names (id) as (select was_id from renames where now_id = $1 \
         union select n.was_id from renames n join names on n.now_id = names.id) ",
        rename_columns!(), " where r.was_id in (select id from names) order by r.at desc, r.was_id"
    );
    /// A test goes on under another name.
    RENAME_INSERT = "insert into renames (was_id, now_id, was_path, at, actor) values ($1, $2, $3, $4, $5)";
    /// A test ($1) stands for itself again.
    RENAME_DELETE = "delete from renames where was_id = $1";
    /// How a test ($1) stood is how the one stands that it goes on as ($2).
    CONDITION_RENAME = "update conditions set test_id = $2 where test_id = $1 and not exists \
                        (select 1 from conditions c where c.setup_id = conditions.setup_id and c.test_id = $2)";
    /// Nobody has to be told of a test ($1) that is called otherwise now.
    CONDITION_FORGET = "delete from conditions where test_id = $1";
    UNTOLD_FORGET = "delete from untold where test_id = $1";
    /// Nothing is known of a test ($2) on a setup ($1).
    HEALTH_FORGET = "delete from health where setup_id = $1 and test_id = $2";
    /// The tests of a run, by their numbers.
    TEST_IDS = "select test_id from tests where run_id = $1 order by ordinal";
    /// Whether two tests have results in the same run.
    TOGETHER = "select r.id as run_id from test_pasts a \
                join test_pasts b on b.setup_id = a.setup_id and b.test_id = $2 \
                join runs r on r.setup_id = a.setup_id and r.created_at >= a.first_at and r.created_at >= b.first_at \
                and r.created_at <= a.last_at and r.created_at <= b.last_at \
                join tests x on x.run_id = r.id and x.test_id = $1 join tests y on y.run_id = r.id and y.test_id = $2 \
                join tests t on t.run_id = x.run_id and t.ordinal = x.ordinal and t.finished_at is not null \
                join tests u on u.run_id = y.run_id and u.ordinal = y.ordinal and u.finished_at is not null \
                where a.test_id = $1 limit 1";
    /// The setups on which a test ($1) has results.
    SETUPS_OF_TEST = "select setup_id from test_pasts where test_id = $1";
    /// What a test ($1) came to on a setup ($2), the newest runs first.
    TEST_ATTEMPTS = "select t.run_id, t.attempts, t.finished_at, r.commit_id from runs r \
                     join tests x on x.run_id = r.id join tests t on t.run_id = x.run_id and t.ordinal = x.ordinal \
                     where x.test_id = $1 and r.setup_id = $2 \
                     and t.finished_at is not null order by r.created_at desc, r.id desc limit $3";
}

delegate! {
    /// All renames, the oldest first.
    read fn rename_list() -> Vec<RenameRow>;
    /// What a test goes on as.
    read fn rename_get(was: TestId) -> Option<RenameRow>;
    /// What a test was called before, and before that; the newest first.
    read fn renames_into(now_is: TestId) -> Vec<RenameRow>;
    /// The tests of a run, by their numbers.
    read fn test_ids(run: RunId) -> Vec<TestId>;
    /// Whether two tests have results in the same run: then they are two.
    read fn tests_together(one: TestId, other: TestId) -> bool;
    /// The setups on which a test has results, in no particular order.
    read fn setups_of_test(test: TestId) -> Vec<SetupId>;
}

delegate_group! {
    /// As [`Store::rename_list`], in this transaction.
    step fn rename_all() -> Vec<RenameRow>;
    /// A test goes on under another name; what stood under the old one stands
    /// under the new.
    step fn rename_insert(row: &RenameRow) -> ();
    /// A test stands for itself again. Tells whether it did not.
    step fn rename_delete(was: TestId) -> bool;
    /// What a test came to on a setup, the newest first.
    step fn test_attempts(test: TestId, setup: SetupId, limit: u32) -> Vec<AttemptsRow>;
    /// Forgets what is known of a test on a setup.
    step fn health_forget(setup: SetupId, test: TestId) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn rename(row: &$Row) -> Result<RenameRow, StoreError> {
            let row = Columns::of(row, "renames", &["was_id"]);
            Ok(RenameRow {
                was: TestId(row.get("was_id")?),
                now_is: TestId(row.get("now_id")?),
                was_path: row.json("was_path")?,
                at: Timestamp(row.get("at")?),
                actor: row.get::<&str>("actor")?.into(),
            })
        }

        pub(super) fn attempts(row: &$Row) -> Result<AttemptsRow, StoreError> {
            let row = Columns::of(row, "tests", &["run_id"]);
            Ok(AttemptsRow {
                run: RunId(row.get("run_id")?),
                commit: row.text("commit_id")?,
                finished_at: row.time("finished_at")?,
                attempts: row.json("attempts")?,
            })
        }

        pub(in crate::store) async fn rename_list(db: &mut $Connection) -> Answer<Vec<RenameRow>> {
            all(sqlx::query(RENAME_LIST).fetch_all(db).await?, rename)
        }

        pub(in crate::store) async fn rename_all(db: &mut $Connection) -> Answer<Vec<RenameRow>> {
            rename_list(db).await
        }

        pub(in crate::store) async fn rename_get(db: &mut $Connection, was: TestId) -> Answer<Option<RenameRow>> {
            let row = sqlx::query(RENAME_GET).bind(was.0).fetch_optional(db).await?;
            row.as_ref().map(rename).transpose()
        }

        pub(in crate::store) async fn renames_into(db: &mut $Connection, now_is: TestId) -> Answer<Vec<RenameRow>> {
            all(sqlx::query(RENAMES_INTO).bind(now_is.0).fetch_all(db).await?, rename)
        }

        pub(in crate::store) async fn rename_insert(db: &mut $Connection, row: &RenameRow) -> Answer<()> {
            let query = sqlx::query(RENAME_INSERT)
                .bind(row.was.0)
                .bind(row.now_is.0)
                .bind(Json(&row.was_path))
                .bind(row.at.0)
                .bind(&*row.actor);
            query.execute(&mut *db).await?;
            sqlx::query(CONDITION_RENAME).bind(row.was.0).bind(row.now_is.0).execute(&mut *db).await?;
            sqlx::query(CONDITION_FORGET).bind(row.was.0).execute(&mut *db).await?;
            sqlx::query(UNTOLD_FORGET).bind(row.was.0).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn rename_delete(db: &mut $Connection, was: TestId) -> Answer<bool> {
            Ok(sqlx::query(RENAME_DELETE).bind(was.0).execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn test_ids(db: &mut $Connection, run: RunId) -> Answer<Vec<TestId>> {
            let id = |row: &$Row| Ok(TestId(Columns::of(row, "tests", &["test_id"]).get("test_id")?));
            sqlx::query(TEST_IDS).bind(run.0).fetch_all(db).await?.iter().map(id).collect()
        }

        pub(in crate::store) async fn tests_together(db: &mut $Connection, one: TestId, other: TestId) -> Answer<bool> {
            Ok(sqlx::query(TOGETHER).bind(one.0).bind(other.0).fetch_optional(db).await?.is_some())
        }

        pub(in crate::store) async fn setups_of_test(db: &mut $Connection, test: TestId) -> Answer<Vec<SetupId>> {
            let id = |row: &$Row| Ok(SetupId(Columns::of(row, "test_pasts", &["setup_id"]).get("setup_id")?));
            sqlx::query(SETUPS_OF_TEST).bind(test.0).fetch_all(db).await?.iter().map(id).collect()
        }

        pub(in crate::store) async fn test_attempts(
            db: &mut $Connection,
            test: TestId,
            setup: SetupId,
            limit: u32,
        ) -> Answer<Vec<AttemptsRow>> {
            let query = sqlx::query(TEST_ATTEMPTS).bind(test.0).bind(setup.0).bind(i64::from(limit));
            all(query.fetch_all(db).await?, attempts)
        }

        pub(in crate::store) async fn health_forget(db: &mut $Connection, setup: SetupId, test: TestId) -> Answer<()> {
            sqlx::query(HEALTH_FORGET).bind(setup.0).bind(test.0).execute(db).await?;
            Ok(())
        }
    };
}
pub(in crate::store) use body;
