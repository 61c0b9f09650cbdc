//! The embedded store: one file.

use super::bulk::{Bulk, MOST_ROWS_LOG2};
use super::error::{StoreError, sqlite_code};
use super::migrations;
use super::session::Session;
use super::tables::history::suite_counts;
use super::tables::jobs::{job_claim, job_columns};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Row, Sqlite, SqliteConnection, SqlitePool};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Two JSON objects as one, in the upsert of setups.
pub(super) const JOINED: &str = "json_patch(setups.attributes, excluded.attributes)";

/// The texts of some tests of a run.
pub(super) const TEXT_LIST: &str = "select run_id, ordinal, attempt, message, trace from texts \
     where run_id = $1 and ordinal in (select value from json_each($2)) order by ordinal, attempt";

/// What is known of some tests of a setup.
pub(super) const HEALTH_LOAD: &str =
    "select test_id, state from health where setup_id = $1 and test_id in (select unhex(value) from json_each($2))";

/// The counts of some runs by suite.
pub(super) const SUITE_COUNTS: &str = suite_counts!("select unhex(value) from json_each($1)");

/// Some events, by their numbers.
pub(super) const EVENTS_FORGET: &str = "delete from events where seq in (select value from json_each($1))";

/// A worker takes a job. There is one writer, so nothing needs to be locked. The
/// plus keeps the index of labels out of it: what it finds would have to be sorted.
pub(super) const JOB_CLAIM: &str = job_claim!("+j.labels", "select value from json_each($4)", "");

/// What is said differently here.
pub(super) const OWN: &[(&str, &str)] = &[
    ("TEXT_LIST", TEXT_LIST),
    ("HEALTH_LOAD", HEALTH_LOAD),
    ("SUITE_COUNTS", SUITE_COUNTS),
    ("EVENTS_FORGET", EVENTS_FORGET),
    ("JOB_CLAIM", JOB_CLAIM),
];

/// A deferred transaction that turns to writing may fail with a code that
/// `busy_timeout` does not cover; this one waits for its turn at the start.
const BEGIN_GROUP: &str = "begin immediate";
const BEGIN_SNAPSHOT: &str = "begin";

const CHECKPOINT: &str = "pragma wal_checkpoint(passive)";
const CHECKPOINT_WHOLE: &str = "pragma wal_checkpoint(restart)";

/// Pages of the log from which on it is begun anew. A passive checkpoint never
/// catches up with a writer who never pauses, and the log would grow for ever.
const LOG_LONG: i64 = 1_500;

/// Pages after which a writer does it itself: only where the keeper cannot.
const LOG_TOO_LONG: &str = "16000";

/// How long the keeper waits for its turn, and others for it: writers may wait
/// while it looks for readers of what is old.
const KEEPER_BUSY_FOR: Duration = Duration::from_millis(50);

const READERS: u32 = 4;
const BUSY_FOR: Duration = Duration::from_secs(5);
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);

/// In KiB, negative as SQLite wants it. The operating system caches the file
/// anyway; these are beside it.
const WRITER_CACHE: &str = "-8192";
const READER_CACHE: &str = "-2048";

/// The store in a file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Copies the log into the file, so that no commit has to.
    keeper: SqlitePool,
    /// Whether something was written since the keeper last looked.
    grew: Arc<AtomicBool>,
}

pub(super) mod body {
    crate::store::tables::bodies!(sqlx::Sqlite, sqlx::SqliteConnection, sqlx::sqlite::SqliteRow, crate::store::sqlite);
}

