//! The door for events, as listeners meet it.

use crate::harness::{TestServer, eventually};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use server::service::tokens::Scope;
use sqlx::{Connection, Executor, SqliteConnection};
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn receipt(accepted: u32, duplicate: u32, ignored: u32) -> Value {
    json!({"accepted": accepted, "duplicate": duplicate, "ignored": ignored, "rejected": []})
}

fn finished(test: &str) -> Value {
    json!({
        "type": "test.finished", "at": crate::harness::NOON, "setup": "A", "run": "r",
        "suite": ["Root"], "test": test, "verdict": "passed",
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut event = finished("t");
    event[field] = value;
    event
}

#[tokio::test]
async fn one_event_an_array_and_lines_are_taken() {
    let server = TestServer::start().await;
    assert_eq!(server.post(&finished("a")).await.ok(), receipt(1, 0, 0));
    assert_eq!(server.post(&json!([finished("b"), finished("c")])).await.ok(), receipt(2, 0, 0));
    assert_eq!(server.post(&json!([])).await.ok(), receipt(0, 0, 0));
    let lines = format!("{}\n\n{}\n", finished("d"), finished("e"));
    for kind in ["application/x-ndjson", "application/ndjson; charset=utf-8"] {
        let request = server.client.post(server.url("/api/v1/events")).header("content-type", kind);
        assert_eq!(server.send(request.body(lines.clone())).await.ok(), receipt(2, 0, 0));
    }
    let unnamed = server.client.post(server.url("/api/v1/events"));
    assert_eq!(server.send(unnamed.body(lines)).await.ok(), receipt(2, 0, 0), "lines are recognised by their looks");
    let runs = server.get("/api/v1/runs").await.ok();
    assert_eq!(runs["items"][0]["counts"]["passed"], 5, "{runs}");
    server.stop().await;
}

#[tokio::test]
async fn a_repeat_with_an_id_is_a_duplicate_and_an_unknown_type_is_ignored() {
    let server = TestServer::start().await;
    let event = with("id", json!("0195f2b0-7c1a-7def-8000-0123456789ab"));
    assert_eq!(server.post(&event).await.ok(), receipt(1, 0, 0));
    assert_eq!(server.post(&json!([event, event])).await.ok(), receipt(0, 2, 0));
    assert_eq!(server.post(&with("type", json!("test.paused"))).await.ok(), receipt(0, 0, 1));
    server.stop().await;
}

#[tokio::test]
async fn good_events_are_kept_and_bad_ones_are_listed() {
    let server = TestServer::start().await;
    let mixed = json!([finished("a"), with("verdict", json!("great")), 7, finished("b")]);
    let answer = server.post(&mixed).await.ok();
    assert_eq!(answer["accepted"], 2);
    let rejected: Vec<_> =
        answer["rejected"].as_array().expect("a list").iter().map(|r| (&r["index"], &r["pointer"])).collect();
    assert_eq!(rejected, [(&json!(1), &json!("/verdict")), (&json!(2), &json!(""))]);

    let half = format!("{}\n{{\"type\":\"test.fin", finished("c"));
    let request = server.client.post(server.url("/api/v1/events")).header("content-type", "application/x-ndjson");
    let answer = server.send(request.body(half)).await.ok();
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["index"]), (&json!(1), &json!(1)));
    server.stop().await;
}

