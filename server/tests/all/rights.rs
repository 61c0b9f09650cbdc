//! Who may see and do what, through every door.

use crate::harness::{Answer, Browser, Stream, TestServer, eventually};
use app::live::{Board, Message, Taken};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use server::config::Reading;
use server::service::tokens::Scope;

/// A server where reading needs an account or a token too, with a run of the
/// project "pump" on one bench and one of "press" on another.
async fn closed() -> (TestServer, String, String) {
    let server = TestServer::start_with(false, |config| config.auth.read = Reading::Login).await;
    let ingest = server.token(Scope::Ingest, None, None).await;
    let mut runs = Vec::new();
    for (setup, project) in [("bench 1", "pump"), ("bench 2", "press")] {
        let events = server.rig(setup).run("k").with("project", project).fails("y").events();
        server.send(server.events(events.to_string()).bearer_auth(&ingest)).await.ok();
        let admin = server.token(Scope::Admin, None, None).await;
        let path = format!("/api/v1/runs?project={project}");
        let found = server.send(server.client.get(server.url(&path)).bearer_auth(admin)).await.ok();
        runs.push(found["items"][0]["id"].as_str().expect("a run").to_owned());
    }
    let press = runs.pop().expect("two");
    (server, runs.pop().expect("two"), press)
}

fn get(server: &TestServer, path: &str, token: &str) -> RequestBuilder {
    server.client.get(server.url(path)).bearer_auth(token)
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().filter_map(|item| item["name"].as_str()).collect()
}

async fn ask(server: &TestServer, path: &str, token: &str) -> Answer {
    server.send(get(server, path, token)).await
}

