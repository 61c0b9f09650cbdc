//! Agents of ReportPortal against a whole server, in the shapes they use.

use crate::harness::{Answer, TestServer};
use reqwest::Method;
use serde_json::{Value, json};
use server::service::tokens::Scope;

/// An agent that reports to a project.
struct Agent<'a> {
    server: &'a TestServer,
    version: &'a str,
    key: Option<&'a str>,
}

impl<'a> Agent<'a> {
    fn of(server: &'a TestServer, version: &'a str) -> Self {
        Self { server, version, key: None }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        let url = self.server.url(&format!("/api/{}/pump/{path}", self.version));
        let mut request = self.server.client.request(method, url);
        request = request.header("content-type", "application/json; charset=UTF-8").body(body.to_string());
        if let Some(key) = self.key {
            request = request.header("authorization", format!("bearer {key}"));
        }
        self.server.send(request).await
    }

    /// Begins something, and gives its id.
    async fn begin(&self, path: &str, body: &Value) -> String {
        let answer = self.ask(Method::POST, path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json");
        answer.json["id"].as_str().expect("an id").to_owned()
    }

    async fn launch(&self, fields: Value) -> String {
        let mut body =
            json!({ "name": "Nightly", "startTime": self.server.at(0), "mode": "DEFAULT", "attributes": null });
        extend(&mut body, fields);
        self.begin("launch", &body).await
    }

    /// Begins an item `kind name`.
    async fn item(&self, launch: &str, parent: &str, named: &str, fields: Value) -> String {
        let (kind, name) = named.split_once(' ').expect("a type and a name");
        let mut body = json!({ "name": name, "type": kind, "launchUuid": launch, "startTime": self.server.at(0),
            "codeRef": null, "hasStats": true, "retry": false, "attributes": null, "parameters": null });
        extend(&mut body, fields);
        self.begin(&format!("item/{parent}"), &body).await
    }

    async fn ends(&self, launch: &str, id: &str, status: Option<&str>) {
        let body = json!({ "launchUuid": launch, "endTime": self.server.at(1), "status": status, "issue": null });
        let answer = self.ask(Method::PUT, &format!("item/{id}"), &body).await;
        assert!(answer.ok()["message"].is_string());
    }

    /// A whole test.
    async fn test(&self, launch: &str, parent: &str, name: &str, status: &str) -> String {
        let id = self.item(launch, parent, &format!("STEP {name}"), json!({})).await;
        self.ends(launch, &id, Some(status)).await;
        id
    }

    /// Sends lines and a large file.
    async fn batch(&self, lines: &Value) {
        let body = format!(
            "--b0\r\nContent-Disposition: form-data; name=\"json_request_part\"\r\nContent-Type: application/json\r\n\r\n{lines}\r\n\
             --b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \"q\".png\"\r\n\r\n{}\r\n--b0--\r\n",
            "x".repeat(9 * 1024 * 1024)
        );
        let url = self.server.url(&format!("/api/{}/pump/log", self.version));
        let batch = self.server.client.post(url).header("content-type", "multipart/form-data; boundary=b0").body(body);
        let answer = self.server.send(batch).await;
        let answered = answer.json["responses"].as_array().map(Vec::len);
        assert_eq!((answer.status, answered), (201, lines.as_array().map(Vec::len)), "{}", answer.text);
    }

    async fn finish(&self, launch: &str) {
        let body = json!({ "endTime": self.server.at(2), "status": null });
        let answer = self.ask(Method::PUT, &format!("launch/{launch}/finish"), &body).await.ok();
        assert_eq!(answer["id"], launch);
        assert!(answer["number"].is_u64());
        let link = answer["link"].as_str().expect("a link");
        assert!(link.starts_with(&self.server.url("/setups/")), "{link}");
    }
}

fn extend(body: &mut Value, fields: Value) {
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
}

/// The run of a launch, and its tests as `suite/name: outcome attempts`.
async fn run(server: &TestServer, launch: &str) -> (Value, Vec<String>) {
    let runs = server.get("/api/v1/runs?project=pump&limit=100").await.ok();
    let runs = runs["items"].as_array().expect("runs").clone();
    let found = runs.iter().find(|run| run["key"] == launch).expect("the run is there");
    let id = found["id"].as_str().expect("an id");
    let run = server.get(&format!("/api/v1/runs/{id}")).await.ok();
    let tests = server.get(&format!("/api/v1/runs/{id}/tests?limit=500")).await.ok();
    let mut lines: Vec<_> = tests["items"].as_array().expect("tests").iter().map(line).collect();
    lines.sort();
    (run, lines)
}

fn line(test: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let suite: Vec<_> = test["suite"].as_array().expect("a suite").iter().map(text).collect();
    let attempts = test["attempts"].as_array().expect("attempts").len();
    format!("{}/{}: {} {attempts}", suite.join("/"), text(&test["name"]), text(&test["outcome"]))
}

#[tokio::test]
async fn robot_reports_a_tree_with_keywords_and_a_batch_of_lines() {
    let server = TestServer::start().await;
    let agent = Agent::of(&server, "v2");
    assert_eq!(server.get("/api/info").await.ok()["build"]["version"], "5.15.1");
    let attributes = json!([{ "key": "agent", "value": "robotframework-reportportal|5.7.2", "system": true },
        { "key": "machine", "value": "x86_64", "system": true }, { "key": "setup", "value": "bench 7" },
        { "key": "commit", "value": "c0ffee" }, { "key": "branch", "value": "main" }, { "value": "nightly" }]);
    let launch = agent.launch(json!({ "attributes": attributes, "rerun": false, "rerunOf": null })).await;
    let top = agent.item(&launch, "", "SUITE Top", json!({ "description": "Doc" })).await;
    let before = agent.item(&launch, &top, "BEFORE_SUITE Setup", json!({})).await;
    agent.ends(&launch, &before, Some("PASSED")).await;
    let orders = agent.item(&launch, &top, "SUITE Orders", json!({})).await;
    let fails = json!({ "codeRef": "top/orders.robot:12", "attributes": [{ "value": "api" }] });
    let fails = agent.item(&launch, &orders, "STEP Total", fails).await;
    let keyword = agent.item(&launch, &fails, "STEP KEYWORD Log", json!({ "hasStats": false })).await;
    let inner = agent.item(&launch, &keyword, "STEP inner", json!({ "hasStats": false })).await;
    agent.ends(&launch, &inner, Some("SKIPPED")).await;
    agent.ends(&launch, &keyword, Some("FAILED")).await;
    agent.ends(&launch, &fails, Some("FAILED")).await;
    agent.test(&launch, &orders, "Fine", "PASSED").await;
    let lines = json!([
        { "launchUuid": launch, "itemUuid": keyword, "time": server.at(0), "level": "ERROR", "message": "43 != 42" },
        { "launchUuid": launch, "itemUuid": null, "time": server.at(0), "level": "None", "message": "x", "file": { "name": "a \"q\".png" } },
    ]);
    agent.batch(&lines).await;
    for suite in [&orders, &top] {
        agent.ends(&launch, suite, Some("FAILED")).await;
    }
    agent.finish(&launch).await;
    let (run, tests) = run(&server, &launch).await;
    assert_eq!(tests, ["Top/Orders/Fine: passed 1", "Top/Orders/Total: failed 1"]);
    assert_eq!(
        (&run["setup"], &run["state"], &run["result"]),
        (&json!("bench 7"), &json!("finished"), &json!("failed"))
    );
    assert_eq!((&run["commit"], &run["branch"]), (&json!("c0ffee"), &json!("main")));
    let id = run["id"].as_str().expect("an id");
    let failed = server.get(&format!("/api/v1/runs/{id}/tests?outcome=failed")).await.ok();
    assert_eq!(failed["items"][0]["attempts"][0]["message"], "43 != 42");
    server.stop().await;
}

#[tokio::test]
async fn pytest_reports_flat_and_javascript_reports_retries_with_slashes_and_numbers() {
    let server = TestServer::start().await;
    let agent = Agent::of(&server, "v2");
    let settings = Agent::of(&server, "v1").ask(Method::GET, "settings", &json!({})).await.ok();
    assert_eq!(settings["subTypes"]["PRODUCT_BUG"][0]["locator"], "pb001");
    let flat = agent.launch(json!({ "name": "Pytest" })).await;
    agent.test(&flat, "", "test_a.py::test_x[1-2]", "PASSED").await;
    agent.test(&flat, "", "test_a.py::test_y", "SKIPPED").await;
    agent.finish(&flat).await;
    assert_eq!(
        run(&server, &flat).await.1,
        ["Pytest/test_a.py::test_x[1-2]: passed 1", "Pytest/test_a.py::test_y: skipped 1"]
    );

    let agent = Agent::of(&server, "v1");
    let millis = server.service().now().as_millis();
    let launch = agent.launch(json!({ "name": "Jest", "startTime": millis })).await;
    let suite = json!({ "name": "outer", "type": "suite", "startTime": millis, "launchUuid": launch });
    let suite = agent.begin("item/", &suite).await;
    let nested = agent.item(&launch, &suite, "test describe", json!({ "startTime": millis.to_string() })).await;
    for (retry, status) in [(false, "failed"), (true, "failed"), (true, "passed")] {
        let id = agent.item(&launch, &nested, "step adds", json!({ "retry": retry, "startTime": millis })).await;
        agent.ends(&launch, &id, Some(status)).await;
    }
    agent.ends(&launch, &nested, None).await;
    agent.ends(&launch, &suite, None).await;
    let line = json!({ "launchUuid": launch, "itemUuid": suite, "time": millis, "level": "info", "message": "m", "file": null });
    agent.begin("log", &line).await;
    agent.finish(&launch).await;
    let (run, tests) = run(&server, &launch).await;
    assert_eq!(tests, ["Jest/outer/describe/adds: flaky 3"]);
    assert_eq!((&run["counts"]["flaky"], &run["setup"]), (&json!(1), &json!("Jest")));
    server.stop().await;
}

#[tokio::test]
async fn any_order_and_any_repetition_make_the_same_run() {
    let server = TestServer::start().await;
    let agent = Agent::of(&server, "v2");
    // Items come before the start of their launch, whose id a client chose.
    let launch = "11111111-2222-3333-4444-555555555555";
    let (suite, begun) = tokio::join!(agent.item(launch, "", "SUITE S", json!({ "uuid": "my-suite" })), async {
        agent.launch(json!({ "uuid": launch, "attributes": [{ "key": "host", "value": "bench 3" }] })).await
    });
    assert_eq!((suite.as_str(), begun.as_str()), ("my-suite", launch));
    // A repeated start is the same item; its parent may end before its children begin.
    assert_eq!(agent.item(launch, "", "SUITE S", json!({ "uuid": "my-suite" })).await, "my-suite");
    agent.ends(launch, &suite, Some("PASSED")).await;
    let test = agent.test(launch, &suite, "t", "PASSED").await;
    agent.finish(launch).await;
    agent.ends(launch, &test, Some("PASSED")).await;
    agent.test(launch, &suite, "late", "FAILED").await;
    agent.finish(launch).await;
    let (found, tests) = run(&server, launch).await;
    assert_eq!(tests, ["Nightly/S/late: failed 1", "Nightly/S/t: passed 1"]);
    assert_eq!((&found["setup"], &found["state"]), (&json!("bench 3"), &json!("finished")));
    // The launch is run again: an attempt more, and no test more.
    let again = agent.launch(json!({ "rerun": true, "rerunOf": launch })).await;
    assert_eq!(again, launch);
    let suite = agent.item(launch, "", "SUITE S", json!({})).await;
    agent.test(launch, &suite, "late", "PASSED").await;
    assert_eq!(run(&server, launch).await.1, ["Nightly/S/late: flaky 2", "Nightly/S/t: passed 1"]);
    server.stop().await;
}

#[tokio::test]
async fn two_processes_share_a_launch() {
    let server = TestServer::start().await;
    let (one, two) = (Agent::of(&server, "v2"), Agent::of(&server, "v1"));
    let launch = one.launch(json!({ "name": "Shared" })).await;
    let (a, b) = tokio::join!(
        one.item(&launch, "", "SUITE test_a.py", json!({})),
        two.item(&launch, "", "SUITE test_a.py", json!({})),
    );
    assert_ne!(a, b);
    tokio::join!(one.test(&launch, &a, "x", "PASSED"), two.test(&launch, &b, "y", "PASSED"));
    one.ends(&launch, &a, None).await;
    two.ends(&launch, &b, None).await;
    one.finish(&launch).await;
    let (run, tests) = run(&server, &launch).await;
    assert_eq!(tests, ["Shared/test_a.py/x: passed 1", "Shared/test_a.py/y: passed 1"]);
    assert_eq!(run["result"], "passed");
    let shown = two.ask(Method::GET, &format!("launch/uuid/{launch}"), &json!({})).await.ok();
    assert_eq!((&shown["status"], &shown["statistics"]["executions"]["total"]), (&json!("PASSED"), &json!(2)));
    let listed = two.ask(Method::GET, &format!("launch?filter.in.uuid={launch}"), &json!({})).await.ok();
    assert_eq!(listed["content"][0]["uuid"], launch);
    let merged = two.ask(Method::POST, "launch/merge", &json!({ "launches": [shown["id"]] })).await.ok();
    assert_eq!(merged["uuid"], launch);
    let item = two.ask(Method::GET, &format!("item/uuid/{a}"), &json!({})).await.ok();
    assert_eq!((&item["name"], &item["type"]), (&json!("test_a.py"), &json!("SUITE")));
    for path in [format!("item/{}/update", item["id"]), format!("launch/{launch}/update")] {
        let more = json!({ "description": "more", "attributes": [{ "key": "k", "value": "v" }] });
        assert!(two.ask(Method::PUT, &path, &more).await.ok()["message"].is_string());
    }
    server.stop().await;
}

#[tokio::test]
async fn a_launch_survives_a_new_start_of_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("holter.db").display());
    let open = || TestServer::start_with(true, |config| config.database_url = url.clone());
    let server = open().await;
    let agent = Agent::of(&server, "v1");
    let launch = agent.launch(json!({})).await;
    let suite = agent.item(&launch, "", "SUITE S", json!({})).await;
    let undecided = agent.item(&launch, &suite, "TEST file", json!({})).await;
    let test = agent.item(&launch, &suite, "STEP t", json!({})).await;
    let step = agent.item(&launch, &test, "STEP keyword", json!({ "hasStats": false })).await;
    server.stop().await;

    let server = open().await;
    let agent = Agent::of(&server, "v1");
    agent.ends(&launch, &step, Some("FAILED")).await;
    agent.ends(&launch, &test, Some("PASSED")).await;
    agent.test(&launch, &undecided, "u", "PASSED").await;
    agent.finish(&launch).await;
    assert_eq!(run(&server, &launch).await.1, ["Nightly/S/file/u: passed 1", "Nightly/S/t: passed 1"]);
    server.stop().await;

    // Whoever runs it again knows its name alone.
    let server = open().await;
    let agent = Agent::of(&server, "v1");
    assert_eq!(agent.launch(json!({ "rerun": true, "rerunOf": null })).await, launch);
    assert_ne!(agent.launch(json!({ "rerun": true, "name": "Weekly" })).await, launch);
    server.stop().await;
}

