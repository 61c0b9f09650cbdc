//! The log: every event, the ids by which they are known again, and the mark.

use super::prelude::*;

macro_rules! event_columns {
    () => {
        "select seq, event_id, setup_id, run_id, kind, at, received_at, late, project, delay, place, level, body from events"
    };
}

/// What all questions for output say at the end; what is null does not filter.
macro_rules! output_filter {
    () => {
        " and (cast($4 as bigint) is null or level >= $4) order by seq"
    };
}

statements! {
    /// The ids by which events are known in a run, or in a setup outside runs.
    EVENT_IDS = "select ids from event_ids where scope = $1 order by seq";
    /// Events after a number.
    EVENT_PAGE = concat!(event_columns!(), " where seq > $1 order by seq limit $2");
    /// Output of a run ($1) after a number ($2), all of it or what is at least so grave ($4).
    OUTPUT_OF_RUN = concat!(event_columns!(), " where run_id = $1 and place is not null and seq > $2", output_filter!(), " limit $3");
    /// The last of it before a number, the newest first.
    OUTPUT_OF_RUN_BACK = concat!(
        event_columns!(), " where run_id = $1 and place is not null and seq < $2", output_filter!(), " desc limit $3"
    );
    /// The same of one place ($5) in the run.
    OUTPUT_OF_PLACE = concat!(event_columns!(), " where run_id = $1 and place = $5 and seq > $2", output_filter!(), " limit $3");
    /// The last of it before a number, the newest first.
    OUTPUT_OF_PLACE_BACK = concat!(
        event_columns!(), " where run_id = $1 and place = $5 and seq < $2", output_filter!(), " desc limit $3"
    );
    /// The number of the newest event, 0 where there is none.
    EVENT_LAST = "select coalesce(max(seq), 0) as seq from events";
    /// Up to which event the other tables tell what the log tells.
    LOG_MARK = "select seq from log_mark where one = 1";
    /// They tell more now.
    LOG_MARK_SET = "update log_mark set seq = $1 where one = 1";
}

bulk! {
    /// Events in the order of their arrival.
    EventsInsert: EventRow => "events" |row| {
        "event_id" "uuid" = row.event.map(|id| id.0);
        "setup_id" "uuid" = row.setup.0;
        "run_id" "uuid" = row.run.map(|id| id.0);
        "kind" "text" = &*row.kind;
        "at" "bigint" = row.at.0;
        "received_at" "bigint" = row.received_at.0;
        "late" "boolean" = row.late;
        "place" "uuid" = row.output.map(|(place, _)| place.0);
        "level" "bigint" = row.output.and_then(|(_, level)| level).map(|level| i64::from(level.rank()));
        "project" "text" = row.project.as_ref().map(|project| project.as_str());
        "delay" "bigint" = row.delay.map(|delay| delay.0);
        "body" "text" = &*row.body;
    } OnConflict::Never;

    /// Ids by which events are known again.
    IdsInsert: IdsRow => "event_ids" |row| {
        "scope" "uuid" = row.scope;
        "seq" "bigint" = row.seq;
        "ids" "bytea" = &*row.ids;
    } OnConflict::Never;
}

delegate! {
    /// The ids of the events in a run, or in a setup outside runs.
    read fn event_ids(scope: Uuid) -> Vec<Uuid>;
    /// Events after a number, in their order.
    read fn event_page(after_seq: i64, limit: u32) -> Vec<EventRow>;
    /// Output of a run or a place in it, in its order: after a number, or before it the last.
    read fn output_page(run: RunId, filter: &OutputFilter) -> Vec<EventRow>;
    /// The number of the newest event, 0 where there is none.
    read fn event_last() -> i64;
    /// Up to which event the other tables tell what the log tells.
    read fn log_mark() -> i64;
}

