//! (b) Batches: durable events a second as NDJSON, against bare inserts of the
//! rows that Holter wrote for them.

use anyhow::{Result, ensure};

use crate::Setting;
use crate::bare::{Recorded, Which};
use crate::load::{Round, Target, drain};
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::stats::{median, percentile};
use crate::story::Story;

const CONNECTIONS: usize = 8;

/// A group of Holter's takes no more events before it commits.
const GROUP_EVENTS: usize = 4_000;

/// What a pair came to, in events a second.
struct Pair {
    own: f64,
    all_rows: f64,
    event_rows: f64,
    p99: f64,
    microseconds: f64,
}

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let mut rows = String::new();
    for size in [100, 1_000] {
        let mut pairs = Vec::new();
        for _ in 0..setting.pick(5, 3) {
            let (pair, counts) = pair(setting, size).await?;
            pairs.push(pair);
            rows = counts;
        }
        tell(findings, size, &pairs);
    }
    findings.note(format!(
        "the ceiling inserts the rows found in Holter's database after the round ({rows}), same tables, indices, pragmas \
         and statement lengths, in transactions as large as {CONNECTIONS} connections can fill; rows that Holter wrote \
         again as a test or run went on are inserted once, and Holter's figure includes HTTP, parsing and the load itself"
    ));
    Ok(())
}

async fn pair(setting: &Setting, size: usize) -> Result<(Pair, String)> {
    let events = setting.pick(200_000, 40_000);
    let holter = Server::start(setting).await?;
    let queues = queues(&holter.target(), events, size);
    let before = holter.process.processor_time()?;
    let round = drain(&holter.target(), queues).await?;
    let spent = holter.process.processor_time()? - before;
    let remains = holter.stop().await?;
    let recorded = Recorded::read(&remains.database()).await?;
    ensure!(recorded.events() as u64 == round.events, "not every event that was taken is in the store");
    let transactions = events.div_ceil((CONNECTIONS * size).min(GROUP_EVENTS));
    let all = recorded.insert(Which::All, transactions, remains.folder()).await?;
    let alone = recorded.insert(Which::Events, transactions, remains.folder()).await?;
    let pair = Pair {
        own: round.events_per_second(),
        all_rows: round.events as f64 / all.as_secs_f64(),
        event_rows: round.events as f64 / alone.as_secs_f64(),
        p99: p99(&round),
        microseconds: spent * 1e6 / round.events as f64,
    };
    Ok((pair, recorded.counts()))
}

/// All requests of a round, made before it begins.
fn queues(target: &Target, events: usize, size: usize) -> Vec<Vec<Vec<u8>>> {
    let each = events / size / CONNECTIONS;
    let stories = Story::many(CONNECTIONS, "batch").into_iter();
    stories.map(|mut story| (0..each).map(|_| target.batch(&mut story, size)).collect()).collect()
}

fn p99(round: &Round) -> f64 {
    percentile(&round.latencies, 99.0)
}

fn tell(findings: &mut Findings, size: usize, pairs: &[Pair]) {
    let middle = |of: &dyn Fn(&Pair) -> f64| median(&pairs.iter().map(of).collect::<Vec<_>>());
    let own = middle(&|pair| pair.own);
    findings.measure(
        Measure::new(format!("batches of {size}, {CONNECTIONS} connections; all rows"), own, "events/s")
            .under(middle(&|pair| pair.all_rows), middle(&|pair| pair.own / pair.all_rows))
            .bar(Bar::Ratio(0.5)),
    );
    findings.measure(
        Measure::new("  the same against event rows alone", own, "events/s")
            .under(middle(&|pair| pair.event_rows), middle(&|pair| pair.own / pair.event_rows)),
    );
    findings.measure(Measure::new("  p99 of a batch", middle(&|pair| pair.p99), "ms"));
    findings.measure(Measure::new("  processor time of the server an event", middle(&|pair| pair.microseconds), "µs"));
}
