//! The numbers the detector rests on, and what follows from them.

use super::label::LabelRule;
use crate::domain::time::{Micros, Timestamp};
use serde::{Deserialize, Serialize};

/// How many failure rates a flaky test is told apart by.
pub const RATES: usize = 12;

/// The traits a test may have: deterministic (0), or flaky with one of the
/// [`RATES`].
pub const TRAITS: usize = RATES + 1;

/// One number for each trait.
pub type Traits = [f64; TRAITS];

/// The failure rates of a flaky test, each standing for a cell around it.
pub const GRID: [f64; RATES] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];

/// No cell reaches further than this: what fails always is broken, not flaky.
const HIGHEST_EDGE: f64 = 0.99;

const DAY: f64 = 86_400_000_000.0;

/// What the detector assumes about tests, commits and benches.
///
/// The defaults come from published rates (`FlakeFlagger`, Google, LUCI) and
/// from measured histories. They are meant to be left alone unless the
/// project's calibration says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// The share of tests that are flaky, before anything is known.
    pub prior_flaky: f64,
    /// The share of tests that are broken when first seen.
    pub prior_broken: f64,
    /// How often a good deterministic test fails for no reason.
    pub stray_failure: f64,
    /// How often a broken test passes for no reason.
    pub stray_pass: f64,
    /// How often a commit breaks a test.
    pub break_per_commit: f64,
    /// How often a commit mends a broken test.
    pub fix_per_commit: f64,
    /// How often a test breaks between two runs of one commit: benches change too.
    pub break_per_run: f64,
    /// How often a test is mended between two runs of one commit.
    pub fix_per_run: f64,
    /// How often a commit changes whether and how much a test is flaky.
    pub change_per_commit: f64,
    /// After how many days without a result half of what was known about the
    /// flakiness is forgotten.
    pub half_life_days: f64,
    /// How much of a flaky failure lasts until the retry right after it.
    pub stickiness: f64,
    /// How often an incident breaks a test.
    pub break_in_incident: f64,
    /// How often a test is well again in the result after an incident.
    pub fix_after_incident: f64,
    /// From which probability on a test is called what.
    pub labels: LabelRule,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            prior_flaky: 0.05,
            prior_broken: 0.01,
            stray_failure: 1e-5,
            stray_pass: 1e-4,
            break_per_commit: 0.002,
            fix_per_commit: 0.10,
            break_per_run: 1e-4,
            fix_per_run: 0.01,
            change_per_commit: 0.0005,
            half_life_days: 90.0,
            stickiness: 0.12,
            break_in_incident: 0.5,
            fix_after_incident: 0.5,
            labels: LabelRule::default(),
        }
    }
}

