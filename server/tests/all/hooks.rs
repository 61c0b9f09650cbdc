//! What CI servers tell.

use crate::harness::{Answer, TestServer, eventually};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use server::config::Config;
use server::service::tokens::Scope;
use sha2::Sha256;

const SECRET: &str = "a secret of ours";
const SHA: &str = "3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a";

fn configured(config: &mut Config) {
    let text = ["github", "gitlab", "gitea", "forgejo", "bitbucket", "jenkins"]
        .map(|kind| format!("{kind} = {SECRET:?}\n"))
        .concat();
    config.hooks = toml::from_str(&format!("project = \"pump\"\n[secrets]\n{text}")).expect("a configuration");
}

fn signature(body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key").chain_update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn workflow_run(status: &str, conclusion: Value) -> Value {
    json!({
        "action": status, "repository": {"full_name": "acme/pump"},
        "workflow_run": {
            "id": 7, "name": "CI", "status": status, "conclusion": conclusion, "run_attempt": 1, "head_sha": SHA,
            "head_branch": "main", "html_url": "https://hub.example/acme/pump/7", "event": "push",
            "run_started_at": "2026-03-01T11:00:00Z", "updated_at": "2026-03-01T11:05:00Z", "actor": {"login": "root"},
        },
    })
}

async fn deliver(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = server.client.post(server.url(path)).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(body.to_owned())).await
}

async fn hub(server: &TestServer, event: &str, delivery: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let signed = format!("sha256={}", signature(&body));
    let headers = [("x-github-event", event), ("x-github-delivery", delivery), ("x-hub-signature-256", &*signed)];
    deliver(server, "/api/v1/hooks/github", &headers, &body).await
}

