//! Clients that do not speak our own words: what the configuration says of
//! them, and who of them may write.

use super::Service;
use super::failure::Failure;
use super::tokens::Caller;
use crate::config::{Config, ConfigError, HooksConfig};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is configured for them.
#[derive(Debug)]
pub struct Visitors {
    open: Vec<IpNet>,
    setups: BTreeMap<u32, String>,
    hooks: HooksConfig,
}

impl Visitors {
    /// As the configuration says.
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self { open: config.open_networks()?, setups: config.setup_numbers(), hooks: config.hooks.clone() })
    }
}

impl Service {
    /// Who may write at the doors of other protocols: as everywhere, and
    /// without a token from the networks that are open. `peer` is the other
    /// end of the connection; what a header says of it is not believed.
    pub async fn visitor(&self, secret: Option<&str>, peer: Option<IpAddr>) -> Result<Caller, Failure> {
        let is_open = |peer: IpAddr| self.inner.visitors.open.iter().any(|network| network.contains(&peer));
        if secret.is_none() && peer.map(|peer| peer.to_canonical()).is_some_and(is_open) {
            return Ok(Caller::default());
        }
        self.writer(secret).await
    }

    /// Setups by the numbers that the robot results board calls them.
    pub fn setup_numbers(&self) -> &BTreeMap<u32, String> {
        &self.inner.visitors.setups
    }

    /// What is configured for CI servers.
    pub fn hooks(&self) -> &HooksConfig {
        &self.inner.visitors.hooks
    }
}
