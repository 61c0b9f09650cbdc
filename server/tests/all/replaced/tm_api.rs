//! Benches with a master scenario, and the pages that watched them.

use crate::harness::{Answer, DEADLINE, TestServer};
use futures::StreamExt;
use serde_json::{Value, json};
use server::service::tokens::Scope;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

fn file(name: &str, folder: &str) -> Value {
    json!({"file_name": name, "file_path": format!("/rig/{folder}"), "script": format!("run {name}\n")})
}

/// Two scenarios; the second has the same test twice.
fn dry_run(machine: &str) -> Value {
    let mut lamp = file("lamp.py", "scenarios");
    lamp["tests"] = json!([file("on.py", "lamp"), file("off.py", "lamp")]);
    let mut door = file("door.py", "scenarios");
    door["tests"] = json!([file("open.py", "door"), file("open.py", "door")]);
    let mut master = file("master.py", "scenarios");
    master["scenarios"] = json!([lamp, door]);
    json!({"machine_name": machine, "timestamp": "2026-03-01 13:00:00.250000", "master_scenario": master})
}

async fn tm(server: &TestServer, path: &str, body: &Value) -> Answer {
    server.send(server.client.post(server.url(&format!("/tm_api/{path}/"))).json(body)).await
}

async fn step(server: &TestServer, path: &str, name: &str, folder: &str, status: Option<Value>) -> Answer {
    let mut body = json!({"machine_name": "rig #1", "file_name": name, "file_path": format!("/rig/{folder}")});
    if let Some(status) = status {
        body["status"] = status;
    }
    tm(server, path, &body).await
}

async fn socket(server: &TestServer, path: &str) -> Socket {
    let url = server.url(path).replace("http://", "ws://");
    connect_async(url).await.expect("a socket").0
}

