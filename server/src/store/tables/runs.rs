//! Runs.

use super::prelude::*;

macro_rules! run_columns {
    () => {
        "select r.id, r.setup_id, r.key, r.project, r.state, r.result, r.counts, r.facts, r.started_at, \
         r.finished_at, r.heard_at, r.created_at, r.branch, r.commit_id, r.name, r.version from runs r"
    };
}

/// The filter of both ways to page through runs; what is null does not filter.
macro_rules! run_filter {
    () => {
        " and (cast($4 as text) is null or r.project = $4) and (cast($5 as text) is null or r.branch = $5) \
         and (cast($6 as text) is null or r.result = $6) and (cast($7 as text) is null or r.state = $7) \
         and (cast($8 as text) is null or replace($8, '\u{1f}' || r.project || '\u{1f}', '') <> $8) \
         order by r.created_at desc, r.id desc limit $3"
    };
}

statements! {
    /// A run by its id.
    RUN_GET = concat!(run_columns!(), " where r.id = $1");
    /// A run by what its listener calls it.
    RUN_FIND = concat!(run_columns!(), " where r.setup_id = $1 and r.key = $2");
    /// Runs that are not over, the oldest first. Word for word the condition of its index.
    RUN_OPEN_LIST = concat!(run_columns!(), " where r.state in ('waiting', 'running') order by r.created_at, r.id");
    /// The newest run of each setup.
    RUN_LATEST_LIST = concat!(
        run_columns!(),
        " join setups s on r.id = (select n.id from runs n where n.setup_id = s.id \
          order by n.created_at desc, n.id desc limit 1) order by s.name"
    );
    /// Runs older than ($1, $2), the newest first.
    RUN_PAGE = concat!(run_columns!(), " where (r.created_at, r.id) < ($1, $2)", run_filter!());
    /// The same of one setup, with an index of its own.
    RUN_PAGE_OF_SETUP = concat!(
        run_columns!(), " where r.setup_id = $9 and (r.created_at, r.id) < ($1, $2)", run_filter!()
    );
}

bulk! {
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
}

delegate! {
    /// A run by its id.
    read fn run_get(id: RunId) -> Option<RunRow>;
    /// A run by what its listener calls it.
    read fn run_find(setup: SetupId, key: &RunKey) -> Option<RunRow>;
    /// Runs that are not over, the oldest first.
    read fn run_open_list() -> Vec<RunRow>;
    /// The newest run of each setup, by the names of the setups.
    read fn run_latest_list() -> Vec<RunRow>;
    /// Runs, the newest first, after the one with this time and id.
    read fn run_page(filter: &RunFilter, after: Option<(Timestamp, RunId)>, limit: u32) -> Vec<RunRow>;
    /// A run with its suites and tests, as it can be gone on with.
    snapshot fn run_load(id: RunId) -> Option<Run>;
}

delegate_group! {
    /// As [`Store::run_find`], in this transaction.
    step fn run_find(setup: SetupId, key: &RunKey) -> Option<RunRow>;
    /// As [`Store::run_load`], in this transaction.
    step fn run_load(id: RunId) -> Option<Run>;
    /// Writes runs as they now are, each once.
    step fn run_save(rows: &[RunRow]) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn run(row: &$Row) -> Result<RunRow, StoreError> {
            let row = Columns::of(row, "runs", &["id"]);
            let result = row.get::<Option<&str>>("result")?.map(|_| row.word("result", RunResult::parse));
            Ok(RunRow {
                id: RunId(row.get("id")?),
                setup: SetupId(row.get("setup_id")?),
                key: RunKey::stored(row.get::<&str>("key")?),
                project: ProjectName::stored(row.get::<&str>("project")?),
                state: row.word("state", RunState::parse)?,
                result: result.transpose()?,
                counts: row.json("counts")?,
                facts: row.json("facts")?,
                started_at: row.time("started_at")?,
                finished_at: row.time("finished_at")?,
                heard_at: row.time("heard_at")?,
                created_at: Timestamp(row.get("created_at")?),
                branch: row.text("branch")?,
                commit: row.text("commit_id")?,
                name: row.text("name")?,
                version: row.get("version")?,
            })
        }

        pub(in crate::store) async fn run_get(db: &mut $Connection, id: RunId) -> Answer<Option<RunRow>> {
            sqlx::query(RUN_GET).bind(id.0).fetch_optional(db).await?.as_ref().map(run).transpose()
        }

        pub(in crate::store) async fn run_find(
            db: &mut $Connection,
            setup: SetupId,
            key: &RunKey,
        ) -> Answer<Option<RunRow>> {
            let row = sqlx::query(RUN_FIND).bind(setup.0).bind(key.as_str()).fetch_optional(db).await?;
            row.as_ref().map(run).transpose()
        }

        pub(in crate::store) async fn run_open_list(db: &mut $Connection) -> Answer<Vec<RunRow>> {
            all(sqlx::query(RUN_OPEN_LIST).fetch_all(db).await?, run)
        }

        pub(in crate::store) async fn run_latest_list(db: &mut $Connection) -> Answer<Vec<RunRow>> {
            all(sqlx::query(RUN_LATEST_LIST).fetch_all(db).await?, run)
        }

        pub(in crate::store) async fn run_page(
            db: &mut $Connection,
            filter: &RunFilter,
            after: Option<(Timestamp, RunId)>,
            limit: u32,
        ) -> Answer<Vec<RunRow>> {
            let (at, id) = after.unwrap_or((Timestamp(i64::MAX), RunId(Uuid::max())));
            let text = if filter.setup.is_some() { RUN_PAGE_OF_SETUP } else { RUN_PAGE };
            let mut query = sqlx::query(text)
                .bind(at.0)
                .bind(id.0)
                .bind(i64::from(limit))
                .bind(filter.project.as_ref().map(|project| project.as_str()))
                .bind(filter.branch.as_deref())
                .bind(filter.result.map(|result| result.as_str()))
                .bind(filter.state.map(|state| state.as_str()))
                .bind(filter.within());
            if let Some(setup) = filter.setup {
                query = query.bind(setup.0);
            }
            all(query.fetch_all(db).await?, run)
        }

        /// Needs one view of the three tables: a transaction.
        pub(in crate::store) async fn run_load(db: &mut $Connection, id: RunId) -> Answer<Option<Run>> {
            let Some(row) = run_get(db, id).await? else { return Ok(None) };
            let suites = super::suite_rows(db, id).await?;
            let tests = super::test_rows(db, id).await?;
            row.join(suites, tests).map(Some)
        }

        pub(in crate::store) async fn run_save(db: &mut $Connection, rows: &[RunRow]) -> Answer<()> {
            dialect::bulk::<RunsSave>(db, rows).await.map(drop)
        }
    };
}
pub(in crate::store) use body;
