//! Saved walls, and who looks after a setup.

use super::prelude::*;

statements! {
    /// A wall as it now is.
    WALL_SAVE = "insert into walls (name, body, changed_at) values ($1, $2, $3) \
                 on conflict (name) do update set body = excluded.body, changed_at = excluded.changed_at";
    /// A wall ($1).
    WALL_GET = "select name, body, changed_at from walls where name = $1";
    /// All walls, by name.
    WALL_LIST = "select name, body, changed_at from walls order by name";
    /// A wall ($1) is no more.
    WALL_DELETE = "delete from walls where name = $1";
    /// A setup is looked after by somebody; the last word stands.
    CLAIM_SAVE = "insert into claims (setup_id, holder, note, at) values ($1, $2, $3, $4) \
                  on conflict (setup_id) do update set holder = excluded.holder, note = excluded.note, at = excluded.at";
    /// Who looks after which setup.
    CLAIM_LIST = "select setup_id, holder, note, at from claims";
    /// Nobody needs to look after a setup ($1) any more, if the claim is as old as that ($2).
    CLAIM_END = "delete from claims where setup_id = $1 and at <= $2";
}

delegate! {
    /// Keeps a wall as it now is.
    write fn wall_save(row: &WallRow) -> ();
    /// A saved wall.
    read fn wall_get(name: &str) -> Option<WallRow>;
    /// All saved walls, by name.
    read fn wall_list() -> Vec<WallRow>;
    /// A wall is no more. Tells whether it was there.
    write fn wall_delete(name: &str) -> bool;
    /// Somebody looks after a setup; whoever did before is let off.
    write fn claim_save(row: &ClaimRow) -> ();
    /// Who looks after which setup.
    read fn claim_list() -> Vec<ClaimRow>;
    /// A claim that is as old as that, or older, is over. Tells whether there
    /// was one.
    write fn claim_end(setup: SetupId, at: Timestamp) -> bool;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn saved_wall(row: &$Row) -> Result<WallRow, StoreError> {
            let row = Columns::of(row, "walls", &[]);
            Ok(WallRow {
                name: row.get::<&str>("name")?.into(),
                body: row.get::<&str>("body")?.into(),
                changed_at: Timestamp(row.get("changed_at")?),
            })
        }

        pub(super) fn claim(row: &$Row) -> Result<ClaimRow, StoreError> {
            let row = Columns::of(row, "claims", &["setup_id"]);
            Ok(ClaimRow {
                setup: SetupId(row.get("setup_id")?),
                holder: row.get::<&str>("holder")?.into(),
                note: row.text("note")?,
                at: Timestamp(row.get("at")?),
            })
        }

        pub(in crate::store) async fn wall_save(db: &mut $Connection, row: &WallRow) -> Answer<()> {
            let query = sqlx::query(WALL_SAVE).bind(&*row.name).bind(&*row.body).bind(row.changed_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn wall_get(db: &mut $Connection, name: &str) -> Answer<Option<WallRow>> {
            let row = sqlx::query(WALL_GET).bind(name).fetch_optional(db).await?;
            row.as_ref().map(saved_wall).transpose()
        }

        pub(in crate::store) async fn wall_list(db: &mut $Connection) -> Answer<Vec<WallRow>> {
            all(sqlx::query(WALL_LIST).fetch_all(db).await?, saved_wall)
        }

        pub(in crate::store) async fn wall_delete(db: &mut $Connection, name: &str) -> Answer<bool> {
            Ok(sqlx::query(WALL_DELETE).bind(name).execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn claim_save(db: &mut $Connection, row: &ClaimRow) -> Answer<()> {
            let query =
                sqlx::query(CLAIM_SAVE).bind(row.setup.0).bind(&*row.holder).bind(row.note.as_deref()).bind(row.at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn claim_list(db: &mut $Connection) -> Answer<Vec<ClaimRow>> {
            all(sqlx::query(CLAIM_LIST).fetch_all(db).await?, claim)
        }

        pub(in crate::store) async fn claim_end(db: &mut $Connection, setup: SetupId, at: Timestamp) -> Answer<bool> {
            let query = sqlx::query(CLAIM_END).bind(setup.0).bind(at.0);
            Ok(query.execute(db).await?.rows_affected() > 0)
        }
    };
}
pub(in crate::store) use body;
