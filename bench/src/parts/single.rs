//! (a) Single events: durable requests a second over connections that are kept
//! alive, against a server that only parses and answers.

use std::time::Duration;

use anyhow::Result;

use crate::load::{Round, Target, closed_loop, open_loop};
use crate::process::Process;
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::stats::{median, percentile};
use crate::story::Story;
use crate::{Setting, ceiling};

const CONNECTIONS: usize = 64;

/// What a round cost the server.
pub struct Cost {
    /// Requests a second.
    pub rate: f64,
    microseconds: f64,
    p50: f64,
    p99: f64,
}

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start(setting).await?;
    let ceiling = ceiling::start().await?;
    let bare = Target::new(ceiling.address, None);
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for pair in 0..setting.pick(5, 3) {
        // Every second pair the other way round, so that a drift hits both alike.
        for is_own in [pair % 2 == 0, pair % 2 == 1] {
            let key = format!("round-{pair}");
            if is_own {
                own.push(round(setting, &holter.process, &holter.target(), &key).await?);
            } else {
                other.push(round(setting, &ceiling, &bare, &key).await?);
            }
        }
    }
    tell(findings, &own, &other);
    let rate = middle(&own, |cost| cost.rate) / 2.0;
    let loaded = half_load(setting, &holter.target(), rate).await?;
    let floor = half_load(setting, &bare, rate).await?;
    tell_half(findings, rate, &loaded, &floor);
    ceiling.stop().await?;
    holter.stop().await?;
    Ok(())
}

/// One round, over so many connections as are usual here.
pub async fn round(setting: &Setting, process: &Process, target: &Target, key: &str) -> Result<Cost> {
    let (warm, measured) = setting.pick((1_000, 4_000), (300, 1_500));
    let before = process.processor_time()?;
    let (warm, measured) = (Duration::from_millis(warm), Duration::from_millis(measured));
    let round = closed_loop(target, Story::many(CONNECTIONS, key), warm, measured).await?;
    let spent = process.processor_time()? - before;
    // The time spent includes the warm-up, the requests counted do not.
    let share = measured.as_secs_f64() / (warm + measured).as_secs_f64();
    Ok(Cost {
        rate: round.requests_per_second(),
        microseconds: spent * share * 1e6 / round.requests as f64,
        p50: percentile(&round.latencies, 50.0),
        p99: percentile(&round.latencies, 99.0),
    })
}

async fn half_load(setting: &Setting, target: &Target, rate: f64) -> Result<Round> {
    let lasting = Duration::from_secs(setting.pick(10, 3));
    open_loop(target, Story::many(CONNECTIONS, "half"), 1, rate, lasting).await
}

fn middle(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    median(&costs.iter().map(of).collect::<Vec<_>>())
}

fn tell(findings: &mut Findings, own: &[Cost], other: &[Cost]) {
    let ratios: Vec<_> = own.iter().zip(other).map(|(own, other)| own.rate / other.rate).collect();
    let (rate, top) = (middle(own, |cost| cost.rate), middle(other, |cost| cost.rate));
    findings.measure(
        Measure::new("single events, 64 connections", rate, "requests/s")
            .under(top, median(&ratios))
            .bar(Bar::Ratio(0.35)),
    );
    let pair = |of: fn(&Cost) -> f64| (middle(own, of), middle(other, of));
    for (what, unit, (figure, floor)) in [
        ("  p50 at full load", "ms", pair(|cost| cost.p50)),
        ("  p99 at full load", "ms", pair(|cost| cost.p99)),
        ("  processor time of the server a request", "µs", pair(|cost| cost.microseconds)),
    ] {
        findings.measure(Measure::new(what, figure, unit).under(floor, figure / floor));
    }
    findings.note(
        "the ceiling reads the same body into a comparable value and answers the same JSON, without token and store; \
         every connection is a setup of its own",
    );
}

fn tell_half(findings: &mut Findings, rate: f64, loaded: &Round, floor: &Round) {
    for (percent, bar) in [(50.0, None), (99.0, Some(Bar::AtMost(20.0)))] {
        let (figure, least) = (percentile(&loaded.latencies, percent), percentile(&floor.latencies, percent));
        let measure = Measure::new(format!("  p{percent} at half load"), figure, "ms").under(least, figure / least);
        findings.measure(match bar {
            Some(bar) => measure.bar(bar),
            None => measure,
        });
    }
    findings.note(format!(
        "half load is an open loop of {rate:.0} requests/s (reached {:.0}); times count from when a request was due, \
         by a timer of 1 ms, and the ceiling's at the same rate stand beside them",
        loaded.requests_per_second()
    ));
}
