//! Runs to be kept, played as a listener would.

use app::domain::event::{RunEvent, RunStarted, TestAbout, TestRef, Text};
use app::domain::ids::{RunId, SetupId};
use app::domain::name::{RunKey, SetupName};
use app::domain::plan::{Plan, PlannedSuite, PlannedTest};
use app::domain::run::Run;
use app::domain::suite::{Phase, SuitePath};
use app::domain::test::Verdict;
use app::domain::time::{Micros, Timestamp};
use server::store::rows::*;
use server::store::{Group, Store, StoreError};
use uuid::Uuid;

pub fn at(second: i64) -> Timestamp {
    Timestamp(second * 1_000_000)
}

pub fn path(names: &[&str]) -> SuitePath {
    names.iter().map(|name| (*name).into()).collect()
}

pub fn test_ref(name: &str, attempt: u32) -> TestRef {
    TestRef { suite: path(&["Root", "Valves"]), name: name.into(), parameters: None, attempt }
}

pub fn finished(name: &str, attempt: u32, verdict: Verdict, seconds: i64) -> RunEvent {
    let duration = Some(Micros::from_secs(seconds));
    let message = verdict.is_failure().then(|| format!("{name} broke").into());
    let text = message.map(|message| Box::new(Text { message: Some(message), trace: Some("at line 7".into()) }));
    RunEvent::TestFinished { test: test_ref(name, attempt), verdict, duration, text }
}

pub const END: RunEvent = RunEvent::Finished { aborted: false, shard: None };

/// A run of a setup, played by these events, one a second from `start`.
pub fn run_of(setup: SetupId, key: &str, start: i64, events: &[RunEvent]) -> Run {
    let mut run = Run::new(RunId(Uuid::new_v4()), setup, RunKey::stored(key));
    for (event, second) in events.iter().zip(start..) {
        run.apply(event, at(second), at(second), Micros(0));
    }
    run
}

/// Writes everything of a run that changed.
pub async fn save(group: &mut Group, run: &mut Run, created_at: Timestamp, version: i64) -> Result<(), StoreError> {
    let touched = run.take_touched();
    group.run_save(&[RunRow::of(run, created_at, version)]).await?;
    let suites: Vec<_> = touched.suites.iter().map(|ordinal| SuiteRow::of(run, *ordinal, version)).collect();
    group.suite_save(&suites).await?;
    let tests: Vec<_> = touched.tests.iter().map(|ordinal| TestRow::of(run, *ordinal, version)).collect();
    group.test_save(&tests).await?;
    let pasts: Vec<_> = tests.iter().filter_map(|row| PastRow::of(row, created_at)).collect();
    group.past_save(&pasts).await?;
    let texts: Vec<_> = touched
        .texts
        .into_iter()
        .map(|(ordinal, attempt, Text { message, trace })| TextRow { run: run.id, ordinal, attempt, message, trace })
        .collect();
    group.text_save(&texts).await?;
    let scripts: Vec<_> = touched.scripts.into_iter().map(|(id, body)| ScriptRow { id, body }).collect();
    group.script_save(&scripts).await
}

pub fn touch(name: &str, heard: i64) -> SetupTouch {
    SetupTouch {
        id: SetupId(Uuid::new_v4()),
        name: SetupName::stored(name),
        version: 1,
        heard_at: Some(at(heard)),
        now: at(heard),
        attributes: None,
    }
}

pub async fn setup(store: &Store, name: &str) -> SetupId {
    let mut group = store.begin_group().await.expect("the store is free");
    let touched = group.setup_touch(&[touch(name, 1)]).await.expect("a new setup");
    group.commit().await.expect("commits");
    touched[0].id
}

/// A run of every sort of thing, saved whole.
pub async fn saved(store: &Store, setup: SetupId, key: &str, start: i64, events: &[RunEvent]) -> Run {
    let mut run = run_of(setup, key, start, events);
    let mut group = store.begin_group().await.expect("the store is free");
    save(&mut group, &mut run, at(start), start).await.expect("saves");
    group.commit().await.expect("commits");
    run
}

pub fn rich_events() -> Vec<RunEvent> {
    let planned = PlannedTest { name: "opens".into(), script: Some("Open  valve".into()), ..PlannedTest::default() };
    let inner = PlannedSuite {
        name: "Valves".into(),
        source: Some("valves.robot".into()),
        script: Some("*** Test Cases ***".into()),
        tests: vec![planned, PlannedTest { name: "50%_shut".into(), ..PlannedTest::default() }],
        ..PlannedSuite::default()
    };
    let root = PlannedSuite { name: "Root".into(), suites: vec![inner], ..PlannedSuite::default() };
    let about = TestAbout {
        source: Some("valves.robot".into()),
        line: Some(12),
        tags: vec!["slow".into(), "bench".into()],
        owner: Some("Ada \"Œuvre\"".into()),
    };
    let mut other = test_ref("parametrised", 1);
    other.parameters = Some("pressure=7".into());
    vec![
        RunEvent::Planned(Plan { suites: vec![root] }),
        RunEvent::Started(Box::new(RunStarted {
            name: Some("Nightly".into()),
            branch: Some("main".into()),
            commit: Some("c0ffee".into()),
            attributes: [("rig".into(), "A".into())].into(),
            ..RunStarted::default()
        })),
        RunEvent::SuiteStarted { suite: path(&["Root"]), total_tests: Some(3), source: None },
        RunEvent::SuitePhase { suite: path(&["Root"]), phase: Phase::Setup },
        RunEvent::SuiteStarted { suite: path(&["Root", "Valves"]), total_tests: Some(3), source: None },
        RunEvent::TestStarted { test: test_ref("opens", 1), about: Box::new(about) },
        finished("opens", 1, Verdict::Failed, 2),
        finished("opens", 2, Verdict::Passed, 3),
        finished("50%_shut", 1, Verdict::Failed, 4),
        RunEvent::TestStarted { test: other, about: Box::default() },
        RunEvent::SuiteFinished {
            suite: path(&["Root", "Valves"]),
            verdict: Some(Verdict::Failed),
            message: Some("1 failed".into()),
        },
    ]
}

pub fn seen(run: &Run) -> String {
    format!("{:?} {:?} {:?} {:#?} {:#?} {:#?}", run.id, run.setup, run.key, run.facts(), run.suites(), run.tests())
}

pub fn names(rows: &[TestRow]) -> Vec<&str> {
    rows.iter().map(|row| &*row.test.name).collect()
}
