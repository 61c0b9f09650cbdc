//! Pages of a project: its commits as heartbeats.

use crate::harness::TestServer;

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
async fn setups_are_seen_as_they_stood_at_a_commit() {
    let server = TestServer::start().await;
    run(&server, "1", "c1", 1).await;
    server.pass(60);
    let events = server.rig("B <b>").run("1").passes(3).events();
    let mut events = events.as_array().expect("events").clone();
    events.iter_mut().for_each(|event| event["project"] = "boiler".into());
    server.post(&events.into()).await.ok();
    server.pass(60);
    run(&server, "2", "c2", 0).await;
    let runs = server.get("/api/v1/runs").await.ok();
    let id = |commit: &str| {
        let run = runs["items"].as_array().expect("items").iter().find(|run| run["commit"] == commit);
        run.expect("the run")["id"].as_str().expect("an id").to_owned()
    };
    let (status, then) = page(&server, &format!("/strip/boiler/{}", id("c1"))).await;
    assert_eq!((status, then.matches("as-of-tile\"").count()), (200, 1), "B had not run: {then}");
    assert!(then.contains("<strong>failed</strong>") && then.contains("3 of 4 passed, 1 failed"), "{then}");
    let (_, now) = page(&server, &format!("/strip/boiler/{}", id("c2"))).await;
    assert_eq!(now.matches("as-of-tile\"").count(), 2, "{now}");
    assert!(now.contains("B &lt;b&gt;") && now.contains("1 min before") && now.contains("3 of 3 passed"), "{now}");
    for path in [format!("/strip/other/{}", id("c1")), "/strip/boiler/no-uuid".into()] {
        assert_eq!(page(&server, &path).await.0, 404, "{path}");
    }
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

#[tokio::test]
async fn the_state_of_a_project_is_one_word() {
    let server = TestServer::start().await;
    let status = async |query: &str| server.get(&format!("/status{query}")).await.ok()["status"].clone();
    assert_eq!(status("").await, "unknown");
    server.rig("A").run("1").passes(2).open().await;
    assert_eq!(status("").await, "running");
    server.rig("A").run("1").passes(2).done().await;
    assert_eq!(status("").await, "success");
    server.rig("B").run("1").passes(2).fails("y").open().await;
    assert_eq!((status("").await, status("?project=other").await), ("failed".into(), "unknown".into()));
    let answer = server.get("/status").await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    server.stop().await;
}

#[tokio::test]
async fn only_an_administrator_turns_theatre_on() {
    use server::service::tokens::Scope;
    let server = TestServer::start_with(false, |_| {}).await;
    let flip = |token: String| reqwest::Client::new().post(server.url("/flip-mode")).bearer_auth(token).send();
    let ingest = server.token(Scope::Ingest, None, None).await;
    assert_eq!(flip(ingest).await.expect("an answer").status(), 403);
    assert_eq!(server.get("/mode").await.ok()["mode"], "monitor");
    let admin = server.token(Scope::Admin, None, None).await;
    assert_eq!(flip(admin).await.expect("an answer").status(), 200);
    assert_eq!(server.get("/mode").await.ok()["mode"], "art");
    server.stop().await;
}

#[tokio::test]
async fn a_suite_has_a_page_of_its_own_at_any_depth() {
    let server = TestServer::start().await;
    let (deep, beside) = (["Power", "AC/DC <b>"], ["Power", "Pumps"]);
    for (number, commit) in ["c1", "c2", "c3"].into_iter().enumerate() {
        for setup in ["A", "B"] {
            let event = |kind: &str| serde_json::json!({"type": kind, "at": server.at(1), "setup": setup, "run": commit, "project": "boiler", "commit": commit});
            let test = |suite: &[&str], verdict: &str| {
                let mut event = event("test.finished");
                event["suite"] = suite.into();
                event["test"] = "t".into();
                event["verdict"] = verdict.into();
                event
            };
            let is_bad = setup == "B" && number > 0;
            let (deep, beside) = (test(&deep, if is_bad { "failed" } else { "passed" }), test(&beside, "passed"));
            server.post(&serde_json::json!([event("run.started"), deep, beside, event("run.finished")])).await.ok();
        }
        server.pass(60);
    }
    let (status, text) = page(&server, "/projects/boiler/suites/Power/AC%2FDC%20%3Cb%3E").await;
    assert_eq!(status, 200, "{text}");
    let results =
        |text: &str| ["passed", "flaky", "failed"].map(|word| text.matches(&format!("data-result=\"{word}\"")).count());
    // A passed and B failed on the same commits: two ends of one code.
    assert_eq!(results(&text), [1, 2, 0], "{text}");
    assert!(
        text.contains("AC/DC &lt;b&gt;") && text.contains("href=\"/projects/boiler/suites/Power\">Power"),
        "{text}"
    );
    assert!(text.contains("1 tests") && !text.contains("Pumps"), "{text}");
    let setups: Vec<_> = ["<a href=\"/setups/A\">", "<a href=\"/setups/B\">"].map(|row| text.contains(row)).into();
    assert_eq!(setups, [true, true]);
    let (_, beside) = page(&server, "/projects/boiler/suites/Power/Pumps").await;
    assert_eq!(results(&beside), [3, 0, 0]);
    let (_, above) = page(&server, "/projects/boiler/suites/Power").await;
    assert!(results(&above) == [1, 2, 0] && above.contains("2 tests"), "{above}");
    for path in ["/projects/boiler/suites/Pow", "/projects/other/suites/Power", "/projects/boiler/suites/"] {
        assert_eq!(page(&server, path).await.0, 404, "{path}");
    }
    server.stop().await;
}
