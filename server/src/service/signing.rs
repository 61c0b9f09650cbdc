//! Signing in and out.
//!
//! A name that is known and one that is not cost the same work and get the same
//! answer. Every attempt is counted before it is looked at, by its name and by
//! the address it came from, so that many at once are counted as many; one that
//! turned out well is taken back.

use super::Service;
use super::access::SESSION_IDLE;
use super::desk::Desk;
use super::failure::Failure;
use super::tokens::{hash_of, no_chance, random_secret};
use crate::clock::new_id;
use crate::store::rows::{AttemptRow, SessionRow, UserRow};
use app::domain::account::{Backoff, Deed, Failures, PASSWORD_MAX, user_name};
use app::domain::ids::SessionId;
use app::domain::name::tidy;
use app::domain::rights::Who;
use app::domain::time::{Micros, Timestamp};
use app::format;
use ipnet::IpNet;
use std::net::IpAddr;

/// Letters of a browser's name that are kept.
const AGENT_KEPT: usize = 200;

/// The same for a name that nobody has, for a wrong password and for an account
/// that was closed.
const NOT_RIGHT: &str = "the name or the password is not right";

/// One attempt, as it was counted.
pub(super) struct Attempt {
    counted: AttemptRow,
    open_before: Timestamp,
}

/// What attempts from an address count for: all of a network that one customer
/// is given, since its machines change their addresses at will.
pub(super) fn network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { 32 } else { 64 };
    IpNet::new(address, bits).map_or_else(|_| address.into(), |network| network.trunc())
}

fn name_key(name: &str) -> String {
    format!("name {name}")
}

fn too_many(wait: Micros) -> Failure {
    Failure::too_many(&format!("too many attempts that failed; try again in {}", format::timer(wait)), wait)
}

impl Service {
    /// Counts an attempt, or says how long it has to wait.
    pub(super) async fn take_attempt(&self, key: &str, rule: Backoff) -> Result<Attempt, Failure> {
        // Another attempt may be counted between reading and writing; it then
        // is read again. So many cannot come in between but in an attack.
        for _ in 0..8 {
            let before = self.inner.store.attempt_get(key).await?;
            let failures = rule.take(before.as_ref().map(|row| row.failures), self.now()).map_err(too_many)?;
            let counted = AttemptRow { key: key.into(), failures };
            if self.inner.store.attempt_take(&counted, before.as_ref()).await? {
                let open_before = before.map_or(Timestamp(0), |row| row.failures.open_at);
                return Ok(Attempt { counted, open_before });
            }
        }
        Err(too_many(Micros::from_secs(1)))
    }

    /// Takes an attempt back that turned out well. Where others were counted
    /// since, it stays: they may be of somebody else.
    pub(super) async fn give_back(&self, attempt: Attempt) -> Result<(), Failure> {
        let Attempt { counted, open_before } = attempt;
        let Failures { count, at, .. } = counted.failures;
        let failures = Failures { count: count.saturating_sub(1), at, open_at: open_before };
        let row = AttemptRow { key: counted.key.clone(), failures };
        self.inner.store.attempt_take(&row, Some(&counted)).await?;
        Ok(())
    }

    /// Holds nothing against a name any more.
    pub(super) async fn forgive(&self, name: &str) -> Result<(), Failure> {
        Ok(self.inner.store.attempt_clear(&name_key(name)).await?)
    }
}

impl Desk {
    /// Counts an attempt from where this one comes.
    pub(super) async fn take_from_here(&self, purpose: &str) -> Result<Option<Attempt>, Failure> {
        match self.asker().address {
            Some(address) => {
                self.take_attempt(&format!("{purpose} {}", network(address)), Backoff::ADDRESS).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Counts what is done with links from here. It is counted apart from
    /// passwords: who mistypes one may ask for a link at once.
    pub(super) async fn count_guess(&self) -> Result<(), Failure> {
        self.take_from_here("links").await.map(drop)
    }

    /// Checks name and password, and begins a session. Gives the secret of its
    /// cookie, which is told once.
    pub async fn sign_in(&self, name: &str, password: &str, agent: Option<&str>) -> Result<String, Failure> {
        let name = user_name(name).unwrap_or_default();
        let from_here = self.take_from_here("address").await?;
        self.take_attempt(&name_key(&name), Backoff::NAME).await?;
        let user = self.inner.store.user_by_name(&name).await?;
        let hash = user.as_ref().filter(|user| user.disabled_at.is_none()).and_then(|user| user.password.as_deref());
        // What is longer than any password is none, and costs no hash of its length.
        let password = if password.len() > PASSWORD_MAX { "" } else { password };
        let is_right = self.inner.passwords.verify(password, hash).await?;
        let Some(user) = user.filter(|_| is_right) else {
            self.note_of("somebody without an account", Deed::Refused, &name, None).await;
            return Err(Failure::Unauthenticated(NOT_RIGHT));
        };
        self.forgive(&name).await?;
        if let Some(attempt) = from_here {
            self.give_back(attempt).await?;
        }
        self.begin_session(&user, agent).await
    }

    /// Begins a session of somebody who proved who they are. The one that was
    /// shown ends: it may have been put into the browser by somebody else.
    pub(super) async fn begin_session(&self, user: &UserRow, agent: Option<&str>) -> Result<String, Failure> {
        self.end_session().await?;
        let secret = random_secret().map_err(no_chance)?;
        let now = self.now();
        let row = SessionRow {
            id: SessionId(new_id()),
            hash: hash_of(&secret),
            user: user.id,
            created_at: now,
            used_at: now,
            expires_at: now + SESSION_IDLE,
            address: self.asker().address.map(|address| address.to_canonical().to_string().into()),
            agent: agent.map(|agent| tidy(agent, AGENT_KEPT)),
        };
        self.inner.store.session_insert(&row).await?;
        self.inner.store.user_seen(user.id, now).await?;
        self.note_of(&user.name, Deed::SignedIn, &user.name, None).await;
        Ok(secret)
    }

    /// Ends the session in which this is asked.
    pub async fn sign_out(&self) -> Result<(), Failure> {
        if let Who::Person(person) = self.who() {
            self.end_session().await?;
            self.note(Deed::SignedOut, &person.name, None).await;
        }
        Ok(())
    }

    async fn end_session(&self) -> Result<(), Failure> {
        if let Who::Person(person) = self.who() {
            self.inner.store.session_end(person.session, person.id).await?;
            self.inner.known.forget();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_one_customer_is_one_address() {
        let key = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(key("2001:db8:1:2:3::4"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
        assert_ne!(key("192.0.2.7"), key("192.0.2.8"));
    }
}
