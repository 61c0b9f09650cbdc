//! Who may come in.

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
    /// Sites whose pages may show a wall in a frame, as https://HOST.
    pub wall_frames: Vec<String>,
}
