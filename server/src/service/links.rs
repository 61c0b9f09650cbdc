//! Links that work once: to the first account, into an account that was made
//! for somebody, and to a new password.
//!
//! Looking at a link does not use it, since mail programs look at links before
//! people do. Of its secret the store has the hash alone.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::tokens::{hash_of, no_chance, random_secret};
use crate::clock::new_id;
use crate::outgoing::mail::Mail;
use crate::store::rows::{LinkRow, UserRow};
use app::domain::account::{Backoff, Deed, LinkKind, check_password, mail_address, user_name};
use app::domain::ids::UserId;
use app::domain::rights::{Action, Role};
use app::domain::time::Timestamp;

const NO_LINK: &str = "this link was used already, is too old or never was one; ask for a new one";

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPage {
    /// What it is for.
    pub kind: LinkKind,
    /// Whose password it sets; none for the first account.
    pub name: Option<Box<str>>,
}

/// A new link: its secret, and its row.
pub fn make(kind: LinkKind, user: Option<UserId>, now: Timestamp) -> Result<(String, LinkRow), getrandom::Error> {
    let secret = random_secret()?;
    let row = LinkRow { hash: hash_of(&secret), kind, user, created_at: now, expires_at: now + kind.lasts() };
    Ok((secret, row))
}

/// The address of a link on this server.
pub fn path(kind: LinkKind, secret: &str) -> String {
    match kind {
        LinkKind::First | LinkKind::Invitation => format!("/welcome?link={secret}"),
        LinkKind::Reset => format!("/password-reset?link={secret}"),
    }
}

impl Service {
    /// Makes the link to the first account where there is none yet, and gives
    /// its path. A link that was made before works no more.
    pub async fn first_link(&self) -> Result<Option<String>, Failure> {
        if self.inner.store.user_count().await? > 0 {
            return Ok(None);
        }
        let (secret, row) = make(LinkKind::First, None, self.now()).map_err(no_chance)?;
        self.inner.store.link_make(&row).await?;
        Ok(Some(path(LinkKind::First, &secret)))
    }

    pub(super) async fn link_for(&self, user: &UserRow, kind: LinkKind) -> Result<String, Failure> {
        let (secret, row) = make(kind, Some(user.id), self.now()).map_err(no_chance)?;
        self.inner.store.link_make(&row).await?;
        Ok(path(kind, &secret))
    }
}

impl Desk {
    /// What a link leads to.
    pub async fn link_page(&self, secret: &str) -> Result<LinkPage, Failure> {
        self.found(secret).await.map(|(row, user)| LinkPage { kind: row.kind, name: user.map(|user| user.name) })
    }

    async fn found(&self, secret: &str) -> Result<(LinkRow, Option<UserRow>), Failure> {
        let gone = || Failure::NotFound(NO_LINK.into());
        let Some(row) = self.inner.store.link_get(&hash_of(secret), self.now()).await? else {
            // Nobody guesses 256 bits, and nobody shall try.
            self.count_guess().await?;
            return Err(gone());
        };
        match row.user {
            None => Ok((row, None)),
            Some(id) => {
                let user = self.inner.store.user_get(id).await?.filter(|user| user.disabled_at.is_none());
                Ok((row, Some(user.ok_or_else(gone)?)))
            }
        }
    }

    /// Uses a link: makes the first account under a name, or sets the password
    /// of the account it is for; then begins a session.
    pub async fn link_use(
        &self,
        secret: &str,
        name: &str,
        password: &str,
        agent: Option<&str>,
    ) -> Result<String, Failure> {
        let (row, user) = self.found(secret).await?;
        let user = match user {
            Some(user) => user,
            None => self.first_user(name)?,
        };
        check_password(password, &user.name)?;
        let hash = self.inner.passwords.hash(password).await?;
        let (store, now) = (&self.inner.store, self.now());
        let is_used = match row.user {
            None => store.link_spend_first(&row.hash, now, &UserRow { password: Some(hash), ..user.clone() }).await?,
            Some(_) => store.link_spend(&row.hash, now, &hash).await?.is_some(),
        };
        if !is_used {
            return Err(Failure::NotFound(NO_LINK.into()));
        }
        self.inner.known.forget();
        self.forgive(&user.name).await?;
        let deed = if row.user.is_none() { Deed::UserMade } else { Deed::PasswordSet };
        self.note_of(&user.name, deed, &user.name, Some("by a link")).await;
        self.begin_session(&user, agent).await
    }

