//! Workers: who takes jobs.

use super::prelude::*;

statements! {
    /// A worker has started. What was decided about it stays.
    WORKER_SAVE = "insert into workers (id, name, instance, labels, slots, about, stance, created_at, seen_at) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                   on conflict (id) do update set name = excluded.name, instance = excluded.instance, \
                   labels = excluded.labels, slots = excluded.slots, about = excluded.about, \
                   seen_at = excluded.seen_at";
    /// A worker ($1).
    WORKER_GET = "select id, name, instance, labels, slots, about, stance, created_at, seen_at from workers where id = $1";
    /// All workers, by name.
    WORKER_LIST = "select id, name, instance, labels, slots, about, stance, created_at, seen_at from workers order by name";
    /// A worker ($1) spoke.
    WORKER_SEEN = "update workers set seen_at = $2 where id = $1 and seen_at < $2";
    /// Whether a worker ($1) is given jobs.
    WORKER_STANCE = "update workers set stance = $2 where id = $1";
    /// A worker ($1) is gone for good.
    WORKER_FORGET = "delete from workers where id = $1";
}

delegate! {
    /// A worker has started, with this name; whether it is given jobs stays as
    /// it was. A name that another has is a conflict.
    write fn worker_save(row: &WorkerRow) -> ();
    /// A worker.
    read fn worker_get(id: WorkerId) -> Option<WorkerRow>;
    /// All workers, by name.
    read fn worker_list() -> Vec<WorkerRow>;
    /// A worker spoke.
    write fn worker_seen(id: WorkerId, at: Timestamp) -> ();
    /// Decides whether a worker is given jobs. Tells whether there is such a worker.
    write fn worker_stance(id: WorkerId, stance: &str) -> bool;
    /// A worker is gone for good. Tells whether there was one.
    write fn worker_forget(id: WorkerId) -> bool;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn worker(row: &$Row) -> Answer<WorkerRow> {
            let row = Columns::of(row, "workers", &["id"]);
            Ok(WorkerRow {
                id: WorkerId(row.get("id")?),
                name: row.get::<&str>("name")?.into(),
                instance: row.get("instance")?,
                labels: Labels::stored(row.get("labels")?),
                slots: row.count("slots")?,
                about: row.get::<&str>("about")?.into(),
                stance: row.get::<&str>("stance")?.into(),
                created_at: Timestamp(row.get("created_at")?),
                seen_at: Timestamp(row.get("seen_at")?),
            })
        }

        pub(in crate::store) async fn worker_save(db: &mut $Connection, row: &WorkerRow) -> Answer<()> {
            let query = sqlx::query(WORKER_SAVE)
                .bind(row.id.0)
                .bind(&*row.name)
                .bind(row.instance)
                .bind(row.labels.key())
                .bind(i64::from(row.slots))
                .bind(&*row.about)
                .bind(&*row.stance)
                .bind(row.created_at.0)
                .bind(row.seen_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn worker_get(db: &mut $Connection, id: WorkerId) -> Answer<Option<WorkerRow>> {
            sqlx::query(WORKER_GET).bind(id.0).fetch_optional(db).await?.as_ref().map(worker).transpose()
        }

        pub(in crate::store) async fn worker_list(db: &mut $Connection) -> Answer<Vec<WorkerRow>> {
            all(sqlx::query(WORKER_LIST).fetch_all(db).await?, worker)
        }

        pub(in crate::store) async fn worker_seen(db: &mut $Connection, id: WorkerId, at: Timestamp) -> Answer<()> {
            sqlx::query(WORKER_SEEN).bind(id.0).bind(at.0).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn worker_stance(db: &mut $Connection, id: WorkerId, stance: &str) -> Answer<bool> {
            Ok(sqlx::query(WORKER_STANCE).bind(id.0).bind(stance).execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn worker_forget(db: &mut $Connection, id: WorkerId) -> Answer<bool> {
            Ok(sqlx::query(WORKER_FORGET).bind(id.0).execute(db).await?.rows_affected() > 0)
        }
    };
}
pub(in crate::store) use body;