impl SqliteStore {
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        prepare_file(path)?;
        let told = |error: StoreError| explain(path, error);
        let writer = pool(1).connect_with(writer_options(path)).await.map_err(|error| told(error.into()))?;
        migrations::migrator(migrations::SQLITE).run(&writer).await.map_err(|error| told(error.into()))?;
        let readers = pool(READERS).connect_lazy_with(reader_options(path));
        let keeper = pool(1).connect_lazy_with(writer_options(path).busy_timeout(KEEPER_BUSY_FOR));
        Ok(Self { writer, readers, keeper, grew: Arc::new(AtomicBool::new(true)) })
    }

    pub(super) async fn close(&self) {
        // The writer last: it then leaves one whole file behind.
        self.keeper.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(super) async fn read(&self) -> Result<Session<Sqlite>, StoreError> {
        Session::of(&self.readers).await
    }

    pub(super) async fn snapshot(&self) -> Result<Session<Sqlite>, StoreError> {
        Session::begin(&self.readers, BEGIN_SNAPSHOT).await
    }

    pub(super) async fn write(&self) -> Result<Session<Sqlite>, StoreError> {
        Session::of(self.writing()).await
    }

    pub(super) async fn whole(&self) -> Result<Session<Sqlite>, StoreError> {
        Session::begin(self.writing(), BEGIN_GROUP).await
    }

    /// PostgreSQL begins the two in different ways.
    pub(super) async fn group(&self) -> Result<Session<Sqlite>, StoreError> {
        self.whole().await
    }

    /// The writer, of whom the keeper will take notice.
    fn writing(&self) -> &SqlitePool {
        self.grew.store(true, Ordering::Relaxed);
        &self.writer
    }

    /// Copies the log into the file beside whoever reads and writes.
    pub(super) async fn checkpoint(&self) -> Result<(), StoreError> {
        if !self.grew.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let mut keeper = self.keeper.acquire().await?;
        if checkpoint(&mut keeper, CHECKPOINT).await? >= LOG_LONG {
            // What was written meanwhile; then there is little left for which
            // writers have to wait.
            checkpoint(&mut keeper, CHECKPOINT).await?;
            checkpoint(&mut keeper, CHECKPOINT_WHOLE).await?;
        }
        Ok(())
    }

    /// A copy of the store in a new file, while the store is in use.
    pub(super) async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        // Made first, and empty, so that it is ours alone from the beginning.
        private_file().create_new(true).open(to).map_err(|error| {
            StoreError::unusable(format!("the backup cannot be written to {}: {error}", to.display()))
        })?;
        let name = to.to_string_lossy();
        let copied = sqlx::query("vacuum into $1").bind(&*name).execute(self.read().await?.db()).await;
        let kept = copied.map_err(StoreError::from).and_then(|_| {
            let flushed = std::fs::File::open(to).and_then(|file| file.sync_all());
            flushed.map_err(|error| sqlx::Error::Io(error).into())
        });
        if kept.is_err() {
            // Half a copy is worse than none.
            let _ = std::fs::remove_file(to);
        }
        kept
    }
}

/// Of so many pages the log consists.
async fn checkpoint(db: &mut SqliteConnection, how: &'static str) -> Result<i64, StoreError> {
    Ok(sqlx::query(how).fetch_one(db).await?.try_get("log")?)
}

/// The connections are the file: they neither age nor go away.
fn pool(most: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(most)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn writer_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged survives a power cut; the group pays once.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_FOR)
        .statement_cache_capacity(128)
        .pragma("cache_size", WRITER_CACHE)
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", LOG_TOO_LONG)
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging()
}

fn reader_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_FOR)
        .row_buffer_size(256)
        .pragma("cache_size", READER_CACHE)
        .pragma("temp_store", "memory")
        .disable_statement_logging()
}

/// Rows in as few statements as their number has digits in binary, beyond
/// full ones. Gives what the statements return.
pub(super) async fn bulk<B: Bulk>(
    db: &mut SqliteConnection,
    mut rows: &[B::Row],
) -> Result<Vec<SqliteRow>, StoreError> {
    let texts = B::texts();
    let mut returned = Vec::new();
    while !rows.is_empty() {
        let log2 = rows.len().ilog2().min(MOST_ROWS_LOG2);
        let (now, later) = rows.split_at(1 << log2);
        let values = B::for_sqlite(now).map_err(|error| StoreError::Driver(sqlx::Error::Encode(error)))?;
        let query = sqlx::query_with(texts.sqlite[log2 as usize], values);
        returned.append(&mut query.fetch_all(&mut *db).await?);
        rows = later;
    }
    Ok(returned)
}

