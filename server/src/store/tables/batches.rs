//! Batches: test files that somebody had run.

use super::prelude::*;

statements! {
    /// A batch is made.
    BATCH_INSERT = "insert into batches (id, name, created_at, plan) values ($1, $2, $3, $4)";
    /// A batch ($1).
    BATCH_GET = "select id, name, created_at, plan from batches where id = $1";
    /// Batches made before a time ($1) and id ($2), the newest first.
    BATCH_LIST = "select id, name, created_at, plan from batches \
                  where created_at < $1 or (created_at = $1 and id < $2) order by created_at desc, id desc limit $3";
    /// How many there are.
    BATCH_COUNT = "select count(*) as batches from batches";
    /// The files of a batch ($1).
    BATCH_FILES = "select batch_id, ordinal, name, digest, size from batch_files where batch_id = $1 order by ordinal";
}

bulk! {
    /// Files of a new batch.
    BatchFilesInsert: BatchFileRow => "batch_files" |row| {
        "batch_id" "uuid" = row.batch.0;
        "ordinal" "bigint" = i64::from(row.ordinal);
        "name" "text" = &*row.name;
        "digest" "bytea" = &row.digest.0[..];
        "size" "bigint" = row.size.cast_signed();
    } OnConflict::Never;
}

delegate! {
    /// Keeps a new batch, its files and its jobs: all of it, or nothing.
    whole fn batch_insert(row: &BatchRow, files: &[BatchFileRow], jobs: &[JobRow]) -> ();
    /// A batch.
    read fn batch_get(id: BatchId) -> Option<BatchRow>;
    /// Batches made before a time and id, the newest first.
    read fn batch_list(before: (Timestamp, BatchId), limit: u32) -> Vec<BatchRow>;
    /// How many there are.
    read fn batch_count() -> u32;
    /// The files of a batch, in their order.
    read fn batch_files(id: BatchId) -> Vec<BatchFileRow>;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn batch(row: &$Row) -> Answer<BatchRow> {
            let row = Columns::of(row, "batches", &["id"]);
            Ok(BatchRow {
                id: BatchId(row.get("id")?),
                name: row.get::<&str>("name")?.into(),
                created_at: Timestamp(row.get("created_at")?),
                plan: row.get::<&str>("plan")?.into(),
            })
        }

        pub(super) fn batch_file(row: &$Row) -> Answer<BatchFileRow> {
            let row = Columns::of(row, "batch_files", &["batch_id", "ordinal"]);
            let size: i64 = row.get("size")?;
            Ok(BatchFileRow {
                batch: BatchId(row.get("batch_id")?),
                ordinal: row.count("ordinal")?,
                name: row.get::<&str>("name")?.into(),
                digest: Digest(row.hash("digest")?),
                size: size.cast_unsigned(),
            })
        }

        pub(in crate::store) async fn batch_insert(
            db: &mut $Connection,
            row: &BatchRow,
            files: &[BatchFileRow],
            jobs: &[JobRow],
        ) -> Answer<()> {
            let query = sqlx::query(BATCH_INSERT).bind(row.id.0).bind(&*row.name).bind(row.created_at.0);
            query.bind(&*row.plan).execute(&mut *db).await?;
            dialect::bulk::<BatchFilesInsert>(&mut *db, files).await?;
            super::job_insert(&mut *db, jobs).await
        }

        pub(in crate::store) async fn batch_get(db: &mut $Connection, id: BatchId) -> Answer<Option<BatchRow>> {
            sqlx::query(BATCH_GET).bind(id.0).fetch_optional(db).await?.as_ref().map(batch).transpose()
        }

        pub(in crate::store) async fn batch_list(
            db: &mut $Connection,
            before: (Timestamp, BatchId),
            limit: u32,
        ) -> Answer<Vec<BatchRow>> {
            let query = sqlx::query(BATCH_LIST).bind(before.0.0).bind(before.1.0).bind(i64::from(limit));
            all(query.fetch_all(db).await?, batch)
        }

        pub(in crate::store) async fn batch_count(db: &mut $Connection) -> Answer<u32> {
            let row = sqlx::query(BATCH_COUNT).fetch_one(db).await?;
            Columns::of(&row, "batches", &[]).count("batches")
        }

        pub(in crate::store) async fn batch_files(db: &mut $Connection, id: BatchId) -> Answer<Vec<BatchFileRow>> {
            all(sqlx::query(BATCH_FILES).bind(id.0).fetch_all(db).await?, batch_file)
        }
    };
}
pub(in crate::store) use body;
