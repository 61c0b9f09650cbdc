//! Calls to other servers, made to real listeners on this machine.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use server::outgoing::{Call, CallError, Outgoing, Refused, Rules};
use server::server::provide_cryptography;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use url::Url;

/// Another server, and how often it was called.
struct Other {
    address: SocketAddr,
    called: Arc<AtomicUsize>,
}

impl Other {
    async fn start() -> Self {
        let called = Arc::new(AtomicUsize::new(0));
        let count = called.clone();
        let endless =
            || Body::from_stream(futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 65_536])));
        let router = Router::new()
            .route("/hello", get(async |headers: HeaderMap| headers["user-agent"].to_str().expect("text").to_owned()))
            .route("/away", get(async || Redirect::temporary("/hello")))
            .route("/endless", get(async move || endless()))
            .route("/never", get(std::future::pending::<String>))
            .route("/bomb", get(bomb))
            .route(
                "/status/{status}",
                any(async |axum::extract::Path(status): axum::extract::Path<u16>| {
                    StatusCode::from_u16(status).expect("a status")
                }),
            )
            .layer(axum::middleware::map_request(move |request: axum::extract::Request| {
                count.fetch_add(1, Ordering::SeqCst);
                std::future::ready(request)
            }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, called }
    }

    fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().expect("an address")
    }

    /// The same, by the name of this machine.
    fn by_name(&self, path: &str) -> Url {
        format!("http://localhost:{}{path}", self.address.port()).parse().expect("an address")
    }

    fn called(&self) -> usize {
        self.called.load(Ordering::SeqCst)
    }
}

/// 64 MiB of nothing, packed.
async fn bomb() -> impl IntoResponse {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 64 * 1024 * 1024), &mut packed).expect("packs");
    ([(header::CONTENT_ENCODING, "gzip")], packed.finish().expect("packs"))
}

fn outgoing(rules: Rules) -> Outgoing {
    provide_cryptography();
    Outgoing::new(rules, Duration::from_secs(10)).expect("a client")
}

fn rules(hosts: &[&str], networks: &[&str]) -> Rules {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Rules::new(&owned(hosts), &owned(networks)).expect("valid")
}

#[tokio::test]
async fn a_name_that_leads_inwards_is_not_called() {
    let other = Other::start().await;
    let called = outgoing(rules(&["localhost"], &[])).send(Call::get(other.by_name("/hello"))).await;
    assert!(matches!(called, Err(CallError::Refused(Refused::Address { .. }))), "{called:?}");
    let called = outgoing(rules(&["example.com"], &[])).send(Call::get(other.by_name("/hello"))).await;
    assert!(matches!(called, Err(CallError::Refused(Refused::Host { .. }))), "{called:?}");
    assert_eq!(other.called(), 0);

    for allowed in [rules(&["localhost"], &["127.0.0.0/8"]), Rules::inside(&["localhost".into()], "x").expect("valid")]
    {
        let answer = outgoing(allowed).send(Call::get(other.by_name("/hello"))).await.expect("an answer");
        assert_eq!((answer.status, &answer.body[..7]), (200, &b"holter/"[..]));
    }
    assert_eq!(other.called(), 2);
}

#[tokio::test]
async fn an_address_is_called_where_it_is_written_down() {
    let other = Other::start().await;
    let call = || Call::get(other.url("/hello"));
    for allowed in [rules(&["127.0.0.1"], &[]), rules(&[], &["127.0.0.0/8"]), rules(&[&other.address.to_string()], &[])]
    {
        assert!(outgoing(allowed).send(call()).await.expect("an answer").is_success());
    }
    for refused in [rules(&[], &[]), rules(&["127.0.0.1:1"], &[]), rules(&["localhost"], &["10.0.0.0/8"])] {
        assert!(matches!(outgoing(refused).send(call()).await, Err(CallError::Refused(_))));
    }
    assert_eq!(other.called(), 3);
}

#[tokio::test]
async fn redirects_are_answers() {
    let other = Other::start().await;
    let answer = outgoing(rules(&["127.0.0.1"], &[])).send(Call::get(other.url("/away"))).await.expect("an answer");
    assert_eq!((answer.status, answer.header("location")), (307, Some("/hello")));
    assert_eq!(other.called(), 1);
}

#[tokio::test]
async fn size_and_time_are_bounded() {
    let other = Other::start().await;
    let outgoing = outgoing(rules(&["127.0.0.1"], &[]));
    for path in ["/endless", "/bomb"] {
        let answered = outgoing.send(Call::get(other.url(path)).answer_max(100_000)).await;
        assert!(matches!(answered, Err(CallError::TooMuch { max: 100_000, .. })), "{answered:?}");
    }
    let answered = outgoing.send(Call::get(other.url("/never")).within(Duration::from_millis(50))).await;
    assert!(matches!(answered, Err(CallError::TimedOut { .. })), "{answered:?}");
}

#[tokio::test]
async fn what_failed_names_the_host_and_not_the_path() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    let url = format!("http://{free}/services/secret?key=secret").parse().expect("an address");
    let error = outgoing(rules(&["127.0.0.1"], &[])).send(Call::get(url)).await.expect_err("nobody listens");
    assert!(error.may_pass());
    let told = server::service::failure::chain(&error);
    assert!(
        told.contains(&free.to_string()) && !told.contains("secret") && !format!("{error:?}").contains("secret"),
        "{told}"
    );
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_will_not() {
    let other = Other::start().await;
    let outgoing = outgoing(rules(&["127.0.0.1"], &[]));
    for (status, may_pass) in
        [(200, false), (400, false), (404, false), (408, true), (429, true), (500, true), (503, true)]
    {
        let answer = outgoing.send(Call::get(other.url(&format!("/status/{status}")))).await.expect("an answer");
        assert_eq!((answer.status, answer.may_pass()), (status, may_pass));
    }
}
