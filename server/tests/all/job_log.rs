//! The log of a job, as far as a page of it needs to be read: where its lines
//! lie, parts of it, and what is found in it.

use crate::harness::TestServer;
use crate::work::{Hand, new_job, packed, submit};
use serde_json::{Value, json};

/// Pieces that cut lines, a letter and what is for terminals.
const PIECES: [&[u8]; 5] =
    [b"fetch\nbui", b"ld nee", b"dle\nz\xc3", b"\xb6lf \x1b[3", b"1mNEE\x1b[0mDLE\n\nopen needle"];

async fn logged(server: &TestServer) -> (String, Value) {
    let hand = Hand::start(server, "left", "").await;
    let ids = submit(server, vec![new_job("one", "")]).await;
    let order = hand.claim(0).await.ok();
    let mut end = 0;
    for piece in PIECES {
        end += piece.len();
        assert_eq!(hand.log(&order, end - piece.len(), packed(piece)).await.ok()["end"], end);
    }
    let step =
        |name: &str, state: &str, log_start: usize| json!({"name": name, "state": state, "log_start": log_start});
    let steps = [
        step("fetch", "passed", 0),
        step("build", "failed", 6),
        step("say", "running", end),
        step("pack", "skipped", 0),
        step("never", "waiting", 0),
    ];
    hand.extend_with(&order, json!({ "steps": steps })).await.ok();
    (ids[0].to_string(), order)
}

#[tokio::test]
async fn every_line_of_a_log_has_a_place() {
    let server = TestServer::start().await;
    let (job, _) = logged(&server).await;
    let end: usize = PIECES.iter().map(|piece| piece.len()).sum();
    let index = server.get(&format!("/api/v1/jobs/{job}/log/index")).await.ok();
    let pieces = json!([{"start": 0, "size": end, "first_line": 0, "lines": 4}]);
    let steps = json!([
        {"name": "fetch", "state": "passed", "log_start": 0, "first_line": 0},
        {"name": "build", "state": "failed", "log_start": 6, "first_line": 1},
        {"name": "say", "state": "running", "log_start": end, "first_line": 4},
    ]);
    assert_eq!(index, json!({"attempt": 1, "end": end, "lines": 4, "pieces": pieces, "steps": steps}));
    let none = server.get(&format!("/api/v1/jobs/{job}/log/index?attempt=7")).await.ok();
    assert_eq!(none, json!({"attempt": 7, "end": 0, "lines": 0, "pieces": [], "steps": []}));
    let nobody = uuid::Uuid::nil();
    server.get(&format!("/api/v1/jobs/{nobody}/log/index")).await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn a_part_of_a_log_ends_where_it_should() {
    let server = TestServer::start().await;
    let (job, _) = logged(&server).await;
    let part = async |query: &str| server.get(&format!("/api/v1/jobs/{job}/log?{query}")).await.text;
    assert_eq!(part("from=6&until=18").await, "build needle");
    assert_eq!(part("until=5").await, "fetch");
    assert_eq!(part("from=5&until=5").await, "");
    assert_eq!(part("from=9&until=3").await, "");
    assert!(part("from=42&until=9999").await.ends_with("open needle"));
    server.stop().await;
}

#[tokio::test]
async fn a_text_is_found_in_every_line_that_has_it() {
    let server = TestServer::start().await;
    let (job, _) = logged(&server).await;
    let found = async |query: &str| server.get(&format!("/api/v1/jobs/{job}/log/find?{query}")).await;
    assert_eq!(found("text=Needle").await.ok(), json!({"lines": [2, 3, 5], "more": false}));
    assert_eq!(found("text=needle&after=2").await.ok(), json!({"lines": [3, 5], "more": false}));
    assert_eq!(found("text=z%C3%B6lf").await.ok(), json!({"lines": [3], "more": false}));
    assert_eq!(found("text=needle&attempt=2").await.ok(), json!({"lines": [], "more": false}));
    for query in ["", "text=x", &format!("text={}", "x".repeat(201)), "text=needle&after=x"] {
        found(query).await.problem(422, "invalid");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_a_job_names_what_its_script_needs() {
    let server = TestServer::start().await;
    let (job, _) = logged(&server).await;
    let page = server.get(&format!("/jobs/{job}")).await.text;
    for sign in ["data-log-follow", "data-log-find", "data-live=\"true\"", "/job.js", "open needle</pre>"] {
        assert!(page.contains(sign), "{sign}: {page}");
    }
    server.stop().await;
}
