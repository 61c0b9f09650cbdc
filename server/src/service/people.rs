//! People: their accounts, as administrators and they themselves change them.

use super::desk::Desk;
use super::failure::Failure;
use super::links::new_user;
use crate::store::StoreError;
use crate::store::rows::{GrantRow, UserRow};
use app::domain::account::{Backoff, Deed, LinkKind, check_password, mail_address, user_name};
use app::domain::ids::{SessionId, UserId};
use app::domain::name::ProjectName;
use app::domain::rights::{Action, Person, Role, Who};

pub use crate::store::rows::SessionRow as Session;

/// Accounts that may be made.
const PEOPLE_MAX: u32 = 5_000;

/// What may be said of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountText {
    /// Where mail goes.
    pub email: String,
    /// The role everywhere.
    pub role: Option<Role>,
    /// Roles in projects.
    pub grants: Vec<(String, Role)>,
    /// It cannot be used.
    pub is_disabled: bool,
}

/// An account with its roles in projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub user: UserRow,
    /// Its roles in projects.
    pub grants: Vec<GrantRow>,
}

/// What came of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The account.
    pub user: UserId,
    /// The address to open, to be handed over.
    pub link: String,
    /// It was sent by mail too.
    pub is_mailed: bool,
}

/// A name or an address that another account has.
pub(super) fn taken(error: StoreError) -> Failure {
    match error.conflict() {
        Some("users_email") => Failure::invalid("email", "another account has this address for mail"),
        Some("users_name") => Failure::invalid("name", "another account has this name"),
        _ => error.into(),
    }
}

impl Desk {
    /// All accounts, by name.
    pub async fn people(&self) -> Result<Vec<Account>, Failure> {
        self.allow(Action::Administer)?;
        let mut grants = self.inner.store.grant_list().await?;
        let users = self.inner.store.user_list().await?;
        let with_grants = |user: UserRow| {
            let own = grants.extract_if(.., |grant| grant.user == user.id).collect();
            Account { user, grants: own }
        };
        Ok(users.into_iter().map(with_grants).collect())
    }

    /// An account.
    pub async fn account(&self, id: UserId) -> Result<Option<Account>, Failure> {
        self.allow(Action::Administer)?;
        let Some(user) = self.inner.store.user_get(id).await? else { return Ok(None) };
        Ok(Some(Account { user, grants: self.inner.store.grants_of(id).await? }))
    }

    /// Whether there may be one account more.
    pub(super) async fn has_room_for_people(&self) -> Result<bool, Failure> {
        Ok(self.inner.store.user_count().await? < PEOPLE_MAX)
    }

    /// Makes an account for somebody, and a link by which its password is set.
    pub async fn invite(&self, name: &str, said: &AccountText) -> Result<Invited, Failure> {
        self.allow(Action::Administer)?;
        let name = user_name(name)?;
        let email = mail_address(&said.email)?;
        if !self.has_room_for_people().await? {
            return Err(Failure::invalid("name", format!("there are {PEOPLE_MAX} accounts already")));
        }
        let user = new_user(name, email.clone(), said.role, self.now());
        let grants = grants_of(user.id, said)?;
        self.inner.store.user_insert(&user).await.map_err(taken)?;
        self.inner.store.grants_set(user.id, &grants).await?;
        let link = self.link(&self.link_for(&user, LinkKind::Invitation).await?);
        self.note(Deed::UserMade, &user.name, Some(&said_of(said))).await;
        let is_mailed = match email {
            Some(email) if self.mailer().is_some() => self.mail_invitation(&user, &email, &link).await,
            _ => false,
        };
        Ok(Invited { user: user.id, link, is_mailed })
    }

    /// The link is shown to who invites as well: a mail that is not taken costs
    /// nothing.
    async fn mail_invitation(&self, user: &UserRow, email: &str, link: &str) -> bool {
        let text = format!("You are invited to Holter as {}.\n\nChoose a password within a week:\n{link}\n", user.name);
        match self.mail_to(email, "An invitation to Holter", text).await {
            Ok(()) => true,
            Err(failure) => {
                drop(app::domain::problem::Problem::from(failure));
                false
            }
        }
    }

