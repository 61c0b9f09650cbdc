//! Tokens: who may write what.
//!
//! A token is `holter_<256 random bits>`. Only its SHA-256 is kept: the secret
//! has too much entropy to be guessed, so a slow hash would buy nothing and
//! cost every request. Looking it up by hash also means that no comparison of
//! ours depends on how much of a guess was right.

use super::Service;
use super::access::Hash;
use super::desk::Desk;
use super::failure::Failure;
use crate::clock::new_id;
use crate::secret::Secret;
use crate::store::rows::TokenRow;
use app::domain::account::Deed;
use app::domain::ids::TokenId;
use app::domain::name::{ProjectName, SetupName, tidy};
use app::domain::rights::Action;
use app::domain::time::{Micros, Timestamp};
use sha2::{Digest, Sha256};

pub use super::desk::Caller;
pub use crate::store::rows::TokenRow as Token;
pub use app::domain::rights::Scope;

/// Tokens that are kept, also those that hold no more.
const TOKENS_MAX: usize = 10_000;

/// Letters of a label.
const LABEL_MAX: usize = 100;

/// Days that a token may hold, if not for ever.
const DAYS_MAX: u32 = 3_650;

/// What is said of a new token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenText {
    /// What it allows.
    pub scope: Option<Scope>,
    /// What it is for, in a person's words.
    pub label: String,
    /// Only for this setup; empty for all.
    pub setup: String,
    /// Only for this project; empty for all.
    pub project: String,
    /// How many days it holds; none for ever.
    pub days: Option<u32>,
}

impl TokenText {
    /// The token, or what cannot be about it.
    fn make(&self, now: Timestamp) -> Result<(String, TokenRow), Failure> {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let setup =
            some(&self.setup).map(|name| SetupName::parse(&name).map_err(|error| Failure::invalid("setup", error)));
        let project = some(&self.project)
            .map(|name| ProjectName::parse(&name).map_err(|error| Failure::invalid("project", error)));
        let scope = self.scope.filter(|scope| *scope != Scope::Kiosk);
        let scope = scope.ok_or_else(|| Failure::invalid("scope", "must be one of ingest, read, worker, admin"))?;
        if self.label.chars().count() > LABEL_MAX {
            return Err(Failure::invalid("label", format!("must have at most {LABEL_MAX} letters")));
        }
        if self.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
            return Err(Failure::invalid("days", format!("must be between 1 and {DAYS_MAX}")));
        }
        let (secret, row) = make(scope, setup.transpose()?, project.transpose()?, now).map_err(no_chance)?;
        let expires_at = self.days.map(|days| now + Micros::from_secs(i64::from(days) * 86_400));
        Ok((secret, TokenRow { label: some(&self.label).map(|label| tidy(&label, LABEL_MAX)), expires_at, ..row }))
    }
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

/// The hash under which a secret is kept.
pub fn hash_of(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// 256 random bits as text.
pub fn random_secret() -> Result<String, getrandom::Error> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(hex::encode(bits))
}

/// A new token: its secret, to be shown once, and its row.
pub fn make(
    scope: Scope,
    setup: Option<SetupName>,
    project: Option<ProjectName>,
    now: Timestamp,
) -> Result<(String, TokenRow), getrandom::Error> {
    let secret = format!("holter_{}", random_secret()?);
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
        used_from: None,
        created_by: None,
    };
    Ok((secret, row))
}

impl Service {
    /// Makes a token and tells its secret, once. For who has the store anyway:
    /// nobody is asked.
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

    /// The links that show a wall, the newest first.
    pub(super) async fn links_to(&self, wall: &str) -> Result<Vec<KioskLink>, Failure> {
        let rows = self.inner.store.token_list().await?;
        let valid = rows.into_iter().filter(|row| row.wall.as_deref() == Some(wall) && row.revoked_at.is_none());
        Ok(valid.map(|row| KioskLink { id: row.id, created_at: row.created_at, used_at: row.used_at }).collect())
    }