#[tokio::test]
async fn where_all_are_bad_the_answer_is_422_with_pointers() {
    let server = TestServer::start().await;
    let problem =
        server.post(&json!([with("verdict", json!("great")), with("at", json!("noon"))])).await.problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][1]["pointer"]),
        (&json!("/0/verdict"), &json!("/1/at"))
    );
    let problem = server.post(&with("suite", json!(["Root", 5]))).await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/suite/1");
    let reserved = server.post(&with("project", json!("runs"))).await.problem(422, "invalid");
    assert!(reserved["errors"][0]["detail"].as_str().expect("text").contains("reserved"));
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_reason() {
    let server = TestServer::start().await;
    for body in ["", "{", "hello", "7", "[1,"] {
        server.send(server.events(body)).await.problem(400, "malformed");
    }
    let text = server.events("{}").header("content-encoding", "br");
    server.send(text).await.problem(415, "unsupported-media-type");
    let form =
        server.client.post(server.url("/api/v1/events")).header("content-type", "application/x-www-form-urlencoded");
    let problem = server.send(form.body("{}")).await.problem(415, "unsupported-media-type");
    assert!(problem["detail"].as_str().expect("text").contains("application/json"));
    let wrong = server.send(server.client.put(server.url("/api/v1/events"))).await;
    assert_eq!(wrong.header("allow"), "POST");
    wrong.problem(405, "method-not-allowed");
    server.get("/api/v1/nothing").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn a_token_is_needed_and_must_fit() {
    let server = TestServer::start_with(false, |_| {}).await;
    let body = || server.events(finished("t").to_string());
    let refused = server.send(body()).await;
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    refused.problem(401, "unauthenticated");
    server.send(body().bearer_auth("holter_0123")).await.problem(401, "unauthenticated");
    server.send(body().basic_auth("a", Some("b"))).await.problem(401, "unauthenticated");

    let reader = server.token(Scope::Read, None, None).await;
    server.send(body().bearer_auth(reader)).await.problem(403, "forbidden");
    let other = server.token(Scope::Ingest, Some("B"), None).await;
    let problem = server.send(body().bearer_auth(&other)).await.problem(403, "forbidden");
    assert!(problem["detail"].as_str().expect("text").contains("\"B\""));
    let mixed = json!([finished("t"), with("setup", json!("B"))]).to_string();
    let answer = server.send(server.events(mixed).bearer_auth(&other)).await.ok();
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["pointer"]), (&json!(1), &json!("/setup")));

    let own = server.token(Scope::Ingest, Some("A"), Some("pump")).await;
    assert_eq!(server.send(body().bearer_auth(&own)).await.ok(), receipt(1, 0, 0));
    let runs = server.get("/api/v1/runs?setup=A").await.ok();
    assert_eq!(runs["items"][0]["project"], "pump", "an event that names no project is of the token's");
    let in_address = server.client.post(server.url(&format!("/api/v1/events?token={own}")));
    server.send(in_address.header("content-type", "application/json").body("[]")).await.problem(401, "unauthenticated");
    server.stop().await;
}

#[tokio::test]
async fn gzip_is_unpacked_and_bombs_are_not() {
    let server = TestServer::start().await;
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    };
    let send = |body: Vec<u8>| server.send(server.events(body).header("content-encoding", "gzip"));
    assert_eq!(send(gzip(finished("t").to_string().as_bytes())).await.ok(), receipt(1, 0, 0));
    send(b"no gzip".to_vec()).await.problem(400, "malformed");
    send(gzip(&vec![b' '; 50_000_000])).await.problem(413, "too-large");
    server.stop().await;
}

#[tokio::test]
async fn too_much_is_refused_even_to_a_caller_that_only_listens_afterwards() {
    let server = TestServer::start().await;
    let long = with("message", json!("x".repeat(10_000_000)));
    server.post(&long).await.problem(413, "too-large");
    let many = json!(vec![0; 10_001]);
    server.post(&many).await.problem(413, "too-large");
    let fits = with("message", json!("ä\0".repeat(100_000)));
    assert_eq!(server.post(&fits).await.ok(), receipt(1, 0, 0));
    let runs = server.get("/api/v1/runs").await.ok();
    let id = runs["items"][0]["id"].as_str().expect("an id").to_owned();
    let tests = server.get(&format!("/api/v1/runs/{id}/tests")).await.ok();
    let message = tests["items"][0]["attempts"][0]["message"].as_str().expect("a message");
    assert!(message.len() <= 65_536 && message.starts_with("ä\u{fffd}ä"), "cut, and without NUL");
    server.stop().await;
}

