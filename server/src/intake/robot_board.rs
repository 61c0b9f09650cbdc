//! The robot results board: what its listener posts, as events of ours.
//!
//! The listener names neither its run nor, when something ends, its setup: it
//! knows scopes (suites) and tests by numbers that we hand out, and it guesses
//! the number of a test from a database of its own. So the board remembers, for
//! each setup, the suites that are open and who spoke last; a number that is
//! none of ours is then taken for the one thing that this sender has open.
//!
//! What is remembered is bounded. A restart forgets it: the runs of that moment
//! are given up as lost, and the next suite begins a run anew.

mod row;
#[cfg(test)]
mod tests;
mod word;

pub use word::{Place, Table, Word};

use app::domain::time::Timestamp;
use row::Row;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// Setups that are remembered; beyond it the one silent for longest is forgotten.
const ROWS_MAX: usize = 1_000;

/// Progress that is remembered; a further setup's is not kept.
const PROGRESS_MAX: usize = 1_000;

/// Why a word is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, for people.
    pub detail: String,
}

impl Refused {
    fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    fn bad(detail: impl Into<String>) -> Self {
        Self::new(400, detail)
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sender<'a> {
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// The only setup that this sender may speak of.
    pub only: Option<&'a str>,
}

/// What came of a word.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What is to be recorded.
    pub events: Vec<Value>,
    /// What the listener is answered.
    pub answer: Value,
}

impl Told {
    fn new(events: Vec<Value>, answer: Value) -> Self {
        Self { events, answer }
    }
}

/// What is remembered between two words.
#[derive(Debug)]
pub struct Board {
    /// Setups by number.
    names: BTreeMap<u32, String>,
    rows: HashMap<String, Row>,
    progress: BTreeMap<String, (u32, u32)>,
    scopes: i64,
    tests: i64,
}

impl Board {
    /// A board on which nothing happened; `names` are the setups by number.
    pub fn new(names: BTreeMap<u32, String>) -> Self {
        Self { names, rows: HashMap::new(), progress: BTreeMap::new(), scopes: 0, tests: 0 }
    }

    /// The setup behind a number.
    pub fn name_of(&self, number: u32) -> String {
        self.names.get(&number).cloned().unwrap_or_else(|| format!("setup {number}"))
    }

    /// The number of a setup, where it has one.
    pub fn number_of(&self, name: &str) -> Option<u32> {
        let said = self.names.iter().find(|(_, known)| *known == name).map(|(number, _)| *number);
        said.or_else(|| name.strip_prefix("setup ")?.parse().ok().filter(|number| *number > 0))
    }

    /// How far each setup said it was, by what it calls itself.
    pub fn progress(&self) -> &BTreeMap<String, (u32, u32)> {
        &self.progress
    }

    /// When a setup said that its preparation and its clearing up began.
    pub fn start_times(&self, number: u32) -> (Option<&str>, Option<&str>) {
        let row = self.rows.get(&self.name_of(number));
        row.map_or((None, None), |row| (row.preparing_since.as_deref(), row.clearing_since.as_deref()))
    }

    /// Takes a word.
    pub fn hear(&mut self, word: Word, sender: Sender<'_>, now: Timestamp) -> Result<Told, Refused> {
        match word {
            Word::ScopeStarted { setup, name, at } => self.scope_started(setup, &name, &at, sender, now),
            Word::TestStarted { scope, name } => self.test_started(scope, &name, sender, now),
            Word::Ended { table: Table::Tests, id, passed } => self.test_ended(id, passed, sender, now),
            Word::Ended { table: Table::Scopes, id, passed } => self.scope_ended(id, passed, sender, now),
            Word::Phase { scope, phase } => Ok(self.phase(scope, phase, sender, now)),
            Word::Progress { setup, done, total } => self.progressed(setup, done, total, sender, now),
            Word::Since { setup, place, at } => {
                let row = self.row(&self.name_of(setup), sender, now)?;
                match place {
                    Place::Preparing => row.preparing_since = Some(at),
                    Place::Clearing => row.clearing_since = Some(at),
                }
                Ok(Told::new(Vec::new(), json!({"message": "the time is noted"})))
            }
        }
    }

    /// The row of a setup, made where there is none.
    fn row(&mut self, name: &str, sender: Sender<'_>, now: Timestamp) -> Result<&mut Row, Refused> {
        allowed(name, sender)?;
        if self.rows.len() >= ROWS_MAX && !self.rows.contains_key(name) {
            let oldest = self.rows.iter().min_by_key(|(_, row)| row.heard_at).map(|(name, _)| name.clone());
            oldest.map(|name| self.rows.remove(&name));
        }
        let row = self.rows.entry(name.to_owned()).or_default();
        (row.peer, row.heard_at) = (sender.peer, now);
        Ok(row)
    }

