//! What was sent so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Counters that all lanes share. They only inform, so no order is promised
/// between them.
#[derive(Debug, Default)]
pub struct Tally {
    accepted: AtomicU64,
    duplicate: AtomicU64,
    ignored: AtomicU64,
    runs_finished: AtomicU64,
    retries: AtomicU64,
    unsent: AtomicU64,
    trouble: Mutex<Option<String>>,
}

/// What a simulation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events the server took as new.
    pub accepted: u64,
    /// Events the server knew already.
    pub duplicate: u64,
    /// Events the server kept without understanding them.
    pub ignored: u64,
    /// Runs that ended; a run whose bench died is not among them.
    pub runs_finished: u64,
    /// Requests that had to be sent again.
    pub retries: u64,
    /// Events that were due, but not taken before the end.
    pub unsent: u64,
    /// The last trouble since this was last asked.
    pub trouble: Option<String>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Tally {
    pub(super) fn sent(&self, accepted: u64, duplicate: u64, ignored: u64, runs_finished: u64) {
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
        self.duplicate.fetch_add(duplicate, Ordering::Relaxed);
        self.ignored.fetch_add(ignored, Ordering::Relaxed);
        self.runs_finished.fetch_add(runs_finished, Ordering::Relaxed);
    }

    pub(super) fn retried(&self, trouble: String) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }

    pub(super) fn unsent(&self, events: usize) {
        self.unsent.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Where it stands; takes the last trouble.
    pub fn summary(&self, elapsed: Duration) -> Summary {
        Summary {
            accepted: self.accepted.load(Ordering::Relaxed),
            duplicate: self.duplicate.load(Ordering::Relaxed),
            ignored: self.ignored.load(Ordering::Relaxed),
            runs_finished: self.runs_finished.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            unsent: self.unsent.load(Ordering::Relaxed),
            trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take(),
            elapsed,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.elapsed.as_secs();
        write!(f, "{secs} s: {} events sent, {} runs finished", self.accepted, self.runs_finished)?;
        for (count, what) in [
            (self.duplicate, "known already"),
            (self.ignored, "ignored"),
            (self.retries, "requests sent again"),
            (self.unsent, "events unsent"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        match &self.trouble {
            Some(trouble) => write!(f, " ({trouble})"),
            None => Ok(()),
        }
    }
}
