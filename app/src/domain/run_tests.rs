//! What must hold for a run, whatever its listener does.

use super::event::{RunEvent, RunStarted, TestRef, Text};
use super::file::{Attachment, Digest};
use super::ids::{RunId, SetupId};
use super::name::{ProjectName, RunKey};
use super::output::{Level, Output, Outputs, Place};
use super::plan::{Plan, PlannedSuite, PlannedTest};
use super::run::{Applied, Completion, Run, RunResult, RunState};
use super::suite::{Phase, SuitePath};
use super::test::{Outcome, Verdict};
use super::time::{Micros, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

fn fresh() -> Run {
    Run::new(RunId(Uuid::from_u128(1)), SetupId(Uuid::from_u128(2)), RunKey::stored("k"))
}

fn path(names: &[&str]) -> SuitePath {
    names.iter().map(|name| (*name).into()).collect()
}

fn test_ref(name: &str, attempt: u32) -> TestRef {
    TestRef { suite: path(&["Root", "S"]), name: name.into(), parameters: None, attempt }
}

fn started(name: &str) -> RunEvent {
    RunEvent::TestStarted { test: test_ref(name, 1), about: Box::default() }
}

fn finished(name: &str, attempt: u32, verdict: Verdict) -> RunEvent {
    RunEvent::TestFinished { test: test_ref(name, attempt), verdict, duration: None, text: None }
}

const END: RunEvent = RunEvent::Finished { aborted: false, shard: None };

fn play(events: &[RunEvent]) -> Run {
    let mut run = fresh();
    for (event, second) in events.iter().zip(1..) {
        let at = Timestamp(second * 1_000_000);
        run.apply(event, at, at, Micros(0));
    }
    run
}

fn plan_of(names: &[&str]) -> RunEvent {
    let tests = names.iter().map(|name| PlannedTest { name: (*name).into(), ..PlannedTest::default() });
    let inner = PlannedSuite { name: "S".into(), tests: tests.collect(), ..PlannedSuite::default() };
    let root = PlannedSuite { name: "Root".into(), suites: vec![inner], ..PlannedSuite::default() };
    RunEvent::Planned(Plan { suites: vec![root] })
}

#[test]
fn a_planned_run_waits_until_something_begins() {
    let run = play(&[plan_of(&["a", "b"])]);
    assert_eq!(run.state(), RunState::Waiting);
    let run = play(&[plan_of(&["a", "b"]), started("a")]);
    assert_eq!(run.state(), RunState::Running);
    let counts = run.counts();
    assert_eq!((counts.planned, counts.waiting, counts.running), (2, 1, 1));
    assert_eq!(run.current_test().map(|test| &*test.name), Some("a"));
}

#[test]
fn a_retry_that_passes_is_flaky_and_counts_once() {
    let run = play(&[started("a"), finished("a", 1, Verdict::Failed), finished("a", 2, Verdict::Passed), END]);
    let counts = run.counts();
    assert_eq!((counts.planned, counts.passed, counts.flaky), (1, 0, 1));
    assert_eq!(run.result(), Some(RunResult::Flaky));
}

#[test]
fn what_nobody_spoke_of_is_lost_or_cancelled() {
    let run = play(&[plan_of(&["a", "b"]), finished("a", 1, Verdict::Passed), END]);
    assert_eq!((run.counts().lost, run.result()), (1, Some(RunResult::Incomplete)));
    let aborted = RunEvent::Finished { aborted: true, shard: None };
    let run = play(&[plan_of(&["a", "b"]), started("a"), aborted]);
    assert_eq!((run.counts().cancelled, run.result()), (2, Some(RunResult::Cancelled)));
}

#[test]
fn a_late_event_is_joined_and_marked_and_reopens_nothing() {
    let mut run = play(&[started("a"), END]);
    let at = Timestamp(9_000_000);
    assert_eq!(run.apply(&finished("a", 1, Verdict::Failed), at, at, Micros(0)), Applied::Late);
    assert_eq!(run.state(), RunState::Finished);
    assert_eq!((run.facts().late, run.counts().failed, run.result()), (1, 1, Some(RunResult::Failed)));
}

#[test]
fn a_lost_run_is_incomplete_until_its_end_arrives_after_all() {
    let mut run = play(&[started("a")]);
    run.give_up(Timestamp(60_000_000));
    assert_eq!((run.state(), run.result()), (RunState::Lost, Some(RunResult::Incomplete)));
    assert_eq!(run.outcome(&run.tests()[0]), Outcome::Lost);
    let at = Timestamp(90_000_000);
    run.apply(&finished("a", 1, Verdict::Passed), at, at, Micros(0));
    assert_eq!(run.state(), RunState::Lost);
    run.apply(&END, at, at, Micros(0));
    assert_eq!((run.state(), run.result()), (RunState::Finished, Some(RunResult::Passed)));
}

#[test]
fn shards_with_chance_numbers_are_kept_in_any_order_and_not_without_end() {
    let numbers: Vec<u32> = (1..=10_005).map(|number| number * 7_919).collect();
    let said = |number: u32| {
        let started = RunStarted { shard: Some(number), total_tests: Some(1), ..RunStarted::default() };
        RunEvent::Started(Box::new(started))
    };
    let mut forth = fresh();
    let mut back = fresh();
    for (one, other) in numbers.iter().zip(numbers.iter().rev()) {
        forth.apply(&said(*one), Timestamp(1), Timestamp(1), Micros(0));
        back.apply(&said(*other), Timestamp(1), Timestamp(1), Micros(0));
    }
    assert_eq!(forth.facts().shards, back.facts().shards);
    assert_eq!((forth.facts().shards.started.len(), forth.facts().shards.total_tests()), (10_000, 10_000));
    assert_eq!(forth.facts().shards.completion(), Completion::Open);
}

#[test]
fn shards_join_one_run() {
    let start = |shard| {
        let started = RunStarted { shard: Some(shard), shards: Some(2), total_tests: Some(3), ..RunStarted::default() };
        RunEvent::Started(Box::new(started))
    };
    let end = |shard| RunEvent::Finished { aborted: false, shard: Some(shard) };
    let run = play(&[start(1), end(1)]);
    assert_eq!((run.state(), run.counts().planned), (RunState::Running, 3));
    let run = play(&[start(1), end(1), start(2), end(2)]);
    assert_eq!((run.state(), run.counts().planned), (RunState::Finished, 6));
}

#[test]
fn a_clock_hours_ahead_is_corrected_and_keeps_durations() {
    let mut run = fresh();
    let hours = Micros::from_secs(5 * 3_600);
    let here = |second: i64| Timestamp(second * 1_000_000);
    run.apply(&started("a"), here(10) + hours, here(10), Micros(-hours.0));
    run.apply(&finished("a", 1, Verdict::Passed), here(14) + hours, here(14), Micros(-hours.0));
    assert_eq!(run.started_at(), Some(here(10)));
    assert_eq!(run.tests()[0].duration(), Some(Micros::from_secs(4)));
    assert!(run.facts().clock.correction().is_some());
}

#[test]
fn a_change_of_project_gives_every_test_its_new_identity() {
    let mut run = play(&[started("a")]);
    let before = run.tests()[0].id;
    run.take_touched();
    assert!(run.name_project(Timestamp(1), &ProjectName::stored("pump")));
    assert_ne!(run.tests()[0].id, before);
    assert_eq!(run.take_touched().tests.len(), 1);
    assert!(!run.name_project(Timestamp(1), &ProjectName::stored("pump")));
}

fn put_out(place: Place, has_file: bool) -> RunEvent {
    let attachment = has_file.then(|| Attachment {
        file: Digest([1; 32]),
        name: "a.png".into(),
        media_type: "image/png".into(),
        size: 1,
    });
    RunEvent::Output(Box::new(Output { place, level: Some(Level::Info), attachment }))
}

fn any_place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Run),
        prop::sample::select(vec![path(&["Root"]), path(&["Root", "S"])]).prop_map(Place::Suite),
        (prop::sample::select(vec!["a", "b", "c", "d"]), 1..4_u32)
            .prop_map(|(name, attempt)| Place::Test(test_ref(name, attempt))),
    ]
}

