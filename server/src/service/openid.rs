//! Signing in by an OpenID provider.
//!
//! A person is known by what the provider calls them, and never by a name that
//! they may have chosen there. An account that was made here before is joined
//! where the provider says that it knows the account's address for mail.

use super::desk::Desk;
use super::failure::{Failure, chain};
use super::links::new_user;
use super::people::taken;
use super::tokens::{no_chance, random_secret};
use crate::config::{Config, OpenIdConfig};
use crate::outgoing::openid::{Claims, OpenIdError, Provider, Trip};
use crate::store::rows::UserRow;
use app::domain::account::{Deed, mail_address, user_name};
use app::domain::rights::Role;
use subtle::ConstantTimeEq;

/// Where the provider sends people back to.
const BACK: &str = "/login/openid/back";

/// The longest page that is remembered on the way.
const NEXT_MAX: usize = 1_000;

/// A provider, and what becomes of those it sends.
#[derive(Clone, Debug)]
pub(super) struct OpenId {
    provider: Provider,
    label: String,
    role: Option<Role>,
}

impl OpenId {
    pub(super) fn new(config: &Config) -> Option<Self> {
        let OpenIdConfig { issuer, client_id, client_secret, label, role } = config.auth.openid.clone()?;
        Some(Self { provider: Provider { issuer, client_id, client_secret }, label, role })
    }
}

/// The beginning of a trip: where the browser goes, and what it keeps.
#[derive(Clone, Debug)]
pub struct Departure {
    /// The provider's page.
    pub way: String,
    /// For a cookie.
    pub kept: String,
}

fn failed(error: OpenIdError) -> Failure {
    match error {
        OpenIdError::Untrue(_) => Failure::Forbidden(error.to_string()),
        other => Failure::Upstream(chain(&other)),
    }
}

fn closed() -> Failure {
    Failure::Forbidden("this account was closed".into())
}

fn lost() -> Failure {
    Failure::Forbidden("this way to sign in was begun in another browser, or too long ago; begin again".into())
}

impl Desk {
    /// What the provider is called, where there is one.
    pub fn openid_label(&self) -> Option<&str> {
        self.inner.openid.as_ref().map(|openid| &*openid.label)
    }

    fn openid(&self) -> Result<&OpenId, Failure> {
        self.inner.openid.as_ref().ok_or_else(|| Failure::NotFound("no OpenID provider is configured".into()))
    }

    /// Sends somebody to the provider; `next` is the page to come back to.
    pub async fn openid_begin(&self, next: &str) -> Result<Departure, Failure> {
        let openid = self.openid()?;
        let secret = || random_secret().map_err(no_chance);
        let trip = Trip { state: secret()?, nonce: secret()?, verifier: secret()? };
        let doors = openid.provider.doors(self.outgoing()).await.map_err(failed)?;
        let way = openid.provider.way(&doors, &self.link(BACK), &trip).into();
        let next = hex::encode(if next.len() > NEXT_MAX { "/" } else { next });
        Ok(Departure { way, kept: format!("{}.{}.{}.{next}", trip.state, trip.nonce, trip.verifier) })
    }

    /// Takes somebody who comes back: begins a session, and tells the page to
    /// go to.
    pub async fn openid_end(
        &self,
        kept: &str,
        state: &str,
        code: &str,
        agent: Option<&str>,
    ) -> Result<(String, String), Failure> {
        let openid = self.openid()?;
        let parts: Vec<_> = kept.split('.').collect();
        let [own, nonce, verifier, next] = parts[..] else { return Err(lost()) };
        if own.len() < 64 || !bool::from(own.as_bytes().ct_eq(state.as_bytes())) {
            return Err(lost());
        }
        let from_here = self.take_from_here("openid").await?;
        let trip = Trip { state: own.into(), nonce: nonce.into(), verifier: verifier.into() };
        let claims = self.claims(openid, &trip, code).await;
        // An attempt counts where the provider says no, not where it says nothing.
        let is_no = matches!(claims, Err(Failure::Forbidden(_)));
        if let Some(attempt) = from_here.filter(|_| !is_no) {
            self.give_back(attempt).await?;
        }
        let user = self.user_of(openid, claims?).await?;
        if user.disabled_at.is_some() {
            return Err(closed());
        }
        Ok((self.begin_session(&user, agent).await?, text_of(next)))
    }

    /// What the provider says of who comes back.
    async fn claims(&self, openid: &OpenId, trip: &Trip, code: &str) -> Result<Claims, Failure> {
        let doors = openid.provider.doors(self.outgoing()).await.map_err(failed)?;
        let back = self.link(BACK);
        openid.provider.claims(self.outgoing(), &doors, &back, code, trip, self.now()).await.map_err(failed)
    }

    /// The account of a person that the provider speaks of.
    async fn user_of(&self, openid: &OpenId, claims: Claims) -> Result<UserRow, Failure> {
        let subject: Box<str> = format!("{} {}", openid.provider.issuer, claims.sub).into();
        let store = &self.inner.store;
        if let Some(user) = store.user_by_subject(&subject).await? {
            return Ok(user);
        }
        let email = claims.email.as_deref().filter(|_| claims.email_verified);
        let email = email.and_then(|email| mail_address(email).ok().flatten());
        if let Some(email) = &email
            && let Some(user) = store.user_by_email(email).await?
        {
            if user.disabled_at.is_some() {
                return Err(closed());
            }
            if user.subject.is_some() {
                return Err(Failure::Forbidden("the account with this address is of somebody else there".into()));
            }
            let user = UserRow { subject: Some(subject), ..user };
            store.user_update(&user).await?;
            self.note_of(&user.name, Deed::UserChanged, &user.name, Some("joined with OpenID")).await;
            return Ok(user);
        }
        self.new_person(openid, &claims, subject, email).await
    }

    async fn new_person(
        &self,
        openid: &OpenId,
        claims: &Claims,
        subject: Box<str>,
        email: Option<Box<str>>,
    ) -> Result<UserRow, Failure> {
        let wanted = claims.preferred_username.as_deref().or(claims.email.as_deref()).unwrap_or(&claims.sub);
        let no_name = |_| Failure::Forbidden("the provider gives no name that an account may have".into());
        let name = user_name(wanted).map_err(no_name)?;
        // Who chose a name at the provider has no right to that of somebody here.
        if self.inner.store.user_by_name(&name).await?.is_some() {
            let why = format!("there is an account {name} already; an administrator can give it your address for mail");
            return Err(Failure::Forbidden(why));
        }
        if !self.has_room_for_people().await? {
            return Err(Failure::Forbidden("there are as many accounts here as there may be".into()));
        }
        let user = UserRow { subject: Some(subject), ..new_user(name, email, openid.role, self.now()) };
        // Somebody else may have taken the name in between.
        self.inner.store.user_insert(&user).await.map_err(taken)?;
        self.note_of(&user.name, Deed::UserMade, &user.name, Some("by OpenID")).await;
        Ok(user)
    }
}

fn text_of(digits: &str) -> String {
    let text = hex::decode(digits).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_else(|| "/".to_owned())
}
