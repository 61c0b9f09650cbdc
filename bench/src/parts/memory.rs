//! (f) Memory: at rest, and with a million results stored.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::sleep;

use crate::Setting;
use crate::http::Connection;
use crate::load::{Target, drain};
use crate::process::Memory;
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::story::{Story, TESTS, setup_name};

const SETUPS: usize = 200;
const CONNECTIONS: usize = 4;

/// Finished runs in one post.
const RUNS_A_POST: u32 = 10;

const REST: Duration = Duration::from_secs(10);
const MIB: f64 = 1_024.0;

/// Runs of one setup begin this far apart.
const RUN_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start(setting).await?;
    sleep(REST).await;
    let rest = holter.process.memory()?;
    findings.measure(memory("memory at rest", rest).bar(Bar::AtMost(40.0)));
    let runs = setting.pick(50, 5);
    let events = fill(&holter, runs).await?;
    let filled = holter.process.memory()?;
    let mut connection = Connection::open(holter.process.address).await?;
    for path in ["/".to_owned(), run_page(&mut connection).await?] {
        let answer = connection.get(&path, "gzip, deflate, br").await?;
        ensure!(answer.status == 200, "{path} answers {}", answer.status);
    }
    sleep(setting.pick(REST, Duration::from_secs(2))).await;
    let full = holter.process.memory()?;
    let results = SETUPS as u32 * runs * TESTS;
    findings.measure(memory(&format!("memory with {results} results"), full).bar(Bar::AtMost(120.0)));
    findings.measure(memory("  right after the last post", filled));
    findings.measure(Measure::new("  the most that ever was", full.peak / MIB, "MiB"));
    findings.measure(Measure::new("  of it no file behind", full.anonymous / MIB, "MiB"));
    findings.measure(Measure::new("  history taken in", events, "events/s"));
    let remains = holter.stop().await?;
    let size = std::fs::metadata(remains.database())?.len() as f64;
    findings.measure(Measure::new("  database file a result", size / f64::from(results), "bytes"));
    findings.note(format!(
        "{SETUPS} setups with {runs} finished runs of {TESTS} tests each; VmRSS; one load of / and of a run"
    ));
    Ok(())
}

fn memory(what: &str, memory: Memory) -> Measure {
    Measure::new(what, memory.resident / MIB, "MiB")
}

/// Posts history, a part of the setups at a time so that the requests which
/// are made in advance stay small; events a second.
async fn fill(holter: &Server, runs: u32) -> Result<f64> {
    let target = holter.target().trusted();
    let (mut events, mut seconds) = (0, 0.0);
    let numbers: Vec<_> = (0..SETUPS).collect();
    for some in numbers.chunks(5 * CONNECTIONS) {
        let mut queues = vec![Vec::new(); CONNECTIONS];
        for number in some {
            queues[number % CONNECTIONS].extend(history(&target, *number, runs));
        }
        let round = drain(&target, queues).await?;
        events += round.events;
        seconds += round.seconds;
    }
    let expected = SETUPS as u64 * u64::from(runs * Story::RUN_EVENTS);
    ensure!(events == expected, "{events} of {expected} events were taken");
    Ok(events as f64 / seconds)
}

fn history(target: &Target, number: usize, runs: u32) -> Vec<Vec<u8>> {
    let mut story = Story::new(setup_name(number), "history");
    let first = OffsetDateTime::now_utc() - RUN_EVERY * (runs + 1);
    let posts = (0..runs).step_by(RUNS_A_POST as usize);
    let post = |begin: u32| {
        let mut body = Vec::new();
        for run in begin..(begin + RUNS_A_POST).min(runs) {
            story.tell_run(first + RUN_EVERY * run, Duration::from_secs(20), &mut body);
        }
        target.request("application/x-ndjson", &body)
    };
    posts.map(post).collect()
}

/// The page of the newest run.
async fn run_page(connection: &mut Connection) -> Result<String> {
    let answer = connection.get("/api/v1/runs?limit=1", "").await?;
    let list: Value = serde_json::from_slice(answer.body).context("the list of runs is no JSON")?;
    let id = list["items"][0]["id"].as_str().context("there is no run")?;
    Ok(format!("/runs/{id}"))
}