#[test]
fn output_is_known_of_what_it_belongs_to_whichever_came_first() {
    let lines = put_out(Place::Test(test_ref("a", 1)), false);
    let picture = put_out(Place::Suite(path(&["Root", "S"])), true);
    for events in [[lines.clone(), picture.clone(), started("a")], [started("a"), picture, lines]] {
        let mut run = play(&events);
        assert_eq!(run.tests()[0].outputs, Outputs { lines: true, files: false });
        assert_eq!(run.suites()[0].outputs, Outputs { lines: true, files: true });
        assert_eq!(run.facts().outputs, Outputs { lines: true, files: true });
        assert_eq!(run.take_touched().files.len(), 1);
        assert_eq!(run.counts().planned, 1);
    }
    let run = play(&[put_out(Place::Test(test_ref("never begun", 1)), true)]);
    assert!(run.tests().is_empty(), "output makes no test");
}

fn any_event() -> impl Strategy<Value = RunEvent> {
    let name = prop::sample::select(vec!["a", "b", "c", "d"]);
    let verdict = prop::sample::select(Verdict::ALL.to_vec());
    let message = prop::option::of(prop::sample::select(vec!["x", "y"]));
    prop_oneof![
        Just(plan_of(&["a", "b", "c"])),
        Just(plan_of(&["d", "c"])),
        (0..3_u32, prop::option::of(0..3_u32), 0..9_u32).prop_map(|(shards, shard, total)| {
            RunEvent::Started(Box::new(RunStarted {
                name: Some(format!("run {total}").into()),
                total_tests: Some(total),
                shard,
                shards: Some(shards),
                ..RunStarted::default()
            }))
        }),
        (name.clone(), 1..4_u32)
            .prop_map(|(name, attempt)| RunEvent::TestStarted { test: test_ref(name, attempt), about: Box::default() }),
        (name, 1..4_u32, verdict.clone(), message).prop_map(|(name, attempt, verdict, message)| {
            let text = message.map(|message| Box::new(Text { message: Some(message.into()), trace: None }));
            RunEvent::TestFinished { test: test_ref(name, attempt), verdict, duration: None, text }
        }),
        prop::sample::select(Phase::ALL.to_vec())
            .prop_map(|phase| RunEvent::SuitePhase { suite: path(&["Root", "S"]), phase }),
        (prop::option::of(verdict), 0..9_u32).prop_map(|(verdict, _)| RunEvent::SuiteFinished {
            suite: path(&["Root", "S"]),
            verdict,
            message: None
        }),
        (any_place(), any::<bool>()).prop_map(|(place, has_file)| put_out(place, has_file)),
        Just(RunEvent::SuiteStarted { suite: path(&["Root"]), total_tests: Some(4), source: None }),
        (any::<bool>(), prop::option::of(0..3_u32)).prop_map(|(aborted, shard)| RunEvent::Finished { aborted, shard }),
    ]
}