    /// Changes an account. Who is closed out loses every session at once. Tells
    /// whether it is there.
    pub async fn account_save(&self, id: UserId, said: &AccountText) -> Result<bool, Failure> {
        self.allow(Action::Administer)?;
        let Some(user) = self.inner.store.user_get(id).await? else { return Ok(false) };
        let email = mail_address(&said.email)?;
        let grants = grants_of(id, said)?;
        let disabled_at = said.is_disabled.then(|| user.disabled_at.unwrap_or_else(|| self.now()));
        let row = UserRow { email, role: said.role, disabled_at, ..user };
        if !self.inner.store.user_update(&row).await.map_err(taken)? {
            return Err(Failure::invalid("role", "this is the last administrator; make another one first"));
        }
        self.inner.store.grants_set(id, &grants).await?;
        if said.is_disabled {
            self.inner.store.sessions_end(id).await?;
        }
        self.inner.known.forget();
        self.note(Deed::UserChanged, &row.name, Some(&said_of(said))).await;
        Ok(true)
    }

    /// Deletes an account with all that belongs to it.
    pub async fn account_delete(&self, id: UserId) -> Result<bool, Failure> {
        self.allow(Action::Administer)?;
        let Some(user) = self.inner.store.user_get(id).await? else { return Ok(false) };
        if !self.inner.store.user_delete(id).await? {
            return Err(Failure::invalid("role", "this is the last administrator; make another one first"));
        }
        self.inner.known.forget();
        self.note(Deed::UserDeleted, &user.name, None).await;
        Ok(true)
    }

    /// Who is signed in here.
    pub fn person(&self) -> Result<&Person, Failure> {
        match self.who() {
            Who::Person(person) => Ok(person),
            _ => Err(Failure::Unauthenticated("this is for people with an account: sign in at /login")),
        }
    }

    /// The own sessions, the last used first.
    pub async fn own_sessions(&self) -> Result<Vec<Session>, Failure> {
        Ok(self.inner.store.session_list(self.person()?.id, self.now()).await?)
    }

    /// The own account.
    pub async fn own_account(&self) -> Result<UserRow, Failure> {
        let id = self.person()?.id;
        let gone = || Failure::Unauthenticated("this account is no more");
        self.inner.store.user_get(id).await?.ok_or_else(gone)
    }

    /// Ends one of the own sessions.
    pub async fn own_session_end(&self, id: SessionId) -> Result<bool, Failure> {
        let person = self.person()?;
        let done = self.inner.store.session_end(id, person.id).await?;
        if done {
            self.inner.known.forget();
            self.note(Deed::SessionsEnded, &person.name, Some("one")).await;
        }
        Ok(done)
    }

    /// Sets another password for oneself. All other sessions end. Wrong guesses
    /// at the old one are counted as those of signing in are: a browser that was
    /// left open is no way to it.
    pub async fn own_password(&self, old: &str, new: &str) -> Result<(), Failure> {
        let person = self.person()?;
        let user = self.own_account().await?;
        check_password(new, &user.name)?;
        self.take_attempt(&format!("password {}", user.id), Backoff::NAME).await?;
        if user.password.is_some() && !self.inner.passwords.verify(old, user.password.as_deref()).await? {
            return Err(Failure::invalid("old", "is not the password of this account"));
        }
        let hash = self.inner.passwords.hash(new).await?;
        self.inner.store.password_set(user.id, &hash, Some(person.session)).await?;
        self.inner.store.attempt_clear(&format!("password {}", user.id)).await?;
        self.inner.known.forget();
        self.note(Deed::PasswordSet, &user.name, None).await;
        Ok(())
    }
}

fn grants_of(user: UserId, said: &AccountText) -> Result<Vec<GrantRow>, Failure> {
    let read = |(project, role): &(String, Role)| {
        let project = ProjectName::parse(project).map_err(|error| Failure::invalid("grants", error))?;
        Ok(GrantRow { user, project, role: *role })
    };
    said.grants.iter().map(read).collect()
}

/// What an account may, in a line.
fn said_of(said: &AccountText) -> String {
    let everywhere = said.role.map_or_else(|| "no role everywhere".to_owned(), |role| role.to_string());
    let grants = said.grants.iter().map(|(project, role)| format!("{role} in {project}"));
    let closed = said.is_disabled.then(|| "closed".to_owned());
    std::iter::once(everywhere).chain(grants).chain(closed).collect::<Vec<_>>().join(", ")
}