#[tokio::test]
async fn what_has_no_meaning_is_refused_in_the_shape_of_reportportal() {
    let server = TestServer::start().await;
    let agent = Agent::of(&server, "v1");
    let launch = agent.launch(json!({})).await;
    let finish = json!({ "launchUuid": launch, "endTime": server.at(0) });
    let nobody = json!({ "launchUuid": "nobody", "name": "a", "type": "STEP", "startTime": 1 });
    let cases = [
        (Method::POST, "launch", json!({ "startTime": 1 }), 400, 4001),
        (Method::POST, "launch", json!([1]), 400, 4001),
        (Method::POST, "launch", json!({ "name": "a", "startTime": "soon" }), 400, 4001),
        (Method::POST, "item", json!({ "name": "a", "type": "STEP", "launchUuid": null }), 400, 4001),
        (Method::POST, "item", nobody, 404, 4041),
        (Method::POST, "item/unknown", json!({ "launchUuid": launch, "name": "a", "type": "STEP" }), 404, 4043),
        (Method::PUT, "item/unknown", finish.clone(), 404, 4043),
        (Method::PUT, "launch/unknown/finish", finish, 404, 4041),
        (Method::POST, "log", json!("text"), 400, 4001),
        (Method::GET, "launch/uuid/unknown", json!({}), 404, 4041),
        (Method::GET, "item/uuid/unknown", json!({}), 404, 4043),
    ];
    for (method, path, body, status, code) in cases {
        let answer = agent.ask(method, path, &body).await;
        assert_eq!((answer.status, &answer.json["errorCode"]), (status, &json!(code)), "{path}: {}", answer.text);
        assert!(answer.json["message"].is_string() && answer.header("content-type") == "application/json");
    }
    let raw = |body: &'static str| server.client.post(server.url("/api/v1/pump/launch")).body(body);
    assert_eq!(server.send(raw("{")).await.json["errorCode"], 4001);
    let cut =
        server.client.post(server.url("/api/v1/pump/log")).header("content-type", "multipart/form-data; boundary=b");
    assert_eq!(server.send(cut.body("--b\r\n\r\n")).await.status, 400);
    // Our own addresses stay ours.
    assert_eq!(server.get("/api/v1/runs").await.status, 200);
    assert_eq!(server.get("/api/v1/pump/nothing").await.status, 404);
    let reserved = server.client.post(server.url("/api/v1/flaky/launch")).body("{}");
    assert_eq!(server.send(reserved).await.json["errorCode"], 4001);
    server.stop().await;
}

