//! What is old, and how it is forgotten.

use super::prelude::*;

statements! {
    /// Events of the log after a number ($1), by their age.
    EVENT_AGES = "select e.seq, e.received_at, e.place is not null as is_output, \
                  e.run_id is not null and r.id is null as is_stray, r.project from events e \
                  left join runs r on r.id = e.run_id where e.seq > $1 order by e.seq limit $2";
    /// Runs that were first heard of before a time ($3), after the one with this time and id. The
    /// newest run of a setup is not among them, for its tile shows it.
    RUN_AGES = "select r.id, r.project, r.created_at, \
                exists (select 1 from attachments a where a.run_id = r.id) as has_files from runs r \
                where (r.created_at, r.id) > ($1, $2) and r.created_at < $3 and r.state in ('finished', 'lost') \
                and exists (select 1 from runs n where n.setup_id = r.setup_id \
                and (n.created_at, n.id) > (r.created_at, r.id)) order by r.created_at, r.id limit $4";
    /// The files of a run ($1) are forgotten; their contents go when nothing points at them.
    FILES_FORGET = "delete from attachments where run_id = $1";
    /// A run ($1) is forgotten with all rows that point at it.
    RUN_FORGET = "delete from runs where id = $1";
    /// No repeat of its events is known as one any more.
    IDS_FORGET = "delete from event_ids where scope = $1";
}

delegate! {
    /// Events of the log after a number, by their age.
    read fn event_ages(after: i64, limit: u32) -> Vec<EventAge>;
    /// Forgets these events. Tells how many there were.
    write fn events_forget(seqs: &[i64]) -> u64;
    /// Runs that are over, older than a time and not their setup's newest,
    /// the oldest first, after the one with this time and id.
    read fn run_ages(after: (Timestamp, RunId), before: Timestamp, limit: u32) -> Vec<RunAge>;
    /// Forgets the files of a run. Tells how many there were.
    write fn run_files_forget(run: RunId) -> u64;
    /// Forgets a run with everything that belongs to it but its events.
    whole fn run_forget(run: RunId) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn event_age(row: &$Row) -> Result<EventAge, StoreError> {
            let row = Columns::of(row, "events", &["seq"]);
            Ok(EventAge {
                seq: row.get("seq")?,
                received_at: Timestamp(row.get("received_at")?),
                is_output: row.get("is_output")?,
                is_stray: row.get("is_stray")?,
                project: row.text("project")?.as_deref().map(ProjectName::stored),
            })
        }

        pub(super) fn run_age(row: &$Row) -> Result<RunAge, StoreError> {
            let row = Columns::of(row, "runs", &["id"]);
            Ok(RunAge {
                id: RunId(row.get("id")?),
                project: ProjectName::stored(row.get::<&str>("project")?),
                created_at: Timestamp(row.get("created_at")?),
                has_files: row.get("has_files")?,
            })
        }

        pub(in crate::store) async fn event_ages(
            db: &mut $Connection,
            after: i64,
            limit: u32,
        ) -> Answer<Vec<EventAge>> {
            all(sqlx::query(EVENT_AGES).bind(after).bind(i64::from(limit)).fetch_all(db).await?, event_age)
        }

        pub(in crate::store) async fn events_forget(db: &mut $Connection, seqs: &[i64]) -> Answer<u64> {
            Ok(sqlx::query(dialect::EVENTS_FORGET).bind(Json(seqs)).execute(db).await?.rows_affected())
        }

        pub(in crate::store) async fn run_ages(
            db: &mut $Connection,
            after: (Timestamp, RunId),
            before: Timestamp,
            limit: u32,
        ) -> Answer<Vec<RunAge>> {
            let query = sqlx::query(RUN_AGES).bind(after.0.0).bind(after.1.0).bind(before.0).bind(i64::from(limit));
            all(query.fetch_all(db).await?, run_age)
        }

        pub(in crate::store) async fn run_files_forget(db: &mut $Connection, run: RunId) -> Answer<u64> {
            Ok(sqlx::query(FILES_FORGET).bind(run.0).execute(db).await?.rows_affected())
        }

        pub(in crate::store) async fn run_forget(db: &mut $Connection, run: RunId) -> Answer<()> {
            sqlx::query(RUN_FORGET).bind(run.0).execute(&mut *db).await?;
            sqlx::query(IDS_FORGET).bind(run.0).execute(db).await?;
            Ok(())
        }
    };
}
pub(in crate::store) use body;
