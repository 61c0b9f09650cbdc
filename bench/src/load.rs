//! The load: closed loops, which ask as fast as they are answered; open loops,
//! which ask at a given rate whatever the answers do; and a given amount of work.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::http::Connection;
use crate::story::{self, Story};

/// Longer than any round takes on any machine that is worth measuring.
const ROUND_WITHIN: Duration = Duration::from_secs(300);

/// Where events go.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    headers: String,
    /// Shared by all copies.
    taken: Arc<AtomicU64>,
}

/// What came of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// Requests answered.
    pub requests: u64,
    /// Events taken.
    pub events: u64,
    /// How long it took.
    pub seconds: f64,
    /// How long each answer took, in milliseconds.
    pub latencies: Vec<f64>,
}

#[derive(Debug, Deserialize)]
struct Receipt {
    accepted: u64,
    duplicate: u64,
    rejected: Vec<serde_json::Value>,
}

impl Round {
    /// Requests a second.
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Events a second.
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.events += other.events;
        self.latencies.extend(other.latencies);
    }
}

impl Target {
    /// A server, with a token where it wants one.
    pub fn new(address: SocketAddr, token: Option<&str>) -> Self {
        let headers = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        Self { address, headers, taken: Arc::default() }
    }

    /// The same, for history: the times in events stand as they are.
    pub fn trusted(mut self) -> Self {
        self.headers.push_str("holter-clock: trusted\r\n");
        self
    }

    /// A whole request with `body`.
    pub fn request(&self, kind: &str, body: &[u8]) -> Vec<u8> {
        let mut request = format!(
            "POST /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n{}content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            self.headers,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        request
    }

    /// A request with the next event of a story.
    fn single(&self, story: &mut Story, body: &mut Vec<u8>) -> Vec<u8> {
        body.clear();
        story.tell(&story::now(), body);
        self.request("application/json", body)
    }

    /// A request with the next events of a story.
    pub fn batch(&self, story: &mut Story, events: usize) -> Vec<u8> {
        let mut body = Vec::with_capacity(events * 320);
        let now = story::now();
        for _ in 0..events {
            story.tell(&now, &mut body);
            body.push(b'\n');
        }
        self.request("application/x-ndjson", &body)
    }

    /// Posts a request; all of its events must be new and taken.
    pub async fn post(&self, connection: &mut Connection, request: &[u8]) -> Result<u64> {
        let answer = connection.exchange(request).await?;
        if answer.status != 200 {
            bail!("the server answers {}: {}", answer.status, String::from_utf8_lossy(answer.body));
        }
        let receipt: Receipt = serde_json::from_slice(answer.body).context("the answer is no receipt")?;
        ensure!(receipt.rejected.is_empty(), "an event was rejected: {}", receipt.rejected[0]);
        ensure!(receipt.duplicate == 0, "an event was taken for a repeat");
        self.taken.fetch_add(receipt.accepted, Ordering::Relaxed);
        Ok(receipt.accepted)
    }

    /// Events taken so far, from everyone who has a copy of this target: for
    /// load that is dropped before it ends.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// One connection a story, one event a request, each sent when the one before
/// is answered. What happens while it warms up is not counted.
pub async fn closed_loop(target: &Target, stories: Vec<Story>, warm: Duration, measured: Duration) -> Result<Round> {
    let from = Instant::now() + warm;
    let until = from + measured;
    let mut tasks = JoinSet::new();
    for mut story in stories {
        let target = target.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(target.address).await?;
            let (mut round, mut body) = (Round::default(), Vec::with_capacity(1 << 10));
            loop {
                let request = target.single(&mut story, &mut body);
                let sent = Instant::now();
                let taken = target.post(&mut connection, &request).await?;
                let answered = Instant::now();
                if answered >= until {
                    return anyhow::Ok(round);
                }
                if answered >= from {
                    round.requests += 1;
                    round.events += taken;
                    round.latencies.push((answered - sent).as_secs_f64() * 1_000.0);
                }
            }
        });
    }
    joined(tasks, measured.as_secs_f64()).await
}

/// `rate` requests of `events` events a second in all, evenly over the stories.
/// Times count from when a request was due, so one that had to wait for a late
/// answer is late itself.
pub async fn open_loop(
    target: &Target,
    stories: Vec<Story>,
    events: usize,
    rate: f64,
    lasting: Duration,
) -> Result<Round> {
    let (begin, each) = (Instant::now() + Duration::from_millis(50), stories.len() as f64 / rate);
    let mut tasks = JoinSet::new();
    for (number, mut story) in stories.into_iter().enumerate() {
        let target = target.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(target.address).await?;
            let (mut round, mut body) = (Round::default(), Vec::with_capacity(1 << 10));
            for turn in 0.. {
                let after = Duration::from_secs_f64(number as f64 / rate + f64::from(turn) * each);
                if after >= lasting {
                    break;
                }
                sleep_until(begin + after).await;
                let request =
                    if events == 1 { target.single(&mut story, &mut body) } else { target.batch(&mut story, events) };
                round.events += target.post(&mut connection, &request).await?;
                round.requests += 1;
                round.latencies.push((begin + after).elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(round)
        });
    }
    let round = joined(tasks, 1.0).await?;
    Ok(Round { seconds: begin.elapsed().as_secs_f64(), ..round })
}

/// Sends requests that are made already: a queue a connection, each in order.
pub async fn drain(target: &Target, queues: Vec<Vec<Vec<u8>>>) -> Result<Round> {
    let mut ready = Vec::new();
    for queue in queues {
        ready.push((Connection::open(target.address).await?, queue));
    }
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for (mut connection, queue) in ready {
        let target = target.clone();
        tasks.spawn(async move {
            let mut round = Round::default();
            for request in queue {
                let sent = Instant::now();
                round.events += target.post(&mut connection, &request).await?;
                round.requests += 1;
                round.latencies.push(sent.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(round)
        });
    }
    let round = joined(tasks, 1.0).await?;
    Ok(Round { seconds: begin.elapsed().as_secs_f64(), ..round })
}

async fn joined(mut tasks: JoinSet<Result<Round>>, seconds: f64) -> Result<Round> {
    let mut whole = Round { seconds, ..Round::default() };
    let all = async {
        while let Some(round) = tasks.join_next().await {
            whole.add(round??);
        }
        anyhow::Ok(())
    };
    timeout(ROUND_WITHIN, all).await.context("the round does not end")??;
    Ok(whole)
}
