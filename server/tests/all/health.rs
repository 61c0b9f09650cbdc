//! From results to the health of tests and the marks on their strip.

use crate::harness::{TestServer, eventually};
use app::domain::health::{Label, Model};
use app::ecg::EventKind;
use app::read::Pulse;
use server::service::rebuild;
use server::store::rows::HealthRow;
use server::store::{Store, StoreUrl};
use std::path::Path;
use tempfile::TempDir;

async fn pulse(server: &TestServer, setup: &str) -> Pulse {
    server.service().settled().await;
    server.service().itself().setup(setup).await.expect("it may").expect("it is on the board").pulse.clone()
}

fn marks(pulse: &Pulse, kind: EventKind) -> Vec<&str> {
    pulse.marks.iter().filter(|mark| mark.kind == kind).map(|mark| &*mark.test).collect()
}

async fn open(folder: &Path) -> Store {
    let url = format!("sqlite:{}", folder.join("holter.db").display());
    Store::open(&StoreUrl::parse(&url).expect("a url")).await.expect("it opens")
}

/// A copy of its store, once the server has stopped.
async fn copied(server: TestServer) -> (Store, TempDir) {
    let copy = tempfile::tempdir().expect("a folder");
    let store = open(server.folder()).await;
    store.backup(&copy.path().join("holter.db")).await.expect("copies");
    store.close().await;
    server.stop().await;
    (open(copy.path()).await, copy)
}

/// All that is known, by test.
async fn known(store: &Store) -> Vec<HealthRow> {
    let mut rows = Vec::new();
    for run in store.run_latest_list().await.expect("reads") {
        for test in store.run_load(run.id).await.expect("reads").expect("is there").tests() {
            rows.extend(store.health_of_test(test.id).await.expect("reads"));
        }
    }
    rows.sort_by_key(|row| row.test);
    rows
}

#[tokio::test]
async fn a_flaky_result_is_one_ectopic_beat_and_a_failure_one_dropped_beat() {
    let server = TestServer::start().await;
    server.rig("A").run("1").passes(3).flaky("x").fails("y").open().await;
    let before = pulse(&server, "A").await;
    assert_eq!(marks(&before, EventKind::Flaky), ["x"]);
    assert!(marks(&before, EventKind::Failure).is_empty(), "y may yet be tried again");
    assert_eq!((before.latest.results, before.latest.failed), (5, 1));
    assert!(before.throughput.per_minute(server.service().now()) > 0.0);

    server.rig("A").run("1").passes(3).flaky("x").fails("y").done().await;
    let after = pulse(&server, "A").await;
    assert_eq!(marks(&after, EventKind::Flaky), ["x"], "told twice, it is the same result");
    assert_eq!(marks(&after, EventKind::Failure), ["y"]);
    assert_eq!((after.tests.all, after.tests.flaky), (5, 0), "two results are too few to call it anything");
    server.stop().await;
}

#[tokio::test]
async fn a_failure_that_nobody_tries_again_counts_after_a_while() {
    let server = TestServer::start().await;
    server.rig("A").run("1").passes(1).fails("y").open().await;
    assert!(marks(&pulse(&server, "A").await, EventKind::Failure).is_empty());
    server.pass(3);
    eventually("the failure counts", || async {
        (marks(&pulse(&server, "A").await, EventKind::Failure) == ["y"]).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn history_that_is_told_afterwards_is_no_news_for_the_strip() {
    let server = TestServer::start().await;
    server.pass(-3_600);
    let events = server.rig("A").run("1").passes(3).flaky("x").fails("y").events();
    server.pass(3_600);
    let request = server.events(events.to_string()).header("holter-clock", "trusted");
    server.send(request).await.ok();
    let pulse = pulse(&server, "A").await;
    assert_eq!(pulse.tests.all, 5);
    assert!(pulse.marks.is_empty(), "{:?}", pulse.marks);
    server.stop().await;
}

#[tokio::test]
async fn a_test_that_fails_and_passes_again_is_called_flaky_and_rebuilding_finds_the_same() {
    let server = TestServer::start().await;
    for number in 0..12 {
        let script = server.rig("A").run(&number.to_string()).passes(4);
        let script = if number % 4 == 3 { script.flaky("x") } else { script.with("commit", "c0ffee") };
        script.fails("y").done().await;
        server.pass(600);
    }
    let told = pulse(&server, "A").await;
    assert_eq!((told.tests.flaky, told.tests.broken), (1, 1));
    let flake = told.flake.expect("there were results");
    assert!(flake.mean > 0.05 && flake.low < flake.mean && flake.mean < flake.high, "{flake:?}");

    let (store, _folder) = copied(server).await;
    let grown = known(&store).await;
    let labels: Vec<_> = grown.iter().filter(|row| row.label != Label::Healthy).map(|row| row.label).collect();
    assert!(labels.contains(&Label::Flaky) && labels.contains(&Label::Broken), "{labels:?}");
    let sums = store.setup_health_list().await.expect("reads");
    let rebuilt = rebuild::rebuild(&store, &Model::default()).await.expect("rebuilds");
    assert_eq!((rebuilt.setups, rebuilt.runs), (1, 12));
    assert_eq!(known(&store).await, grown);
    assert_eq!(store.setup_health_list().await.expect("reads"), sums);
    store.close().await;
}

#[tokio::test]
async fn runs_that_come_at_once_are_judged_as_they_began() {
    let server = TestServer::start().await;
    let mut events = Vec::new();
    // Their names say the contrary.
    for key in ["c", "b", "a"] {
        server.pass(-7_200);
        let script = server.rig("A").run(key).passes(2);
        let script = if key == "a" { script.flaky("y") } else { script.fails("y") };
        let told = script.events();
        events.extend(told.as_array().expect("a list").clone());
        server.pass(7_200 + 600);
    }
    let request = server.events(serde_json::Value::from(events).to_string()).header("holter-clock", "trusted");
    server.send(request).await.ok();
    pulse(&server, "A").await;
    let (store, _folder) = copied(server).await;
    let told = known(&store).await;
    assert_eq!(told.len(), 3);
    rebuild::rebuild(&store, &Model::default()).await.expect("rebuilds");
    assert_eq!(known(&store).await, told);
    store.close().await;
}

#[tokio::test]
async fn what_is_known_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("holter.db").display());
    let first = TestServer::start_with(true, |config| config.database_url = url.clone()).await;
    for number in 0..8 {
        first.rig("A").run(&number.to_string()).passes(4).flaky("x").done().await;
        first.pass(600);
    }
    let before = pulse(&first, "A").await;
    first.stop().await;
    let second = TestServer::start_with(true, |config| config.database_url = url).await;
    let after = pulse(&second, "A").await;
    assert_eq!((after.flake, after.tests), (before.flake, before.tests));
    assert_eq!(after.tests.flaky, 1);
    second.stop().await;
}

#[tokio::test]
async fn many_failures_at_once_are_an_incident_and_leave_no_stain() {
    let server = TestServer::start().await;
    for number in 0..6 {
        server.rig("A").run(&number.to_string()).passes(4).flaky("x").done().await;
        server.pass(600);
    }
    let before = pulse(&server, "A").await;
    let mut script = server.rig("A").run("bad").passes(2);
    for number in 0..12 {
        script = script.fails(&format!("z{number}"));
    }
    script.done().await;
    let after = pulse(&server, "A").await;
    assert!(after.is_incident, "{after:?}");
    assert_eq!(after.tests.flaky, before.tests.flaky);
    server.stop().await;
}
