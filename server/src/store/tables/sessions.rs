//! Who is signed in, links that work once, and attempts that failed.

use super::prelude::*;

macro_rules! session_columns {
    () => {
        "select id, hash, user_id, created_at, used_at, expires_at, address, agent from sessions"
    };
}

statements! {
    /// Somebody signed in.
    SESSION_INSERT = "insert into sessions (id, hash, user_id, created_at, used_at, expires_at, address, agent) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// A session by the hash of its secret.
    SESSION_BY_HASH = concat!(session_columns!(), " where hash = $1");
    /// The sessions of somebody ($1), the last used first.
    SESSION_LIST = concat!(session_columns!(), " where user_id = $1 and expires_at > $2 order by used_at desc, id");
    /// A session was used.
    SESSION_TOUCH = "update sessions set used_at = $2, expires_at = $3, address = $4 where id = $1";
    /// One session of somebody ends.
    SESSION_END = "delete from sessions where id = $1 and user_id = $2";
    /// All sessions of somebody ($1) end but one ($2).
    SESSIONS_END = "delete from sessions where user_id = $1 and id <> $2";
    /// Sessions that are over by themselves.
    SESSIONS_FORGET = "delete from sessions where expires_at <= $1";
    /// Room for a new link: one of a kind for a person.
    LINK_CLEAR = "delete from links where kind = $1 and (user_id = $2 or user_id is null)";
    /// A new link.
    LINK_INSERT = "insert into links (hash, kind, user_id, created_at, expires_at) values ($1, $2, $3, $4, $5)";
    /// A link that works.
    LINK_GET = "select hash, kind, user_id, created_at, expires_at from links where hash = $1 and expires_at > $2";
    /// A link is used: whoever deletes it has it.
    LINK_SPEND = "delete from links where hash = $1 and expires_at > $2 and user_id is not null returning user_id";
    /// The link to the first account is used, while there is none.
    LINK_SPEND_FIRST = "delete from links where hash = $1 and expires_at > $2 and kind = 'first' \
                        and not exists (select 1 from users)";
    /// Links of somebody work no more.
    LINKS_OF_END = "delete from links where user_id = $1";
    /// Links that do not work any more.
    LINKS_FORGET = "delete from links where expires_at <= $1";
    /// Attempts that failed.
    ATTEMPT_GET = "select key, failures, at, open_at from attempts where key = $1";
    /// One attempt more, unless another was counted meanwhile ($5, $6 as it was).
    ATTEMPT_TAKE = "insert into attempts (key, failures, at, open_at) values ($1, $2, $3, $4) \
                    on conflict (key) do update set failures = excluded.failures, at = excluded.at, \
                    open_at = excluded.open_at where attempts.failures = $5 and attempts.at = $6";
    /// Nothing is held against a name or an address any more.
    ATTEMPT_CLEAR = "delete from attempts where key = $1";
    /// Attempts of long ago.
    ATTEMPTS_FORGET = "delete from attempts where at < $1";
}

