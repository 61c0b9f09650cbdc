//! Files: their contents, and what they belong to.
//!
//! A content leaves in three steps, so that its bytes are never deleted under
//! the feet of somebody who takes the same content in again: it is marked, its
//! bytes are deleted, and then its row. While it is marked it cannot be taken
//! in; that takes no longer than deleting a file.

use super::prelude::*;

/// Something points at the content `c`. Whoever keeps files for another reason
/// adds the table here.
macro_rules! in_use {
    () => {
        "(exists (select 1 from attachments a where a.digest = c.digest) \
         or exists (select 1 from batch_files b where b.digest = c.digest))"
    };
}

macro_rules! attachment_columns {
    () => {
        "select run_id, place, attempt, digest, name, media_type, size, at from attachments where run_id = $1"
    };
}

statements! {
    /// A content is taken in, for the first time or once more; not while it leaves.
    CONTENT_TAKE = "insert into contents (digest, size, taken_at) values ($1, $2, $3) \
                    on conflict (digest) do update set taken_at = excluded.taken_at where contents.leaving_at is null";
    /// A content by its digest.
    CONTENT_GET = "select digest, size, taken_at, leaving_at from contents where digest = $1";
    /// Contents after a digest ($1), each with whether nothing needs it: it was
    /// not taken in since ($2) and is not in use.
    CONTENT_IDLE = concat!(
        "select c.digest, c.size, c.taken_at, c.leaving_at, \
         cast(case when c.taken_at < $2 and not ", in_use!(), " then 1 else 0 end as bigint) as idle \
         from (select * from contents where digest > $1 order by digest limit $3) c order by c.digest"
    );
    /// A content ($1) that nothing needs begins to leave ($3); again, where it
    /// began long ago ($4) and whoever did it died.
    CONTENT_LEAVE = concat!(
        "update contents as c set leaving_at = $3 where c.digest = $1 and c.taken_at < $2 \
         and (c.leaving_at is null or c.leaving_at < $4) and not ", in_use!()
    );
    /// A content stays after all.
    CONTENT_STAY = "update contents set leaving_at = null where digest = $1";
    /// A content is gone.
    CONTENT_FORGET = "delete from contents where digest = $1 and leaving_at is not null";
    /// The files of a run in the order in which they came.
    ATTACHMENT_LIST = concat!(attachment_columns!(), " order by at, name, digest, place, attempt");
    /// Those of one place in it.
    ATTACHMENTS_OF_PLACE = concat!(attachment_columns!(), " and place = $2 order by at, name, digest, attempt");
    /// One content among them, by the name under which it first came.
    ATTACHMENT_GET = concat!(attachment_columns!(), " and digest = $2 order by at, name, place, attempt limit 1");
}

bulk! {
    /// Files of runs; each once.
    AttachmentsSave: AttachmentRow => "attachments" |row| {
        "run_id" "uuid" = row.run.0;
        "place" "uuid" = row.place.0;
        "attempt" "bigint" = i64::from(row.attempt);
        "digest" "bytea" = &row.attachment.file.0[..];
        "name" "text" = &*row.attachment.name;
        "media_type" "text" = &*row.attachment.media_type;
        "size" "bigint" = row.attachment.size.cast_signed();
        "at" "bigint" = row.at.0;
    } OnConflict::Keep("(run_id, place, attempt, digest, name)");
}

delegate! {
    /// Takes a content in: it stays for a while, and for as long as something
    /// points at it. False while its bytes are being deleted; then it is to be
    /// asked again.
    write fn content_take(digest: Digest, size: u64, now: Timestamp) -> bool;
    /// A content by its digest.
    read fn content_get(digest: Digest) -> Option<ContentRow>;
    /// The next contents after a digest, each with whether nothing needs it:
    /// nothing points at it, and it was not taken in since `before`.
    read fn content_idle(after: Digest, before: Timestamp, limit: u32) -> Vec<(ContentRow, bool)>;
    /// Marks a content that nothing needs: from here on it cannot be taken in
    /// until it is forgotten, or stays after all. A mark from before `died` is
    /// that of a program that ended in the middle. Tells whether it may leave.
    write fn content_leave(digest: Digest, before: Timestamp, now: Timestamp, died: Timestamp) -> bool;
    /// Takes the mark from a content whose bytes could not be deleted.
    write fn content_stay(digest: Digest) -> ();
    /// Forgets a content that was marked and whose bytes are gone.
    write fn content_forget(digest: Digest) -> ();
    /// The files of a run in the order in which they came.
    read fn attachment_list(run: RunId) -> Vec<AttachmentRow>;
    /// Those of a suite or test in it, or of the run itself.
    read fn attachments_of_place(run: RunId, place: PlaceId) -> Vec<AttachmentRow>;
    /// One of them by its content.
    read fn attachment_get(run: RunId, digest: Digest) -> Option<AttachmentRow>;
}