#[tokio::test]
async fn a_workflow_is_a_run_from_queue_to_end() {
    let server = TestServer::start_with(false, configured).await;
    let state = async || {
        let run = server.get("/api/v1/runs").await.ok()["items"][0].clone();
        (run["state"].as_str().expect("a state").to_owned(), run["result"].clone())
    };
    hub(&server, "workflow_run", "1", &workflow_run("queued", Value::Null)).await.ok();
    assert_eq!(state().await, ("waiting".into(), Value::Null));
    hub(&server, "workflow_run", "2", &workflow_run("in_progress", Value::Null)).await.ok();
    assert_eq!(state().await, ("running".into(), Value::Null));
    let job = json!({"repository": {"full_name": "acme/pump"}, "workflow_job": {"run_id": 7, "name": "unit",
        "workflow_name": "CI", "status": "completed", "conclusion": "failure", "head_sha": SHA,
        "started_at": "2026-03-01T11:01:00Z", "completed_at": "2026-03-01T11:02:00Z"}});
    hub(&server, "workflow_job", "3", &job).await.ok();
    let told = hub(&server, "workflow_run", "4", &workflow_run("completed", json!("failure"))).await.ok();
    assert_eq!((&told["success"], &told["outcome"]), (&json!(true), &json!("recorded")));
    assert_eq!(state().await, ("finished".into(), json!("failed")));

    let run = &server.get("/api/v1/runs").await.ok()["items"][0];
    assert_eq!((&run["setup"], &run["project"], &run["key"]), (&json!("ci/acme/pump"), &json!("pump"), &json!("7")));
    assert_eq!((&run["commit"], &run["branch"]), (&json!(SHA), &json!("main")));
    let times = (&run["started_at"], &run["finished_at"]);
    assert_eq!(times, (&json!("2026-03-01T11:00:00.000000Z"), &json!("2026-03-01T11:05:00.000000Z")), "long past");
    assert_eq!(run["counts"]["failed"], 2, "the job, and the workflow");
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_is_verified_before_it_is_read() {
    let server = TestServer::start_with(true, configured).await;
    let good = workflow_run("queued", Value::Null).to_string();
    let signed = signature(&good);
    let prefixed = format!("sha256={signed}");
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);
    let cases: &[Case<'_>] = &[
        ("github", &[("x-hub-signature-256", &prefixed)], 200),
        ("github", &[("x-hub-signature-256", "sha256=00")], 401),
        ("github", &[("x-hub-signature", "sha1=00")], 401),
        ("github", &[], 401),
        ("gitea", &[("x-gitea-signature", &signed)], 200),
        ("forgejo", &[("x-forgejo-signature", &signed)], 200),
        ("forgejo", &[("x-forgejo-signature", &signed[..63])], 401),
        ("bitbucket", &[("x-hub-signature", &prefixed)], 200),
        ("gitlab", &[("x-gitlab-token", SECRET)], 200),
        ("gitlab", &[("x-gitlab-token", "a secret of theirs")], 401),
        ("gitlab", &[], 401),
        ("jenkins?token=a+secret+of+ours", &[], 200),
        ("jenkins?token=x", &[], 401),
        ("bitbucket-datacenter", &[], 200),
    ];
    for (kind, headers, status) in cases {
        let answer = deliver(&server, &format!("/api/v1/hooks/{kind}"), headers, &good).await;
        assert_eq!(answer.status, *status, "{kind} {headers:?}: {}", answer.text);
    }
    let other =
        deliver(&server, "/api/v1/hooks/github", &[("x-hub-signature-256", &prefixed)], &format!("{good} ")).await;
    other.problem(401, "unauthenticated");
    let unread = deliver(&server, "/api/v1/hooks/github", &[("x-hub-signature-256", &prefixed)], "{").await;
    unread.problem(401, "unauthenticated");
    let half = format!("sha256={}", signature("{"));
    deliver(&server, "/api/v1/hooks/github", &[("x-hub-signature-256", &half)], "{").await.problem(400, "malformed");
    deliver(&server, "/api/v1/hooks/svn", &[], "{}").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn a_kind_without_a_secret_needs_a_token() {
    let server = TestServer::start_with(false, |_| {}).await;
    let body = json!({"object_kind": "pipeline", "object_attributes": {"id": 31, "status": "running", "sha": SHA},
        "project": {"path_with_namespace": "acme/pump"}, "builds": []})
    .to_string();
    deliver(&server, "/api/v1/hooks/gitlab", &[], &body).await.problem(401, "unauthenticated");
    let token = server.token(Scope::Ingest, Some("ci/acme/pump"), None).await;
    let told = deliver(&server, &format!("/api/v1/hooks/gitlab?token={token}"), &[], &body).await.ok();
    assert_eq!(told["outcome"], "recorded");
    let other = server.token(Scope::Ingest, Some("ci/acme/valve"), None).await;
    deliver(&server, &format!("/api/v1/hooks/gitlab?token={other}"), &[], &body).await.problem(403, "forbidden");
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_that_comes_again_changes_nothing() {
    let server = TestServer::start_with(false, configured).await;
    let run = workflow_run("completed", json!("success"));
    assert_eq!(hub(&server, "workflow_run", "d-1", &run).await.ok()["outcome"], "recorded");
    assert_eq!(hub(&server, "workflow_run", "d-1", &run).await.ok()["outcome"], "duplicate");
    // Of another server with the same store only the events' own ids tell.
    let body = run.to_string();
    let signed = signature(&body);
    let headers = [("x-github-event", "workflow_run"), ("x-github-delivery", "d-1"), ("x-gitea-signature", &*signed)];
    assert_eq!(
        deliver(&server, "/api/v1/hooks/gitea", &headers, &body).await.ok()["outcome"],
        "recorded",
        "another kind"
    );
    let runs = server.get("/api/v1/runs").await.ok();
    assert_eq!((runs["items"].as_array().map(Vec::len), &runs["items"][0]["counts"]["passed"]), (Some(1), &json!(1)));
    server.stop().await;
}

#[tokio::test]
async fn a_long_job_of_a_ci_server_is_neither_silent_nor_lost() {
    let server = TestServer::start_with(false, configured).await;
    hub(&server, "workflow_run", "1", &workflow_run("in_progress", Value::Null)).await.ok();
    let setup = async || server.get("/api/v1/setups/ci%2Facme%2Fpump").await.ok();
    // An hour: listeners would long be given up.
    server.pass(3_600);
    // What other listeners say goes the same way, so the recorder has looked at all runs since.
    let other = json!([{"type": "setup.heartbeat", "setup": "other", "at": server.at(0)}]);
    let token = server.token(Scope::Ingest, None, None).await;
    server.send(server.events(other.to_string()).bearer_auth(token)).await.ok();
    let standing = setup().await;
    assert_eq!((&standing["activity"], &standing["run"]["state"]), (&json!("running"), &json!("running")));
    server.pass(6 * 3_600);
    eventually("its runner is gone", async || (setup().await["activity"] == "lost").then_some(())).await;
    server.stop().await;
}

#[tokio::test]
async fn the_old_addresses_know_the_kind_by_its_headers() {
    let server = TestServer::start().await;
    let push = json!({"ref": "refs/heads/main", "after": SHA, "repository": {"full_name": "acme/pump"}, "pusher": {"name": "root"}});
    let told = deliver(&server, "/webhook", &[("x-github-event", "push")], &push.to_string()).await;
    assert_eq!((told.status, &told.json["outcome"]), (202, &json!("recorded")), "{}", told.text);
    let pipeline = json!({"object_kind": "pipeline", "object_attributes": {"id": 31, "status": "failed", "sha": SHA},
        "project": {"path_with_namespace": "acme/valve"}, "builds": []});
    let told = deliver(&server, "/hook", &[("x-gitlab-event", "Pipeline Hook")], &pipeline.to_string()).await;
    assert_eq!((told.status, &told.json["outcome"]), (202, &json!("recorded")));
    for (headers, body) in [(&[("x-github-event", "issues")][..], push.to_string()), (&[], "hello".into())] {
        let told = deliver(&server, "/webhook", headers, &body).await;
        assert_eq!((told.status, &told.json["outcome"]), (202, &json!("ignored")));
    }
    let form = server.client.post(server.url("/webhook")).header("x-github-event", "ping");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let told = server.send(form.body("payload=%7B%22repository%22%3A%7B%22full_name%22%3A%22a%2Fb%22%7D%7D")).await;
    assert_eq!((told.status, &told.json["message"]), (202, &json!("hello")));

    let setups = server.get("/api/v1/setups").await.ok();
    let runs: Vec<_> = setups["items"]
        .as_array()
        .expect("setups")
        .iter()
        .map(|setup| (&setup["name"], setup["run"]["result"].as_str()))
        .collect();
    assert_eq!(runs, [(&json!("ci/acme/pump"), None), (&json!("ci/acme/valve"), Some("failed"))], "a push is no run");
    server.stop().await;
}
