//! What the recorder keeps at hand: setups, and the runs that are spoken of.
//!
//! All of it can be had again from the store. What a failed commit touched is
//! therefore simply dropped, and so is what has not been used for long.

use super::ids::Ids;
use super::judged::Judged;
use super::tiles::{self, Outlook};
use super::vitals::Vitals;
use crate::config::SetupConfig;
use app::domain::activity::ActivityFacts;
use app::domain::event::RunEvent;
use app::domain::forecast::Forecast;
use app::domain::ids::{RunId, SetupId};
use app::domain::name::{ProjectName, RunKey, SetupName};
use app::domain::run::{Applied, Run, RunState};
use app::domain::time::{Micros, Timestamp};
use app::read::{Claim, Pulse, Reservation, RunCard, Tile};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use uuid::Uuid;

/// Tests of runs that are over which may be kept at hand.
const CLOSED_TESTS_MAX: usize = 20_000;

/// Runs that may come to hand before the bound is looked at again.
const SHRINK_EVERY: usize = 32;

/// Ids of heartbeats that are remembered, a setup.
const HEARTBEATS_KNOWN: usize = 64;

/// How long an outlook is good for.
const OUTLOOK_KEPT: Micros = Micros::from_millis(500);

/// A run at hand.
#[derive(Debug)]
pub struct HotRun {
    /// The run.
    pub run: Run,
    /// When it was first heard of, by our clock.
    pub created_at: Timestamp,
    /// Ids of its events.
    pub ids: Ids,
    /// What the past says about it.
    pub forecast: Arc<Forecast>,
    /// Tests and suites at the time of the last forecast.
    pub forecast_size: usize,
    /// What the detector has seen of it.
    pub judged: Judged,
    outlook: (Timestamp, u32, Outlook),
    used: u64,
}

impl HotRun {
    /// A run at hand.
    pub fn new(run: Run, created_at: Timestamp, ids: Ids) -> Self {
        Self {
            judged: Judged::stored(&run),
            run,
            created_at,
            ids,
            forecast: Arc::default(),
            forecast_size: 0,
            outlook: (Timestamp(i64::MIN), u32::MAX, Outlook::default()),
            used: 0,
        }
    }

    /// When it began, as [`RunRow::began_at`](crate::store::rows::RunRow::began_at) has it.
    pub fn began_at(&self) -> Timestamp {
        self.run.started_at().unwrap_or(self.created_at)
    }

    /// Applies an event, which was `delay` on its way where its sender told.
    pub fn apply(
        &mut self,
        said: &RunEvent,
        at: Timestamp,
        received: Timestamp,
        delay: Option<Micros>,
        project: Option<&ProjectName>,
    ) -> Applied {
        if let Some(project) = project {
            self.run.name_project(at, project);
        }
        self.run.apply(said, at, received, delay.unwrap_or_else(|| received.since(at)))
    }

    /// How large it is: tests and suites.
    pub fn size(&self) -> usize {
        self.run.tests().len() + self.run.suites().len()
    }

    /// Takes a new forecast.
    pub fn expect(&mut self, forecast: Arc<Forecast>) {
        self.forecast = forecast;
        self.outlook.0 = Timestamp(i64::MIN);
    }

    /// What the past says, looked at again only when it is old or the plan
    /// changed: it takes a walk over all tests.
    pub fn outlook(&mut self, now: Timestamp) -> Outlook {
        let planned = self.run.counts().planned;
        let (looked_at, for_planned, outlook) = self.outlook;
        let over = self.run.is_over();
        if !over && for_planned == planned && now.since(looked_at) < OUTLOOK_KEPT {
            return outlook;
        }
        let fresh = Outlook::of(&self.run, &self.forecast);
        self.outlook = (now, planned, fresh);
        fresh
    }
}

