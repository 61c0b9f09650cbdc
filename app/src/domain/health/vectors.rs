//! The detector against figures computed by an implementation of its own
//! (`tests/data/health.json`), to 1e-9.

use super::parameters::TRAITS;
use super::*;
use crate::domain::time::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    prior: Vec<f64>,
    histories: Vec<History>,
    trace: Vec<Traced>,
    aggregate: Summed,
    trend: Vec<Counted>,
}

#[derive(Deserialize)]
struct Shown {
    fail: bool,
    commit: Option<u64>,
    run: u64,
    /// So many results, each of the next commit and run, a tenth of a day apart.
    #[serde(default = "once")]
    times: u64,
    t_days: Option<f64>,
    #[serde(default)]
    incident: bool,
}

const fn once() -> u64 {
    1
}

#[derive(Deserialize)]
struct History {
    name: String,
    results: Vec<Shown>,
    p_flaky: f64,
    p_broken: f64,
    p_healthy: f64,
    p_next_fail: f64,
    phi: f64,
    phi_sd: f64,
    theta_mean: f64,
    theta_q05: f64,
    theta_q95: f64,
}

#[derive(Deserialize)]
struct Traced {
    #[serde(flatten)]
    shown: Shown,
    good: Vec<f64>,
    bad: Vec<f64>,
}

#[derive(Deserialize)]
struct Summed {
    members: Vec<(usize, usize)>,
    expected_spurious: f64,
    expected_broken: f64,
    p_clean: f64,
    flake_chance: f64,
    q05: f64,
    q95: f64,
}

#[derive(Deserialize)]
struct Counted {
    kf: f64,
    nf: f64,
    ks: f64,
    ns: f64,
    fast: f64,
    slow: f64,
    z: f64,
    p_worse: f64,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/data/health.json")).expect("the vectors are readable")
}

impl Shown {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        (0..self.times).map(|i| {
            let days = self.t_days.map_or(0.0, |first| first + 0.1 * i as f64);
            Observation {
                failed: self.fail,
                commit: self.commit.map(|commit| commit + i),
                run: self.run + i,
                at: Timestamp((days * 86_400e6).round() as i64),
                incident: self.incident,
            }
        })
    }
}

fn state(model: &Model, results: &[Shown]) -> State {
    let mut state = State::new(model);
    for seen in results.iter().flat_map(Shown::observations) {
        state.observe(model, &seen);
    }
    state
}

fn check(what: &str, name: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {name} is {found}, not {expected}");
}

#[test]
fn the_prior() {
    let model = Model::default();
    for (k, expected) in vectors().prior.iter().enumerate() {
        check("prior", &k.to_string(), model.prior()[k], *expected, 1e-15);
    }
}

#[test]
fn every_history() {
    let model = Model::default();
    for history in vectors().histories {
        let state = state(&model, &history.results);
        let (reading, rate) = (state.reading(&model), state.rate(&model));
        for (name, found, expected) in [
            ("p_flaky", reading.p_flaky, history.p_flaky),
            ("p_broken", reading.p_broken, history.p_broken),
            ("p_healthy", reading.p_healthy, history.p_healthy),
            ("p_next_fail", reading.p_next_fail, history.p_next_fail),
            ("phi", reading.phi, history.phi),
            ("the deviation of phi", reading.var_phi.sqrt(), history.phi_sd),
            ("the mean rate", rate.mean, history.theta_mean),
            ("the lowest rate", rate.q05, history.theta_q05),
            ("the highest rate", rate.q95, history.theta_q95),
        ] {
            check(&history.name, name, found, expected, 1e-9);
        }
    }
}

#[test]
fn every_number_of_the_filter_on_the_way() {
    let model = Model::default();
    let mut state = State::new(&model);
    for (step, traced) in vectors().trace.iter().enumerate() {
        for seen in traced.shown.observations() {
            state.observe(&model, &seen);
        }
        for k in 0..TRAITS {
            check(&step.to_string(), "good", state.filter.good[k], traced.good[k], 1e-11);
            check(&step.to_string(), "bad", state.filter.bad[k], traced.bad[k], 1e-11);
        }
    }
}

#[test]
fn labels_of_the_histories() {
    let model = Model::default();
    let labels: Vec<_> = vectors()
        .histories
        .iter()
        .map(|history| {
            let number = history.name.split(':').next().expect("numbered").to_owned();
            format!("{number} {}", state(&model, &history.results).label())
        })
        .collect();
    insta::assert_snapshot!(labels.join(", "), @"V0 new, V1 new, V2 healthy, V3 broken, V4 flaky, V5 flaky, V6 fixed, V7 broken, V8 fixed, V9 fixed, V10 flaky, V11 flaky, V12 recovering, V13 broken, V14 broken, V15 flaky, V16 flaky, V17 fixed, V18 flaky, V19 fixed, V20 healthy");
}

#[test]
fn the_aggregate() {
    let model = Model::default();
    let Vectors { histories, aggregate: expected, .. } = vectors();
    let mut all = Aggregate::default();
    for (times, history) in &expected.members {
        let state = state(&model, &histories[*history].results);
        for _ in 0..*times {
            all.add(&state.reading(&model), state.label());
        }
    }
    let clean = all.clean();
    for (name, found, expected) in [
        ("spurious failures", all.expected_spurious(), expected.expected_spurious),
        ("broken tests", all.expected_broken(), expected.expected_broken),
        ("clean", clean.p, expected.p_clean),
        ("hit", all.flake_chance(), expected.flake_chance),
        ("the lower end", clean.q05, expected.q05),
        ("the upper end", clean.q95, expected.q95),
    ] {
        check("aggregate", name, found, expected, 1e-9);
    }
    assert_eq!((all.tests(), all.labelled(Label::Broken), all.labelled(Label::Flaky)), (1_000, 1, 2));
}

#[test]
fn the_trend() {
    for counted in vectors().trend {
        let fast = Events { events: counted.kf, results: counted.nf };
        let slow = Events { events: counted.ks, results: counted.ns };
        let found = fast.against(slow).expect("both have results");
        for (name, found, expected) in [
            ("fast", found.rate, counted.fast),
            ("slow", found.other, counted.slow),
            ("z", found.z, counted.z),
            ("p_worse", found.p_worse, counted.p_worse),
        ] {
            check("trend", name, found, expected, 1e-9);
        }
    }
}
