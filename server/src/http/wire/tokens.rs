//! Tokens, as programs see them.

use super::Moment;
use crate::service::tokens::{Scope, Token, TokenText};
use app::domain::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a new token is for
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenBody {
    /// `ingest`, `read`, `worker` or `admin`.
    #[schema(examples("ingest"))]
    pub scope: String,
    /// What it is for, in a person's words.
    #[schema(examples("nightly on bench 7"), max_length = 100)]
    pub label: Option<String>,
    /// Only for this setup.
    pub setup: Option<String>,
    /// Only for this project.
    pub project: Option<String>,
    /// How many days it holds; for ever where none is said.
    #[schema(minimum = 1, maximum = 3650)]
    pub days: Option<u32>,
}

impl TokenBody {
    /// For the service.
    pub fn text(self) -> Result<TokenText, Problem> {
        let unknown = || {
            let detail = "must be one of ingest, read, worker, admin";
            Problem::new(ProblemKind::Invalid, format!("scope {detail}")).at("/scope", detail)
        };
        Ok(TokenText {
            scope: Some(Scope::parse(&self.scope).ok_or_else(unknown)?),
            label: self.label.unwrap_or_default(),
            setup: self.setup.unwrap_or_default(),
            project: self.project.unwrap_or_default(),
            days: self.days,
        })
    }
}

/// A token, without its secret
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenItem {
    /// Its public name.
    pub id: String,
    /// What it allows.
    pub scope: String,
    /// What it is for.
    pub label: Option<String>,
    /// The one setup it is for.
    pub setup: Option<String>,
    /// The one project it is for.
    pub project: Option<String>,
    /// The one wall it shows.
    pub wall: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// Who made it.
    pub created_by: Option<String>,
    /// From when on it does not hold.
    pub expires_at: Option<Moment>,
    /// When it was taken back.
    pub revoked_at: Option<Moment>,
    /// When it was last used, to the minute.
    pub used_at: Option<Moment>,
    /// From where.
    pub used_from: Option<String>,
}

impl From<Token> for TokenItem {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.to_string(),
            scope: token.scope.into(),
            label: token.label.map(Into::into),
            setup: token.setup.map(|setup| setup.as_str().to_owned()),
            project: token.project.map(|project| project.as_str().to_owned()),
            wall: token.wall.map(Into::into),
            created_at: Moment(token.created_at),
            created_by: token.created_by.map(Into::into),
            expires_at: token.expires_at.map(Moment),
            revoked_at: token.revoked_at.map(Moment),
            used_at: token.used_at.map(Moment),
            used_from: token.used_from.map(Into::into),
        }
    }
}

/// A new token, with its secret
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewToken {
    /// The secret, which is told once.
    pub secret: String,
    /// The token.
    #[serde(flatten)]
    pub token: TokenItem,
}

/// Tokens
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// The tokens, the newest first.
    pub items: Vec<TokenItem>,
    /// Always `null`: there is one page.
    pub next: Option<String>,
}
