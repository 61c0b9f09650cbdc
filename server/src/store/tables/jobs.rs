//! Jobs.
//!
//! Two kinds of statement change one: the claim, which is one statement so that
//! no two workers ever take the same job, and [`Store::job_save`], which writes
//! what was decided on the job as it was and fails where it is not that any
//! more. Nothing else touches where a job stands.

use super::prelude::*;

macro_rules! job_columns {
    () => {
        "id, kind, parent_id, ordinal, name, priority, labels, concurrency, state, result, attempt, attempts_max, \
         worker_id, lease_until, stop, note, created_at, started_at, finished_at, version, setup, definition, progress"
    };
}

/// A worker ($1) takes a job until ($2) at ($3): the first in the queue with
/// one of these label sets ($4) whose key nobody holds and whose setup nobody
/// keeps for themselves. `$lock` is what keeps
/// claims of several servers from waiting for each other.
macro_rules! job_claim {
    ($labels:literal, $list:literal, $lock:literal) => {
        concat!(
            "update jobs set state = 'running', attempt = attempt + 1, worker_id = $1, lease_until = $2, stop = null, \
             started_at = $3, version = version + 1, progress = '{}' where id = (select j.id from jobs j \
             where j.state = 'waiting' and ",
            $labels,
            " in (",
            $list,
            ") and (j.concurrency is null or j.concurrency not in (select r.concurrency from jobs r \
             where r.state = 'running' and r.concurrency is not null)) \
             and (j.setup is null or j.setup not in (select v.setup from reservations v where v.ends_at > $3)) \
             order by j.priority desc, j.id limit 1",
            $lock,
            ") returning ",
            job_columns!()
        )
    };
}
pub(in crate::store) use job_claim;
pub(in crate::store) use job_columns;

statements! {
    /// A job ($1).
    JOB_GET = concat!("select ", job_columns!(), " from jobs where id = $1");
    /// The jobs of a batch or a build ($1).
    JOBS_OF = concat!("select ", job_columns!(), " from jobs where parent_id = $1 order by ordinal, id");
    /// How the jobs of a batch or a build ($1) stand.
    JOB_COUNTS = "select parent_id, state, result, count(*) as jobs from jobs where parent_id = $1 \
                  group by parent_id, state, result";
    /// The label sets of what waits: from one to the next, without looking at
    /// the thousands of jobs between them.
    JOB_LABELS = "with recursive sets (labels) as (select min(labels) from jobs where state = 'waiting' union all \
                  select (select min(j.labels) from jobs j where j.state = 'waiting' and j.labels > sets.labels) \
                  from sets where sets.labels is not null) select labels from sets where labels is not null";
    /// What waits, in the order in which it is taken.
    JOB_QUEUE = concat!("select ", job_columns!(), " from jobs where state = 'waiting' \
                         order by priority desc, id limit $1");
    /// How much waits.
    JOB_WAITING = "select count(*) as jobs from jobs where state = 'waiting'";
    /// What would be taken before a job of this priority ($1) and id ($2).
    JOB_AHEAD = "select count(*) as jobs from jobs where state = 'waiting' \
                 and (priority > $1 or (priority = $1 and id < $2))";
    /// What runs.
    JOB_RUNNING = concat!("select ", job_columns!(), " from jobs where state = 'running' order by started_at, id");
    /// How long jobs of a kind ($2) for a setup ($1) took, the last ones; of one name ($3), or of any.
    JOB_PAST = "select finished_at - started_at as took from jobs where state = 'finished' and setup = $1 \
                and kind = $2 and (cast($3 as text) is null or name = $3) and result in ('passed', 'failed') \
                and started_at is not null order by finished_at desc limit $4";
    /// What is held by a lease that was over at ($1).
    JOB_LAPSED = concat!("select ", job_columns!(), " from jobs where state = 'running' and lease_until <= $1 \
                          order by lease_until limit $2");
    /// A job ($1) as it now stands, if it is what it was ($2).
    JOB_SAVE = "update jobs set state = $3, result = $4, attempt = $5, worker_id = $6, lease_until = $7, stop = $8, \
                note = $9, started_at = $10, finished_at = $11, version = version + 1 \
                where id = $1 and version = $2";
    /// How far a job ($1) is, as its holder of this attempt ($2) says.
    JOB_PROGRESS = "update jobs set progress = $3, setup = coalesce($4, setup) \
                    where id = $1 and attempt = $2 and state = 'running'";
}

