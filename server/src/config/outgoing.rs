//! Whom this server may call.

use super::{BuildsConfig, Config, ConfigError, JenkinsConfig, invalid};
use crate::outgoing::{RuleError, Rules};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Calling other servers: for notifications, commit statuses and logins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutgoingConfig {
    /// Hosts that may be called, as HOST, HOST:PORT or *.DOMAIN.
    pub allowed_hosts: Vec<String>,
    /// Networks that are not public and yet may be called, as ADDRESS/BITS.
    pub allowed_networks: Vec<String>,
    /// A server that has not answered by then is given up.
    pub timeout_seconds: u32,
}

impl Default for OutgoingConfig {
    fn default() -> Self {
        Self { allowed_hosts: Vec::new(), allowed_networks: Vec::new(), timeout_seconds: 10 }
    }
}

impl OutgoingConfig {
    /// The same, for the client.
    pub fn rules(&self) -> Result<Rules, RuleError> {
        Rules::new(&self.allowed_hosts, &self.allowed_networks)
    }

    /// How long a call may take in all.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_seconds))
    }
}

impl BuildsConfig {
    /// Who may be asked for builds.
    pub fn rules(&self) -> Result<Rules, RuleError> {
        Rules::inside(&self.allowed_hosts, "builds.allowed_hosts")
    }
}

impl Config {
    /// Refuses rules that mean nothing, and calls that they do not allow.
    pub(super) fn validate_outgoing(&self) -> Result<(), ConfigError> {
        let outgoing = &self.outgoing;
        outgoing.rules().map_err(|error| invalid("outgoing", error.to_string()))?;
        for (place, seconds) in [
            ("outgoing.timeout_seconds", outgoing.timeout_seconds),
            ("builds.timeout_seconds", self.builds.timeout_seconds),
        ] {
            if !(1..=120).contains(&seconds) {
                return Err(invalid(place, "must be between 1 and 120"));
            }
        }
        let builds = self.builds.rules().map_err(|error| invalid("builds.allowed_hosts", error.to_string()))?;
        let mut asked = self.setups.iter().filter_map(|setup| Some((&setup.name, setup.jenkins.as_ref()?)));
        asked.try_for_each(|(name, jenkins)| allow(&builds, jenkins, name))
    }
}

fn allow(rules: &Rules, jenkins: &JenkinsConfig, setup: &str) -> Result<(), ConfigError> {
    rules.check(&jenkins.url).map_err(|refused| invalid(format!("setups, {setup:?}, jenkins.url"), refused.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_called_is_refused_by_name() {
        let cases = [
            ("[outgoing]\nallowed_hosts = [\"https://x/\"]", "outgoing: "),
            ("[outgoing]\nallowed_networks = [\"10.0.0.0/40\"]", "outgoing: "),
            ("[outgoing]\ntimeout_seconds = 0", "outgoing.timeout_seconds: "),
            ("[builds]\nallowed_hosts = [\"a/b\"]", "builds.allowed_hosts: "),
            (
                "[[setups]]\nname = \"a\"\njenkins = { url = \"ftp://ci.example/\", job = \"j\" }",
                "setups, \"a\", jenkins.url: ",
            ),
        ];
        for (text, place) in cases {
            let config: Config = toml::from_str(text).expect("valid");
            let error = config.validate().expect_err(text).to_string();
            assert!(error.starts_with(place), "{error}");
        }
    }
}
