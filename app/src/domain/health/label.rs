//! One word for a test on a setup, steady enough to act on, and the reasons
//! for it.

use crate::domain::test::words;
use crate::domain::time::{Micros, Timestamp};
use serde::{Deserialize, Serialize};

words! {
    /// What a test on a setup is called.
    Label {
        /// Too few results to call it anything.
        New = "new",
        /// Nothing speaks against it.
        Healthy = "healthy",
        /// It may be flaky; too early to say.
        Suspect = "suspect",
        /// It fails and passes without a change of the code.
        Flaky = "flaky",
        /// It was flaky and has been quiet, not yet for long enough.
        Recovering = "recovering",
        /// It fails because of the code or the bench.
        Broken = "broken",
        /// It was broken until lately.
        Fixed = "fixed",
    }
}

impl Label {
    /// Flaky, or recovering from it.
    pub const fn is_flagged(self) -> bool {
        matches!(self, Self::Flaky | Self::Recovering)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// From which probability on a test is called what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelRule {
    /// Fewer results than this are too few.
    pub new_below: u32,
    /// Flaky from this probability on, whatever the evidence.
    pub flaky: f64,
    /// Flaky from this probability on after a disagreement inside one commit
    /// or one run.
    pub flaky_if_strong: f64,
    /// Once flaky, let go below this.
    pub leave_flaky: f64,
    /// Once flaky, shown as recovering below this.
    pub recovering: f64,
    /// Suspect from this probability on.
    pub suspect: f64,
    /// Broken from this probability on.
    pub broken: f64,
    /// A disagreement counts as strong evidence until the test is thought
    /// flaky with less than this.
    pub forget_strong: f64,
    /// For how many results a mended test is called fixed; at most 31.
    pub fixed_results: u8,
    /// For how long a mended test is called fixed, should that end sooner.
    pub fixed_for: Micros,
}

impl Default for LabelRule {
    fn default() -> Self {
        Self {
            new_below: 3,
            flaky: 0.8,
            flaky_if_strong: 0.3,
            leave_flaky: 0.15,
            recovering: 0.5,
            suspect: 0.3,
            broken: 0.5,
            forget_strong: 0.03,
            fixed_results: 20,
            fixed_for: Micros::from_secs(24 * 3_600),
        }
    }
}

impl LabelRule {
    /// See [`super::Parameters::quick_to_forgive`].
    pub(super) fn quick_to_forgive() -> Self {
        Self { flaky_if_strong: 0.5, leave_flaky: 0.3, ..Self::default() }
    }

    pub(super) fn validate(&self) -> Result<(), &'static str> {
        if self.leave_flaky > self.flaky_if_strong || self.flaky_if_strong > self.flaky {
            return Err("leave_flaky must not exceed flaky_if_strong, nor that flaky");
        }
        if self.forget_strong > self.leave_flaky {
            return Err("forget_strong must not exceed leave_flaky");
        }
        if self.fixed_results > MOST_FIXED_RESULTS {
            return Err("fixed_results must be at most 31");
        }
        if self.fixed_for.0 < 0 {
            return Err("fixed_for must not be negative");
        }
        Ok(())
    }
}

/// What fits beside the label in one byte of a stored state.
pub(super) const MOST_FIXED_RESULTS: u8 = 31;

/// Where a test stands between two results: its label and what the label
/// remembers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub label: Label,
    /// It was found flaky and has not been let go.
    pub held: bool,
    /// Results disagreed inside one commit or run.
    pub strong: bool,
    /// For so many more results it may be called fixed.
    pub fixed_left: u8,
    /// When it last became broken or ceased to be, in whole seconds since the
    /// epoch; clamped to 1970..2106.
    pub turned: u32,
}

/// What a label is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grounds {
    pub p_flaky: f64,
    pub p_broken: f64,
    /// Results so far, this one included.
    pub results: u32,
    /// This result contradicts the one before, inside one commit or run and
    /// outside of incidents.
    pub disagrees: bool,
    pub at: Timestamp,
}

/// Whole seconds, as [`Standing::turned`] has them.
pub(super) fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.0.div_euclid(1_000_000).max(0)).unwrap_or(u32::MAX)
}

impl Default for Standing {
    fn default() -> Self {
        Self { label: Label::New, held: false, strong: false, fixed_left: 0, turned: 0 }
    }
}

impl Standing {
    /// Judges anew after a result.
    pub fn judge(&mut self, rule: &LabelRule, grounds: Grounds) {
        let Grounds { p_flaky, p_broken, results, disagrees, at } = grounds;
        self.strong = (self.strong || disagrees) && p_flaky >= rule.forget_strong;
        self.held = if self.held {
            p_flaky >= rule.leave_flaky
        } else {
            p_flaky >= rule.flaky || (self.strong && p_flaky >= rule.flaky_if_strong)
        };
        let is_broken = results >= rule.new_below && p_broken >= rule.broken;
        let was_broken = self.label == Label::Broken;
        if is_broken == was_broken {
            self.fixed_left = self.fixed_left.saturating_sub(1);
        } else {
            self.fixed_left = if was_broken { rule.fixed_results } else { 0 };
            self.turned = seconds(at);
        }
        if !self.is_fixed_at(rule, at) {
            self.fixed_left = 0;
        }
        self.label = if results < rule.new_below {
            Label::New
        } else if is_broken {
            Label::Broken
        } else if self.held {
            if p_flaky < rule.recovering { Label::Recovering } else { Label::Flaky }
        } else {
            self.lesser(rule, p_flaky)
        };
    }

