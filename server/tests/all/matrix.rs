//! Every address that the program has, asked by everybody there is. What comes
//! of it stands in `docs/ACCESS.md`; this test writes it when `HOLTER_BLESS` is
//! set, and else holds it against the program.

use crate::harness::{Browser, PASSWORD, TestServer, link_on};
use reqwest::header::{CONNECTION, CONTENT_TYPE, COOKIE, ORIGIN, UPGRADE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use server::config::Reading;
use server::service::tokens::Scope;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is there for everybody, signed in or not: the ways in, and what tells
/// nothing of what was recorded.
const OPEN: &[&str] = &[
    "GET /login",
    "POST /login",
    "GET /login/openid",
    "GET /login/openid/back",
    "GET /logout",
    "POST /logout",
    "GET /welcome",
    "POST /welcome",
    "GET /password-reset",
    "POST /password-reset",
    "GET /health",
    "GET /ready",
    "GET /api/info",
    "GET /art",
    "GET /batches/new",
    "GET /composite/info",
    "GET /mode",
    "GET /ui",
    "GET /ui/",
    "GET /docs",
    "GET /docs/",
    "GET /docs/start.js",
    "GET /docs/swagger-ui-bundle.js",
    "GET /docs/swagger-ui.css",
    "GET /redoc",
    "GET /problems",
    "GET /problems/{slug}",
    "GET /api/v1/openapi.json",
    "GET /listeners",
    "GET /listeners/holter_pytest.py",
    "GET /listeners/holter_robot.py",
];

/// What a viewer may do beside reading: everything about oneself.
const OWN: &[&str] = &["/settings/account/password", "/settings/account/sessions/{id}"];

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

const NOBODY: &str = "00000000-0000-7000-8000-000000000001";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn texts_in(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            texts_in(&path, texts);
        } else {
            texts.push(std::fs::read_to_string(&path).expect("a text"));
        }
    }
}

/// What stands between quotes after a word, with the rest of its line.
fn after<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let found = text.match_indices(word).filter_map(move |(at, _)| text[at + word.len()..].split_once('"'));
    found.map(|(name, rest)| (name, rest.lines().next().unwrap_or_default()))
}

/// Every route: from the document of the public API, from what the front says
/// in code, from the pages and from the server functions.
async fn routes(server: &TestServer) -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    let document = server.get("/api/v1/openapi.json").await.ok();
    for (path, item) in document["paths"].as_object().expect("paths") {
        routes.extend(item.as_object().expect("methods").keys().map(|method| (path.clone(), method.to_uppercase())));
    }
    let mut texts = Vec::new();
    texts_in(&root().join("server/src/http"), &mut texts);
    for (path, rest) in texts.iter().flat_map(|text| after(text, ".route(\"")) {
        for (word, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE")] {
            if rest.contains(word) {
                routes.insert((path.to_owned(), method.to_owned()));
            }
        }
    }
    let shell = std::fs::read_to_string(root().join("app/src/shell.rs")).expect("the pages");
    for (path, _) in after(&shell, "path=path!(\"") {
        let parts: Vec<_> = path
            .split('/')
            .map(|part| part.strip_prefix(':').map_or(part.to_owned(), |name| format!("{{{name}}}")))
            .collect();
        routes.insert((parts.join("/"), "GET".to_owned()));
    }
    let functions = std::fs::read_to_string(root().join("app/src/api.rs")).expect("the server functions");
    routes.extend(after(&functions, "endpoint = \"").map(|(name, _)| (format!("/rpc/{name}"), "POST".to_owned())));
    assert!(routes.len() > 100, "{}", routes.len());
    routes
}

/// Somebody who asks.
struct Asker {
    name: &'static str,
    cookie: Option<String>,
    key: Option<String>,
    token: Option<String>,
}

/// What there is to ask for.
struct World {
    run: String,
    at: String,
}

