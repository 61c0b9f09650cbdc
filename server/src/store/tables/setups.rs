//! Setups: who runs tests.

use super::prelude::*;

macro_rules! setup_columns {
    () => {
        "select id, name, version, created_at, heard_at, attributes from setups"
    };
}

statements! {
    /// All setups by name.
    SETUP_LIST = concat!(setup_columns!(), " order by name");
}

bulk! {
    /// Setups are spoken of: new ones appear, versions grow.
    SetupsTouch: SetupTouch => "setups" |row| {
        "id" "uuid" = row.id.0;
        "name" "text" = row.name.as_str();
        "version" "bigint" = row.version;
        "created_at" "bigint" = row.now.0;
        "heard_at" "bigint" = row.heard_at.map(|at| at.0);
        "attributes" "jsonb" = row.attributes.as_ref().map_or(Json(&NO_ATTRIBUTES), Json);
    } OnConflict::Say(
        "on conflict (name) do update set version = \
         case when excluded.version > setups.version then excluded.version else setups.version + 1 end, \
         heard_at = case when setups.heard_at is null or excluded.heard_at > setups.heard_at \
         then excluded.heard_at else setups.heard_at end, \
         attributes = {joined} returning id, name, version"
    );
}

delegate! {
    /// All setups by name.
    read fn setup_list() -> Vec<SetupRow>;
}

delegate_group! {
    /// Setups are spoken of: each name once. New ones appear,
    /// the versions of the others grow; that is also the lock on them.
    /// In no particular order.
    step fn setup_touch(touches: &[SetupTouch]) -> Vec<SetupTouched>;
}

static NO_ATTRIBUTES: Attributes = Attributes::new();

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        pub(super) fn setup(row: &$Row) -> Result<SetupRow, StoreError> {
            let row = Columns::of(row, "setups", &["id"]);
            Ok(SetupRow {
                id: SetupId(row.get("id")?),
                name: SetupName::stored(row.get::<&str>("name")?),
                version: row.get("version")?,
                created_at: Timestamp(row.get("created_at")?),
                heard_at: row.time("heard_at")?,
                attributes: row.json("attributes")?,
            })
        }

        pub(super) fn setup_touched(row: &$Row) -> Result<SetupTouched, StoreError> {
            let row = Columns::of(row, "setups", &["id"]);
            Ok(SetupTouched {
                id: SetupId(row.get("id")?),
                name: SetupName::stored(row.get::<&str>("name")?),
                version: row.get("version")?,
            })
        }

        pub(in crate::store) async fn setup_list(db: &mut $Connection) -> Answer<Vec<SetupRow>> {
            all(sqlx::query(SETUP_LIST).fetch_all(db).await?, setup)
        }

        pub(in crate::store) async fn setup_touch(
            db: &mut $Connection,
            touches: &[SetupTouch],
        ) -> Answer<Vec<SetupTouched>> {
            all(dialect::bulk::<SetupsTouch>(db, touches).await?, setup_touched)
        }
    };
}
pub(in crate::store) use body;
