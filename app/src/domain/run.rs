//! A run: the join of everything that was said about it.
//!
//! [`Run::apply`] never panics and refuses nothing: listeners crash, repeat
//! and reorder. Every part of a run is joined (see `run_facts`), so any order
//! and any repetition of a run's events ends in the same run. Three things do
//! depend on the order of arrival, knowingly: the ordinals of suites and tests
//! (their row numbers), the count of late events, and when the run was given
//! up as lost.

mod derived;
mod members;
mod outputs;
mod planned;

use super::counts::Counts;
use super::event::{RunEvent, RunStarted, TestAbout, TestRef, Text};
use super::file::Attachment;
use super::ids::{PlaceId, RunId, ScriptId, SetupId, TestId};
use super::name::{ProjectName, RunKey};
use super::output::Outputs;

pub use super::run_facts::{About, CLOCK_TOLERANCE, ClockOffset, Completion, Said, Shards};
use super::run_facts::{earliest, greatest, say};
use super::suite::{Phase, Suite, SuiteFinish, SuitePath};
use super::test::{Finish, Outcome, Test, Verdict, words};
use super::time::{Micros, Timestamp};
use outputs::Early;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

words! {
    /// Where a run stands.
    RunState {
        /// Planned; nothing has begun.
        Waiting = "waiting",
        /// Begun.
        Running = "running",
        /// Over, by the listener's word.
        Finished = "finished",
        /// Given up: nobody spoke for too long.
        Lost = "lost",
    }
}

impl RunState {
    /// Finished or lost.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Lost)
    }
}

words! {
    /// What a run came to.
    RunResult {
        /// Every test passed or was skipped.
        Passed = "passed",
        /// As passed, but some needed another attempt.
        Flaky = "flaky",
        /// At least one test failed.
        Failed = "failed",
        /// Stopped before its time.
        Cancelled = "cancelled",
        /// It ended without a word about some of its tests.
        Incomplete = "incomplete",
    }
}

/// The attribute by which a teller says how often it speaks …
pub const SPEAKS: &str = "speaks";

/// … and its word for "only when something changes".
pub const RARELY: &str = "rarely";

/// Shards of a run that are told apart.
const SHARDS_KEPT: usize = 10_000;

/// Everything about a run but its suites and tests; kept as one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFacts {
    /// What was told about it.
    pub about: About,
    /// Its shards.
    pub shards: Shards,
    /// The earliest word, by the listener's clock.
    pub first_at: Option<Timestamp>,
    /// The earliest word of a start.
    pub started_at: Option<Timestamp>,
    /// The latest word, by the listener's clock.
    pub last_at: Option<Timestamp>,
    /// The latest arrival, by our clock.
    pub heard_at: Option<Timestamp>,
    /// The listener's clock against ours.
    pub clock: ClockOffset,
    /// Something was said beyond the plan.
    pub begun: bool,
    /// Events that came after the run was over.
    pub late: u32,
    /// When it was given up, by our clock.
    pub lost_at: Option<Timestamp>,
    /// When a run of uncounted shards was taken as complete, by our clock.
    pub settled_at: Option<Timestamp>,
    /// Whether anything in it put something out.
    pub outputs: Outputs,
}

/// One execution of a set of tests on one setup.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// Where it runs.
    pub setup: SetupId,
    /// What the listener calls it.
    pub key: RunKey,
    facts: RunFacts,
    suites: Vec<Suite>,
    tests: Vec<Test>,
    suite_index: HashMap<SuitePath, u32>,
    test_index: HashMap<TestPlace, u32>,
    running: BTreeSet<u32>,
    tally: Counts,
    touched: Touched,
    early: Early,
}

/// Where a test is in its run: suite, name and parameters.
type TestPlace = (u32, Box<str>, Option<Box<str>>);

/// What changed since it was last asked, as ordinals: what must be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Suites.
    pub suites: BTreeSet<u32>,
    /// Tests.
    pub tests: BTreeSet<u32>,
    /// Texts of attempts: test, attempt number, text.
    pub texts: Vec<(u32, u32, Text)>,
    /// Scripts by their content.
    pub scripts: Vec<(ScriptId, Box<str>)>,
    /// Files that came, when, and where they belong: a place and an attempt.
    pub files: Vec<(PlaceId, u32, Timestamp, Attachment)>,
}

