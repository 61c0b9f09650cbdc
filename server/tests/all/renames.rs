//! Tests that go on under another name: offered, joined, and taken back.

use crate::harness::{Answer, TestServer};
use app::domain::ids::TestId;
use app::domain::rights::Action;
use app::domain::test::Outcome;
use app::read::TestPage;
use serde_json::{Value, json};
use server::service::tokens::Scope;

async fn offers(server: &TestServer, run: &str) -> Vec<Value> {
    let list = server.get(&format!("/api/v1/runs/{run}/renames")).await.ok();
    list["items"].as_array().expect("items").clone()
}

async fn ids(server: &TestServer, run: &str) -> Vec<(String, TestId)> {
    let list = server.get(&format!("/api/v1/runs/{run}/tests")).await.ok();
    let id = |test: &Value| test["id"].as_str().expect("an id").parse().expect("an id");
    let tests = list["items"].as_array().expect("items").iter();
    tests.map(|test| (test["name"].as_str().expect("a name").to_owned(), id(test))).collect()
}

async fn page(server: &TestServer, test: TestId) -> TestPage {
    server.service().settled().await;
    server.service().itself().test(test).await.expect("it may").expect("it is known")
}

async fn join(server: &TestServer, was: &Value, now: &Value) -> Answer {
    let body = json!({"was": was, "now": now}).to_string();
    server.send(server.client.post(server.url("/api/v1/renames")).body(body)).await
}

async fn sick(server: &TestServer) -> Vec<String> {
    let list = server.get("/api/v1/flaky").await.ok();
    list["items"].as_array().expect("items").iter().map(|item| item["test"].to_string()).collect()
}

/// Twelve runs of a test that fails in every other one and then passes, then one under another name.
async fn renamed(server: &TestServer) -> (String, Value) {
    for key in 0..12 {
        server.rig("A").run(&format!("old {key}")).passes(2).flaky("valve opens").done().await;
        server.pass(60);
    }
    let run = server.rig("A").run("new").passes(2).flaky("valve opens in time").done().await;
    let offers = offers(server, &run).await;
    assert_eq!(offers.len(), 1, "{offers:?}");
    (run, offers.into_iter().next().expect("one"))
}

#[tokio::test]
async fn a_renamed_test_is_offered_and_joined_with_its_history() {
    let server = TestServer::start().await;
    let (run, offer) = renamed(&server).await;
    assert_eq!(offer["was_path"], json!(["Root", "valve opens"]));
    assert_eq!(offer["now_path"], json!(["Root", "valve opens in time"]));
    assert_eq!(offer["sign"], "near_name");
    let (was, now): (TestId, TestId) = (
        offer["was"].as_str().expect("an id").parse().expect("an id"),
        offer["now"].as_str().expect("an id").parse().expect("an id"),
    );
    let (alone, before) = (page(&server, now).await, page(&server, was).await);
    assert_eq!((alone.results.len(), alone.setups[0].1.results, alone.offers.len()), (1, 2, 1));
    assert_eq!(sick(&server).await, ["\"valve opens\""]);

    assert_eq!(join(&server, &offer["was"], &offer["now"]).await.status, 204);
    let joined = page(&server, now).await;
    assert_eq!(joined.results.len(), 13);
    assert!(joined.results.iter().all(|result| result.outcome == Outcome::Flaky));
    assert_eq!((joined.setups[0].1.results, joined.setups[0].1.failures), (26, 13));
    assert_eq!(joined.before[0].path, ["Root", "valve opens"]);
    assert_eq!((joined.offers.len(), joined.before.len()), (0, 1));
    assert_eq!(sick(&server).await, ["\"valve opens in time\""], "the old name is off the list");
    assert_eq!(offers(&server, &run).await, Vec::<Value>::new(), "nobody is asked twice");
    let past = page(&server, was).await;
    assert!(past.setups.is_empty() && past.now_called.is_some_and(|name| name.id == now));

    // What comes later counts on, under either name.
    server.pass(60);
    server.rig("A").run("later").passes(2).flaky("valve opens in time").done().await;
    server.pass(60);
    server.rig("A").run("a branch").passes(2).flaky("valve opens").done().await;
    let later = page(&server, now).await;
    assert_eq!((later.results.len(), later.setups[0].1.results), (15, 30));

    let undo = server.client.delete(server.url(&format!("/api/v1/renames/{was}")));
    assert_eq!(server.send(undo).await.status, 204);
    let (parted, old) = (page(&server, now).await, page(&server, was).await);
    assert_eq!((parted.results.len(), parted.setups[0].1.results, parted.before.len()), (2, 4, 0));
    assert_eq!((old.results.len(), old.setups[0].1.results), (13, 26));
    assert!(old.setups[0].1.p_flaky > before.setups[0].1.p_flaky - 50, "it is as ill as it was");
    server.stop().await;
}

