//! Recorded traffic of ReportPortal's agents, replayed: every answer has the
//! recorded status, and the run is the one that the requests tell of.
//!
//! The recordings are not part of the project; `HOLTER_TRAFFIC` names their
//! folder. What they must come to is worked out here anew from the requests
//! alone, by the rules that ReportPortal's documents state: an item counts where
//! it is of a kind that counts, has statistics, and has no items with
//! statistics inside it.

use crate::harness::TestServer;
use app::domain::suite::NAME_KEPT;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// A request of a recording with its answer.
struct Exchange(Value);

impl Exchange {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    fn status(&self) -> u64 {
        self.0["response"]["status"].as_u64().expect("a status")
    }

    /// The body as it was on the wire.
    fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = self.0["body_raw_b64"].as_str() {
            return BASE64_STANDARD.decode(raw).expect("base64");
        }
        match (&self.0["body"], self.0["body_text"].as_str()) {
            (Value::Null, Some(text)) => text.as_bytes().to_vec(),
            (Value::Null, None) => Vec::new(),
            (body, _) => body.to_string().into_bytes(),
        }
    }

    /// The parts of the address after the project: `item/…`, `launch/…`.
    fn place(&self) -> Vec<&str> {
        let path = self.text("path").split('?').next().unwrap_or_default();
        path.split('/').filter(|part| !part.is_empty()).skip(3).collect()
    }

    /// Its log lines, and how many files came with them.
    fn lines(&self) -> (usize, usize) {
        let Some(parts) = self.0["multipart"].as_array() else {
            return (self.0["body"].as_array().map_or(1, Vec::len), 0);
        };
        let of_lines = parts.iter().find(|part| part["name"] == "json_request_part").expect("lines");
        (of_lines["json"].as_array().expect("a list").len(), parts.len() - 1)
    }
}

fn recordings() -> Option<Vec<PathBuf>> {
    #[allow(clippy::disallowed_methods, reason = "the test run says where the recordings are")]
    let Ok(folder) = std::env::var("HOLTER_TRAFFIC") else {
        eprintln!("HOLTER_TRAFFIC is not set: recordings are left out");
        return None;
    };
    let mut found = Vec::new();
    let folder = Path::new(&folder).join("reportportal");
    for folder in [folder.clone(), folder.join("synthetic")] {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let files = entries.map(|entry| entry.expect("listed").path());
        found.extend(files.filter(|path| path.extension().is_some_and(|kind| kind == "jsonl")));
    }
    found.sort();
    Some(found)
}

/// Replays a recording. Ids in it are those that another server gave; each is
/// replaced by ours, which is as long.
async fn replay(server: &TestServer, exchanges: &[Exchange]) -> Vec<String> {
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut faults = Vec::new();
    for exchange in exchanges {
        let path = String::from_utf8(replaced(exchange.text("path").as_bytes(), &ids)).expect("text");
        let path = path.split('/').map(|part| ids.get(part).map_or(part, |ours| ours)).collect::<Vec<_>>().join("/");
        let mut body = replaced(&exchange.bytes(), &ids);
        if let Some(launches) = exchange.0["body"]["launches"].as_array() {
            let mut merge = exchange.0["body"].clone();
            let ours = |theirs: &Value| ids[&theirs.to_string()].parse::<u64>().expect("a number");
            merge["launches"] = launches.iter().map(ours).collect();
            body = merge.to_string().into_bytes();
        }
        let method = Method::from_bytes(exchange.text("method").as_bytes()).expect("a method");
        let mut request = server.client.request(method, server.url(&path)).body(body);
        let headers = exchange.0["headers"].as_array().expect("headers");
        for header in headers {
            let [name, value] = [&header[0], &header[1]].map(|text| text.as_str().unwrap_or_default());
            let name = name.to_ascii_lowercase();
            if ["content-type", "authorization", "accept", "user-agent"].contains(&&*name) {
                request = request.header(name, value);
            }
        }
        let answer = server.send(request).await;
        if u64::from(answer.status) != exchange.status() {
            let said = format!("{} {}", exchange.text("method"), exchange.text("path"));
            faults.push(format!("{said}: {} instead of {}: {}", answer.status, exchange.status(), answer.text));
        }
        learn(&mut ids, &exchange.0["response"]["body"], &answer.json);
    }
    faults
}