/// How an event found the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Open.
    InTime,
    /// Already over; what it says was joined all the same.
    Late,
}

impl Run {
    /// A run of which nothing is known but its key.
    pub fn new(id: RunId, setup: SetupId, key: RunKey) -> Self {
        Self {
            id,
            setup,
            key,
            facts: RunFacts::default(),
            suites: Vec::new(),
            tests: Vec::new(),
            suite_index: HashMap::new(),
            test_index: HashMap::new(),
            running: BTreeSet::new(),
            tally: Counts::default(),
            touched: Touched::default(),
            early: Early::default(),
        }
    }

    /// A run as it was stored: suites and tests in the order of their ordinals.
    pub fn restore(
        id: RunId,
        setup: SetupId,
        key: RunKey,
        facts: RunFacts,
        suites: Vec<Suite>,
        tests: Vec<Test>,
    ) -> Self {
        let mut run = Self { facts, ..Self::new(id, setup, key) };
        run.suite_index = suites.iter().zip(0..).map(|(suite, at)| (suite.path.clone(), at)).collect();
        for (test, at) in tests.iter().zip(0..) {
            run.count(at, None, test.outcome());
            run.test_index.insert((test.suite, test.name.clone(), test.parameters.clone()), at);
        }
        run.suites = suites;
        run.tests = tests;
        run
    }

    /// What has changed since it was last taken.
    pub fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Joins one event. `received` is our clock at its arrival and `delay` how
    /// long it was on its way: arrival minus the listener's clock, taken at the
    /// moment of sending where the listener tells it.
    pub fn apply(&mut self, event: &RunEvent, at: Timestamp, received: Timestamp, delay: Micros) -> Applied {
        let applied = if self.is_over() { Applied::Late } else { Applied::InTime };
        if applied == Applied::Late {
            self.facts.late = self.facts.late.saturating_add(1);
        }
        self.facts.clock.observe(delay);
        earliest(&mut self.facts.first_at, at);
        self.facts.last_at = self.facts.last_at.max(Some(at));
        self.facts.heard_at = self.facts.heard_at.max(Some(received));
        self.facts.begun |= !matches!(event, RunEvent::Planned(_));
        match event {
            RunEvent::Planned(plan) => self.plan(plan),
            RunEvent::Started(started) => self.start(at, started),
            RunEvent::SuiteStarted { suite, total_tests, source } => {
                let suite = self.suite_mut(suite);
                earliest(&mut suite.started, at);
                greatest(&mut suite.total_tests, *total_tests);
                fill(&mut suite.source, source.as_deref());
            }
            RunEvent::SuitePhase { suite, phase } => self.suite_phase(at, suite, *phase),
            RunEvent::TestStarted { test, about } => self.test_started(at, test, about),
            RunEvent::TestFinished { test, verdict, duration, text } => {
                self.test_finished(at, test, *verdict, *duration, text.as_deref());
            }
            RunEvent::Output(output) => self.put_out(at, output),
            RunEvent::SuiteFinished { suite, verdict, message } => {
                let suite = self.suite_mut(suite);
                let finish = SuiteFinish { at, verdict: *verdict, message: message.clone() };
                suite.finished = suite.finished.take().max(Some(finish));
            }
            RunEvent::Finished { aborted, shard } => self.finish(at, *aborted, *shard),
        }
        applied
    }

    /// Joins the name of the project. Tells whether the run changed project;
    /// then every identity over runs is new, and all must be written again.
    pub fn name_project(&mut self, at: Timestamp, project: &ProjectName) -> bool {
        let before = self.project();
        say(&mut self.facts.about.project, at, project.clone());
        if self.project() == before {
            return false;
        }
        let project = self.project();
        for (test, at) in self.tests.iter_mut().zip(0..) {
            test.id = TestId::of(
                project.as_str(),
                &self.suites[test.suite as usize].path,
                &test.name,
                test.parameters.as_deref(),
            );
            self.touched.tests.insert(at);
        }
        self.touched.suites.extend(0..self.suites.len() as u32);
        true
    }

    /// Gives the run up: nobody spoke for too long. An end that arrives after
    /// all still counts; any other late word is joined and changes no state.
    pub fn give_up(&mut self, now: Timestamp) {
        earliest(&mut self.facts.lost_at, now);
    }

    /// Takes a run of uncounted shards as complete.
    pub fn settle(&mut self, now: Timestamp) {
        earliest(&mut self.facts.settled_at, now);
    }

