//! What runs tell about one another: durations and the results of a test.

use super::prelude::*;
pub(in crate::store) use std::collections::{HashMap, HashSet};

macro_rules! result_columns {
    () => {
        concat!(
            "select t.run_id, t.ordinal, t.setup_id, r.key, r.project, r.commit_id, r.branch, ",
            outcome!(),
            " as outcome, t.attempts, t.duration, t.finished_at, t.name, t.parameters, t.detail, s.path, s.detail as suite_detail"
        )
    };
}

/// A result `t` of a test, its run `r` and its suite. The test is looked for in
/// `x`, for which an index has all that is asked: SQLite would otherwise read
/// all tests of the run.
macro_rules! result_tables {
    () => {
        "cross join tests x join tests t on t.run_id = x.run_id and t.ordinal = x.ordinal \
         left join suites s on s.run_id = t.run_id and s.ordinal = t.suite \
         where x.run_id = r.id and x.test_id = $1 and t.finished_at is not null "
    };
}

/// Of a past `p`, how long the test took when it passed, without the run ($1).
macro_rules! durations {
    () => {
        "case when p.run_id = $1 then p.passes \
         else coalesce(cast(p.duration as text) || ',', '') || p.passes end as durations"
    };
}

statements! {
    /// Of each test in a run ($1), its last durations as passed in other runs
    /// on a setup ($2), the newest first.
    PASSES = concat!(
        "select p.test_id as id, ", durations!(), " from (select distinct test_id from tests where run_id = $1) t \
         join test_pasts p on p.setup_id = $2 and p.test_id = t.test_id"
    );
    /// The same of tests that were called otherwise before: as passed under
    /// the name before this one.
    PASSES_BEFORE = concat!(
        "select n.now_id as id, ", durations!(), " from renames n \
         join test_pasts p on p.setup_id = $2 and p.test_id = n.was_id \
         where n.now_id in (select test_id from tests where run_id = $1)"
    );
    /// Of each suite in a run ($1), its last durations in other runs on a setup ($2).
    SUITE_DURATIONS = "select t.ordinal, (select string_agg(cast(n.duration as text) || ',', '') from \
              (select h.duration from suites h where h.suite_id = t.suite_id and h.setup_id = $2 \
              and h.duration is not null and h.run_id <> $1 order by h.finished_at desc limit $3) n) as durations \
              from suites t where t.run_id = $1 order by t.ordinal";
    /// The newest result of a test ($1) on a setup ($2).
    TEST_NEWEST = concat!(
        result_columns!(), " from test_pasts p join runs r on r.id = p.run_id ", result_tables!(),
        "and p.setup_id = $2 and p.test_id = $1 limit 1"
    );
    /// The results of a test ($1) on all setups in runs from a time on ($3),
    /// the newest runs first. It walks over runs and looks for the test in
    /// each: most have it, and it stops after the few that are wanted. SQLite
    /// takes the order of a `cross join` as it is given.
    TEST_RESULTS = concat!(
        result_columns!(), " from runs r ", result_tables!(), "and r.created_at >= $3 \
         and exists (select 1 from test_pasts p where p.setup_id = r.setup_id and p.test_id = $1) \
         order by r.created_at desc, r.id desc limit $2"
    );
    /// How far back a test ($1) reaches.
    TEST_REACH = "select cast(sum(results) as bigint) as results, min(first_at) as first_at, \
                  max(last_at) as last_at from test_pasts where test_id = $1";
}

bulk! {
    /// Pasts take results in. A run that is written again adds nothing, and
    /// one that was over before the newest leaves that as it is. 128 characters
    /// hold more passes than a forecast looks at, of whole days each.
    PastsSave: PastRow => "test_pasts" |row| {
        "setup_id" "uuid" = row.setup.0;
        "test_id" "uuid" = row.test.0;
        "run_id" "uuid" = row.run.0;
        "finished_at" "bigint" = row.finished_at.0;
        "duration" "bigint" = row.duration.map(|length| length.0);
        "passes" "text" = "";
        "results" "bigint" = 1_i64;
        "first_at" "bigint" = row.heard_at.0;
        "last_at" "bigint" = row.heard_at.0;
    } OnConflict::Say(
        "on conflict (setup_id, test_id) do update set \
         passes = case when excluded.run_id = test_pasts.run_id or excluded.finished_at < test_pasts.finished_at \
         then test_pasts.passes \
         else substr(coalesce(cast(test_pasts.duration as text) || ',', '') || test_pasts.passes, 1, 128) end, \
         duration = case when excluded.run_id <> test_pasts.run_id and excluded.finished_at < test_pasts.finished_at \
         then test_pasts.duration else excluded.duration end, \
         results = case when excluded.run_id = test_pasts.run_id then test_pasts.results \
         else test_pasts.results + 1 end, \
         first_at = case when excluded.first_at < test_pasts.first_at then excluded.first_at \
         else test_pasts.first_at end, \
         last_at = case when excluded.last_at > test_pasts.last_at then excluded.last_at else test_pasts.last_at end, \
         run_id = case when excluded.finished_at < test_pasts.finished_at then test_pasts.run_id \
         else excluded.run_id end, \
         finished_at = case when excluded.finished_at < test_pasts.finished_at then test_pasts.finished_at \
         else excluded.finished_at end"
    );
}

