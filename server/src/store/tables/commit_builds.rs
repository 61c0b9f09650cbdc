//! Builds: what was made of pushed commits.

use super::prelude::*;

macro_rules! build_columns {
    () => {
        "select id, repository, branch, commit_id, author, message, created_at, reference, fork, held, note \
         from commit_builds"
    };
}

statements! {
    /// A build is made.
    BUILD_INSERT = "insert into commit_builds (id, repository, branch, commit_id, author, message, created_at, \
                    reference, fork, held, note) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// A build ($1) that waited for it is approved, or is not wanted any more ($2).
    BUILD_SETTLE = "update commit_builds set held = null, note = $2 where id = $1 and held is not null";
    /// A build ($1).
    BUILD_GET = concat!(build_columns!(), " where id = $1");
    /// A build ($1) is of this commit ($2), where nobody knew.
    BUILD_COMMIT = "update commit_builds set commit_id = $2 where id = $1 and commit_id = ''";
    /// Builds made before a time ($1) and id ($2), of a repository ($4), of a branch ($5) and of which a job, or what was
    /// decided about them, stands so ($6) where these are named, the newest first.
    BUILD_LIST = concat!(build_columns!(), " where (created_at < $1 or (created_at = $1 and id < $2)) \
                         and (cast($4 as text) is null or repository = $4) and (cast($5 as text) is null or branch = $5) \
                         and (cast($6 as text) is null \
                         or ($6 <> 'held' and exists (select 1 from jobs j where j.parent_id = commit_builds.id \
                         and coalesce(j.result, case j.state when 'lost' then 'errored' else j.state end) = $6)) \
                         or ($6 = 'held' and held is not null) \
                         or ($6 = case when note is null then 'errored' else 'cancelled' end and held is null \
                         and not exists (select 1 from jobs j where j.parent_id = commit_builds.id))) \
                         order by created_at desc, id desc limit $3");
}

delegate! {
    /// Keeps a new build with its jobs: all of it, or nothing.
    whole fn build_insert(row: &BuildRow, jobs: &[JobRow]) -> ();
    /// A build.
    read fn build_get(id: BuildId) -> Option<BuildRow>;
    /// Somebody decided about a build that was held: its jobs are kept where it
    /// is approved. Tells whether it was held: then both are done, else neither.
    whole fn build_settle(id: BuildId, note: &str, jobs: &[JobRow]) -> bool;
    /// Notes of which commit a build is, where nobody knew.
    write fn build_commit(id: BuildId, commit: &str) -> ();
    /// Builds that are asked for, the newest first.
    read fn build_list(filter: &BuildFilter<'_>, limit: u32) -> Vec<BuildRow>;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn build(row: &$Row) -> Answer<BuildRow> {
            let row = Columns::of(row, "commit_builds", &["id"]);
            Ok(BuildRow {
                id: BuildId(row.get("id")?),
                repository: row.get::<&str>("repository")?.into(),
                branch: row.get::<&str>("branch")?.into(),
                commit: row.get::<&str>("commit_id")?.into(),
                author: row.text("author")?,
                message: row.text("message")?,
                reference: row.text("reference")?,
                fork: row.text("fork")?,
                held: row.text("held")?,
                note: row.text("note")?,
                created_at: Timestamp(row.get("created_at")?),
            })
        }

        pub(in crate::store) async fn build_insert(
            db: &mut $Connection,
            row: &BuildRow,
            jobs: &[JobRow],
        ) -> Answer<()> {
            let query = sqlx::query(BUILD_INSERT)
                .bind(row.id.0)
                .bind(&*row.repository)
                .bind(&*row.branch)
                .bind(&*row.commit)
                .bind(row.author.as_deref())
                .bind(row.message.as_deref())
                .bind(row.created_at.0)
                .bind(row.reference.as_deref())
                .bind(row.fork.as_deref())
                .bind(row.held.as_deref())
                .bind(row.note.as_deref());
            query.execute(&mut *db).await?;
            super::job_insert(&mut *db, jobs).await
        }

        pub(in crate::store) async fn build_get(db: &mut $Connection, id: BuildId) -> Answer<Option<BuildRow>> {
            sqlx::query(BUILD_GET).bind(id.0).fetch_optional(db).await?.as_ref().map(build).transpose()
        }

        pub(in crate::store) async fn build_settle(
            db: &mut $Connection,
            id: BuildId,
            note: &str,
            jobs: &[JobRow],
        ) -> Answer<bool> {
            let was_held = sqlx::query(BUILD_SETTLE).bind(id.0).bind(note).execute(&mut *db).await?.rows_affected() > 0;
            if was_held {
                super::job_insert(&mut *db, jobs).await?;
            }
            Ok(was_held)
        }

        pub(in crate::store) async fn build_commit(db: &mut $Connection, id: BuildId, commit: &str) -> Answer<()> {
            sqlx::query(BUILD_COMMIT).bind(id.0).bind(commit).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn build_list(
            db: &mut $Connection,
            filter: &BuildFilter<'_>,
            limit: u32,
        ) -> Answer<Vec<BuildRow>> {
            let BuildFilter { before: (at, id), repository, branch, status } = *filter;
            // A job has its own words for two of them.
            let status = status.map(|status| match status {
                BuildStatus::Pending => JobState::Waiting.as_str(),
                BuildStatus::Success => JobResult::Passed.as_str(),
                other => other.as_str(),
            });
            let query = sqlx::query(BUILD_LIST).bind(at.0).bind(id.0).bind(i64::from(limit));
            let query = query.bind(repository).bind(branch).bind(status);
            all(query.fetch_all(db).await?, build)
        }
    };
}
pub(in crate::store) use body;
