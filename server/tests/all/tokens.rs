//! Tokens as administrators make them, and what becomes of who shows them.

use crate::harness::{Answer, Stream, TestServer, eventually};
use serde_json::{Value, json};
use server::config::Reading;
use server::service::tokens::Scope;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

async fn make(server: &TestServer, admin: &str, body: Value) -> Answer {
    server.send(server.client.post(server.url("/api/v1/tokens")).bearer_auth(admin).json(&body)).await
}

async fn send(server: &TestServer, token: &str, setup: &str) -> Answer {
    let event = json!({"type": "setup.heartbeat", "at": server.at(0), "setup": setup}).to_string();
    server.send(server.events(event).bearer_auth(token)).await
}

#[tokio::test]
async fn a_token_is_made_bound_listed_and_taken_back_while_a_listener_posts() {
    let server = TestServer::start_with(false, |config| config.auth.read = Reading::Login).await;
    let admin = server.token(Scope::Admin, None, None).await;
    let said = json!({"scope": "ingest", "label": "nightly", "setup": "bench 7", "days": 30});
    let made = make(&server, &admin, said).await;
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.ok();
    let (secret, id) = (made["secret"].as_str().expect("a secret"), made["id"].as_str().expect("an id"));
    send(&server, secret, "bench 7").await.ok();
    send(&server, secret, "bench 8").await.problem(403, "forbidden");

    let list = server.send(server.client.get(server.url("/api/v1/tokens")).bearer_auth(&admin)).await;
    assert!(!list.text.contains(secret), "a secret is told once");
    let list = list.ok();
    let own = list["items"].as_array().expect("items").iter().find(|item| item["id"] == id).expect("it is listed");
    assert_eq!(
        (&own["label"], &own["setup"], &own["used_from"]),
        (&json!("nightly"), &json!("bench 7"), &json!("127.0.0.1"))
    );
    assert_eq!(own["expires_at"], server.at(30 * 86_400));

    let gone = server.client.delete(server.url(&format!("/api/v1/tokens/{id}"))).bearer_auth(&admin);
    assert_eq!(server.send(gone).await.status, 204);
    let detail = send(&server, secret, "bench 7").await.problem(401, "unauthenticated")["detail"].to_string();
    assert!(detail.contains("revoked"), "{detail}");
    let deeds = server.service().itself().deeds(None).await.expect("it may");
    let said: Vec<_> = deeds.iter().map(|deed| &*deed.action).collect();
    assert_eq!(said, ["took back the token", "made the token"]);
    server.stop().await;
}