/// The counts of runs by suite; `$list` are the ids of the runs.
macro_rules! suite_counts {
    ($list:literal) => {
        concat!(
            "select t.run_id, s.path, ",
            $crate::store::tables::outcome!(),
            " as outcome, count(*) as tests from tests t \
             join runs r on r.id = t.run_id join suites s on s.run_id = t.run_id and s.ordinal = t.suite \
             where t.run_id in (",
            $list,
            ") group by 1, 2, 3"
        )
    };
}
pub(in crate::store) use suite_counts;

delegate! {
    /// How many tests of each suite of these runs came to what.
    read fn suite_counts(runs: &[RunId]) -> Vec<SuiteCountRow>;
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
    /// How far back a test reaches; `None` if it never had a result.
    read fn test_reach(test: TestId) -> Option<Reach>;
}

delegate_group! {
    /// The pasts of tests on setups take these results in.
    step fn past_save(rows: &[PastRow]) -> ();
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
                let query = sqlx::query(text).bind(run.0).bind(setup.0);
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

        pub(super) fn suite_count(row: &$Row) -> Result<SuiteCountRow, StoreError> {
            let row = Columns::of(row, "tests", &["run_id"]);
            Ok(SuiteCountRow {
                run: RunId(row.get("run_id")?),
                path: row.json("path")?,
                outcome: row.word("outcome", Outcome::parse)?,
                tests: row.count("tests")?,
            })
        }

        pub(in crate::store) async fn suite_counts(db: &mut $Connection, runs: &[RunId]) -> Answer<Vec<SuiteCountRow>> {
            let ids: Vec<_> = runs.iter().map(|run| run.0.simple().to_string()).collect();
            all(sqlx::query(dialect::SUITE_COUNTS).bind(Json(ids)).fetch_all(db).await?, suite_count)
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
            let Some(reach) = test_reach(db, test).await? else { return Ok(Vec::new()) };
            // Without this it would look for more results than there are in
            // every run back to the first.
            let limit = i64::from(limit).min(reach.results as i64);
            let query = sqlx::query(TEST_RESULTS).bind(test.0).bind(limit).bind(reach.first_at.0);
            let mut results = all(query.fetch_all(db).await?, result)?;
            results.sort_by_key(|row| std::cmp::Reverse(row.finished_at));
            Ok(results)
        }

        pub(in crate::store) async fn test_reach(db: &mut $Connection, test: TestId) -> Answer<Option<Reach>> {
            let row = sqlx::query(TEST_REACH).bind(test.0).fetch_one(db).await?;
            let row = Columns::of(&row, "test_pasts", &[]);
            let Some(results) = row.get::<Option<i64>>("results")? else { return Ok(None) };
            let (first_at, last_at) = (Timestamp(row.get("first_at")?), Timestamp(row.get("last_at")?));
            Ok(Some(Reach { results: results.unsigned_abs(), first_at, last_at }))
        }

        pub(in crate::store) async fn past_save(db: &mut $Connection, rows: &[PastRow]) -> Answer<()> {
            let mut left = rows.to_vec();
            while !left.is_empty() {
                // A statement may not touch a row twice.
                let mut seen = HashSet::new();
                let (now, later): (Vec<_>, Vec<_>) =
                    left.into_iter().partition(|row| seen.insert((row.setup, row.test)));
                dialect::bulk::<PastsSave>(db, &now).await?;
                left = later;
            }
            Ok(())
        }
    };
}
pub(in crate::store) use body;