async fn next(socket: &mut Socket) -> Value {
    let reading = async {
        loop {
            match socket.next().await.expect("open").expect("a word") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                _ => continue,
            }
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.expect("a word in time")
}

/// Starts and stops all four tests.
async fn play(server: &TestServer) {
    let plays = [
        ("on.py", "lamp", json!("passed")),
        ("off.py", "lamp", json!("warning")),
        ("open.py", "door", json!(null)),
        ("open.py", "door", json!("error")),
    ];
    for (name, folder, status) in plays {
        assert_eq!(step(server, "test_start", name, folder, None).await.status, 202);
        server.pass(2);
        assert_eq!(step(server, "test_stop", name, folder, Some(status)).await.status, 202);
    }
}

#[tokio::test]
async fn a_bench_plays_its_plan() {
    let server = TestServer::start().await;
    let planned = tm(&server, "dry_run", &dry_run("rig #1")).await;
    assert_eq!(planned.status, 201, "{}", planned.text);
    assert_eq!(planned.json["timestamp"], "2026-03-01T13:00:00.250000Z");
    let rig = server.get("/api/v1/setups/rig%20%231").await.ok();
    assert_eq!((&rig["run"]["state"], &rig["run"]["counts"]["planned"]), (&json!("waiting"), &json!(4)));
    play(&server).await;
    let run = server.get("/api/v1/runs").await.ok()["items"][0].clone();
    assert_eq!(
        (&run["state"], &run["result"], &run["name"]),
        (&json!("finished"), &json!("failed"), &json!("master.py"))
    );
    let tests = server.get(&format!("/api/v1/runs/{}/tests", run["id"].as_str().expect("an id"))).await.ok();
    let told: Vec<_> = tests["items"]
        .as_array()
        .expect("tests")
        .iter()
        .map(|test| {
            (
                test["name"].as_str().expect("a name"),
                test["parameters"].as_str(),
                test["attempts"][0]["verdict"].as_str().expect("a verdict"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("on.py", None, "passed"),
            ("off.py", None, "warned"),
            ("open.py", None, "unknown"),
            ("open.py", Some("2"), "errored")
        ]
    );
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_a_400_with_reasons() {
    let server = TestServer::start().await;
    tm(&server, "dry_run", &dry_run("rig #1")).await;
    let wrong = step(&server, "test_start", "none.py", "lamp", None).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.json["non_field_errors"][0].as_str().expect("a reason").contains("none.py"));
    let wrong = step(&server, "test_stop", "on.py", "lamp", Some(json!("great"))).await;
    assert_eq!((wrong.status, wrong.json["status"].is_array()), (400, true));
    assert_eq!(step(&server, "test_stop", "on.py", "lamp", None).await.json, json!({"status": ["is required"]}));
    let mut unknown = dry_run("");
    assert_eq!(tm(&server, "dry_run", &unknown).await.json, json!({"machine_name": ["must not be blank"]}));
    unknown["machine_name"] = "rig #1".into();
    unknown["master_scenario"]["scenarios"][0]["tests"] = Value::Null;
    let faults = tm(&server, "dry_run", &unknown).await;
    assert_eq!(
        (faults.status, &faults.json["master_scenario"]["scenarios"][0]["tests"][0]),
        (400, &json!("must not be null"))
    );
    let body = json!({"machine_name": "rig #9", "file_name": "on.py", "file_path": "/rig/lamp", "status": "passed"});
    for path in ["test_start", "test_stop"] {
        let answer = tm(&server, path, &body).await;
        assert!(answer.status == 400 && answer.json["machine_name"][0].is_string(), "{}", answer.text);
    }
    assert_eq!(step(&server, "test_stop", "on.py", "lamp", Some(json!("passed"))).await.status, 202, "nothing ran");
    server.get("/tm_api/dry_run/").await.problem(405, "method-not-allowed");
    server.stop().await;
}

#[tokio::test]
async fn names_match_in_any_case_and_a_token_may_be_bound() {
    let server = TestServer::start_with(false, |_| {}).await;
    let own = server.token(Scope::Ingest, Some("Rig"), None).await;
    let post = async |path: &str, body: Value| {
        server.send(server.client.post(server.url(&format!("/tm_api/{path}/?token={own}"))).json(&body)).await
    };
    assert_eq!(post("dry_run", dry_run("Rig")).await.status, 201);
    let start = json!({"machine_name": "RIG", "file_name": "on.py", "file_path": "/rig/lamp", "timestamp_start": null});
    let started = post("test_start", start.clone()).await;
    assert_eq!((started.status, &started.json), (202, &start));
    post("dry_run", dry_run("Other")).await.problem(403, "forbidden");
    tm(&server, "dry_run", &dry_run("Rig")).await.problem(401, "unauthenticated");
    server.stop().await;
}

/// Two machines, of which the first has played a test.
async fn played(server: &TestServer) {
    tm(server, "dry_run", &dry_run("rig #1")).await;
    tm(server, "dry_run", &dry_run("rig #2")).await;
    step(server, "test_start", "on.py", "lamp", None).await;
    server.pass(90);
    step(server, "test_stop", "on.py", "lamp", Some(json!("failed"))).await;
}

#[tokio::test]
async fn pages_read_machines_and_their_runs() {
    let server = TestServer::start().await;
    let empty = server.get("/tm_api/machines/").await.ok();
    assert_eq!((&empty["count"], &empty["total_pages"], &empty["results"]), (&json!(0), &json!(1), &json!([])));
    played(&server).await;
    let machines = server.get("/tm_api/machines/?page=2&page_size=1").await.ok();
    assert_eq!(
        machines["results"],
        json!([{"pk": 2, "machine_name": "rig #2", "get_last_master_scenario_status": "waiting", "absolute_url": "/setups/rig%20%232"}])
    );
    assert_eq!(
        (&machines["has_next"], &machines["next_page_number"], &machines["previous_page_number"]),
        (&json!(false), &Value::Null, &json!(1))
    );
    assert!(server.get("/tm_api/machines/?page=3&page_size=1").await.json["detail"].is_string());
    assert_eq!(server.get("/tm_api/machines/?page=x").await.status, 404);

    let last = server.get("/tm_api/machine_last_data/1/").await.ok();
    let run = &last["last_master_scenario"];
    assert_eq!(
        (&last["machine_name"], &run["file_name"], &run["status"]),
        (&json!("rig #1"), &json!("master.py"), &json!("waiting"))
    );
    assert_eq!((&run["tests_statistics"]["failed"], &run["tests_statistics"]["waiting"]), (&json!(1), &json!(3)));
    assert_eq!(
        (&run["started_ago"], &run["timestamp_start"]),
        (&json!("1\u{a0}minute"), &json!("01-03-2026  12:00:00"))
    );
    let pks: Vec<_> = run["scenarios"]
        .as_array()
        .expect("scenarios")
        .iter()
        .map(|scenario| (scenario["pk"].clone(), scenario["tests"][1]["pk"].clone()))
        .collect();
    assert_eq!(pks, [(json!(2), json!(4)), (json!(5), json!(7))]);
    server.stop().await;
}

#[tokio::test]
async fn pages_read_scripts_by_their_numbers() {
    let server = TestServer::start().await;
    played(&server).await;
    let script = server.get("/tm_api/test/3").await.ok();
    assert_eq!(
        script,
        json!({"file_name": "on.py", "file_path": "/rig/lamp", "script": "run on.py\n", "timestamp_start": "01-03-2026  12:00:00", "timestamp_stop": "01-03-2026  12:01:30"})
    );
    assert_eq!(server.get("/tm_api/scenario/2").await.ok()["file_name"], "lamp.py");
    assert_eq!(
        server.get("/tm_api/master_scenario/1000001").await.ok()["timestamp_start"],
        Value::Null,
        "the other machine's"
    );
    for path in ["test/2", "scenario/99", "test/0", "test/x", "master_scenario/9000001", "machine_last_data/3/"] {
        let answer = server.get(&format!("/tm_api/{path}")).await;
        assert!(answer.status == 404 && answer.json["detail"].is_string(), "{path}: {}", answer.text);
    }
    let runs = server.get("/tm_api/machine_dry_run_datas/1").await.ok();
    let first = &runs["results"][0];
    assert_eq!(
        (&first["pk"], &first["scenarios"], &first["tests"], &first["tests_status"]),
        (&json!(1), &json!(2), &json!(4), &json!("waiting"))
    );
    assert_eq!(server.get("/tm_api/machine_dry_run_datas/9").await.ok()["results"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn sockets_tell_every_change() {
    let server = TestServer::start().await;
    tm(&server, "dry_run", &dry_run("rig #1")).await;
    server.get("/api/v1/setups").await.ok();
    let mut last = socket(&server, "/ws/machine/1/last/").await;
    let mut runs = socket(&server, "/ws/machine/1/runs/").await;
    let mut all = socket(&server, "/ws/machine/status/").await;
    for (path, status, running) in [("test_start", None, "running"), ("test_stop", Some(json!("passed")), "waiting")] {
        step(&server, path, "on.py", "lamp", status).await;
        let told = next(&mut last).await;
        assert_eq!(told["machine_data"]["last_master_scenario"]["status"], running);
        assert_eq!(next(&mut runs).await, json!({"run_data": {"id": 1, "status": running}}));
        assert_eq!(next(&mut all).await, json!({"machine_id_status": {"id": 1, "status": running}}));
    }
    server.get("/ws/machine/1/last/").await.problem(400, "malformed");
    let url = server.url("/ws/machine/9/last/").replace("http://", "ws://");
    assert!(matches!(connect_async(url).await, Err(Error::Http(answer)) if answer.status() == 404));
    let mut foreign =
        server.url("/ws/machine/status/").replace("http://", "ws://").into_client_request().expect("a request");
    foreign.headers_mut().insert("origin", "https://elsewhere.example".parse().expect("a value"));
    assert!(matches!(connect_async(foreign).await, Err(Error::Http(answer)) if answer.status() == 403));
    server.stop().await;
}

#[tokio::test]
async fn a_plan_is_found_again_after_it_was_put_away() {
    let server = TestServer::start().await;
    tm(&server, "dry_run", &dry_run("rig #1")).await;
    step(&server, "test_start", "on.py", "lamp", None).await;
    // More machines than are kept at hand.
    for number in 0..500 {
        let small = json!({"file_name": "m.py", "file_path": "/m"});
        let body = json!({"machine_name": format!("other {number}"), "timestamp": "2026-03-01 13:00", "master_scenario": small});
        server.pass(1);
        assert_eq!(tm(&server, "dry_run", &body).await.status, 201);
    }
    assert_eq!(step(&server, "test_stop", "on.py", "lamp", Some(json!("passed"))).await.status, 202);
    assert_eq!(step(&server, "test_start", "off.py", "lamp", None).await.status, 202);
    assert_eq!(step(&server, "test_start", "on.py", "lamp", None).await.status, 400, "it ran before");
    let rig = server.get("/api/v1/setups/rig%20%231").await.ok();
    assert_eq!((&rig["run"]["counts"]["passed"], &rig["run"]["test"]), (&json!(1), &json!("off.py")));
    server.stop().await;
}