    fn scope_started(
        &mut self,
        setup: u32,
        scope: &str,
        at: &str,
        sender: Sender<'_>,
        now: Timestamp,
    ) -> Result<Told, Refused> {
        let name = self.name_of(setup);
        allowed(&name, sender)?;
        let heard_at = self.rows.get(&name).map(|row| row.heard_at);
        self.scopes += 1;
        let id = self.scopes;
        let row = self.row(&name, sender, now)?;
        let events = row.begin(&name, (id, scope, at), heard_at.unwrap_or(now), now)?;
        let answer = json!({"code": 200, "message": "the suite has begun", "scope_id": id, "status": "success"});
        Ok(Told::new(events, answer))
    }

    fn test_started(&mut self, scope: i64, test: &str, sender: Sender<'_>, now: Timestamp) -> Result<Told, Refused> {
        let known = self.scopes;
        let name = self.find(sender, |row| row.has_scope(scope), |row| scope > known && row.is_open());
        let Some(name) = name else {
            return Err(Refused::new(404, format!("scope_id {scope} is no suite that is under way")));
        };
        self.tests += 1;
        let id = self.tests;
        let row = self.row(&name, sender, now)?;
        let events = row.test_started(&name, scope, (id, test), now);
        Ok(Told::new(events, json!({"message": "the test has begun", "test_id": id})))
    }

    fn test_ended(&mut self, id: i64, passed: bool, sender: Sender<'_>, now: Timestamp) -> Result<Told, Refused> {
        let name = self.find(sender, |row| row.has_test(id), Row::has_any_test);
        let Some(name) = name else { return ended_before(id, self.tests, "test") };
        let row = self.row(&name, sender, now)?;
        Ok(ended(row.test_ended(&name, if passed { "passed" } else { "failed" }, now)))
    }

    fn scope_ended(&mut self, id: i64, passed: bool, sender: Sender<'_>, now: Timestamp) -> Result<Told, Refused> {
        let known = self.scopes;
        let name = self.find(sender, |row| row.has_scope(id), |row| id > known && row.is_open());
        let Some(name) = name else { return ended_before(id, known, "suite") };
        let row = self.row(&name, sender, now)?;
        Ok(ended(row.scope_ended(&name, id, if passed { "passed" } else { "failed" }, now)))
    }

    /// A suite that is not known changes nothing, and the listener never cared.
    fn phase(&mut self, scope: i64, phase: &'static str, sender: Sender<'_>, now: Timestamp) -> Told {
        let known = self.scopes;
        let name = self.find(sender, |row| row.has_scope(scope), |row| scope > known && row.is_open());
        let row = name.and_then(|name| Some((self.row(&name, sender, now).ok()?, name)));
        let events = row.map(|(row, name)| row.phase(&name, scope, phase, now)).unwrap_or_default();
        Told::new(events, json!({"message": "the suite's status is noted"}))
    }

    fn progressed(
        &mut self,
        setup: String,
        done: u32,
        total: u32,
        sender: Sender<'_>,
        now: Timestamp,
    ) -> Result<Told, Refused> {
        let name = setup.parse().map_or_else(|_| setup.clone(), |number| self.name_of(number));
        allowed(&name, sender)?;
        if self.progress.contains_key(&setup) || self.progress.len() < PROGRESS_MAX {
            self.progress.insert(setup, (done, total));
        }
        let known = self.rows.contains_key(&name);
        let events = if known { self.row(&name, sender, now)?.promised(&name, total, now) } else { Vec::new() };
        Ok(Told::new(events, json!({"status": "success"})))
    }

    /// The setup that is meant: the one with this number from this sender; else
    /// the only one of this sender that it may be; else the one with this number.
    fn find(&self, sender: Sender<'_>, exact: impl Fn(&Row) -> bool, guess: impl Fn(&Row) -> bool) -> Option<String> {
        let may = |name: &str| allowed(name, sender).is_ok();
        let exact = self.rows.iter().find(|(name, row)| exact(row) && may(name));
        if let Some((name, row)) = exact
            && row.peer == sender.peer
        {
            return Some(name.clone());
        }
        let mut own = self.rows.iter().filter(|(name, row)| row.peer == sender.peer && guess(row) && may(name));
        match (own.next(), own.next()) {
            (Some((name, _)), None) => Some(name.clone()),
            _ => exact.map(|(name, _)| name.clone()),
        }
    }
}

fn allowed(name: &str, sender: Sender<'_>) -> Result<(), Refused> {
    match sender.only {
        Some(only) if only != name => Err(Refused::new(403, format!("this token is for setup {only:?} only"))),
        _ => Ok(()),
    }
}

fn ended(events: Vec<Value>) -> Told {
    Told::new(events, json!({"code": 200, "message": "the end is noted", "status": "success"}))
}

/// The end of what has ended already is no fault; of what never was, it is.
fn ended_before(id: i64, known: i64, what: &str) -> Result<Told, Refused> {
    if (1..=known).contains(&id) {
        return Ok(ended(Vec::new()));
    }
    Err(Refused::new(404, format!("there is no {what} {id}")))
}
