//! The health of a setup's tests, as it is at hand.
//!
//! States are kept packed, and summed up as they are when unpacked again: what
//! is taken away from a sum is then exactly what was added to it.

use crate::store::rows::{HealthRow, SetupHealthRow};
use app::domain::health::{
    Aggregate, Base, Calibration, Gate, Label, Model, Observation, Packed, Reading, State, Step,
};
use app::domain::ids::{SetupId, TestId};
use app::domain::rename::Names;
use app::ecg::reading::Estimate;
use app::read::SickTests;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a run is called in the detector.
pub fn hash_of_run(run: uuid::Uuid) -> u64 {
    let (high, low) = run.as_u64_pair();
    high.rotate_left(32) ^ low
}

/// The chance that a run of these tests is hit by a flake, as known from so
/// many runs; none where there is no test.
pub(super) fn flake_of(sums: &Aggregate, results: u32) -> Option<Estimate> {
    let clean = (sums.tests() > 0).then(|| sums.clean())?;
    Some(Estimate { mean: 1.0 - clean.p, low: 1.0 - clean.q95, high: 1.0 - clean.q05, results })
}

/// Tests by what they are called.
pub(super) fn sick_of(sums: &Aggregate) -> SickTests {
    let called = |label| u32::try_from(sums.labelled(label)).unwrap_or(u32::MAX);
    SickTests {
        all: u32::try_from(sums.tests()).unwrap_or(u32::MAX),
        flaky: called(Label::Flaky) + called(Label::Recovering),
        broken: called(Label::Broken),
    }
}

/// The health of a setup.
#[derive(Debug)]
pub struct Vitals {
    gate: Gate<TestId>,
    sums: Aggregate,
    calibration: Calibration,
    /// Tests at hand; none for one that never had a result.
    states: HashMap<TestId, Option<Packed>>,
    /// All tests that the store knows are at hand.
    is_whole: bool,
    /// The store has not been asked for the tests of this run.
    is_at_rest: bool,
    changed: BTreeSet<TestId>,
    /// Mended tests, and for how many more results they are called fixed.
    fixed: BTreeMap<TestId, u8>,
    is_fresh: bool,
    /// Tests that were called otherwise before.
    names: Names,
}

impl Vitals {
    /// As kept. What was kept under other parameters, or by another release,
    /// is begun anew: `holter health rebuild` makes it from the results.
    pub fn stored(row: Option<&SetupHealthRow>, model: &Model) -> Self {
        let row = row.filter(|row| row.model == model.version());
        let base = row.and_then(|row| Base::from_bytes(&row.base).ok()).unwrap_or_default();
        let sums = row.and_then(|row| Aggregate::from_bytes(&row.sums).ok()).unwrap_or_default();
        Self {
            gate: Gate::new(base),
            sums,
            calibration: row.map(|row| row.calibration).unwrap_or_default(),
            states: HashMap::new(),
            is_whole: false,
            is_at_rest: true,
            changed: BTreeSet::new(),
            fixed: BTreeMap::new(),
            is_fresh: false,
            names: Names::default(),
        }
    }

    /// Knows from here on what tests are called that were called otherwise
    /// before: their results are taken in under their present name.
    pub fn rename(&mut self, names: Names) {
        self.names = names;
    }

    /// What a test is called now.
    pub fn called(&self, test: TestId) -> TestId {
        self.names.now(test)
    }

    /// Takes this for what is known of a test, instead of what was; it has no
    /// results of its own where that is nothing.
    pub fn restate(&mut self, model: &Model, test: TestId, state: Option<&State>) {
        let before = self.unpacked(model, test);
        if let Some(state) = state {
            return self.put(model, test, before.as_ref(), state);
        }
        if let Some((reading, label)) = before.map(|state| of(model, &state)) {
            self.sums.remove(&reading, label);
        }
        self.fixed.remove(&test);
        self.changed.remove(&test);
        self.states.insert(test, None);
        self.is_fresh = true;
    }

