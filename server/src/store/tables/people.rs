//! People, their roles, and the mark that says when a right was taken away.

use super::prelude::*;

macro_rules! user_columns {
    () => {
        "select id, name, email, role, password, subject, created_at, disabled_at, seen_at from users"
    };
}

statements! {
    /// A new account.
    USER_INSERT = "insert into users (id, name, email, role, password, subject, created_at, disabled_at, seen_at) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// An account ($1).
    USER_GET = concat!(user_columns!(), " where id = $1");
    /// An account by its name.
    USER_BY_NAME = concat!(user_columns!(), " where name = $1");
    /// An account by its address for mail.
    USER_BY_EMAIL = concat!(user_columns!(), " where email = $1");
    /// An account by issuer and subject at an OpenID provider.
    USER_BY_SUBJECT = concat!(user_columns!(), " where subject = $1");
    /// All accounts, by name.
    USER_LIST = concat!(user_columns!(), " order by name");
    /// How many accounts there are.
    USER_COUNT = "select count(*) as number from users";
    /// What is said of an account ($1). The last administrator who can sign in
    /// stays one.
    USER_UPDATE = "update users set email = $2, role = $3, disabled_at = $4, subject = $5 where id = $1 \
                   and ((cast($3 as text) = 'administrator' and cast($4 as bigint) is null) or role is null or role <> 'administrator' \
                   or disabled_at is not null or exists (select 1 from users as other where other.id <> $1 \
                   and other.role = 'administrator' and other.disabled_at is null))";
    /// An account ($1) is no more; the last administrator stays.
    USER_DELETE = "delete from users where id = $1 and (role is null or role <> 'administrator' \
                   or disabled_at is not null or exists (select 1 from users as other where other.id <> $1 \
                   and other.role = 'administrator' and other.disabled_at is null))";
    /// Somebody signed in.
    USER_SEEN = "update users set seen_at = $2 where id = $1";
    /// A new password ($2).
    USER_PASSWORD = "update users set password = $2 where id = $1";
    /// A role in a project.
    GRANT_INSERT = "insert into grants (user_id, project, role) values ($1, $2, $3) \
                    on conflict (user_id, project) do update set role = excluded.role";
    /// No role in any project.
    GRANT_CLEAR = "delete from grants where user_id = $1";
    /// Every role in a project.
    GRANT_LIST = "select user_id, project, role from grants order by project";
    /// The roles of somebody ($1) in projects.
    GRANTS_OF = "select user_id, project, role from grants where user_id = $1 order by project";
    /// When rights were last taken away.
    ACCESS_MARK = "select version from access_mark where one = 1";
    /// Rights were taken away.
    ACCESS_CHANGED = "update access_mark set version = version + 1 where one = 1";
}

