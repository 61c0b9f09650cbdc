//! All that is known of one test on one setup, and how a result changes it.

use super::filter::{Change, Filter, Rate, Reading};
use super::label::{Grounds, Label, Reason, Standing};
use super::parameters::{Model, fold};
use super::trend::{Comparison, Memory};
use crate::domain::time::Timestamp;

/// One result of a test on a setup: one attempt that passed or failed.
/// Attempts that did neither (skipped, cancelled) are not results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Failed, errored or timed out.
    pub failed: bool,
    /// The commit it was run on, as a hash; see [`super::hash_of`].
    pub commit: Option<u64>,
    /// The run it belongs to, as a hash. A result of the run the test's last
    /// result came from is a retry.
    pub run: u64,
    /// When.
    pub at: Timestamp,
    /// The run is known to have failed for a common cause.
    pub incident: bool,
}

/// What a result did to the state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The label before.
    pub before: Label,
    /// The label now.
    pub after: Label,
    /// This result shows a flake: it passed after a failure on the same run or
    /// commit, or it failed and the test is known to be flaky.
    pub is_flaky_event: bool,
    /// How likely the filter had thought a failure.
    pub p_fail: f64,
    /// How likely a running mean of the test's results had thought a failure.
    pub mean_fail: f64,
    /// The result was a failure.
    pub failed: bool,
}

/// Disagreements since the test was last above suspicion.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Episode {
    pub results: u16,
    pub in_run: u16,
    pub on_commit: u16,
}

/// All that is known of one test on one setup.
///
/// Numbers are `f64` here; [`super::Packed`] is the form to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(super) filter: Filter,
    pub(super) standing: Standing,
    pub(super) memory: Memory,
    pub(super) episode: Episode,
    pub(super) results: u32,
    pub(super) failures: u32,
    /// Results in a row with the verdict of the last one.
    pub(super) streak: u16,
    pub(super) run: u32,
    pub(super) commit: Option<u64>,
    pub(super) at: Timestamp,
    pub(super) failed: bool,
    pub(super) incident: bool,
    /// The last result was a flaky event itself, so that a pass right after it
    /// is not another one.
    pub(super) counted: bool,
}

/// How a result relates to the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    First,
    Retry,
    SameCommit,
    NewCommit,
}

impl State {
    /// A test without results.
    pub fn new(model: &Model) -> Self {
        Self {
            filter: Filter::new(model),
            standing: Standing::default(),
            memory: Memory::default(),
            episode: Episode::default(),
            results: 0,
            failures: 0,
            streak: 0,
            run: 0,
            commit: None,
            at: Timestamp(0),
            failed: false,
            incident: false,
            counted: false,
        }
    }

    fn relation(&self, seen: &Observation) -> Relation {
        match (self.commit, seen.commit) {
            _ if self.results == 0 => Relation::First,
            _ if self.run == fold(seen.run) => Relation::Retry,
            (Some(old), Some(new)) if old == new => Relation::SameCommit,
            // An unknown commit is taken for a new one: to take it for the same
            // would turn every regression into a flake.
            _ => Relation::NewCommit,
        }
    }

    /// What may have happened between the last result and this one.
    fn change(&self, model: &Model, seen: &Observation, relation: Relation) -> Option<Change> {
        let p = &model.parameters;
        let (mut breaks, mut mends, redrawn) = match relation {
            Relation::Retry => return None,
            Relation::First if !seen.incident => return None,
            Relation::First => return Some(Change { breaks: p.break_in_incident, mends: 0.0, redrawn: 0.0 }),
            Relation::SameCommit => (p.break_per_run, p.fix_per_run, 0.0),
            Relation::NewCommit => (p.break_per_commit, p.fix_per_commit, p.change_per_commit),
        };
        if seen.incident {
            breaks = p.break_in_incident.max(breaks);
        }
        if self.incident {
            mends = p.fix_after_incident.max(mends);
        }
        let kept = (1.0 - redrawn) * (1.0 - model.forgotten(self.at, seen.at));
        Some(Change { breaks, mends, redrawn: 1.0 - kept })
    }

    /// Takes in a result. The cost does not depend on the history.
    pub fn observe(&mut self, model: &Model, seen: &Observation) -> Step {
        let relation = self.relation(seen);
        let before = self.standing.label;
        let mean_fail = (f64::from(self.failures) + 0.5) / (f64::from(self.results) + 1.0);
        if let Some(change) = self.change(model, seen, relation) {
            self.filter.change(model, change);
        }
        let again = relation == Relation::Retry && self.failed;
        let likely = self.filter.see(model, seen.failed, again);
        let p_fail = if seen.failed { likely } else { 1.0 - likely };

        let calm = !seen.incident && !self.incident;
        let same_code = matches!(relation, Relation::Retry | Relation::SameCommit);
        let disagrees = calm && same_code && self.failed != seen.failed;
        self.count(seen, relation);
        let (p_flaky, p_broken) = self.filter.flaky_and_broken();
        let grounds = Grounds { p_flaky, p_broken, results: self.results, disagrees, at: seen.at };
        self.standing.judge(&model.parameters.labels, grounds);
        self.recall(relation, disagrees, p_flaky < model.parameters.labels.forget_strong);

        let is_flaky_event =
            if seen.failed { !seen.incident && self.standing.label.is_flagged() } else { disagrees && !self.counted };
        self.memory.count(is_flaky_event);
        self.remember(seen, is_flaky_event && seen.failed);
        Step { before, after: self.standing.label, is_flaky_event, p_fail, mean_fail, failed: seen.failed }
    }