fn learn(ids: &mut HashMap<String, String>, theirs: &Value, ours: &Value) {
    match (&theirs["id"], &ours["id"]) {
        (Value::String(theirs), Value::String(ours)) if theirs.len() == ours.len() => {
            ids.insert(theirs.clone(), ours.clone());
        }
        // Resources have numbers too.
        (Value::Number(theirs), Value::Number(ours)) => {
            ids.insert(theirs.to_string(), ours.to_string());
        }
        _ => {}
    }
    let content = |value: &Value| value["content"].as_array().cloned().unwrap_or_default();
    content(theirs).iter().zip(&content(ours)).for_each(|(theirs, ours)| learn(ids, theirs, ours));
    let responses = |value: &Value| value["responses"].as_array().cloned().unwrap_or_default();
    responses(theirs).iter().zip(&responses(ours)).for_each(|(theirs, ours)| learn(ids, theirs, ours));
}

/// Bytes with our ids in the place of theirs, wherever something like one stands.
fn replaced(bytes: &[u8], ids: &HashMap<String, String>) -> Vec<u8> {
    const LENGTH: usize = 36;
    let mut out = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(LENGTH - 1) {
        let window = &bytes[at..at + LENGTH];
        if [8, 13, 18, 23].iter().any(|dash| window[*dash] != b'-') {
            continue;
        }
        if let Some(ours) = std::str::from_utf8(window).ok().and_then(|theirs| ids.get(theirs)) {
            out[at..at + LENGTH].copy_from_slice(ours.as_bytes());
        }
    }
    out
}

/// An item as the requests tell of it.
#[derive(Default)]
struct Item {
    name: String,
    parent: Option<String>,
    counts: bool,
    is_group: bool,
    is_retry: bool,
    retry_of: Option<String>,
    is_step: bool,
    launch: String,
    status: Option<String>,
}

/// What a recording tells of.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// Attempts at tests by path, and the status of each in its order.
    tests: BTreeMap<String, Vec<String>>,
    lines: usize,
    files: usize,
}

fn told(exchanges: &[Exchange]) -> Told {
    let mut items: HashMap<String, Item> = HashMap::new();
    let mut order = Vec::new();
    let mut told = Told::default();
    for exchange in exchanges {
        let (method, place, body) = (exchange.text("method"), exchange.place(), &exchange.0["body"]);
        match (method, place.as_slice()) {
            ("POST", ["item", above @ ..]) => {
                let id = exchange.0["response"]["body"]["id"].as_str().expect("an id").to_owned();
                if !items.contains_key(&id) {
                    order.push(id.clone());
                }
                items.entry(id).or_insert_with(|| begun(body, above.first().map(|id| (*id).to_owned())));
            }
            ("PUT", ["item", id]) => {
                let status = body["status"].as_str().map(str::to_lowercase);
                let Some(item) = items.get_mut(*id) else { continue };
                item.status = status.or(item.status.take());
            }
            ("POST", ["log", ..]) => {
                let (lines, files) = exchange.lines();
                (told.lines, told.files) = (told.lines + lines, told.files + files);
            }
            _ => {}
        }
    }
    let mut launches: Vec<String> = Vec::new();
    for id in &order {
        let item = &items[id];
        let has_inside = items.values().any(|other| other.counts && other.parent.as_ref() == Some(id));
        let inside_test = item.parent.as_ref().is_some_and(|above| is_leaf_kind(&items, above));
        // What may be a suite is a test by its end alone.
        let is_undecided = item.status.is_none() && !item.is_step;
        if !item.counts || item.is_group || has_inside || inside_test || is_undecided {
            continue;
        }
        if !launches.contains(&item.launch) {
            launches.push(item.launch.clone());
        }
        let number = launches.iter().position(|launch| *launch == item.launch).expect("is there");
        let path = format!("{number}:{}", path_of(&items, id));
        let status = item.status.clone().unwrap_or_else(|| "none".into());
        let base = item.retry_of.as_ref();
        let base = base.map_or(path.clone(), |before| format!("{number}:{}", path_of(&items, before)));
        if item.is_retry || item.retry_of.is_some() {
            told.tests.entry(base).or_default().push(status);
        } else {
            // Another test of the same name, unless the launch was run again.
            let mut name = path.clone();
            let mut number = 2;
            while told.tests.contains_key(&name) && !is_rerun(exchanges) {
                name = format!("{path} ({number})");
                number += 1;
            }
            told.tests.entry(name).or_default().push(status);
        }
    }
    told
}

fn is_rerun(exchanges: &[Exchange]) -> bool {
    exchanges.iter().any(|exchange| exchange.0["body"]["rerun"] == true)
}

fn begun(body: &Value, parent: Option<String>) -> Item {
    let kind = body["type"].as_str().unwrap_or_default().to_lowercase();
    let is_fixture = kind.starts_with("before_") || kind.starts_with("after_");
    Item {
        name: body["name"].as_str().unwrap_or_default().trim().chars().take(NAME_KEPT).collect(),
        parent,
        counts: body["hasStats"] != false && !is_fixture,
        is_group: ["suite", "story"].contains(&&*kind),
        is_retry: body["retry"] == true,
        retry_of: ["retryOf", "retry_of"].iter().find_map(|name| Some(body[*name].as_str()?.to_owned())),
        is_step: kind == "step",
        launch: body["launchUuid"].as_str().unwrap_or_default().to_owned(),
        status: None,
    }
}

