//! (h) The traffic of ReportPortal's agent for Robot Framework, one request
//! after another as it waits for each: how long an answer takes, and how much
//! longer a suite takes than against a server that answers without thinking.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::Connection;
use crate::process::Process;
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::stats::{median, milliseconds, percentile};
use crate::{Setting, ceiling};

/// Tests of a suite, and what is told of each.
const TESTS: usize = 12;
const KEYWORDS: usize = 4;

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start(setting).await?;
    let stub = ceiling::start().await?;
    let (mut own, mut bare, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..setting.pick(40, 10) {
        for is_own in [pair % 2 == 0, pair % 2 == 1] {
            let (process, token) = if is_own { (&holter.process, Some(holter.token())) } else { (&stub, None) };
            let told = suite(process, token, pair).await?;
            if is_own {
                own.push(told.iter().sum());
                latencies.extend(told);
            } else {
                bare.push(told.iter().sum::<f64>());
            }
        }
    }
    let ratios: Vec<_> = own.iter().zip(&bare).map(|(own, bare): (&f64, &f64)| own / bare).collect();
    findings.measure(Measure::new("an agent's request, p99", percentile(&latencies, 99.0), "ms").bar(Bar::AtMost(3.0)));
    findings.measure(Measure::new("  p50", percentile(&latencies, 50.0), "ms"));
    let requests = latencies.len() / own.len().max(1);
    findings.measure(
        Measure::new(format!("a suite of {TESTS} tests, {requests} requests, waiting alone"), median(&own), "ms")
            .under(median(&bare), median(&ratios)),
    );
    findings.note(
        "the agent waits for each answer before it sends the next request; the stub answers the same shapes and keeps \
         nothing. A real suite spends time of its own between requests, which is the same against both",
    );
    stub.stop().await?;
    holter.stop().await?;
    Ok(())
}

/// Plays a suite; gives how long each answer took, in milliseconds.
async fn suite(process: &Process, token: Option<&str>, number: usize) -> Result<Vec<f64>> {
    let mut agent = Agent::open(process, token).await?;
    let launch = agent.say("POST", "launch", &json!({"name": "bench", "startTime": now(), "mode": "DEFAULT"})).await?;
    let named =
        |kind: &str, name: String| json!({"name": name, "type": kind, "launchUuid": launch, "startTime": now()});
    let ended = |status: &str| json!({"launchUuid": launch, "endTime": now(), "status": status});
    let root = agent.say("POST", "item", &named("SUITE", format!("Suite {number}"))).await?;
    for test in 0..TESTS {
        let item = agent.say("POST", &format!("item/{root}"), &named("STEP", format!("Test {test}"))).await?;
        for keyword in 0..KEYWORDS {
            let mut step = named("STEP", format!("Keyword {keyword}"));
            step["hasStats"] = false.into();
            let step = agent.say("POST", &format!("item/{item}"), &step).await?;
            let line =
                json!({"launchUuid": launch, "itemUuid": step, "time": now(), "level": "INFO", "message": "done"});
            agent.say("POST", "log", &line).await?;
            agent.say("PUT", &format!("item/{step}"), &ended("PASSED")).await?;
        }
        agent.say("PUT", &format!("item/{item}"), &ended("PASSED")).await?;
    }
    agent.say("PUT", &format!("item/{root}"), &ended("PASSED")).await?;
    agent.say("PUT", &format!("launch/{launch}/finish"), &json!({"endTime": now()})).await?;
    Ok(agent.latencies)
}

fn now() -> i64 {
    (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}

struct Agent {
    connection: Connection,
    headers: String,
    latencies: Vec<f64>,
}

impl Agent {
    async fn open(process: &Process, token: Option<&str>) -> Result<Self> {
        let headers = token.map(|token| format!("authorization: bearer {token}\r\n")).unwrap_or_default();
        Ok(Self { connection: Connection::open(process.address).await?, headers, latencies: Vec::new() })
    }

    /// Sends a request and waits; gives the id in the answer.
    async fn say(&mut self, method: &str, path: &str, body: &Value) -> Result<String> {
        let body = body.to_string();
        let request = format!(
            "{method} /api/v1/bench/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{}\
             content-length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        );
        let start = Instant::now();
        let answer = self.connection.exchange_in_time(request.as_bytes()).await?;
        let took = milliseconds(start.elapsed());
        ensure!(matches!(answer.status, 200 | 201), "{method} {path}: {}", String::from_utf8_lossy(answer.body));
        let told: Value = serde_json::from_slice(answer.body).context("the answer is not JSON")?;
        self.latencies.push(took);
        Ok(told["id"].as_str().unwrap_or_default().to_owned())
    }
}