#[tokio::test]
async fn joined_tests_are_joined_after_a_new_start_and_a_rebuild_too() {
    let server = TestServer::start().await;
    let (_, offer) = renamed(&server).await;
    assert_eq!(join(&server, &offer["was"], &offer["now"]).await.status, 204);
    let now: TestId = offer["now"].as_str().expect("an id").parse().expect("an id");
    let before = page(&server, now).await;
    let folder = server.folder().join("holter.db");
    let url = format!("sqlite:{}", folder.display());
    let store = server::store::Store::open(&server::store::StoreUrl::parse(&url).expect("a url")).await.expect("opens");
    server::service::rebuild::rebuild(&store, &app::domain::health::Model::default()).await.expect("rebuilds");
    let rows = store.health_of_test(now).await.expect("reads");
    assert_eq!(rows[0].results, before.setups[0].1.results);
    let was: TestId = offer["was"].as_str().expect("an id").parse().expect("an id");
    assert!(store.health_of_test(was).await.expect("reads").is_empty());
    let deeds = store.audit_page(uuid::Uuid::max(), 10).await.expect("reads");
    assert_eq!((&*deeds[0].action, deeds[0].detail.is_some()), ("joined the test", true));
    store.close().await;
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_one_test_is_not_joined() {
    let server = TestServer::start().await;
    let run = server.rig("A").run("1").passes(2).fails("x").done().await;
    let elsewhere = server.rig("A").run("2").with("project", "other").fails("x").done().await;
    let (here, there) = (ids(&server, &run).await, ids(&server, &elsewhere).await);
    let id = |at: usize| json!(here[at].1);
    for (was, now, word) in
        [(id(0), id(0), "the same test"), (id(0), id(1), "they are two"), (id(0), json!(there[0].1), "another project")]
    {
        let problem = join(&server, &was, &now).await.problem(422, "invalid");
        assert!(problem["errors"][0]["detail"].as_str().expect("a detail").contains(word), "{problem}");
    }
    let nobody = json!(uuid::Uuid::from_u128(7));
    join(&server, &nobody, &id(0)).await.problem(404, "not-found");
    join(&server, &json!("x"), &id(0)).await.problem(400, "malformed");
    let part = server.client.delete(server.url(&format!("/api/v1/renames/{}", here[0].1)));
    server.send(part).await.problem(404, "not-found");
    server.get(&format!("/api/v1/runs/{}/renames", uuid::Uuid::nil())).await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn a_test_that_comes_back_or_was_known_before_was_not_renamed() {
    let server = TestServer::start().await;
    server.rig("B").run("1").passes(1).fails("valve opens in time").done().await;
    server.pass(60);
    server.rig("A").run("1").passes(1).fails("valve opens").done().await;
    server.pass(60);
    let run = server.rig("A").run("2").passes(1).fails("valve opens in time").done().await;
    server.pass(60);
    assert!(offers(&server, &run).await.is_empty(), "the new one is known from another bench");
    server.rig("A").run("3").passes(1).fails("pump runs").done().await;
    server.pass(60);
    let run = server.rig("A").run("4").passes(1).fails("pump runs well").done().await;
    server.pass(60);
    assert_eq!(offers(&server, &run).await.len(), 1);
    server.rig("A").run("5").passes(1).fails("pump runs").done().await;
    server.pass(60);
    assert!(offers(&server, &run).await.is_empty(), "the old one came back");
    server.stop().await;
}

#[tokio::test]
async fn only_who_looks_after_tests_may_join_them() {
    let server = TestServer::start_with(false, |_| {}).await;
    let ingest = server.token(Scope::Ingest, None, Some("pump")).await;
    for (key, test) in [("1", "valve opens"), ("2", "valve opens well")] {
        let events = server.rig("A").run(key).passes(1).fails(test).events();
        let mut events = events;
        events.as_array_mut().expect("events").push(json!({
            "type": "run.finished", "setup": "A", "run": key, "at": server.at(5)
        }));
        server.send(server.events(events.to_string()).bearer_auth(&ingest)).await.ok();
    }
    let runs = server.get("/api/v1/runs").await.ok();
    let offers = offers(&server, runs["items"][0]["id"].as_str().expect("an id")).await;
    let body = json!({"was": offers[0]["was"], "now": offers[0]["now"]}).to_string();
    let ask = |token: Option<String>| {
        let request = server.client.post(server.url("/api/v1/renames")).body(body.clone());
        token.map_or_else(
            || request.try_clone().expect("it can"),
            |token| request.try_clone().expect("it can").bearer_auth(token),
        )
    };
    server.send(ask(None)).await.problem(401, "unauthenticated");
    let read = server.token(Scope::Read, None, None).await;
    server.send(ask(Some(read))).await.problem(403, "forbidden");
    let other = server.token(Scope::Ingest, None, Some("press")).await;
    server.send(ask(Some(other))).await.problem(403, "forbidden");
    let bench = server.token(Scope::Ingest, Some("A"), None).await;
    server.send(ask(Some(bench))).await.problem(403, "forbidden");
    assert!(server.service().itself().allow(Action::Care).is_ok());
    assert_eq!(server.send(ask(Some(ingest))).await.status, 204);
    server.stop().await;
}
