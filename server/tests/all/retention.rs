//! What is too old is forgotten, step by step, and nothing else is.

use crate::harness::TestServer;
use app::domain::ids::RunId;
use serde_json::{Value, json};
use server::config::{ProjectRetention, RetentionConfig};
use server::service::retention::{Forgotten, Round};

const DAY: i64 = 86_400;

/// A whole round.
async fn round(server: &TestServer) -> Forgotten {
    server.service().settled().await;
    let (mut round, mut forgotten) = (Some(Round::new()), Forgotten::default());
    while let Some(here) = round {
        round = server.service().forget_old(here, &mut forgotten).await.expect("it forgets");
    }
    forgotten
}

async fn file(server: &TestServer, key: &str, bytes: &[u8]) {
    let url = server.url(&format!("/api/v1/attachments?setup=A&run={key}&name=a.log&suite=Root&test=y"));
    server.send(server.client.post(url).header("content-type", "text/plain").body(bytes.to_vec())).await.ok();
}

async fn played(server: &TestServer, key: &str, project: &str) -> String {
    let line = json!({"type": "log", "setup": "A", "run": key, "at": server.at(1), "level": "info", "message": "a line",
        "project": project, "suite": ["Root"], "test": "y"});
    let run = server.rig("A").run(key).with("project", project).passes(2).flaky("x").fails("y").done().await;
    server.post(&json!([line])).await.ok();
    file(server, key, key.as_bytes()).await;
    run
}

async fn lines(server: &TestServer, run: &str) -> usize {
    let list = server.get(&format!("/api/v1/runs/{run}/log")).await.ok();
    list["items"].as_array().expect("items").len()
}

async fn files(server: &TestServer, run: &str) -> usize {
    let list = server.get(&format!("/api/v1/runs/{run}/attachments")).await.ok();
    list["items"].as_array().expect("items").len()
}

async fn events(server: &TestServer) -> Vec<Value> {
    let rows = server.service().itself().log_after(0, 10_000).await.expect("it may");
    rows.iter().map(|row| serde_json::from_str(&row.body).expect("an event")).collect()
}

#[tokio::test]
async fn everything_is_kept_unless_it_is_said_for_how_long() {
    let server = TestServer::start().await;
    played(&server, "1", "pump").await;
    assert!(!server.service().forgets());
    server.pass(4_000 * DAY);
    let before = events(&server).await.len();
    assert_eq!((round(&server).await, events(&server).await.len()), (Forgotten::default(), before));
    server.stop().await;
}

#[tokio::test]
async fn output_goes_first_then_files_then_runs_and_health_stays() {
    let server = TestServer::start_with(true, |config| {
        config.retention = RetentionConfig {
            output_days: Some(10),
            files_days: Some(20),
            runs_days: Some(30),
            ..RetentionConfig::default()
        };
    })
    .await;
    let first = played(&server, "1", "pump").await;
    for key in 2..5 {
        played(&server, &key.to_string(), "pump").await;
    }
    server.pass(9 * DAY);
    let last = played(&server, "5", "pump").await;
    assert_eq!(round(&server).await, Forgotten::default(), "nothing is old yet");
    let known = server.get("/api/v1/flaky").await.ok()["items"].as_array().expect("items").len();

    server.pass(2 * DAY);
    let forgotten = round(&server).await;
    assert_eq!((forgotten.runs, forgotten.files, forgotten.events), (0, 0, 8), "a line and a file's, of four runs");
    assert_eq!((lines(&server, &first).await, files(&server, &first).await), (0, 1));
    assert_eq!((lines(&server, &last).await, round(&server).await), (2, Forgotten::default()), "once is enough");

    server.pass(10 * DAY);
    let forgotten = round(&server).await;
    assert_eq!((forgotten.files, forgotten.runs), (4, 0));
    assert_eq!((files(&server, &first).await, files(&server, &last).await), (0, 1));

    server.pass(10 * DAY);
    let forgotten = round(&server).await;
    assert_eq!(forgotten.runs, 4);
    server.get(&format!("/api/v1/runs/{first}")).await.problem(404, "not-found");
    let left = server.get("/api/v1/runs").await.ok();
    assert_eq!(left["items"].as_array().map(Vec::len), Some(1));
    assert!(events(&server).await.iter().all(|event| event["run"] == "5"), "no event outlives its run");

    server.pass(100 * DAY);
    round(&server).await;
    let tile = server.get("/api/v1/setups/A").await.ok();
    assert_eq!(tile["run"]["key"], "5", "the newest run of a setup is what its tile shows");
    let sick = server.get("/api/v1/flaky").await.ok();
    let sick = sick["items"].as_array().expect("items");
    assert_eq!(sick.len(), known);
    assert!(sick.iter().all(|test| test["results"].as_u64() >= Some(5)), "what was learnt stays: {sick:?}");
    // What comes later counts on, in a run of its own.
    let next = played(&server, "6", "pump").await;
    assert_eq!(lines(&server, &next).await, 2);
    server.stop().await;
}

#[tokio::test]
async fn projects_have_times_of_their_own_and_open_runs_stay() {
    let server = TestServer::start_with(true, |config| {
        let own = ProjectRetention { runs_days: Some(5), ..ProjectRetention::default() };
        config.retention.projects.insert("press".into(), own);
        config.activity.lost_after_seconds = 400 * 86_400;
    })
    .await;
    let kept = played(&server, "1", "pump").await;
    let gone = played(&server, "2", "press").await;
    let open = server.rig("A").run("3").with("project", "press").begins("slow").open().await;
    played(&server, "4", "pump").await;
    server.pass(6 * DAY);
    assert_eq!(round(&server).await.runs, 1);
    for (run, is_there) in [(&kept, true), (&gone, false), (&open, true)] {
        let id: RunId = run.parse().expect("an id");
        let found = server.service().itself().run(id).await.expect("it may");
        assert_eq!(found.is_some(), is_there, "{run}");
    }
    server.stop().await;
}