    /// All tests in sum.
    #[cfg(test)]
    fn sums(&self) -> &Aggregate {
        &self.sums
    }

    /// The chance that a run of all tests is hit by a flake.
    pub fn flake(&self) -> Option<Estimate> {
        flake_of(&self.sums, u32::try_from(self.gate.base().runs()).unwrap_or(u32::MAX))
    }

    /// Tests by what they are called.
    pub fn tests(&self) -> SickTests {
        sick_of(&self.sums)
    }

    /// Results still to go until no test is called fixed any more.
    pub fn recovery_left(&self) -> u32 {
        self.fixed.values().copied().max().map_or(0, u32::from)
    }

    /// Whether the setup behaves unlike anything that the detector was made for,
    /// so that its probabilities are not worth their name.
    pub fn is_uncalibrated(&self) -> bool {
        self.calibration.is_off()
    }

    /// Those of the tests of which the store may know more.
    pub fn missing(&self, tests: impl IntoIterator<Item = TestId>) -> BTreeSet<TestId> {
        tests.into_iter().filter(|test| !self.is_whole && !self.states.contains_key(test)).collect()
    }

    /// Whether tests were let go, as at the beginning of a run.
    pub fn is_at_rest(&self) -> bool {
        self.is_at_rest
    }

    /// What the store knows is at hand now; all of it, where `is_whole`.
    pub fn woke(&mut self, is_whole: bool) {
        self.is_at_rest = false;
        self.is_whole = is_whole;
    }

    /// Has a test at hand as it was kept, or as one without results.
    pub fn know(&mut self, model: &Model, test: TestId, kept: Option<&[u8]>) {
        let packed = kept.and_then(|bytes| Packed::from_bytes(bytes).ok());
        let known = packed.filter(|packed| packed.unpack(model).is_ok());
        self.states.entry(test).or_insert(known);
    }

    /// Takes in a result.
    pub fn observe(&mut self, model: &Model, test: TestId, seen: Observation) -> Step {
        let before = self.unpacked(model, test);
        let mut state = before.clone().unwrap_or_else(|| State::new(model));
        let (step, corrected) = self.gate.observe(model, test, &mut state, seen);
        self.put(model, test, before.as_ref(), &state);
        self.correct(model, corrected);
        // What a common cause did says nothing about how single tests behave.
        if !self.gate.is_incident(seen.run) {
            self.calibration.observe(&step);
        }
        step
    }

    /// A run is to have so many tests.
    pub fn plan(&mut self, model: &Model, run: u64, tests: u32) {
        let corrected = self.gate.plan(model, run, tests);
        self.correct(model, corrected);
    }

    /// A run is over.
    pub fn finish(&mut self, model: &Model, run: u64) {
        let corrected = self.gate.finish(model, run);
        self.correct(model, corrected);
        self.is_fresh = true;
    }

    /// Whether the run counts as an incident as things stand.
    pub fn is_incident(&self, run: u64) -> bool {
        self.gate.is_incident(run)
    }

    /// Lets go of tests; the store has them. A run that goes on after its end
    /// is still open to the gate, which may yet correct what it remembers.
    pub fn rest(&mut self) {
        let states = std::mem::take(&mut self.states);
        self.states = states.into_iter().filter(|(test, _)| self.gate.remembers(test)).collect();
        self.is_whole = false;
        self.is_at_rest = true;
    }

    /// The rows of what changed; asked for once.
    pub fn take_rows(&mut self, model: &Model, setup: SetupId) -> (Vec<HealthRow>, Option<SetupHealthRow>) {
        let changed = std::mem::take(&mut self.changed);
        let is_fresh = std::mem::take(&mut self.is_fresh);
        if changed.is_empty() && !is_fresh {
            return (Vec::new(), None);
        }
        let rows = changed.into_iter().filter_map(|test| {
            let packed = self.states.get(&test)?.as_ref()?;
            Some(row_of(model, setup, test, packed, &packed.unpack(model).ok()?))
        });
        let rows = rows.collect();
        let (base, sums) = (self.gate.base().to_bytes().into(), self.sums.to_bytes().into());
        (rows, Some(SetupHealthRow { setup, model: model.version(), base, sums, calibration: self.calibration }))
    }

