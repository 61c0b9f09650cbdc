//! What is to be said to other servers, and which of our own says it.

use super::prelude::*;

macro_rules! letter_columns {
    () => {
        "select id, subject, body, created_at, due_at, tries, fault, given_up_at from outbox"
    };
}

statements! {
    /// A letter is written; one about the same subject is taken back.
    OUTBOX_PUT = "insert into outbox (id, subject, body, created_at, due_at, tries) values ($1, $2, $3, $4, $5, 0) \
                  on conflict (subject) do update set id = excluded.id, body = excluded.body, \
                  created_at = excluded.created_at, due_at = excluded.due_at, tries = 0, fault = null, \
                  given_up_at = null";
    /// Letters whose time has come, the longest due first.
    OUTBOX_DUE = concat!(letter_columns!(), " where given_up_at is null and due_at <= $1 order by due_at, id limit $2");
    /// Letters that were tried and not taken, the newest first.
    OUTBOX_FAULTY = concat!(letter_columns!(), " where fault is not null order by id desc limit $1");
    /// A letter ($1) was taken.
    OUTBOX_DONE = "delete from outbox where id = $1";
    /// A letter ($1) is to be tried again at $2.
    OUTBOX_AGAIN = "update outbox set due_at = $2, fault = $3, tries = tries + 1 where id = $1";
    /// A letter ($1) is given up.
    OUTBOX_GIVE_UP = "update outbox set given_up_at = $2, fault = $3, tries = tries + 1 where id = $1";
    /// Only the newest $1 letters stay, and those that were given up go after a while ($2).
    OUTBOX_SHED = "delete from outbox where given_up_at < $2 \
                   or id <= (select id from outbox order by id desc limit 1 offset $1)";
    /// A server takes or keeps a lease, where it is free.
    LEASE_TAKE = "insert into leases (name, holder, ends_at) values ($1, $2, $3) \
                  on conflict (name) do update set holder = excluded.holder, ends_at = excluded.ends_at \
                  where leases.holder = excluded.holder or leases.ends_at <= $4";
    /// What was said of the commits of the newest $2 runs of a setup ($1).
    COMMIT_STATUS_LIST = "select c.run_id, c.state, c.at from commit_statuses c join (select id from runs \
                          where setup_id = $1 order by created_at desc, id desc limit $2) n on n.id = c.run_id";
    /// Something is said of a run's commit.
    COMMIT_STATUS_SAVE = "insert into commit_statuses (run_id, state, at) values ($1, $2, $3) \
                          on conflict (run_id) do update set state = excluded.state, at = excluded.at";
}

delegate! {
    /// Writes a letter; one about the same subject that was not taken yet is
    /// taken back.
    write fn outbox_put(row: &LetterRow) -> ();
    /// Letters whose time has come, the longest due first.
    read fn outbox_due(now: Timestamp, limit: u32) -> Vec<LetterRow>;
    /// Letters that were tried and not taken, the newest first.
    read fn outbox_faulty(limit: u32) -> Vec<LetterRow>;
    /// A letter was taken.
    write fn outbox_done(id: Uuid) -> ();
    /// A letter was not taken, for this reason, and is to be tried again then.
    write fn outbox_again(id: Uuid, due_at: Timestamp, fault: &str) -> ();
    /// A letter was not taken, for this reason, and never will be.
    write fn outbox_give_up(id: Uuid, at: Timestamp, fault: &str) -> ();
    /// Only so many letters stay, the newest; those that were given up before
    /// a time go. Tells how many went.
    write fn outbox_shed(most: u32, given_up_before: Timestamp) -> u64;
    /// Takes or keeps a lease until a time. Tells whether it is this holder's.
    write fn lease_take(name: &str, holder: Uuid, ends_at: Timestamp, now: Timestamp) -> bool;
    /// What was last said of the commits of a setup's newest runs.
    read fn commit_status_list(setup: SetupId, runs: u32) -> Vec<CommitStatusRow>;
}

