//! A whole server for a test, and a way to speak to it in the words of the
//! domain: `server.rig("A").run("k").passes(3).flaky("x").fails("y").done()`.
//!
//! Time is moved, not awaited; what has to happen by itself is waited for as a
//! state, with a deadline and a reason ([`eventually`]).

mod browser;
mod rig;
mod sink;
mod smtp;
mod stream;
mod tls;

pub use browser::{Browser, PASSWORD, link_on};
pub use sink::{Received, Sink};
pub use smtp::SmtpSink;
pub use stream::{Frame, Stream};

use app::domain::clock::FakeClock;
use app::domain::time::{Micros, Timestamp};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use server::config::Config;
use server::server::Server;
use server::service::tokens::Scope;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Every answer comes within this.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Nothing in a test takes this long, unless it never comes.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// When tests begin: noon on the first of March.
pub const NOON: &str = "2026-03-01T12:00:00Z";

/// A server on a free port with a store of its own.
pub struct TestServer {
    server: Server,
    folder: TempDir,
    /// Its clock.
    pub clock: Arc<FakeClock>,
    /// Speaks to it.
    pub client: Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body; null where it is not JSON.
    pub json: Value,
    /// Its body as text.
    pub text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a whole body");
        Self { status, headers, json: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
    }

    /// Checks that this is a problem of a type, and hands it on.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["type"], format!("/problems/{slug}"));
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["instance"], self.header("x-request-id"));
        assert!(self.json["title"].is_string() && self.json["detail"].is_string());
        self.json
    }

    /// Checks that this is a success, and hands its value on.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json
    }
}

impl TestServer {
    /// A server that lets everybody write.
    pub async fn start() -> Self {
        Self::start_with(true, |_| {}).await
    }

    /// A server with another configuration.
    pub async fn start_with(dev: bool, change: impl FnOnce(&mut Config)) -> Self {
        server::server::provide_cryptography();
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::default();
        config.listen.set_port(0);
        // Who tests workers starts them.
        config.runner.workers = 0;
        config.move_to(folder.path().to_owned(), false);
        change(&mut config);
        let clock = Arc::new(FakeClock::at(Timestamp::from_rfc3339(NOON).expect("a time")));
        let server = Server::start(&config, dev, clock.clone()).await.expect("it starts");
        Self { server, folder, clock, client: Client::new() }
    }

    /// What it serves.
    pub fn service(&self) -> &server::service::Service {
        &self.server.service
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    /// Moves its clock.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(Micros::from_secs(seconds));
    }

    /// Its time, some seconds from now.
    pub fn at(&self, seconds: i64) -> String {
        (self.service().now() + Micros::from_secs(seconds)).to_rfc3339()
    }

    /// A token of a scope.
    pub async fn token(&self, scope: Scope, setup: Option<&str>, project: Option<&str>) -> String {
        let setup = setup.map(|name| app::domain::name::SetupName::parse(name).expect("a name"));
        let project = project.map(|name| app::domain::name::ProjectName::parse(name).expect("a name"));
        self.service().token_create(scope, setup, project).await.expect("a token")
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(self.url(path))).await
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let address = format!("{} {}", request.method(), request.url());
        let answering = async { Answer::of(client.execute(request).await.expect("an answer")).await };
        // Whoever waits for ever says for what.
        tokio::time::timeout(ANSWERED_WITHIN, answering).await.unwrap_or_else(|_| panic!("no answer to {address}"))
    }

    /// A request that will send events.
    pub fn events(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.client.post(self.url("/api/v1/events"));
        request.header("content-type", "application/json").body(body)
    }

    /// Sends events as JSON.
    pub async fn post(&self, events: &Value) -> Answer {
        self.send(self.events(events.to_string())).await
    }

    /// Speaks as a setup.
    pub fn rig<'a>(&'a self, setup: &'a str) -> rig::Rig<'a> {
        rig::Rig::new(self, setup)
    }

    /// Opens a stream of server-sent events.
    pub async fn open(&self, path: &str) -> Stream {
        self.open_after(path, None).await
    }

    /// Opens a stream where another one broke off.
    pub async fn open_after(&self, path: &str, last: Option<&str>) -> Stream {
        let mut request = self.client.get(self.url(path));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Stream::of(request.send().await.expect("an answer"))
    }

    /// Stops it, and complains if that takes long or something is left.
    pub async fn stop(self) {
        let bus = self.server.service.bus().clone();
        tokio::time::timeout(Duration::from_secs(5), self.server.stop()).await.expect("it stops in time");
        assert_eq!(bus.wall_streams(), 0, "a stream of the wall is left");
    }
}

/// Asks again and again until there is an answer. This is the one place where
/// a test waits for time to pass.
pub async fn eventually<T, F: Future<Output = Option<T>>>(why: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| panic!("waited in vain until {why}"))
}