    fn unpacked(&self, model: &Model, test: TestId) -> Option<State> {
        self.states.get(&test)?.as_ref()?.unpack(model).ok()
    }

    fn correct(&mut self, model: &Model, corrected: impl IntoIterator<Item = (TestId, State)>) {
        for (test, state) in corrected {
            let before = self.unpacked(model, test);
            self.put(model, test, before.as_ref(), &state);
        }
    }

    fn put(&mut self, model: &Model, test: TestId, before: Option<&State>, state: &State) {
        if let Some((reading, label)) = before.map(|state| of(model, state)) {
            self.sums.remove(&reading, label);
        }
        let packed = state.pack(model);
        // A state that was just packed can be unpacked.
        if let Ok(kept) = packed.unpack(model) {
            let (reading, label) = of(model, &kept);
            self.sums.add(&reading, label);
        }
        match state.fixed_left() {
            0 => self.fixed.remove(&test),
            left => self.fixed.insert(test, left),
        };
        self.states.insert(test, Some(packed));
        self.changed.insert(test);
    }
}

fn of(model: &Model, state: &State) -> (Reading, Label) {
    (state.reading(model), state.label())
}

fn row_of(model: &Model, setup: SetupId, test: TestId, packed: &Packed, state: &State) -> HealthRow {
    let reading = state.reading(model);
    HealthRow {
        setup,
        test,
        label: state.label(),
        p_flaky: reading.p_flaky,
        p_broken: reading.p_broken,
        phi: reading.phi,
        results: state.results(),
        failures: state.failures(),
        failed: state.is_failing(),
        last_at: state.last_at(),
        model: model.version(),
        state: packed.as_bytes().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::domain::time::Timestamp;
    use uuid::Uuid;

    fn seen(run: u64, commit: u64, failed: bool) -> Observation {
        Observation {
            failed,
            commit: Some(commit),
            run,
            at: Timestamp::from_millis(run.cast_signed()),
            incident: false,
        }
    }

    /// Each test fails in every seventh run, and passes when tried again.
    fn play(vitals: &mut Vitals, model: &Model, tests: &[TestId], runs: std::ops::Range<u64>) {
        for run in runs {
            for (number, test) in (0..).zip(tests) {
                let failed = (run + number).is_multiple_of(7);
                vitals.observe(model, *test, seen(run, run, failed));
                if failed {
                    vitals.observe(model, *test, seen(run, run, false));
                }
            }
            vitals.finish(model, run);
        }
    }

    #[test]
    fn sums_equal_what_their_tests_add_up_to_even_over_the_store() {
        let model = Model::default();
        let tests: Vec<_> = (1..=12).map(|number| TestId(Uuid::from_u128(number))).collect();
        let mut before = Vitals::stored(None, &model);
        play(&mut before, &model, &tests, 1..20);
        let (rows, whole) = before.take_rows(&model, SetupId(Uuid::from_u128(1)));
        assert_eq!(before.take_rows(&model, SetupId(Uuid::from_u128(1))), (Vec::new(), None));
        let mut vitals = Vitals::stored(whole.as_ref(), &model);
        assert_eq!(vitals.missing(tests.clone()).len(), 12);
        rows.iter().for_each(|row| vitals.know(&model, row.test, Some(&row.state)));
        play(&mut vitals, &model, &tests, 20..40);
        let mut counted = Aggregate::default();
        for test in &tests {
            let state = vitals.unpacked(&model, *test).expect("at hand");
            counted.add(&state.reading(&model), state.label());
        }
        assert_eq!(*vitals.sums(), counted);
        assert!(counted.labelled(Label::Flaky) > 6 && counted.flake_chance() > 0.5, "{counted:?}");
    }
}
