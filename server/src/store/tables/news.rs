//! How things stand, and what channels are told of it.

use super::prelude::*;
pub(in crate::store) use app::domain::change::{Condition, Pace, Subject, Untold};

statements! {
    /// Tests of a setup ($1) that are not well. Word for word the condition of its index.
    HEALTH_UNWELL = "select test_id, label, failed, last_at from health where setup_id = $1 \
                     and (failed or label in ('flaky', 'recovering', 'broken')) order by test_id limit $2";
    /// How everything stood that was not well.
    CONDITION_LIST = "select setup_id, test_id, state from conditions";
    /// Who is well has no row.
    CONDITION_TIDY = "delete from conditions where state = 'well'";
    /// All that was not told yet.
    UNTOLD_LIST = "select channel, setup_id, test_id, was, now_is, first_at, since from untold";
    /// What stands as it was told needs no telling.
    UNTOLD_TIDY = "delete from untold where was = now_is";
    /// When channels were last told something.
    PACE_LIST = "select channel, told_at, gap from paces";
    /// A channel was told something.
    PACE_SAVE = "insert into paces (channel, told_at, gap) values ($1, $2, $3) \
                 on conflict (channel) do update set told_at = excluded.told_at, gap = excluded.gap";
    /// A channel as it now is.
    CHANNEL_SAVE = "insert into channels (name, body, changed_at) values ($1, $2, $3) \
                    on conflict (name) do update set body = excluded.body, changed_at = excluded.changed_at";
    /// All channels, by name.
    CHANNEL_LIST = "select name, body, changed_at from channels order by name";
    /// A channel ($1) is no more.
    CHANNEL_DELETE = "delete from channels where name = $1";
}

bulk! {
    /// How subjects stand now.
    ConditionSave: ConditionRow => "conditions" |row| {
        "setup_id" "uuid" = row.subject.setup.0;
        "test_id" "uuid" = row.subject.test.map_or(Uuid::nil(), |test| test.0);
        "state" "text" = row.condition.as_str();
    } OnConflict::Replace("(setup_id, test_id)", &["state"]);

    /// What channels were not told yet.
    UntoldSave: UntoldRow => "untold" |row| {
        "channel" "text" = &*row.channel;
        "setup_id" "uuid" = row.untold.subject.setup.0;
        "test_id" "uuid" = row.untold.subject.test.map_or(Uuid::nil(), |test| test.0);
        "was" "text" = row.untold.was.as_str();
        "now_is" "text" = row.untold.now_is.as_str();
        "first_at" "bigint" = row.untold.first.0;
        "since" "bigint" = row.untold.since.0;
    } OnConflict::Replace("(channel, setup_id, test_id)", &["was", "now_is", "first_at", "since"]);
}

delegate! {
    /// Tests of a setup that fail, are flaky or broken; at most so many.
    read fn health_unwell(setup: SetupId, limit: u32) -> Vec<UnwellRow>;
    /// How everything stood that was not well when it was last looked at.
    read fn condition_list() -> Vec<ConditionRow>;
    /// All that channels were not told yet.
    read fn untold_list() -> Vec<UntoldRow>;
    /// When channels were last told something.
    read fn pace_list() -> Vec<PaceRow>;
    /// Keeps a channel as it now is.
    write fn channel_save(row: &ChannelRow) -> ();
    /// All channels, by name.
    read fn channel_list() -> Vec<ChannelRow>;
    /// A channel is no more. Tells whether it was there.
    write fn channel_delete(name: &str) -> bool;
}

