//! What has to be known of launches of other protocols.

use super::prelude::*;

statements! {
    /// A launch ($1, $2) of another protocol with its items.
    FOREIGN_LOAD = "select project, launch, item, at, body from foreign_items where project = $1 and launch = $2";
    /// The launches of a project ($1) themselves, the last written first.
    FOREIGN_LAUNCHES = "select project, launch, item, at, body from foreign_items \
                        where item = '' and project = $1 order by at desc limit $2";
    /// Launches that were silent since ($1) are forgotten. The condition is
    /// word for word that of the index.
    FOREIGN_FORGET = "delete from foreign_items where (project, launch) in \
                      (select project, launch from foreign_items where item = '' and at < $1)";
}

bulk! {
    /// Launches of other protocols as they now are.
    ForeignSave: ForeignRow => "foreign_items" |row| {
        "project" "text" = &*row.project;
        "launch" "text" = &*row.launch;
        "item" "text" = &*row.item;
        "at" "bigint" = row.at.0;
        "body" "text" = &*row.body;
    } OnConflict::Replace("(project, launch, item)", &["at", "body"]);
}

delegate! {
    /// A launch of another protocol with its items.
    read fn foreign_load(project: &str, launch: &str) -> Vec<ForeignRow>;
    /// The launches of a project without their items, the last written first.
    read fn foreign_launches(project: &str, limit: u32) -> Vec<ForeignRow>;
    /// Forgets launches of other protocols that were last written before this.
    /// Tells how many rows went.
    write fn foreign_forget(before: Timestamp) -> u64;
}

delegate_group! {
    /// Writes what is known of launches of other protocols, each row once.
    step fn foreign_save(rows: &[ForeignRow]) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn foreign(row: &$Row) -> Result<ForeignRow, StoreError> {
            let row = Columns::of(row, "foreign_items", &["launch", "item"]);
            Ok(ForeignRow {
                project: row.get::<&str>("project")?.into(),
                launch: row.get::<&str>("launch")?.into(),
                item: row.get::<&str>("item")?.into(),
                at: Timestamp(row.get("at")?),
                body: row.get::<&str>("body")?.into(),
            })
        }

        pub(in crate::store) async fn foreign_load(
            db: &mut $Connection,
            project: &str,
            launch: &str,
        ) -> Answer<Vec<ForeignRow>> {
            all(sqlx::query(FOREIGN_LOAD).bind(project).bind(launch).fetch_all(db).await?, foreign)
        }

        pub(in crate::store) async fn foreign_launches(
            db: &mut $Connection,
            project: &str,
            limit: u32,
        ) -> Answer<Vec<ForeignRow>> {
            let query = sqlx::query(FOREIGN_LAUNCHES).bind(project).bind(i64::from(limit));
            all(query.fetch_all(db).await?, foreign)
        }

        pub(in crate::store) async fn foreign_forget(db: &mut $Connection, before: Timestamp) -> Answer<u64> {
            Ok(sqlx::query(FOREIGN_FORGET).bind(before.0).execute(db).await?.rows_affected())
        }

        pub(in crate::store) async fn foreign_save(db: &mut $Connection, rows: &[ForeignRow]) -> Answer<()> {
            dialect::bulk::<ForeignSave>(db, rows).await.map(drop)
        }
    };
}
pub(in crate::store) use body;
