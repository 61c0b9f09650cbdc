//! How often each token, each person and each address may ask.
//!
//! The bound is far above what listeners and people need: it is for what runs
//! wild. It is counted in this process alone, so with several servers somebody
//! has a share on each.

use super::access::{Asker, Hash};
use super::failure::Failure;
use super::signing::network;
use app::domain::ids::UserId;
use app::domain::rate::Rate;
use app::domain::rights::Who;
use app::domain::time::{Micros, Timestamp};
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Seconds' worth of requests that may come at once.
const SECONDS_AT_ONCE: u32 = 5;

/// Askers that are counted apart; then those whose share is whole again are
/// forgotten, and if that is not enough, all.
const COUNTED_MAX: usize = 50_000;

fn too_many(wait: Micros) -> Failure {
    Failure::too_many("more requests than one asker may send", wait)
}

/// Who is counted as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Counted {
    /// A token.
    Token(Hash),
    /// A person, however many browsers they have.
    Person(UserId),
    /// All who say nothing, or nothing that holds, from one network.
    Network(Option<IpNet>),
}

/// Counts.
#[derive(Debug, Default)]
pub(super) struct Limits {
    rate: Option<Rate>,
    used: Mutex<HashMap<Counted, Timestamp>>,
}

impl Limits {
    /// So many requests a second each; 0 is no limit.
    pub(super) fn new(per_second: u32) -> Self {
        let rate = (per_second > 0).then(|| Rate::new(per_second, SECONDS_AT_ONCE));
        Self { rate, ..Self::default() }
    }

    /// Counts a request, or says when to come again.
    pub(super) fn take(&self, asker: &Asker, now: Timestamp) -> Result<(), Failure> {
        let counted = match (asker.hash, &*asker.who) {
            (_, Who::Person(person)) => Counted::Person(person.id),
            (Some(hash), Who::Pass(_)) => Counted::Token(hash),
            _ => Counted::Network(asker.address.map(network)),
        };
        self.count(counted, now)
    }

    /// Refuses to look whose a secret is where somebody there has shown too
    /// many that were nobody's: a look costs a read of the store. It takes
    /// nothing, since the secret may be good.
    pub(super) fn look(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Failure> {
        let Some(rate) = self.rate else { return Ok(()) };
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let until = used.get(&Counted::Network(address.map(network)));
        rate.take(until.copied(), now).map(drop).map_err(too_many)
    }

    fn count(&self, counted: Counted, now: Timestamp) -> Result<(), Failure> {
        let Some(rate) = self.rate else { return Ok(()) };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match rate.take(used.get(&counted).copied(), now) {
            Ok(until) => {
                if used.len() >= COUNTED_MAX && !used.contains_key(&counted) {
                    used.retain(|_, until| *until > now);
                    if used.len() >= COUNTED_MAX {
                        used.clear();
                    }
                }
                used.insert(counted, until);
                Ok(())
            }
            Err(wait) => Err(too_many(wait)),
        }
    }
}
