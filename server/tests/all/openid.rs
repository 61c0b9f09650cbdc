//! Signing in by an OpenID provider: a small one on this machine, which speaks
//! the code flow with PKCE and signs what it says.

use crate::harness::{Answer, Browser, PASSWORD, TestServer};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use server::config::{OpenIdConfig, Reading, Secret};
use sha2::{Digest, Sha256};
use sqlx::Connection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

type Words = HashMap<String, String>;

/// What the provider was asked with a code, until it is traded.
type Codes = Arc<Mutex<HashMap<String, Words>>>;

#[derive(Clone)]
struct Provider {
    issuer: String,
    key: Arc<rcgen::KeyPair>,
    codes: Codes,
    /// What it says beside what it has to.
    says: Arc<Mutex<Value>>,
    /// Keys that it has beside its own.
    keys: Arc<Mutex<Vec<Value>>>,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let issuer = format!("http://{}/realm", listener.local_addr().expect("an address"));
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        let (codes, says) = (Codes::default(), Arc::new(Mutex::new(json!({}))));
        let provider = Self { issuer, key: Arc::new(key), codes, says, keys: Arc::default() };
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(doors))
            .route("/realm/authorize", get(authorize))
            .route("/realm/token", post(token))
            .route("/realm/keys", get(keys))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// Says this of everybody from now on; what is null is left out.
    fn says(&self, words: Value) {
        *self.says.lock().expect("no test panics with it") = words;
    }

    fn sign(&self, asked: &Words) -> String {
        let mut claims = json!({
            "iss": self.issuer, "aud": "holter", "sub": "248289", "nonce": asked["nonce"],
            "iat": 1_772_366_400, "exp": 1_772_366_700, "preferred_username": "ana",
        });
        let said = self.says.lock().expect("no test panics with it").clone();
        let (claims_of, said) = (claims.as_object_mut().expect("claims"), said.as_object().expect("words").clone());
        claims_of.extend(said);
        claims_of.retain(|_, value| !value.is_null());
        if let Some(secret) = claims_of.remove("signed with") {
            let key = EncodingKey::from_secret(secret.as_str().expect("a text").as_bytes());
            return encode(&Header::new(Algorithm::HS256), &claims, &key).expect("a token");
        }
        let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims, &EncodingKey::from_ec_der(&self.key.serialize_der())).expect("a token")
    }
}

async fn doors(State(own): State<Provider>) -> Json<Value> {
    let at = |door: &str| format!("{}/{door}", own.issuer);
    Json(json!({
        "issuer": own.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"), "jwks_uri": at("keys"),
    }))
}

/// Somebody who is known here is sent back at once.
async fn authorize(State(own): State<Provider>, Query(asked): Query<Words>) -> Response {
    let is_right = asked["client_id"] == "holter"
        && asked["response_type"] == "code"
        && asked["code_challenge_method"] == "S256"
        && asked["scope"].contains("openid");
    assert!(is_right, "{asked:?}");
    let mut codes = own.codes.lock().expect("no test panics with it");
    let code = format!("code-{}", codes.len());
    let mut back: url::Url = asked["redirect_uri"].parse().expect("an address");
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
    codes.insert(code, asked);
    Redirect::to(back.as_str()).into_response()
}

