//! (c) From a post to the page: how long until a page in a real browser shows
//! what was posted, idle and while other setups report.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::wall;
use crate::load::{Round, open_loop};
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::stats::percentile;
use crate::story::Story;
use crate::{Setting, browser};

/// Setups that report beside the one that is looked at.
const OTHERS: usize = 20;

/// Events in one post of theirs, as a listener gathers them.
const EVENTS_EACH: usize = 25;

const EVENTS_PER_SECOND: f64 = 5_000.0;

/// Longer than the posts can take: it is dropped when they are through.
const BACKGROUND_FOR: Duration = Duration::from_secs(280);

/// Milliseconds from just before a post.
#[derive(Debug, Deserialize)]
struct Seen {
    /// Until it was answered.
    answered: Vec<f64>,
    /// Until the page's document had changed.
    changed: Vec<f64>,
    /// Until the frame after that.
    drawn: Vec<f64>,
    /// Posts that the page never showed.
    missed: usize,
}

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start(setting).await?;
    wall::fill(&holter.target(), OTHERS).await?;
    let idle = posts(setting, &holter, "idle").await?;
    tell(findings, "idle", &idle, 100.0);
    let stories = Story::many(OTHERS, "background");
    let target = holter.target();
    let rate = EVENTS_PER_SECOND / EVENTS_EACH as f64;
    let begin = Instant::now();
    let background = open_loop(&target, stories, EVENTS_EACH, rate, BACKGROUND_FOR);
    let loaded = tokio::select! {
        ended = background => Err(early(ended)),
        loaded = posts(setting, &holter, "loaded") => loaded,
    }?;
    tell(findings, "loaded", &loaded, 250.0);
    let reached = target.taken() as f64 / begin.elapsed().as_secs_f64();
    findings.note(format!(
        "a page at / with {} setups, posts at uneven pauses; loaded is {EVENTS_PER_SECOND} events/s (taken: {reached:.0}) \
         on {OTHERS} other setups in posts of {EVENTS_EACH}; the browser draws on the same cores",
        OTHERS + 1
    ));
    holter.stop().await?;
    Ok(())
}

fn early(ended: Result<Round>) -> anyhow::Error {
    match ended {
        Ok(_) => anyhow::anyhow!("the posts took longer than the load beside them"),
        Err(error) => error.context("the load beside the posts broke off"),
    }
}

async fn posts(setting: &Setting, holter: &Server, key: &str) -> Result<Seen> {
    let what = json!({
        "url": holter.url(),
        "token": holter.token(),
        "setup": "pixel",
        "run": key,
        "posts": setting.pick(300, 60),
    });
    let seen: Seen = browser::run(setting, "pixel.mjs", &what).await?;
    ensure!(seen.changed.len() > seen.missed, "the page showed next to nothing of what was posted");
    Ok(seen)
}

fn tell(findings: &mut Findings, when: &str, seen: &Seen, bar: f64) {
    let of = |values: &[f64], percent| percentile(values, percent);
    findings.measure(Measure::new(format!("{when}: post to changed page, p50"), of(&seen.changed, 50.0), "ms"));
    let p99 = Measure::new(format!("{when}: post to changed page, p99"), of(&seen.changed, 99.0), "ms");
    findings.measure(p99.bar(Bar::AtMost(bar)));
    findings.measure(Measure::new("  of it, post to answer, p50", of(&seen.answered, 50.0), "ms"));
    findings.measure(Measure::new("  post to drawn frame, p99", of(&seen.drawn, 99.0), "ms"));
    if seen.missed > 0 {
        findings.note(format!("{when}: {} posts were never seen on the page", seen.missed));
    }
}
