//! The doors for clients that do not speak our own words.

use super::{Config, ConfigError, Secret, invalid};
use crate::intake::hooks::Kind;
use app::domain::name::{ProjectName, SetupName};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Answering the clients of systems that this one replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompatConfig {
    /// Networks whose machines need no token on those addresses, as ADDRESS/BITS.
    pub open: Vec<String>,
    /// Setups by the numbers of the robot results board; else the n-th of `setups`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub setups: BTreeMap<String, String>,
}

/// Hearing from CI servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HooksConfig {
    /// The project of what they report; without one, the default project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Secrets by kind of server. A kind that has none sends a token instead.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Secret>,
    /// Setups by repository; else `ci/` and the repository.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub setups: BTreeMap<String, String>,
}

impl Config {
    /// The doors for clients that do not speak our own words.
    pub(super) fn validate_doors(&self) -> Result<(), ConfigError> {
        self.open_networks()?;
        if let Some(kind) = self.hooks.secrets.keys().find(|kind| Kind::parse(kind).is_none()) {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            return Err(invalid("hooks.secrets", format!("{kind:?} is not one of {known}")));
        }
        if let Some((kind, _)) = self.hooks.secrets.iter().find(|(_, secret)| secret.expose().is_empty()) {
            return Err(invalid(format!("hooks.secrets.{kind}"), "must not be empty; leave it out to ask for a token"));
        }
        if let Some(project) = &self.hooks.project {
            ProjectName::parse(project).map_err(|error| invalid("hooks.project", error.to_string()))?;
        }
        let named = self.compat.setups.iter().map(|pair| ("compat.setups", pair));
        for (place, (key, name)) in named.chain(self.hooks.setups.iter().map(|pair| ("hooks.setups", pair))) {
            SetupName::parse(name).map_err(|error| invalid(format!("{place}.{key}"), error.to_string()))?;
        }
        match self.compat.setups.keys().find(|number| number.parse::<u32>().is_err()) {
            Some(key) => Err(invalid("compat.setups", format!("{key:?} is not a number"))),
            None => Ok(()),
        }
    }

    /// The networks of [`CompatConfig::open`].
    pub fn open_networks(&self) -> Result<Vec<IpNet>, ConfigError> {
        let read = |text: &String| {
            text.parse()
                .map_err(|_| invalid("compat.open", format!("{text:?} is not ADDRESS/BITS, such as 10.0.0.0/8")))
        };
        self.compat.open.iter().map(read).collect()
    }

    /// Setups by the numbers that the robot results board calls them.
    pub fn setup_numbers(&self) -> BTreeMap<u32, String> {
        let by_place = (1..).zip(self.setups.iter().map(|setup| setup.name.clone()));
        let said = self.compat.setups.iter().filter_map(|(number, name)| Some((number.parse().ok()?, name.clone())));
        by_place.chain(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_that_cannot_be_are_refused_by_name() {
        let cases = [
            ("[compat]\nopen = [\"10.0.0.0/40\"]", "compat.open"),
            ("[compat]\nsetups = { left = \"a\" }", "compat.setups"),
            ("[hooks]\nproject = \"runs\"", "hooks.project"),
            ("[hooks.secrets]\nsvn = \"x\"", "hooks.secrets"),
            ("[hooks.secrets]\ngitlab = \"\"", "hooks.secrets.gitlab"),
            ("[hooks.setups]\n\"a/b\" = \"\"", "hooks.setups.a/b"),
        ];
        for (text, place) in cases {
            let config: Config = toml::from_str(text).expect("valid");
            assert!(config.validate().expect_err(text).to_string().starts_with(place), "{text}");
        }
    }
}