    /// The label at `now`, which may be long after the last result: nothing
    /// stays fixed for ever.
    pub fn label_at(&self, rule: &LabelRule, p_flaky: f64, now: Timestamp) -> Label {
        if self.label != Label::Fixed || self.is_fixed_at(rule, now) {
            return self.label;
        }
        Self { fixed_left: 0, ..self.clone() }.lesser(rule, p_flaky)
    }

    fn lesser(&self, rule: &LabelRule, p_flaky: f64) -> Label {
        if self.fixed_left > 0 {
            Label::Fixed
        } else if p_flaky >= rule.suspect {
            Label::Suspect
        } else {
            Label::Healthy
        }
    }

    fn is_fixed_at(&self, rule: &LabelRule, now: Timestamp) -> bool {
        let since = i64::from(seconds(now).saturating_sub(self.turned));
        self.fixed_left > 0 && Micros::from_secs(since) < rule.fixed_for
    }
}

/// Why a test is called what it is called, in numbers; pages find the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// There are only so many results yet.
    TooFewResults {
        /// So many there are.
        results: u32,
        /// So many it takes.
        needed: u32,
    },
    /// Failed and passed within one run, on a retry.
    ChangedInRun {
        /// How often.
        times: u16,
        /// In how many results, since the test was last above suspicion.
        results: u16,
    },
    /// Failed and passed in two runs of the same commit.
    ChangedOnCommit {
        /// How often.
        times: u16,
        /// In how many results, since the test was last above suspicion.
        results: u16,
    },
    /// Failed and passed with no more than changes of the commit between:
    /// weak evidence, as each may have been a regression.
    ChangedAcrossCommits {
        /// Failures so far.
        failures: u32,
        /// Results so far.
        results: u32,
    },
    /// The last results are all failures.
    FailingInARow {
        /// How many.
        failures: u16,
    },
    /// The last results are all passes.
    PassingInARow {
        /// How many.
        passes: u16,
    },
    /// The last result came from a run that failed for a common cause.
    InIncident,
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: fn() -> LabelRule = LabelRule::default;

    fn after(standing: &mut Standing, p_flaky: f64, p_broken: f64, disagrees: bool, second: i64) -> Label {
        let at = Timestamp(second * 1_000_000);
        standing.judge(&RULE(), Grounds { p_flaky, p_broken, results: 10, disagrees, at });
        standing.label
    }

    #[test]
    fn strong_evidence_needs_less_and_a_label_is_kept_until_well_below() {
        let mut weak = Standing::default();
        assert_eq!(after(&mut weak, 0.79, 0.0, false, 0), Label::Suspect);
        assert_eq!(after(&mut weak, 0.81, 0.0, false, 0), Label::Flaky);
        let mut strong = Standing::default();
        assert_eq!(after(&mut strong, 0.29, 0.0, true, 0), Label::Healthy);
        assert_eq!(after(&mut strong, 0.55, 0.0, false, 0), Label::Flaky, "the disagreement is remembered");
        assert_eq!(after(&mut strong, 0.49, 0.0, false, 0), Label::Recovering);
        assert_eq!(after(&mut strong, 0.15, 0.0, false, 0), Label::Recovering);
        assert_eq!(after(&mut strong, 0.149, 0.0, false, 0), Label::Healthy);
        assert_eq!(after(&mut strong, 0.4, 0.0, false, 0), Label::Recovering, "still strong");
        after(&mut strong, 0.02, 0.0, false, 0);
        assert_eq!(after(&mut strong, 0.4, 0.0, false, 0), Label::Suspect, "forgotten below 3 %");
    }

    #[test]
    fn broken_outranks_flaky_and_fixed_lasts_twenty_results_or_a_day() {
        let mut standing = Standing::default();
        assert_eq!(after(&mut standing, 0.9, 0.6, true, 0), Label::Broken);
        assert_eq!(after(&mut standing, 0.9, 0.4, false, 0), Label::Flaky, "flaky outranks fixed");
        let mut by_results = Standing::default();
        after(&mut by_results, 0.0, 0.6, false, 0);
        for result in 0..20 {
            assert_eq!(after(&mut by_results, 0.0, 0.0, false, 1), Label::Fixed, "{result}");
        }
        assert_eq!(after(&mut by_results, 0.0, 0.0, false, 1), Label::Healthy);
        let mut by_time = Standing::default();
        after(&mut by_time, 0.0, 0.6, false, 0);
        assert_eq!(after(&mut by_time, 0.0, 0.0, false, 100), Label::Fixed);
        let day = 86_400;
        assert_eq!(by_time.label_at(&RULE(), 0.0, Timestamp((day + 99) * 1_000_000)), Label::Fixed);
        assert_eq!(by_time.label_at(&RULE(), 0.0, Timestamp((day + 100) * 1_000_000)), Label::Healthy);
        assert_eq!(after(&mut by_time, 0.31, 0.0, false, day + 100), Label::Suspect);
        assert_eq!(after(&mut by_time, 0.0, 0.0, false, 0), Label::Healthy, "a clock set back revives nothing");
    }
}
