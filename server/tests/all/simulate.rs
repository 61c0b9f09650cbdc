//! The core of the simulation: no server, no network, no clock.

use app::domain::counts::Counts;
use app::domain::test::{Outcome, Verdict};
use app::domain::time::{Micros, Timestamp};
use serde_json::Value;
use server::simulate::batch::{Batch, Lane};
use server::simulate::bench::Bench;
use server::simulate::character::Character;
use server::simulate::moment::{Moment, What};
use server::simulate::script::Run;
use server::simulate::world::{Shape, World};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

const EPOCH: Timestamp = Timestamp(1_772_366_400_000_000);
const SHAPE: Shape = Shape { seed: 7, session: 1, setups: 12, tests: 40, speed: 4.0 };

fn said(shape: Shape, setup: u32, count: usize) -> Vec<Value> {
    let bench = World::new(shape).bench(setup);
    bench.live(0).take(count).map(|moment| bench.render(&moment, EPOCH)).collect()
}

fn bench_of(world: &Arc<World>, character: Character) -> Arc<Bench> {
    world.benches().into_iter().find(|bench| bench.character() == character).expect("twelve setups show all")
}

/// The runs of a bench one after the other, as its live stream plays them.
fn runs(bench: &Arc<Bench>, count: usize) -> Vec<Run> {
    let mut live: Vec<Run> = Vec::new();
    for moment in bench.live(0) {
        let Some(head) = moment.run else { continue };
        if live.last().is_none_or(|run| run.head().number != head.number) {
            if live.len() == count {
                break;
            }
            live.push(bench.run(head.number, head.start));
        }
    }
    live
}

#[test]
fn the_same_seed_says_the_same_and_another_seed_does_not() {
    for setup in 0..12 {
        let first = said(SHAPE, setup, 600);
        assert_eq!(first, said(SHAPE, setup, 600));
        assert_ne!(first, said(Shape { seed: 8, ..SHAPE }, setup, 600));
    }
}

#[test]
fn another_session_changes_ids_and_run_keys_alone() {
    let without = |mut event: Value| {
        let fields = event.as_object_mut().expect("an object");
        fields.remove("id");
        fields.remove("run");
        event
    };
    for (one, other) in said(SHAPE, 3, 500).into_iter().zip(said(Shape { session: 2, ..SHAPE }, 3, 500)) {
        assert_ne!(one["id"], other["id"]);
        assert_eq!(without(one), without(other));
    }
}

#[test]
fn a_bench_does_not_depend_on_how_many_others_there_are() {
    assert_eq!(said(SHAPE, 4, 300), said(Shape { setups: 500, ..SHAPE }, 4, 300));
}

#[test]
fn every_event_is_well_formed() {
    for tests in [1, 40, 300] {
        let world = World::new(Shape { tests, ..SHAPE });
        for bench in world.benches() {
            for moment in bench.live(0).take(1_200) {
                check(&bench.render(&moment, EPOCH));
            }
            for run in bench.history(3) {
                run.moments().iter().for_each(|moment| check(&bench.render(moment, EPOCH)));
            }
        }
    }
}

type Rule = fn(&Value) -> bool;

/// What the contract asks of an event.
fn check(event: &Value) {
    let kind = text(event, "type", 40);
    let required: &[&str] = match kind {
        "run.planned" => &["plan"],
        "run.started" | "run.finished" => &[],
        "suite.started" | "suite.finished" => &["suite"],
        "suite.phase" => &["suite", "phase"],
        "test.started" => &["suite", "test"],
        "test.finished" => &["suite", "test", "verdict"],
        "log" => &["level", "message"],
        "setup.heartbeat" => &[],
        "setup.described" => &["attributes"],
        _ => panic!("unknown type: {event}"),
    };
    assert!(required.iter().all(|field| event.get(field).is_some()), "{event}");
    assert!(Timestamp::from_rfc3339(text(event, "at", 40)).is_some(), "{event}");
    assert!(uuid::Uuid::parse_str(text(event, "id", 36)).is_ok(), "{event}");
    text(event, "setup", 200);
    text(event, "project", 200);
    assert_eq!(event.get("run").is_some(), !kind.starts_with("setup."), "{event}");
    let given = |field: &str| event.get(field).is_some();
    if given("run") {
        text(event, "run", 200);
    }
    if given("test") {
        text(event, "test", 1_000);
    }
    let each: [(&str, Rule); 9] = [
        ("suite", is_path),
        ("commit", is_commit),
        ("verdict", |verdict| verdict.as_str().and_then(Verdict::parse).is_some()),
        ("attempt", |attempt| attempt.as_u64() >= Some(1)),
        ("duration_ms", Value::is_u64),
        ("total_tests", Value::is_u64),
        ("line", Value::is_u64),
        ("shard", Value::is_u64),
        ("shards", Value::is_u64),
    ];
    for (field, is_fine) in each {
        assert!(event.get(field).is_none_or(is_fine), "{field}: {event}");
    }
    assert!(!has_null(event), "{event}");
}

