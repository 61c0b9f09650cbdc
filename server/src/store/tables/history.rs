//! What runs tell about one another: durations and the results of a test.

use super::prelude::*;
pub(in crate::store) use std::collections::HashMap;

macro_rules! result_columns {
    () => {
        concat!(
            "select t.run_id, t.ordinal, t.setup_id, r.key, r.project, r.commit_id, r.branch, ",
            outcome!(),
            " as outcome, t.attempts, t.duration, t.finished_at, t.name, t.parameters, t.detail, s.path, s.detail as suite_detail from tests t \
             join runs r on r.id = t.run_id left join suites s on s.run_id = t.run_id and s.ordinal = t.suite"
        )
    };
}

statements! {
    /// Of each test in a run ($1), its last durations as passed in other runs
    /// on a setup ($2), the newest first. A subquery per test: it stops in the
    /// index after the few it needs, which a window function would not.
    PASSES = "select t.test_id as id, (select string_agg(cast(n.duration as text), ',') from \
              (select h.duration from tests h where h.test_id = t.test_id and h.setup_id = $2 \
              and h.finished_at is not null and h.outcome in ('passed', 'flaky') and h.duration is not null \
              and h.run_id <> $1 order by h.finished_at desc limit $3) n) as durations \
              from (select distinct test_id from tests where run_id = $1) t";
    /// The same of tests that were called otherwise before: as passed under
    /// the name before this one.
    PASSES_BEFORE = "select n.now_id as id, (select string_agg(cast(p.duration as text), ',') from \
              (select h.duration from tests h where h.test_id = n.was_id and h.setup_id = $2 \
              and h.finished_at is not null and h.outcome in ('passed', 'flaky') and h.duration is not null \
              and h.run_id <> $1 order by h.finished_at desc limit $3) p) as durations \
              from renames n where n.now_id in (select test_id from tests where run_id = $1)";
    /// Of each suite in a run ($1), its last durations in other runs on a setup ($2).
    SUITE_DURATIONS = "select t.ordinal, (select string_agg(cast(n.duration as text), ',') from \
              (select h.duration from suites h where h.suite_id = t.suite_id and h.setup_id = $2 \
              and h.duration is not null and h.run_id <> $1 order by h.finished_at desc limit $3) n) as durations \
              from suites t where t.run_id = $1 order by t.ordinal";
    /// The newest result of a test ($1) on a setup ($2).
    TEST_NEWEST = concat!(
        result_columns!(), " where t.test_id = $1 and t.setup_id = $2 and t.finished_at is not null \
         order by t.finished_at desc limit 1"
    );
    /// The results of a test ($1) on all setups, the newest first.
    TEST_RESULTS = concat!(
        result_columns!(), " where t.test_id = $1 and t.finished_at is not null order by t.finished_at desc limit $2"
    );
}

delegate! {
    /// How long the tests of this run took when they last passed in other runs
    /// on this setup: at most `per_test` each, the newest first.
    read fn passes(run: RunId, setup: SetupId, per_test: u32) -> Vec<(TestId, Micros)>;
    /// How long the suites of this run last took in other runs on this setup:
    /// at most `per_suite` each, by ordinal, the newest first.
    read fn suite_durations(run: RunId, setup: SetupId, per_suite: u32) -> Vec<(u32, Micros)>;
    /// The newest result of a test on a setup.
    read fn test_newest(test: TestId, setup: SetupId) -> Option<ResultRow>;
    /// The results of a test on all setups, the newest first.
    read fn test_results(test: TestId, limit: u32) -> Vec<ResultRow>;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn result(row: &$Row) -> Result<ResultRow, StoreError> {
            let row = Columns::of(row, "tests", &["run_id"]);
            Ok(ResultRow {
                setup: SetupId(row.get("setup_id")?),
                run: RunId(row.get("run_id")?),
                ordinal: row.count("ordinal")?,
                key: RunKey::stored(row.get::<&str>("key")?),
                project: ProjectName::stored(row.get::<&str>("project")?),
                commit: row.text("commit_id")?,
                branch: row.text("branch")?,
                outcome: row.word("outcome", Outcome::parse)?,
                attempts: row.json::<Vec<Attempt>>("attempts")?.len() as u32,
                duration: row.get::<Option<i64>>("duration")?.map(Micros),
                finished_at: row.time("finished_at")?,
                path: row.test_path()?,
                owner: row.owner()?,
                source: row.source()?,
            })
        }

        pub(in crate::store) async fn passes(
            db: &mut $Connection,
            run: RunId,
            setup: SetupId,
            per_test: u32,
        ) -> Answer<Vec<(TestId, Micros)>> {
            let mut passes = Vec::new();
            let mut known: HashMap<TestId, usize> = HashMap::new();
            for text in [PASSES, PASSES_BEFORE] {
                let query = sqlx::query(text).bind(run.0).bind(setup.0).bind(i64::from(per_test));
                for row in query.fetch_all(&mut *db).await? {
                    let row = Columns::of(&row, "tests", &["id"]);
                    let id = TestId(row.get("id")?);
                    let known = known.entry(id).or_default();
                    for length in row.durations("durations")?.into_iter().take(per_test as usize - *known) {
                        *known += 1;
                        passes.push((id, length));
                    }
                }
            }
            Ok(passes)
        }

        pub(in crate::store) async fn suite_durations(
            db: &mut $Connection,
            run: RunId,
            setup: SetupId,
            per_suite: u32,
        ) -> Answer<Vec<(u32, Micros)>> {
            let query = sqlx::query(SUITE_DURATIONS).bind(run.0).bind(setup.0).bind(i64::from(per_suite));
            let mut durations = Vec::new();
            for row in query.fetch_all(db).await? {
                let row = Columns::of(&row, "suites", &["ordinal"]);
                let ordinal = row.count("ordinal")?;
                durations.extend(row.durations("durations")?.into_iter().map(|length| (ordinal, length)));
            }
            Ok(durations)
        }

        pub(in crate::store) async fn test_newest(
            db: &mut $Connection,
            test: TestId,
            setup: SetupId,
        ) -> Answer<Option<ResultRow>> {
            let row = sqlx::query(TEST_NEWEST).bind(test.0).bind(setup.0).fetch_optional(db).await?;
            row.as_ref().map(result).transpose()
        }

        pub(in crate::store) async fn test_results(
            db: &mut $Connection,
            test: TestId,
            limit: u32,
        ) -> Answer<Vec<ResultRow>> {
            let query = sqlx::query(TEST_RESULTS).bind(test.0).bind(i64::from(limit));
            all(query.fetch_all(db).await?, result)
        }
    };
}
pub(in crate::store) use body;
