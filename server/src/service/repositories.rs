//! Repositories whose pushes are built: from the configuration, and from the
//! store.
//!
//! One that was added on the page has a secret of its own, with which its forge
//! signs, and which is good for that repository alone. What it is cloned with
//! is never kept here: a variable of the server's environment has it, or a file,
//! and it is read when a worker takes a build.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::jobs::JobRow;
use super::tokens::{no_chance, random_secret};
use crate::config::{CredentialsConfig, RepositoryConfig, environment};
use crate::intake::hooks::Kind;
use crate::secret::Secret;
use crate::store::rows::{DeliveryRow, RepositoryRow};
use app::domain::account::Deed;
use app::domain::ids::BuildId;
use app::domain::job::JobKind;
use app::domain::rights::Action;
use serde::{Deserialize, Serialize};

/// Repositories that may be added.
const REPOSITORIES_MAX: usize = 500;

/// Variables of the server's environment that the page may name begin so: no
/// other one has anything to do with cloning.
pub const ENVIRONMENT: &str = "HOLTER_CLONE_";

/// Bytes of a file with a token.
const TOKEN_MOST: usize = 8_192;

/// A repository that was added on the page, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    repository: RepositoryConfig,
    kind: String,
    secret: Secret,
}

/// A repository whose pushes are built.
#[derive(Clone, Debug)]
pub struct NamedRepository {
    /// How it is built.
    pub config: RepositoryConfig,
    /// It is written in the configuration, and changed there.
    pub is_configured: bool,
    /// The kind of its forge, where it was added on the page.
    pub kind: Option<Kind>,
    /// What that signs with.
    pub secret: Option<Secret>,
    /// What was last told of it.
    pub delivery: Option<DeliveryRow>,
}

/// What a commit is fetched with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who asks.
    pub user: String,
    /// The secret; a private key where there are known hosts.
    pub password: Secret,
    /// The keys of the host, where it is reached by SSH.
    pub known_hosts: Option<String>,
}

/// A repository that cannot be read is left out: it comes from another release.
fn saved(row: &RepositoryRow) -> Option<Saved> {
    let read = serde_json::from_str(&row.body);
    read.inspect_err(|error| tracing::warn!(repository = &*row.name, %error, "a saved repository cannot be read")).ok()
}

/// Reads a token where it is kept.
async fn token(credentials: &CredentialsConfig) -> Result<Secret, String> {
    let text = match (&credentials.environment, &credentials.file) {
        (Some(name), _) => environment(name).ok_or_else(|| format!("the variable {name} is not set"))?,
        (None, Some(file)) => {
            let read = tokio::fs::read_to_string(file).await;
            read.map_err(|error| format!("{} cannot be read: {error}", file.display()))?
        }
        (None, None) => return Err("nothing says where the token is".into()),
    };
    let text = text.trim();
    let is_key = credentials.known_hosts.is_some();
    let is_odd = |letter: char| letter.is_control() && !(is_key && matches!(letter, '\n' | '\r'));
    let is_odd = text.is_empty() || text.len() > TOKEN_MOST || text.contains(is_odd);
    if is_odd { Err("the token is empty, too long or has several lines".into()) } else { Ok(Secret::new(text)) }
}

impl Service {
    /// A repository whose pushes are built, by what its forge calls it. The
    /// configuration stands above what was saved under the same name.
    pub(super) async fn built_repository(&self, name: &str) -> Result<Option<RepositoryConfig>, Failure> {
        if let Some(known) = self.inner.repositories.iter().find(|one| one.name == name) {
            return Ok(Some(known.clone()));
        }
        let row = self.inner.store.repository_get(name).await?;
        Ok(row.as_ref().and_then(saved).map(|saved| saved.repository))
    }

    /// The same, or that it is none any more.
    pub(super) async fn still_built_repository(&self, name: &str) -> Result<RepositoryConfig, Failure> {
        let gone = || Failure::Conflict(format!("the repository {name} is not configured any more"));
        self.built_repository(name).await?.ok_or_else(gone)
    }

    /// What the forge of a repository signs with, where that was added on the
    /// page for this kind.
    pub async fn repository_secret(&self, name: &str, kind: Kind) -> Result<Option<Secret>, Failure> {
        let row = self.inner.store.repository_get(name).await?;
        let saved = row.as_ref().and_then(saved).filter(|saved| saved.kind == kind.as_str());
        Ok(saved.map(|saved| saved.secret))
    }

