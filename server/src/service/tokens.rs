//! Tokens: who may write what.
//!
//! A token is `holter_<256 random bits>`. Only its SHA-256 is kept: the secret
//! has too much entropy to be guessed, so a slow hash would buy nothing and
//! cost every request. Looking it up by hash also means that no comparison of
//! ours depends on how much of a guess was right.

use super::Service;
use super::failure::Failure;
use crate::clock::new_id;
use crate::store::StoreError;
use crate::store::rows::TokenRow;
use app::domain::ids::TokenId;
use app::domain::name::{ProjectName, SetupName};
use app::domain::time::{Micros, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Mutex;

/// What a token allows. Each scope stands alone; `admin` allows everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scope {
    /// Send events.
    Ingest,
    /// Read, where reading needs a token.
    Read,
    /// Take jobs.
    Worker,
    /// Everything.
    Admin,
}

impl Scope {
    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Worker => "worker",
            Self::Admin => "admin",
        }
    }
}

/// Who speaks, and for whom they may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Only for this setup.
    pub setup: Option<SetupName>,
    /// Only for this project.
    pub project: Option<ProjectName>,
}

/// How long a token is remembered before the store is asked again.
const REMEMBERED: Micros = Micros::from_secs(5);

/// Tokens remembered at most; then all are forgotten at once, which costs one
/// look-up each.
const REMEMBERED_MAX: usize = 10_000;

/// `used_at` is written at most this often.
const TOUCH_EVERY: Micros = Micros::from_secs(60);

/// Tokens that were asked for lately.
#[derive(Debug, Default)]
pub struct TokenCache(Mutex<HashMap<[u8; 32], (Timestamp, TokenRow)>>);

impl TokenCache {
    fn get(&self, hash: &[u8; 32], now: Timestamp) -> Option<TokenRow> {
        let known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.get(hash).filter(|(asked, _)| now.since(*asked) < REMEMBERED).map(|(_, row)| row.clone())
    }

    fn put(&self, hash: [u8; 32], now: Timestamp, row: TokenRow) {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(hash, (now, row));
    }
}

/// The hash under which a token is kept.
pub fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A new token: its secret, to be shown once, and its row.
pub fn make(
    scope: Scope,
    setup: Option<SetupName>,
    project: Option<ProjectName>,
    now: Timestamp,
) -> Result<(String, TokenRow), getrandom::Error> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    let secret: String = bits.iter().fold("holter_".to_owned(), |text, byte| format!("{text}{byte:02x}"));
    let row = TokenRow {
        id: TokenId(new_id()),
        hash: hash_of(&secret),
        scope: scope.as_str().into(),
        setup,
        project,
        label: None,
        created_at: now,
        expires_at: None,
        revoked_at: None,
        used_at: None,
    };
    Ok((secret, row))
}

impl Service {
    /// Who may write with this token. Without one only where the server was
    /// started for development.
    pub async fn writer(&self, secret: Option<&str>) -> Result<Caller, Failure> {
        let Some(secret) = secret else {
            if self.inner.open_writing {
                return Ok(Caller::default());
            }
            return Err(Failure::Unauthenticated(
                "send a token: Authorization: Bearer …; make one with: holter token create --scope ingest",
            ));
        };
        let now = self.now();
        let hash = hash_of(secret);
        let row = match self.inner.tokens.get(&hash, now) {
            Some(row) => row,
            None => self.look_up(hash, now).await?,
        };
        let spent = row.revoked_at.is_some() || row.expires_at.is_some_and(|expires| expires <= now);
        if spent {
            return Err(Failure::Unauthenticated("this token has expired or was revoked"));
        }
        if ![Scope::Ingest.as_str(), Scope::Admin.as_str()].contains(&&*row.scope) {
            return Err(Failure::Forbidden(format!("a token of scope {} may not send events; ingest may", row.scope)));
        }
        Ok(Caller { setup: row.setup, project: row.project })
    }

    async fn look_up(&self, hash: [u8; 32], now: Timestamp) -> Result<TokenRow, Failure> {
        let found = self.inner.store.token_by_hash(&hash).await?;
        let row = found.ok_or(Failure::Unauthenticated("this token is not known here"))?;
        if row.used_at.is_none_or(|used| now.since(used) >= TOUCH_EVERY)
            && let Err(error) = self.inner.store.token_touch(row.id, now).await
        {
            // Not worth refusing an event for.
            tracing::debug!(%error, "the use of a token was not noted");
        }
        self.inner.tokens.put(hash, now, row.clone());
        Ok(row)
    }

    /// Makes a token and tells its secret, once.
    pub async fn token_create(
        &self,
        scope: Scope,
        setup: Option<SetupName>,
        project: Option<ProjectName>,
    ) -> Result<String, Failure> {
        let (secret, row) = make(scope, setup, project, self.now())
            .map_err(|_| Failure::Upstream("the system gave no random numbers".into()))?;
        self.inner.store.token_insert(&row).await.map_err(|error: StoreError| Failure::from(error))?;
        Ok(secret)
    }
}
