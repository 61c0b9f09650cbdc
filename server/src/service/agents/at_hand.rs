//! The launches that are spoken of.

use crate::intake::report_portal::Launch;
use app::domain::name::ProjectName;
use app::domain::time::{Micros, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Launches at hand; beyond it the least recently used goes, and is read again
/// when somebody speaks of it.
const LAUNCHES_MAX: usize = 128;

/// Forgetting is tried this often, when a launch begins.
const FORGET_EVERY: Micros = Micros::from_secs(3_600);

/// A launch that several requests may speak of at once.
pub(super) type Shared = Arc<Mutex<Launch>>;

/// Its project and its id.
pub(super) type Key = (ProjectName, Box<str>);

/// Launches at hand.
pub struct Launches {
    known: Mutex<Known>,
    begun: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    launches: HashMap<Key, (u64, Shared)>,
    uses: u64,
    forgot_at: Option<Timestamp>,
}

impl Default for Launches {
    fn default() -> Self {
        Self { known: Mutex::default(), begun: watch::channel(0).0 }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Launches {
    pub(super) fn get(&self, key: &Key) -> Option<Shared> {
        let mut known = locked(&self.known);
        known.uses += 1;
        let uses = known.uses;
        let (used, launch) = known.launches.get_mut(key)?;
        *used = uses;
        Some(launch.clone())
    }

    /// Puts a launch at hand, unless it is; gives the one that now is, and
    /// whether it is the new one.
    pub(super) fn put(&self, key: Key, launch: Launch) -> (Shared, bool) {
        let mut known = locked(&self.known);
        known.uses += 1;
        let uses = known.uses;
        if let Some((_, launch)) = known.launches.get(&key) {
            return (launch.clone(), false);
        }
        if known.launches.len() >= LAUNCHES_MAX {
            let oldest = known.launches.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|key| known.launches.remove(&key));
        }
        let launch = Arc::new(Mutex::new(launch));
        known.launches.insert(key, (uses, launch.clone()));
        drop(known);
        self.begun.send_modify(|launches| *launches += 1);
        (launch, true)
    }

    pub(super) fn remove(&self, key: &Key) {
        locked(&self.known).launches.remove(key);
    }

    pub(super) fn of_project(&self, project: &ProjectName) -> Vec<Shared> {
        let known = locked(&self.known);
        let mut all: Vec<_> = known.launches.iter().filter(|((of, _), _)| of == project).map(|(_, one)| one).collect();
        all.sort_unstable_by_key(|(used, _)| std::cmp::Reverse(*used));
        all.into_iter().map(|(_, launch)| launch.clone()).collect()
    }

    /// Tells of every launch that is put at hand from now on.
    pub(super) fn begun(&self) -> watch::Receiver<u64> {
        self.begun.subscribe()
    }

    /// Whether it is time to forget old ones; asked for once.
    pub(super) fn is_time_to_forget(&self, now: Timestamp) -> bool {
        let mut known = locked(&self.known);
        let is_time = known.forgot_at.is_none_or(|at| now.since(at) >= FORGET_EVERY);
        if is_time {
            known.forgot_at = Some(now);
        }
        is_time
    }
}
