//! `/tm_api/`: what benches with a master scenario say, as events of ours.
//!
//! A bench announces its whole tree of scripts, and then names what starts and
//! stops by file name and path alone. So each machine's open plan is remembered
//! here; after a restart it is read again from the run that is open.
//!
//! Times are ours throughout: those clients send local time without a zone.

mod form;
mod machine;
mod status;
#[cfg(test)]
mod tests;

pub use form::{DryRun, Faults, Scenario, Script, Start, Stop, fault};
pub use machine::Machine;
pub use status::Status;

use super::as_name;
use app::domain::time::Timestamp;
use serde_json::Value;
use std::collections::HashMap;

/// Machines whose plan is at hand; beyond it the one silent for longest is
/// put away, and read again when it speaks.
const MACHINES_MAX: usize = 500;

/// What the key of a run begins with that came as a dry run.
const KEY: &str = "dry-run-";

/// The key of the run that came as this dry run.
pub fn key_of(number: u64) -> String {
    format!("{KEY}{number}")
}

/// Which dry run a run came as.
pub fn number_of(key: &str) -> Option<u64> {
    key.strip_prefix(KEY)?.parse().ok()
}

/// The name of the setup that a machine is.
pub fn setup_of(machine: &str) -> String {
    as_name(machine)
}

/// The machines whose plan is at hand.
#[derive(Debug, Default)]
pub struct Machines {
    known: HashMap<String, (Timestamp, Machine)>,
}

impl Machines {
    /// The plan of a machine, if it is at hand.
    pub fn of(&mut self, setup: &str, now: Timestamp) -> Option<&mut Machine> {
        self.known.get_mut(setup).map(|(heard_at, machine)| {
            *heard_at = now;
            machine
        })
    }

    /// Puts a plan at hand.
    pub fn put(&mut self, setup: &str, machine: Machine, now: Timestamp) {
        if self.known.len() >= MACHINES_MAX && !self.known.contains_key(setup) {
            let oldest = self.known.iter().min_by_key(|(_, (heard_at, _))| *heard_at).map(|(name, _)| name.clone());
            oldest.map(|name| self.known.remove(&name));
        }
        self.known.insert(setup.to_owned(), (now, machine));
    }

    /// Puts a plan away, to be read again from what is recorded.
    pub fn forget(&mut self, setup: &str) {
        self.known.remove(setup);
    }

    /// A dry run: ends what was open and plans what comes.
    pub fn plan(&mut self, setup: &str, number: u64, plan: &DryRun, now: Timestamp) -> Vec<Value> {
        let mut events = self.of(setup, now).map(|old| old.give_up(setup, now)).unwrap_or_default();
        let (machine, planned) = Machine::planned(setup, &key_of(number), plan, now);
        events.push(planned);
        self.put(setup, machine, now);
        events
    }
}