bulk! {
    /// New jobs.
    JobsInsert: JobRow => "jobs" |row| {
        "id" "uuid" = row.job.id.0;
        "kind" "text" = row.kind.as_str();
        "parent_id" "uuid" = row.parent;
        "ordinal" "bigint" = i64::from(row.ordinal);
        "name" "text" = &*row.name;
        "priority" "bigint" = i64::from(row.priority);
        "labels" "text" = row.labels.key();
        "concurrency" "text" = row.concurrency.as_deref();
        "state" "text" = row.job.state().as_str();
        "result" "text" = row.job.result().map(|result| result.as_str());
        "attempt" "bigint" = i64::from(row.job.attempt);
        "attempts_max" "bigint" = i64::from(row.job.attempts_max);
        "worker_id" "uuid" = row.job.worker.map(|worker| worker.0);
        "lease_until" "bigint" = lease_of(&row.job).0;
        "stop" "text" = lease_of(&row.job).1;
        "note" "text" = row.job.note.as_deref();
        "created_at" "bigint" = row.job.created_at.0;
        "started_at" "bigint" = row.job.started_at.map(|at| at.0);
        "finished_at" "bigint" = row.job.finished_at.map(|at| at.0);
        "version" "bigint" = row.version;
        "setup" "text" = row.setup.as_deref();
        "definition" "text" = &*row.definition;
        "progress" "text" = &*row.progress;
    } OnConflict::Never;
}

delegate! {
    /// Keeps new jobs: all of them, or none.
    whole fn job_insert(rows: &[JobRow]) -> ();
    /// A job.
    read fn job_get(id: JobId) -> Option<JobRow>;
    /// The jobs of a batch or a build, in their order.
    read fn jobs_of(parent: Uuid) -> Vec<JobRow>;
    /// How the jobs of a batch or a build stand.
    read fn job_counts(parent: Uuid) -> Vec<JobCount>;
    /// The label sets of what waits, each once.
    read fn job_labels() -> Vec<Labels>;
    /// What waits, in the order in which it is taken.
    read fn job_queue(limit: u32) -> Vec<JobRow>;
    /// How many jobs wait.
    read fn job_waiting() -> u32;
    /// How many waiting jobs would be taken before one of this priority and id.
    read fn job_ahead(priority: i32, id: JobId) -> u32;
    /// What runs, the oldest first.
    read fn job_running() -> Vec<JobRow>;
    /// How long the last jobs of a kind for a setup took; of one name, or of any.
    read fn job_past(setup: &str, kind: JobKind, name: Option<&str>, limit: u32) -> Vec<Micros>;
    /// What is held by a lease that is over by now.
    read fn job_lapsed(now: Timestamp, limit: u32) -> Vec<JobRow>;
    /// A worker takes the first waiting job with one of these label sets, until
    /// then. In one statement: no two workers take the same.
    write fn job_claim(worker: WorkerId, labels: &[Labels], now: Timestamp, lease_until: Timestamp) -> Option<JobRow>;
    /// Writes where a job now stands, if it still is of this version. Tells
    /// whether it was; if not, the decision is to be made anew.
    write fn job_save(job: &Job, version: i64) -> bool;
    /// Writes how far a job is, and which setup its tests are told of. Tells
    /// whether this attempt still holds it.
    write fn job_progress(id: JobId, attempt: u32, progress: &str, setup: Option<&str>) -> bool;
}

/// Until when a job is held, and whether it was told to stop.
pub(in crate::store) fn lease_of(job: &Job) -> (Option<i64>, Option<&str>) {
    match &job.standing {
        Standing::Running { lease_until, stop } => (Some(lease_until.0), stop.as_deref()),
        _ => (None, None),
    }
}

