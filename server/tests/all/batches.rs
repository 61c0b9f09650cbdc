//! Batches: test files that are sent in, sorted, run, shown and run again.

use crate::harness::{Answer, TestServer, eventually};
use app::domain::clock::Clock;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use server::config::IsolationWord;
use server::service::tokens::Scope;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::process::Command;

/// A form as browsers send it.
#[derive(Default)]
pub struct Form(Vec<u8>);

const BOUNDARY: &str = "----between-the-parts";

impl Form {
    fn part(mut self, head: &str, bytes: &[u8]) -> Self {
        self.0.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n").into_bytes());
        self.0.extend(bytes);
        self.0.extend(b"\r\n");
        self
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    pub fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("name=\"files\"; filename=\"{name}\""), bytes)
    }

    fn on(mut self, request: RequestBuilder) -> RequestBuilder {
        self.0.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(self.0)
    }
}

fn form(name: &str, files: &[(&str, &str)]) -> Form {
    let form = Form::default().text("name", name);
    files.iter().fold(form, |form, (name, text)| form.file(name, text.as_bytes()))
}

pub async fn send(server: &TestServer, form: Form) -> Answer {
    server.send(form.on(server.client.post(server.url("/api/v1/batches")))).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub async fn ended(server: &TestServer, id: &str) -> Value {
    eventually("the batch is over", async || {
        let batch = server.get(&format!("/api/v1/batches/{id}")).await.ok();
        (!["created", "running", "held"].contains(&text(&batch["status"]))).then_some(batch)
    })
    .await
}

const TAP: &str = "echo 1..2\necho 'ok 1 - opens'\necho 'ok 2 - closes'\n";

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_the_reason() {
    let server = TestServer::start().await;
    let problem =
        send(&server, form("Kim", &[("photo.jpg", "\u{1}"), ("../x.sh", "echo")])).await.problem(422, "invalid");
    let detail = text(&problem["detail"]);
    assert!(detail.contains("photo.jpg: it is no test") && detail.contains("../x.sh: it leads out"), "{detail}");
    send(&server, form("Kim", &[])).await.problem(422, "invalid");
    send(&server, form(" ", &[("a.sh", TAP)])).await.problem(422, "invalid");
    send(&server, form("Kim", &[("a.sh", TAP)]).text("labels", "a;b")).await.problem(422, "invalid");
    send(&server, form("Kim", &[("a.zip", "PK\u{3}\u{4}not")])).await.problem(422, "invalid");
    send(&server, Form::default().text("name", "Kim").file("a.sh", &vec![0; 70 << 20])).await.problem(413, "too-large");
    assert_eq!(server.get("/api/v1/batches").await.ok()["total"], 0);

    let sent = send(&server, form("Kim", &[("a.sh", TAP), ("photo.jpg", "\u{1}")])).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    assert_eq!(sent.header("location"), format!("/api/v1/batches/{}", text(&sent.json["id"])));
    assert_eq!((&sent.json["refused"][0]["name"], &sent.json["status"]), (&json!("photo.jpg"), &json!("created")));
    assert_eq!(sent.json["units"], json!([{"path": "a.sh", "framework": "shell"}]));
    server.stop().await;
}

#[tokio::test]
async fn who_may_not_order_runs_may_not_send_batches() {
    let server = TestServer::start_with(false, |_| {}).await;
    send(&server, form("Kim", &[("a.sh", TAP)])).await.problem(401, "unauthenticated");
    let token = server.token(Scope::Ingest, None, None).await;
    let request = server.client.post(server.url("/api/v1/batches")).bearer_auth(token);
    server.send(form("Kim", &[("a.sh", TAP)]).on(request)).await.problem(403, "forbidden");
    let admin = server.token(Scope::Admin, None, None).await;
    let request = server.client.post(server.url("/api/v1/batches")).bearer_auth(&admin);
    assert_eq!(server.send(form("Kim", &[("a.sh", TAP)]).on(request)).await.status, 201);
    let by_address = server.client.post(server.url(&format!("/newTestrun?token={admin}")));
    let form = Form::default().text("username", "Kim").file("a.sh", TAP.as_bytes());
    assert_eq!(
        server.send(form.on(by_address)).await.status,
        200,
        "its clients can be given an address, but no header"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_batch_runs_in_the_server_itself_and_once_more_where_it_failed() {
    let server = TestServer::start_with(true, |config| config.runner.workers = 2).await;
    let files = [("good.sh", TAP), ("bad.sh", "cat data/words.txt\necho 'not ok 1 - breaks'\nexit 1\n")];
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files.iter().chain(&[("data/words.txt", "hello from beside\n")]) {
        packed.start_file(*name, zip::write::SimpleFileOptions::default()).expect("packs");
        packed.write_all(text.as_bytes()).expect("packs");
    }
    let packed = packed.finish().expect("packs").into_inner();
    let form = Form::default().text("name", "Kim").text("setup", "yard").file("all.zip", &packed);
    let sent = send(&server, form).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    let id = text(&sent.json["id"]).to_owned();
    let batch = ended(&server, &id).await;
    assert_eq!(batch["status"], "failed", "{batch}");
    let results: Vec<_> = batch["jobs"].as_array().expect("jobs").iter().map(|job| text(&job["result"])).collect();
    assert_eq!(results, ["failed", "passed"]);
    let log = server.get(&format!("/api/v1/jobs/{}/log", text(&batch["jobs"][0]["id"]))).await.text;
    assert!(log.contains("hello from beside"), "{log}");
    let runs = server.get("/api/v1/runs?setup=yard").await.ok();
    let mut results: Vec<_> = runs["items"].as_array().expect("runs").iter().map(|run| text(&run["result"])).collect();
    results.sort_unstable();
    assert_eq!(results, ["failed", "passed"]);

    let again = server.client.post(server.url(&format!("/api/v1/batches/{id}/rerun?failed=1")));
    let again = server.send(again).await;
    assert_eq!((again.status, again.json["units"].as_array().map(Vec::len)), (201, Some(1)), "{}", again.text);
    assert_eq!(ended(&server, text(&again.json["id"])).await["status"], "failed");

    let page = server.get(&format!("/batches/{id}")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("bad.sh") && page.text.contains("Run again what did not pass"), "{}", page.text);
    let page = server.get(&format!("/jobs/{}", text(&batch["jobs"][0]["id"]))).await;
    assert!(page.text.contains("hello from beside") && page.text.contains("data-test=\"steps\""), "{}", page.text);
    assert!(server.get("/batches").await.text.contains("Kim"));
    assert!(server.get("/workers").await.text.contains("data-test=\"workers\""));
    server.stop().await;
}

#[tokio::test]
async fn a_batch_may_be_looked_at_before_it_starts_and_called_off_after() {
    let server = TestServer::start().await;
    let sent = send(&server, form("Kim", &[("a.sh", TAP), ("b.sh", TAP)]).text("hold", "1")).await;
    let path = format!("/api/v1/batches/{}", text(&sent.json["id"]));
    assert_eq!((sent.status, &sent.json["status"], &sent.json["jobs"]), (201, &json!("held"), &json!([])));
    let post = async |act: &str| server.send(server.client.post(server.url(&format!("{path}/{act}")))).await;
    assert_eq!(post("start").await.ok()["status"], "created");
    post("start").await.problem(409, "conflict");
    let page = server.get(&path.replace("/api/v1", "")).await;
    assert!(page.text.contains("1 before it in the queue"), "{}", page.text);
    assert_eq!(post("cancel").await.status, 204);
    assert_eq!(server.get(&path).await.ok()["status"], "cancelled");
    post("nonsense").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn the_clients_of_the_former_runner_go_on() {
    let server = TestServer::start().await;
    for number in 0..12 {
        let form = Form::default().text("username", &format!("user {number}"));
        let form = form.file("test_a.py", b"def test_a():\n    pass\n");
        let made = server.send(form.on(server.client.post(server.url("/newTestrun")))).await.ok();
        assert_eq!(made["message"], "Testrun created");
    }
    let list = server.get("/api/testruns?page=2").await.ok();
    assert_eq!((&list["num_results"], &list["page"], &list["total_pages"]), (&json!(12), &json!(2), &json!(2)));
    assert_eq!(list["objects"].as_array().map(Vec::len), Some(2));
    let first = &server.get("/api/testruns").await.ok()["objects"][0];
    assert_eq!((&first["username"], &first["status"]), (&json!("user 11"), &json!("CREATED")));
    let one = server.get(&format!("/api/testruns/{}", text(&first["id"]))).await.ok();
    assert_eq!(&one, first);
    assert_eq!(server.get("/api/testruns/7").await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_script_that_says_that_all_is_well_does_not_overrule_its_own_report() {
    let server = TestServer::start_with(true, |config| config.runner.workers = 1).await;
    let files = [("said.sh", "echo 1..2\necho 'ok 1 - opens'\necho 'not ok 2 - closes'\n"), ("silent.sh", "exit 0\n")];
    let sent = send(&server, form("Kim", &files)).await;
    let batch = ended(&server, text(&sent.json["id"])).await;
    assert_eq!(batch["status"], "failed", "{batch}");
    let said = ["/jobs/0/result", "/jobs/0/note", "/jobs/0/progress/steps/0/state", "/jobs/1/result"]
        .map(|place| batch.pointer(place).and_then(Value::as_str).unwrap_or_default());
    assert_eq!(said, ["failed", "the step test ended with 0, and its tests failed", "failed", "passed"], "{batch}");
    server.stop().await;
}

#[tokio::test]
async fn pytest_and_robot_tell_each_test_live_without_any_network() {
    let Some(python) = server::config::environment("HOLTER_PYTHON") else {
        eprintln!("left out: HOLTER_PYTHON names no Python with pytest and Robot Framework");
        return;
    };
    let prefixes = Command::new(&python).args(["-c", "import sys; print(sys.prefix); print(sys.base_prefix)"]).output();
    let prefixes = String::from_utf8(prefixes.expect("Python runs").stdout).expect("text");
    let server = TestServer::start_with(true, |config| {
        config.runner.workers = 1;
        config.runner.isolation = IsolationWord::Bubblewrap;
        config.runner.visible = prefixes.lines().map(PathBuf::from).collect();
        config.runner.python = python;
    })
    .await;
    let files = [
        ("test_good.py", "def test_one():\n    pass\n\ndef test_two():\n    pass\n"),
        (
            "test_bad.py",
            "import unittest\n\nclass A(unittest.TestCase):\n    def test_x(self):\n        self.fail('so it is')\n",
        ),
        ("pump.robot", "*** Test Cases ***\nOpens\n    No Operation\nCloses\n    Fail    it does not\n"),
    ];
    let sent = send(&server, form("Kim", &files)).await;
    let batch = ended(&server, text(&sent.json["id"])).await;
    let shown: Vec<_> =
        batch["jobs"].as_array().expect("jobs").iter().map(|job| (text(&job["name"]), text(&job["result"]))).collect();
    let mut logs = String::new();
    for job in batch["jobs"].as_array().expect("jobs") {
        logs += &server.get(&format!("/api/v1/jobs/{}/log", text(&job["id"]))).await.text;
    }
    assert_eq!(shown, [("pump.robot", "failed"), ("test_bad.py", "failed"), ("test_good.py", "passed")], "{logs}");
    let runs = server.get("/api/v1/runs?setup=batches").await.ok();
    let mut counted: Vec<_> = runs["items"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| {
            (
                text(&run["key"]).split(' ').next().unwrap_or_default().to_owned(),
                run["counts"]["passed"].clone(),
                run["counts"]["failed"].clone(),
                run["state"].clone(),
            )
        })
        .collect();
    counted.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [("pump.robot", 1, 1), ("test_bad.py", 0, 1), ("test_good.py", 2, 0)];
    assert_eq!(
        counted,
        expected.map(|(name, passed, failed)| (name.to_owned(), json!(passed), json!(failed), json!("finished"))),
        "{logs}"
    );
    let robot = runs["items"].as_array().expect("runs").iter().find(|run| text(&run["key"]).starts_with("pump.robot"));
    let files = format!("/api/v1/runs/{}/attachments", text(&robot.expect("its run")["id"]));
    let files = server.get(&files).await.ok();
    let names: Vec<_> = files["items"].as_array().expect("files").iter().map(|file| text(&file["name"])).collect();
    assert_eq!(names, ["log.html", "output.xml", "report.html"], "what Robot Framework itself wrote is kept: {logs}");
    assert!(server.service().now() <= server.clock.now());
    server.stop().await;
}