    fn count(&mut self, seen: &Observation, relation: Relation) {
        let continues = relation != Relation::First && self.failed == seen.failed;
        self.streak = if continues { self.streak.saturating_add(1) } else { 1 };
        self.results = self.results.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(seen.failed));
    }

    /// Counts disagreements for the reasons, afresh whenever the test is above
    /// suspicion.
    fn recall(&mut self, relation: Relation, disagrees: bool, is_clear: bool) {
        if is_clear {
            self.episode = Episode::default();
            return;
        }
        let episode = &mut self.episode;
        if episode.results == u16::MAX {
            // Halved together they still tell the share truly.
            *episode = Episode { results: u16::MAX / 2, in_run: episode.in_run / 2, on_commit: episode.on_commit / 2 };
        }
        episode.results += 1;
        match relation {
            Relation::Retry => episode.in_run += u16::from(disagrees),
            _ => episode.on_commit += u16::from(disagrees),
        }
    }

    fn remember(&mut self, seen: &Observation, counted: bool) {
        self.run = fold(seen.run);
        self.commit = seen.commit;
        self.at = seen.at;
        self.failed = seen.failed;
        self.incident = seen.incident;
        self.counted = counted;
    }

    /// The probabilities.
    pub fn reading(&self, model: &Model) -> Reading {
        self.filter.reading(model)
    }

    /// The failure rate, given that the test is flaky.
    pub fn rate(&self, model: &Model) -> Rate {
        self.filter.rate(model)
    }

    /// The label as of the last result; what aggregates count.
    pub fn label(&self) -> Label {
        self.standing.label
    }

    /// The label at `now`: "fixed" ends by itself.
    pub fn label_at(&self, model: &Model, now: Timestamp) -> Label {
        self.standing.label_at(&model.parameters.labels, self.filter.flaky_and_broken().0, now)
    }

    /// Recent flaky events against those of a long time; `None` without results.
    pub fn trend(&self) -> Option<Comparison> {
        let (fast, slow) = self.memory.events(self.results);
        fast.against(slow)
    }

    /// Flaky events among all results, under the long memory of the trend: to
    /// hold one setup against the others.
    pub fn flaky_events(&self) -> super::trend::Events {
        self.memory.events(self.results).1
    }

    /// For so many more results it may be called fixed; 0 where it is not.
    pub fn fixed_left(&self) -> u8 {
        self.standing.fixed_left
    }

    /// How many results there were.
    pub fn results(&self) -> u32 {
        self.results
    }

    /// How many of them were failures.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the last result was a failure.
    pub fn is_failing(&self) -> bool {
        self.results > 0 && self.failed
    }

    /// When the last result came, or `None` before the first.
    pub fn last_at(&self) -> Option<Timestamp> {
        (self.results > 0).then_some(self.at)
    }

    /// Whether the last result came from this run.
    pub(super) fn is_in_run(&self, run: u64) -> bool {
        self.results > 0 && self.run == fold(run)
    }

    /// Why it is called what it is called; the weightiest reason first.
    pub fn reasons(&self, model: &Model) -> Vec<Reason> {
        let mut reasons = Vec::with_capacity(4);
        let label = self.standing.label;
        let needed = model.parameters.labels.new_below;
        if label == Label::New {
            reasons.push(Reason::TooFewResults { results: self.results, needed });
        }
        if label == Label::Broken && self.failed {
            reasons.push(Reason::FailingInARow { failures: self.streak });
        }
        if label.is_flagged() || label == Label::Suspect {
            self.reasons_to_suspect(&mut reasons);
        }
        if self.incident {
            reasons.push(Reason::InIncident);
        }
        if self.results >= needed && !self.failed {
            reasons.push(Reason::PassingInARow { passes: self.streak });
        }
        reasons
    }

    fn reasons_to_suspect(&self, reasons: &mut Vec<Reason>) {
        let Episode { results, in_run, on_commit } = self.episode;
        if in_run > 0 {
            reasons.push(Reason::ChangedInRun { times: in_run, results });
        }
        if on_commit > 0 {
            reasons.push(Reason::ChangedOnCommit { times: on_commit, results });
        }
        if in_run == 0 && on_commit == 0 {
            reasons.push(Reason::ChangedAcrossCommits { failures: self.failures, results: self.results });
        }
    }
}
