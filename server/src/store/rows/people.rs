//! People, how they sign in, and what they did.

use app::domain::account::{Failures, LinkKind};
use app::domain::ids::{SessionId, UserId};
use app::domain::name::ProjectName;
use app::domain::rights::Role;
use app::domain::time::Timestamp;
use uuid::Uuid;

/// Somebody's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Its identity.
    pub id: UserId,
    /// As it is typed, in lower case.
    pub name: Box<str>,
    /// Where mail goes, in lower case.
    pub email: Option<Box<str>>,
    /// The role everywhere; none where there are only roles in projects.
    pub role: Option<Role>,
    /// The hash of the password with all that made it.
    pub password: Option<Box<str>>,
    /// Issuer and subject at an OpenID provider.
    pub subject: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it cannot be used.
    pub disabled_at: Option<Timestamp>,
    /// When somebody last signed in with it.
    pub seen_at: Option<Timestamp>,
}

/// A role in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Whose.
    pub user: UserId,
    /// In which project.
    pub project: ProjectName,
    /// The role there.
    pub role: Role,
}

/// One sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its public name.
    pub id: SessionId,
    /// SHA-256 of the secret in the cookie.
    pub hash: [u8; 32],
    /// Who signed in.
    pub user: UserId,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
    /// From when on it is not valid.
    pub expires_at: Timestamp,
    /// From where it was last used.
    pub address: Option<Box<str>>,
    /// The browser, as it calls itself.
    pub agent: Option<Box<str>>,
}

/// A link that works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What it is for.
    pub kind: LinkKind,
    /// Whose password it sets; none for the first account of all.
    pub user: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not work.
    pub expires_at: Timestamp,
}

/// Attempts that failed, for a name or for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Which name or address.
    pub key: Box<str>,
    /// How many, and since when.
    pub failures: Failures,
}

/// Somebody did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Rises with time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Box<str>,
    /// What.
    pub action: Box<str>,
    /// To whom or what.
    pub subject: Box<str>,
    /// How.
    pub detail: Option<Box<str>>,
    /// From where.
    pub address: Option<Box<str>>,
}
