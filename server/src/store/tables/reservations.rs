//! Reservations: setups that somebody keeps for themselves for a while.
//!
//! One that is over counts for nothing, whether its row is still there or not.

use super::prelude::*;

statements! {
    /// Somebody keeps a setup, unless somebody else does.
    RESERVATION_SAVE = "insert into reservations (setup, holder, reason, at, ends_at) values ($1, $2, $3, $4, $5) \
                        on conflict (setup) do update set holder = excluded.holder, reason = excluded.reason, \
                        at = excluded.at, ends_at = excluded.ends_at \
                        where reservations.ends_at <= excluded.at or reservations.holder = excluded.holder";
    /// Who keeps a setup ($1).
    RESERVATION_GET = "select setup, holder, reason, at, ends_at from reservations where setup = $1";
    /// Who keeps which setup, by name, beyond ($1).
    RESERVATION_LIST = "select setup, holder, reason, at, ends_at from reservations where ends_at > $1 order by setup";
    /// Nobody keeps a setup ($1).
    RESERVATION_END = "delete from reservations where setup = $1";
    /// What was over at ($1) is forgotten.
    RESERVATION_FORGET = "delete from reservations where ends_at <= $1";
}

delegate! {
    /// Somebody keeps a setup from `at` on. Tells whether they do: where
    /// somebody else does, nothing changes.
    write fn reservation_save(row: &ReservationRow) -> bool;
    /// Who keeps a setup, or did.
    read fn reservation_get(setup: &str) -> Option<ReservationRow>;
    /// Who keeps which setup, by name.
    read fn reservation_list(now: Timestamp) -> Vec<ReservationRow>;
    /// Nobody keeps a setup. Tells whether somebody did.
    write fn reservation_end(setup: &str) -> bool;
    /// Forgets what is over. Tells how many.
    write fn reservation_forget(now: Timestamp) -> u64;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn reservation(row: &$Row) -> Answer<ReservationRow> {
            let row = Columns::of(row, "reservations", &[]);
            Ok(ReservationRow {
                setup: row.get::<&str>("setup")?.into(),
                holder: row.get::<&str>("holder")?.into(),
                reason: row.get::<&str>("reason")?.into(),
                at: Timestamp(row.get("at")?),
                ends_at: Timestamp(row.get("ends_at")?),
            })
        }

        pub(in crate::store) async fn reservation_save(db: &mut $Connection, row: &ReservationRow) -> Answer<bool> {
            let query = sqlx::query(RESERVATION_SAVE)
                .bind(&*row.setup)
                .bind(&*row.holder)
                .bind(&*row.reason)
                .bind(row.at.0)
                .bind(row.ends_at.0);
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn reservation_get(
            db: &mut $Connection,
            setup: &str,
        ) -> Answer<Option<ReservationRow>> {
            sqlx::query(RESERVATION_GET).bind(setup).fetch_optional(db).await?.as_ref().map(reservation).transpose()
        }

        pub(in crate::store) async fn reservation_list(
            db: &mut $Connection,
            now: Timestamp,
        ) -> Answer<Vec<ReservationRow>> {
            all(sqlx::query(RESERVATION_LIST).bind(now.0).fetch_all(db).await?, reservation)
        }

        pub(in crate::store) async fn reservation_end(db: &mut $Connection, setup: &str) -> Answer<bool> {
            Ok(sqlx::query(RESERVATION_END).bind(setup).execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn reservation_forget(db: &mut $Connection, now: Timestamp) -> Answer<u64> {
            Ok(sqlx::query(RESERVATION_FORGET).bind(now.0).execute(db).await?.rows_affected())
        }
    };
}
pub(in crate::store) use body;
