//! Batches, as programs see them.

use super::work::JobBody;
use crate::service::batches::Batch;
use app::domain::ids::BatchId;
use app::domain::job::{JobResult, WorkState};
use serde::Serialize;
use utoipa::ToSchema;

/// A file that is run, or a folder with a project
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnitBody {
    /// Its path.
    path: String,
    /// `pytest`, `unittest`, `robot`, `shell`, `cargo`, `go` or `npm`.
    framework: &'static str,
}

/// A file that was not taken
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusedBody {
    /// Its name, as it was sent.
    name: String,
    /// Why.
    why: String,
}

/// A batch
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchBody {
    /// Its identity.
    #[schema(value_type = Uuid)]
    id: BatchId,
    /// Where people see it.
    url: String,
    /// Whose it is, or what it is called.
    name: String,
    /// `held`, `created`, `running`, `success`, `failed`, `errored`, `timed_out` or `cancelled`.
    status: &'static str,
    /// Who made it.
    by: String,
    /// When it was made.
    created_at: String,
    /// Jobs that are over.
    over: u32,
    /// What is run, a job each.
    units: Vec<UnitBody>,
    /// What was not taken.
    refused: Vec<RefusedBody>,
    /// Its jobs.
    jobs: Vec<JobBody>,
}

/// The one word for how a batch stands
pub fn status(batch: &Batch) -> &'static str {
    match (batch.state(), batch.result()) {
        (WorkState::Held, _) => "held",
        (WorkState::Waiting, _) => "created",
        (WorkState::Finished, Some(JobResult::Passed)) => "success",
        (WorkState::Finished, Some(result)) => result.as_str(),
        (WorkState::Running | WorkState::Finished, _) => "running",
    }
}

impl From<&Batch> for BatchBody {
    fn from(batch: &Batch) -> Self {
        let plan = &batch.plan;
        let units = plan.units.iter();
        let units = units.map(|unit| UnitBody { path: unit.path.clone(), framework: unit.framework.as_str() });
        let refused = plan.refused.iter();
        let refused = refused.map(|file| RefusedBody { name: file.name.clone(), why: file.why.clone() });
        Self {
            id: batch.id,
            url: format!("/batches/{}", batch.id),
            name: batch.name.clone(),
            status: status(batch),
            by: plan.by.clone(),
            created_at: batch.created_at.to_rfc3339(),
            over: batch.over(),
            units: units.collect(),
            refused: refused.collect(),
            jobs: batch.jobs.iter().map(JobBody::from).collect(),
        }
    }
}

/// A page of batches
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchList {
    /// The newest first.
    pub items: Vec<BatchBody>,
    /// How many there are in all.
    pub total: u32,
    /// To be handed back as `cursor`.
    pub next: Option<String>,
}
