//! Passwords: kept as Argon2id, and hashed away from the threads that answer.
//!
//! One hash takes 19 MiB and some hundredths of a second, on purpose. So few are
//! made at once, a bounded number waits, and whoever comes after is asked to
//! come again: guessing at passwords never costs anybody else the server.

use super::failure::Failure;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, LazyLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hashes made at once.
const AT_ONCE: usize = 2;

/// Hashes that are made or wait.
const WAITING_MAX: usize = 32;

/// What a name without a password is checked against, so that it takes as long
/// as any other. No password leads to this hash.
static DECOY: LazyLock<String> = LazyLock::new(|| {
    let (memory, turns, lanes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
    format!("$argon2id$v=19$m={memory},t={turns},p={lanes}${}${}", "A".repeat(22), "A".repeat(43))
});

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Hashes passwords, few at once.
#[derive(Clone, Debug)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(WAITING_MAX)) }
    }
}

impl Passwords {
    /// The hash of a new password, with all that made it.
    pub(super) async fn hash(&self, password: &str) -> Result<Box<str>, Failure> {
        let mut salt = [0_u8; 16];
        getrandom::fill(&mut salt).map_err(super::tokens::no_chance)?;
        let password = password.to_owned();
        self.in_turn(move || {
            let salt = SaltString::encode_b64(&salt)?;
            Ok(argon2().hash_password(password.as_bytes(), &salt)?.to_string().into())
        })
        .await
    }

    /// Whether this is the password that was hashed. Where there is none it
    /// takes the same time, and is not.
    pub(super) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Failure> {
        let (password, is_known) = (password.to_owned(), hash.is_some());
        let hash = hash.unwrap_or(&DECOY).to_owned();
        let is_right =
            self.in_turn(move || match argon2().verify_password(password.as_bytes(), &PasswordHash::new(&hash)?) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::Password) => Ok(false),
                Err(error) => Err(error),
            });
        Ok(is_right.await? && is_known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, argon2::password_hash::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let busy = || Failure::Busy { reason: "too many people sign in at once", retry_after: 2, source: None };
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Failure::Closing)?;
        // The turn ends with the work, not with whoever waits for it: a caller
        // that hangs up would free its turn while the hash is still being made.
        let held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, turn);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        let done = done.await.map_err(|_| Failure::Closing)?;
        done.map_err(|error| Failure::Upstream(format!("a password cannot be checked: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_by_its_hash_alone() {
        let passwords = Passwords::default();
        let hash = passwords.hash("four plain words here").await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("four plain words here", Some(&hash)).await.expect("checked"));
        assert!(!passwords.verify("four plain words her", Some(&hash)).await.expect("checked"));
        assert!(!passwords.verify("four plain words here", None).await.expect("checked, against nothing"));
        assert_ne!(hash, passwords.hash("four plain words here").await.expect("a hash"), "each has its own salt");
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_asked_to_come_again() {
        let passwords = Passwords::default();
        let _all = passwords.places.clone().try_acquire_many_owned(u32::try_from(WAITING_MAX).expect("few"));
        let refused = passwords.verify("x", None).await.expect_err("full");
        assert!(matches!(refused, Failure::Busy { .. }));
    }
}
