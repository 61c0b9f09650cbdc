//! (l) From a push to its build: the forge is told that it is pending, the page
//! shows the first line, and what a job that does nothing takes.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::talk::Tail;
use crate::Setting;
use crate::http::Connection;
use crate::report::{Bar, Findings, Measure};
use crate::stats::{median, milliseconds, percentile};
use crate::yard::Yard;

const PLAN: &str = "[[steps]]\nname = \"say\"\nrun = \"echo ready\"\n";

const BOUNDARY: &str = "between";

/// Jobs that do nothing, in one batch.
const EMPTY: usize = 20;

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let mut yard = Yard::open(setting, PLAN).await?;
    let (mut pending, mut lines) = (Vec::new(), Vec::new());
    for _ in 0..setting.pick(20, 4) {
        let pushed = yard.push().await?;
        let mut tail = Tail::open(yard.holter.process.address, &pushed.job).await?;
        lines.push(milliseconds(tail.until(b"event: log").await?.duration_since(pushed.at)));
        pending.push(milliseconds(yard.told(&pushed.commit, "pending").await?.duration_since(pushed.at)));
        yard.passed(&pushed.job).await?;
        yard.told(&pushed.commit, "success").await?;
    }
    for (what, times, most) in [
        ("a push, until its forge is told \"pending\"", &pending, 200.0),
        ("  until its page has a line", &lines, 1_500.0),
    ] {
        findings.measure(Measure::new(format!("{what}, p95"), percentile(times, 95.0), "ms").bar(Bar::AtMost(most)));
        findings.measure(Measure::new(format!("{what}, median"), median(times), "ms"));
    }
    empty(setting, findings, &mut yard).await?;
    findings.note(
        "times are from sending the hook; the forge and the reader are in this program; the repository is a file, and \
         the first line is what the checkout says",
    );
    yard.close().await
}

/// What a job that does nothing takes, from being taken to being over.
async fn empty(setting: &Setting, findings: &mut Findings, yard: &mut Yard) -> Result<()> {
    let token = yard.holter.token_of(setting, "admin").await?;
    let mut connection = Connection::open(yard.holter.process.address).await?;
    let batch = send_batch(&mut connection, &token, "empty", EMPTY).await?;
    let jobs = ended(yard, &batch).await?;
    let mut times = Vec::new();
    for job in &jobs {
        ensure!(job["result"] == "passed", "a job that does nothing {}", job["result"]);
        times.push((at(job, "finished_at")? - at(job, "started_at")?).as_seconds_f64() * 1_000.0);
    }
    let floor = bare().await?;
    let figure = median(&times);
    findings.measure(
        Measure::new("a job that does nothing, median", figure, "ms")
            .under(floor, figure / floor)
            .bar(Bar::AtMost(50.0)),
    );
    findings.measure(Measure::new("  the longest", percentile(&times, 100.0), "ms"));
    findings
        .note("the ceiling of a job that does nothing is the sandbox alone, which starts a shell that ends at once");
    Ok(())
}

/// Sends so many scripts that end at once; the id of their batch.
pub async fn send_batch(connection: &mut Connection, token: &str, name: &str, files: usize) -> Result<String> {
    let mut form = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n{name}\r\n");
    for number in 0..files {
        form += &format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"n{number}.sh\"\r\n\r\nexit 0\n\r\n"
        );
    }
    form += &format!("--{BOUNDARY}--\r\n");
    let headers =
        format!("authorization: Bearer {token}\r\ncontent-type: multipart/form-data; boundary={BOUNDARY}\r\n");
    let answer = connection.send("POST", "/api/v1/batches", &headers, form.as_bytes()).await?;
    ensure!(answer.status == 201, "a batch is answered {}", String::from_utf8_lossy(answer.body));
    let made: Value = serde_json::from_slice(answer.body)?;
    Ok(made["id"].as_str().context("the batch has no id")?.to_owned())
}

async fn ended(yard: &mut Yard, batch: &str) -> Result<Vec<Value>> {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let now = yard.get(&format!("/api/v1/batches/{batch}")).await?;
        let jobs = now["jobs"].as_array().cloned().unwrap_or_default();
        if !jobs.is_empty() && jobs.iter().all(|job| job["finished_at"].is_string()) {
            return Ok(jobs);
        }
        ensure!(Instant::now() < until, "the batch does not end");
        sleep(Duration::from_millis(100)).await;
    }
}

fn at(job: &Value, field: &str) -> Result<OffsetDateTime> {
    let text = job[field].as_str().with_context(|| format!("a job without {field}"))?;
    Ok(OffsetDateTime::parse(text, &Rfc3339)?)
}

/// How long the sandbox takes for a shell that ends at once.
async fn bare() -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let begin = Instant::now();
        let mut bwrap = Command::new("bwrap");
        bwrap.args(["--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]);
        let status = bwrap.args(["sh", "-c", "exit 0"]).status().await.context("bubblewrap is not installed")?;
        ensure!(status.success(), "bubblewrap does not work here");
        times.push(milliseconds(begin.elapsed()));
    }
    Ok(median(&times))
}
