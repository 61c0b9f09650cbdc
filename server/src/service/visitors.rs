//! Clients that do not speak our own words: what the configuration says of
//! them, and who of them may write.

use super::Service;
use super::access::Shown;
use super::desk::Desk;
use super::failure::Failure;
use crate::config::{Config, ConfigError, HooksConfig};
use app::domain::rights::Who;
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

impl Desk {
    /// The desk for a client at the doors of other protocols: as everywhere,
    /// by a token in the address, or by the network it is in.
    pub async fn for_visitor(&self, in_address: Option<&str>) -> Result<Self, Failure> {
        if *self.who() != Who::Nobody {
            return Ok(self.clone());
        }
        let address = self.asker().address;
        if let Some(secret) = in_address {
            return self.desk(Shown::Token(secret), address).await;
        }
        let is_open = |peer: IpAddr| self.inner.visitors.open.iter().any(|network| network.contains(&peer));
        let is_neighbour = address.map(|address| address.to_canonical()).is_some_and(is_open);
        Ok(if is_neighbour { self.of_neighbour() } else { self.clone() })
    }
}

impl Service {
    /// Setups by the numbers that the robot results board calls them.
    pub fn setup_numbers(&self) -> &BTreeMap<u32, String> {
        &self.inner.visitors.setups
    }

    /// What is configured for CI servers.
    pub fn hooks(&self) -> &HooksConfig {
        &self.inner.visitors.hooks
    }
}