    fn first_user(&self, name: &str) -> Result<UserRow, Failure> {
        let name = user_name(name)?;
        Ok(new_user(name, None, Some(Role::Administrator), self.now()))
    }

    /// Makes a link that sets the password of somebody, and gives its address.
    pub async fn reset_link(&self, user: UserId) -> Result<Option<String>, Failure> {
        self.allow(Action::Administer)?;
        let Some(user) = self.inner.store.user_get(user).await? else { return Ok(None) };
        let kind = if user.password.is_none() { LinkKind::Invitation } else { LinkKind::Reset };
        let path = self.link_for(&user, kind).await?;
        self.note(Deed::LinkMade, &user.name, None).await;
        Ok(Some(self.link(&path)))
    }

    /// Sends a link by mail to whoever has this name or address. Nobody is told
    /// whether there is such an account: the mail is written and sent after the
    /// answer.
    pub async fn ask_reset(&self, who: &str) -> Result<(), Failure> {
        if self.mailer().is_none() {
            let detail = "this server sends no mail; an administrator can give you a link".into();
            return Err(Failure::NotFound(detail));
        }
        self.count_guess().await?;
        let (desk, who) = (self.clone(), who.to_owned());
        tokio::spawn(async move {
            if let Err(failure) = desk.send_reset(&who).await {
                // It becomes a problem only to be said in the log.
                drop(app::domain::problem::Problem::from(failure));
            }
        });
        Ok(())
    }

    async fn send_reset(&self, who: &str) -> Result<(), Failure> {
        let store = &self.inner.store;
        let by_name = match user_name(who) {
            Ok(name) => store.user_by_name(&name).await?,
            Err(_) => None,
        };
        let user = match (by_name, mail_address(who)) {
            (Some(user), _) => Some(user),
            (None, Ok(Some(email))) => store.user_by_email(&email).await?,
            (None, _) => None,
        };
        let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(()) };
        let Some(email) = user.email.clone() else { return Ok(()) };
        // So many mails are sent to one account, however many ask, and by
        // whatever name: who asks is not told, since nobody else would be.
        self.take_attempt(&format!("reset {}", user.id), Backoff::NAME).await?;
        let path = self.link_for(&user, LinkKind::Reset).await?;
        self.note_of("somebody without an account", Deed::LinkMade, &user.name, Some("by mail")).await;
        let text = format!(
            "Somebody asked for a new password for {} at Holter.\n\nSet it within an hour:\n{}\n\n\
             If it was not you, leave this be: nothing has changed.\n",
            user.name,
            self.link(&path)
        );
        self.mail_to(&email, "A new password for Holter", text).await
    }

    /// Sends a mail to one address, where mail is sent at all.
    pub(super) async fn mail_to(&self, email: &str, subject: &str, text: String) -> Result<(), Failure> {
        let Some(mailer) = self.mailer() else { return Ok(()) };
        let mail = Mail { id: new_id(), at: self.now(), to: vec![email.into()], subject: subject.into(), text };
        mailer.send(&mail).await.map_err(|error| Failure::Upstream(super::failure::chain(&error)))
    }
}

/// An account that nobody has used yet.
pub fn new_user(name: Box<str>, email: Option<Box<str>>, role: Option<Role>, now: Timestamp) -> UserRow {
    UserRow {
        id: UserId(new_id()),
        name,
        email,
        role,
        password: None,
        subject: None,
        created_at: now,
        disabled_at: None,
        seen_at: None,
    }
}