impl Parameters {
    /// The variant that lets a flaky test go sooner: fewer rare flakers stay
    /// labelled after they were fixed, more are let go too early.
    pub fn quick_to_forgive() -> Self {
        Self { labels: LabelRule::quick_to_forgive(), ..Self::default() }
    }
}

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ParameterProblem {
    /// Neither certainty nor nonsense: such a value must lie between 0 and 1.
    #[error("{name} is {value}; it must lie between 0 and 1, both excluded")]
    NotAProbability {
        /// The parameter.
        name: &'static str,
        /// What it was.
        value: f64,
    },
    /// The half-life is not a positive number of days.
    #[error("half_life_days is {0}; it must be a positive number")]
    HalfLife(f64),
    /// The thresholds of the labels contradict each other.
    #[error("labels: {0}")]
    Labels(&'static str),
}

impl Parameters {
    /// The numbers with the names they have in a configuration.
    fn named(&self) -> [(&'static str, f64); 19] {
        let labels = &self.labels;
        [
            ("prior_flaky", self.prior_flaky),
            ("prior_broken", self.prior_broken),
            ("stray_failure", self.stray_failure),
            ("stray_pass", self.stray_pass),
            ("break_per_commit", self.break_per_commit),
            ("fix_per_commit", self.fix_per_commit),
            ("break_per_run", self.break_per_run),
            ("fix_per_run", self.fix_per_run),
            ("change_per_commit", self.change_per_commit),
            ("stickiness", self.stickiness),
            ("break_in_incident", self.break_in_incident),
            ("fix_after_incident", self.fix_after_incident),
            ("labels.flaky", labels.flaky),
            ("labels.flaky_if_strong", labels.flaky_if_strong),
            ("labels.leave_flaky", labels.leave_flaky),
            ("labels.recovering", labels.recovering),
            ("labels.suspect", labels.suspect),
            ("labels.broken", labels.broken),
            ("labels.forget_strong", labels.forget_strong),
        ]
    }

    /// Whether every number makes sense.
    pub fn validate(&self) -> Result<(), ParameterProblem> {
        for (name, value) in self.named() {
            if !(value > 0.0 && value < 1.0) {
                return Err(ParameterProblem::NotAProbability { name, value });
            }
        }
        if !(self.half_life_days > 0.0 && self.half_life_days.is_finite()) {
            return Err(ParameterProblem::HalfLife(self.half_life_days));
        }
        self.labels.validate().map_err(ParameterProblem::Labels)
    }

    /// A fingerprint of every number, so that a stored state can be told from
    /// one kept under other parameters. Equal numbers give the same version on
    /// every machine and in every build.
    pub fn version(&self) -> u32 {
        let labels = &self.labels;
        let counts = [labels.new_below, u32::from(labels.fixed_results)].map(u64::from);
        let bits = self.named().map(|(_, value)| value.to_bits());
        let rest = [self.half_life_days.to_bits(), labels.fixed_for.0.cast_unsigned(), counts[0], counts[1]];
        let hash = fnv(bits.iter().chain(&rest).flat_map(|word| word.to_le_bytes()));
        fold(hash)
    }
}

/// A 64-bit hash of a text (FNV-1a), the same on every machine: how commits
/// and runs with names become numbers.
pub fn hash_of(text: &str) -> u64 {
    fnv(text.bytes())
}

fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// 64 bits folded into 32.
pub(super) fn fold(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

/// Parameters known to be valid, with everything that need not be computed
/// again at each result.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(super) parameters: Parameters,
    pub(super) version: u32,
    /// How common each trait is.
    pub(super) prior: Traits,
    /// How often a good test of each trait fails.
    pub(super) fails: Traits,
    /// The same in a retry right after a failure.
    pub(super) fails_again: Traits,
    /// Logits of the edges of the cells of [`GRID`], from the lowest.
    pub(super) edges: [f64; TRAITS],
}

impl Default for Model {
    fn default() -> Self {
        Self::of(Parameters::default())
    }
}

impl Model {
    /// The model of valid parameters.
    pub fn new(parameters: Parameters) -> Result<Self, ParameterProblem> {
        parameters.validate()?;
        Ok(Self::of(parameters))
    }

    fn of(parameters: Parameters) -> Self {
        let edges = edges();
        let mut fails = [parameters.stray_failure; TRAITS];
        fails[1..].copy_from_slice(&GRID);
        let mut fails_again = fails;
        for rate in &mut fails_again[1..] {
            *rate += parameters.stickiness * (1.0 - *rate);
        }
        let prior = prior(parameters.prior_flaky, &edges);
        Self { parameters, version: parameters.version(), prior, fails, fails_again, edges }
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Their [`Parameters::version`].
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How common each trait is before anything is known: the deterministic
    /// one first, then the rates of [`GRID`]. Rates are spread log-uniformly,
    /// as the reruns of `FlakeFlagger` found them.
    pub fn prior(&self) -> &Traits {
        &self.prior
    }

    /// The share of what was known that is lost between two points in time; 0
    /// if the clock went backwards.
    pub(super) fn forgotten(&self, from: Timestamp, to: Timestamp) -> f64 {
        let Micros(gap) = to.since(from);
        if gap <= 0 {
            return 0.0;
        }
        -(-(gap as f64) / DAY / self.parameters.half_life_days * std::f64::consts::LN_2).exp_m1()
    }
}

/// The log-odds of a probability.
pub(super) fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// The probability with these log-odds.
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Cells meet half-way between two rates in log-odds; the outermost are as
/// wide outwards as inwards.
fn edges() -> [f64; TRAITS] {
    let rates = GRID.map(logit);
    let mut edges = [0.0; TRAITS];
    for k in 1..RATES {
        edges[k] = f64::midpoint(rates[k - 1], rates[k]);
    }
    edges[0] = 2.0 * rates[0] - edges[1];
    edges[RATES] = (2.0 * rates[RATES - 1] - edges[RATES - 1]).min(logit(HIGHEST_EDGE));
    edges
}

fn prior(flaky: f64, edges: &[f64; TRAITS]) -> Traits {
    let mut prior = [1.0 - flaky; TRAITS];
    let width = |k: usize| (logistic(edges[k]) / logistic(edges[k - 1])).ln();
    let all: f64 = (1..TRAITS).map(width).sum();
    for (k, weight) in prior.iter_mut().enumerate().skip(1) {
        *weight = flaky * width(k) / all;
    }
    prior
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_keep_their_version() {
        assert_eq!(Parameters::default().validate(), Ok(()));
        assert_eq!(Parameters::quick_to_forgive().validate(), Ok(()));
        assert_ne!(Parameters::default().version(), Parameters::quick_to_forgive().version());
        // A new value here orphans every stored state: change it on purpose only.
        assert_eq!(Parameters::default().version(), 736_498_926);
    }

    #[test]
    fn every_number_counts_in_the_version() {
        let json = serde_json::to_value(Parameters::default()).expect("plain numbers");
        let mut versions = std::collections::HashSet::from([Parameters::default().version()]);
        let mut change = |path: &[&str]| {
            let mut changed = json.clone();
            let place = path.iter().fold(&mut changed, |at, key| &mut at[*key]);
            *place = match place.as_u64() {
                Some(whole) => (whole + 1).into(),
                None => (place.as_f64().expect("a number") * 0.9).into(),
            };
            let parameters: Parameters = serde_json::from_value(changed).expect("same shape");
            assert!(versions.insert(parameters.version()), "{path:?} does not count");
        };
        for (name, value) in json.as_object().expect("an object") {
            match value.as_object() {
                None => change(&[name]),
                Some(inner) => inner.keys().for_each(|key| change(&[name, key])),
            }
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let wrong = Parameters { stray_pass: 0.0, ..Parameters::default() };
        assert_eq!(wrong.validate(), Err(ParameterProblem::NotAProbability { name: "stray_pass", value: 0.0 }));
        let wrong = Parameters { prior_flaky: f64::NAN, ..Parameters::default() };
        assert!(wrong.validate().is_err());
        let wrong = Parameters { half_life_days: f64::INFINITY, ..Parameters::default() };
        assert_eq!(wrong.validate(), Err(ParameterProblem::HalfLife(f64::INFINITY)));
        let mut wrong = Parameters::default();
        wrong.labels.leave_flaky = 0.5;
        assert!(matches!(Model::new(wrong), Err(ParameterProblem::Labels(_))));
    }

    #[test]
    fn what_is_known_halves_in_a_half_life_and_never_grows() {
        let model = Model::default();
        let day = 86_400_000_000;
        assert!((model.forgotten(Timestamp(0), Timestamp(90 * day)) - 0.5).abs() < 1e-12);
        assert_eq!(model.forgotten(Timestamp(day), Timestamp(0)), 0.0);
        assert_eq!(model.forgotten(Timestamp(i64::MIN), Timestamp(i64::MAX)), 1.0);
    }
}