/// A step is a test, and what is inside it is none.
fn is_leaf_kind(items: &HashMap<String, Item>, id: &str) -> bool {
    items.get(id).is_some_and(|item| !item.counts)
}

fn path_of(items: &HashMap<String, Item>, id: &str) -> String {
    let item = &items[id];
    match item.parent.as_ref().filter(|above| items.contains_key(*above)) {
        Some(above) => format!("{}/{}", path_of(items, above), item.name),
        None => item.name.clone(),
    }
}

/// What the server made of it.
async fn made(server: &TestServer) -> Told {
    let mut made = Told::default();
    let runs = server.get("/api/v1/runs?limit=100").await.ok();
    for (launch, run) in runs["items"].as_array().expect("runs").iter().rev().enumerate() {
        let id = run["id"].as_str().expect("an id");
        let framework = server.get(&format!("/api/v1/runs/{id}")).await.ok()["framework"].clone();
        let is_robot = framework.as_str().is_some_and(|framework| framework.starts_with("robot"));
        let tests = server.get(&format!("/api/v1/runs/{id}/tests?limit=500")).await.ok();
        for test in tests["items"].as_array().expect("tests") {
            let suite = test["suite"].as_array().expect("a suite");
            // The launch is the root of all suites, except with Robot Framework.
            let suite = suite.iter().skip(usize::from(!is_robot)).map(|name| name.as_str().expect("a name"));
            let mut path: Vec<_> = suite.map(str::to_owned).collect();
            let name = test["name"].as_str().expect("a name");
            let number = test["parameters"].as_str().filter(|text| text.starts_with('(') || text.contains(" ("));
            let number = number.map(|text| format!(" {}", &text[text.rfind('(').expect("is there")..]));
            path.push(format!("{name}{}", number.unwrap_or_default()));
            let attempts = test["attempts"].as_array().expect("attempts");
            let verdicts = attempts.iter().map(|one| one["verdict"].as_str().unwrap_or("none").to_owned());
            made.tests.insert(format!("{launch}:{}", path.join("/")), verdicts.collect());
        }
        made.lines += lines(server, id).await;
        let files = server.get(&format!("/api/v1/runs/{id}/attachments")).await.ok();
        let files = files["items"].as_array().expect("files").clone();
        for file in &files {
            let content = server.client.get(server.url(file["url"].as_str().expect("an address"))).send().await;
            let content = content.expect("an answer").bytes().await.expect("a body");
            assert_eq!(file["size"].as_u64(), Some(content.len() as u64), "{file}");
        }
        made.files += files.len();
    }
    made
}

async fn lines(server: &TestServer, run: &str) -> usize {
    let (mut count, mut cursor) = (0, "0".to_owned());
    loop {
        let page = server.get(&format!("/api/v1/runs/{run}/log?limit=500&cursor={cursor}")).await.ok();
        count += page["items"].as_array().expect("lines").iter().filter(|line| line["type"] == "log").count();
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return count,
        }
    }
}

/// The statuses of a recording in our words.
fn verdict(status: &str) -> &str {
    match status {
        "info" => "passed",
        "warn" => "warned",
        "error" => "errored",
        "stopped" | "interrupted" => "cancelled",
        other => other,
    }
}

#[tokio::test]
async fn every_recording_is_answered_as_it_was_and_makes_the_run_it_tells_of() {
    let Some(recordings) = recordings() else { return };
    assert!(recordings.len() >= 29, "{} recordings", recordings.len());
    // Most of the time goes by waiting for a disk.
    let all = futures::stream::iter(recordings).map(try_one).buffer_unordered(8);
    let faults = all.collect::<Vec<_>>().await.concat();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

async fn try_one(recording: PathBuf) -> Vec<String> {
    let name = recording.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(recording).expect("readable");
    let exchanges: Vec<_> = text.lines().map(|line| Exchange(serde_json::from_str(line).expect("JSON"))).collect();
    let server = TestServer::start().await;
    let mut faults = replay(&server, &exchanges).await;
    let mut told = told(&exchanges);
    told.tests.values_mut().flatten().for_each(|status| *status = verdict(status).to_owned());
    let made = made(&server).await;
    let (requests, tests) = (exchanges.len(), made.tests.len());
    eprintln!("{name}: {requests} requests, {tests} tests, {} lines, {} files", made.lines, made.files);
    if made != told {
        faults.push(format!("made {made:#?}\ninstead of {told:#?}"));
    }
    server.stop().await;
    faults.into_iter().map(|fault| format!("{name}: {fault}")).collect()
}