delegate_group! {
    /// Keeps files of runs; one that is there already stays as it is.
    step fn attachment_save(rows: &[AttachmentRow]) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        fn digest(row: &Columns<'_>) -> Answer<Digest> {
            let bytes = row.get::<&[u8]>("digest")?;
            bytes.try_into().map(Digest).map_err(|_| row.corrupt("digest", "it has not 32 bytes".into()))
        }

        fn content(row: &$Row) -> Answer<ContentRow> {
            let row = Columns::of(row, "contents", &[]);
            Ok(ContentRow {
                digest: digest(&row)?,
                size: row.get::<i64>("size")?.unsigned_abs(),
                taken_at: Timestamp(row.get("taken_at")?),
                leaving_at: row.time("leaving_at")?,
            })
        }

        fn attachment(row: &$Row) -> Answer<AttachmentRow> {
            let row = Columns::of(row, "attachments", &["run_id", "place"]);
            let attachment = Attachment {
                file: digest(&row)?,
                name: row.get::<&str>("name")?.into(),
                media_type: row.get::<&str>("media_type")?.into(),
                size: row.get::<i64>("size")?.unsigned_abs(),
            };
            Ok(AttachmentRow {
                run: RunId(row.get("run_id")?),
                place: PlaceId(row.get("place")?),
                attempt: row.count("attempt")?,
                attachment,
                at: Timestamp(row.get("at")?),
            })
        }

        pub(in crate::store) async fn content_take(
            db: &mut $Connection,
            digest: Digest,
            size: u64,
            now: Timestamp,
        ) -> Answer<bool> {
            let query = sqlx::query(CONTENT_TAKE).bind(&digest.0[..]).bind(size.cast_signed()).bind(now.0);
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn content_get(db: &mut $Connection, digest: Digest) -> Answer<Option<ContentRow>> {
            sqlx::query(CONTENT_GET).bind(&digest.0[..]).fetch_optional(db).await?.as_ref().map(content).transpose()
        }

        pub(in crate::store) async fn content_idle(
            db: &mut $Connection,
            after: Digest,
            before: Timestamp,
            limit: u32,
        ) -> Answer<Vec<(ContentRow, bool)>> {
            let query = sqlx::query(CONTENT_IDLE).bind(&after.0[..]).bind(before.0).bind(i64::from(limit));
            let idle = |row: &$Row| {
                let is_idle = Columns::of(row, "contents", &[]).count("idle")? == 1;
                Ok((content(row)?, is_idle))
            };
            all(query.fetch_all(db).await?, idle)
        }

        pub(in crate::store) async fn content_leave(
            db: &mut $Connection,
            digest: Digest,
            before: Timestamp,
            now: Timestamp,
            died: Timestamp,
        ) -> Answer<bool> {
            let query = sqlx::query(CONTENT_LEAVE).bind(&digest.0[..]).bind(before.0).bind(now.0).bind(died.0);
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn content_stay(db: &mut $Connection, digest: Digest) -> Answer<()> {
            sqlx::query(CONTENT_STAY).bind(&digest.0[..]).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn content_forget(db: &mut $Connection, digest: Digest) -> Answer<()> {
            sqlx::query(CONTENT_FORGET).bind(&digest.0[..]).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn attachment_list(db: &mut $Connection, run: RunId) -> Answer<Vec<AttachmentRow>> {
            all(sqlx::query(ATTACHMENT_LIST).bind(run.0).fetch_all(db).await?, attachment)
        }

        pub(in crate::store) async fn attachments_of_place(
            db: &mut $Connection,
            run: RunId,
            place: PlaceId,
        ) -> Answer<Vec<AttachmentRow>> {
            all(sqlx::query(ATTACHMENTS_OF_PLACE).bind(run.0).bind(place.0).fetch_all(db).await?, attachment)
        }

        pub(in crate::store) async fn attachment_get(
            db: &mut $Connection,
            run: RunId,
            digest: Digest,
        ) -> Answer<Option<AttachmentRow>> {
            let row = sqlx::query(ATTACHMENT_GET).bind(run.0).bind(&digest.0[..]).fetch_optional(db).await?;
            row.as_ref().map(attachment).transpose()
        }

        pub(in crate::store) async fn attachment_save(db: &mut $Connection, rows: &[AttachmentRow]) -> Answer<()> {
            dialect::bulk::<AttachmentsSave>(db, rows).await.map(drop)
        }
    };
}
pub(in crate::store) use body;