    /// Takes a token back.
    pub(super) async fn revoke(&self, id: TokenId) -> Result<bool, Failure> {
        let was_valid = self.inner.store.token_revoke(id, self.now()).await?;
        self.inner.known.forget();
        Ok(was_valid)
    }
}

impl Desk {
    /// All tokens, the newest first.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, Failure> {
        self.allow(Action::Administer)?;
        Ok(self.inner.store.token_list().await?)
    }

    /// Makes a token and tells its secret, once.
    pub async fn token_make(&self, said: &TokenText) -> Result<(Secret, Token), Failure> {
        self.allow(Action::Administer)?;
        self.has_room_for_tokens("label").await?;
        let (secret, row) = said.make(self.now())?;
        let row = TokenRow { created_by: Some(self.asker_name().into()), ..row };
        self.inner.store.token_insert(&row).await?;
        self.note(Deed::TokenMade, &row.id.to_string(), Some(&said_of(&row))).await;
        Ok((Secret::new(secret), row))
    }

    /// Takes a token back; at once here, within a second on other servers.
    pub async fn token_revoke(&self, id: TokenId) -> Result<bool, Failure> {
        self.allow(Action::Administer)?;
        let was_valid = self.revoke(id).await?;
        if was_valid {
            let row = self.inner.store.token_list().await?.into_iter().find(|row| row.id == id);
            self.note(Deed::TokenRevoked, &id.to_string(), row.as_ref().map(said_of).as_deref()).await;
        }
        Ok(was_valid)
    }

    /// Whether there may be one more that holds; those that were revoked or
    /// have expired do not count.
    async fn has_room_for_tokens(&self, pointer: &str) -> Result<(), Failure> {
        let now = self.now();
        let holds = |row: &TokenRow| row.revoked_at.is_none() && row.expires_at.is_none_or(|expires| expires > now);
        let holding = self.inner.store.token_list().await?.iter().filter(|row| holds(row)).count();
        if holding >= TOKENS_MAX {
            return Err(Failure::invalid(pointer, format!("there are {TOKENS_MAX} tokens already; revoke some")));
        }
        Ok(())
    }

    /// The links that show a wall, the newest first.
    pub async fn kiosk_links(&self, wall: &str) -> Result<Vec<KioskLink>, Failure> {
        self.allow(Action::Configure)?;
        self.links_to(wall).await
    }

    /// Makes a link that shows a wall for ever; its secret is told once.
    pub async fn kiosk_link(&self, wall: &str) -> Result<String, Failure> {
        self.allow(Action::Configure)?;
        self.has_room_for_tokens("").await?;
        let (secret, row) = make(Scope::Kiosk, None, None, self.now()).map_err(no_chance)?;
        let row = TokenRow { wall: Some(wall.into()), created_by: Some(self.asker_name().into()), ..row };
        self.inner.store.token_insert(&row).await?;
        self.note(Deed::TokenMade, &row.id.to_string(), Some(&said_of(&row))).await;
        Ok(secret)
    }

    /// Takes a link to a wall back.
    pub async fn kiosk_unlink(&self, wall: &str, id: TokenId) -> Result<bool, Failure> {
        self.allow(Action::Configure)?;
        if self.links_to(wall).await?.iter().all(|link| link.id != id) {
            return Ok(false);
        }
        let was_valid = self.revoke(id).await?;
        if was_valid {
            self.note(Deed::TokenRevoked, &id.to_string(), Some(&format!("wall {wall}"))).await;
        }
        Ok(was_valid)
    }
}

/// What a token allows, in a line.
pub fn said_of(row: &TokenRow) -> String {
    let bounds = [
        row.setup.as_ref().map(|setup| format!("setup {}", setup.as_str())),
        row.project.as_ref().map(|project| format!("project {}", project.as_str())),
        row.wall.as_ref().map(|wall| format!("wall {wall}")),
        row.label.as_ref().map(|label| format!("for {label:?}")),
    ];
    std::iter::once(row.scope.to_string()).chain(bounds.into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

/// Without random numbers nothing secret can be made.
pub(super) fn no_chance(_: getrandom::Error) -> Failure {
    Failure::Upstream("the system gave no random numbers".into())
}
