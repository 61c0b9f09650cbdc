//! Who did what.

use super::prelude::*;

statements! {
    /// Somebody did something.
    AUDIT_INSERT = "insert into audit (id, at, actor, action, subject, detail, address) \
                    values ($1, $2, $3, $4, $5, $6, $7)";
    /// What was done before ($1), the newest first.
    AUDIT_PAGE = "select id, at, actor, action, subject, detail, address from audit \
                  where id < $1 order by id desc limit $2";
    /// What was done long ago.
    AUDIT_FORGET = "delete from audit where id in (select id from audit where at < $1 order by id limit $2)";
}

delegate! {
    /// Keeps what somebody did.
    write fn audit_insert(row: &AuditRow) -> ();
    /// What was done before this id, the newest first.
    read fn audit_page(before: Uuid, limit: u32) -> Vec<AuditRow>;
    /// Forgets some of what was done before a time. Tells how many rows went.
    write fn audit_forget(before: Timestamp, limit: u32) -> u64;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn deed(row: &$Row) -> Result<AuditRow, StoreError> {
            let row = Columns::of(row, "audit", &["id"]);
            Ok(AuditRow {
                id: row.get("id")?,
                at: Timestamp(row.get("at")?),
                actor: row.get::<&str>("actor")?.into(),
                action: row.get::<&str>("action")?.into(),
                subject: row.get::<&str>("subject")?.into(),
                detail: row.text("detail")?,
                address: row.text("address")?,
            })
        }

        pub(in crate::store) async fn audit_insert(db: &mut $Connection, row: &AuditRow) -> Answer<()> {
            let query = sqlx::query(AUDIT_INSERT)
                .bind(row.id)
                .bind(row.at.0)
                .bind(&*row.actor)
                .bind(&*row.action)
                .bind(&*row.subject)
                .bind(row.detail.as_deref())
                .bind(row.address.as_deref());
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn audit_page(
            db: &mut $Connection,
            before: Uuid,
            limit: u32,
        ) -> Answer<Vec<AuditRow>> {
            all(sqlx::query(AUDIT_PAGE).bind(before).bind(i64::from(limit)).fetch_all(db).await?, deed)
        }

        pub(in crate::store) async fn audit_forget(db: &mut $Connection, before: Timestamp, limit: u32) -> Answer<u64> {
            let query = sqlx::query(AUDIT_FORGET).bind(before.0).bind(i64::from(limit));
            Ok(query.execute(db).await?.rows_affected())
        }
    };
}
pub(in crate::store) use body;