fn text<'a>(event: &'a Value, field: &str, max: usize) -> &'a str {
    let text = event.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no {field}: {event}"));
    assert!((1..=max).contains(&text.chars().count()) && !text.chars().any(char::is_control), "{field}: {event}");
    text
}

fn is_path(path: &Value) -> bool {
    path.as_array().is_some_and(|path| (1..=3).contains(&path.len()) && path.iter().all(Value::is_string))
}

fn is_commit(commit: &Value) -> bool {
    commit.as_str().is_some_and(|commit| commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

#[test]
fn streams_are_in_the_order_of_delivery_and_ids_repeat_only_on_an_unreliable_line() {
    let world = World::new(SHAPE);
    for bench in world.benches() {
        let moments: Vec<Moment> = bench.live(0).take(4_000).collect();
        assert!(moments.is_sorted_by_key(|moment| moment.due), "{}", bench.name());
        let ids: HashSet<_> = moments.iter().map(|moment| moment.id).collect();
        let disturbed = moments.iter().any(|moment| moment.due > moment.at);
        let is_unreliable = bench.character() == Character::Unreliable;
        assert_eq!((ids.len() < moments.len(), disturbed), (is_unreliable, is_unreliable), "{}", bench.name());
    }
}

#[test]
fn a_run_that_ends_says_so_last_and_one_that_dies_never_does() {
    let world = World::new(SHAPE);
    for bench in world.benches() {
        for run in runs(&bench, 8) {
            let ends = run.moments().iter().filter(|moment| matches!(moment.what, What::Finished { .. })).count();
            assert_eq!(ends, if run.ends() { run.head().shards } else { 0 });
            let last = run.moments().iter().max_by_key(|moment| moment.at).expect("a run says something");
            assert_eq!(matches!(last.what, What::Finished { .. }), run.ends(), "{}", bench.name());
            assert!(run.end() >= last.at);
        }
    }
}

/// Counts from the events alone, by the rules of the contract.
fn count(bench: &Bench, run: &Run) -> Counts {
    let mut attempts: HashMap<String, BTreeMap<u64, Option<Verdict>>> = HashMap::new();
    let (mut promised, mut aborted) = (BTreeMap::new(), false);
    for event in run.moments().iter().map(|moment| bench.render(moment, EPOCH)) {
        let key = format!("{}{}{}", event["suite"], event["test"], event["parameters"]);
        let attempt = event["attempt"].as_u64().unwrap_or(1);
        match event["type"].as_str().expect("a type") {
            "run.started" => {
                promised.insert(event["shard"].as_u64(), event["total_tests"].as_u64().expect("a number"));
            }
            "test.started" => {
                attempts.entry(key).or_default().entry(attempt).or_default();
            }
            "test.finished" => {
                let verdict = event["verdict"].as_str().and_then(Verdict::parse);
                attempts.entry(key).or_default().insert(attempt, verdict);
            }
            "run.finished" => aborted |= event["aborted"] == true,
            _ => {}
        }
    }
    let mut counts = Counts { planned: promised.values().sum::<u64>() as u32, ..Counts::default() };
    attempts.values().for_each(|attempts| *counts.of(outcome(attempts)) += 1);
    if aborted {
        counts.cancelled += counts.planned - counts.done();
    }
    counts
}

fn outcome(attempts: &BTreeMap<u64, Option<Verdict>>) -> Outcome {
    match attempts.values().last().copied().flatten() {
        None => Outcome::Running,
        Some(verdict) if verdict.is_failure() => Outcome::Failed,
        Some(verdict) if verdict.is_pass() && attempts.len() > 1 => Outcome::Flaky,
        Some(verdict) if verdict.is_pass() => Outcome::Passed,
        Some(Verdict::Skipped) => Outcome::Skipped,
        Some(_) => Outcome::Cancelled,
    }
}

#[test]
fn the_counts_come_out_as_the_bench_intends() {
    for (seed, tests) in [(7, 40), (1, 1), (2, 2), (3, 133)] {
        let world = World::new(Shape { seed, tests, ..SHAPE });
        for bench in world.benches() {
            let past: Vec<Run> = bench.history(10).collect();
            for run in runs(&bench, 6).iter().chain(&past) {
                let Some(expected) = run.expected_counts() else { continue };
                assert_eq!(count(&bench, run), expected, "{} {}", bench.name(), run.head().key);
                assert_eq!((expected.planned, expected.done()), (tests, tests));
            }
        }
    }
}

#[test]
fn twelve_setups_show_every_character_at_work() {
    let world = World::new(SHAPE);
    let total = |character, of: fn(&Counts) -> u32| -> u32 {
        let runs = runs(&bench_of(&world, character), 20);
        runs.iter().filter_map(Run::expected_counts).map(|counts| of(&counts)).sum()
    };
    assert_eq!(total(Character::Steady, |counts| counts.planned - counts.passed), 0);
    assert!(total(Character::FlakyRetried, |counts| counts.flaky) > 0);
    assert!(total(Character::Flaky, |counts| counts.failed) > 0);
    assert!(total(Character::Skipping, |counts| counts.skipped) > 0);
    assert!(total(Character::Aborting, |counts| counts.cancelled) > 0);
    let of =
        |character, is: fn(&Run) -> bool| runs(&bench_of(&world, character), 20).iter().filter(|run| is(run)).count();
    assert!((1..20).contains(&of(Character::Dying, |run| !run.ends())));
    assert!((1..20).contains(&of(Character::Slow, |run| run.head().slow.is_some())));
    assert_eq!(of(Character::Sharded, |run| run.head().shards == 2), 20);
}

#[test]
fn a_commit_breaks_a_few_tests_and_a_later_one_repairs_them() {
    let bench = bench_of(&World::new(SHAPE), Character::Regressing);
    let mut by_commit: BTreeMap<i64, HashSet<u32>> = BTreeMap::new();
    // The incidents that reach other benches may reach this one too; they hit
    // far more tests than a defect does.
    for run in bench.history(42).filter(|run| run.expected_counts().is_some_and(|counts| counts.failed <= 3)) {
        let failed = run.expected_counts().expect("a finished run").failed;
        by_commit.entry(run.head().commit_number).or_default().insert(failed);
    }
    assert!(by_commit.values().all(|failed| failed.len() == 1), "a commit always fails alike");
    let failed: Vec<bool> = by_commit.values().map(|failed| !failed.contains(&0)).collect();
    assert!(failed.windows(2).filter(|pair| pair == &[false, true]).count() >= 3, "{failed:?}");
    assert!(failed.windows(2).filter(|pair| pair == &[true, false]).count() >= 3, "{failed:?}");
}

#[test]
fn an_incident_hits_several_setups_at_the_same_moment_and_about_a_fifth_of_a_run() {
    let world = World::new(Shape { setups: 24, tests: 100, ..SHAPE });
    let mut hit: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for bench in world.benches() {
        for run in bench.history(40) {
            let failed = run
                .moments()
                .iter()
                .filter(|moment| matches!(moment.what, What::TestFinished { verdict, .. } if verdict.is_failure()));
            let first = failed.clone().next().map(|moment| moment.at);
            let count = failed.count() as u32;
            if let Some(incident) = first.and_then(|at| world.incident(at)).filter(|_| count > 5) {
                hit.entry(incident).or_default().push(count);
            }
        }
    }
    assert!(hit.len() >= 3, "{hit:?}");
    assert!(hit.values().filter(|counts| counts.len() >= 3).count() >= 2, "{hit:?}");
    let all: Vec<u32> = hit.into_values().flatten().collect();
    let mean = all.iter().sum::<u32>() as f64 / all.len() as f64;
    assert!((10.0..35.0).contains(&mean), "{mean}");
}

#[test]
fn the_past_is_over_before_the_present_begins_and_every_run_in_it_ended() {
    let world = World::new(SHAPE);
    for bench in world.benches() {
        let past: Vec<Run> = bench.history(30).collect();
        let expected = if bench.character() == Character::LongIdle { 6 } else { 30 };
        assert_eq!(past.len(), expected, "{}", bench.name());
        assert!(past.iter().all(|run| run.ends() && run.end() < Micros(0)));
        assert!(past.windows(2).all(|pair| pair[0].end() < pair[1].head().start));
        let first = bench.live(30).find_map(|moment| moment.run).expect("a run follows");
        assert_eq!(first.number, 30);
    }
}

#[test]
fn a_bench_speaks_often_while_it_runs_and_dying_is_long_silence() {
    let world = World::new(Shape { speed: 0.5, ..SHAPE });
    for bench in world.benches() {
        for run in runs(&bench, 4) {
            let times: Vec<i64> = run.moments().iter().map(|moment| moment.at.0).collect();
            let mut sorted = times.clone();
            sorted.sort_unstable();
            assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] <= 15_000_000), "{}", bench.name());
        }
    }
    let dying = runs(&bench_of(&world, Character::Dying), 12);
    for pair in dying.windows(2).filter(|pair| !pair[0].ends()) {
        assert!(pair[1].head().start.0 - pair[0].end().0 >= 180_000_000);
    }
}

