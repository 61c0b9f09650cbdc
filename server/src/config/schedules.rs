//! What is run again and again.

use super::fault::fault;
use super::{Config, ConfigError, FieldFault, invalid};
use crate::timetable::{Timetable, TimetableFault};
use app::domain::ids::BatchId;
use app::domain::wall::check_wall_name;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// When something is run again and again, and what: the files of a batch, or
/// the head of a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchedulePlan {
    /// Five fields of cron, or a word such as `@daily`.
    pub cron: String,
    /// In which time zone: a name such as `Europe/Berlin`.
    pub time_zone: String,
    /// The batch whose files are run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The repository that is built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Its branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// A schedule as code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Its name.
    pub name: String,
    /// As in [`SchedulePlan`].
    pub cron: String,
    /// As in [`SchedulePlan`].
    pub time_zone: String,
    /// As in [`SchedulePlan`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// As in [`SchedulePlan`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// As in [`SchedulePlan`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

impl ScheduleConfig {
    /// When, and what.
    pub fn plan(&self) -> SchedulePlan {
        let Self { cron, time_zone, batch, repository, branch, .. } = self.clone();
        SchedulePlan { cron, time_zone, batch, repository, branch }
    }
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The files of a batch once more.
    Batch(BatchId),
    /// The head of a branch.
    Branch {
        /// The repository, as its forge calls it.
        repository: String,
        /// The branch.
        branch: String,
    },
}

/// Whether a text may name a schedule.
pub fn check_schedule_name(name: &str) -> Result<(), FieldFault> {
    check_wall_name(name).map_err(|error| fault("name", error.to_string()))
}

impl SchedulePlan {
    /// When. Without a zone it is UTC.
    pub fn timetable(&self) -> Result<Timetable, FieldFault> {
        let zone = if self.time_zone.trim().is_empty() { "UTC" } else { &self.time_zone };
        Timetable::parse(&self.cron, zone).map_err(|error| {
            let field = if matches!(error, TimetableFault::Zone(_)) { "time_zone" } else { "cron" };
            fault(field, error.to_string())
        })
    }

    /// What.
    pub fn order(&self) -> Result<Order, FieldFault> {
        let branch = self.branch.as_deref().map(str::trim).filter(|branch| !branch.is_empty());
        match (&self.batch, &self.repository) {
            (Some(_), Some(_)) => Err(fault("repository", "is for builds: give a batch or a repository")),
            (None, None) => Err(fault("batch", "is missing: give the id of a batch, or a repository and a branch")),
            (Some(batch), None) => {
                let id = batch.trim().parse().map_err(|_| fault("batch", "must be the id of a batch"))?;
                Ok(Order::Batch(id))
            }
            (None, Some(repository)) => {
                let branch = branch.ok_or_else(|| fault("branch", "is missing"))?;
                let is_odd = |c: char| c.is_control() || c.is_whitespace() || ":~^?*[\\".contains(c);
                if branch.len() > 200 || branch.starts_with('-') || branch.contains(is_odd) {
                    return Err(fault("branch", "is no name of a branch"));
                }
                Ok(Order::Branch { repository: repository.trim().into(), branch: branch.into() })
            }
        }
    }
}

impl Config {
    pub(super) fn validate_schedules(&self) -> Result<(), ConfigError> {
        let mut names = HashSet::new();
        for one in &self.schedules {
            let place = |fault: FieldFault| fault.of("schedules", &one.name);
            check_schedule_name(&one.name).map_err(place)?;
            one.plan().timetable().map_err(place)?;
            let order = one.plan().order().map_err(place)?;
            if let Order::Branch { repository, .. } = order
                && !self.repositories.iter().any(|known| known.name == repository)
            {
                return Err(place(fault("repository", format!("{repository:?} is not listed under repositories"))));
            }
            if !names.insert(&one.name) {
                return Err(invalid("schedules", format!("{:?} is listed twice", one.name)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_be_run_is_refused() {
        let good = "[[repositories]]\nname = \"acme/pump\"\nurl = \"https://forge.example/acme/pump.git\"\n\
                    [[schedules]]\nname = \"nightly\"\ncron = \"30 2 * * 1-5\"\ntime_zone = \"Europe/Berlin\"\n\
                    repository = \"acme/pump\"\nbranch = \"main\"\n";
        let read = |text: &str| toml::from_str::<Config>(text).expect("valid").validate();
        read(good).expect("usable");
        let cases = [
            (good.replace("nightly", "Every Night"), "name"),
            (good.replace("30 2", "30"), "cron"),
            (good.replace("Berlin", "Nowhere"), "time_zone"),
            (good.replace("branch = \"main\"", ""), "branch"),
            (good.replace("branch = \"main\"", "batch = \"x\""), "repository"),
            (good.replace("repository = \"acme/pump\"\nbranch = \"main\"", "batch = \"x\""), "batch"),
            (good.replace("repository = \"acme/pump\"", "repository = \"acme/other\""), "repository"),
        ];
        for (text, word) in cases {
            let error = read(&text).expect_err(&text).to_string();
            assert!(error.contains(&format!(", {word}:")), "{word}: {error}");
        }
        assert!(toml::from_str::<Config>(&good.replace("cron", "cronn")).is_err());
    }
}
