//! How well the detector did, summed over seeds.

use crate::simulate::{COMMITS, Test};
use app::domain::health::{Label, Model, State};

/// What was noted about a test while its history went on.
#[derive(Clone, Default)]
pub struct Notes {
    pub failed: bool,
    pub flaked: bool,
    pub flagged_times: u32,
    is_flagged: bool,
}

impl Notes {
    /// How it stands after a run.
    pub fn see(&mut self, is_flagged: bool) {
        self.flagged_times += u32::from(is_flagged && !self.is_flagged);
        self.is_flagged = is_flagged;
    }
}

/// A share, by counting.
#[derive(Clone, Copy, Default)]
pub struct Share {
    pub of: u64,
    pub all: u64,
}

impl Share {
    pub fn count(&mut self, is_one: bool) {
        self.of += u64::from(is_one);
        self.all += 1;
    }

    pub fn value(self) -> f64 {
        if self.all == 0 { f64::NAN } else { self.of as f64 / self.all as f64 }
    }

    pub fn join(&mut self, other: Self) {
        self.of += other.of;
        self.all += other.all;
    }
}

/// True and false positives and negatives.
#[derive(Clone, Copy, Default)]
pub struct Confusion {
    pub hits: u64,
    pub misses: u64,
    pub false_alarms: u64,
}

impl Confusion {
    fn count(&mut self, is_flaky: bool, is_flagged: bool) {
        self.hits += u64::from(is_flaky && is_flagged);
        self.misses += u64::from(is_flaky && !is_flagged);
        self.false_alarms += u64::from(!is_flaky && is_flagged);
    }

    pub fn precision(self) -> f64 {
        self.hits as f64 / (self.hits + self.false_alarms) as f64
    }

    pub fn recall(self) -> f64 {
        self.hits as f64 / (self.hits + self.misses) as f64
    }

    pub fn f1(self) -> f64 {
        2.0 * self.hits as f64 / (2 * self.hits + self.misses + self.false_alarms) as f64
    }
}

const BINS: usize = 10;

/// Probabilities against what was true, in bins: sum, true, all.
#[derive(Default)]
struct Bins([(f64, u64, u64); BINS]);

