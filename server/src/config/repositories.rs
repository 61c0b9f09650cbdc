//! Repositories whose pushes are built.

use super::{Config, ConfigError, invalid};
use app::domain::build::check_remote;
use app::domain::job::Labels;
use app::domain::name::{ProjectName, SetupName};
use serde::{Deserialize, Serialize};

/// A repository whose pushes are built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositoryConfig {
    /// What its forge calls it in hooks: `OWNER/NAME`.
    pub name: String,
    /// Where workers get it. Nothing else is ever cloned, whatever a hook says.
    pub url: String,
    /// Branches that are built; `*` stands for any letters.
    #[serde(default = "every_branch")]
    pub branches: Vec<String>,
    /// The product under test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The setup that its tests are told of; else `builds/` and its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// What its builds need of a worker.
    #[serde(default)]
    pub labels: String,
    /// Its steps may use the network. Getting it may, where it is not a file.
    #[serde(default)]
    pub network: bool,
    /// Secrets of `[runner.secrets]` that its steps are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Seconds that a build may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

fn every_branch() -> Vec<String> {
    vec!["*".into()]
}

impl RepositoryConfig {
    /// The setup that its tests are told of.
    pub fn setup(&self) -> String {
        self.setup.clone().unwrap_or_else(|| format!("builds/{}", self.name))
    }
}

impl Config {
    pub(super) fn validate_repositories(&self) -> Result<(), ConfigError> {
        for one in &self.repositories {
            let place = |field: &str| format!("repositories, {:?}, {field}", one.name);
            check_remote(&one.url).map_err(|error| invalid(place("url"), error.to_string()))?;
            Labels::parse(&one.labels).map_err(|error| invalid(place("labels"), error.to_string()))?;
            SetupName::parse(&one.setup()).map_err(|error| invalid(place("setup"), error.to_string()))?;
            let project = one.project.as_deref().map(ProjectName::parse).transpose();
            project.map_err(|error| invalid(place("project"), error.to_string()))?;
            if let Some(name) = one.secrets.iter().find(|name| !self.runner.secrets.contains_key(*name)) {
                return Err(invalid(place("secrets"), format!("runner.secrets has no {name:?}")));
            }
        }
        Ok(())
    }
}