/// A setup at hand.
#[derive(Debug)]
pub struct HotSetup {
    /// Its identity.
    pub id: SetupId,
    /// Its version as last committed by this process.
    pub version: i64,
    /// Its last word, by our clock.
    pub heard_at: Option<Timestamp>,
    /// The run its tile shows.
    pub shown: Option<RunKey>,
    /// That run as it was last shown; it stands in when the run itself is no
    /// longer at hand.
    pub last: Option<(ActivityFacts, RunCard)>,
    /// Ids of its events outside runs, once they were asked for.
    pub ids: Option<Ids>,
    /// The health of its tests, once one of them had a result.
    pub vitals: Option<Vitals>,
    /// What its strip is drawn from.
    pub pulse: Pulse,
    /// Who looks after it.
    pub claim: Option<Claim>,
    /// Who keeps it for themselves, or did.
    pub reservation: Option<Reservation>,
    heartbeats: VecDeque<Uuid>,
}

impl HotSetup {
    /// A setup as it stands in the store.
    pub fn new(id: SetupId, version: i64, heard_at: Option<Timestamp>) -> Self {
        Self {
            id,
            version,
            heard_at,
            shown: None,
            last: None,
            ids: None,
            vitals: None,
            pulse: Pulse::default(),
            claim: None,
            reservation: None,
            heartbeats: VecDeque::new(),
        }
    }

    /// Remembers the id of a heartbeat, for a while: nothing follows from one
    /// that is told twice. Tells whether it was new.
    pub fn is_new_heartbeat(&mut self, id: Uuid) -> bool {
        if self.heartbeats.contains(&id) {
            return false;
        }
        if self.heartbeats.len() == HEARTBEATS_KNOWN {
            self.heartbeats.pop_front();
        }
        self.heartbeats.push_back(id);
        true
    }
}

/// Everything at hand.
#[derive(Debug, Default)]
pub struct Hot {
    /// Setups by name.
    pub setups: HashMap<SetupName, HotSetup>,
    /// Runs by setup and key.
    pub runs: HashMap<(SetupId, RunKey), HotRun>,
    by_id: HashMap<RunId, (SetupId, RunKey)>,
    of_setup: HashMap<SetupId, HashSet<RunKey>>,
    clock: u64,
    shrink_at: usize,
}

impl Hot {
    /// Puts a run at hand.
    pub fn insert(&mut self, hot: HotRun) {
        let at = (hot.run.setup, hot.run.key.clone());
        self.by_id.insert(hot.run.id, at.clone());
        self.of_setup.entry(at.0).or_default().insert(at.1.clone());
        self.runs.insert(at, hot);
    }

    /// The runs of a setup that are at hand.
    pub fn runs_of(&self, setup: SetupId) -> impl Iterator<Item = &HotRun> {
        let keys = self.of_setup.get(&setup).into_iter().flatten();
        keys.filter_map(move |key| self.runs.get(&(setup, key.clone())))
    }

    /// The run at hand with this id.
    pub fn by_id(&mut self, run: RunId) -> Option<&mut HotRun> {
        self.runs.get_mut(self.by_id.get(&run)?)
    }

    /// The run at hand, marked as used.
    pub fn used(&mut self, at: &(SetupId, RunKey)) -> Option<&mut HotRun> {
        self.clock += 1;
        let hot = self.runs.get_mut(at)?;
        hot.used = self.clock;
        Some(hot)
    }

    /// Forgets a run; the store has it.
    pub fn forget(&mut self, at: &(SetupId, RunKey)) {
        if let Some(hot) = self.runs.remove(at) {
            self.by_id.remove(&hot.run.id);
        }
        if let Some(keys) = self.of_setup.get_mut(&at.0) {
            keys.remove(&at.1);
        }
    }

    /// Forgets all runs of a setup: another server wrote to it.
    pub fn forget_runs_of(&mut self, setup: SetupId) {
        for key in self.of_setup.remove(&setup).unwrap_or_default() {
            self.forget(&(setup, key));
        }
    }

    /// Forgets runs that are over, the least recently used first, until what
    /// is left of them is within the bound. Open runs stay.
    pub fn shrink(&mut self) {
        if self.runs.len() < self.shrink_at {
            return;
        }
        self.shrink_to(CLOSED_TESTS_MAX);
        self.shrink_at = self.runs.len() + SHRINK_EVERY;
    }

