//! Schedules, as programs see them.

use super::{batch, build};
use crate::config::SchedulePlan;
use crate::service::schedules::{LastWork, Schedule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When something is run again and again, and what
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleBody {
    /// Minute, hour, day, month and weekday, or a word such as `@daily`.
    #[schema(examples("30 2 * * 1-5"))]
    pub cron: String,
    /// The zone of these times; UTC where it is left out.
    #[serde(default)]
    #[schema(examples("Europe/Berlin"))]
    pub time_zone: String,
    /// The id of the batch whose files are run again.
    #[serde(default)]
    pub batch: Option<String>,
    /// Or the repository that is built, as its forge calls it.
    #[serde(default)]
    #[schema(examples("acme/pump"))]
    pub repository: Option<String>,
    /// And its branch, whose head it is.
    #[serde(default)]
    #[schema(examples("main"))]
    pub branch: Option<String>,
    /// Its turns pass it by.
    #[serde(default)]
    pub is_paused: bool,
}

impl ScheduleBody {
    /// When, and what.
    pub fn plan(&self) -> SchedulePlan {
        let Self { cron, time_zone, batch, repository, branch, .. } = self.clone();
        SchedulePlan { cron, time_zone, batch, repository, branch }
    }
}

/// What the last turn of a schedule came to
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LastBody {
    /// Where it is.
    pub url: String,
    /// How it stands, as the batch or the build says.
    pub status: &'static str,
}

/// Something that is run again and again
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScheduleItem {
    /// Its name.
    name: String,
    /// When, as cron says it.
    cron: String,
    /// The zone of these times.
    time_zone: String,
    /// The batch whose files are run again.
    batch: Option<String>,
    /// The repository that is built.
    repository: Option<String>,
    /// Its branch.
    branch: Option<String>,
    /// It is written in the configuration file, and changed there.
    configured: bool,
    /// Its turns pass it by.
    is_paused: bool,
    /// Who made it.
    by: String,
    /// When it is its turn.
    next_at: Option<String>,
    /// When it last was.
    last_at: Option<String>,
    /// What that came to.
    last: Option<LastBody>,
    /// Why it came to nothing.
    fault: Option<String>,
}

impl LastBody {
    /// Where it is, and how it stands.
    pub fn of(last: &LastWork) -> Self {
        match last {
            LastWork::Batch(one) => Self { url: format!("/batches/{}", one.id), status: batch::status(one) },
            LastWork::Build(one) => {
                Self { url: format!("/builds/{}", one.row.id), status: build::status(one).as_str() }
            }
        }
    }
}

impl From<&Schedule> for ScheduleItem {
    fn from(schedule: &Schedule) -> Self {
        let (row, plan) = (&schedule.row, schedule.plan.clone());
        Self {
            name: row.name.to_string(),
            cron: plan.cron,
            time_zone: if plan.time_zone.is_empty() { "UTC".into() } else { plan.time_zone },
            batch: plan.batch,
            repository: plan.repository,
            branch: plan.branch,
            configured: row.is_configured,
            is_paused: row.is_paused,
            by: row.made_by.to_string(),
            next_at: row.next_at.filter(|_| !row.is_paused).map(|at| at.to_rfc3339()),
            last_at: row.last_at.map(|at| at.to_rfc3339()),
            last: schedule.last.as_ref().map(LastBody::of),
            fault: row.fault.as_deref().map(str::to_owned),
        }
    }
}

/// All schedules
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScheduleList {
    /// By name.
    pub items: Vec<ScheduleItem>,
}
