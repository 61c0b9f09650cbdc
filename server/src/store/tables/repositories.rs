//! Repositories that were added on the page, and what their forges last told.

use super::prelude::*;

statements! {
    /// A repository as it now is.
    REPOSITORY_SAVE = "insert into repositories (name, body, changed_at) values ($1, $2, $3) \
                       on conflict (name) do update set body = excluded.body, changed_at = excluded.changed_at";
    /// A repository ($1).
    REPOSITORY_GET = "select name, body, changed_at from repositories where name = $1";
    /// All of them, by name.
    REPOSITORY_LIST = "select name, body, changed_at from repositories order by name";
    /// A repository ($1) is no more.
    REPOSITORY_DELETE = "delete from repositories where name = $1";
    /// A forge told something of a repository.
    DELIVERY_SAVE = "insert into deliveries (repository, kind, at) values ($1, $2, $3) \
                     on conflict (repository) do update set kind = excluded.kind, at = excluded.at";
    /// What was last told of each repository.
    DELIVERY_LIST = "select repository, kind, at from deliveries";
}

delegate! {
    /// Keeps a repository as it now is.
    write fn repository_save(row: &RepositoryRow) -> ();
    /// A repository.
    read fn repository_get(name: &str) -> Option<RepositoryRow>;
    /// All repositories that were added, by name.
    read fn repository_list() -> Vec<RepositoryRow>;
    /// A repository is no more. Tells whether it was there.
    write fn repository_delete(name: &str) -> bool;
    /// A forge told something of a repository.
    write fn delivery_save(row: &DeliveryRow) -> ();
    /// What was last told of each repository.
    read fn delivery_list() -> Vec<DeliveryRow>;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn repository(row: &$Row) -> Answer<RepositoryRow> {
            let row = Columns::of(row, "repositories", &[]);
            Ok(RepositoryRow {
                name: row.get::<&str>("name")?.into(),
                body: row.get::<&str>("body")?.into(),
                changed_at: Timestamp(row.get("changed_at")?),
            })
        }

        pub(super) fn delivery(row: &$Row) -> Answer<DeliveryRow> {
            let row = Columns::of(row, "deliveries", &[]);
            Ok(DeliveryRow {
                repository: row.get::<&str>("repository")?.into(),
                kind: row.get::<&str>("kind")?.into(),
                at: Timestamp(row.get("at")?),
            })
        }

        pub(in crate::store) async fn repository_save(db: &mut $Connection, row: &RepositoryRow) -> Answer<()> {
            let query = sqlx::query(REPOSITORY_SAVE).bind(&*row.name).bind(&*row.body).bind(row.changed_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn repository_get(
            db: &mut $Connection,
            name: &str,
        ) -> Answer<Option<RepositoryRow>> {
            sqlx::query(REPOSITORY_GET).bind(name).fetch_optional(db).await?.as_ref().map(repository).transpose()
        }

        pub(in crate::store) async fn repository_list(db: &mut $Connection) -> Answer<Vec<RepositoryRow>> {
            all(sqlx::query(REPOSITORY_LIST).fetch_all(db).await?, repository)
        }

        pub(in crate::store) async fn repository_delete(db: &mut $Connection, name: &str) -> Answer<bool> {
            Ok(sqlx::query(REPOSITORY_DELETE).bind(name).execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn delivery_save(db: &mut $Connection, row: &DeliveryRow) -> Answer<()> {
            sqlx::query(DELIVERY_SAVE).bind(&*row.repository).bind(&*row.kind).bind(row.at.0).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn delivery_list(db: &mut $Connection) -> Answer<Vec<DeliveryRow>> {
            all(sqlx::query(DELIVERY_LIST).fetch_all(db).await?, delivery)
        }
    };
}
pub(in crate::store) use body;
