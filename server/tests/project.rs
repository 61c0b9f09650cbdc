//! Pages of a project: its commits as heartbeats.

mod harness;

use harness::TestServer;

async fn page(server: &TestServer, path: &str) -> (u16, String) {
    let answer = reqwest::get(server.url(path)).await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// A run of a commit, on the project "boiler".
async fn run(server: &TestServer, key: &str, commit: &str, failing: usize) {
    let mut script = server.rig("A").run(key).passes(3);
    for number in 0..failing {
        script = script.fails(&format!("y{number}"));
    }
    let mut events = script.events();
    let events = events.as_array_mut().expect("events");
    events.push(serde_json::json!({"type": "run.finished", "at": server.at(30), "setup": "A", "run": key}));
    for event in &mut *events {
        event["project"] = "boiler".into();
        if event["type"] == "run.started" {
            event["commit"] = commit.into();
        }
    }
    server.post(&serde_json::Value::from(std::mem::take(events))).await.ok();
}

#[tokio::test]
async fn every_commit_is_one_beat_with_a_link_to_its_run() {
    let server = TestServer::start().await;
    for (key, commit, failing) in [("1", "c1", 0), ("2", "c2", 1), ("3", "c2", 0), ("4", "c3", 1)] {
        run(&server, key, commit, failing).await;
        server.pass(60);
    }
    let runs = server.get("/api/v1/runs").await.ok();
    let again = runs["items"].as_array().expect("items").iter().find(|run| run["key"] == "3").expect("the run");
    let again = again["id"].as_str().expect("an id");
    let (status, text) = page(&server, "/strip/boiler").await;
    assert_eq!(status, 200);
    assert_eq!(text.matches("data-result=").count(), 3, "{text}");
    let (flaky, failed) =
        (text.matches("data-result=\"flaky\"").count(), text.matches("data-result=\"failed\"").count());
    assert_eq!((flaky, failed), (1, 1));
    assert!(text.contains(&format!("/runs/{again}")), "a commit leads to its last run");
    assert!(text.contains("c2 on main: flaky") && text.contains("2 runs"), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn a_project_tells_its_chance_and_its_setups() {
    let server = TestServer::start().await;
    for number in 0..8 {
        server.rig("bench <1>").run(&number.to_string()).passes(3).flaky("x").done().await;
        server.pass(600);
    }
    let runs = server.get("/api/v1/runs").await.ok();
    let project = runs["items"][0]["project"].as_str().expect("a project").to_owned();
    let (status, text) = page(&server, &format!("/projects/{project}")).await;
    assert_eq!(status, 200);
    assert!(text.contains("data-test=\"project-flake\"") && text.contains("bench &lt;1&gt;"), "{text}");
    assert_eq!(text.matches("data-result=\"flaky\"").count(), 1, "all of one commit");
    let (_, other) = page(&server, &format!("/strip/{project}?branch=release")).await;
    assert!(other.contains("0 commits on release"), "{other}");
    for path in ["/projects/nowhere", "/strip/nowhere"] {
        let (status, text) = page(&server, path).await;
        assert!(status == 404 && text.contains("nothing was ever run"), "{status} {text}");
    }
    server.stop().await;
}
