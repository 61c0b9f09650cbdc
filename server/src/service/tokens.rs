//! Tokens: who may write what.
//!
//! A token is `holter_<256 random bits>`. Only its SHA-256 is kept: the secret
//! has too much entropy to be guessed, so a slow hash would buy nothing and
//! cost every request. Looking it up by hash also means that no comparison of
//! ours depends on how much of a guess was right.

use super::Service;
use super::failure::Failure;
use crate::clock::new_id;
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
    /// Show one wall, for ever.
    Kiosk,
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
            Self::Kiosk => "kiosk",
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

/// A link that shows a wall for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KioskLink {
    /// Names it, to take it back.
    pub id: TokenId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
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

    fn forget(&self) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
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
        wall: None,
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
        let row = self.known(secret).await?;
        if ![Scope::Ingest.as_str(), Scope::Admin.as_str()].contains(&&*row.scope) {
            return Err(Failure::Forbidden(format!("a token of scope {} may not send events; ingest may", row.scope)));
        }
        Ok(Caller { setup: row.setup, project: row.project })
    }

    /// Whether a token, or the freedom of a server for development, allows to
    /// change what everybody sees.
    pub async fn may_administer(&self, secret: Option<&str>) -> Result<(), Failure> {
        let Some(secret) = secret else {
            if self.inner.open_writing {
                return Ok(());
            }
            return Err(Failure::Unauthenticated(
                "this needs a token of scope admin; make one with: holter token create --scope admin",
            ));
        };
        let row = self.known(secret).await?;
        if &*row.scope == Scope::Admin.as_str() {
            return Ok(());
        }
        Err(Failure::Forbidden(format!("a token of scope {} may not change this; admin may", row.scope)))
    }

    /// Whether a token shows this wall.
    pub async fn may_show(&self, secret: &str, wall: &str) -> Result<(), Failure> {
        let row = self.known(secret).await.map_err(|failure| match failure {
            Failure::Unauthenticated(_) => {
                Failure::Unauthenticated("this link to the wall was revoked or never was one; ask for a new one")
            }
            other => other,
        })?;
        let is_for_this = row.wall.as_deref().is_none_or(|own| own == wall);
        if is_for_this && [Scope::Kiosk, Scope::Read, Scope::Admin].map(Scope::as_str).contains(&&*row.scope) {
            return Ok(());
        }
        Err(Failure::Forbidden("this link is for another wall".into()))
    }

    /// A token that is valid now.
    async fn known(&self, secret: &str) -> Result<TokenRow, Failure> {
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
        Ok(row)
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

    /// Takes a token back; at once here, within seconds on other servers.
    pub async fn token_revoke(&self, id: TokenId) -> Result<bool, Failure> {
        let was_valid = self.inner.store.token_revoke(id, self.now()).await?;
        self.inner.tokens.forget();
        Ok(was_valid)
    }

    /// The links that show a wall, the newest first.
    pub async fn kiosk_links(&self, wall: &str) -> Result<Vec<KioskLink>, Failure> {
        let rows = self.inner.store.token_list().await?;
        let valid = rows.into_iter().filter(|row| row.wall.as_deref() == Some(wall) && row.revoked_at.is_none());
        Ok(valid.map(|row| KioskLink { id: row.id, created_at: row.created_at, used_at: row.used_at }).collect())
    }

    /// Makes a link that shows a wall for ever; its secret is told once.
    pub async fn kiosk_link(&self, wall: &str) -> Result<String, Failure> {
        let (secret, row) = make(Scope::Kiosk, None, None, self.now()).map_err(no_chance)?;
        self.inner.store.token_insert(&TokenRow { wall: Some(wall.into()), ..row }).await?;
        Ok(secret)
    }

    /// Makes a token and tells its secret, once.
    pub async fn token_create(
        &self,
        scope: Scope,
        setup: Option<SetupName>,
        project: Option<ProjectName>,
    ) -> Result<String, Failure> {
        let (secret, row) = make(scope, setup, project, self.now()).map_err(no_chance)?;
        self.inner.store.token_insert(&row).await?;
        Ok(secret)
    }
}

fn no_chance(_: getrandom::Error) -> Failure {
    Failure::Upstream("the system gave no random numbers".into())
}