#[tokio::test]
async fn a_closed_server_tells_nothing_to_nobody() {
    let (server, pump, _) = closed().await;
    for path in [
        "/api/v1/setups",
        "/api/v1/setups/bench%201",
        "/api/v1/runs",
        &format!("/api/v1/runs/{pump}"),
        &format!("/api/v1/runs/{pump}/tests"),
        &format!("/api/v1/runs/{pump}/junit"),
        "/api/v1/flaky",
        "/api/v1/walls",
        "/api/v1/stream?after=0",
        "/live/wall",
        &format!("/live/runs/{pump}"),
        "/metrics",
        "/cc.xml",
        "/badges/pump.svg",
        "/status",
        "/projects/pump",
        "/tm_api/machines/",
        "/api/current_test_data",
    ] {
        server.get(path).await.problem(401, "unauthenticated");
    }
    for path in ["/health", "/ready", "/docs", "/redoc", "/problems", "/api/v1/openapi.json", "/listeners"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn who_may_read_a_project_sees_no_other() {
    let (server, pump, press) = closed().await;
    let token = server.token(Scope::Read, None, Some("pump")).await;
    assert_eq!(names(&ask(&server, "/api/v1/setups", &token).await.ok()), ["bench 1"]);
    let runs = ask(&server, "/api/v1/runs", &token).await.ok();
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(ask(&server, "/api/v1/runs?project=press", &token).await.ok()["items"], json!([]));
    ask(&server, &format!("/api/v1/runs/{pump}"), &token).await.ok();
    for path in [
        format!("/api/v1/runs/{press}"),
        format!("/api/v1/runs/{press}/tests"),
        format!("/api/v1/runs/{press}/ctrf"),
        format!("/live/runs/{press}"),
        "/api/v1/setups/bench%202".into(),
        "/projects/press".into(),
    ] {
        ask(&server, &path, &token).await.problem(404, "not-found");
    }
    for path in ["/api/v1/stream", "/metrics"] {
        let detail = ask(&server, path, &token).await.problem(403, "forbidden")["detail"].to_string();
        assert!(detail.contains("pump"), "{detail}");
    }
    let feed = ask(&server, "/cc.xml", &token).await.text;
    assert!(feed.contains("bench 1") && !feed.contains("bench 2"), "{feed}");
    server.stop().await;
}

#[tokio::test]
async fn a_token_bound_to_a_setup_sees_that_setup() {
    let (server, pump, press) = closed().await;
    let token = server.token(Scope::Read, Some("bench 2"), None).await;
    assert_eq!(names(&ask(&server, "/api/v1/setups", &token).await.ok()), ["bench 2"]);
    assert_eq!(ask(&server, "/api/v1/runs", &token).await.ok()["items"].as_array().map(Vec::len), Some(1));
    ask(&server, &format!("/api/v1/runs/{press}"), &token).await.ok();
    ask(&server, &format!("/api/v1/runs/{pump}"), &token).await.problem(404, "not-found");
    server.stop().await;
}

async fn open(server: &TestServer, path: &str, token: &str) -> Stream {
    Stream::of(get(server, path, token).send().await.expect("an answer"))
}

#[tokio::test]
async fn the_wall_of_who_sees_a_part_is_whole_in_itself() {
    let (server, ..) = closed().await;
    let ingest = server.token(Scope::Ingest, None, None).await;
    let token = server.token(Scope::Read, None, Some("pump")).await;
    let mut stream = open(&server, "/live/wall", &token).await;
    let message = |frame: &crate::harness::Frame| serde_json::from_value::<Message>(frame.data.clone()).expect("one");
    let first = stream.next("the snapshot").await.expect("a frame");
    let Message::Snapshot(wall) = message(&first) else { panic!("a snapshot comes first") };
    let mut board = Board::new(wall);
    assert_eq!(board.tiles.iter().map(|tile| &*tile.name).collect::<Vec<_>>(), ["bench 1"]);

    // The other bench now runs something of this project, and this one of the other.
    for (setup, project) in [("bench 2", "pump"), ("bench 1", "press")] {
        let events = server.rig(setup).run("k2").with("project", project).passes(1).events();
        server.send(server.events(events.to_string()).bearer_auth(&ingest)).await.ok();
    }
    let turned = stream.until("the benches changed places", |frame| {
        board.take(message(frame));
        let seen: Vec<_> = board.tiles.iter().map(|tile| tile.name.clone()).collect();
        (seen == ["bench 2"]).then(|| board.clone())
    });
    let mut board = turned.await;
    server.service().bus().tiles_changed(server.service().board().beat_frame(server.service().now()));
    let beat = stream.until("a beat", |frame| Some(message(frame)).filter(|it| matches!(it, Message::Beat(_))));
    assert_eq!(board.take(beat.await), Taken::Nothing, "nothing is missed that may be seen");
    server.stop().await;
}

#[tokio::test]
async fn streams_end_with_the_token_they_were_opened_by() {
    let (server, pump, _) = closed().await;
    let token = server.token(Scope::Read, None, None).await;
    let mut streams = Vec::new();
    for path in ["/live/wall", "/api/v1/stream?after=0", &format!("/live/runs/{pump}")] {
        let mut stream = open(&server, path, &token).await;
        stream.next("its first word").await.expect("a word");
        streams.push(stream);
    }
    let tokens = server.service().itself().tokens().await.expect("it may");
    let own = tokens.iter().find(|row| &*row.scope == "read").expect("the token");
    let began = std::time::Instant::now();
    assert!(server.service().itself().token_revoke(own.id).await.expect("it may"));
    for mut stream in streams {
        while stream.next("the end").await.is_some() {}
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(1), "{:?}", began.elapsed());
    ask(&server, "/api/v1/setups", &token).await.problem(401, "unauthenticated");
    server.stop().await;
}

#[tokio::test]
async fn what_another_process_takes_away_is_gone_within_seconds() {
    let (server, ..) = closed().await;
    let token = server.token(Scope::Read, None, None).await;
    ask(&server, "/api/v1/setups", &token).await.ok();
    let mut stream = open(&server, "/live/wall", &token).await;
    stream.next("the snapshot").await.expect("a frame");
    // As the command line does it beside a running server.
    let url = format!("sqlite:{}", server.folder().join("holter.db").display());
    let beside = server::store::Store::open(&server::store::StoreUrl::parse(&url).expect("a place")).await;
    let beside = beside.expect("it opens");
    let rows = beside.token_list().await.expect("reads");
    let own = rows.iter().find(|row| &*row.scope == "read").expect("the token");
    let began = std::time::Instant::now();
    assert!(beside.token_revoke(own.id, server.service().now()).await.expect("revokes"));
    while stream.next("the end").await.is_some() {}
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
    ask(&server, "/api/v1/setups", &token).await.problem(401, "unauthenticated");
    beside.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_is_no_token() {
    let server = TestServer::start_with(false, |_| {}).await;
    let token = server.token(Scope::Ingest, None, None).await;
    let event = json!({"type": "setup.heartbeat", "at": server.at(0), "setup": "A"}).to_string();
    server.send(server.events(event.clone()).bearer_auth(&token)).await.ok();
    let again = || async { server.send(server.events(event.clone()).bearer_auth(&token)).await };
    let tokens = server.service().itself().tokens().await.expect("it may");
    server.service().itself().token_revoke(tokens[0].id).await.expect("it may");
    let detail = again().await.problem(401, "unauthenticated")["detail"].to_string();
    assert!(detail.contains("revoked"), "{detail}");
    // Open reading is for who says nothing; who shows a bad token is told so.
    ask(&server, "/api/v1/setups", &token).await.problem(401, "unauthenticated");
    server.get("/api/v1/setups").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn who_speaks_for_one_project_speaks_for_no_other() {
    let server = TestServer::start_with(false, |_| {}).await;
    let token = server.token(Scope::Ingest, None, Some("pump")).await;
    let event = |project: Option<&str>| {
        let mut event = json!({"type": "run.started", "at": server.at(0), "setup": "A", "run": "k"});
        if let Some(project) = project {
            event["project"] = project.into();
        }
        event
    };
    let both = json!([event(None), event(Some("pump")), event(Some("press"))]).to_string();
    let receipt = server.send(server.events(both).bearer_auth(&token)).await.ok();
    assert_eq!((&receipt["accepted"], &receipt["rejected"][0]["index"]), (&json!(2), &json!(2)), "{receipt}");
    eventually("the run is of the token's project", || async {
        let runs = server.get("/api/v1/runs?project=pump").await.ok();
        (runs["items"].as_array().map(Vec::len) == Some(1)).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_session_is_no_token_and_a_token_is_no_session() {
    let server = TestServer::start_with(false, |config| config.auth.read = Reading::Login).await;
    let mut ana = server.first_administrator("ana").await;
    let session = ana.cookies["holter-session"].clone();
    let token = server.token(Scope::Admin, None, None).await;
    let ask =
        async |secret: &str| server.send(server.client.get(server.url("/api/v1/tokens")).bearer_auth(secret)).await;
    ask(&session).await.problem(401, "unauthenticated");
    // Also once it is remembered as what it is.
    assert_eq!(ana.get("/settings/account").await.status, 200);
    ask(&session).await.problem(401, "unauthenticated");
    assert_eq!(ana.get("/settings/account").await.status, 200, "showing it there did not end it");

    let mut eve = Browser::new(&server);
    for _ in 0..2 {
        eve.cookies.insert("holter-session".into(), token.clone());
        assert_eq!(eve.get("/settings/people").await.header("location"), "/login?next=%2Fsettings%2Fpeople");
        ask(&token).await.ok();
    }
    server.stop().await;
}