    fn start(&mut self, at: Timestamp, started: &RunStarted) {
        earliest(&mut self.facts.started_at, at);
        let about = &mut self.facts.about;
        let told = [
            (&mut about.name, &started.name),
            (&mut about.commit, &started.commit),
            (&mut about.branch, &started.branch),
            (&mut about.trigger, &started.trigger),
            (&mut about.url, &started.url),
            (&mut about.user, &started.user),
            (&mut about.framework, &started.framework),
        ];
        for (place, value) in told {
            if let Some(value) = value {
                say(place, at, value.clone());
            }
        }
        for (key, value) in &started.attributes {
            let said = Said { at, value: value.clone() };
            about.attributes.entry(key.clone()).and_modify(|s| *s = said.clone().max(s.clone())).or_insert(said);
        }
        let shards = &mut self.facts.shards;
        greatest(&mut shards.announced, started.shards.filter(|shards| *shards > 1));
        let promised = started.total_tests.unwrap_or(0);
        match started.shard {
            Some(shard) => {
                let standing = shards.started.entry(shard).or_default();
                *standing = promised.max(*standing);
                // The least numbers stay, in whatever order they come.
                if shards.started.len() > SHARDS_KEPT {
                    shards.started.pop_last();
                }
            }
            None => shards.promised = shards.promised.max(promised),
        }
    }

    fn finish(&mut self, at: Timestamp, aborted: bool, shard: Option<u32>) {
        let shards = &mut self.facts.shards;
        match shard {
            Some(shard) => {
                shards.finished.insert(shard);
                if shards.finished.len() > SHARDS_KEPT {
                    shards.finished.pop_last();
                }
            }
            None => shards.finished_whole = true,
        }
        shards.aborted |= aborted;
        shards.finished_at = shards.finished_at.max(Some(at));
    }

    fn suite_phase(&mut self, at: Timestamp, path: &[Box<str>], phase: Phase) {
        let suite = self.suite_mut(path);
        suite.phase = suite.phase.max(Some((at, phase)));
        earliest(&mut suite.phases[phase as usize], at);
    }

    fn test_started(&mut self, at: Timestamp, test: &TestRef, about: &TestAbout) {
        let attempt = test.attempt;
        self.change_test(test, |test| {
            earliest(&mut test.attempt_mut(attempt).started, at);
            fill(&mut test.source, about.source.as_deref());
            fill(&mut test.owner, about.owner.as_deref());
            greatest(&mut test.line, about.line);
            if !about.tags.is_empty() {
                let all: BTreeSet<_> = test.tags.iter().chain(&about.tags).cloned().collect();
                test.tags = all.into_iter().collect();
            }
        });
    }

    fn test_finished(
        &mut self,
        at: Timestamp,
        test: &TestRef,
        verdict: Verdict,
        duration: Option<Micros>,
        text: Option<&Text>,
    ) {
        let attempt = test.attempt;
        let finish = Finish { at, verdict, duration, text: text.map_or(0, Text::fingerprint) };
        let mut stands = false;
        let ordinal = self.change_test(test, |test| {
            let attempt = test.attempt_mut(attempt);
            stands = attempt.finished < Some(finish);
            attempt.finished = attempt.finished.max(Some(finish));
        });
        if let Some(text) = text.filter(|_| stands && finish.text != 0) {
            self.touched.texts.push((ordinal, attempt, text.clone()));
        }
    }

    fn change_test(&mut self, which: &TestRef, change: impl FnOnce(&mut Test)) -> u32 {
        let (test, ordinal) = self.test_mut(which);
        let before = test.outcome();
        change(test);
        let after = test.outcome();
        self.count(ordinal, Some(before), after);
        ordinal
    }

    fn count(&mut self, ordinal: u32, before: Option<Outcome>, after: Outcome) {
        if let Some(before) = before {
            *self.tally.of(before) -= 1;
        }
        *self.tally.of(after) += 1;
        if after == Outcome::Running {
            self.running.insert(ordinal);
        } else {
            self.running.remove(&ordinal);
        }
    }
}

/// Joins a text of which only one version is expected: the greatest stands.
fn fill(place: &mut Option<Box<str>>, value: Option<&str>) {
    if place.as_deref() < value {
        *place = value.map(Into::into);
    }
}