delegate_group! {
    /// Notes how subjects stand, each once; who is well needs no row.
    step fn condition_save(rows: &[ConditionRow]) -> ();
    /// Notes what channels were not told yet, each once; what stands as it was
    /// told needs no row.
    step fn untold_save(rows: &[UntoldRow]) -> ();
    /// Notes that a channel was told something.
    step fn pace_save(row: &PaceRow) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        fn subject(row: &Columns<'_>) -> Result<Subject, StoreError> {
            let test: Uuid = row.get("test_id")?;
            Ok(Subject { setup: SetupId(row.get("setup_id")?), test: (!test.is_nil()).then_some(TestId(test)) })
        }

        pub(super) fn unwell(row: &$Row) -> Result<UnwellRow, StoreError> {
            let row = Columns::of(row, "health", &["test_id"]);
            Ok(UnwellRow {
                test: TestId(row.get("test_id")?),
                label: row.word("label", Label::parse)?,
                failed: row.get("failed")?,
                last_at: row.time("last_at")?,
            })
        }

        pub(super) fn condition(row: &$Row) -> Result<ConditionRow, StoreError> {
            let row = Columns::of(row, "conditions", &["setup_id", "test_id"]);
            Ok(ConditionRow { subject: subject(&row)?, condition: row.word("state", Condition::parse)? })
        }

        pub(super) fn untold(row: &$Row) -> Result<UntoldRow, StoreError> {
            let row = Columns::of(row, "untold", &["setup_id", "test_id"]);
            let untold = Untold {
                subject: subject(&row)?,
                was: row.word("was", Condition::parse)?,
                now_is: row.word("now_is", Condition::parse)?,
                first: Timestamp(row.get("first_at")?),
                since: Timestamp(row.get("since")?),
            };
            Ok(UntoldRow { channel: row.get::<&str>("channel")?.into(), untold })
        }

        pub(super) fn pace(row: &$Row) -> Result<PaceRow, StoreError> {
            let row = Columns::of(row, "paces", &[]);
            let pace = Pace { told_at: Timestamp(row.get("told_at")?), gap: Micros(row.get("gap")?) };
            Ok(PaceRow { channel: row.get::<&str>("channel")?.into(), pace })
        }

        pub(super) fn channel(row: &$Row) -> Result<ChannelRow, StoreError> {
            let row = Columns::of(row, "channels", &[]);
            Ok(ChannelRow {
                name: row.get::<&str>("name")?.into(),
                body: row.get::<&str>("body")?.into(),
                changed_at: Timestamp(row.get("changed_at")?),
            })
        }

        pub(in crate::store) async fn health_unwell(
            db: &mut $Connection,
            setup: SetupId,
            limit: u32,
        ) -> Answer<Vec<UnwellRow>> {
            all(sqlx::query(HEALTH_UNWELL).bind(setup.0).bind(i64::from(limit)).fetch_all(db).await?, unwell)
        }

        pub(in crate::store) async fn condition_list(db: &mut $Connection) -> Answer<Vec<ConditionRow>> {
            all(sqlx::query(CONDITION_LIST).fetch_all(db).await?, condition)
        }

        pub(in crate::store) async fn condition_save(db: &mut $Connection, rows: &[ConditionRow]) -> Answer<()> {
            dialect::bulk::<ConditionSave>(&mut *db, rows).await?;
            sqlx::query(CONDITION_TIDY).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn untold_list(db: &mut $Connection) -> Answer<Vec<UntoldRow>> {
            all(sqlx::query(UNTOLD_LIST).fetch_all(db).await?, untold)
        }

        pub(in crate::store) async fn untold_save(db: &mut $Connection, rows: &[UntoldRow]) -> Answer<()> {
            dialect::bulk::<UntoldSave>(&mut *db, rows).await?;
            sqlx::query(UNTOLD_TIDY).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn pace_list(db: &mut $Connection) -> Answer<Vec<PaceRow>> {
            all(sqlx::query(PACE_LIST).fetch_all(db).await?, pace)
        }

        pub(in crate::store) async fn pace_save(db: &mut $Connection, row: &PaceRow) -> Answer<()> {
            let query = sqlx::query(PACE_SAVE).bind(&*row.channel).bind(row.pace.told_at.0).bind(row.pace.gap.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn channel_save(db: &mut $Connection, row: &ChannelRow) -> Answer<()> {
            let query = sqlx::query(CHANNEL_SAVE).bind(&*row.name).bind(&*row.body).bind(row.changed_at.0);
            query.execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn channel_list(db: &mut $Connection) -> Answer<Vec<ChannelRow>> {
            all(sqlx::query(CHANNEL_LIST).fetch_all(db).await?, channel)
        }

        pub(in crate::store) async fn channel_delete(db: &mut $Connection, name: &str) -> Answer<bool> {
            Ok(sqlx::query(CHANNEL_DELETE).bind(name).execute(db).await?.rows_affected() > 0)
        }
    };
}
pub(in crate::store) use body;
