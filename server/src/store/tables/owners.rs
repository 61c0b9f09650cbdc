//! Who looks after which file of a project.

use super::prelude::*;

statements! {
    /// The file of a project as it now is.
    OWNERS_SAVE = "insert into codeowners (project, body, changed_at) values ($1, $2, $3) \
                   on conflict (project) do update set body = excluded.body, changed_at = excluded.changed_at";
    /// The file of a project ($1).
    OWNERS_GET = "select project, body, changed_at from codeowners where project = $1";
    /// A project ($1) has none any more.
    OWNERS_DELETE = "delete from codeowners where project = $1";
}

delegate! {
    /// Keeps the file that says who looks after what in a project.
    write fn owners_save(row: &OwnersRow) -> ();
    /// The file that says who looks after what in a project.
    read fn owners_get(project: &ProjectName) -> Option<OwnersRow>;
    /// A project has no such file any more. Tells whether it had one.
    write fn owners_delete(project: &ProjectName) -> bool;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn owners(row: &$Row) -> Result<OwnersRow, StoreError> {
            let row = Columns::of(row, "codeowners", &[]);
            Ok(OwnersRow {
                project: ProjectName::stored(row.get::<&str>("project")?),
                body: row.get::<&str>("body")?.into(),
                changed_at: Timestamp(row.get("changed_at")?),
            })
        }

        pub(in crate::store) async fn owners_save(db: &mut $Connection, row: &OwnersRow) -> Answer<()> {
            let query = sqlx::query(OWNERS_SAVE).bind(row.project.as_str()).bind(&*row.body).bind(row.changed_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn owners_get(
            db: &mut $Connection,
            project: &ProjectName,
        ) -> Answer<Option<OwnersRow>> {
            let rows = sqlx::query(OWNERS_GET).bind(project.as_str()).fetch_all(db).await?;
            Ok(all(rows, owners)?.pop())
        }

        pub(in crate::store) async fn owners_delete(db: &mut $Connection, project: &ProjectName) -> Answer<bool> {
            Ok(sqlx::query(OWNERS_DELETE).bind(project.as_str()).execute(db).await?.rows_affected() > 0)
        }
    };
}
pub(in crate::store) use body;
