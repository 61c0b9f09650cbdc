//! What somebody may try who means no good. `docs/SECURITY.md` lists it, with
//! the test of each.

use crate::harness::{Browser, PASSWORD, TestServer};
use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use server::service::access::Shown;
use server::service::tokens::Scope;
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn connection(server: &TestServer) -> TcpStream {
    let place = server.url("").trim_start_matches("http://").to_owned();
    TcpStream::connect(place).await.expect("a connection")
}

/// Sends a byte after another, and tells how long the other side listened.
async fn drip(server: &TestServer, text: &str) -> Duration {
    let began = Instant::now();
    let (mut read, mut write) = connection(server).await.into_split();
    let text = text.to_owned();
    let dripping = async move {
        for byte in text.bytes().cycle() {
            if write.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let listening = async move { while matches!(read.read(&mut [0; 512]).await, Ok(1..)) {} };
    tokio::select! {
        () = dripping => {}
        () = listening => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => {}
    }
    began.elapsed()
}

#[tokio::test]
async fn who_does_not_come_to_the_point_is_not_listened_to() {
    let server = TestServer::start_with(false, |config| config.limits.heads_within_seconds = 1).await;
    let slow = drip(&server, "GET / HTTP/1.1\r\nHost: holter\r\nX-A: ").await;
    assert!(slow < Duration::from_secs(5), "a head that never ends was listened to for {slow:?}");
    let mut silent = connection(&server).await;
    let began = Instant::now();
    let read = tokio::time::timeout(Duration::from_secs(10), silent.read(&mut [0; 1])).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "a connection without a word is closed");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn slow_callers_take_no_more_than_their_places() {
    let server = TestServer::start_with(false, |config| {
        config.limits.heads_within_seconds = 1;
        config.limits.connections = 8;
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(connection(&server).await);
    }
    // The places are taken; they come back by themselves.
    let answer = tokio::time::timeout(Duration::from_secs(10), server.get("/health")).await.expect("in time");
    assert_eq!(answer.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_gigabyte_is_refused_without_being_kept() {
    let server = TestServer::start_with(false, |_| {}).await;
    let token = server.token(Scope::Ingest, None, None).await;
    let pieces = || {
        let piece = bytes::Bytes::from(vec![b'x'; 1 << 20]);
        reqwest::Body::wrap_stream(futures::stream::iter(
            (0..1024).map(move |_| Ok::<_, std::io::Error>(piece.clone())),
        ))
    };
    let mut answers = Vec::new();
    for (path, kind) in [
        ("/api/v1/events", "application/json"),
        ("/login", "application/x-www-form-urlencoded"),
        ("/settings/walls", "application/x-www-form-urlencoded"),
        ("/rpc/claim", "application/json"),
        ("/api/v1/tokens", "application/json"),
    ] {
        let request = server.client.post(server.url(path)).header("content-type", kind).bearer_auth(&token);
        // Who goes on writing sees a broken connection; either is a refusal.
        let sent = tokio::time::timeout(Duration::from_secs(30), request.body(pieces()).send()).await.expect("in time");
        answers.push((path, sent.map(|answer| answer.status().as_u16()).unwrap_or(413)));
    }
    assert!(answers.iter().all(|(_, status)| matches!(status, 401 | 403 | 413)), "{answers:?}");
    server.get("/health").await.ok();
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_is_made_up_counts_for_nothing() {
    let server = TestServer::start_with(false, |_| {}).await;
    let mut looked_at = 0;
    for n in 0..40 {
        let mut browser = Browser::new(&server);
        let request = browser.request(Method::POST, "/login").header("x-forwarded-for", format!("198.51.100.{n}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = browser.send(request.body(format!("name=n{n}&password=wrong-guess"))).await;
        looked_at += u32::from(answer.status == 401);
    }
    assert!(looked_at <= 21, "{looked_at} guesses from one address were looked at");
    server.stop().await;
}

#[tokio::test]
async fn a_trusted_proxy_says_from_where_somebody_comes() {
    let server = TestServer::start_with(false, |config| config.trusted_proxies = vec!["127.0.0.0/8".into()]).await;
    server.first_administrator("ana").await;
    let mut browser = Browser::new(&server);
    let request = browser.request(Method::POST, "/login").header("x-forwarded-for", "203.0.113.9, 198.51.100.7");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", "ana"), ("password", PASSWORD)])
        .finish();
    assert_eq!(browser.send(request.body(form)).await.status, 303);
    assert!(browser.get("/settings/account").await.text.contains("from 198.51.100.7"));
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_as_a_known_one() {
    let server = TestServer::start_with(false, |_| {}).await;
    server.first_administrator("ana").await;
    let mut took = [Vec::new(), Vec::new()];
    for turn in 0..60_u8 {
        server.pass(1_000);
        for (times, name) in took.iter_mut().zip(["ana", "eve"]) {
            let address = IpAddr::from([10, 0, 0, turn]);
            let desk = server.service().desk(Shown::Nothing, Some(address)).await.expect("a desk");
            let began = Instant::now();
            desk.sign_in(name, "not the password", None).await.expect_err("refused");
            times.push(began.elapsed());
        }
    }
    let [known, unknown] = took.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    });
    // Without the work for unknown names it would be a twentieth.
    assert!((0.6..1.7).contains(&(known / unknown)), "{known} s for a known name, {unknown} s for an unknown one");
    server.stop().await;
}

/// What was written to the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_comes_into_the_log() {
    let log = Log::default();
    let written = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || written.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = TestServer::start_with(false, |_| {}).await;
    let mut ana = server.first_administrator("ana").await;
    let token = server.token(Scope::Read, None, None).await;
    let session = ana.cookies["holter-session"].clone();
    for path in
        [format!("/wall/x?kiosk={token}"), format!("/welcome?link={token}"), format!("/api/v1/setups?token={token}")]
    {
        server.get(&path).await;
        server.send(server.client.get(server.url(&path)).bearer_auth(&token)).await;
        ana.get(&path).await;
    }
    Browser::new(&server).sign_in("ana", "a wrong password of hers").await;
    server.stop().await;
    let text = String::from_utf8_lossy(&log.0.lock().expect("written").clone()).into_owned();
    assert!(text.contains("answered"), "the log is written: {text}");
    for secret in [&token, &session, PASSWORD, "a wrong password of hers"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn markup_in_a_name_is_text_on_every_page() {
    let server = TestServer::start().await;
    let evil = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>";
    let events = json!([
        {"type": "run.started", "at": server.at(0), "setup": evil, "run": "k", "project": "p", "plan": [], "branch": evil, "commit": "3f2a"},
        {"type": "test.finished", "at": server.at(1), "setup": evil, "run": "k", "project": "p", "suite": [evil], "test": evil,
         "verdict": "failed", "message": evil, "trace": evil},
        {"type": "run.finished", "at": server.at(2), "setup": evil, "run": "k", "project": "p"},
    ]);
    assert_eq!(server.post(&events).await.status, 200);
    let runs = server.get("/api/v1/runs").await.ok();
    let run = runs["items"][0]["id"].as_str().expect("a run").to_owned();
    server.service().itself().claim(evil, evil, Some(evil)).await.expect("it may");
    let setup = app::paths::Page::Setup(evil).to_string();
    for path in [
        "/",
        &setup,
        &format!("/runs/{run}"),
        "/flaky",
        "/wall",
        "/projects/p",
        "/strip/p",
        "/settings/walls?name=%3Cimg%20src%3Dx%3E",
        "/login?next=/%22%3E%3Cimg%20src%3Dx%3E",
    ] {
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("<script>alert") && !page.text.contains("<img src=x"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_answer_carries_what_keeps_browsers_safe() {
    let frames = "https://intranet.example".to_owned();
    let server = TestServer::start_with(false, |config| config.auth.wall_frames = vec![frames]).await;
    for path in ["/", "/login", "/settings/walls", "/api/v1/setups", "/nothing", "/wall", "/docs", "/projects/x"] {
        let answer = server.get(path).await;
        let policy = answer.header("content-security-policy").to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("base-uri 'none'"), "{path}: {policy}");
        // The page to try the API on is somebody else's, and writes styles.
        assert!(
            path == "/docs" || !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{path}: {policy}"
        );
        assert_eq!(policy.contains("intranet.example"), path == "/wall", "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
    let one = server.get("/").await.header("content-security-policy").to_owned();
    assert_ne!(one, server.get("/").await.header("content-security-policy"), "a nonce is of one answer");
    server.stop().await;
}

#[tokio::test]
async fn by_tls_cookies_are_bound_to_the_host() {
    let (server, _folder, certificate) = TestServer::start_with_tls().await;
    let root = reqwest::Certificate::from_pem(certificate.pem().as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder().tls_certs_only([root]).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.expect("a client");
    let url = |path: &str| server.url(path).replace("http://", "https://");
    let health = client.get(url("/health")).send().await.expect("an answer");
    assert_eq!(health.headers()["strict-transport-security"], "max-age=31536000");
    let path = server.service().first_link().await.expect("it can").expect("nobody is there");
    let secret = path.split_once("link=").expect("a link").1;
    let body = format!("link={secret}&name=ana&password={}", PASSWORD.replace(' ', "+"));
    let request = client.post(url("/welcome")).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(body).send().await.expect("an answer");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.starts_with("__Host-holter-session=") && cookie.contains("Secure"), "{cookie}");
    // A stream by TLS, and an end in time.
    let cookie = cookie.split(';').next().expect("one").to_owned();
    let live = client.get(url("/live/wall")).header("cookie", cookie).send().await.expect("a stream");
    let first = live.bytes_stream().next().await.expect("a frame").expect("bytes");
    assert!(!first.is_empty());
    assert!(client.get(server.url("/health")).send().await.is_err(), "nothing is said without TLS");
    server.stop().await;
}
