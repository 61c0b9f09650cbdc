//! What is taken from one caller, and from all; the road to this server.

use super::{Config, ConfigError, invalid};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What is taken from one caller, and from all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallersConfig {
    /// Requests a second of one token, person or address; five seconds' worth may come at once. 0 is no limit.
    pub requests_per_second: u32,
    /// The head of a request must have arrived by then; a connection without a request is closed.
    pub heads_within_seconds: u32,
    /// Connections at once.
    pub connections: u32,
}

impl Default for CallersConfig {
    fn default() -> Self {
        Self { requests_per_second: 1_000, heads_within_seconds: 60, connections: 20_000 }
    }
}

impl CallersConfig {
    /// The head of a request must have arrived by then.
    pub fn heads_within(&self) -> Duration {
        Duration::from_secs(self.heads_within_seconds.into())
    }
}

/// TLS without a proxy before this server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate with its chain, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

impl Config {
    /// Proxies whose word on where a request comes from counts.
    pub fn proxies(&self) -> Result<Vec<IpNet>, ConfigError> {
        let read = |text: &String| {
            let one = || text.parse().map(|address: std::net::IpAddr| IpNet::from(address));
            text.parse().or_else(|_| one()).map_err(|_| {
                invalid(
                    "trusted_proxies",
                    format!("{text:?} is neither an address nor ADDRESS/BITS, such as 10.0.0.0/8"),
                )
            })
        };
        self.trusted_proxies.iter().map(read).collect()
    }

    pub(super) fn validate_road(&self) -> Result<(), ConfigError> {
        self.proxies()?;
        if self.limits.heads_within_seconds == 0 || self.limits.connections == 0 {
            return Err(invalid("limits", "heads_within_seconds and connections must be at least 1"));
        }
        for origin in &self.auth.wall_frames {
            let is_origin = url::Url::parse(origin).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == *origin
            });
            if !is_origin {
                let detail = format!("{origin:?} is no origin, such as https://intranet.example");
                return Err(invalid("auth.wall_frames", detail));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_road_that_cannot_be_is_refused_by_name() {
        for (text, place) in [
            ("trusted_proxies = [\"10.0.0.0/40\"]", "trusted_proxies"),
            ("[limits]\nconnections = 0", "limits"),
            ("[auth]\nwall_frames = [\"https://a.example/x\"]", "auth.wall_frames"),
            ("[auth]\nwall_frames = [\"https://a.example; script-src *\"]", "auth.wall_frames"),
        ] {
            let config: Config = toml::from_str(text).expect("valid");
            assert!(config.validate().expect_err(text).to_string().starts_with(place), "{text}");
        }
        let config: Config = toml::from_str("trusted_proxies = [\"10.1.2.3\", \"fd00::/8\"]").expect("valid");
        assert_eq!(config.proxies().expect("usable").len(), 2);
    }
}