delegate_group! {
    /// As [`Store::outbox_put`], in this transaction.
    step fn outbox_put(row: &LetterRow) -> ();
    /// Notes what is being said of a run's commit.
    step fn commit_status_save(row: &CommitStatusRow) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn letter(row: &$Row) -> Result<LetterRow, StoreError> {
            let row = Columns::of(row, "outbox", &["id"]);
            Ok(LetterRow {
                id: row.get("id")?,
                subject: row.text("subject")?,
                body: row.get::<&str>("body")?.into(),
                created_at: Timestamp(row.get("created_at")?),
                due_at: Timestamp(row.get("due_at")?),
                tries: row.count("tries")?,
                fault: row.text("fault")?,
                given_up_at: row.time("given_up_at")?,
            })
        }

        pub(super) fn commit_status(row: &$Row) -> Result<CommitStatusRow, StoreError> {
            let row = Columns::of(row, "commit_statuses", &["run_id"]);
            Ok(CommitStatusRow {
                run: RunId(row.get("run_id")?),
                state: row.get::<&str>("state")?.into(),
                at: Timestamp(row.get("at")?),
            })
        }

        pub(in crate::store) async fn outbox_put(db: &mut $Connection, row: &LetterRow) -> Answer<()> {
            let query = sqlx::query(OUTBOX_PUT)
                .bind(row.id)
                .bind(row.subject.as_deref())
                .bind(&*row.body)
                .bind(row.created_at.0)
                .bind(row.due_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn outbox_due(
            db: &mut $Connection,
            now: Timestamp,
            limit: u32,
        ) -> Answer<Vec<LetterRow>> {
            all(sqlx::query(OUTBOX_DUE).bind(now.0).bind(i64::from(limit)).fetch_all(db).await?, letter)
        }

        pub(in crate::store) async fn outbox_faulty(db: &mut $Connection, limit: u32) -> Answer<Vec<LetterRow>> {
            all(sqlx::query(OUTBOX_FAULTY).bind(i64::from(limit)).fetch_all(db).await?, letter)
        }

        pub(in crate::store) async fn outbox_done(db: &mut $Connection, id: Uuid) -> Answer<()> {
            sqlx::query(OUTBOX_DONE).bind(id).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn outbox_again(
            db: &mut $Connection,
            id: Uuid,
            due_at: Timestamp,
            fault: &str,
        ) -> Answer<()> {
            sqlx::query(OUTBOX_AGAIN).bind(id).bind(due_at.0).bind(fault).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn outbox_give_up(
            db: &mut $Connection,
            id: Uuid,
            at: Timestamp,
            fault: &str,
        ) -> Answer<()> {
            sqlx::query(OUTBOX_GIVE_UP).bind(id).bind(at.0).bind(fault).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn outbox_shed(
            db: &mut $Connection,
            most: u32,
            given_up_before: Timestamp,
        ) -> Answer<u64> {
            let query = sqlx::query(OUTBOX_SHED).bind(i64::from(most)).bind(given_up_before.0);
            Ok(query.execute(db).await?.rows_affected())
        }

        pub(in crate::store) async fn lease_take(
            db: &mut $Connection,
            name: &str,
            holder: Uuid,
            ends_at: Timestamp,
            now: Timestamp,
        ) -> Answer<bool> {
            let query = sqlx::query(LEASE_TAKE).bind(name).bind(holder).bind(ends_at.0).bind(now.0);
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn commit_status_list(
            db: &mut $Connection,
            setup: SetupId,
            runs: u32,
        ) -> Answer<Vec<CommitStatusRow>> {
            let query = sqlx::query(COMMIT_STATUS_LIST).bind(setup.0).bind(i64::from(runs));
            all(query.fetch_all(db).await?, commit_status)
        }

        pub(in crate::store) async fn commit_status_save(db: &mut $Connection, row: &CommitStatusRow) -> Answer<()> {
            let query = sqlx::query(COMMIT_STATUS_SAVE).bind(row.run.0).bind(&*row.state).bind(row.at.0);
            query.execute(db).await?;
            Ok(())
        }
    };
}
pub(in crate::store) use body;
