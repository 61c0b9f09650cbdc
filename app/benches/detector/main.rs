//! The detector against histories of which the truth is known, and its speed.
//!
//! `cargo bench -p app --bench detector` prints what it found and whether it
//! is as good as it is meant to be. It goes the way the server goes: results
//! one by one through the gate, states corrected where the gate says so.

mod judge;
mod simulate;

use app::domain::chance::Dice;
use app::domain::health::{Base, Calibration, Gate, Model, Observation, PACKED_BYTES, Parameters, State};
use app::domain::time::Timestamp;
use judge::{Notes, Score, Share};
use simulate::{COMMITS, COMMITS_A_DAY, Rates, Regime, TESTS, Test};
use std::hint::black_box;
use std::time::Instant;

const SEEDS: [u64; 5] = [12, 99, 2_024, 31_337, 777];

/// Commits between two looks.
const LOOK_EVERY: usize = 20;

const DAY: i64 = 86_400_000_000;

/// A project on one setup, as it goes on.
struct Simulation<'m> {
    model: &'m Model,
    dice: Dice,
    tests: Vec<Test>,
    states: Vec<State>,
    notes: Vec<Notes>,
    gate: Gate<usize>,
    calibration: Calibration,
    score: Score,
    runs: u64,
}

impl<'m> Simulation<'m> {
    fn new(model: &'m Model, rates: Rates, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let tests = simulate::project(rates, &mut dice);
        Self {
            model,
            dice,
            tests,
            states: vec![State::new(model); TESTS],
            notes: vec![Notes::default(); TESTS],
            gate: Gate::new(Base::default()),
            calibration: Calibration::default(),
            score: Score::default(),
            runs: 0,
        }
    }

    fn attempt(&mut self, test: usize, failed: bool, commit: usize) {
        let at = Timestamp(DAY / COMMITS_A_DAY as i64 * commit as i64 + self.runs as i64 % 7 * 60_000_000);
        let seen = Observation { failed, commit: Some(commit as u64), run: self.runs, at, incident: false };
        let (step, corrected) = self.gate.observe(self.model, test, &mut self.states[test], seen);
        for (other, state) in corrected {
            self.states[other] = state;
        }
        self.calibration.observe(&step);
        self.notes[test].failed |= failed;
    }

    fn run(&mut self, regime: Regime, commit: usize) {
        self.runs += 1;
        let is_incident = simulate::is_incident(&mut self.dice);
        for test in 0..TESTS {
            let is_hit = is_incident && simulate::is_hit(&mut self.dice);
            for _ in 0..regime.attempts() {
                let flakes = self.tests[test].flakes(commit, &mut self.dice);
                let is_broken = self.tests[test].is_broken_at(commit);
                self.notes[test].flaked |= flakes && !is_broken && !is_hit;
                let failed = flakes || is_broken || is_hit;
                self.attempt(test, failed, commit);
                if !failed {
                    break;
                }
            }
        }
        let found = self.gate.is_incident(self.runs);
        self.score.incidents += u64::from(is_incident);
        self.score.wrong_incidents += u64::from(is_incident != found);
        for (test, state) in self.gate.finish(self.model, self.runs) {
            self.states[test] = state;
        }
        // Only now: in the middle of an incident the first failures look like flakes.
        for (state, notes) in self.states.iter().zip(&mut self.notes) {
            notes.see(state.label().is_flagged());
        }
    }

    fn score(mut self, regime: Regime) -> Score {
        for commit in 0..COMMITS {
            for _ in 0..regime.runs(&mut self.dice) {
                self.run(regime, commit);
            }
            if (commit + 1) % LOOK_EVERY == 0 {
                for ((test, state), notes) in self.tests.iter().zip(&self.states).zip(&self.notes) {
                    self.score.checkpoint(self.model, test, state, notes, commit);
                }
            }
        }
        for ((test, state), notes) in self.tests.iter().zip(&self.states).zip(&self.notes) {
            self.score.last(self.model, test, state, notes);
        }
        self.score.losses = self.calibration.losses();
        self.score
    }
}

/// A thing that is meant to be so good.
struct Bar {
    what: String,
    is_met: bool,
    found: String,
    wanted: String,
}

fn at_least(what: String, found: f64, wanted: f64) -> Bar {
    Bar { what, is_met: found >= wanted, found: format!("{found:.3}"), wanted: format!("≥ {wanted}") }
}

fn at_most(what: String, found: f64, wanted: f64) -> Bar {
    Bar { what, is_met: found <= wanted, found: format!("{found:.3}"), wanted: format!("≤ {wanted}") }
}

fn bars_of(name: &str, regime: Regime, score: &Score) -> Vec<Bar> {
    let (f1, auc, alarms) = match regime {
        Regime::R0 => (0.80, 0.98, 0.06),
        Regime::R1 => (0.88, 0.99, 0.03),
        Regime::R2 => (0.96, 0.995, 0.005),
    };
    let named = |what: &str| format!("{name} {what}");
    vec![
        at_least(named("F1"), score.last.f1(), f1),
        at_least(named("AUC"), score.auc(), auc),
        at_most(named("false alarms per regression"), score.alarms_per_regression(), alarms),
        at_most(named("calibration error"), score.ece().0, 0.04),
        at_least(named("broken recognised"), score.broken.value(), 0.97),
        at_most(named("never-failing tests flagged"), score.spotless_flagged as f64, 0.0),
    ]
}

