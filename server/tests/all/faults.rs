//! When the machine fails: a locked, full, read-only or corrupt store is a
//! clear word and a 503, and it is over when the cause is.

use app::domain::clock::Clock;
use app::domain::health::Model;
use reqwest::{Client, Response};
use server::clock::SystemClock;
use server::config::Config;
use server::server::Server;
use server::service::rebuild;
use server::store::{Store, StoreUrl};
use sqlx::{Connection, Executor, SqliteConnection};
use std::path::Path;
use std::sync::Arc;

fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.listen.set_port(0);
    config.move_to(folder.to_owned(), false);
    config
}

async fn serve(folder: &Path) -> Server {
    Server::start(&config(folder), true, Arc::new(SystemClock)).await.expect("it starts")
}

async fn post(server: &Server, run: &str) -> Response {
    let at = SystemClock.now().to_rfc3339();
    let event = format!(r#"{{"type":"run.started","at":"{at}","setup":"rig","run":"{run}"}}"#);
    let request = Client::new().post(format!("http://{}/api/v1/events", server.address));
    request.header("content-type", "application/json").body(event).send().await.expect("an answer")
}

/// The keys of all runs, in order.
async fn runs(server: &Server) -> Vec<String> {
    let request = Client::new().get(format!("http://{}/api/v1/runs", server.address));
    let runs: serde_json::Value = request.send().await.expect("an answer").json().await.expect("a list");
    let key = |run: &serde_json::Value| run["key"].as_str().expect("a key").to_owned();
    let mut keys: Vec<_> = runs["items"].as_array().expect("items").iter().map(key).collect();
    keys.sort_unstable();
    keys
}

async fn other_process(folder: &Path) -> SqliteConnection {
    let url = format!("sqlite:{}", folder.join("holter.db").display());
    SqliteConnection::connect(&url).await.expect("a second connection")
}

#[tokio::test]
async fn a_locked_file_is_a_503_and_then_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(folder.path()).await;
    let mut other = other_process(folder.path()).await;
    other.execute("begin immediate").await.expect("the lock");

    let refused = post(&server, "while locked").await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: serde_json::Value = refused.json().await.expect("a problem");
    assert!(problem["detail"].as_str().expect("text").contains("nothing of this request was recorded"), "{problem}");

    other.execute("rollback").await.expect("unlocked");
    assert_eq!(post(&server, "afterwards").await.status(), 200);
    assert_eq!(runs(&server).await, ["afterwards"], "what was refused left nothing behind");
    server.stop().await;
}

#[tokio::test]
async fn what_was_acknowledged_before_the_store_failed_is_told_afterwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(folder.path()).await;
    let mut other = other_process(folder.path()).await;
    // Only the first of them is told at once; the others are in the log alone.
    for key in ["1", "2", "3", "4"] {
        assert_eq!(post(&server, key).await.status(), 200);
    }
    other.execute("begin immediate").await.expect("the lock");
    assert_eq!(post(&server, "while locked").await.status(), 503);
    other.execute("rollback").await.expect("unlocked");
    assert_eq!(runs(&server).await, ["1", "2", "3", "4"], "who reads does not wait for the next event");
    assert_eq!(post(&server, "5").await.status(), 200);
    assert_eq!(runs(&server).await, ["1", "2", "3", "4", "5"]);
    server.stop().await;
}

/// A test that fails and then passes, in one run after the other.
async fn post_flaky(server: &Server, run: usize) -> Response {
    let at = SystemClock.now().to_rfc3339();
    let event = |kind: &str, more: &str| {
        format!(r#"{{"type":"{kind}","at":"{at}","setup":"rig","run":"{run}","suite":["Root"],"test":"opens"{more}}}"#)
    };
    let attempt = |number: u32, verdict: &str| {
        let begun = event("test.started", &format!(r#","attempt":{number}"#));
        format!("{begun},{}", event("test.finished", &format!(r#","attempt":{number},"verdict":"{verdict}""#)))
    };
    let over = format!(r#"{{"type":"run.finished","at":"{at}","setup":"rig","run":"{run}"}}"#);
    let body = format!("[{},{},{over}]", attempt(1, "failed"), attempt(2, "passed"));
    let request = Client::new().post(format!("http://{}/api/v1/events", server.address));
    request.header("content-type", "application/json").body(body).send().await.expect("an answer")
}

#[tokio::test]
async fn the_health_of_a_setup_is_not_begun_anew_after_the_store_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(folder.path()).await;
    let mut other = other_process(folder.path()).await;
    for run in 0..4 {
        let receipt: serde_json::Value = post_flaky(&server, run).await.json().await.expect("a receipt");
        assert_eq!(receipt["accepted"], 5, "{receipt}");
    }
    server.service.settled().await;
    // Judged in memory, then refused by the store: told again from the log.
    assert_eq!(post_flaky(&server, 4).await.status(), 200);
    assert_eq!(post_flaky(&server, 5).await.status(), 200);
    other.execute("begin immediate").await.expect("the lock");
    assert_eq!(post_flaky(&server, 6).await.status(), 503);
    other.execute("rollback").await.expect("unlocked");
    assert_eq!(post_flaky(&server, 7).await.status(), 200);
    server.service.settled().await;
    let pulse = server.service.itself().setup("rig").await.expect("it may").expect("it is there").pulse.clone();
    assert_eq!(pulse.marks.len(), 7, "each flaky result is one beat: {:?}", pulse.marks);
    server.stop().await;

    let url = format!("sqlite:{}", folder.path().join("holter.db").display());
    let store = Store::open(&StoreUrl::parse(&url).expect("a url")).await.expect("it opens");
    let grown = store.setup_health_list().await.expect("reads");
    rebuild::rebuild(&store, &Model::default()).await.expect("rebuilds");
    assert_eq!(store.setup_health_list().await.expect("reads"), grown);
    store.close().await;
}

#[tokio::test]
async fn a_corrupt_file_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("holter.db"), b"this is no database, it is a sentence").expect("written");
    let started = Server::start(&config(folder.path()), true, Arc::new(SystemClock)).await;
    let error = started.err().expect("it does not start");
    let said = server::service::failure::chain(&error);
    assert!(said.contains("holter.db"), "{said}");
}

#[tokio::test]
async fn a_port_in_use_and_an_open_address_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(folder.path()).await;
    let mut taken = config(folder.path());
    taken.listen = server.address;
    let said = Server::start(&taken, true, Arc::new(SystemClock)).await.err().expect("refused").to_string();
    assert!(said.contains("--listen"), "{said}");
    let mut open = config(folder.path());
    open.listen = "0.0.0.0:0".parse().expect("an address");
    let said = Server::start(&open, true, Arc::new(SystemClock)).await.err().expect("refused").to_string();
    assert!(said.contains("loopback"), "{said}");
    server.stop().await;
}