#[tokio::test]
async fn a_key_is_a_token_and_its_setup_stands() {
    let server = TestServer::start_with(false, |_| {}).await;
    let (ingest, read) =
        (server.token(Scope::Ingest, Some("bench 1"), Some("pump")).await, server.token(Scope::Read, None, None).await);
    let elsewhere = server.token(Scope::Ingest, None, Some("valve")).await;
    let body = json!({ "name": "N", "startTime": 1, "attributes": [{ "key": "setup", "value": "another" }] });
    for (key, status) in [(None, 401), (Some("nonsense"), 401), (Some(&*read), 403), (Some(&*elsewhere), 403)] {
        let agent = Agent { server: &server, version: "v2", key };
        let answer = agent.ask(Method::POST, "launch", &body).await;
        assert_eq!((answer.status, &answer.json["errorCode"]), (status, &json!(4003)), "{}", answer.text);
    }
    let agent = Agent { server: &server, version: "v2", key: Some(&ingest) };
    let launch = agent.begin("launch", &body).await;
    agent.test(&launch, "", "t", "PASSED").await;
    assert_eq!(run(&server, &launch).await.0["setup"], "bench 1");
    // Another setup's launch is out of reach, also for what is not told at once.
    let other = server.token(Scope::Ingest, Some("bench 2"), None).await;
    let agent = Agent { server: &server, version: "v2", key: Some(&other) };
    let item = json!({ "name": "a", "type": "TEST", "launchUuid": launch });
    assert_eq!(agent.ask(Method::POST, "item", &item).await.status, 403);
    // Where everybody may write, any key will do.
    let open = TestServer::start().await;
    Agent { server: &open, version: "v2", key: Some("nonsense") }.launch(json!({})).await;
    open.stop().await;
    server.stop().await;
}