impl Bins {
    fn count(&mut self, p: f64, is_true: bool) {
        let bin = &mut self.0[((p * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + p, bin.1 + u64::from(is_true), bin.2 + 1);
    }

    fn join(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(&other.0) {
            *mine = (mine.0 + others.0, mine.1 + others.1, mine.2 + others.2);
        }
    }

    /// The expected calibration error.
    fn error(&self) -> f64 {
        let all: u64 = self.0.iter().map(|bin| bin.2).sum();
        self.0.iter().map(|(sum, is_true, _)| (sum - *is_true as f64).abs()).sum::<f64>() / all as f64
    }
}

/// Everything that is measured.
#[derive(Default)]
pub struct Score {
    /// At the last commit: flaky and seen to flake, against never flaky.
    pub last: Confusion,
    /// The same, with tests that were mended among those never to be flagged.
    pub strict: Confusion,
    /// At every checkpoint.
    pub running: Confusion,
    /// P(flaky) at the last commit, of the flaky and of the others.
    flaky: Vec<f64>,
    others: Vec<f64>,
    /// P(flaky) at the checkpoints against "flaky and seen to flake".
    seen: Bins,
    /// The same against "flaky", which no one can know before it shows.
    real: Bins,
    /// True rates inside the 90 % interval, of tests always flaky and thought
    /// so with at least a half.
    pub covered: Share,
    /// The same of all that are flagged.
    pub covered_flagged: Share,
    /// Broken tests that are called so.
    pub broken: Share,
    /// False accusations of tests never flaky, and their regressions.
    pub alarms: u64,
    pub regressions: u64,
    /// Tests that never failed, or only in incidents, and were flagged.
    pub spotless_flagged: u64,
    pub unbroken_flagged: u64,
    /// Mended tests still flagged in the end.
    pub held: Share,
    /// Runs called an incident that were none, and the other way round.
    pub wrong_incidents: u64,
    pub incidents: u64,
    /// Mean losses of the filter and of a running mean.
    pub losses: (f64, f64),
}

impl Score {
    /// A look at a test in the middle.
    pub fn checkpoint(&mut self, model: &Model, test: &Test, state: &State, notes: &Notes, commit: usize) {
        let is_flaky = test.is_flaky_at(commit);
        let p = state.reading(model).p_flaky;
        self.seen.count(p, is_flaky && notes.flaked);
        self.real.count(p, is_flaky);
        if test.is_broken_at(commit) && !is_flaky {
            self.broken.count(state.label() == Label::Broken);
        }
        if is_flaky && notes.flaked || !test.was_ever_flaky() {
            self.running.count(is_flaky, state.label().is_flagged());
        }
    }

    /// A look at a test in the end.
    pub fn last(&mut self, model: &Model, test: &Test, state: &State, notes: &Notes) {
        let is_flaky = test.is_flaky_at(COMMITS - 1);
        let is_flagged = state.label().is_flagged();
        let p = state.reading(model).p_flaky;
        if is_flaky && notes.flaked {
            self.flaky.push(p);
            self.last.count(true, is_flagged);
            self.strict.count(true, is_flagged);
        } else if !is_flaky {
            self.strict.count(false, is_flagged);
        }
        if !test.was_ever_flaky() {
            self.others.push(p);
            self.last.count(false, is_flagged);
            self.alarms += u64::from(notes.flagged_times);
            self.regressions += test.regressions.len() as u64;
            self.unbroken_flagged += u64::from(test.regressions.is_empty() && notes.flagged_times > 0);
        } else if !is_flaky && notes.flaked {
            self.held.count(is_flagged);
        }
        if is_flaky && test.flaky.start == 0 {
            let rate = state.rate(model);
            let is_covered = rate.q05 <= test.rate && test.rate <= rate.q95;
            if p >= 0.5 {
                self.covered.count(is_covered);
            }
            if is_flagged {
                self.covered_flagged.count(is_covered);
            }
        }
        self.spotless_flagged += u64::from(!notes.failed && notes.flagged_times > 0);
    }

    /// The chance that a flaky test is thought flakier than another.
    pub fn auc(&self) -> f64 {
        let mut all: Vec<(f64, bool)> = self.flaky.iter().map(|p| (*p, true)).collect();
        all.extend(self.others.iter().map(|p| (*p, false)));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut rank_sum, mut at) = (0.0, 0);
        while at < all.len() {
            let ties = all[at..].iter().take_while(|(p, _)| *p == all[at].0).count();
            let rank = at as f64 + (ties as f64 + 1.0) / 2.0;
            rank_sum += rank * all[at..at + ties].iter().filter(|(_, is_flaky)| *is_flaky).count() as f64;
            at += ties;
        }
        let (n, m) = (self.flaky.len() as f64, self.others.len() as f64);
        (rank_sum - n * (n + 1.0) / 2.0) / (n * m)
    }

    /// The expected calibration error of P(flaky): against what had shown
    /// itself, and against the truth.
    pub fn ece(&self) -> (f64, f64) {
        (self.seen.error(), self.real.error())
    }

    pub fn alarms_per_regression(&self) -> f64 {
        self.alarms as f64 / self.regressions as f64
    }

    /// Another seed of the same kind.
    pub fn join(&mut self, other: Self) {
        for (mine, others) in
            [(&mut self.last, other.last), (&mut self.strict, other.strict), (&mut self.running, other.running)]
        {
            mine.hits += others.hits;
            mine.misses += others.misses;
            mine.false_alarms += others.false_alarms;
        }
        self.flaky.extend(other.flaky);
        self.others.extend(other.others);
        self.seen.join(&other.seen);
        self.real.join(&other.real);
        self.covered.join(other.covered);
        self.covered_flagged.join(other.covered_flagged);
        self.broken.join(other.broken);
        self.held.join(other.held);
        self.alarms += other.alarms;
        self.regressions += other.regressions;
        self.spotless_flagged += other.spotless_flagged;
        self.unbroken_flagged += other.unbroken_flagged;
        self.wrong_incidents += other.wrong_incidents;
        self.incidents += other.incidents;
        self.losses = other.losses;
    }
}
