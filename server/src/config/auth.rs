//! Who may come in.

use super::{Config, ConfigError, Secret, invalid};
use app::domain::rights::Role;
use serde::{Deserialize, Serialize};

/// Who may read without an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// Everybody who reaches the server.
    #[default]
    Open,
    /// Nobody: reading needs an account or a token too.
    Login,
}

/// Accounts and what needs one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Who may read without an account.
    pub read: Reading,
    /// Sites whose pages may show a wall in a frame: scheme and host.
    pub wall_frames: Vec<String>,
    /// Signing in by a provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenIdConfig>,
}

/// Signing in by an OpenID provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenIdConfig {
    /// Its address, exactly as it calls itself.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// By what it knows this server.
    pub client_secret: Secret,
    /// What it is called on the page to sign in.
    #[serde(default = "label")]
    pub label: String,
    /// What somebody may who comes by it for the first time; nothing without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

fn label() -> String {
    "OpenID".into()
}

impl Config {
    /// Refuses a provider that cannot be asked.
    pub(super) fn validate_openid(&self) -> Result<(), ConfigError> {
        let Some(openid) = &self.auth.openid else { return Ok(()) };
        if self.public_url.is_none() {
            return Err(invalid(
                "public_url",
                "must be given where there is auth.openid, which sends people back to it",
            ));
        }
        let issuer = url::Url::parse(&openid.issuer)
            .map_err(|_| invalid("auth.openid.issuer", "must be an address, exactly as the provider calls itself"))?;
        let rules = self.outgoing.rules().map_err(|error| invalid("outgoing", error.to_string()))?;
        rules.check(&issuer).map_err(|refused| invalid("auth.openid.issuer", refused.to_string()))
    }
}