/// The folder for its owner alone (0700), the file too (0600): tokens and
/// test output are nobody else's business. What is already there keeps its mode.
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let refused = |what: String, error: std::io::Error| {
        let advice = match error.kind() {
            ErrorKind::PermissionDenied => "run the program as the owner of that place, or give another path",
            ErrorKind::ReadOnlyFilesystem => "the file system is read-only: give another path",
            ErrorKind::StorageFull => "the disk is full: make room, or give another path",
            _ => "give another path",
        };
        StoreError::unusable(format!("{what} ({error}); {advice}"))
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_folder(folder)
            .map_err(|error| refused(format!("the folder {} cannot be made", folder.display()), error))?;
    }
    if path.is_dir() {
        return Err(StoreError::unusable(format!("{} is a folder; give the path of a file in it", path.display())));
    }
    let opened = private_file().create(true).truncate(false).open(path);
    opened.map(drop).map_err(|error| refused(format!("the database file {} cannot be written", path.display()), error))
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private_file() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// What to do where the file cannot be opened.
fn explain(path: &Path, error: StoreError) -> StoreError {
    let (StoreError::Busy { source, .. } | StoreError::Driver(source)) = error else { return error };
    let code = source.as_database_error().and_then(sqlite_code);
    let shown = path.display();
    let what = match code {
        Some(5 | 6) => {
            format!("the database file {shown} is locked by another program; stop that program, then start again")
        }
        Some(8 | 14) => format!(
            "the database file {shown} or its folder cannot be written; both must belong to the user who runs the program"
        ),
        Some(10) => format!("the database file {shown} cannot be read or written; check the disk, then start again"),
        Some(13) => format!("the disk of the database file {shown} is full; make room, then start again"),
        Some(11 | 26) => format!(
            "the file {shown} is damaged or is not a SQLite database; move it away and restore a backup, or give another path"
        ),
        _ => return StoreError::Driver(source),
    };
    StoreError::Unusable { what, source: Some(source) }
}

#[cfg(test)]
mod tests {
    use crate::store::rows::{EventRow, SetupTouch};
    use crate::store::{Store, StoreError, StoreUrl};
    use app::domain::ids::SetupId;
    use app::domain::name::SetupName;
    use app::domain::time::Timestamp;
    use uuid::Uuid;

    async fn write(store: &Store, kib: usize) -> Result<(), StoreError> {
        let setup = SetupId(Uuid::nil());
        let now = Timestamp(1);
        let name = SetupName::stored("bench");
        let touch = SetupTouch { id: setup, name, version: 1, heard_at: Some(now), now, attributes: None };
        let event = EventRow {
            seq: 0,
            event: None,
            setup,
            run: None,
            kind: "log".into(),
            at: now,
            received_at: now,
            late: false,
            project: None,
            delay: None,
            output: None,
            body: "x".repeat(1_024).into(),
        };
        let mut group = store.begin_group().await?;
        group.setup_touch(&[touch]).await?;
        group.event_insert(&vec![event; kib]).await?;
        group.commit().await
    }

    #[tokio::test]
    async fn a_full_disk_is_busy_and_the_writer_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("holter.db"));
        let store = Store::open(&url).await.expect("opens");
        write(&store, 1).await.expect("there is room");
        let Store::Sqlite(inner) = &store else { unreachable!("it is SQLite") };
        // The limit is the connection's: the next one does not have it.
        sqlx::query("pragma max_page_count = 64").execute(&inner.writer).await.expect("limits");
        let error = write(&store, 1_000).await.expect_err("the disk is full");
        assert!(error.is_busy() && error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(store.event_last().await.expect("reads"), 1);
        write(&store, 1_000).await.expect("there is room again");
        assert_eq!(store.event_last().await.expect("reads"), 1_001);
        store.close().await;
    }

    #[tokio::test]
    async fn the_log_is_begun_anew_and_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("holter.db");
        let store = Store::open(&StoreUrl::Sqlite(path.clone())).await.expect("opens");
        for _ in 0..16 {
            write(&store, 4_000).await.expect("writes");
            store.checkpoint().await.expect("copies");
        }
        let size = |name: &str| std::fs::metadata(folder.path().join(name)).expect("there").len();
        let (log, file) = (size("holter.db-wal"), size("holter.db"));
        assert!(file > 64 << 20, "all is in the file, which has {file} bytes");
        assert!(log < 16 << 20, "the log has {log} bytes");
        store.close().await;
    }
}