    fn shrink_to(&mut self, closed_tests: usize) {
        let mut closed: Vec<_> = self
            .runs
            .iter()
            .filter(|(_, hot)| hot.run.is_over())
            .map(|(at, hot)| (hot.used, hot.size() + hot.ids.len() / 4, at.clone()))
            .collect();
        let mut size: usize = closed.iter().map(|(_, size, _)| size).sum();
        if size <= closed_tests {
            return;
        }
        closed.sort_unstable_by_key(|(used, _, _)| *used);
        for (_, of_run, at) in closed {
            if size <= closed_tests {
                break;
            }
            size -= of_run;
            self.forget(&at);
        }
    }

    /// Lets go of the health of single tests where no run is open.
    pub fn rest(&mut self, name: &SetupName) {
        let Some(id) = self.setups.get(name).map(|setup| setup.id) else { return };
        let is_quiet = self.runs_of(id).all(|hot| hot.run.is_over());
        if let Some(vitals) = self.setups.get_mut(name).filter(|_| is_quiet).and_then(|setup| setup.vitals.as_mut()) {
            vitals.rest();
        }
    }

    /// Runs with failures that nobody tried again.
    pub fn undecided(&self, now: Timestamp) -> Vec<(SetupName, (SetupId, RunKey))> {
        let mut undecided = Vec::new();
        for (name, setup) in &self.setups {
            let due = self.runs_of(setup.id).filter(|hot| hot.judged.is_due(now));
            undecided.extend(due.map(|hot| (name.clone(), (setup.id, hot.run.key.clone()))));
        }
        undecided
    }

    /// Decides which run a setup's tile shows after one of its runs changed:
    /// the newest open run, else the newest of all.
    pub fn show(&mut self, name: &SetupName, changed: &RunKey) {
        let Some(setup) = self.setups.get(name) else { return };
        let open = |run: &Run| matches!(run.state(), RunState::Running | RunState::Waiting);
        let is_open = self.runs.get(&(setup.id, changed.clone())).is_some_and(|hot| open(&hot.run));
        if is_open && setup.shown.as_ref() == Some(changed) {
            return;
        }
        let ranked = self.runs_of(setup.id).map(|hot| (open(&hot.run), hot.began_at(), &hot.run.key));
        let away = setup.shown.as_ref().filter(|key| !self.runs.contains_key(&(setup.id, (*key).clone())));
        let away = away
            .zip(setup.last.as_ref())
            .map(|(key, (facts, card))| (facts.open, card.started_at.unwrap_or(Timestamp(i64::MIN)), key));
        let shown = ranked.chain(away).max().map_or(changed, |(.., key)| key).clone();
        if let Some(setup) = self.setups.get_mut(name) {
            setup.shown = Some(shown);
        }
    }

    /// The tile of a setup. Silence counts from when this server began to
    /// listen: before that, nobody could have spoken to it.
    pub fn tile(
        &mut self,
        name: &SetupName,
        config: Option<&SetupConfig>,
        now: Timestamp,
        listening_since: Timestamp,
    ) -> Option<Tile> {
        let setup = self.setups.get_mut(name)?;
        let shown = setup.shown.clone().and_then(|key| self.runs.get_mut(&(setup.id, key)));
        if let Some(hot) = shown {
            let outlook = hot.outlook(now);
            setup.last = Some((tiles::facts(&hot.run, &outlook, setup.heard_at), tiles::card(&hot.run, &outlook)));
        }
        let (mut facts, run) = setup.last.clone().unzip();
        if let Some(facts) = &mut facts {
            facts.heard_at =
                facts.heard_at.map(|heard| heard.max(listening_since).max(setup.heard_at.unwrap_or(heard)));
        }
        Some(Tile {
            setup: setup.id,
            name: name.to_string(),
            comment: config.and_then(|config| config.comment.clone()),
            version: setup.version.unsigned_abs(),
            seen_at: setup.heard_at,
            facts: facts.unwrap_or_default(),
            run,
            has_builds: config.is_some_and(|config| config.jenkins.is_some()),
            pulse: setup.pulse.clone(),
            claim: setup.claim.clone(),
            reservation: setup.reservation.clone(),
        })
    }
}
