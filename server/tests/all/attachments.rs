//! Files of runs over HTTP: sent, listed, handed out, and never dangerous.

use crate::harness::{Answer, TestServer};
use reqwest::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
};
use serde_json::{Value, json};
use server::service::tokens::Scope;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what follows";

async fn send(server: &TestServer, query: &str, kind: &str, bytes: &[u8]) -> Answer {
    let url = server.url(&format!("/api/v1/attachments?setup=bench&run=r&{query}"));
    let request = server.client.post(url).header(CONTENT_TYPE, kind).body(bytes.to_vec());
    server.send(request).await
}

/// A run with one test.
async fn run(server: &TestServer) -> String {
    server.rig("bench").run("r").fails("opens").done().await
}

async fn files(server: &TestServer, run: &str) -> Vec<Value> {
    let list = server.get(&format!("/api/v1/runs/{run}/attachments")).await.ok();
    list["items"].as_array().expect("files").clone()
}

#[tokio::test]
async fn a_file_is_sent_listed_and_read_again() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    assert_eq!(files(&server, &run).await, [] as [Value; 0]);
    let place = "suite=Root&test=opens&attempt=1";
    let sent = send(&server, &format!("{place}&name=shots/screen.png"), "image/png", PNG).await.ok();
    assert_eq!(
        (&sent["name"], &sent["type"], &sent["size"]),
        (&json!("screen.png"), &json!("image/png"), &json!(PNG.len()))
    );
    let again = send(&server, &format!("{place}&name=shots/screen.png"), "image/png", PNG).await.ok();
    assert_eq!(again, sent);
    send(&server, "name=all.log&level=warn&message=whole", "application/octet-stream", b"one\ntwo\n").await.ok();
    let listed = files(&server, &run).await;
    assert_eq!(listed.len(), 2, "the same again is the same: {listed:?}");
    let of = |name: &str| listed.iter().find(|file| file["name"] == name).expect("listed").clone();
    let (screen, log) = (of("screen.png"), of("all.log"));
    assert_eq!((&screen["test"], &screen["suite"], &screen["attempt"]), (&json!("opens"), &json!(["Root"]), &json!(1)));
    assert_eq!((&log["test"], &log["suite"], &log["type"]), (&Value::Null, &json!([]), &json!("text/plain")));

    let address = screen["url"].as_str().expect("an address");
    let answer = server.client.get(server.url(address)).send().await.expect("an answer");
    let header = |name| answer.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header(CONTENT_TYPE.as_str()), "image/png");
    assert_eq!(header(CONTENT_DISPOSITION.as_str()), "inline; filename=\"screen.png\"; filename*=UTF-8''screen.png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header(CACHE_CONTROL.as_str()).contains("immutable"));
    assert_eq!(header(ACCEPT_RANGES.as_str()), "bytes");
    let etag = header(ETAG.as_str());
    assert_eq!(answer.bytes().await.expect("a body"), PNG);
    let known = server.client.get(server.url(address)).header("if-none-match", etag).send().await.expect("an answer");
    assert_eq!(known.status(), 304);
    let part = server.client.get(server.url(address)).header("range", "bytes=1-3").send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()[CONTENT_RANGE], format!("bytes 1-3/{}", PNG.len()));
    assert_eq!(part.bytes().await.expect("a body"), &PNG[1..4]);
    let beyond = server.client.get(server.url(address)).header("range", "bytes=999-").send().await.expect("an answer");
    assert_eq!(beyond.status(), 416);

    let lines = server.get(&format!("/api/v1/runs/{run}/log?level=warn")).await.ok();
    assert_eq!((lines["items"].as_array().map(Vec::len), &lines["items"][0]["message"]), (Some(1), &json!("whole")));
    assert_eq!(lines["items"][0]["attachment"]["name"], "all.log");
    server.get(&format!("/api/v1/runs/{run}/attachments/{}", "0".repeat(64))).await.problem(404, "not-found");
    server.get(&format!("/api/v1/runs/{run}/attachments/..%2f..%2fholter.db")).await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn nothing_that_is_sent_runs_in_a_browser() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    for (name, kind) in [
        ("a.html", "text/html"),
        ("a.svg", "image/svg+xml"),
        ("a.xhtml", "application/xhtml+xml"),
        ("a.pdf", "application/pdf"),
        ("page.html", "application/octet-stream"),
        ("a.js", "text/javascript"),
        ("odd", "image/png\u{e9}; x"),
        ("evil", "text/html;charset=utf-7"),
    ] {
        let script = format!("<script>alert('{name}')</script>");
        let sent = send(&server, &format!("name={name}"), "x/y", script.as_bytes()).await;
        assert_eq!(sent.status, 200);
        let url = server.url(&format!("/api/v1/attachments?setup=bench&run=r&name={name}"));
        let value = reqwest::header::HeaderValue::from_bytes(kind.as_bytes()).expect("bytes");
        server.send(server.client.post(url).header(CONTENT_TYPE, value).body(script)).await.ok();
    }
    let listed = files(&server, &run).await;
    assert_eq!(listed.len(), 8);
    for file in listed {
        let address = server.url(file["url"].as_str().expect("an address"));
        let answer = server.client.get(address).send().await.expect("an answer");
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        let policy = header(CONTENT_SECURITY_POLICY.as_str());
        assert!(policy.starts_with("default-src 'none';") && policy.contains("sandbox;"), "{policy}");
        assert!(!policy.contains("script"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let (kind, shown) = (header(CONTENT_TYPE.as_str()), header(CONTENT_DISPOSITION.as_str()));
        let is_active = ["html", "svg", "xml", "pdf"].iter().any(|word| kind.contains(word));
        assert!(shown.starts_with("attachment") || !is_active, "{file} is {kind}, {shown}");
        assert!(!kind.contains("javascript"), "{file} is {kind}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_says_why() {
    let server = TestServer::start_with(false, |config| config.files.max_mebibytes = 1).await;
    let token = server.token(Scope::Ingest, Some("bench"), Some("pump")).await;
    let ask = async |query: &str, token: Option<&str>, body: Vec<u8>| {
        let mut request = server.client.post(server.url(&format!("/api/v1/attachments?{query}"))).body(body);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        server.send(request).await
    };
    let (token, secret) = (Some(token.as_str()), &token);
    ask("run=r&name=a", None, vec![1]).await.problem(401, "unauthenticated");
    ask("run=r&name=a&setup=other", token, vec![1]).await.problem(403, "forbidden");
    ask("run=r&name=a&project=other", token, vec![1]).await.problem(403, "forbidden");
    ask("name=a", token, vec![1]).await.problem(422, "invalid");
    ask("run=r", token, vec![1]).await.problem(422, "invalid");
    ask("run=r&name=a&suite=S&test=t&attempt=0", token, vec![1]).await.problem(422, "invalid");
    ask("run=r&name=a", token, vec![0; 1024 * 1024 + 1]).await.problem(413, "too-large");
    assert_eq!(ask("run=r&name=a", token, vec![0; 1024 * 1024]).await.ok()["size"], 1024 * 1024);
    let event = json!({"type": "log", "at": server.at(0), "setup": "bench", "run": "r", "level": "info", "message": "",
        "attachment": {"file": "0".repeat(64), "name": "theirs", "type": "image/png", "size": 1}});
    let forged = server.events(event.to_string()).header("authorization", format!("Bearer {}", secret));
    let refused = server.send(forged).await;
    assert_eq!((refused.status, &refused.json["errors"][0]["pointer"]), (422, &json!("/attachment")));
    server.stop().await;
}

#[tokio::test]
async fn files_live_as_long_as_something_points_at_them() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    send(&server, "name=kept.png", "image/png", PNG).await.ok();
    let listed = files(&server, &run).await;
    let forgotten = server.service().put_file(b"nobody points here").await.expect("it is kept");
    server.pass(90_000);
    assert_eq!(server.service().tidy_files(None).await.expect("it can be tidied").deleted, 1);
    let content = server.client.get(server.url(listed[0]["url"].as_str().expect("an address"))).send().await;
    assert_eq!(content.expect("an answer").bytes().await.expect("a body"), PNG);
    assert!(server.service().file(forgotten.file, 0..1).await.expect("the place answers").is_none());
    server.stop().await;
}
