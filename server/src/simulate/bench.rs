//! A bench: a setup with a character, and what the character decides.

use super::chance::{Chance, Channel};
use super::character::Character;
use super::moment::{Cause, Fate, RunHead, Stop};
use super::project::Project;
use super::script::Run;
use super::stream::Live;
use super::vocabulary::{BRANCHES, PLACES, TRIGGERS};
use super::world::World;
use app::domain::test::Verdict;
use app::domain::time::Micros;
use std::sync::Arc;

/// How often a bench says that it is alive while it runs.
pub const HEARTBEAT_EVERY: Micros = Micros::from_secs(15);

/// One commit in so many breaks something.
const COMMITS_PER_DEFECT: i64 = 7;
/// Of those, the first that is broken.
const FIRST_BROKEN: i64 = 3;
/// One slot of the past in so many sees a bench that runs rarely.
const SLOTS_PER_RARE_RUN: u32 = 5;

/// A setup that plays runs.
#[derive(Debug)]
pub struct Bench {
    world: Arc<World>,
    project: Arc<Project>,
    setup: u32,
    name: String,
    character: Character,
    chance: Chance,
    pace: f64,
}

impl Bench {
    pub(super) fn new(world: Arc<World>, project: Arc<Project>, setup: u32) -> Self {
        let chance = world.chance().fork(u64::from(setup));
        let nth = setup as usize / super::vocabulary::PROJECTS.len();
        let name = match project.words.setups.get(nth) {
            Some(name) => (*name).to_owned(),
            // The named ones end at 12, so no number comes twice.
            None => format!("{}-{:02}", project.words.setup_prefix, nth + 15),
        };
        let pace = chance.between(0, Channel::Pace, 0.85, 1.2);
        Self { world, project, setup, name, character: Character::of(setup), chance, pace }
    }

    /// The setup's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is known for.
    pub fn character(&self) -> Character {
        self.character
    }

