//! What is remembered of benches, and the numbers by which they are asked for.
//!
//! A machine's number is its place among all setups by age; a dry run's is in
//! the key of its run; a script's is made of both its run's and its place in
//! the plan. So all of them mean the same after a restart, and none is stored.

use crate::http::problem::Refusal;
use crate::intake::tm_api::{Machine, Machines, number_of, setup_of};
use crate::service::reads::RunQuestion;
use crate::service::{Desk, Failure};
use app::domain::ids::RunId;
use app::domain::problem::ProblemKind;
use app::domain::run::RunState;
use app::read::Tile;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Sockets that may be open; a further one is asked to come back.
const SOCKETS_MAX: usize = 1_000;

/// Runs of a page that is looked through, and pages that are: an older dry run
/// is not found by its number any more.
const PAGE: u32 = 500;
const PAGES: usize = 4;

/// Runs whose numbers are remembered; then all are forgotten and found again.
const NUMBERS_MAX: usize = 10_000;

/// Places for scripts that each dry run has among the numbers.
const SCRIPTS_OF_RUN: u64 = 1_000_000;

/// What is remembered of benches.
pub struct Benches {
    machines: Mutex<Machines>,
    /// The last number that was given to a dry run, once it is known.
    last: tokio::sync::Mutex<Option<u64>>,
    numbers: Mutex<HashMap<u64, RunId>>,
    sockets: Arc<Semaphore>,
}

impl Default for Benches {
    fn default() -> Self {
        Self {
            machines: Mutex::default(),
            last: tokio::sync::Mutex::default(),
            numbers: Mutex::default(),
            sockets: Arc::new(Semaphore::new(SOCKETS_MAX)),
        }
    }
}

impl Benches {
    /// The plans at hand.
    pub fn machines(&self) -> MutexGuard<'_, Machines> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket's place.
    pub fn socket(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let full =
            |_| Refusal::new(ProblemKind::Busy, format!("{SOCKETS_MAX} sockets are open, which is all there may be"));
        self.sockets.clone().try_acquire_owned().map_err(full)
    }

    /// Somebody has a socket open.
    pub fn is_watched(&self) -> bool {
        self.sockets.available_permits() < SOCKETS_MAX
    }

    /// The setup of a machine: by its name, else by its name in whatever case.
    /// Who names a machine need not be allowed to read of it.
    pub async fn find(&self, desk: &Desk, machine: &str) -> Result<Option<String>, Failure> {
        let desk = desk.itself();
        let setup = setup_of(machine);
        if self.machines().of(&setup, desk.now()).is_some() {
            return Ok(Some(setup));
        }
        desk.settled().await;
        if desk.setup(&setup).await?.is_some() {
            return Ok(Some(setup));
        }
        let same = |tile: &&Arc<Tile>| tile.name.to_lowercase() == setup.to_lowercase();
        Ok(desk.setups().await?.iter().find(same).map(|tile| tile.name.clone()))
    }

    /// Has the plan of a machine at hand, if its run is open.
    pub async fn take_up(&self, desk: &Desk, setup: &str) -> Result<(), Failure> {
        let desk = desk.itself();
        if self.machines().of(setup, desk.now()).is_some() {
            return Ok(());
        }
        desk.settled().await;
        let Some(card) = desk.setup(setup).await?.and_then(|tile| tile.run.clone()) else { return Ok(()) };
        let is_open = matches!(card.state, RunState::Waiting | RunState::Running);
        if !is_open || number_of(&card.key).is_none() {
            return Ok(());
        }
        let machine = desk.run(card.id).await?.as_ref().and_then(Machine::of);
        let (mut machines, now) = (self.machines(), desk.now());
        // Another request may have been quicker.
        if let (Some(machine), None) = (machine, machines.of(setup, now)) {
            machines.put(setup, machine, now);
        }
        Ok(())
    }

    /// The number of the next dry run.
    pub async fn next_number(&self, desk: &Desk) -> Result<u64, Failure> {
        let desk = desk.itself();
        let mut last = self.last.lock().await;
        let known = match *last {
            Some(known) => known,
            None => {
                desk.settled().await;
                let newest = desk.runs(&RunQuestion::default(), None, PAGE).await?;
                newest.items.iter().filter_map(|(_, line)| number_of(&line.key)).max().unwrap_or(0)
            }
        };
        Ok(*last.insert(known + 1))
    }

    /// The run that came as a dry run, among the newest.
    pub async fn run_of(&self, desk: &Desk, number: u64) -> Result<Option<RunId>, Failure> {
        let desk = desk.itself();
        if let Some(run) = self.numbered(number) {
            return Ok(Some(run));
        }
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let page = desk.runs(&RunQuestion::default(), cursor.as_deref(), PAGE).await?;
            self.note(page.items.iter().filter_map(|(_, line)| Some((number_of(&line.key)?, line.id))));
            cursor = page.next;
            if cursor.is_none() || self.numbered(number).is_some() {
                break;
            }
        }
        Ok(self.numbered(number))
    }

    fn numbered(&self, number: u64) -> Option<RunId> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
    }

    fn note(&self, found: impl Iterator<Item = (u64, RunId)>) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.len() >= NUMBERS_MAX {
            numbers.clear();
        }
        numbers.extend(found);
    }
}

/// The machines that are seen, the oldest first, each with its number. Numbers
/// count all machines: they must not depend on who asks.
pub async fn by_age(desk: &Desk) -> Result<Vec<(u64, Arc<Tile>)>, Failure> {
    let seen: HashSet<_> = desk.setups().await?.iter().map(|tile| tile.setup).collect();
    let mut tiles = desk.itself().setups().await?;
    tiles.sort_by_key(|tile| tile.setup);
    Ok((1..).zip(tiles).filter(|(_, tile)| seen.contains(&tile.setup)).collect())
}

/// The machine of a number.
pub async fn machine_of(desk: &Desk, number: u64) -> Result<Option<Arc<Tile>>, Failure> {
    Ok(by_age(desk).await?.into_iter().find(|(own, _)| *own == number).map(|(_, tile)| tile))
}

/// The number of a script: its dry run's, and its place there from 0.
pub fn script_number(run: u64, place: usize) -> u64 {
    (run - 1).saturating_mul(SCRIPTS_OF_RUN).saturating_add(place as u64 + 1)
}

/// The dry run and the place that [`script_number`] made a number of.
pub fn script_place(number: u64) -> Option<(u64, usize)> {
    let from_zero = number.checked_sub(1)?;
    Some((from_zero / SCRIPTS_OF_RUN + 1, (from_zero % SCRIPTS_OF_RUN) as usize))
}