macro_rules! body {
    ($Connection:ty, $Row:ty) => {
        fn standing(row: &Columns<'_>) -> Answer<Standing> {
            Ok(match row.word("state", JobState::parse)? {
                JobState::Waiting => Standing::Waiting,
                JobState::Running => {
                    Standing::Running { lease_until: Timestamp(row.get("lease_until")?), stop: row.text("stop")? }
                }
                JobState::Finished => Standing::Finished(row.word("result", JobResult::parse)?),
                JobState::Lost => Standing::Lost,
            })
        }

        pub(super) fn job(row: &$Row) -> Answer<JobRow> {
            let row = Columns::of(row, "jobs", &["id"]);
            let job = Job {
                id: JobId(row.get("id")?),
                standing: standing(&row)?,
                worker: row.get::<Option<Uuid>>("worker_id")?.map(WorkerId),
                attempt: row.count("attempt")?,
                attempts_max: row.count("attempts_max")?,
                note: row.text("note")?,
                created_at: Timestamp(row.get("created_at")?),
                started_at: row.time("started_at")?,
                finished_at: row.time("finished_at")?,
            };
            let priority: i64 = row.get("priority")?;
            Ok(JobRow {
                job,
                kind: row.word("kind", JobKind::parse)?,
                parent: row.get("parent_id")?,
                ordinal: row.count("ordinal")?,
                name: row.get::<&str>("name")?.into(),
                priority: i32::try_from(priority).map_err(|_| row.corrupt("priority", "it does not fit".into()))?,
                labels: Labels::stored(row.get("labels")?),
                concurrency: row.text("concurrency")?,
                setup: row.text("setup")?,
                definition: row.get::<&str>("definition")?.into(),
                progress: row.get::<&str>("progress")?.into(),
                version: row.get("version")?,
            })
        }

        pub(super) fn job_count(row: &$Row) -> Answer<JobCount> {
            let row = Columns::of(row, "jobs", &["parent_id"]);
            let result = row.get::<Option<&str>>("result")?.map(|_| row.word("result", JobResult::parse));
            Ok(JobCount {
                parent: row.get("parent_id")?,
                state: row.word("state", JobState::parse)?,
                result: result.transpose()?,
                jobs: row.count("jobs")?,
            })
        }

        pub(super) fn labels(row: &$Row) -> Answer<Labels> {
            Ok(Labels::stored(Columns::of(row, "jobs", &[]).get("labels")?))
        }

        /// Needs a transaction where there are many.
        pub(in crate::store) async fn job_insert(db: &mut $Connection, rows: &[JobRow]) -> Answer<()> {
            dialect::bulk::<JobsInsert>(db, rows).await.map(drop)
        }

        pub(in crate::store) async fn job_get(db: &mut $Connection, id: JobId) -> Answer<Option<JobRow>> {
            sqlx::query(JOB_GET).bind(id.0).fetch_optional(db).await?.as_ref().map(job).transpose()
        }

        pub(in crate::store) async fn jobs_of(db: &mut $Connection, parent: Uuid) -> Answer<Vec<JobRow>> {
            all(sqlx::query(JOBS_OF).bind(parent).fetch_all(db).await?, job)
        }

        pub(in crate::store) async fn job_counts(db: &mut $Connection, parent: Uuid) -> Answer<Vec<JobCount>> {
            all(sqlx::query(JOB_COUNTS).bind(parent).fetch_all(db).await?, job_count)
        }

        pub(in crate::store) async fn job_labels(db: &mut $Connection) -> Answer<Vec<Labels>> {
            all(sqlx::query(JOB_LABELS).fetch_all(db).await?, labels)
        }

        pub(in crate::store) async fn job_queue(db: &mut $Connection, limit: u32) -> Answer<Vec<JobRow>> {
            all(sqlx::query(JOB_QUEUE).bind(i64::from(limit)).fetch_all(db).await?, job)
        }

        pub(in crate::store) async fn job_waiting(db: &mut $Connection) -> Answer<u32> {
            let row = sqlx::query(JOB_WAITING).fetch_one(db).await?;
            Columns::of(&row, "jobs", &[]).count("jobs")
        }

        pub(in crate::store) async fn job_ahead(db: &mut $Connection, priority: i32, id: JobId) -> Answer<u32> {
            let row = sqlx::query(JOB_AHEAD).bind(i64::from(priority)).bind(id.0).fetch_one(db).await?;
            Columns::of(&row, "jobs", &[]).count("jobs")
        }

        pub(in crate::store) async fn job_running(db: &mut $Connection) -> Answer<Vec<JobRow>> {
            all(sqlx::query(JOB_RUNNING).fetch_all(db).await?, job)
        }

        pub(in crate::store) async fn job_past(
            db: &mut $Connection,
            setup: &str,
            kind: JobKind,
            name: Option<&str>,
            limit: u32,
        ) -> Answer<Vec<Micros>> {
            let query = sqlx::query(JOB_PAST).bind(setup).bind(kind.as_str()).bind(name).bind(i64::from(limit));
            let took = |row: &$Row| Columns::of(row, "jobs", &[]).get("took").map(Micros);
            all(query.fetch_all(db).await?, took)
        }

        pub(in crate::store) async fn job_lapsed(
            db: &mut $Connection,
            now: Timestamp,
            limit: u32,
        ) -> Answer<Vec<JobRow>> {
            all(sqlx::query(JOB_LAPSED).bind(now.0).bind(i64::from(limit)).fetch_all(db).await?, job)
        }

        pub(in crate::store) async fn job_claim(
            db: &mut $Connection,
            worker: WorkerId,
            labels: &[Labels],
            now: Timestamp,
            lease_until: Timestamp,
        ) -> Answer<Option<JobRow>> {
            let keys: Vec<_> = labels.iter().map(Labels::key).collect();
            let query = sqlx::query(dialect::JOB_CLAIM).bind(worker.0).bind(lease_until.0).bind(now.0).bind(Json(keys));
            query.fetch_optional(db).await?.as_ref().map(job).transpose()
        }

        pub(in crate::store) async fn job_save(db: &mut $Connection, job: &Job, version: i64) -> Answer<bool> {
            let (lease_until, stop) = lease_of(job);
            let query = sqlx::query(JOB_SAVE)
                .bind(job.id.0)
                .bind(version)
                .bind(job.state().as_str())
                .bind(job.result().map(|result| result.as_str()))
                .bind(i64::from(job.attempt))
                .bind(job.worker.map(|worker| worker.0))
                .bind(lease_until)
                .bind(stop)
                .bind(job.note.as_deref())
                .bind(job.started_at.map(|at| at.0))
                .bind(job.finished_at.map(|at| at.0));
            Ok(query.execute(db).await?.rows_affected() > 0)
        }

        pub(in crate::store) async fn job_progress(
            db: &mut $Connection,
            id: JobId,
            attempt: u32,
            progress: &str,
            setup: Option<&str>,
        ) -> Answer<bool> {
            let query = sqlx::query(JOB_PROGRESS).bind(id.0).bind(i64::from(attempt)).bind(progress).bind(setup);
            Ok(query.execute(db).await?.rows_affected() > 0)
        }
    };
}
pub(in crate::store) use body;
