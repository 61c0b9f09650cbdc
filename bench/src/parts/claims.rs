//! (m) Taking a job from a long queue.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::builds::send_batch;
use crate::Setting;
use crate::http::Connection;
use crate::report::{Bar, Findings, Measure};
use crate::server::{Server, Way};
use crate::stats::{median, milliseconds, percentile};

/// Jobs of a batch: each job knows all files of its batch.
const EACH: usize = 20;

/// The program's own worker would take some.
const CONFIG: &str = "[runner]\nworkers = 0\n";

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start_as(setting, Way { config: CONFIG, ..Way::default() }).await?;
    let admin = holter.token_of(setting, "admin").await?;
    let mut connection = Connection::open(holter.process.address).await?;
    let queued = setting.pick(10_000, 1_000);
    for batch in 0..queued / EACH {
        send_batch(&mut connection, &admin, &format!("batch {batch}"), EACH).await?;
    }
    let mut worker = Worker::start(setting, &holter).await?;
    let (mut claims, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..setting.pick(1_000, 100) {
        let (claimed, ended) = worker.job().await?;
        claims.push(milliseconds(claimed));
        ends.push(milliseconds(ended));
    }
    let from = format!("taking a job from {queued}");
    findings.measure(Measure::new(format!("{from}, p99"), percentile(&claims, 99.0), "ms").bar(Bar::AtMost(10.0)));
    findings.measure(Measure::new("  median", median(&claims), "ms"));
    findings.measure(Measure::new("  saying that it is done, p99", percentile(&ends, 99.0), "ms"));
    findings.note(
        "one worker takes a job and says that it is done, one after the other, on SQLite; each answer names 20 files",
    );
    holter.stop().await?;
    Ok(())
}

/// A worker that does nothing with its jobs.
struct Worker {
    connection: Connection,
    headers: String,
    id: String,
    instance: Uuid,
}

impl Worker {
    async fn start(setting: &Setting, holter: &Server) -> Result<Self> {
        let token = holter.token_of(setting, "worker").await?;
        let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
        let connection = Connection::open(holter.process.address).await?;
        let mut worker = Self { connection, headers, id: String::new(), instance: Uuid::new_v4() };
        let hello = json!({"name": "bench", "instance": worker.instance, "slots": 1});
        let (welcome, _) = worker.say("/api/v1/work/workers", &hello).await?;
        worker.id = welcome["id"].as_str().context("the worker is given no id")?.to_owned();
        Ok(worker)
    }

    /// Takes a job and ends it; how long each took.
    async fn job(&mut self) -> Result<(Duration, Duration)> {
        let claim = json!({"worker": self.id, "instance": self.instance, "wait_seconds": 0});
        let (order, claimed) = self.say("/api/v1/work/claim", &claim).await?;
        let job = order["job"].as_str().context("there is no job")?;
        let done = json!({"worker": self.id, "attempt": order["attempt"], "result": "passed"});
        let (_, ended) = self.say(&format!("/api/v1/work/jobs/{job}/finish"), &done).await?;
        Ok((claimed, ended))
    }

    async fn say(&mut self, path: &str, body: &Value) -> Result<(Value, Duration)> {
        let begin = Instant::now();
        let answer = self.connection.send("POST", path, &self.headers, body.to_string().as_bytes()).await?;
        let took = begin.elapsed();
        ensure!(matches!(answer.status, 200 | 204), "{path}: {}", String::from_utf8_lossy(answer.body));
        Ok((serde_json::from_slice(answer.body).unwrap_or_default(), took))
    }
}
