//! The public reads: names, pages and filters.

use crate::harness::TestServer;
use serde_json::{Value, json};

fn keys(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().map(|run| run["key"].as_str().expect("a key")).collect()
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().map(|test| test["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_setup_tells_what_it_is_doing() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/api/v1/setups").await.ok(), json!({"items": [], "next": null}));
    let id = server.rig("bench 7").run("k").passes(2).begins("slow").open().await;
    let setup = server.get("/api/v1/setups/bench%207").await.ok();
    assert_eq!(
        (&setup["name"], &setup["activity"], &setup["health"]),
        (&json!("bench 7"), &json!("running"), &json!("healthy"))
    );
    let run = &setup["run"];
    assert_eq!(
        (&run["id"], &run["key"], &run["test"], &run["suite"]),
        (&json!(id), &json!("k"), &json!("slow"), &json!(["Root"]))
    );
    assert_eq!((&run["counts"]["passed"], &run["counts"]["running"]), (&json!(2), &json!(1)));
    assert_eq!(run["test_started_at"], "2026-03-01T12:00:00.000000Z");
    for name in ["phase", "started_at", "suite_started_at", "eta_at", "state", "result"] {
        assert!(run.get(name).is_some(), "{name}");
    }
    assert_eq!(server.get("/api/v1/setups").await.ok()["items"][0], setup);
    let missing = server.get("/api/v1/setups/bench").await.problem(404, "not-found");
    assert!(missing["detail"].as_str().expect("text").contains("bench"));
    server.stop().await;
}

#[tokio::test]
async fn a_run_tells_its_counts_and_result() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("k").passes(3).flaky("x").fails("y").done().await;
    let run = server.get(&format!("/api/v1/runs/{id}")).await.ok();
    let counts = json!({
        "planned": 5, "waiting": 0, "running": 0, "passed": 3, "flaky": 1, "failed": 1, "skipped": 0, "cancelled": 0, "lost": 0,
    });
    assert_eq!((&run["state"], &run["result"], &run["counts"]), (&json!("finished"), &json!("failed"), &counts));
    assert_eq!((&run["setup"], &run["branch"], &run["commit"]), (&json!("A"), &json!("main"), &json!("c0ffee")));
    assert_eq!(
        (&run["late_events"], &run["clock_offset_ms"], &run["activity"]),
        (&json!(0), &json!(null), &json!("idle"))
    );
    server.get("/api/v1/runs/0195f2b0-7c1a-7def-8000-0123456789ab").await.problem(404, "not-found");
    server.get("/api/v1/runs/latest").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn runs_come_in_pages_the_newest_first() {
    let server = TestServer::start().await;
    let all = ["r1", "r2", "r3", "r4", "r5", "r6", "r7"];
    for key in all {
        server.pass(1);
        server.rig("A").run(key).passes(1).done().await;
    }
    let (mut found, mut path) = (Vec::new(), "/api/v1/runs?setup=A&limit=3".to_owned());
    loop {
        let answer = server.get(&path).await;
        let link = answer.header("link").to_owned();
        let page = answer.ok();
        found.extend(keys(&page).into_iter().map(str::to_owned));
        assert_eq!(link.is_empty(), page["next"].is_null());
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else { break };
        assert!(next.contains("setup=A") && next.contains("limit=3"), "{next}");
        path = next.to_owned();
    }
    found.reverse();
    assert_eq!(found, all);
    server.get("/api/v1/runs?cursor=nonsense").await.problem(422, "invalid");
    server.get("/api/v1/runs?limit=many").await.problem(422, "invalid");
    assert_eq!(keys(&server.get("/api/v1/runs?limit=9999").await.ok()).len(), 7);
    server.stop().await;
}

#[tokio::test]
async fn runs_are_filtered() {
    let server = TestServer::start().await;
    server.rig("A").run("good").passes(1).done().await;
    server.rig("A").run("bad").fails("x").done().await;
    server.rig("B").run("open").with("project", "pump").begins("x").open().await;
    let found = async |query: &str| {
        let list = server.get(&format!("/api/v1/runs?{query}")).await.ok();
        let mut found: Vec<_> = keys(&list).into_iter().map(str::to_owned).collect();
        found.sort();
        found.join(" ")
    };
    assert_eq!(found("setup=A").await, "bad good");
    assert_eq!(found("setup=nobody").await, "");
    assert_eq!(found("result=failed").await, "bad");
    assert_eq!(found("state=running").await, "open");
    assert_eq!(found("project=pump").await, "open");
    assert_eq!(found("branch=main").await, "bad good open");
    assert_eq!(found("branch=other").await, "");
    assert_eq!(found("setup=&project=").await, "bad good open", "an empty value does not filter");
    let problem = server.get("/api/v1/runs?result=great").await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/result");
    server.stop().await;
}

#[tokio::test]
async fn tests_come_with_their_attempts() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("k").passes(3).flaky("blinks").fails("breaks").done().await;
    let tests = async |query: &str| server.get(&format!("/api/v1/runs/{id}/tests?{query}")).await.ok();
    assert_eq!(names(&tests("").await), ["test 1", "test 2", "test 3", "blinks", "breaks"]);
    assert_eq!(names(&tests("outcome=flaky&outcome=failed").await), ["blinks", "breaks"]);
    assert_eq!(names(&tests("outcome=flaky,failed").await), ["blinks", "breaks"]);
    assert_eq!(names(&tests("q=REA").await), ["breaks"]);
    let first = tests("limit=2").await;
    let next = first["next"].as_str().expect("another page");
    assert_eq!(names(&tests(&format!("limit=2&cursor={next}")).await), ["test 3", "blinks"]);

    let blinks = &tests("q=blinks").await["items"][0];
    assert_eq!(
        (&blinks["suite"], &blinks["outcome"], &blinks["duration_ms"]),
        (&json!(["Root"]), &json!("flaky"), &json!(12.5))
    );
    let attempts = blinks["attempts"].as_array().expect("attempts");
    assert_eq!((&attempts[0]["attempt"], &attempts[0]["verdict"]), (&json!(1), &json!("failed")));
    assert_eq!((&attempts[0]["message"], &attempts[0]["trace"]), (&json!("blinks broke"), &json!("line 1\nline 2")));
    assert_eq!((&attempts[1]["verdict"], &attempts[1]["message"]), (&json!("passed"), &json!(null)));
    server.get("/api/v1/runs/0195f2b0-7c1a-7def-8000-0123456789ab/tests").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn health_and_listeners_are_served() {
    let server = TestServer::start().await;
    let health = server.get("/health").await.ok();
    assert_eq!(health["status"], "ok");
    assert!(health["version"].is_string() && health["build"].is_string());
    assert_eq!(server.get("/ready").await.ok(), json!({"status": "ready", "store": "sqlite"}));
    for listener in server.get("/listeners").await.ok()["items"].as_array().expect("items") {
        let answer = server.get(listener["url"].as_str().expect("an address")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with("text/x-python"));
    }
    server.stop().await;
}
