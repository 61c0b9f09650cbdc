//! (d) Two thousand live streams: how long until the last one has a change, and
//! what a stream costs the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::wall;
use crate::http::Connection;
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::stats::{median, milliseconds};
use crate::{Setting, story};

const STREAMS: usize = 2_000;
const SETUPS: usize = 200;
const ROUNDS: usize = 10;

/// Opened at a time, so that no queue of the system's overflows.
const AT_A_TIME: usize = 100;

const SEEN_WITHIN: Duration = Duration::from_secs(20);

/// Until memory that was needed only for a moment is given back.
const SETTLE: Duration = Duration::from_secs(3);

/// Stands in a test's name before the number of the round.
const MARK: &[u8] = b"ripple-";

/// How many streams have got how far.
#[derive(Default)]
struct Progress {
    /// Streams that have read anything beyond the head.
    open: AtomicUsize,
    /// Streams that have seen a round.
    seen: [AtomicUsize; ROUNDS],
    changed: Notify,
}

/// Memory of the server in KiB.
struct Memory {
    without: f64,
    open: f64,
    used: f64,
}

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start(setting).await?;
    wall::fill(&holter.target(), SETUPS).await?;
    let mut probe = Connection::open(holter.process.address).await?;
    post(&holter, &mut probe, "before").await?;
    let without = settled(&holter).await?;
    let progress = Arc::new(Progress::default());
    let mut streams = JoinSet::new();
    let opened = open_all(&holter, &progress, &mut streams).await?;
    let open = settled(&holter).await?;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (one, all) = ripple(&holter, &mut probe, &progress, round).await?;
        first.push(one);
        last.push(all);
        sleep(Duration::from_millis(300)).await;
    }
    let used = settled(&holter).await?;
    let post_to = |whom| format!("{STREAMS} streams: post to the {whom} one");
    findings.measure(Measure::new(post_to("last"), median(&last), "ms").bar(Bar::AtMost(1_000.0)));
    findings.measure(Measure::new(post_to("first"), median(&first), "ms"));
    findings.measure(Measure::new("  until all were open", milliseconds(opened), "ms"));
    tell(findings, &Memory { without, open, used });
    streams.shutdown().await;
    holter.stop().await?;
    Ok(())
}

/// Memory once what was needed only for a moment has been given back.
async fn settled(holter: &Server) -> Result<f64> {
    sleep(SETTLE).await;
    Ok(holter.process.memory()?.resident)
}

fn tell(findings: &mut Findings, memory: &Memory) {
    let each = |resident: f64| (resident - memory.without) / STREAMS as f64;
    findings.measure(Measure::new("  memory of the server a stream", each(memory.used), "KiB").bar(Bar::AtMost(24.0)));
    findings.measure(Measure::new("  the same before the first change", each(memory.open), "KiB"));
    findings.note(format!(
        "{SETUPS} setups on the wall; median of {ROUNDS} posts; the readers are in this program, on the same cores; \
         memory is VmRSS against {:.1} MiB without streams",
        memory.without / 1_024.0
    ));
}

/// Opens the streams and waits until each has its snapshot.
async fn open_all(holter: &Server, progress: &Arc<Progress>, streams: &mut JoinSet<Result<()>>) -> Result<Duration> {
    let begin = Instant::now();
    for opened in (AT_A_TIME..=STREAMS).step_by(AT_A_TIME) {
        for _ in 0..AT_A_TIME {
            let tcp = TcpStream::connect(holter.process.address).await.context("a stream cannot be opened")?;
            streams.spawn(read(tcp, progress.clone()));
        }
        wait(progress, &progress.open, opened, streams).await.context("not every stream opens")?;
    }
    Ok(begin.elapsed())
}

/// Reads a stream, looking for marks that are newer than the last one.
async fn read(mut tcp: TcpStream, progress: Arc<Progress>) -> Result<()> {
    let request = b"GET /live/wall HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n";
    tcp.write_all(request).await?;
    let mut buffer = vec![0; 16 << 10];
    let (mut kept, mut next, mut is_open) = (0, 0, false);
    loop {
        let read = tcp.read(&mut buffer[kept..]).await?;
        ensure!(read > 0, "the server ended a stream");
        let text = &buffer[..kept + read];
        if !is_open {
            ensure!(text.starts_with(b"HTTP/1.1 200"), "the server refuses a stream");
            is_open = true;
            progress.open.fetch_add(1, Ordering::Relaxed);
            progress.changed.notify_one();
        }
        while let Some(round) = newest(text).filter(|round| *round >= next && next < ROUNDS) {
            progress.seen[next].fetch_add(1, Ordering::Relaxed);
            progress.changed.notify_one();
            next = (next + 1).min(round + 1);
        }
        // A mark may be cut in two.
        kept = text.len().min(MARK.len() + 2);
        let from = text.len() - kept;
        buffer.copy_within(from..from + kept, 0);
    }
}

/// The number after the last mark in a text.
fn newest(text: &[u8]) -> Option<usize> {
    let at = text.windows(MARK.len()).rposition(|part| part == MARK)?;
    let digits = text.get(at + MARK.len()..at + MARK.len() + 2)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Posts a change; milliseconds until the first and the last stream have it.
async fn ripple(holter: &Server, probe: &mut Connection, progress: &Progress, round: usize) -> Result<(f64, f64)> {
    let seen = &progress.seen[round];
    let name = format!("ripple-{round:02}");
    let begin = Instant::now();
    let ((), first, last) = tokio::try_join!(
        post(holter, probe, &name),
        async {
            while seen.load(Ordering::Relaxed) == 0 && begin.elapsed() < SEEN_WITHIN {
                sleep(Duration::from_millis(1)).await;
            }
            Ok(begin.elapsed())
        },
        async {
            wait(progress, seen, STREAMS, &mut JoinSet::new()).await?;
            Ok(begin.elapsed())
        }
    )?;
    Ok((milliseconds(first), milliseconds(last)))
}

/// A test of that name begins on the first setup.
async fn post(holter: &Server, probe: &mut Connection, name: &str) -> Result<()> {
    let event = json!({
        "type": "test.started", "at": story::now(), "setup": story::setup_name(0), "run": "ripples",
        "suite": ["Ripples"], "test": name,
    });
    let target = holter.target();
    target.post(probe, &target.request("application/json", event.to_string().as_bytes())).await?;
    Ok(())
}

/// Waits until a counter has got so far, or a stream breaks.
async fn wait(
    progress: &Progress,
    counter: &AtomicUsize,
    goal: usize,
    streams: &mut JoinSet<Result<()>>,
) -> Result<()> {
    let reached = async {
        while counter.load(Ordering::Relaxed) < goal {
            tokio::select! {
                () = progress.changed.notified() => {}
                Some(ended) = streams.join_next() => ended??,
            }
        }
        anyhow::Ok(())
    };
    let reached = timeout(SEEN_WITHIN, reached).await;
    reached.with_context(|| format!("{} of {goal} streams after a while", counter.load(Ordering::Relaxed)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_mark_counts() {
        assert_eq!(newest(b"x ripple-03 y ripple-04 z"), Some(4));
        assert_eq!(newest(b"ripple-0"), None);
    }
}
