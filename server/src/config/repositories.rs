//! Repositories whose pushes are built.

use super::fault::fault;
use super::{Config, ConfigError, FieldFault, Secret};
use app::domain::build::{check_remote, is_ssh};
use app::domain::job::Labels;
use app::domain::name::{ProjectName, SetupName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    /// What it is cloned with, where not everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsConfig>,
}

/// What a repository is cloned with: the secret itself stands elsewhere, and is
/// read when a worker takes a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsConfig {
    /// Who asks; most forges take any name beside a token.
    #[serde(default = "usual_user")]
    pub user: String,
    /// The variable in the environment of the server that has the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The file that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The keys of the repository's host, as `ssh-keyscan` prints them. With it, the secret is a private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_hosts: Option<String>,
}

fn usual_user() -> String {
    "git".into()
}

fn every_branch() -> Vec<String> {
    vec!["*".into()]
}

impl RepositoryConfig {
    /// The setup that its tests are told of.
    pub fn setup(&self) -> String {
        self.setup.clone().unwrap_or_else(|| format!("builds/{}", self.name))
    }

    /// Whether it can be built; `secrets` are those that there are.
    pub fn check(&self, secrets: &BTreeMap<String, Secret>) -> Result<(), FieldFault> {
        let is_odd = |c: char| c.is_control() || c.is_whitespace();
        if self.name.is_empty() || self.name.len() > 200 || self.name.contains(is_odd) {
            return Err(fault("name", "must be what the forge calls it, such as acme/pump"));
        }
        check_remote(&self.url).map_err(|error| fault("url", error.to_string()))?;
        if self.branches.is_empty() {
            return Err(fault("branches", "is empty: * stands for all"));
        }
        Labels::parse(&self.labels).map_err(|error| fault("labels", error.to_string()))?;
        SetupName::parse(&self.setup()).map_err(|error| fault("setup", error.to_string()))?;
        let project = self.project.as_deref().map(ProjectName::parse).transpose();
        project.map_err(|error| fault("project", error.to_string()))?;
        if let Some(name) = self.secrets.iter().find(|name| !secrets.contains_key(*name)) {
            return Err(fault("secrets", format!("runner.secrets has no {name:?}")));
        }
        let Some(credentials) = &self.credentials else { return Ok(()) };
        if credentials.environment.is_some() == credentials.file.is_some() {
            return Err(fault("credentials", "say the variable or the file that has the token, one of them"));
        }
        match &credentials.known_hosts {
            Some(known) if !is_ssh(&self.url) || known.trim().is_empty() => {
                Err(fault("credentials", "known_hosts are the keys of a host that is reached by SSH"))
            }
            None if is_ssh(&self.url) => {
                Err(fault("credentials", "a key for SSH needs known_hosts: what ssh-keyscan prints of the host"))
            }
            None if !self.url.starts_with("https://") => {
                Err(fault("credentials", "are sent to https:// addresses and by SSH alone"))
            }
            _ => Ok(()),
        }
    }
}

impl Config {
    pub(super) fn validate_repositories(&self) -> Result<(), ConfigError> {
        for one in &self.repositories {
            one.check(&self.runner.secrets).map_err(|fault| fault.of("repositories", &one.name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_cloned_is_refused_by_its_field() {
        let good = "[[repositories]]\nname = \"acme/pump\"\nurl = \"https://forge.example/acme/pump.git\"\n\
                    credentials = { environment = \"PUMP_TOKEN\" }\n";
        let read = |text: &str| toml::from_str::<Config>(text).expect("valid").validate();
        read(good).expect("usable");
        for (text, word) in [
            (good.replace("acme/pump\"\nurl", "\"\nurl"), "name"),
            (good.replace("https:", "ext:"), "url"),
            (good.replace("https:", "ssh:"), "credentials"),
            (good.replace("https:", "http:"), "credentials"),
            (good.replace("TOKEN\" }", "TOKEN\", known_hosts = \"h k\" }"), "credentials"),
            (good.replace("{ environment = \"PUMP_TOKEN\" }", "{ user = \"kim\" }"), "credentials"),
            (format!("{good}branches = []\n"), "branches"),
            (format!("{good}secrets = [\"NONE\"]\n"), "secrets"),
        ] {
            let error = read(&text).expect_err(&text).to_string();
            assert!(error.contains(&format!(", {word}:")), "{word}: {error}");
        }
    }
}