impl World {
    /// An address with something that is there in the place of its parameters.
    fn address(&self, path: &str, is_reading: bool) -> String {
        let id = if path.contains("/runs/{id}") { &self.run } else { NOBODY };
        let name = match path {
            _ if path.contains("/setups/") => "bench%201",
            _ if path.contains("/settings/notifications") => "none",
            _ if path.contains("/walls/") && !is_reading => "attic",
            _ if path.starts_with("/wall") || path.contains("/walls/") => "lobby",
            _ => "default",
        };
        let parameters = [
            ("{id}", id),
            ("{name}", name),
            ("{setup}", if path.starts_with("/badges") { "bench%201.svg" } else { "1" }),
            ("{project}", if path == "/badges/{project}" { "default.svg" } else { "default" }),
            ("{kind}", "github"),
            ("{pk}", "1"),
            ("{slug}", "busy"),
            ("{test}", "0"),
            ("{act}", "cancel"),
            ("{stance}", "active"),
            ("{file}", DIGEST),
        ];
        let mut address = parameters.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        while let Some((before, rest)) = address.clone().split_once('{') {
            let (_, after) = rest.split_once('}').expect("a parameter");
            address = format!("{before}{NOBODY}{after}");
        }
        address
    }

    /// A body that is well enough formed to come to who asks.
    fn body(&self, path: &str) -> Value {
        match path {
            "/api/v1/events" => json!({"type": "setup.heartbeat", "at": self.at, "setup": "bench 1"}),
            "/api/v1/renames" => json!({"was": NOBODY, "now": NOBODY}),
            "/api/v1/tokens" => json!({"scope": "read"}),
            _ if path.ends_with("/claim") && path.contains("/setups/") => json!({"holder": "ana"}),
            "/rpc/named-wall" => json!({"name": "lobby", "kiosk": null}),
            "/rpc/claim" => json!({"setup": "bench 1", "holder": "ana", "note": null}),
            "/rpc/setup-page" => json!({"name": "bench 1", "cursor": null}),
            "/rpc/run-page" => json!({"run": self.run}),
            "/rpc/test-page" => json!({"test": NOBODY}),
            "/rpc/rename" => json!({"was": NOBODY, "now_is": NOBODY}),
            "/rpc/part" => json!({"was": NOBODY}),
            "/rpc/attempt-texts" => json!({"run": self.run, "test": 0}),
            "/rpc/output-page" => json!({"run": self.run, "test": 0}),
            "/rpc/script" => json!({"script": NOBODY}),
            "/rpc/latest-builds" => json!({"setup": "bench 1"}),
            _ => json!({}),
        }
    }
}

impl Asker {
    fn request(&self, server: &TestServer, client: &Client, world: &World, route: &(String, String)) -> RequestBuilder {
        let (path, method) = route;
        let method: Method = method.parse().expect("a method");
        let mut request = client.request(method.clone(), server.url(&world.address(path, method == Method::GET)));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie).header(ORIGIN, server.url(""));
        }
        if path.starts_with("/ws/") {
            let upgrade = request.header(CONNECTION, "upgrade").header(UPGRADE, "websocket");
            return upgrade
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        }
        if method == Method::GET {
            return request;
        }
        let forms = ["/settings/", "/log", "/batches/", "/builds/", "/jobs/", "/workers/"];
        if forms.iter().any(|form| path.starts_with(form)) {
            let key = self.key.as_deref().unwrap_or_default();
            return request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(format!("key={key}"));
        }
        let request = if path.ends_with("hook") { request.header("x-github-event", "ping") } else { request };
        request.json(&world.body(path))
    }

    /// `yes`, `no`, or `who?` where one has to say who one is. What is let in
    /// may fail for other reasons: it was let in.
    async fn asks(
        &self,
        server: &TestServer,
        client: &Client,
        world: &World,
        route: &(String, String),
    ) -> &'static str {
        // Who waits for something was let in.
        let Ok(answer) =
            tokio::time::timeout(Duration::from_secs(3), self.request(server, client, world, route).send()).await
        else {
            return "yes";
        };
        let answer = answer.expect("an answer");
        match answer.status().as_u16() {
            401 => "who?",
            403 => "no",
            _ => "yes",
        }
    }
}