#[tokio::test]
async fn a_token_ends_by_itself_also_on_an_open_stream() {
    let server = TestServer::start_with(false, |config| config.auth.read = Reading::Login).await;
    let admin = server.token(Scope::Admin, None, None).await;
    let made = make(&server, &admin, json!({"scope": "read", "days": 1})).await.ok();
    let secret = made["secret"].as_str().expect("a secret");
    let get = || server.client.get(server.url("/api/v1/setups")).bearer_auth(secret);
    server.send(get()).await.ok();
    server.pass(86_401);
    server.send(get()).await.problem(401, "unauthenticated");
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_a_token_is_refused_with_the_field() {
    let server = TestServer::start_with(false, |_| {}).await;
    let admin = server.token(Scope::Admin, None, None).await;
    for (body, pointer) in [
        (json!({"scope": "all"}), "/scope"),
        (json!({"scope": "kiosk"}), "/scope"),
        (json!({"scope": "read", "days": 0}), "/days"),
        (json!({"scope": "read", "setup": "a".repeat(201)}), "/setup"),
        (json!({"scope": "read", "project": "runs"}), "/project"),
        (json!({"scope": "read", "label": "x".repeat(101)}), "/label"),
    ] {
        let problem = make(&server, &admin, body.clone()).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    make(&server, &admin, json!({"scope": "read", "colour": "red"})).await.problem(400, "malformed");
    let read = server.token(Scope::Read, None, None).await;
    make(&server, &read, json!({"scope": "admin"})).await.problem(403, "forbidden");
    let bound = server.token(Scope::Admin, None, Some("pump")).await;
    make(&server, &bound, json!({"scope": "admin"})).await.problem(403, "forbidden");
    server.stop().await;
}

#[tokio::test]
async fn whoever_runs_wild_is_asked_to_slow_down_and_nobody_else() {
    let server = TestServer::start_with(false, |config| config.limits.requests_per_second = 4).await;
    let (wild, calm) = (server.token(Scope::Ingest, None, None).await, server.token(Scope::Ingest, None, None).await);
    let mut taken = 0;
    let refused = loop {
        let answer = send(&server, &wild, "A").await;
        if answer.status == 429 {
            break answer;
        }
        taken += 1;
        assert!(taken < 100, "nobody stops it");
    };
    // Time stands still here: five seconds' worth, and the one that fits in between.
    assert_eq!((taken, refused.header("retry-after")), (21, "1"));
    refused.problem(429, "rate-limited");
    send(&server, &calm, "A").await.ok();
    server.get("/api/v1/setups").await.ok();
    server.pass(1);
    send(&server, &wild, "A").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn who_guesses_tokens_is_not_looked_up_for_long_and_costs_nobody_else() {
    let server = TestServer::start_with(false, |config| config.limits.requests_per_second = 4).await;
    let token = server.token(Scope::Ingest, None, None).await;
    send(&server, &token, "A").await.ok();
    let mut guesses = 0;
    while send(&server, &format!("holter_guess_{guesses}"), "A").await.status != 429 {
        guesses += 1;
        assert!(guesses < 100, "nobody stops it");
    }
    assert_eq!(guesses, 21, "each is counted once");
    send(&server, &token, "A").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn a_kiosk_opens_its_wall_by_a_link_and_stays_until_it_is_taken_back() {
    let server = TestServer::start_with(false, |config| config.auth.read = Reading::Login).await;
    let ingest = server.token(Scope::Ingest, None, None).await;
    send(&server, &ingest, "bench 7").await.ok();
    let itself = server.service().itself();
    itself.wall_save("lobby", &Default::default()).await.expect("it may");
    let secret = itself.kiosk_link("lobby").await.expect("it may");
    let mut kiosk = crate::harness::Browser::new(&server);
    assert_eq!(kiosk.get("/wall/lobby").await.status, 303, "a private window knows nobody");
    let page = kiosk.get(&format!("/wall/lobby?kiosk={secret}")).await;
    assert!(page.status == 200 && page.text.contains("bench 7"), "{}", page.text);
    let mut live = Stream::of(kiosk.request(reqwest::Method::GET, "/live/wall").send().await.expect("an answer"));
    live.next("the snapshot").await.expect("a frame");
    assert_eq!(kiosk.get("/settings/people").await.status, 403);
    let links = itself.kiosk_links("lobby").await.expect("it may");
    let began = Instant::now();
    assert!(itself.kiosk_unlink("lobby", links[0].id).await.expect("it may"));
    while live.next("the end").await.is_some() {}
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(kiosk.get(&format!("/wall/lobby?kiosk={secret}")).await.status, 401);
    server.stop().await;
}

const ROBOT: &str = "*** Settings ***\nLibrary    OperatingSystem\n\n*** Test Cases ***\nBefore\n    No Operation\n\
                     Between\n    Wait Until Created    ${GO}    timeout=30s\nAfter\n    No Operation\n";

/// Robot Framework in a folder, told to a server with a token.
fn robot(python: &str, server: &TestServer, folder: &Path, token: &str) -> Command {
    let listener = Path::new(env!("CARGO_MANIFEST_DIR")).join("../listeners/holter_robot.py");
    let mut command = Command::new(python);
    command.args(["-m", "robot", "--report", "none", "--log", "none", "--output", "none", "--listener"]).arg(listener);
    command.arg("--variable").arg(format!("GO:{}", folder.join("go").display())).arg(folder.join("pump.robot"));
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env("HOLTER_URL", server.url("")).env("HOLTER_TOKEN", token).env("HOLTER_SETUP", "bench 7");
    command.env("HOLTER_SPOOL_DIR", folder.join("spool")).env("HOLTER_DEBUG", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robot_run_whose_token_is_taken_back_goes_on_says_so_and_loses_nothing() {
    let Some(python) = server::config::environment("HOLTER_PYTHON") else {
        eprintln!("left out: HOLTER_PYTHON names no Python with Robot Framework");
        return;
    };
    let server = TestServer::start_with(false, |_| {}).await;
    let admin = server.token(Scope::Admin, None, None).await;
    let made = make(&server, &admin, json!({"scope": "ingest", "label": "nightly"})).await.ok();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pump.robot"), ROBOT).expect("written");
    let secret = made["secret"].as_str().expect("a secret");
    let child = robot(&python, &server, folder.path(), secret).spawn().expect("Robot Framework starts");
    let run = async || server.get("/api/v1/runs").await.ok()["items"][0].clone();
    eventually("the first test is told", async || (run().await["counts"]["passed"] == 1).then_some(())).await;
    let gone = format!("/api/v1/tokens/{}", made["id"].as_str().expect("an id"));
    assert_eq!(server.send(server.client.delete(server.url(&gone)).bearer_auth(&admin)).await.status, 204);
    std::fs::write(folder.path().join("go"), "").expect("written");
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("waited").expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "a test failed for it: {said}");
    for part in ["answer 401", "revoked", "it is kept in"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!((&run().await["state"], &run().await["counts"]["passed"]), (&json!("running"), &json!(1)));

    let token = server.token(Scope::Ingest, None, None).await;
    let mut again = robot(&python, &server, folder.path(), &token);
    let ended = tokio::task::spawn_blocking(move || again.output()).await.expect("waited").expect("it ends");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let runs = server.get("/api/v1/runs").await.ok();
    let passed: Vec<_> = runs["items"].as_array().expect("runs").iter().map(|run| &run["counts"]["passed"]).collect();
    assert_eq!(passed, [&json!(3), &json!(3)], "what was kept is sent by the next run: {runs}");
    server.stop().await;
}
