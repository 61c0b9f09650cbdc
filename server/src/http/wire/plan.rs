//! What would run where, as programs see it.

use super::Moment;
use crate::service::plan::Plan;
use app::domain::ids::{BatchId, BuildId, JobId};
use app::domain::job::{Foretold, Hindrance};
use app::format;
use serde::Serialize;
use utoipa::ToSchema;

/// A job that waits, and what is to be expected of it
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlannedJob {
    /// Which.
    #[schema(value_type = Uuid)]
    id: JobId,
    /// A name for people.
    name: String,
    /// The setup that its tests are told of.
    setup: Option<String>,
    /// The worker that should take it; null where none can, or nobody knows.
    worker: Option<String>,
    /// When it should begin; null where nobody knows.
    starts_at: Option<Moment>,
    /// How long it usually takes, in milliseconds; null where nobody knows.
    usual_ms: Option<i64>,
    /// Why it does not run now, for people; null where it is about to.
    why: Option<String>,
}

/// A job that runs
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunningJob {
    /// Which.
    #[schema(value_type = Uuid)]
    id: JobId,
    /// A name for people.
    name: String,
    /// When it began.
    started_at: Option<Moment>,
    /// When it should be done; null where nobody knows.
    done_at: Option<Moment>,
}

/// A batch that somebody has to start
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldBatch {
    /// Which.
    #[schema(value_type = Uuid)]
    id: BatchId,
    /// Whose it is, or what it is called.
    name: String,
}

/// A build that somebody has to approve
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldBuild {
    /// Which.
    #[schema(value_type = Uuid)]
    id: BuildId,
    /// The repository and what it is a build of.
    name: String,
    /// Why it waits.
    why: Option<String>,
}

/// What would run where
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanBody {
    /// When it was made.
    now: Moment,
    /// What runs.
    running: Vec<RunningJob>,
    /// What waits, in the order of the queue; 200 at most.
    waiting: Vec<PlannedJob>,
    /// How many wait in all.
    waiting_in_all: u32,
    /// Batches that somebody has to start.
    held: Vec<HeldBatch>,
    /// Builds that somebody has to approve.
    unapproved: Vec<HeldBuild>,
}

/// Why a job does not run now, in words.
pub fn why(hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::NoWorker => "there is no worker".into(),
        Hindrance::NoLabels(labels) => {
            let word = if labels.len() == 1 { "label" } else { "labels" };
            format!("no worker has the {word} {}", labels.join(", "))
        }
        Hindrance::NotGiven { worker, stance } => format!("the worker {worker} is {}", stance.as_str()),
        Hindrance::Away { worker } => format!("the worker {worker} has not been heard of"),
        Hindrance::Reserved { setup, holder, ends_at } => {
            format!("{setup} is reserved by {holder} until {}", format::utc(*ends_at))
        }
        Hindrance::Key { job } => format!("the job {job} has to end first"),
        Hindrance::Busy => "other jobs are before it".into(),
    }
}

impl From<&Plan> for PlanBody {
    fn from(plan: &Plan) -> Self {
        let running = plan.running.iter().map(|(row, done_at)| RunningJob {
            id: row.job.id,
            name: row.name.to_string(),
            started_at: row.job.started_at.map(Moment),
            done_at: done_at.map(Moment),
        });
        let waiting = plan.waiting.iter().map(|(row, told)| {
            let Foretold { id, worker, starts_at, usual, why: hindrance } = told.clone();
            PlannedJob {
                id,
                name: row.name.to_string(),
                setup: row.setup.as_deref().map(str::to_owned),
                worker,
                starts_at: starts_at.map(Moment),
                usual_ms: usual.map(|usual| usual.as_millis()),
                why: hindrance.as_ref().map(why),
            }
        });
        let held = plan.held.iter().map(|batch| HeldBatch { id: batch.id, name: batch.name.clone() });
        let unapproved = plan.unapproved.iter().map(|row| HeldBuild {
            id: row.id,
            name: format!("{} {}", row.repository, row.branch),
            why: row.held.as_deref().map(str::to_owned),
        });
        Self {
            now: Moment(plan.now),
            running: running.collect(),
            waiting: waiting.collect(),
            waiting_in_all: plan.waiting_in_all,
            held: held.collect(),
            unapproved: unapproved.collect(),
        }
    }
}
