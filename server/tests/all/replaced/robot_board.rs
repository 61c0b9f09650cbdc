//! The robot results board.

use crate::harness::{Answer, TestServer};
use serde_json::{Value, json};
use server::config::SetupConfig;
use server::service::tokens::Scope;

const AT: &str = "2026-03-01T13:00:00.000001+01:00";

async fn started() -> TestServer {
    TestServer::start_with(false, |config| {
        config.compat.open = vec!["127.0.0.0/8".into()];
        config.setups = vec![SetupConfig { name: "rig 1".into(), comment: None, jenkins: None }];
    })
    .await
}

impl TestServer {
    async fn say(&self, method: &str, path: &str, body: Value) -> Answer {
        let method = method.parse().expect("a method");
        self.send(self.client.request(method, self.url(path)).json(&body)).await
    }
}

/// A suite of two tests, of which the second fails.
async fn play(server: &TestServer) {
    let words = [
        (
            "POST",
            "/api/post_scope_results",
            json!({"setup_id": 1, "name": "Pump", "start_time": AT, "status": "running"}),
        ),
        ("POST", "/api/update_progress/1", json!({"completed_tests": 0, "total_tests": 2})),
        ("PUT", "/api/update_scope_status", json!({"scope_id": 1, "status": "running"})),
        ("POST", "/api/post_test_results", json!({"test_name": "opens", "start_time": AT, "scope_id": 1})),
        ("PUT", "/api/update_end_time", json!({"table_name": "tests", "id": "1", "status": "pass"})),
        ("POST", "/api/post_test_results", json!({"test_name": "closes", "start_time": AT, "scope_id": 1})),
        ("POST", "/api/update_progress/1", json!({"completed_tests": 1, "total_tests": 2})),
    ];
    for (method, path, body) in words {
        server.say(method, path, body).await.ok();
        server.pass(1);
    }
}

#[tokio::test]
async fn what_the_listener_posts_is_a_run() {
    let server = started().await;
    play(&server).await;
    let rig = server.get("/api/v1/setups/rig%201").await.ok();
    assert_eq!((&rig["activity"], &rig["run"]["test"]), (&json!("running"), &json!("closes")));
    assert_eq!(rig["run"]["counts"]["planned"], 2);
    let current = server.get("/api/current_test_data").await.ok();
    assert_eq!(
        current,
        json!([{
            "setup_id": 1, "scope_name": "Pump", "scope_status": "running", "scope_start_time": "Sun, 01 Mar 2026 12:00:00 GMT",
            "test_name": "closes", "test_status": "running", "test_start_time": "Sun, 01 Mar 2026 12:00:05 GMT",
        }])
    );
    for path in ["/api/get_progress_state", "/api/get_progress_state/"] {
        assert_eq!(server.get(path).await.ok(), json!({"1": "1/2"}));
    }
    let ends = [
        ("POST", "/api/update_teardown_start_time", json!({"setup_id": 1, "start_time": AT})),
        ("PUT", "/api/update_end_time", json!({"table_name": "tests", "id": "2", "status": "fail"})),
        ("PUT", "/api/update_end_time", json!({"table_name": "scopes", "id": 1, "status": "fail"})),
    ];
    for (method, path, body) in ends {
        server.say(method, path, body).await.ok();
    }
    let times = server.get("/api/get_start_times/1").await.ok();
    assert_eq!(times, json!({"setup_start_time": null, "teardown_start_time": AT}));
    assert_eq!(server.get("/api/current_test_data").await.ok(), json!([]));
    let run = &server.get("/api/v1/runs").await.ok()["items"][0];
    assert_eq!((&run["result"], &run["key"], &run["name"]), (&json!("failed"), &json!(AT), &json!("Pump")));
    assert_eq!((&run["counts"]["passed"], &run["counts"]["failed"]), (&json!(1), &json!(1)));
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_never_our_fault() {
    let server = started().await;
    let cases = [
        ("POST", "/api/post_scope_results", json!({"name": "x"}), 400),
        ("POST", "/api/post_scope_results", json!({"setup_id": -1, "name": "x", "start_time": AT}), 400),
        ("POST", "/api/post_test_results", json!({"test_name": "x", "start_time": AT, "scope_id": 7}), 404),
        ("PUT", "/api/update_end_time", json!({"table_name": "setups", "id": 1, "status": "pass"}), 400),
        ("PUT", "/api/update_end_time", json!({"table_name": "tests", "id": "9", "status": "pass"}), 404),
        ("PUT", "/api/update_scope_status", json!({"scope_id": 9, "status": "running"}), 200),
        ("PUT", "/api/update_scope_status", json!({"scope_id": 9}), 400),
        ("POST", "/api/update_progress/1", json!([]), 400),
    ];
    for (method, path, body, status) in cases {
        let answer = server.say(method, path, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text);
    }
    let text = server.client.post(server.url("/api/update_progress/1")).body("{}");
    server.send(text).await.problem(415, "unsupported-media-type");
    let half = server.client.post(server.url("/api/update_progress/1")).header("content-type", "application/json");
    server.send(half.body("{")).await.problem(400, "malformed");
    server.get("/api/get_start_times/left").await.problem(404, "not-found");
    assert_eq!(server.get("/jenkins_data/1").await.ok(), json!([]), "no job is configured");
    assert_eq!(server.get("/api/v1/runs").await.ok()["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_token_is_needed_where_no_network_is_open() {
    let server = TestServer::start_with(false, |config| config.compat.open = vec!["10.0.0.0/8".into()]).await;
    let body = json!({"setup_id": 1, "name": "Pump", "start_time": AT});
    server.say("POST", "/api/post_scope_results", body.clone()).await.problem(401, "unauthenticated");
    let other = server.token(Scope::Ingest, Some("rig 9"), None).await;
    let path = format!("/api/post_scope_results?token={other}");
    assert_eq!(server.say("POST", &path, body.clone()).await.status, 403);
    let own = server.token(Scope::Ingest, Some("setup 1"), None).await;
    server.say("POST", &format!("/api/post_scope_results?token={own}"), body.clone()).await.ok();
    let request = server.client.post(server.url("/api/post_scope_results")).json(&body);
    server.send(request.bearer_auth(own)).await.ok();
    assert_eq!(server.get("/api/v1/setups/setup%201").await.ok()["activity"], "running");
    server.stop().await;
}