#[tokio::test]
async fn a_clock_off_by_a_year_is_flagged_and_a_trusted_one_stands() {
    let server = TestServer::start().await;
    assert_eq!(server.post(&with("at", json!("2025-03-01T12:00:00Z"))).await.ok(), receipt(1, 0, 0));
    let run = |key: &'static str| {
        let server = &server;
        async move {
            let runs = server.get("/api/v1/runs").await.ok();
            let runs = runs["items"].as_array().expect("items").clone();
            let id =
                runs.iter().find(|run| run["key"] == key).expect("the run")["id"].as_str().expect("an id").to_owned();
            server.get(&format!("/api/v1/runs/{id}")).await.ok()
        }
    };
    let flagged = run("r").await;
    assert_eq!(flagged["clock_offset_ms"], json!(-365.0 * 86_400_000.0), "{flagged}");
    assert_eq!(flagged["started_at"], "2026-03-01T12:00:00.000000Z");

    let mut history = with("at", json!("2025-03-01T12:00:00Z"));
    history["run"] = "old".into();
    let trusted = server.events(history.to_string()).header("holter-clock", "trusted");
    assert_eq!(server.send(trusted).await.ok(), receipt(1, 0, 0));
    let old = run("old").await;
    assert_eq!((&old["clock_offset_ms"], &old["started_at"]), (&Value::Null, &json!("2025-03-01T12:00:00.000000Z")));
    server.stop().await;
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back() {
    let server = TestServer::start_with(true, |config| config.ingest.queue_mebibytes = 1).await;
    let url = format!("sqlite:{}", server.folder().join("holter.db").display());
    let mut other = SqliteConnection::connect(&url).await.expect("a second connection");
    other.execute("begin immediate").await.expect("the lock");
    let big = async || server.post(&with("message", json!("x".repeat(700_000)))).await;
    // Both wait for the same room, which is only enough for one.
    let unlock = async {
        eventually("one of the two is refused", || async {
            REFUSED.load(std::sync::atomic::Ordering::SeqCst).then_some(())
        })
        .await;
        other.execute("rollback").await.expect("unlocked");
    };
    static REFUSED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    let told = |answer: crate::harness::Answer| {
        REFUSED.fetch_or(answer.status == 503, std::sync::atomic::Ordering::SeqCst);
        answer
    };
    let (one, two, ()) = tokio::join!(async { told(big().await) }, async { told(big().await) }, unlock);
    let (refused, taken) = if one.status == 503 { (one, two) } else { (two, one) };
    assert_eq!(refused.header("retry-after"), "1");
    let problem = refused.problem(503, "busy");
    assert!(problem["detail"].as_str().expect("text").contains("waiting"));
    assert_eq!(taken.ok(), receipt(1, 0, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing_behind() {
    let server = TestServer::start().await;
    let address = server.url("").trim_start_matches("http://").to_owned();
    let mut tcp = tokio::net::TcpStream::connect(&address).await.expect("connected");
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n"
    );
    tcp.write_all(head.as_bytes()).await.expect("sent");
    tcp.write_all(&finished("t").to_string().as_bytes()[..50]).await.expect("sent");
    tcp.shutdown().await.expect("closed");
    let mut answer = String::new();
    // Whether it is still answered is up to the server; it must end.
    let _ = tcp.read_to_string(&mut answer).await;
    assert_eq!(server.get("/api/v1/runs").await.ok()["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn every_answer_carries_an_id_and_the_safe_headers() {
    let server = TestServer::start().await;
    let named = server.client.get(server.url("/health")).header("x-request-id", "mine-1");
    let answer = server.send(named).await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    for path in [
        "/health",
        "/api/v1/setups",
        "/api/v1/nothing",
        "/redoc",
        "/docs",
        "/listeners/holter_robot.py",
        "/problems/busy",
    ] {
        let answer = server.get(path).await;
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!answer.header("content-security-policy").contains("script-src 'self' 'unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    server.stop().await;
}
