//! HTTP/2 as browsers speak it: by TLS, many requests over one connection.

use crate::harness::{PASSWORD, TestServer};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures::StreamExt;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::service::tokens::Scope;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A server that speaks TLS, and a connection to it on which HTTP/2 was agreed.
async fn connected() -> (TestServer, tempfile::TempDir, SendRequest<Body>) {
    let (server, folder, certificate) = TestServer::start_with_tls().await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a certificate");
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(authority(&server)).await.expect("a connection");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (send, talk) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(talk);
    (server, folder, send)
}

fn authority(server: &TestServer) -> String {
    server.url("").trim_start_matches("http://").to_owned()
}

fn request(server: &TestServer, method: &str, path: &str) -> axum::http::request::Builder {
    // No `Host`: the address says it.
    Request::builder().method(method).uri(format!("https://{}{path}", authority(server)))
}

#[tokio::test]
async fn a_form_signs_in_and_a_stream_is_read_over_one_connection() {
    let (server, _folder, mut send) = connected().await;
    let path = server.service().first_link().await.expect("it can").expect("nobody is there");
    let secret = path.split_once("link=").expect("a link").1.to_owned();
    let body = format!("link={secret}&name=ana&password={}", PASSWORD.replace(' ', "+"));
    let post = |origin: &str| {
        request(&server, "POST", "/welcome")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin)
            .body(Body::from(body.clone()))
            .expect("a request")
    };
    let foreign = send.send_request(post("https://evil.example")).await.expect("an answer");
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "the host of the address is compared");
    let own = format!("https://{}", authority(&server));
    let entered = send.send_request(post(&own)).await.expect("an answer");
    assert_eq!((entered.status(), entered.version()), (StatusCode::SEE_OTHER, axum::http::Version::HTTP_2));
    let cookie = entered.headers()[header::SET_COOKIE].to_str().expect("text");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();

    let get = |path: &str| {
        request(&server, "GET", path).header(header::COOKIE, &cookie).body(Body::empty()).expect("a request")
    };
    let live = send.send_request(get("/live/wall")).await.expect("a stream");
    assert_eq!(live.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut frames = Body::new(live.into_body()).into_data_stream();
    frames.next().await.expect("a frame").expect("bytes");
    // The stream stays open beside other requests of the connection.
    let token = server.token(Scope::Ingest, None, None).await;
    let event = serde_json::json!({"type": "setup.heartbeat", "at": server.at(0), "setup": "by h2"}).to_string();
    let sent = request(&server, "POST", "/api/v1/events").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let sent = sent.header(header::CONTENT_TYPE, "application/json").body(Body::from(event)).expect("a request");
    assert_eq!(send.send_request(sent).await.expect("an answer").status(), StatusCode::OK);
    let mut told = String::new();
    while !told.contains("by h2") {
        told.push_str(&String::from_utf8_lossy(&frames.next().await.expect("a frame").expect("bytes")));
    }
    let account = send.send_request(get("/settings/account")).await.expect("an answer");
    assert_eq!(account.status(), StatusCode::OK);
    drop(frames);
    server.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_in_words() {
    let (server, _folder, mut send) = connected().await;
    let token = server.token(Scope::Ingest, None, None).await;
    let pieces = futures::stream::iter((0..16).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1 << 20])));
    let sent = request(&server, "POST", "/api/v1/events").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let sent = sent.header(header::CONTENT_TYPE, "application/json").body(Body::from_stream(pieces));
    let answer = send.send_request(sent.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let body = axum::body::to_bytes(Body::new(answer.into_body()), 1 << 16).await.expect("whole");
    assert!(String::from_utf8_lossy(&body).contains("at most 8 MiB"));
    server.stop().await;
}