async fn token(State(own): State<Provider>, headers: HeaderMap, Form(said): Form<Words>) -> Response {
    let refused = |why: &str| (axum::http::StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response();
    if headers["authorization"] != format!("Basic {}", STANDARD.encode("holter:s3cret")) {
        return refused("invalid_client");
    }
    let Some(asked) = own.codes.lock().expect("no test panics with it").remove(&said["code"]) else {
        return refused("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(said["code_verifier"].as_bytes()));
    if challenge != asked["code_challenge"] || said["redirect_uri"] != asked["redirect_uri"] {
        return refused("invalid_grant");
    }
    Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": own.sign(&asked)})).into_response()
}

async fn keys(State(own): State<Provider>) -> Json<Value> {
    let point = own.key.public_key_raw();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
    let mut all = own.keys.lock().expect("no test panics with it").clone();
    all.push(json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one", "x": x, "y": y}));
    Json(json!({"keys": all}))
}

async fn server_with(provider: &Provider) -> TestServer {
    let issuer = provider.issuer.clone();
    TestServer::start_with(false, |config| {
        config.auth.read = Reading::Login;
        config.public_url = Some("http://holter.example".parse().expect("an address"));
        config.outgoing.allowed_hosts =
            vec![issuer.trim_start_matches("http://").trim_end_matches("/realm").to_owned()];
        config.outgoing.allowed_networks = vec!["127.0.0.0/8".into()];
        config.auth.openid = Some(OpenIdConfig {
            issuer,
            client_id: "holter".into(),
            client_secret: Secret::new("s3cret"),
            label: "Example".into(),
            role: Some(app::domain::rights::Role::Viewer),
        });
    })
    .await
}

/// Goes to the provider; the way back as a path of the server.
async fn go(browser: &mut Browser<'_>) -> String {
    let away = browser.get("/login/openid?next=/flaky").await;
    assert_eq!(away.status, 303, "{}", away.text);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let back = client.get(away.header("location")).send().await.expect("an answer");
    let back = back.headers()["location"].to_str().expect("text").to_owned();
    back.strip_prefix("http://holter.example").expect("back to us").to_owned()
}

async fn there_and_back(browser: &mut Browser<'_>) -> Answer {
    let back = go(browser).await;
    browser.get(&back).await
}

#[tokio::test]
async fn who_is_known_to_the_provider_comes_in_and_is_the_same_next_time() {
    let provider = Provider::start().await;
    let server = server_with(&provider).await;
    let mut browser = Browser::new(&server);
    assert!(browser.get("/login").await.text.contains("Sign in with Example"));
    let back = there_and_back(&mut browser).await;
    assert_eq!((back.status, back.header("location")), (303, "/flaky"), "{}", back.text);
    assert!(browser.get("/settings/account").await.text.contains("viewer everywhere"));
    // Another name there is the same person here.
    provider.says(json!({"preferred_username": "ana.smith"}));
    let mut again = Browser::new(&server);
    there_and_back(&mut again).await;
    assert!(again.get("/settings/account").await.text.contains("<h1>ana</h1>"));
    server.stop().await;
}

#[tokio::test]
async fn an_account_is_joined_by_an_address_that_the_provider_knows_and_by_nothing_else() {
    let provider = Provider::start().await;
    let server = server_with(&provider).await;
    let mut ana = server.first_administrator("ana").await;
    let fields = [("name", "bo"), ("role", "engineer"), ("email", "bo@example.org")];
    ana.fill("/settings/people", "/settings/people", &fields).await;
    // Whoever calls themselves ana there is not ana here.
    let answer = there_and_back(&mut Browser::new(&server)).await;
    assert!(answer.status == 403 && answer.text.contains("there is an account ana already"), "{}", answer.text);
    provider.says(json!({"sub": "7", "preferred_username": "bo", "email": "bo@example.org", "email_verified": false}));
    assert_eq!(there_and_back(&mut Browser::new(&server)).await.status, 403);
    provider
        .says(json!({"sub": "7", "preferred_username": "robert", "email": "Bo@example.org", "email_verified": true}));
    let mut bo = Browser::new(&server);
    assert_eq!(there_and_back(&mut bo).await.status, 303);
    assert!(bo.get("/settings/account").await.text.contains("engineer everywhere"));
    provider.says(json!({"sub": "8", "email": "bo@example.org", "email_verified": true}));
    assert_eq!(there_and_back(&mut Browser::new(&server)).await.status, 403, "the account is of another person there");
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_to_be_believed_lets_nobody_in() {
    let provider = Provider::start().await;
    let server = server_with(&provider).await;
    for (words, why) in [
        (json!({"nonce": "of another"}), "another sign-in"),
        (json!({"nonce": null}), "another sign-in"),
        (json!({"exp": 1_772_366_000}), "too old"),
        (json!({"aud": "another"}), "not to be believed"),
        (json!({"iss": "http://evil.example"}), "not to be believed"),
        (json!({"azp": "another"}), "another program"),
        (json!({"signed with": "s3cret"}), "signed as only"),
        (json!({"sub": null}), "not to be believed"),
    ] {
        provider.says(words.clone());
        let mut browser = Browser::new(&server);
        let answer = there_and_back(&mut browser).await;
        assert!(answer.status == 403 && answer.text.contains(why), "{words}: {} {}", answer.status, answer.text);
        assert!(browser.cookies.is_empty(), "{words}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_way_back_is_of_one_browser_and_works_once() {
    let provider = Provider::start().await;
    let server = server_with(&provider).await;
    let mut own = Browser::new(&server);
    let back = go(&mut own).await;
    // Somebody else's address, put into the browser of a victim.
    let mut victim = Browser::new(&server);
    assert_eq!(victim.get(&back).await.status, 403);
    go(&mut victim).await;
    assert_eq!(victim.get(&back).await.status, 403, "the state is of another trip");
    let kept = own.cookies.clone();
    assert_eq!(own.get(&back).await.status, 303);
    own.cookies = kept;
    assert_eq!(own.get(&back).await.status, 502, "the code was used");
    server.stop().await;
}

#[tokio::test]
async fn keys_of_kinds_that_nobody_knows_do_not_keep_anybody_out() {
    let provider = Provider::start().await;
    let server = server_with(&provider).await;
    *provider.keys.lock().expect("no test panics with it") = vec![
        json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "later", "pub": "AAAA"}),
        json!({"kty": "EC", "crv": "P-9999", "kid": "odd", "x": "AA", "y": "AA"}),
        json!({"kid": "none"}),
        json!("not even a key"),
    ];
    let mut browser = Browser::new(&server);
    let back = there_and_back(&mut browser).await;
    assert_eq!((back.status, back.header("location")), (303, "/flaky"), "{}", back.text);
    server.stop().await;
}

#[tokio::test]
async fn who_is_not_to_be_believed_again_and_again_has_to_wait() {
    let provider = Provider::start().await;
    let server = server_with(&provider).await;
    server.first_administrator("bo").await;
    let mut own = Browser::new(&server);
    let back = go(&mut own).await;
    let kept = own.cookies.clone();
    assert_eq!(own.get(&back).await.status, 303);
    // A provider that takes no code twice says nothing of who comes.
    for _ in 0..25 {
        own.cookies.clone_from(&kept);
        assert_eq!(own.get(&back).await.status, 502);
    }
    provider.says(json!({"nonce": "of another"}));
    let mut looked_at = 0;
    let refused = loop {
        let answer = there_and_back(&mut Browser::new(&server)).await;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.status, 403, "{}", answer.text);
        looked_at += 1;
        assert!(looked_at < 50, "nobody stops it");
    };
    assert_eq!((looked_at, refused.header("retry-after")), (21, "16"));
    provider.says(json!({}));
    assert_eq!(there_and_back(&mut Browser::new(&server)).await.status, 429, "who is right waits too");
    assert_eq!(Browser::new(&server).sign_in("bo", PASSWORD).await.status, 303, "passwords are counted apart");
    server.pass(16);
    assert_eq!(there_and_back(&mut Browser::new(&server)).await.status, 303);
    server.stop().await;
}

#[tokio::test]
async fn where_there_is_no_room_for_accounts_nobody_new_comes_in() {
    let provider = Provider::start().await;
    let server = server_with(&provider).await;
    assert_eq!(there_and_back(&mut Browser::new(&server)).await.status, 303);
    let place = server.folder().join("holter.db");
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{}", place.display())).await.expect("opens");
    let many = "insert into users (id, name, created_at) with recursive n (i) as \
                (select 1 union all select i + 1 from n where i < 4999) select randomblob(16), 'n' || i, 0 from n";
    sqlx::query(many).execute(&mut db).await.expect("written");
    db.close().await.expect("closes");
    provider.says(json!({"sub": "9", "preferred_username": "eve"}));
    let answer = there_and_back(&mut Browser::new(&server)).await;
    assert!(answer.status == 403 && answer.text.contains("as many accounts here as there may be"), "{}", answer.text);
    provider.says(json!({}));
    assert_eq!(there_and_back(&mut Browser::new(&server)).await.status, 303, "who has one comes in");
    server.stop().await;
}
