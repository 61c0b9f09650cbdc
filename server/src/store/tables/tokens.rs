//! Tokens, by the hashes of their secrets.

use super::prelude::*;

macro_rules! token_columns {
    () => {
        "select id, hash, scope, setup, project, label, created_at, expires_at, revoked_at, used_at, wall, used_from, \
         created_by from tokens"
    };
}

statements! {
    /// A new token.
    TOKEN_INSERT = "insert into tokens \
                    (id, hash, scope, setup, project, label, created_at, expires_at, revoked_at, used_at, \
                    wall, used_from, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// A token by the hash of its secret.
    TOKEN_BY_HASH = concat!(token_columns!(), " where hash = $1");
    /// All tokens, the newest first.
    TOKEN_LIST = concat!(token_columns!(), " order by created_at desc, id desc");
    /// A token was used.
    TOKEN_TOUCH = "update tokens set used_at = $2, used_from = $3 where id = $1";
    /// A token is no longer valid. The first word stands.
    TOKEN_REVOKE = "update tokens set revoked_at = $2 where id = $1 and revoked_at is null";
}

delegate! {
    /// Keeps a new token.
    write fn token_insert(row: &TokenRow) -> ();
    /// A token by the hash of its secret.
    read fn token_by_hash(hash: &[u8; 32]) -> Option<TokenRow>;
    /// All tokens, the newest first.
    read fn token_list() -> Vec<TokenRow>;
    /// A token was used.
    write fn token_touch(id: TokenId, at: Timestamp, from: Option<&str>) -> ();
    /// A token is no longer valid. Tells whether it was until now.
    whole fn token_revoke(id: TokenId, at: Timestamp) -> bool;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn token(row: &$Row) -> Result<TokenRow, StoreError> {
            let row = Columns::of(row, "tokens", &["id"]);
            Ok(TokenRow {
                id: TokenId(row.get("id")?),
                hash: row.hash("hash")?,
                scope: row.get::<&str>("scope")?.into(),
                setup: row.get::<Option<&str>>("setup")?.map(SetupName::stored),
                project: row.get::<Option<&str>>("project")?.map(ProjectName::stored),
                label: row.text("label")?,
                created_at: Timestamp(row.get("created_at")?),
                expires_at: row.time("expires_at")?,
                revoked_at: row.time("revoked_at")?,
                used_at: row.time("used_at")?,
                wall: row.text("wall")?,
                used_from: row.text("used_from")?,
                created_by: row.text("created_by")?,
            })
        }

        pub(in crate::store) async fn token_insert(db: &mut $Connection, row: &TokenRow) -> Answer<()> {
            let query = sqlx::query(TOKEN_INSERT)
                .bind(row.id.0)
                .bind(&row.hash[..])
                .bind(&*row.scope)
                .bind(row.setup.as_ref().map(|setup| setup.as_str()))
                .bind(row.project.as_ref().map(|project| project.as_str()))
                .bind(row.label.as_deref())
                .bind(row.created_at.0)
                .bind(row.expires_at.map(|at| at.0))
                .bind(row.revoked_at.map(|at| at.0))
                .bind(row.used_at.map(|at| at.0))
                .bind(row.wall.as_deref())
                .bind(row.used_from.as_deref())
                .bind(row.created_by.as_deref());
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn token_by_hash(db: &mut $Connection, hash: &[u8; 32]) -> Answer<Option<TokenRow>> {
            let row = sqlx::query(TOKEN_BY_HASH).bind(&hash[..]).fetch_optional(db).await?;
            row.as_ref().map(token).transpose()
        }

        pub(in crate::store) async fn token_list(db: &mut $Connection) -> Answer<Vec<TokenRow>> {
            all(sqlx::query(TOKEN_LIST).fetch_all(db).await?, token)
        }

        pub(in crate::store) async fn token_touch(
            db: &mut $Connection,
            id: TokenId,
            at: Timestamp,
            from: Option<&str>,
        ) -> Answer<()> {
            sqlx::query(TOKEN_TOUCH).bind(id.0).bind(at.0).bind(from).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn token_revoke(db: &mut $Connection, id: TokenId, at: Timestamp) -> Answer<bool> {
            let done = sqlx::query(TOKEN_REVOKE).bind(id.0).bind(at.0).execute(&mut *db).await?;
            super::access_changed(db).await?;
            Ok(done.rows_affected() > 0)
        }
    };
}
pub(in crate::store) use body;