fn print_head() {
    println!("Last commit: flaky and seen to flake, against never flaky. Strict: mended tests count as never flaky.");
    println!(
        "Looks: as at the last commit, at every {LOOK_EVERY}th. {} seeds, {TESTS} tests, {COMMITS} commits.\n",
        SEEDS.len()
    );
    println!(
        "{:<14}{:>6}{:>6}{:>6}{:>8}{:>7}{:>7}{:>8}{:>14}{:>12}{:>8}{:>10}{:>12}{:>14}",
        "set",
        "P",
        "R",
        "F1",
        "strict",
        "looks",
        "AUC",
        "alarms",
        "ECE",
        "cover",
        "broken",
        "held",
        "incidents",
        "loss / mean"
    );
}

fn print_score(name: &str, score: &Score) {
    let last = score.last;
    println!(
        "{name:<14}{:>6.3}{:>6.3}{:>6.3}{:>8.3}{:>7.3}{:>7.4}{:>8.4}{:>14}{:>12}{:>8.4}{:>10}{:>12}{:>14}",
        last.precision(),
        last.recall(),
        last.f1(),
        score.strict.f1(),
        score.running.f1(),
        score.auc(),
        score.alarms_per_regression(),
        format!("{:.4}/{:.4}", score.ece().0, score.ece().1),
        format!("{:.3}/{:.3}", score.covered.value(), score.covered_flagged.value()),
        score.broken.value(),
        format!("{}/{}", score.held.of, score.held.all),
        format!("{}-{}", score.incidents, score.wrong_incidents),
        format!("{:.4}/{:.4}", score.losses.0, score.losses.1),
    );
}

fn compare(model: &Model) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut unbroken_flagged = 0;
    let mut covered = Share::default();
    for (rates, rates_name) in [(Rates::Quartiles, "ff"), (Rates::LogUniform, "log"), (Rates::Bursts, "iso")] {
        for (regime, regime_name) in [(Regime::R0, "R0"), (Regime::R1, "R1"), (Regime::R2, "R2")] {
            let name = format!("{rates_name} {regime_name}");
            let mut score = Score::default();
            for seed in SEEDS {
                score.join(Simulation::new(model, rates, seed).score(regime));
            }
            print_score(&name, &score);
            unbroken_flagged += score.unbroken_flagged;
            covered.join(score.covered);
            bars.extend(bars_of(&name, regime, &score));
        }
    }
    bars.push(at_least("coverage of the 90 % interval, all sets".to_owned(), covered.value(), 0.87));
    bars.push(at_most("coverage of the 90 % interval, all sets".to_owned(), covered.value(), 0.95));
    println!("\nTests neither flaky nor ever broken, flagged at any time: {unbroken_flagged}\n");
    bars
}

/// Nanoseconds of one `work` on each of many results, the best of several goes.
fn nanoseconds(results: &[Observation], mut work: impl FnMut(&Observation)) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        for seen in results {
            work(black_box(seen));
        }
        best = best.min(start.elapsed().as_nanos() as f64 / results.len() as f64);
    }
    best
}

fn speed(model: &Model) -> Vec<Bar> {
    let mut dice = Dice::new(1);
    let results: Vec<_> = (0..200_000_u64)
        .map(|i| Observation {
            failed: dice.chance(0.05),
            commit: Some(i / 2),
            run: i - u64::from(dice.chance(0.05)),
            at: Timestamp(i as i64 * 3_600_000_000),
            incident: false,
        })
        .collect();
    let mut state = State::new(model);
    let update = nanoseconds(&results, |seen| {
        black_box(state.observe(model, seen));
    });
    let mut packed = state.pack(model);
    let kept = nanoseconds(&results, |seen| {
        if let Ok(mut state) = packed.unpack(model) {
            state.observe(model, seen);
            packed = state.pack(model);
        }
    });
    let reading = nanoseconds(&results, |_| {
        black_box((state.reading(model), state.rate(model)));
    });
    println!(
        "An update takes {update:.0} ns, with unpacking and packing {kept:.0} ns; all read-outs take {reading:.0} ns."
    );
    println!("A state takes {PACKED_BYTES} bytes at rest, {} in hand.\n", std::mem::size_of::<State>());
    vec![
        at_most("ns per update".to_owned(), update, 1_000.0),
        at_most("ns per update of a packed state".to_owned(), kept, 1_000.0),
        at_most("bytes per test and setup".to_owned(), PACKED_BYTES as f64, 160.0),
    ]
}

fn main() {
    let model = Model::default();
    print_head();
    let mut bars = compare(&model);
    if let Ok(quick) = Model::new(Parameters::quick_to_forgive()) {
        let mut score = Score::default();
        for seed in SEEDS {
            score.join(Simulation::new(&quick, Rates::Bursts, seed).score(Regime::R2));
        }
        println!("Quick to forgive:");
        print_score("iso R2", &score);
        println!();
    }
    bars.extend(speed(&model));
    for Bar { what, is_met, found, wanted } in &bars {
        println!("{}  {what:<40}{found:>10}   {wanted}", if *is_met { "pass" } else { "MISS" });
    }
    let missed = bars.iter().filter(|bar| !bar.is_met).count();
    println!("\n{} of {} bars met.", bars.len() - missed, bars.len());
}
