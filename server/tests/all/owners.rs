//! Who looks after a test by the file it is written in.

use crate::harness::{Answer, TestServer};
use serde_json::{Value, json};
use server::service::tokens::Scope;

async fn put(server: &TestServer, project: &str, text: &str) -> Answer {
    let url = server.url(&format!("/api/v1/projects/{project}/codeowners"));
    server.send(server.client.put(url).body(text.to_owned())).await
}

/// Runs in which two tests are flaky: one says who looks after it, the other where it is written.
async fn ill(server: &TestServer) {
    for key in 0..12 {
        let say = |kind: &str, test: &str, attempt: u32, more: Value| {
            let mut event = json!({"type": kind, "setup": "A", "run": key.to_string(), "project": "pump",
                "at": server.at(i64::from(attempt)), "suite": ["Root"], "test": test, "attempt": attempt});
            more.as_object().expect("fields").iter().for_each(|(name, value)| event[name] = value.clone());
            event
        };
        let mut events = Vec::new();
        for (test, about) in [
            ("says", json!({"owner": "Kim", "source": "/ci/pump/tests/a.robot"})),
            ("is written", json!({"source": "/ci/pump/tests/power/b.robot", "line": 7})),
        ] {
            events.push(say("test.started", test, 1, about));
            events.push(say("test.finished", test, 1, json!({"verdict": "failed"})));
            events.push(say("test.finished", test, 2, json!({"verdict": "passed"})));
        }
        events.push(json!({"type": "run.finished", "setup": "A", "run": key.to_string(), "at": server.at(3)}));
        server.post(&events.into()).await.ok();
        server.pass(60);
    }
}

async fn owners(server: &TestServer) -> Vec<(String, Value)> {
    let list = server.get("/api/v1/flaky").await.ok();
    let items = list["items"].as_array().expect("items").iter();
    let mut owners: Vec<_> =
        items.map(|item| (item["test"].as_str().expect("a name").to_owned(), item["owner"].clone())).collect();
    owners.sort_by(|one, other| one.0.cmp(&other.0));
    owners
}

fn told(written: Value) -> Vec<(String, Value)> {
    vec![("is written".to_owned(), written), ("says".to_owned(), json!("Kim"))]
}

#[tokio::test]
async fn a_file_of_owners_names_who_looks_after_a_test_that_does_not_say() {
    let server = TestServer::start().await;
    ill(&server).await;
    assert_eq!(owners(&server).await, told(Value::Null));
    let kept = put(&server, "pump", "# who\n* @all\n/tests/power/ @power @lab\n!no\n").await.ok();
    assert_eq!(kept, json!({"rules": 2, "left_out": 1}));
    assert_eq!(owners(&server).await, told(json!("@power @lab")), "it holds for the past too");
    let csv = server.get("/api/v1/flaky.csv").await.text;
    assert!(csv.contains("@power @lab") && csv.contains("Kim"), "{csv}");
    let page = server.get("/flaky?owner=%40power%20%40lab").await.text;
    assert!(page.contains("is written") && !page.contains(">says<"), "{page}");
    let run = server.get("/api/v1/runs").await.ok()["items"][0]["id"].clone();
    let tests = server.get(&format!("/api/v1/runs/{}/tests", run.as_str().expect("an id"))).await.ok();
    assert_eq!(tests["items"][1]["owner"], "@power @lab");
    let id = tests["items"][1]["id"].as_str().expect("an id");
    assert!(server.get(&format!("/tests/{id}")).await.text.contains("@power @lab"));

    put(&server, "pump", "*.robot robots@mail.example\n").await.ok();
    assert_eq!(owners(&server).await, told(json!("robots@mail.example")));
    let there = server.get("/api/v1/projects/pump/codeowners").await;
    assert_eq!((there.status, &*there.text), (200, "*.robot robots@mail.example\n"));
    let url = server.url("/api/v1/projects/pump/codeowners");
    assert_eq!(server.send(server.client.delete(&url)).await.status, 204);
    assert_eq!(owners(&server).await, told(Value::Null));
    server.send(server.client.delete(&url)).await.problem(404, "not-found");
    server.get("/api/v1/projects/pump/codeowners").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_says_nothing_or_too_much_is_refused() {
    let server = TestServer::start_with(false, |_| {}).await;
    let ingest = server.token(Scope::Ingest, None, Some("pump")).await;
    let ask = |project: &str, token: Option<&str>, body: Vec<u8>| {
        let request = server.client.put(server.url(&format!("/api/v1/projects/{project}/codeowners"))).body(body);
        token.map_or_else(
            || request.try_clone().expect("it can"),
            |token| request.try_clone().expect("it can").bearer_auth(token),
        )
    };
    server.send(ask("pump", None, b"* @a".to_vec())).await.problem(401, "unauthenticated");
    server.send(ask("press", Some(&ingest), b"* @a".to_vec())).await.problem(403, "forbidden");
    server.send(ask("pump", Some(&ingest), b"# nothing\n".to_vec())).await.problem(422, "invalid");
    server.send(ask("pump", Some(&ingest), b"\xff\xfe* @a".to_vec())).await.problem(400, "malformed");
    server.send(ask("pump", Some(&ingest), vec![b'a'; 300_000])).await.problem(413, "too-large");
    server.send(ask("pump", Some(&ingest), b"* @a".to_vec())).await.ok();
    server.stop().await;
}

#[tokio::test]
async fn an_upload_of_reports_may_hold_the_file_of_owners() {
    let server = TestServer::start().await;
    let junit = r#"<testsuite name="s"><testcase name="opens" file="tests/power/b.py"/></testsuite>"#;
    let part = |name: &str, text: &str| {
        format!("--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let form = part("a.xml", junit) + &part(".github/CODEOWNERS", "tests/power/ @power\n") + "--x--\r\n";
    let request = server.client.post(server.url("/api/v1/reports?setup=ci&project=pump&run=1"));
    let request = request.header("content-type", "multipart/form-data; boundary=x").body(form);
    let receipt = server.send(request).await.ok();
    assert_eq!(receipt["files"].as_array().map(Vec::len), Some(1), "{receipt}");
    assert_eq!(receipt["owners"], json!({"rules": 1, "left_out": 0}));
    let run = server.get("/api/v1/runs").await.ok()["items"][0]["id"].clone();
    let tests = server.get(&format!("/api/v1/runs/{}/tests", run.as_str().expect("an id"))).await.ok();
    assert_eq!(tests["items"][0]["owner"], "@power", "{tests}");
    server.stop().await;
}

#[tokio::test]
async fn the_list_of_ill_tests_is_told_as_ctrf() {
    let server = TestServer::start().await;
    ill(&server).await;
    let told = server.get("/api/v1/flaky.ctrf").await.ok();
    assert_eq!((&told["reportFormat"], &told["results"]["summary"]["tests"]), (&json!("CTRF"), &json!(2)));
    let tests = told["results"]["tests"].as_array().expect("tests");
    let says = tests.iter().find(|test| test["name"] == "says").expect("it is ill");
    assert_eq!(
        (&says["flaky"], &says["labels"]["owner"], &says["suite"]),
        (&json!(true), &json!("Kim"), &json!(["Root"]))
    );
    assert!(says["extra"]["p_flaky"].as_f64() > Some(0.5), "{says}");
    let report = reports::read(told.to_string().as_bytes(), None).expect("a report");
    assert_eq!(report.1.cases.len(), 2);
    server.stop().await;
}