async fn person(server: &TestServer, admin: &mut Browser<'_>, role: &'static str) -> Asker {
    let page = admin.fill("/settings/people", "/settings/people", &[("name", role), ("role", role)]).await;
    let secret = link_on(&page.text).to_owned();
    let mut browser = Browser::new(server);
    browser.post("/welcome", &[("link", &secret), ("password", PASSWORD)]).await;
    let page = browser.get("/settings/account").await.text;
    let key = page.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    assert!(key.is_some(), "{page}");
    let cookie = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).next();
    Asker { name: role, cookie, key, token: None }
}

async fn askers(server: &TestServer) -> Vec<Asker> {
    let mut admin = server.first_administrator("ana").await;
    let mut askers = vec![Asker { name: "nobody", cookie: None, key: None, token: None }];
    for role in ["viewer", "engineer", "administrator"] {
        askers.push(person(server, &mut admin, role).await);
    }
    for scope in [Scope::Ingest, Scope::Read, Scope::Worker, Scope::Admin] {
        let token = Some(server.token(scope, None, None).await);
        askers.push(Asker { name: scope.as_str(), cookie: None, key: None, token });
    }
    let itself = server.service().itself();
    itself.wall_save("lobby", &Default::default()).await.expect("it may");
    let token = Some(itself.kiosk_link("lobby").await.expect("it may"));
    askers.insert(7, Asker { name: "kiosk", cookie: None, key: None, token });
    askers
}

#[tokio::test]
async fn every_address_is_asked_by_everybody() {
    let server = TestServer::start_with(false, |config| {
        config.auth.read = Reading::Login;
        config.limits.requests_per_second = 0;
        config.compat.setups.insert("1".into(), "bench 1".into());
    })
    .await;
    let ingest = server.token(Scope::Ingest, None, None).await;
    let events = server.rig("bench 1").run("k").fails("y").events();
    server.send(server.events(events.to_string()).bearer_auth(&ingest)).await.ok();
    let admin = server.token(Scope::Admin, None, None).await;
    let found = server.send(server.client.get(server.url("/api/v1/runs")).bearer_auth(&admin)).await.ok();
    let world = World { run: found["items"][0]["id"].as_str().expect("a run").to_owned(), at: server.at(0) };
    let (routes, askers) = (routes(&server).await, askers(&server).await);
    let client = Client::builder().redirect(Policy::none()).build().expect("a client");

    let names: Vec<_> = askers.iter().map(|asker| asker.name).collect();
    let mut table = format!("| address | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    let mut faults = Vec::new();
    for route in &routes {
        let (path, method) = route;
        let line = format!("{method} {path}");
        let is_open = OPEN.contains(&line.as_str()) || path.starts_with("/listeners/");
        let mut said = Vec::new();
        for asker in &askers {
            said.push(if is_open { "yes" } else { asker.asks(&server, &client, &world, route).await });
        }
        let _ = writeln!(table, "| `{line}` | {} |", said.join(" | "));
        if is_open {
            continue;
        }
        if said[0] != "who?" {
            faults.push(format!("{line} lets nobody in particular in: {}", said[0]));
        }
        let is_reading = method == "GET"
            || path.starts_with("/rpc/") && !["/rpc/claim", "/rpc/rename", "/rpc/part"].contains(&&**path);
        if !is_reading && said[1] != "no" && !OWN.contains(&&**path) {
            faults.push(format!("{line} lets a viewer do something: {}", said[1]));
        }
        if said[3] != "yes" {
            faults.push(format!("{line} does not let an administrator in: {}", said[3]));
        }
    }
    server.stop().await;
    let file = root().join("docs/ACCESS.md");
    if std::env::var_os("HOLTER_BLESS").is_some() {
        std::fs::write(&file, format!("{HEAD}{table}")).expect("written");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(
        std::fs::read_to_string(&file).unwrap_or_default(),
        format!("{HEAD}{table}"),
        "HOLTER_BLESS=1 writes it"
    );
}

const HEAD: &str = "# Who may ask for what\n\n\
    Written by a test that asks every address as everybody, on a server with `auth.read = \"login\"`. Columns are nobody \
    in particular, the roles of people, and the scopes of tokens; the kiosk's token is of the wall `lobby`. `who?` is \
    401: say who you are. `no` is 403. With `auth.read = \"open\"` whatever a viewer may read everybody may.\n\n\
    Roles and tokens that are bound to projects or setups reach as far as those: what is beyond is not there.\n\n";
