//! What jobs put out: pieces, packed as they came.

use super::prelude::*;

statements! {
    /// A job ($1) is still held by this attempt ($2).
    LOG_HELD = "select attempt from jobs where id = $1 and attempt = $2 and state = 'running'";
    /// The last piece of a job's ($1) attempt ($2).
    LOG_LAST = "select start, size, lines from job_log where job_id = $1 and attempt = $2 order by start desc limit 1";
    /// A piece of a log. One that came twice counts once.
    LOG_INSERT = "insert into job_log (job_id, attempt, start, size, lines, packed) values ($1, $2, $3, $4, $5, $6) \
                  on conflict (job_id, attempt, start) do nothing";
    /// Pieces of an attempt ($2) at a job ($1) that reach beyond a place ($3) and
    /// begin before another one ($4).
    LOG_READ = "select start, size, lines, packed from job_log where job_id = $1 and attempt = $2 \
                and start >= coalesce((select max(p.start) from job_log p where p.job_id = $1 and p.attempt = $2 \
                and p.start <= $3), 0) and start + size > $3 and start < $4 order by start limit $5";
    /// Where the pieces of an attempt ($2) at a job ($1) lie.
    LOG_INDEX = "select start, size, lines from job_log where job_id = $1 and attempt = $2 order by start";
}

delegate! {
    /// Adds a piece to the log of a job, if this attempt still holds it and the
    /// piece begins where the log ends. Tells where it ends now; `None` where
    /// another attempt holds the job, or none.
    whole fn log_append(job: JobId, attempt: u32, piece: &LogPiece) -> Option<u64>;
    /// Where the log of an attempt ends.
    read fn log_end(job: JobId, attempt: u32) -> u64;
    /// The pieces that have something of a range, in their order.
    read fn log_read(job: JobId, attempt: u32, range: std::ops::Range<u64>, limit: u32) -> Vec<LogPiece>;
    /// Where all pieces of an attempt lie, in their order.
    read fn log_index(job: JobId, attempt: u32) -> Vec<LogSpan>;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        fn size(row: &Columns<'_>, column: &'static str) -> Answer<u64> {
            let number: i64 = row.get(column)?;
            u64::try_from(number).map_err(|_| row.corrupt(column, format!("{number} is below 0")))
        }

        pub(super) fn log_piece(row: &$Row) -> Answer<LogPiece> {
            let row = Columns::of(row, "job_log", &[]);
            Ok(LogPiece {
                start: size(&row, "start")?,
                size: row.count("size")?,
                lines: row.count("lines")?,
                packed: row.get("packed")?,
            })
        }

        fn log_span(row: &$Row) -> Answer<LogSpan> {
            let row = Columns::of(row, "job_log", &[]);
            Ok(LogSpan { start: size(&row, "start")?, size: row.count("size")?, lines: row.count("lines")? })
        }

        pub(in crate::store) async fn log_end(db: &mut $Connection, job: JobId, attempt: u32) -> Answer<u64> {
            let query = sqlx::query(LOG_LAST).bind(job.0).bind(i64::from(attempt));
            let Some(row) = query.fetch_optional(db).await? else { return Ok(0) };
            let row = Columns::of(&row, "job_log", &[]);
            Ok(size(&row, "start")? + size(&row, "size")?)
        }

        pub(in crate::store) async fn log_append(
            db: &mut $Connection,
            job: JobId,
            attempt: u32,
            piece: &LogPiece,
        ) -> Answer<Option<u64>> {
            let held = sqlx::query(LOG_HELD).bind(job.0).bind(i64::from(attempt)).fetch_optional(&mut *db).await?;
            if held.is_none() {
                return Ok(None);
            }
            let end = log_end(&mut *db, job, attempt).await?;
            if piece.start != end {
                return Ok(Some(end));
            }
            let query = sqlx::query(LOG_INSERT)
                .bind(job.0)
                .bind(i64::from(attempt))
                .bind(piece.start.cast_signed())
                .bind(i64::from(piece.size))
                .bind(i64::from(piece.lines))
                .bind(&piece.packed);
            query.execute(&mut *db).await?;
            Ok(Some(end + u64::from(piece.size)))
        }

        pub(in crate::store) async fn log_read(
            db: &mut $Connection,
            job: JobId,
            attempt: u32,
            range: std::ops::Range<u64>,
            limit: u32,
        ) -> Answer<Vec<LogPiece>> {
            let query = sqlx::query(LOG_READ)
                .bind(job.0)
                .bind(i64::from(attempt))
                .bind(i64::try_from(range.start).unwrap_or(i64::MAX))
                .bind(i64::try_from(range.end).unwrap_or(i64::MAX))
                .bind(i64::from(limit));
            all(query.fetch_all(db).await?, log_piece)
        }

        pub(in crate::store) async fn log_index(
            db: &mut $Connection,
            job: JobId,
            attempt: u32,
        ) -> Answer<Vec<LogSpan>> {
            let query = sqlx::query(LOG_INDEX).bind(job.0).bind(i64::from(attempt));
            all(query.fetch_all(db).await?, log_span)
        }
    };
}
pub(in crate::store) use body;
