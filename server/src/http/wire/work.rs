//! Jobs and workers, as programs see them.

use crate::service::jobs::{JobRow, Taken};
use crate::service::workers::WorkerCard;
use app::domain::ids::{JobId, WorkerId};
use app::domain::job::{JobResult, Progress, Task};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a worker says of itself when it starts
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HelloBody {
    /// Its name, by which it is known over all its starts.
    #[schema(max_length = 80, examples("builder-1"))]
    pub name: String,
    /// Which start this is; chosen anew at each.
    pub instance: Uuid,
    /// What it has, between commas.
    #[serde(default)]
    #[schema(examples("linux,gpu"))]
    pub labels: String,
    /// Jobs it runs at once.
    #[schema(minimum = 1, maximum = 256)]
    pub slots: u32,
    /// Anything else, for people.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub about: serde_json::Value,
}

/// What a worker is told when it starts
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WelcomeBody {
    /// Names it from here on.
    #[schema(value_type = Uuid)]
    pub id: WorkerId,
    /// It has to say how its jobs are this often at least.
    pub lease_seconds: u32,
}

/// A worker asks for a job
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimRequest {
    /// Who.
    #[schema(value_type = Uuid)]
    pub worker: WorkerId,
    /// Which start of it.
    pub instance: Uuid,
    /// How long to wait for one; 50 at most.
    #[serde(default)]
    pub wait_seconds: u32,
}

/// A job to do
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrderBody {
    /// Which.
    #[schema(value_type = Uuid)]
    pub job: JobId,
    /// The how-manieth attempt this is.
    pub attempt: u32,
    /// A name for people.
    pub name: String,
    /// What is to be done.
    #[schema(value_type = Object)]
    pub task: Task,
    /// Secrets that the task names: they are part of its environment, and masked in its log.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What its commit is fetched with: for that step alone, and masked in its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsBody>,
}

/// What a commit is fetched with
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CredentialsBody {
    /// Who asks.
    pub user: String,
    /// The secret; a private key where there are known hosts.
    pub password: String,
    /// The keys of the host, where it is reached by SSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_hosts: Option<String>,
}

impl std::fmt::Debug for CredentialsBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CredentialsBody({})", self.user)
    }
}

impl From<Taken> for OrderBody {
    fn from(Taken { row, task, secrets, credentials }: Taken) -> Self {
        let credentials = credentials.map(|known| CredentialsBody {
            user: known.user,
            password: known.password.expose().to_owned(),
            known_hosts: known.known_hosts,
        });
        Self { job: row.job.id, attempt: row.job.attempt, name: row.name.into(), task, secrets, credentials }
    }
}

/// A worker says how its job is
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExtendBody {
    /// Who.
    #[schema(value_type = Uuid)]
    pub worker: WorkerId,
    /// Which attempt.
    pub attempt: u32,
    /// How far it is.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub progress: Option<Progress>,
}

/// What a worker is to do with its job
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct WordBody {
    /// Stop it, for this reason; none: go on.
    #[serde(default)]
    pub stop: Option<String>,
}

/// A worker says what its job came to
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FinishBody {
    /// Who.
    #[schema(value_type = Uuid)]
    pub worker: WorkerId,
    /// Which attempt.
    pub attempt: u32,
    /// `passed`, `failed`, `errored`, `cancelled` or `timed_out`.
    #[schema(value_type = String)]
    pub result: JobResult,
    /// What there is to say.
    #[serde(default)]
    pub note: Option<String>,
    /// How far it came.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub progress: Option<Progress>,
}

/// Where a log ends
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogEnd {
    /// In bytes.
    pub end: u64,
}

/// A job
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobBody {
    /// Its identity.
    #[schema(value_type = Uuid)]
    id: JobId,
    /// `batch` or `build`.
    kind: &'static str,
    /// The batch or the build.
    parent: Uuid,
    /// A name for people.
    name: String,
    /// `waiting`, `running`, `finished` or `lost`.
    state: &'static str,
    /// `passed`, `failed`, `errored`, `cancelled` or `timed_out`, once it is finished.
    result: Option<&'static str>,
    /// What there is to say about it.
    note: Option<String>,
    /// How often it was taken.
    attempt: u32,
    /// What it needs of a worker.
    labels: Vec<String>,
    /// The setup that its tests are told of.
    setup: Option<String>,
    /// Since when it waits.
    created_at: String,
    /// When it was last taken.
    started_at: Option<String>,
    /// When it ended.
    finished_at: Option<String>,
    /// Its steps.
    #[schema(value_type = Object)]
    progress: Progress,
}

impl From<&JobRow> for JobBody {
    fn from(row: &JobRow) -> Self {
        let job = &row.job;
        Self {
            id: job.id,
            kind: row.kind.as_str(),
            parent: row.parent,
            name: row.name.to_string(),
            state: job.state().as_str(),
            result: job.result().map(JobResult::as_str),
            note: job.note.as_deref().map(str::to_owned),
            attempt: job.attempt,
            labels: row.labels.iter().map(str::to_owned).collect(),
            setup: row.setup.as_deref().map(str::to_owned),
            created_at: job.created_at.to_rfc3339(),
            started_at: job.started_at.map(|at| at.to_rfc3339()),
            finished_at: job.finished_at.map(|at| at.to_rfc3339()),
            progress: serde_json::from_str(&row.progress).unwrap_or_default(),
        }
    }
}

/// A worker
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkerBody {
    /// Its name.
    name: String,
    /// `active`, `draining` or `disabled`.
    stance: &'static str,
    /// It has not been heard of for a while.
    is_away: bool,
    /// What it has.
    labels: Vec<String>,
    /// Jobs it runs at once.
    slots: u32,
    /// When it last spoke.
    seen_at: String,
    /// What it runs.
    jobs: Vec<JobBody>,
}

impl From<&WorkerCard> for WorkerBody {
    fn from(card: &WorkerCard) -> Self {
        Self {
            name: card.row.name.to_string(),
            stance: card.stance.as_str(),
            is_away: card.is_away,
            labels: card.row.labels.iter().map(str::to_owned).collect(),
            slots: card.row.slots,
            seen_at: card.row.seen_at.to_rfc3339(),
            jobs: card.runs.iter().map(JobBody::from).collect(),
        }
    }
}

/// All workers
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkerList {
    /// By name.
    pub items: Vec<WorkerBody>,
}

/// Whether a worker is given jobs
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct StanceBody {
    /// `active`, `draining` or `disabled`.
    pub stance: String,
}