#[test]
fn speed_shortens_durations_and_times_alike() {
    let slow = World::new(Shape { speed: 1.0, ..SHAPE }).bench(0).run(0, Micros(0));
    let fast = World::new(Shape { speed: 10.0, ..SHAPE }).bench(0).run(0, Micros(0));
    let ratio = slow.end().0 as f64 / fast.end().0 as f64;
    assert!((9.99..10.01).contains(&ratio), "{ratio}");
    let tests = |run: &Run| -> i64 {
        let took = |moment: &Moment| if let What::TestFinished { took, .. } = moment.what { took.0 } else { 0 };
        run.moments().iter().map(took).sum()
    };
    assert!((9.9..10.1).contains(&(tests(&slow) as f64 / tests(&fast) as f64)));
}

#[test]
fn names_are_unique_and_a_thousand_setups_have_five_projects() {
    let benches = World::new(Shape { setups: 1_000, tests: 3, ..SHAPE }).benches();
    assert_eq!(benches.iter().map(|bench| bench.name().to_owned()).collect::<HashSet<_>>().len(), 1_000);
    assert_eq!(benches.iter().map(|bench| bench.project().words.project).collect::<HashSet<_>>().len(), 5);
}

#[test]
fn a_lane_keeps_each_benchs_order_and_says_nothing_early() {
    let benches = World::new(SHAPE).benches();
    let mut lane = Lane::new(benches.iter().map(|bench| bench.live(0)));
    let mut heard: HashMap<String, Vec<String>> = HashMap::new();
    let mut now = Micros(0);
    while now < Micros::from_secs(120) {
        let batch = lane.take_due(now, EPOCH);
        for line in batch.body.lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let at = Timestamp::from_rfc3339(event["at"].as_str().expect("a time")).expect("a time");
            assert!(at <= EPOCH + now);
            let (setup, id) = (event["setup"].as_str().expect("a name"), event["id"].as_str().expect("an id"));
            heard.entry(setup.to_owned()).or_default().push(id.to_owned());
        }
        if !batch.is_full() {
            now = Micros(now.0 + 250_000);
        }
    }
    for bench in &benches {
        let ids = &heard[bench.name()];
        let expected: Vec<String> = bench.live(0).take(ids.len()).map(|moment| moment.id.to_string()).collect();
        assert_eq!(*ids, expected, "{}", bench.name());
    }
}

#[test]
fn the_largest_plan_fits_into_a_request() {
    let world = World::new(Shape { setups: 5, tests: 10_000, ..SHAPE });
    for bench in world.benches() {
        let plan = bench.live(0).find(|moment| moment.what == What::Planned).expect("a plan");
        let mut batch = Batch::default();
        batch.push(&bench, &plan, EPOCH);
        assert!(batch.body.len() < 5 * 1024 * 1024, "{}", batch.body.len());
    }
}