    /// A forge told something of a repository.
    pub async fn note_delivery(&self, repository: &str, kind: Kind) -> Result<(), Failure> {
        if self.built_repository(repository).await?.is_some() {
            let row = DeliveryRow { repository: repository.into(), kind: kind.as_str().into(), at: self.now() };
            self.inner.store.delivery_save(&row).await?;
        }
        Ok(())
    }

    /// What the commit of a job is fetched with; a conflict where that is not
    /// to be had.
    pub(super) async fn credentials_of(&self, row: &JobRow) -> Result<Option<Credentials>, Failure> {
        if row.kind != JobKind::Build {
            return Ok(None);
        }
        let Some(build) = self.inner.store.build_get(BuildId(row.parent)).await? else { return Ok(None) };
        let repository = self.built_repository(&build.repository).await?;
        let Some(credentials) = repository.and_then(|repository| repository.credentials) else { return Ok(None) };
        match token(&credentials).await {
            Ok(password) => {
                let (user, known_hosts) = (credentials.user, credentials.known_hosts);
                Ok(Some(Credentials { user, password, known_hosts }))
            }
            Err(why) => Err(Failure::Conflict(format!("{} cannot be cloned: {why}", build.repository))),
        }
    }
}

impl Desk {
    /// All repositories whose pushes are built: those of the configuration,
    /// then those that were added, by name.
    pub async fn repositories(&self) -> Result<Vec<NamedRepository>, Failure> {
        self.allow(Action::Administer)?;
        let store = &self.inner.store;
        let deliveries = store.delivery_list().await?;
        let delivery = |name: &str| deliveries.iter().find(|row| &*row.repository == name).cloned();
        let configured = self.inner.repositories.iter().map(|config| NamedRepository {
            config: config.clone(),
            is_configured: true,
            kind: None,
            secret: None,
            delivery: delivery(&config.name),
        });
        let mut all: Vec<_> = configured.collect();
        let is_known = |row: &RepositoryRow| self.inner.repositories.iter().any(|one| *one.name == *row.name);
        let rows = store.repository_list().await?;
        all.extend(rows.iter().filter(|row| !is_known(row)).filter_map(saved).map(|saved| NamedRepository {
            delivery: delivery(&saved.repository.name),
            config: saved.repository,
            is_configured: false,
            kind: Kind::parse(&saved.kind),
            secret: Some(saved.secret),
        }));
        Ok(all)
    }

    /// Saves a repository; one of the same name is replaced, and keeps its
    /// secret.
    pub async fn repository_save(&self, config: RepositoryConfig, kind: Kind) -> Result<(), Failure> {
        self.allow(Action::Administer)?;
        config.check(&self.inner.secrets)?;
        if config.credentials.as_ref().is_some_and(|known| {
            known.file.is_some() || !known.environment.as_deref().unwrap_or_default().starts_with(ENVIRONMENT)
        }) {
            let detail =
                format!("must be a variable whose name begins with {ENVIRONMENT}; holter.toml may name others");
            return Err(Failure::invalid("credentials", detail));
        }
        let all = self.repositories().await?;
        let known = all.iter().find(|one| one.config.name == config.name);
        if known.is_some_and(|one| one.is_configured) {
            return Err(configured(&config.name));
        }
        if known.is_none() && all.len() >= REPOSITORIES_MAX {
            return Err(Failure::TooLarge(format!("there are {REPOSITORIES_MAX} repositories already")));
        }
        let secret = match known.and_then(|one| one.secret.clone()) {
            Some(secret) => secret,
            None => Secret::new(random_secret().map_err(no_chance)?),
        };
        let name: Box<str> = config.name.as_str().into();
        let saved = Saved { repository: config, kind: kind.as_str().into(), secret };
        let body = serde_json::to_string(&saved).unwrap_or_default().into();
        let row = RepositoryRow { name: name.clone(), body, changed_at: self.now() };
        self.inner.store.repository_save(&row).await?;
        self.note(Deed::RepositorySaved, &name, Some(&saved.repository.url)).await;
        Ok(())
    }

    /// Deletes a repository. What was built of it stays.
    pub async fn repository_delete(&self, name: &str) -> Result<(), Failure> {
        self.allow(Action::Administer)?;
        if self.inner.repositories.iter().any(|one| one.name == name) {
            return Err(configured(name));
        }
        if !self.inner.store.repository_delete(name).await? {
            return Err(Failure::NotFound(format!("there is no repository {name:?}")));
        }
        self.note(Deed::RepositoryDeleted, name, None).await;
        Ok(())
    }
}

fn configured(name: &str) -> Failure {
    Failure::Forbidden(format!("the repository {name} is written in holter.toml; change it there"))
}
