//! Saved walls, the links of kiosks, and claims.

use crate::harness::TestServer;
use reqwest::StatusCode;
use serde_json::{Value, json};
use server::service::tokens::Scope;

async fn put(server: &TestServer, path: &str, token: Option<&str>, body: &Value) -> (StatusCode, Value) {
    let mut request = reqwest::Client::new().put(server.url(path)).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("a text");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn claim(server: &TestServer) -> Option<app::read::Claim> {
    let tile = server.service().itself().setup("bench 1").await.expect("it may");
    tile.expect("is there").claim.clone()
}

async fn form(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = client.post(server.url(path)).header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("a text"))
}

async fn page(server: &TestServer, path: &str) -> (StatusCode, String) {
    let answer = reqwest::get(server.url(path)).await.expect("an answer");
    (answer.status(), answer.text().await.expect("a text"))
}

#[tokio::test]
async fn walls_are_saved_read_changed_and_deleted() {
    let server = TestServer::start().await;
    let plan = json!({"title": "Lobby", "setups": ["bench-*"], "only_sick": true, "palette": "colour-blind"});
    let (status, saved) = put(&server, "/api/v1/walls/lobby", None, &plan).await;
    assert_eq!((status, &saved["plan"]["title"]), (StatusCode::OK, &json!("Lobby")), "{saved}");
    let listed = server.get("/api/v1/walls").await.ok();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    put(&server, "/api/v1/walls/lobby", None, &json!({})).await;
    assert_eq!(server.get("/api/v1/walls/lobby").await.ok()["plan"]["title"], Value::Null);
    let gone = reqwest::Client::new().delete(server.url("/api/v1/walls/lobby")).send().await.expect("an answer");
    assert_eq!(gone.status(), 204);
    server.get("/api/v1/walls/lobby").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_wall_is_refused_with_the_field() {
    let server = TestServer::start().await;
    for (name, plan, pointer) in [
        ("lobby", json!({"tiles": 0}), "/tiles"),
        ("lobby", json!({"dim": "night"}), "/dim"),
        ("Big%20Wall", json!({}), "/name"),
    ] {
        let (status, problem) = put(&server, &format!("/api/v1/walls/{name}"), None, &plan).await;
        assert_eq!((status.as_u16(), problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{problem}");
    }
    let (status, _) = put(&server, "/api/v1/walls/lobby", None, &json!({"theme": "pink"})).await;
    assert_eq!(status, 400);
    server.stop().await;
}

#[tokio::test]
async fn only_an_administrator_changes_walls() {
    let server = TestServer::start_with(false, |_| {}).await;
    let (ingest, admin) = (server.token(Scope::Ingest, None, None).await, server.token(Scope::Admin, None, None).await);
    assert_eq!(put(&server, "/api/v1/walls/lobby", None, &json!({})).await.0, 401);
    assert_eq!(put(&server, "/api/v1/walls/lobby", Some(&ingest), &json!({})).await.0, 403);
    assert_eq!(put(&server, "/api/v1/walls/lobby", Some(&admin), &json!({})).await.0, 200);
    let (status, text) = form(&server, "/settings/walls", &[("name", "attic"), ("title", "<b>")]).await;
    assert_eq!(status, 401);
    assert!(text.contains("Not saved") && text.contains("&lt;b&gt;") && !text.contains("<b>"), "{text}");
    assert_eq!(form(&server, "/settings/walls", &[("name", "attic"), ("token", &admin)]).await.0, 303);
    server.stop().await;
}

#[tokio::test]
async fn a_wall_of_the_configuration_stands_and_is_changed_there() {
    let server = TestServer::start_with(true, |config| {
        config.walls.insert("lobby".into(), serde_json::from_value(json!({"title": "Written down"})).expect("a plan"));
    })
    .await;
    assert_eq!(put(&server, "/api/v1/walls/lobby", None, &json!({})).await.0, 403);
    let (status, text) = page(&server, "/wall/lobby").await;
    assert!(status == 200 && text.contains("Written down"), "{status} {text}");
    assert_eq!(page(&server, "/wall/cellar").await.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_kiosk_link_shows_its_wall_until_it_is_taken_back() {
    let server = TestServer::start().await;
    for wall in ["lobby", "attic"] {
        put(&server, &format!("/api/v1/walls/{wall}"), None, &json!({})).await;
    }
    let (status, text) = form(&server, "/settings/walls/lobby/links", &[]).await;
    assert_eq!(status, 200);
    let secret = text.split("?kiosk=").nth(1).and_then(|rest| rest.split('"').next()).expect("a link").to_owned();
    assert_eq!(page(&server, &format!("/wall/lobby?kiosk={secret}")).await.0, 200);
    let (status, text) = page(&server, &format!("/wall/attic?kiosk={secret}")).await;
    assert!(status == 403 && text.contains("another wall"), "{status}");
    let (_, text) = page(&server, "/settings/walls/lobby").await;
    assert!(!text.contains(&secret), "it is told once");
    let id = text.split("/links/").nth(1).and_then(|rest| rest.split('"').next()).expect("an id").to_owned();
    assert_eq!(form(&server, &format!("/settings/walls/lobby/links/{id}"), &[]).await.0, 303);
    let (status, text) = page(&server, &format!("/wall/lobby?kiosk={secret}")).await;
    assert!(status == 401 && text.contains("revoked"), "{status} {text}");
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let server = TestServer::start().await;
    let post = |name: &str, value: &str| {
        reqwest::Client::new().post(server.url("/settings/walls")).header(name, value).body("name=lobby").send()
    };
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        assert_eq!(post(name, value).await.expect("an answer").status(), 403, "{name}: {value}");
    }
    assert_eq!(server.get("/api/v1/walls").await.ok()["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_claim_stands_until_a_run_ends_well() {
    let server = TestServer::start().await;
    server.rig("bench 1").run("1").passes(2).fails("y").done().await;
    let path = "/api/v1/setups/bench%201/claim";
    let (status, problem) = put(&server, path, None, &json!({"holder": " "})).await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/holder")));
    assert_eq!(put(&server, path, None, &json!({"holder": "Kim", "note": "the cable"})).await.0, 204);
    let held = claim(&server).await.expect("a claim");
    assert_eq!((held.holder.as_str(), held.note.as_deref()), ("Kim", Some("the cable")));

    server.pass(60);
    server.rig("bench 1").run("2").passes(2).fails("y").done().await;
    assert!(claim(&server).await.is_some(), "it still fails");
    server.pass(60);
    server.rig("bench 1").run("3").passes(3).done().await;
    assert_eq!(claim(&server).await, None);
    server.pass(60);
    server.rig("bench 1").run("4").passes(2).fails("y").done().await;
    assert_eq!(claim(&server).await, None, "what fails anew is nobody's");
    assert_eq!(put(&server, "/api/v1/setups/nowhere/claim", None, &json!({"holder": "Kim"})).await.0, 404);
    server.stop().await;
}
