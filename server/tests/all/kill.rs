//! What was acknowledged survives `kill -9`: every event of it is there, and
//! none is there twice.

use server::store::{Store, StoreUrl};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

const KILLS: usize = 20;
const WRITERS: usize = 8;

struct Program {
    child: Child,
    url: String,
}

fn start(folder: &Path) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_holter"))
        .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(folder)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = lines.next().expect("a line").expect("readable");
    let url = line.strip_prefix("holter listening on ").expect("it says where").to_owned();
    Program { child, url }
}

fn event(setup: usize, id: Uuid, number: u64) -> String {
    format!(
        r#"{{"type":"test.finished","at":"2026-01-01T00:00:00Z","setup":"rig {setup}","run":"r","id":"{id}","suite":["S"],"test":"t{number}","verdict":"passed"}}"#
    )
}

/// Posts until the server dies; remembers what was acknowledged, and sends
/// again what was not, under the same ids.
async fn write(
    client: reqwest::Client,
    url: String,
    setup: usize,
    pending: Arc<Mutex<Vec<(Uuid, u64)>>>,
    acknowledged: Arc<watch::Sender<HashSet<Uuid>>>,
) {
    for _ in 0..20_000 {
        let batch: Vec<_> = {
            let mut pending = pending.lock().expect("whole");
            while pending.len() < 5 {
                let number = u64::from_le_bytes(Uuid::new_v4().as_bytes()[..8].try_into().expect("eight")) % 5_000;
                pending.push((Uuid::new_v4(), number));
            }
            pending.clone()
        };
        let body: Vec<_> = batch.iter().map(|(id, number)| event(setup, *id, *number)).collect();
        let sent = client
            .post(format!("{url}/api/v1/events"))
            .header("content-type", "application/x-ndjson")
            .body(body.join("\n"))
            .send()
            .await;
        let Ok(answer) = sent else { return };
        if answer.status() != 200 {
            continue;
        }
        let Ok(receipt) = answer.json::<serde_json::Value>().await else { return };
        let known = receipt["accepted"].as_u64().expect("a number") + receipt["duplicate"].as_u64().expect("a number");
        assert_eq!(known, 5, "{receipt}");
        acknowledged.send_modify(|known| known.extend(batch.iter().map(|(id, _)| *id)));
        pending.lock().expect("whole").clear();
    }
}

/// What the log says.
#[derive(Default)]
struct Log {
    times: HashMap<Uuid, usize>,
    /// The tests of each setup's one run.
    tests: BTreeMap<String, BTreeSet<String>>,
}

async fn read_log(folder: &Path) -> Log {
    let url = format!("sqlite:{}", folder.join("holter.db").display());
    let store = Store::open(&StoreUrl::parse(&url).expect("a url")).await.expect("it opens");
    let mut log = Log::default();
    let mut after = 0;
    loop {
        let page = store.event_page(after, 5_000).await.expect("readable");
        let Some(last) = page.last() else { break };
        after = last.seq;
        for event in page {
            *log.times.entry(event.event.expect("every event had an id").0).or_default() += 1;
            let said: serde_json::Value = serde_json::from_str(&event.body).expect("JSON");
            let text = |name: &str| said[name].as_str().expect("a text").to_owned();
            log.tests.entry(text("setup")).or_default().insert(text("test"));
        }
    }
    store.close().await;
    log
}

/// How many tests each setup's run has, as a server says that starts once more.
async fn told(folder: &Path) -> BTreeMap<String, u64> {
    let mut program = start(folder);
    let runs = reqwest::get(format!("{}/api/v1/runs?limit=200", program.url)).await.expect("an answer");
    let runs: serde_json::Value = runs.json().await.expect("JSON");
    program.child.kill().expect("killed");
    program.child.wait().expect("gone");
    let runs = runs["items"].as_array().expect("a list").iter();
    let passed = |run: &serde_json::Value| run["counts"]["passed"].as_u64().expect("a number");
    runs.map(|run| (run["setup"].as_str().expect("a name").to_owned(), passed(run))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_event_survives_twenty_kills_and_none_is_there_twice() {
    server::server::provide_cryptography();
    let folder = tempfile::tempdir().expect("a folder");
    let acknowledged = Arc::new(watch::Sender::new(HashSet::new()));
    let pending: Vec<_> = (0..WRITERS).map(|_| Arc::new(Mutex::new(Vec::new()))).collect();
    for kill in 0..KILLS {
        let mut program = start(folder.path());
        let before = acknowledged.borrow().len();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client");
        let writers: Vec<_> = pending
            .iter()
            .enumerate()
            .map(|(setup, pending)| {
                let (client, url) = (client.clone(), program.url.clone());
                tokio::spawn(write(client, url, setup, pending.clone(), acknowledged.clone()))
            })
            .collect();
        // In the middle of the load, each time at another point of it.
        let enough = before + 100 + kill * 37;
        let mut progress = acknowledged.subscribe();
        tokio::time::timeout(Duration::from_secs(60), progress.wait_for(|known| known.len() >= enough))
            .await
            .expect("the server takes events")
            .expect("the sender is here");
        program.child.kill().expect("killed");
        program.child.wait().expect("gone");
        for writer in writers {
            writer.await.expect("no receipt was wrong");
        }
    }
    let told = told(folder.path()).await;
    let Log { times: stored, tests } = read_log(folder.path()).await;
    let acknowledged = acknowledged.borrow();
    let missing = acknowledged.iter().filter(|id| !stored.contains_key(id)).count();
    assert_eq!(missing, 0, "of {} acknowledged events", acknowledged.len());
    assert!(stored.values().all(|times| *times == 1), "an event is there twice");
    let logged: BTreeMap<_, _> = tests.into_iter().map(|(setup, tests)| (setup, tests.len() as u64)).collect();
    assert_eq!(told, logged, "the runs tell what the log tells");
}
