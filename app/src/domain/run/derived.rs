//! What follows from what is known of a run: state, result, counts, times.
//! Nothing here is stored.

use super::{Completion, RARELY, Run, RunFacts, RunResult, RunState, SPEAKS, Touched};
use crate::domain::activity::Patience;
use crate::domain::counts::Counts;
use crate::domain::ids::SuiteId;
use crate::domain::name::ProjectName;
use crate::domain::suite::Suite;
use crate::domain::test::{Outcome, Test};
use crate::domain::time::{Micros, Timestamp};

/// What follows from what is known.
impl Run {
    /// What is kept beside suites and tests.
    pub fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// Its suites; the index is the ordinal.
    pub fn suites(&self) -> &[Suite] {
        &self.suites
    }

    /// Its tests; the index is the ordinal.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// The project: as named, else the default one.
    pub fn project(&self) -> ProjectName {
        self.facts.about.project.as_ref().map(|said| said.value.clone()).unwrap_or_default()
    }

    /// The identity of a suite over all runs.
    pub fn suite_id(&self, ordinal: u32) -> SuiteId {
        SuiteId::of(self.project().as_str(), &self.suites[ordinal as usize].path)
    }

    /// Where it stands.
    pub fn state(&self) -> RunState {
        match self.facts.shards.completion() {
            Completion::Complete => RunState::Finished,
            Completion::Settling if self.facts.settled_at.is_some() => RunState::Finished,
            _ if self.facts.lost_at.is_some() => RunState::Lost,
            _ if self.facts.begun => RunState::Running,
            _ => RunState::Waiting,
        }
    }

    /// Its teller speaks only when something changes, as CI servers do: that
    /// it is silent says nothing.
    pub fn speaks_rarely(&self) -> bool {
        self.facts.about.attributes.get(SPEAKS).is_some_and(|said| &*said.value == RARELY)
    }

    /// Silent for so long, it is lost.
    pub fn lost_after(&self, patience: Patience) -> Micros {
        if self.speaks_rarely() { patience.rare_lost_after } else { patience.lost_after }
    }

    /// Finished or lost.
    pub fn is_over(&self) -> bool {
        self.state().is_over()
    }

    /// The counts. In a run that is over nothing waits or runs any more: what
    /// was left is cancelled if the run was aborted, else lost.
    pub fn counts(&self) -> Counts {
        let mut counts = self.tally;
        let roots = self.suites.iter().filter(|suite| suite.path.len() == 1);
        let by_roots = roots.filter_map(|suite| suite.total_tests).fold(0, u32::saturating_add);
        let promised = self.facts.shards.total_tests();
        let known = self.tests.len() as u32;
        counts.planned = known.max(promised).max(if promised == 0 { by_roots } else { 0 });
        counts.waiting += counts.planned - known;
        if self.is_over() {
            let left = std::mem::take(&mut counts.waiting) + std::mem::take(&mut counts.running);
            if self.facts.shards.aborted { counts.cancelled += left } else { counts.lost += left }
        }
        counts
    }

    /// The outcome of a test, with the end of the run taken into account.
    pub fn outcome(&self, test: &Test) -> Outcome {
        match test.outcome() {
            Outcome::Waiting | Outcome::Running if self.is_over() => {
                if self.facts.shards.aborted {
                    Outcome::Cancelled
                } else {
                    Outcome::Lost
                }
            }
            outcome => outcome,
        }
    }

    /// What it came to, once it is over.
    pub fn result(&self) -> Option<RunResult> {
        let counts = self.counts();
        match self.state() {
            RunState::Waiting | RunState::Running => None,
            RunState::Lost => Some(RunResult::Incomplete),
            RunState::Finished if counts.failed > 0 => Some(RunResult::Failed),
            RunState::Finished if self.facts.shards.aborted || counts.cancelled > 0 => Some(RunResult::Cancelled),
            RunState::Finished if counts.lost > 0 => Some(RunResult::Incomplete),
            RunState::Finished if counts.flaky > 0 => Some(RunResult::Flaky),
            RunState::Finished => Some(RunResult::Passed),
        }
    }

    /// The listener's time by our clock: corrected where its clock is plainly
    /// wrong, and never after the last we heard of it.
    pub fn by_our_clock(&self, at: Timestamp) -> Timestamp {
        let at = self.facts.clock.correction().map_or(at, |correction| at + correction);
        self.facts.heard_at.map_or(at, |heard| at.min(heard))
    }

    /// When it began, by our clock.
    pub fn started_at(&self) -> Option<Timestamp> {
        let began = self.facts.begun.then_some(self.facts.first_at).flatten();
        self.facts.started_at.or(began).map(|at| self.by_our_clock(at))
    }

    /// When it ended, by our clock; of a lost run, when it last spoke.
    pub fn finished_at(&self) -> Option<Timestamp> {
        match self.state() {
            RunState::Finished => self.facts.shards.finished_at.or(self.facts.last_at).map(|at| self.by_our_clock(at)),
            RunState::Lost => self.facts.heard_at,
            _ => None,
        }
    }

    /// The test it is busy with: of those running, the one begun last.
    pub fn current_test(&self) -> Option<&Test> {
        if self.is_over() {
            return None;
        }
        self.running.iter().map(|ordinal| &self.tests[*ordinal as usize]).max_by_key(|test| test.began())
    }

    /// The suite it is busy with: that of the current test, else the open one
    /// begun last, of several the innermost.
    pub fn current_suite(&self) -> Option<&Suite> {
        if self.is_over() {
            return None;
        }
        if let Some(test) = self.current_test() {
            return self.suites.get(test.suite as usize);
        }
        self.suites.iter().filter(|suite| suite.is_open()).max_by_key(|suite| (suite.started, suite.path.len()))
    }

    /// When a suite began: as said, else its first test.
    pub fn suite_began(&self, suite: &Suite) -> Option<Timestamp> {
        let index = self.suite_index.get(&suite.path).copied();
        suite
            .started
            .or_else(|| self.tests.iter().filter(|test| Some(test.suite) == index).filter_map(Test::began).min())
    }

    /// Takes what changed since it was last taken.
    pub fn take_touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }
}