delegate! {
    /// Keeps a new account.
    write fn user_insert(row: &UserRow) -> ();
    /// An account.
    read fn user_get(id: UserId) -> Option<UserRow>;
    /// An account by its name, in lower case.
    read fn user_by_name(name: &str) -> Option<UserRow>;
    /// An account by its address for mail, in lower case.
    read fn user_by_email(email: &str) -> Option<UserRow>;
    /// An account by issuer and subject at an OpenID provider.
    read fn user_by_subject(subject: &str) -> Option<UserRow>;
    /// All accounts, by name.
    read fn user_list() -> Vec<UserRow>;
    /// How many accounts there are.
    read fn user_count() -> u32;
    /// Writes email, role, subject and since when it is disabled. Tells whether
    /// it did: the last administrator who can sign in stays one.
    whole fn user_update(row: &UserRow) -> bool;
    /// Forgets an account with all that belongs to it. Tells whether it did.
    whole fn user_delete(id: UserId) -> bool;
    /// Somebody signed in.
    write fn user_seen(id: UserId, at: Timestamp) -> ();
    /// Sets a password. Links and all sessions but one end.
    whole fn password_set(id: UserId, password: &str, keep: Option<SessionId>) -> ();
    /// Gives somebody these roles in projects, and no others.
    whole fn grants_set(id: UserId, rows: &[GrantRow]) -> ();
    /// Every role in a project, by project.
    read fn grant_list() -> Vec<GrantRow>;
    /// The roles of somebody in projects.
    read fn grants_of(id: UserId) -> Vec<GrantRow>;
    /// A number that rises whenever a right is taken away.
    read fn access_mark() -> i64;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        use $crate::store::tables::sessions::{LINKS_OF_END, SESSIONS_END};

        pub(super) fn user(row: &$Row) -> Result<UserRow, StoreError> {
            let row = Columns::of(row, "users", &["id"]);
            Ok(UserRow {
                id: UserId(row.get("id")?),
                name: row.get::<&str>("name")?.into(),
                email: row.text("email")?,
                role: role_of(&row)?,
                password: row.text("password")?,
                subject: row.text("subject")?,
                created_at: Timestamp(row.get("created_at")?),
                disabled_at: row.time("disabled_at")?,
                seen_at: row.time("seen_at")?,
            })
        }

        /// A word that this version does not know gives no right.
        fn role_of(row: &Columns<'_>) -> Answer<Option<Role>> {
            Ok(row.get::<Option<&str>>("role")?.and_then(Role::parse))
        }

        pub(super) fn grant(row: &$Row) -> Result<GrantRow, StoreError> {
            let row = Columns::of(row, "grants", &["user_id"]);
            Ok(GrantRow {
                user: UserId(row.get("user_id")?),
                project: ProjectName::stored(row.get::<&str>("project")?),
                role: row.word("role", Role::parse)?,
            })
        }

        /// To be called wherever a right is taken away, in the same transaction.
        pub(in crate::store) async fn access_changed(db: &mut $Connection) -> Answer<()> {
            sqlx::query(ACCESS_CHANGED).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn user_insert(db: &mut $Connection, row: &UserRow) -> Answer<()> {
            let query = sqlx::query(USER_INSERT)
                .bind(row.id.0)
                .bind(&*row.name)
                .bind(row.email.as_deref())
                .bind(row.role.map(Role::as_str))
                .bind(row.password.as_deref())
                .bind(row.subject.as_deref())
                .bind(row.created_at.0)
                .bind(row.disabled_at.map(|at| at.0))
                .bind(row.seen_at.map(|at| at.0));
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn user_get(db: &mut $Connection, id: UserId) -> Answer<Option<UserRow>> {
            let row = sqlx::query(USER_GET).bind(id.0).fetch_optional(db).await?;
            row.as_ref().map(user).transpose()
        }

        pub(in crate::store) async fn user_by_name(db: &mut $Connection, name: &str) -> Answer<Option<UserRow>> {
            let row = sqlx::query(USER_BY_NAME).bind(name).fetch_optional(db).await?;
            row.as_ref().map(user).transpose()
        }

        pub(in crate::store) async fn user_by_email(db: &mut $Connection, email: &str) -> Answer<Option<UserRow>> {
            let row = sqlx::query(USER_BY_EMAIL).bind(email).fetch_optional(db).await?;
            row.as_ref().map(user).transpose()
        }

        pub(in crate::store) async fn user_by_subject(db: &mut $Connection, subject: &str) -> Answer<Option<UserRow>> {
            let row = sqlx::query(USER_BY_SUBJECT).bind(subject).fetch_optional(db).await?;
            row.as_ref().map(user).transpose()
        }

        pub(in crate::store) async fn user_list(db: &mut $Connection) -> Answer<Vec<UserRow>> {
            all(sqlx::query(USER_LIST).fetch_all(db).await?, user)
        }

        pub(in crate::store) async fn user_count(db: &mut $Connection) -> Answer<u32> {
            let row = sqlx::query(USER_COUNT).fetch_one(db).await?;
            Columns::of(&row, "users", &[]).count("number")
        }

        pub(in crate::store) async fn user_update(db: &mut $Connection, row: &UserRow) -> Answer<bool> {
            let query = sqlx::query(USER_UPDATE)
                .bind(row.id.0)
                .bind(row.email.as_deref())
                .bind(row.role.map(Role::as_str))
                .bind(row.disabled_at.map(|at| at.0))
                .bind(row.subject.as_deref());
            let done = query.execute(&mut *db).await?.rows_affected() > 0;
            access_changed(db).await?;
            Ok(done)
        }

        pub(in crate::store) async fn user_delete(db: &mut $Connection, id: UserId) -> Answer<bool> {
            let done = sqlx::query(USER_DELETE).bind(id.0).execute(&mut *db).await?.rows_affected() > 0;
            access_changed(db).await?;
            Ok(done)
        }

        pub(in crate::store) async fn user_seen(db: &mut $Connection, id: UserId, at: Timestamp) -> Answer<()> {
            sqlx::query(USER_SEEN).bind(id.0).bind(at.0).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn password_set(
            db: &mut $Connection,
            id: UserId,
            password: &str,
            keep: Option<SessionId>,
        ) -> Answer<()> {
            sqlx::query(USER_PASSWORD).bind(id.0).bind(password).execute(&mut *db).await?;
            sqlx::query(LINKS_OF_END).bind(id.0).execute(&mut *db).await?;
            sqlx::query(SESSIONS_END)
                .bind(id.0)
                .bind(keep.map_or(Uuid::nil(), |session| session.0))
                .execute(&mut *db)
                .await?;
            access_changed(db).await
        }

        pub(in crate::store) async fn grants_set(db: &mut $Connection, id: UserId, rows: &[GrantRow]) -> Answer<()> {
            sqlx::query(GRANT_CLEAR).bind(id.0).execute(&mut *db).await?;
            for row in rows {
                let query = sqlx::query(GRANT_INSERT).bind(id.0).bind(row.project.as_str()).bind(row.role.as_str());
                query.execute(&mut *db).await?;
            }
            access_changed(db).await
        }

        pub(in crate::store) async fn grant_list(db: &mut $Connection) -> Answer<Vec<GrantRow>> {
            all(sqlx::query(GRANT_LIST).fetch_all(db).await?, grant)
        }

        pub(in crate::store) async fn grants_of(db: &mut $Connection, id: UserId) -> Answer<Vec<GrantRow>> {
            all(sqlx::query(GRANTS_OF).bind(id.0).fetch_all(db).await?, grant)
        }

        pub(in crate::store) async fn access_mark(db: &mut $Connection) -> Answer<i64> {
            let row = sqlx::query(ACCESS_MARK).fetch_one(db).await?;
            Columns::of(&row, "access_mark", &[]).get("version")
        }
    };
}
pub(in crate::store) use body;
