//! Setups as code, and the CI servers that are asked for their builds.

use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// Asking CI servers for builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuildsConfig {
    /// Hosts that may be asked, as HOST or HOST:PORT. Nothing else is ever called.
    pub allowed_hosts: Vec<String>,
    /// A server that has not answered by then is given up.
    pub timeout_seconds: u32,
    /// Answers are kept for this long.
    pub cache_seconds: u32,
}

impl Default for BuildsConfig {
    fn default() -> Self {
        Self { allowed_hosts: Vec::new(), timeout_seconds: 5, cache_seconds: 20 }
    }
}

/// A setup as code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupConfig {
    /// Its name, as listeners send it.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its job on a Jenkins server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jenkins: Option<JenkinsConfig>,
}

/// A job on a Jenkins server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JenkinsConfig {
    /// Its base address.
    pub url: url::Url,
    /// The job; folders are separated by `/`.
    pub job: String,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// That user's API token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}