/// Everything that must not depend on the order, in an order of its own.
fn seen(run: &Run) -> String {
    let mut suites: Vec<_> = run.suites().iter().map(|suite| format!("{suite:?}")).collect();
    let mut tests: Vec<_> = run
        .tests()
        .iter()
        .map(|test| {
            let path = &run.suites()[test.suite as usize].path;
            let mut test = test.clone();
            test.suite = 0;
            format!("{path:?} {test:?}")
        })
        .collect();
    suites.sort();
    tests.sort();
    let mut facts = run.facts().clone();
    facts.late = 0;
    format!("{:?} {:?} {:?}\n{facts:?}\n{suites:#?}\n{tests:#?}", run.state(), run.result(), run.counts())
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_end_in_the_same_run(
        events in prop::collection::vec((any_event(), 0..50_i64, 0..1_000_i64), 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..120),
    ) {
        let join = |run: &mut Run, (event, at, delay): &(RunEvent, i64, i64)| {
            let at = Timestamp(at * 1_000_000);
            let delay = Micros(*delay);
            run.apply(event, at, at + delay, delay);
        };
        let mut straight = fresh();
        events.iter().for_each(|event| join(&mut straight, event));

        let mut shuffled = fresh();
        order.iter().for_each(|pick| join(&mut shuffled, pick.get(&events)));
        events.iter().rev().for_each(|event| join(&mut shuffled, event));
        prop_assert_eq!(seen(&straight), seen(&shuffled));

        let counts = straight.counts();
        prop_assert_eq!(counts.planned, counts.done() + counts.waiting + counts.running);
    }

    #[test]
    fn a_restored_run_is_the_run(events in prop::collection::vec((any_event(), 0..50_i64), 1..40)) {
        let mut run = fresh();
        for (event, at) in &events {
            let at = Timestamp(at * 1_000_000);
            run.apply(event, at, at, Micros(0));
        }
        let restored = Run::restore(
            run.id, run.setup, run.key.clone(), run.facts().clone(), run.suites().to_vec(), run.tests().to_vec(),
        );
        prop_assert_eq!(seen(&run), seen(&restored));
    }
}