delegate_group! {
    /// As [`Store::event_ids`], in this transaction.
    step fn event_ids(scope: Uuid) -> Vec<Uuid>;
    /// Keeps events in this order. Whether one is known already is for the
    /// caller to see, who has the ids at hand.
    step fn event_insert(rows: &[EventRow]) -> ();
    /// Keeps the ids by which events are known again.
    step fn ids_insert(rows: &[IdsRow]) -> ();
    /// As [`Store::event_last`], in this transaction.
    step fn event_last() -> i64;
    /// The other tables now tell what the log tells up to this event.
    step fn log_mark_set(seq: i64) -> ();
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        fn output(row: &Columns<'_>) -> Answer<Option<(PlaceId, Option<Level>)>> {
            let Some(place) = row.get::<Option<Uuid>>("place")? else { return Ok(None) };
            Ok(Some((PlaceId(place), row.count_or_none("level")?.and_then(Level::ranked))))
        }

        pub(super) fn event(row: &$Row) -> Result<EventRow, StoreError> {
            let row = Columns::of(row, "events", &["seq"]);
            Ok(EventRow {
                seq: row.get("seq")?,
                event: row.get::<Option<Uuid>>("event_id")?.map(EventId),
                setup: SetupId(row.get("setup_id")?),
                run: row.get::<Option<Uuid>>("run_id")?.map(RunId),
                kind: row.get::<String>("kind")?.into(),
                at: Timestamp(row.get("at")?),
                received_at: Timestamp(row.get("received_at")?),
                late: row.get("late")?,
                project: row.text("project")?.as_deref().map(ProjectName::stored),
                delay: row.get::<Option<i64>>("delay")?.map(Micros),
                output: output(&row)?,
                body: row.get::<&str>("body")?.into(),
            })
        }

        pub(in crate::store) async fn event_ids(db: &mut $Connection, scope: Uuid) -> Answer<Vec<Uuid>> {
            let rows = sqlx::query(EVENT_IDS).bind(scope).fetch_all(db).await?;
            let mut ids = Vec::new();
            for row in rows {
                let bytes = Columns::of(&row, "event_ids", &[]).get::<&[u8]>("ids")?.chunks_exact(16);
                ids.extend(bytes.filter_map(|bytes| Uuid::from_slice(bytes).ok()));
            }
            Ok(ids)
        }

        pub(in crate::store) async fn event_page(
            db: &mut $Connection,
            after_seq: i64,
            limit: u32,
        ) -> Answer<Vec<EventRow>> {
            let query = sqlx::query(EVENT_PAGE).bind(after_seq).bind(i64::from(limit));
            all(query.fetch_all(db).await?, event)
        }

        pub(in crate::store) async fn output_page(
            db: &mut $Connection,
            run: RunId,
            filter: &OutputFilter,
        ) -> Answer<Vec<EventRow>> {
            let (text, seq) = match (filter.from, filter.place) {
                (OutputFrom::After(seq), None) => (OUTPUT_OF_RUN, seq),
                (OutputFrom::Before(seq), None) => (OUTPUT_OF_RUN_BACK, seq),
                (OutputFrom::After(seq), Some(_)) => (OUTPUT_OF_PLACE, seq),
                (OutputFrom::Before(seq), Some(_)) => (OUTPUT_OF_PLACE_BACK, seq),
            };
            let level = filter.level.map(|level| i64::from(level.rank()));
            let mut query = sqlx::query(text).bind(run.0).bind(seq).bind(i64::from(filter.limit)).bind(level);
            if let Some(place) = filter.place {
                query = query.bind(place.0);
            }
            let mut rows = all(query.fetch_all(db).await?, event)?;
            if matches!(filter.from, OutputFrom::Before(_)) {
                rows.reverse();
            }
            Ok(rows)
        }

        pub(in crate::store) async fn event_last(db: &mut $Connection) -> Answer<i64> {
            let row = sqlx::query(EVENT_LAST).fetch_one(db).await?;
            Columns::of(&row, "events", &[]).get("seq")
        }

        pub(in crate::store) async fn log_mark(db: &mut $Connection) -> Answer<i64> {
            let row = sqlx::query(LOG_MARK).fetch_one(db).await?;
            Columns::of(&row, "log_mark", &[]).get("seq")
        }

        pub(in crate::store) async fn log_mark_set(db: &mut $Connection, seq: i64) -> Answer<()> {
            sqlx::query(LOG_MARK_SET).bind(seq).execute(db).await?;
            Ok(())
        }

        pub(in crate::store) async fn event_insert(db: &mut $Connection, rows: &[EventRow]) -> Answer<()> {
            dialect::bulk::<EventsInsert>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn ids_insert(db: &mut $Connection, rows: &[IdsRow]) -> Answer<()> {
            dialect::bulk::<IdsInsert>(db, rows).await.map(drop)
        }
    };
}
pub(in crate::store) use body;
