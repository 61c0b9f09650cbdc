use super::*;
use crate::domain::chance::Dice;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// A setup with its states, as a caller keeps them.
struct Bench {
    model: Model,
    gate: Gate<u32>,
    states: BTreeMap<u32, State>,
}

impl Bench {
    fn new() -> Self {
        Self { model: Model::default(), gate: Gate::new(Base::default()), states: BTreeMap::new() }
    }

    fn see(&mut self, test: u32, failed: bool, run: u64) -> usize {
        let state = self.states.entry(test).or_insert_with(|| State::new(&self.model));
        let at = Timestamp(run.cast_signed() * 3_600_000_000);
        let seen = Observation { failed, commit: Some(run), run, at, incident: false };
        let (_, corrected) = self.gate.observe(&self.model, test, state, seen);
        self.store(corrected)
    }

    fn finish(&mut self, run: u64) -> usize {
        let corrected = self.gate.finish(&self.model, run);
        self.store(corrected)
    }

    fn store(&mut self, corrected: Vec<(u32, State)>) -> usize {
        let count = corrected.len();
        self.states.extend(corrected);
        count
    }

    /// A whole run of `tests` tests of which the first `failing` fail.
    fn run(&mut self, run: u64, tests: u32, failing: u32) {
        for test in 0..tests {
            self.see(test, test < failing, run);
        }
        self.finish(run);
    }

    fn p_flaky(&self, test: u32) -> f64 {
        self.states[&test].reading(&self.model).p_flaky
    }
}

#[test]
fn an_incident_leaves_no_stain() {
    let mut bench = Bench::new();
    for run in 0..30 {
        bench.run(run, 50, 0);
    }
    bench.run(30, 50, 10);
    bench.run(31, 50, 0);
    assert!((0..50).all(|test| bench.p_flaky(test) < 0.04), "{}", bench.p_flaky(0));
    assert_eq!(bench.gate.base().failing(), 0.0, "an incident is not ordinary");
    bench.run(32, 50, 4);
    bench.run(33, 50, 0);
    assert!(bench.p_flaky(0) > 0.1, "four failures are no incident");
}

#[test]
fn crossing_the_line_corrects_those_that_failed_before() {
    let mut bench = Bench::new();
    for run in 0..3 {
        bench.run(run, 50, 0);
    }
    for test in 0..4 {
        assert_eq!(bench.see(test, true, 3), 0);
        assert!(!bench.gate.is_incident(3));
    }
    assert_eq!(bench.see(4, true, 3), 4, "all but the one that crosses it");
    assert!(bench.gate.is_incident(3));
    assert_eq!(bench.states[&0], bench.states[&4], "the first and the last end alike");
    assert_eq!(bench.see(4, false, 3), 0, "a retry crosses nothing");
}

#[test]
fn a_run_that_turns_out_larger_than_usual_is_cleared_at_its_end() {
    let mut bench = Bench::new();
    for run in 0..3 {
        bench.run(run, 50, 0);
    }
    for test in 0..5 {
        bench.see(test, true, 3);
    }
    assert!(bench.gate.is_incident(3));
    for test in 5..400 {
        bench.see(test, false, 3);
    }
    assert_eq!(bench.finish(3), 5, "five of 400 are too few");
    assert_eq!(bench.gate.base().failing(), 0.0);
}

#[test]
fn a_plan_keeps_a_large_run_from_being_accused_early() {
    let mut bench = Bench::new();
    bench.gate.plan(&bench.model, 7, 400);
    for test in 0..19 {
        bench.see(test, true, 7);
    }
    assert!(!bench.gate.is_incident(7));
    bench.see(19, true, 7);
    assert!(bench.gate.is_incident(7));
}

#[test]
fn a_ninth_open_run_finishes_the_oldest_and_memories_go_with_their_runs() {
    let mut bench = Bench::new();
    for run in 0..9 {
        bench.see(run as u32, true, run);
    }
    assert_eq!(bench.finish(0), 0, "finished already");
    assert_eq!(bench.gate.base().to_bytes()[1], 1);
    for run in 1..9 {
        bench.finish(run);
    }
    assert_eq!(bench.gate.remembered(), 0);
}

#[test]
fn the_base_is_kept_in_170_bytes() {
    let mut bench = Bench::new();
    for run in 0..40 {
        bench.run(run, 30, (run % 4) as u32);
    }
    let bytes = bench.gate.base().to_bytes();
    assert_eq!(bytes.len(), 170);
    assert_eq!(Base::from_bytes(&bytes).as_ref(), Ok(bench.gate.base()));
    for wrong in [&bytes[..169], &[], &[1], &[2, 0], &[1, 22]] {
        assert_eq!(Base::from_bytes(wrong), Err(BaseProblem));
    }
}

#[test]
fn a_test_with_more_results_than_are_kept_stays_as_it_was() {
    let mut bench = Bench::new();
    for run in 0..3 {
        bench.run(run, 50, 0);
    }
    for _ in 0..40 {
        bench.see(0, true, 3);
    }
    let before = bench.states[&0].clone();
    assert_eq!((1..5).map(|test| bench.see(test, true, 3)).sum::<usize>(), 3, "1, 2 and 3 are corrected");
    assert!(bench.gate.is_incident(3));
    assert_eq!(bench.states[&0], before);
}

/// Runs that overlap, retries, incidents, sizes that change; what was seen, as
/// lines.
fn turmoil(bench: &mut Bench, dice: &mut Dice) -> Vec<String> {
    let mut lines = Vec::new();
    for pair in 0..25_u64 {
        let tests = 20 + (dice.roll() % 60) as u32;
        let share = if dice.chance(0.2) { 0.3 } else { 0.02 };
        let runs = if dice.chance(0.4) { 2 } else { 1 };
        for test in 0..tests {
            for run in 2 * pair..2 * pair + runs {
                let mut failed = dice.chance(share);
                for _ in 0..3 {
                    bench.see(test, failed, run);
                    let at = run * 3_600;
                    lines.push(format!(r#"{{"test":{test},"run":{run},"commit":"{run}","fail":{failed},"at":{at}}}"#));
                    if !failed {
                        break;
                    }
                    failed = dice.chance(0.5);
                }
            }
        }
        bench.finish(2 * pair);
        bench.finish(2 * pair + 1);
    }
    lines
}

#[test]
fn the_states_in_the_end_are_those_of_a_replay() {
    for seed in 0..30 {
        let mut bench = Bench::new();
        let lines = turmoil(&mut bench, &mut Dice::new(seed));
        let mut last = BTreeMap::new();
        for answer in replay(&bench.model, lines) {
            let Answer::Judged(judged) = answer else { panic!("{answer:?}") };
            last.insert(judged.test.parse::<u32>().expect("a number"), judged);
        }
        for (test, state) in &bench.states {
            let (reading, judged) = (state.reading(&bench.model), &last[test]);
            assert_eq!((reading.p_flaky, reading.p_broken), (judged.p_flaky, judged.p_broken), "{seed} {test}");
            assert_eq!(state.label(), judged.label);
        }
    }
}