    /// What it tests.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Where it stands.
    pub fn place(&self) -> &'static str {
        self.chance.pick(0, Channel::Place, &PLACES)
    }

    /// The world it is part of.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Its run of this number, from 0, begun at `start`.
    pub fn run(&self, number: u32, start: Micros) -> Run {
        Run::write(self, self.head(number, start))
    }

    /// Its past: `runs` slots up to the beginning of the live stream, oldest
    /// first. A bench that runs rarely fills only some of them. Runs of the
    /// past all end, be it by an abort.
    pub fn history(self: &Arc<Self>, runs: u32) -> impl Iterator<Item = Run> + use<> {
        let bench = Arc::clone(self);
        let rare = bench.character == Character::LongIdle;
        let numbers = (0..runs).filter(move |number| !rare || (runs - number) % SLOTS_PER_RARE_RUN == 1);
        numbers.map(move |number| {
            let back = i64::from(runs - number).saturating_mul(bench.world.history_every().0);
            let late = bench.chance.between(u64::from(number), Channel::Pause, 0.0, 0.05);
            bench.run(number, Micros(bench.world.span(bench.world.usual_secs() * late).0 - back))
        })
    }

    /// All it says from the beginning on, without end and in the order of
    /// delivery; `history` runs went before.
    pub fn live(self: &Arc<Self>, history: u32) -> Live {
        Live::new(Arc::clone(self), history)
    }

    pub(super) fn chance_of_run(&self, number: u32) -> Chance {
        self.chance.fork(u64::from(number) + 1)
    }

    pub(super) fn chance_of_ids(&self, number: u64) -> Chance {
        self.chance.fork(self.world.shape().session).fork(number)
    }

    fn head(&self, number: u32, start: Micros) -> RunHead {
        let chance = self.chance_of_run(number);
        let commit_number = self.world.commit_number(start);
        let strays = self.character != Character::Regressing && chance.hits(0, Channel::Branch, 0.15);
        let branch = if strays { chance.pick(1, Channel::Branch, &BRANCHES) } else { "main" };
        let rare = self.character == Character::LongIdle;
        RunHead {
            number,
            key: format!("build-{}.{:x}", 1_000 + u64::from(number), self.world.shape().session),
            start,
            commit_number,
            commit: self.world.commit(self.project.words.project, branch, commit_number),
            branch,
            trigger: if rare { "schedule" } else { chance.pick(2, Channel::Branch, &TRIGGERS) },
            shards: if self.character == Character::Sharded { 2 } else { 1 },
            slow: self.slow_suite(chance),
            stop: self.stop(chance, start),
        }
    }

    fn slow_suite(&self, chance: Chance) -> Option<(usize, f64)> {
        if self.character != Character::Slow || !chance.hits(0, Channel::Happens, 0.35) {
            return None;
        }
        let test = chance.below(0, Channel::Which, self.project.tests.len());
        Some((self.project.tests.get(test)?.suite, chance.between(0, Channel::Amount, 3.0, 6.0)))
    }

    fn stop(&self, chance: Chance, start: Micros) -> Option<(usize, Stop)> {
        let (stop, rate) = match self.character {
            Character::Aborting => (Stop::Aborted, 0.35),
            Character::Dying if start.0 >= 0 => (Stop::Dies, 0.6),
            _ => return None,
        };
        let tests = self.project.tests.len();
        let at = (chance.between(0, Channel::Place, 0.15, 0.85) * tests as f64) as usize;
        chance.hits(0, Channel::Happens, rate).then_some((at.min(tests - 1), stop))
    }

    /// What becomes of a test that would begin at `at`.
    pub(super) fn fate(&self, head: &RunHead, test: usize, at: Micros) -> Fate {
        let index = test as u64;
        let chance = self.chance_of_run(head.number);
        let incident = self.world.incident(at);
        if incident.is_some_and(|number| self.world.incident_reaches(number, self.setup, self.character.exposure()))
            && chance.hits(index, Channel::Incident, 0.9)
        {
            let verdicts = [Verdict::Errored, Verdict::Errored, Verdict::Failed, Verdict::TimedOut];
            return Fate::Failed(verdicts[chance.below(index, Channel::Incident, verdicts.len())], Cause::Incident);
        }
        match self.character {
            Character::Steady => Fate::Passed,
            Character::Skipping if self.is_prone(test, 0.12) => Fate::Skipped,
            Character::Regressing if self.is_broken(head, test) => Fate::Failed(Verdict::Failed, Cause::Defect),
            Character::Flaky if self.flakes(chance, test) => Fate::Failed(flake(chance, index), Cause::Flake),
            Character::FlakyRetried if self.flakes(chance, test) => Fate::Flaky(flake(chance, index), Cause::Flake),
            _ if self.chance.hits(index, Channel::Amount, 0.02) => Fate::Warned,
            _ => Fate::Passed,
        }
    }

    /// Whether a test is among those the character is about; at least one is.
    fn is_prone(&self, test: usize, rate: f64) -> bool {
        test == self.chance.below(0, Channel::Prone, self.project.tests.len())
            || self.chance.hits(test as u64, Channel::Prone, rate)
    }

    fn flakes(&self, chance: Chance, test: usize) -> bool {
        let rate = self.chance.between(test as u64, Channel::Which, 0.15, 0.45);
        self.is_prone(test, 0.04) && chance.hits(test as u64, Channel::Happens, rate)
    }

    /// Defects come with a commit, stay for two or three, and are repaired.
    fn is_broken(&self, head: &RunHead, test: usize) -> bool {
        let defect = head.commit_number.div_euclid(COMMITS_PER_DEFECT) as u64;
        let age = head.commit_number.rem_euclid(COMMITS_PER_DEFECT) - FIRST_BROKEN;
        let stays = 2 + self.chance.below(defect, Channel::Breaks, 2) as i64;
        let of_defect = self.chance.fork(defect);
        let broken = 1 + of_defect.below(0, Channel::Breaks, 3) as u64;
        let tests = self.project.tests.len();
        (0..stays).contains(&age) && (1..=broken).any(|nth| of_defect.below(nth, Channel::Breaks, tests) == test)
    }

    /// How long an attempt takes.
    pub(super) fn attempt_span(&self, head: &RunHead, test: usize, attempt: u32) -> Micros {
        let chance = self.chance_of_run(head.number).fork(u64::from(attempt));
        let Some(about) = self.project.tests.get(test) else { return Micros(1) };
        let slow = head.slow.filter(|(suite, _)| *suite == about.suite).map_or(1.0, |(_, times)| times);
        let spread = (0.16 * chance.normal(test as u64, Channel::Duration)).exp();
        self.world.span(about.usual_secs * self.pace * slow * spread)
    }

    /// The pause before its first run.
    pub(super) fn first_pause(&self) -> Micros {
        match self.character {
            Character::LongIdle => self.world.span(self.chance.between(0, Channel::Pause, 300.0, 900.0)),
            _ => self.world.span(self.chance.between(0, Channel::Pause, 1.0, 40.0)),
        }
    }

    /// The pause after a run.
    pub(super) fn pause(&self, head: &RunHead) -> Micros {
        let chance = self.chance_of_run(head.number);
        let span = |low, high| self.world.span(chance.between(0, Channel::Pause, low, high));
        match (self.character, head.stop) {
            // Real time, not simulated: the silence must outlast the server's
            // patience at every speed.
            (_, Some((_, Stop::Dies))) => {
                Micros(HEARTBEAT_EVERY.0 * chance.between(0, Channel::Pause, 12.0, 32.0) as i64)
            }
            (Character::LongIdle, _) => span(600.0, 2_400.0),
            _ => span(15.0, 70.0),
        }
    }
}

fn flake(chance: Chance, test: u64) -> Verdict {
    if chance.hits(test, Channel::Amount, 0.3) { Verdict::TimedOut } else { Verdict::Failed }
}