delegate! {
    /// Somebody signed in.
    write fn session_insert(row: &SessionRow) -> ();
    /// A session by the hash of its secret.
    read fn session_by_hash(hash: &[u8; 32]) -> Option<SessionRow>;
    /// The sessions of somebody, the last used first.
    read fn session_list(user: UserId, now: Timestamp) -> Vec<SessionRow>;
    /// A session was used.
    write fn session_touch(id: SessionId, at: Timestamp, expires_at: Timestamp, address: Option<&str>) -> ();
    /// Ends one session of somebody. Tells whether it was one.
    whole fn session_end(id: SessionId, user: UserId) -> bool;
    /// Ends all sessions of somebody.
    whole fn sessions_end(user: UserId) -> u64;
    /// Forgets sessions that are over.
    write fn sessions_forget(now: Timestamp) -> u64;
    /// Keeps a link; an older one of its kind for the same person works no more.
    whole fn link_make(row: &LinkRow) -> ();
    /// A link that works now.
    read fn link_get(hash: &[u8; 32], now: Timestamp) -> Option<LinkRow>;
    /// Uses a link to set a password. All sessions of that person end. Gives
    /// whose it was; none where the link does not work.
    whole fn link_spend(hash: &[u8; 32], now: Timestamp, password: &str) -> Option<UserId>;
    /// Uses the link to the first account. Tells whether it worked.
    whole fn link_spend_first(hash: &[u8; 32], now: Timestamp, user: &UserRow) -> bool;
    /// Forgets links that do not work any more.
    write fn links_forget(now: Timestamp) -> u64;
    /// Attempts that failed.
    read fn attempt_get(key: &str) -> Option<AttemptRow>;
    /// Counts one attempt more. Tells whether it was counted: another may have
    /// been since `before` was read.
    write fn attempt_take(row: &AttemptRow, before: Option<&AttemptRow>) -> bool;
    /// Holds nothing against a name or an address any more.
    write fn attempt_clear(key: &str) -> ();
    /// Forgets attempts of long ago.
    write fn attempts_forget(before: Timestamp) -> u64;
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        use super::{access_changed, password_set, user_insert};

        pub(super) fn session(row: &$Row) -> Result<SessionRow, StoreError> {
            let row = Columns::of(row, "sessions", &["id"]);
            Ok(SessionRow {
                id: SessionId(row.get("id")?),
                hash: row.hash("hash")?,
                user: UserId(row.get("user_id")?),
                created_at: Timestamp(row.get("created_at")?),
                used_at: Timestamp(row.get("used_at")?),
                expires_at: Timestamp(row.get("expires_at")?),
                address: row.text("address")?,
                agent: row.text("agent")?,
            })
        }

        pub(super) fn link(row: &$Row) -> Result<LinkRow, StoreError> {
            let row = Columns::of(row, "links", &["user_id"]);
            Ok(LinkRow {
                hash: row.hash("hash")?,
                kind: row.word("kind", LinkKind::parse)?,
                user: row.get::<Option<Uuid>>("user_id")?.map(UserId),
                created_at: Timestamp(row.get("created_at")?),
                expires_at: Timestamp(row.get("expires_at")?),
            })
        }

        pub(in crate::store) async fn session_insert(db: &mut $Connection, row: &SessionRow) -> Answer<()> {
            let query = sqlx::query(SESSION_INSERT)
                .bind(row.id.0)
                .bind(&row.hash[..])
                .bind(row.user.0)
                .bind(row.created_at.0)
                .bind(row.used_at.0)
                .bind(row.expires_at.0)
                .bind(row.address.as_deref())
                .bind(row.agent.as_deref());
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn session_by_hash(
            db: &mut $Connection,
            hash: &[u8; 32],
        ) -> Answer<Option<SessionRow>> {
            let row = sqlx::query(SESSION_BY_HASH).bind(&hash[..]).fetch_optional(db).await?;
            row.as_ref().map(session).transpose()
        }

        pub(in crate::store) async fn session_list(
            db: &mut $Connection,
            user: UserId,
            now: Timestamp,
        ) -> Answer<Vec<SessionRow>> {
            all(sqlx::query(SESSION_LIST).bind(user.0).bind(now.0).fetch_all(db).await?, session)
        }

        pub(in crate::store) async fn session_touch(
            db: &mut $Connection,
            id: SessionId,
            at: Timestamp,
            expires_at: Timestamp,
            address: Option<&str>,
        ) -> Answer<()> {
            sqlx::query(SESSION_TOUCH).bind(id.0).bind(at.0).bind(expires_at.0).bind(address).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn session_end(db: &mut $Connection, id: SessionId, user: UserId) -> Answer<bool> {
            let done = sqlx::query(SESSION_END).bind(id.0).bind(user.0).execute(&mut *db).await?;
            access_changed(db).await?;
            Ok(done.rows_affected() > 0)
        }

        pub(in crate::store) async fn sessions_end(db: &mut $Connection, user: UserId) -> Answer<u64> {
            let done = sqlx::query(SESSIONS_END).bind(user.0).bind(Uuid::nil()).execute(&mut *db).await?;
            access_changed(db).await?;
            Ok(done.rows_affected())
        }

        pub(in crate::store) async fn sessions_forget(db: &mut $Connection, now: Timestamp) -> Answer<u64> {
            Ok(sqlx::query(SESSIONS_FORGET).bind(now.0).execute(db).await?.rows_affected())
        }

        pub(in crate::store) async fn link_make(db: &mut $Connection, row: &LinkRow) -> Answer<()> {
            let user = row.user.map(|user| user.0);
            sqlx::query(LINK_CLEAR).bind(row.kind.as_str()).bind(user).execute(&mut *db).await?;
            let query = sqlx::query(LINK_INSERT)
                .bind(&row.hash[..])
                .bind(row.kind.as_str())
                .bind(user)
                .bind(row.created_at.0)
                .bind(row.expires_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn link_get(
            db: &mut $Connection,
            hash: &[u8; 32],
            now: Timestamp,
        ) -> Answer<Option<LinkRow>> {
            let row = sqlx::query(LINK_GET).bind(&hash[..]).bind(now.0).fetch_optional(db).await?;
            row.as_ref().map(link).transpose()
        }

        pub(in crate::store) async fn link_spend(
            db: &mut $Connection,
            hash: &[u8; 32],
            now: Timestamp,
            password: &str,
        ) -> Answer<Option<UserId>> {
            let row = sqlx::query(LINK_SPEND).bind(&hash[..]).bind(now.0).fetch_optional(&mut *db).await?;
            let Some(row) = row else { return Ok(None) };
            let user = UserId(Columns::of(&row, "links", &["user_id"]).get("user_id")?);
            password_set(db, user, password, None).await?;
            Ok(Some(user))
        }

        pub(in crate::store) async fn link_spend_first(
            db: &mut $Connection,
            hash: &[u8; 32],
            now: Timestamp,
            user: &UserRow,
        ) -> Answer<bool> {
            let spent = sqlx::query(LINK_SPEND_FIRST).bind(&hash[..]).bind(now.0).execute(&mut *db).await?;
            if spent.rows_affected() == 0 {
                return Ok(false);
            }
            user_insert(db, user).await.map(|()| true)
        }

        pub(in crate::store) async fn links_forget(db: &mut $Connection, now: Timestamp) -> Answer<u64> {
            Ok(sqlx::query(LINKS_FORGET).bind(now.0).execute(db).await?.rows_affected())
        }

        pub(in crate::store) async fn attempt_get(db: &mut $Connection, key: &str) -> Answer<Option<AttemptRow>> {
            let Some(row) = sqlx::query(ATTEMPT_GET).bind(key).fetch_optional(db).await? else { return Ok(None) };
            let row = Columns::of(&row, "attempts", &[]);
            let (at, open_at) = (Timestamp(row.get("at")?), Timestamp(row.get("open_at")?));
            let failures = Failures { count: row.count("failures")?, at, open_at };
            Ok(Some(AttemptRow { key: key.into(), failures }))
        }

        pub(in crate::store) async fn attempt_take(
            db: &mut $Connection,
            row: &AttemptRow,
            before: Option<&AttemptRow>,
        ) -> Answer<bool> {
            let query = sqlx::query(ATTEMPT_TAKE)
                .bind(&*row.key)
                .bind(i64::from(row.failures.count))
                .bind(row.failures.at.0)
                .bind(row.failures.open_at.0)
                .bind(before.map(|before| i64::from(before.failures.count)))
                .bind(before.map(|before| before.failures.at.0));
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn attempt_clear(db: &mut $Connection, key: &str) -> Answer<()> {
            sqlx::query(ATTEMPT_CLEAR).bind(key).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn attempts_forget(db: &mut $Connection, before: Timestamp) -> Answer<u64> {
            Ok(sqlx::query(ATTEMPTS_FORGET).bind(before.0).execute(db).await?.rows_affected())
        }
    };
}
pub(in crate::store) use body;
