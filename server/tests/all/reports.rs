//! Report files, from an upload to the counts of a run.

use crate::harness::TestServer;
use reqwest::Body;
use serde_json::{Value, json};
use std::io::Write;

const JUNIT: &str = r#"<testsuites><testsuite name="Pump">
    <testcase classname="pump.Valves" name="opens" time="1.5"/>
    <testcase classname="pump.Valves" name="closes" time="0.2"><failure message="stuck">line 7</failure></testcase>
    <testcase classname="pump.Valves" name="sings"><skipped message="no voice"/></testcase>
    <testcase classname="pump.Valves" name="blinks"><flakyFailure message="dark">line 9</flakyFailure></testcase>
</testsuite></testsuites>"#;

async fn send(server: &TestServer, query: &str, body: impl Into<Body>) -> (u16, Value) {
    let request = reqwest::Client::new().post(server.url(&format!("/api/v1/reports?{query}"))).body(body);
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn counts(server: &TestServer, key: &str) -> Value {
    let runs = server.get("/api/v1/runs").await.ok();
    let runs = runs["items"].as_array().expect("items").clone();
    let run = runs.iter().find(|run| run["key"] == key).unwrap_or_else(|| panic!("{key} is not in {runs:?}"));
    assert_eq!(run["state"], "finished", "{run}");
    run["counts"].clone()
}

#[tokio::test]
async fn a_report_is_a_run_with_the_right_counts_and_counts_once() {
    let server = TestServer::start().await;
    let (status, receipt) = send(&server, "setup=ci&commit=c0ffee&branch=main", JUNIT).await;
    assert_eq!(status, 200, "{receipt}");
    let file = &receipt["files"][0];
    assert_eq!((&file["format"], &file["tests"], &file["flaky"]), (&json!("junit"), &json!(4), &json!(1)), "{receipt}");
    let key = receipt["run"].as_str().expect("a key").to_owned();
    let told = counts(&server, &key).await;
    let of = |name: &str| told[name].as_u64().expect("a number");
    assert_eq!(["passed", "flaky", "failed", "skipped", "planned"].map(of), [1, 1, 1, 1, 4]);

    let (_, again) = send(&server, "setup=ci&commit=c0ffee&branch=main", JUNIT).await;
    assert_eq!((again["accepted"].as_u64(), &again["run"]), (Some(0), &receipt["run"]), "{again}");
    assert_eq!(counts(&server, &key).await, told);
    server.stop().await;
}

#[tokio::test]
async fn shards_join_by_the_key_of_their_run() {
    let server = TestServer::start().await;
    for shard in 1..=2 {
        let body = format!("<testsuite name=\"S\"><testcase classname=\"a\" name=\"t{shard}\"/></testsuite>");
        let (status, receipt) = send(&server, &format!("setup=ci&run=77&shard={shard}&shards=2"), body).await;
        assert_eq!(status, 200, "{receipt}");
    }
    assert_eq!(counts(&server, "77").await["passed"], 2);
    server.stop().await;
}

#[tokio::test]
async fn an_archive_and_a_form_of_many_files_make_one_run() {
    let server = TestServer::start().await;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [("a/one.xml", JUNIT), ("two.tap", "1..1\nok 1 - spins\n"), ("notes.txt", "see the wiki")] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("packs");
        archive.write_all(text.as_bytes()).expect("packs");
    }
    let packed = archive.finish().expect("packs").into_inner();
    let (status, receipt) = send(&server, "setup=ci&run=zip", packed.clone()).await;
    assert_eq!((status, receipt["files"].as_array().map(Vec::len)), (200, Some(2)), "{receipt}");
    assert_eq!(counts(&server, "zip").await["planned"], 5);

    let part = |name: &str, bytes: &[u8]| {
        let head = format!("--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n");
        [head.as_bytes(), bytes, b"\r\n"].concat()
    };
    let form = [part("r.zip", &packed), part("three.tap", b"1..1\nnot ok 1 - stops\n"), b"--x--\r\n".to_vec()].concat();
    let request = reqwest::Client::new().post(server.url("/api/v1/reports?setup=ci&run=form"));
    let request = request.header("content-type", "multipart/form-data; boundary=x").body(form);
    let receipt: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(receipt["files"].as_array().map(Vec::len), Some(3), "{receipt}");
    assert_eq!(counts(&server, "form").await["failed"], 2);
    server.stop().await;
}

#[tokio::test]
async fn what_is_cut_off_is_salvaged_and_said() {
    let server = TestServer::start().await;
    let cut = &JUNIT[..JUNIT.find("sings").expect("is there")];
    let (status, receipt) = send(&server, "setup=ci", cut.to_owned()).await;
    assert_eq!((status, &receipt["files"][0]["tests"]), (200, &json!(2)), "{receipt}");
    assert!(receipt["files"][0]["lost"][0]["place"].as_str().is_some_and(|place| place.contains("line")), "{receipt}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_report_is_refused_with_a_reason() {
    let server = TestServer::start().await;
    let bomb =
        r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>"#;
    for (query, body, status, words) in [
        ("setup=ci", "", 422, "empty"),
        ("setup=ci", "hello", 422, "no test report"),
        ("setup=ci", bomb, 422, "entit"),
        ("setup=ci&format=nice", JUNIT, 422, "one of"),
        ("", JUNIT, 422, "setup"),
        ("setup=ci&project=runs", JUNIT, 422, "reserved"),
        ("setup=ci&shard=0", JUNIT, 422, "from 1"),
    ] {
        let (got, problem) = send(&server, query, body.to_owned()).await;
        assert_eq!(got, status, "{query} {problem}");
        let said = problem.to_string().to_lowercase();
        assert!(said.contains(words), "{query}: {said}");
    }
    assert_eq!(server.get("/api/v1/runs").await.ok()["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn uploads_need_a_token_and_go_to_its_setup() {
    let server = TestServer::start_with(false, |_| {}).await;
    assert_eq!(send(&server, "setup=ci", JUNIT).await.0, 401);
    let token = server.token(server::service::tokens::Scope::Ingest, Some("ci"), None).await;
    let post = |query: &str| {
        reqwest::Client::new()
            .post(server.url(&format!("/api/v1/reports{query}")))
            .bearer_auth(&token)
            .body(JUNIT)
            .send()
    };
    assert_eq!(post("").await.expect("an answer").status(), 200, "the token says where");
    assert_eq!(post("?setup=other").await.expect("an answer").status(), 403);
    server.stop().await;
}
