//! Schedules: what is run again and again.
//!
//! A turn is taken by moving the time of the next one, if it still is what it
//! was: of several servers one succeeds. What comes of the turn is written in
//! the same transaction, so a turn is neither lost nor taken twice.

use super::prelude::*;

macro_rules! schedule_columns {
    () => {
        "select name, body, is_configured, is_paused, made_by, next_at, last_at, last_kind, last_parent, fault \
         from schedules"
    };
}

statements! {
    /// A schedule as it now is; what its last turn came to stays.
    SCHEDULE_SAVE = "insert into schedules (name, body, is_configured, is_paused, made_by, next_at) \
                     values ($1, $2, $3, $4, $5, $6) on conflict (name) do update set body = excluded.body, \
                     is_configured = excluded.is_configured, is_paused = excluded.is_paused, \
                     made_by = excluded.made_by, next_at = excluded.next_at";
    /// A schedule ($1).
    SCHEDULE_GET = concat!(schedule_columns!(), " where name = $1");
    /// All of them, by name.
    SCHEDULE_LIST = concat!(schedule_columns!(), " order by name");
    /// Those whose turn it is at ($1), the longest due first.
    SCHEDULE_DUE = concat!(schedule_columns!(), " where next_at <= $1 and not is_paused order by next_at limit $2");
    /// A turn of a schedule ($1) that was due ($2) is taken.
    SCHEDULE_TURN = "update schedules set next_at = $3, last_at = $4, last_kind = $5, last_parent = $6, fault = $7 \
                     where name = $1 and next_at = $2 and not is_paused";
    /// A schedule ($1) is no more.
    SCHEDULE_DELETE = "delete from schedules where name = $1";
}

delegate! {
    /// Keeps a schedule as it now is; what its last turn came to stays.
    write fn schedule_save(row: &ScheduleRow) -> ();
    /// A schedule.
    read fn schedule_get(name: &str) -> Option<ScheduleRow>;
    /// All schedules, by name.
    read fn schedule_list() -> Vec<ScheduleRow>;
    /// Those whose turn it is, the longest due first.
    read fn schedule_due(now: Timestamp, limit: u32) -> Vec<ScheduleRow>;
    /// Takes a turn of which nothing comes. Tells whether it was there to be taken.
    write fn schedule_turn(turn: &TurnRow) -> bool;
    /// Takes a turn, and keeps the batch that comes of it: both, or neither.
    whole fn schedule_batch(turn: &TurnRow, row: &BatchRow, files: &[BatchFileRow], jobs: &[JobRow]) -> bool;
    /// Takes a turn, and keeps the build that comes of it: both, or neither.
    whole fn schedule_build(turn: &TurnRow, row: &BuildRow, jobs: &[JobRow]) -> bool;
    /// A schedule is no more. Tells whether it was there.
    write fn schedule_delete(name: &str) -> bool;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn schedule(row: &$Row) -> Answer<ScheduleRow> {
            let row = Columns::of(row, "schedules", &[]);
            let kind = row.get::<Option<&str>>("last_kind")?.map(|_| row.word("last_kind", JobKind::parse));
            Ok(ScheduleRow {
                name: row.get::<&str>("name")?.into(),
                body: row.get::<&str>("body")?.into(),
                is_configured: row.get("is_configured")?,
                is_paused: row.get("is_paused")?,
                made_by: row.get::<&str>("made_by")?.into(),
                next_at: row.time("next_at")?,
                last_at: row.time("last_at")?,
                last: kind.transpose()?.zip(row.get::<Option<Uuid>>("last_parent")?),
                fault: row.text("fault")?,
            })
        }

        pub(in crate::store) async fn schedule_save(db: &mut $Connection, row: &ScheduleRow) -> Answer<()> {
            let query = sqlx::query(SCHEDULE_SAVE)
                .bind(&*row.name)
                .bind(&*row.body)
                .bind(row.is_configured)
                .bind(row.is_paused)
                .bind(&*row.made_by)
                .bind(row.next_at.map(|at| at.0));
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn schedule_get(db: &mut $Connection, name: &str) -> Answer<Option<ScheduleRow>> {
            sqlx::query(SCHEDULE_GET).bind(name).fetch_optional(db).await?.as_ref().map(schedule).transpose()
        }

        pub(in crate::store) async fn schedule_list(db: &mut $Connection) -> Answer<Vec<ScheduleRow>> {
            all(sqlx::query(SCHEDULE_LIST).fetch_all(db).await?, schedule)
        }

        pub(in crate::store) async fn schedule_due(
            db: &mut $Connection,
            now: Timestamp,
            limit: u32,
        ) -> Answer<Vec<ScheduleRow>> {
            all(sqlx::query(SCHEDULE_DUE).bind(now.0).bind(i64::from(limit)).fetch_all(db).await?, schedule)
        }

        pub(in crate::store) async fn schedule_turn(db: &mut $Connection, turn: &TurnRow) -> Answer<bool> {
            let query = sqlx::query(SCHEDULE_TURN)
                .bind(&*turn.name)
                .bind(turn.due.0)
                .bind(turn.next_at.map(|at| at.0))
                .bind(turn.at.0)
                .bind(turn.last.map(|(kind, _)| kind.as_str()))
                .bind(turn.last.map(|(_, parent)| parent))
                .bind(turn.fault.as_deref());
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn schedule_batch(
            db: &mut $Connection,
            turn: &TurnRow,
            row: &BatchRow,
            files: &[BatchFileRow],
            jobs: &[JobRow],
        ) -> Answer<bool> {
            let is_ours = schedule_turn(&mut *db, turn).await?;
            if is_ours {
                super::batch_insert(&mut *db, row, files, jobs).await?;
            }
            Ok(is_ours)
        }

        pub(in crate::store) async fn schedule_build(
            db: &mut $Connection,
            turn: &TurnRow,
            row: &BuildRow,
            jobs: &[JobRow],
        ) -> Answer<bool> {
            let is_ours = schedule_turn(&mut *db, turn).await?;
            if is_ours {
                super::build_insert(&mut *db, row, jobs).await?;
            }
            Ok(is_ours)
        }

        pub(in crate::store) async fn schedule_delete(db: &mut $Connection, name: &str) -> Answer<bool> {
            Ok(sqlx::query(SCHEDULE_DELETE).bind(name).execute(db).await?.rows_affected() > 0)
        }
    };
}
pub(in crate::store) use body;
