//! Schedules: what is run when its time has come, missed or not.

use crate::harness::{Answer, Browser, TestServer, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use server::config::ScheduleConfig;
use server::service::tokens::Scope;

async fn call(server: &TestServer, method: Method, path: &str, body: &Value) -> Answer {
    server.send(server.client.request(method, server.url(path)).json(body)).await
}

/// A batch that was sent, and its id.
async fn batch(server: &TestServer) -> String {
    let body = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nKim\r\n--x\r\n\
                Content-Disposition: form-data; name=\"files\"; filename=\"a.sh\"\r\n\r\necho ok 1\r\n--x--\r\n";
    let request = server.client.post(server.url("/api/v1/batches"));
    let answer = server.send(request.header("content-type", "multipart/form-data; boundary=x").body(body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json["id"].as_str().expect("an id").to_owned()
}

async fn batches(server: &TestServer) -> u64 {
    server.get("/api/v1/batches").await.ok()["total"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_batch_is_run_when_its_time_has_come_and_what_was_missed_runs_once() {
    let server = TestServer::start().await;
    let id = batch(&server).await;
    let saved =
        call(&server, Method::PUT, "/api/v1/schedules/hourly", &json!({"cron": "0 * * * *", "batch": id})).await;
    let saved = saved.ok();
    assert_eq!((&saved["next_at"], &saved["last"]), (&json!("2026-03-01T13:00:00.000000Z"), &Value::Null));
    assert_eq!(server.service().run_schedules().await.expect("looks"), 0);
    // Ten hours were missed.
    server.pass(10 * 3_600 + 60);
    let seen = eventually("its turn is taken", async || {
        let seen = server.get("/api/v1/schedules/hourly").await.ok();
        seen["last"]["url"].is_string().then_some(seen)
    })
    .await;
    assert_eq!((&seen["next_at"], batches(&server).await), (&json!("2026-03-01T23:00:00.000000Z"), 2), "{seen}");
    assert_eq!(seen["last"]["status"], "created");
    let made = server.get(&format!("/api/v1{}", seen["last"]["url"].as_str().expect("an address"))).await.ok();
    assert_eq!((&made["by"], &made["units"][0]["path"]), (&json!("the schedule hourly"), &json!("a.sh")));
    let page = server.get("/settings/schedules").await.text;
    assert!(page.contains("hourly") && page.contains(seen["last"]["url"].as_str().expect("an address")), "{page}");

    let paused = json!({"cron": "0 * * * *", "batch": id, "is_paused": true});
    assert_eq!(call(&server, Method::PUT, "/api/v1/schedules/hourly", &paused).await.ok()["next_at"], Value::Null);
    server.pass(7_200);
    assert_eq!(server.service().run_schedules().await.expect("looks"), 0, "a paused one has no turn");
    assert_eq!(call(&server, Method::DELETE, "/api/v1/schedules/hourly", &Value::Null).await.status, 204);
    call(&server, Method::DELETE, "/api/v1/schedules/hourly", &Value::Null).await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused_with_the_field() {
    let server = TestServer::start().await;
    let id = batch(&server).await;
    let none = "00000000-0000-7000-8000-000000000001";
    for (name, body, pointer) in [
        ("Every%20Night", json!({"cron": "@daily", "batch": id}), "/name"),
        ("nightly", json!({"cron": "61 * * * *", "batch": id}), "/cron"),
        ("nightly", json!({"cron": "0 0 30 2 *", "batch": id}), "/cron"),
        ("nightly", json!({"cron": "@daily", "time_zone": "Europe/Nowhere", "batch": id}), "/time_zone"),
        ("nightly", json!({"cron": "@daily", "batch": none}), "/batch"),
        ("nightly", json!({"cron": "@daily"}), "/batch"),
        ("nightly", json!({"cron": "@daily", "repository": "acme/pump"}), "/branch"),
        ("nightly", json!({"cron": "@daily", "repository": "acme/pump", "branch": "main"}), "/repository"),
    ] {
        let answer = call(&server, Method::PUT, &format!("/api/v1/schedules/{name}"), &body).await;
        let problem = answer.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert_eq!(server.get("/api/v1/schedules").await.ok()["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn an_engineer_makes_pauses_and_deletes_schedules_on_the_page() {
    let server = TestServer::start_with(false, |config| {
        config.schedules = vec![ScheduleConfig {
            name: "written".into(),
            cron: "@daily".into(),
            batch: Some("00000000-0000-7000-8000-000000000001".into()),
            ..ScheduleConfig::default()
        }];
    })
    .await;
    let mut admin: Browser<'_> = server.first_administrator("ana").await;
    let page = "/settings/schedules";
    let odd = [("name", "x"), ("cron", "often"), ("batch", "no")];
    let refused = admin.fill(page, page, &odd).await;
    assert!(refused.status == 422 && refused.text.contains("five fields of cron"), "{}", refused.text);
    assert!(refused.text.contains("value=\"often\""), "what was typed stays");
    let unsigned = admin.post("/settings/schedules/written/pause", &[]).await;
    assert_eq!(unsigned.status, 403, "a form that is not of this session");
    assert_eq!(admin.fill(page, "/settings/schedules/written/pause", &[]).await.status, 303);
    let seen = server.get("/api/v1/schedules/written").await.ok();
    assert_eq!((&seen["is_paused"], &seen["configured"]), (&json!(true), &json!(true)));
    assert_eq!(admin.fill(page, "/settings/schedules/written/resume", &[]).await.status, 303);
    let token = server.token(Scope::Admin, None, None).await;
    let gone = server.client.delete(server.url("/api/v1/schedules/written")).bearer_auth(&token);
    server.send(gone).await.problem(403, "forbidden");
    // Its batch is not there: the turn comes to nothing, and says so.
    server.pass(86_400);
    let seen = eventually("its turn is taken", async || {
        let seen = server.get("/api/v1/schedules/written").await.ok();
        seen["fault"].is_string().then_some(seen)
    });
    assert!(seen.await["fault"].as_str().expect("a text").contains("there is no batch"));
    assert!(admin.get("/settings/audit").await.text.contains("paused the schedule"));
    server.stop().await;
}
