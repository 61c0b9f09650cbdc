//! Setups that people keep for themselves, and the plan that says so.

use crate::harness::{Answer, TestServer};
use crate::work::{Hand, new_job, submit};
use reqwest::Method;
use serde_json::{Value, json};
use server::service::jobs::NewJob;
use server::service::tokens::Scope;

const PLACE: &str = "/api/v1/setups/bench%207/reservation";

async fn call(server: &TestServer, method: Method, path: &str, body: &Value) -> Answer {
    server.send(server.client.request(method, server.url(path)).json(body)).await
}

async fn reserve(server: &TestServer, holder: &str, seconds: i64) -> Answer {
    let body = json!({"holder": holder, "reason": "new valve", "until": server.at(seconds)});
    call(server, Method::POST, PLACE, &body).await
}

/// The job that a worker is given, if any.
async fn claimed(hand: &Hand<'_>) -> Option<String> {
    hand.claim(0).await.json["job"].as_str().map(str::to_owned)
}

fn for_setup(name: &str, setup: &str) -> NewJob {
    let mut job = new_job(name, "");
    job.task.tells.setup = setup.into();
    job.task.tells.run = name.into();
    job
}

#[tokio::test]
async fn a_kept_setup_makes_its_jobs_wait_and_says_for_whom() {
    let server = TestServer::start().await;
    server.rig("bench 7").run("k").passes(1).done().await;
    let until = server.at(3_600);
    assert_eq!(
        reserve(&server, "Kim", 3_600).await.ok(),
        json!({"holder": "Kim", "reason": "new valve", "until": until})
    );
    let detail = reserve(&server, "Ana", 60).await.problem(409, "conflict")["detail"].to_string();
    assert!(detail.contains("reserved by Kim until 2026-03-01 13:00 UTC: new valve"), "{detail}");
    let setup = server.get("/api/v1/setups/bench%207").await.ok();
    assert_eq!(setup["reservation"]["holder"], "Kim");
    for page in ["/", "/wall", "/setups/bench%207", "/settings/reservations"] {
        assert!(server.get(page).await.text.contains("Kim"), "{page}");
    }

    let kept = submit(&server, vec![for_setup("kept", "bench 7")]).await[0];
    let hand = Hand::start(&server, "left", "").await;
    assert!(claimed(&hand).await.is_none(), "the setup is Kim's");
    let why = "bench 7 is reserved by Kim until 2026-03-01 13:00 UTC";
    let plan = server.get("/api/v1/plan").await.ok();
    assert_eq!((&plan["waiting"][0]["why"], &plan["waiting"][0]["starts_at"]), (&json!(why), &json!(until)), "{plan}");
    for page in [format!("/jobs/{kept}"), "/plan".into()] {
        assert!(server.get(&page).await.text.contains(why), "{page}");
    }
    let free = submit(&server, vec![for_setup("free", "bench 8")]).await[0];
    assert_eq!(claimed(&hand).await, Some(free.to_string()), "others are let by");

    assert_eq!(call(&server, Method::DELETE, PLACE, &Value::Null).await.status, 204);
    call(&server, Method::DELETE, PLACE, &Value::Null).await.problem(404, "not-found");
    assert_eq!(claimed(&hand).await, Some(kept.to_string()));
    assert_eq!(server.get("/api/v1/setups/bench%207").await.ok()["reservation"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn it_ends_by_itself_and_what_is_odd_is_refused() {
    let server = TestServer::start().await;
    server.rig("bench 7").run("k").passes(1).done().await;
    for (body, pointer) in [
        (json!({"until": server.at(60)}), "/reason"),
        (json!({"reason": "x", "until": "tomorrow"}), "/until"),
        (json!({"reason": "x", "until": server.at(-1)}), "/until"),
        (json!({"reason": "x", "until": server.at(32 * 86_400)}), "/until"),
    ] {
        let problem = call(&server, Method::POST, PLACE, &body).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let body = json!({"reason": "x", "until": server.at(60)});
    call(&server, Method::POST, "/api/v1/setups/none/reservation", &body).await.problem(404, "not-found");
    reserve(&server, "Kim", 60).await.ok();
    let job = submit(&server, vec![for_setup("kept", "bench 7")]).await[0];
    let hand = Hand::start(&server, "left", "").await;
    assert!(claimed(&hand).await.is_none());
    server.pass(61);
    assert_eq!(claimed(&hand).await, Some(job.to_string()));
    assert_eq!(server.get("/api/v1/setups/bench%207").await.ok()["reservation"], Value::Null);
    assert!(!server.get("/").await.text.contains("reserved by"));
    server.stop().await;
}

#[tokio::test]
async fn an_engineer_keeps_a_setup_on_the_page_and_anybody_sees_it() {
    let server = TestServer::start_with(false, |_| {}).await;
    let token = server.token(Scope::Ingest, None, None).await;
    let events = server.rig("bench 7").run("k").passes(1).events();
    server.send(server.events(events.to_string()).bearer_auth(&token)).await.ok();
    let mut admin = server.first_administrator("ana").await;
    let page = "/settings/reservations/bench%207";
    let none = admin.fill(page, page, &[("reason", " ")]).await;
    assert!(none.status == 422 && none.text.contains("say what the setup is needed for"), "{}", none.text);
    assert_eq!(admin.fill(page, page, &[("reason", "new valve"), ("hours", "4")]).await.status, 303);
    let seen = server.get("/api/v1/setups/bench%207").await.ok();
    assert_eq!(
        (&seen["reservation"]["holder"], &seen["reservation"]["until"]),
        (&json!("ana"), &json!("2026-03-01T16:00:00.000000Z"))
    );
    assert_eq!(admin.post(&format!("{page}/end"), &[]).await.status, 403, "a form that is not of this session");
    assert_eq!(admin.fill(page, &format!("{page}/end"), &[]).await.status, 303);
    let audit = admin.get("/settings/audit").await.text;
    assert!(audit.contains("reserved the setup") && audit.contains("gave back the setup"), "{audit}");
    server.stop().await;
}

#[tokio::test]
async fn the_plan_says_where_when_and_for_how_long_or_why_not() {
    let server = TestServer::start().await;
    let hand = Hand::start(&server, "left", "").await;
    let first = submit(&server, vec![for_setup("a.py", "bench 7")]).await[0];
    let order = hand.claim(0).await.ok();
    assert_eq!(order["job"], first.to_string());
    server.pass(20);
    assert_eq!(hand.finish(&order, "passed").await.status, 204);
    let jobs =
        vec![for_setup("a.py", "bench 7"), for_setup("a.py", "bench 7"), new_job("odd", "gpu"), new_job("new", "")];
    submit(&server, jobs).await;
    let plan = server.get("/api/v1/plan").await.ok();
    let told = |at: usize| ["worker", "starts_at", "usual_ms", "why"].map(|field| plan["waiting"][at][field].clone());
    assert_eq!(told(0), [json!("left"), json!(server.at(0)), json!(20_000), Value::Null], "{plan}");
    assert_eq!(told(1), [json!("left"), json!(server.at(0)), json!(20_000), Value::Null]);
    assert_eq!(told(2), [Value::Null, Value::Null, Value::Null, json!("no worker has the label gpu")]);
    assert_eq!(told(3), [json!("left"), json!(server.at(20)), Value::Null, json!("other jobs are before it")]);
    let page = server.get("/plan").await.text;
    assert!(page.contains("no worker has the label gpu") && page.contains("20.0 s"), "{page}");
    let stance = server.client.put(server.url("/api/v1/work/workers/left/stance")).json(&json!({"stance": "draining"}));
    assert_eq!(server.send(stance).await.status, 204);
    let drained = server.get("/api/v1/plan").await.ok();
    assert_eq!(drained["waiting"][0]["why"], "the worker left is draining");
    server.stop().await;
}
