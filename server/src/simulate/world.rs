//! What all benches share: projects, commits and incidents, as functions of
//! time.
//!
//! Time is an offset from the beginning of the live simulation, in real
//! microseconds; what happened before has negative offsets. Durations are
//! thought up in simulated seconds and pass through [`World::span`], the one
//! place that knows the speed. The past lies in slots: each has a commit of
//! its own, and every bench begins its run near the slot's beginning, so that
//! an incident of the past reaches several of them as it does in the present.

use super::bench::Bench;
use super::chance::{Chance, Channel};
use super::project::Project;
use super::vocabulary::PROJECTS;
use app::domain::time::Micros;
use std::fmt::Write;
use std::sync::Arc;

/// What a world is made from; the same shape is the same world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// All chance comes from here.
    pub seed: u64,
    /// Goes into run keys and event ids alone, so that a world can be played
    /// again to a server that has seen it.
    pub session: u64,
    /// How many setups.
    pub setups: u32,
    /// How many tests each run has.
    pub tests: u32,
    /// Simulated time per real time.
    pub speed: f64,
}

/// Everything that benches share.
#[derive(Debug)]
pub struct World {
    shape: Shape,
    chance: Chance,
    projects: Vec<Arc<Project>>,
    usual_secs: f64,
}

/// The least distance of two runs of the past.
const HISTORY_EVERY: Micros = Micros::from_secs(4 * 3_600);

impl World {
    /// The world of this shape.
    pub fn new(shape: Shape) -> Arc<Self> {
        let chance = Chance::new(shape.seed);
        let tests = shape.tests.max(1) as usize;
        let project = |(words, at): (&'static _, u64)| Arc::new(Project::new(words, chance.fork(at), tests));
        let projects: Vec<_> = PROJECTS.iter().zip(0..).map(project).collect();
        let total: f64 = projects.iter().map(|project| project.usual_secs()).sum();
        let usual_secs = (total / projects.len() as f64).max(60.0);
        Arc::new(Self { shape, chance: chance.fork(u64::MAX), projects, usual_secs })
    }

    /// What it was made from.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The bench of a setup, from 0.
    pub fn bench(self: &Arc<Self>, setup: u32) -> Arc<Bench> {
        // Five projects and twelve characters share no factor: each project
        // gets to see each character.
        let project = &self.projects[setup as usize % self.projects.len()];
        Arc::new(Bench::new(Arc::clone(self), Arc::clone(project), setup))
    }

    /// All benches.
    pub fn benches(self: &Arc<Self>) -> Vec<Arc<Bench>> {
        (0..self.shape.setups).map(|setup| self.bench(setup)).collect()
    }

    /// So many simulated seconds as real time.
    pub fn span(&self, secs: f64) -> Micros {
        Micros(((secs * 1e6 / self.shape.speed) as i64).max(1))
    }

    /// How long a run usually takes, in simulated seconds; never below a minute.
    pub fn usual_secs(&self) -> f64 {
        self.usual_secs
    }

    /// The distance of two runs of the past: even a slow run must fit.
    pub fn history_every(&self) -> Micros {
        HISTORY_EVERY.max(Micros(self.span(self.usual_secs).0.saturating_mul(8)))
    }

    /// The number of the newest commit on the main branch; negative in the past.
    pub fn commit_number(&self, at: Micros) -> i64 {
        let every = if at.0 < 0 { self.history_every() } else { self.span(self.usual_secs * 1.3 + 40.0) };
        at.0.div_euclid(every.0)
    }

    /// The name of a commit: 40 hexadecimal digits.
    pub fn commit(&self, project: &str, branch: &str, number: i64) -> String {
        let words = project.bytes().chain([0]).chain(branch.bytes());
        let chance = words.fold(self.chance, |chance, byte| chance.fork(u64::from(byte)));
        let mut hex = String::with_capacity(48);
        for part in 0..3 {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{:016x}", chance.fork(part).bits(number as u64, Channel::Commit));
        }
        hex.truncate(40);
        hex
    }

    /// The incident that is going on, by its number.
    pub fn incident(&self, at: Micros) -> Option<i64> {
        let run = self.span(self.usual_secs).0;
        let (every, lead, rate) = if at.0 < 0 { (self.history_every().0, 0, 0.17) } else { (run * 6, run, 1.0) };
        let (number, within) = (at.0.div_euclid(every), at.0.rem_euclid(every) - lead);
        let is_on = (run * 35 / 100..run * 55 / 100).contains(&within);
        (is_on && self.chance.hits(number as u64, Channel::Incident, rate)).then_some(number)
    }

    /// Whether an incident reaches a setup that is so exposed.
    pub fn incident_reaches(&self, incident: i64, setup: u32, exposure: f64) -> bool {
        self.chance.fork(incident as u64).hits(u64::from(setup), Channel::Incident, exposure)
    }

    /// The chance of a part of the world.
    pub fn chance(&self) -> Chance {
        self.chance
    }
}
