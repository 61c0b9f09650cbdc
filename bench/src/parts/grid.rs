//! (j) The first page for an engineer who is signed in, against the same page
//! for nobody in particular.

use anyhow::{Result, ensure};
use tokio::time::Instant;

use super::wall;
use crate::Setting;
use crate::http::Connection;
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::stats::{median, milliseconds, percentile};

const SETUPS: usize = 200;

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start(setting).await?;
    wall::fill(&holter.target(), SETUPS).await?;
    let cookie = holter.sign_in(setting, "reader-of-grids", "engineer", "four plain words here").await?;
    let mut connection = Connection::open(holter.process.address).await?;
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for turn in 0..setting.pick(400, 60) {
        for is_own in [turn % 2 == 0, turn % 2 == 1] {
            let shown = if is_own { format!("cookie: {cookie}\r\n") } else { String::new() };
            let took = page(&mut connection, &shown, is_own).await?;
            if is_own { &mut own } else { &mut other }.push(took);
        }
    }
    for (what, percent, bar) in [("p95", 95.0, Some(Bar::AtMost(10.0))), ("median", 50.0, None)] {
        let (figure, floor) = (percentile(&own, percent), percentile(&other, percent));
        let measure = Measure::new(format!("the grid of an engineer, {SETUPS} setups, {what}"), figure, "ms");
        let measure = measure.under(floor, figure / floor);
        findings.measure(match bar {
            Some(bar) => measure.bar(bar),
            None => measure,
        });
    }
    let ratios: Vec<_> = own.iter().zip(&other).map(|(own, other)| own / other).collect();
    findings.note(format!(
        "from the request to the last byte, not compressed, on one connection; the ceiling is the page for nobody in \
         particular, in turns; the median of the ratios of pairs is {:.3}",
        median(&ratios)
    ));
    holter.stop().await?;
    Ok(())
}

/// Asks for the page; how long it took.
async fn page(connection: &mut Connection, shown: &str, is_known: bool) -> Result<f64> {
    let request = format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/html\r\n{shown}\r\n");
    let begin = Instant::now();
    let answer = connection.exchange_in_time(request.as_bytes()).await?;
    let took = milliseconds(begin.elapsed());
    ensure!(answer.status == 200, "the page answers {}", answer.status);
    let names = String::from_utf8_lossy(answer.body).contains("reader-of-grids");
    ensure!(names == is_known, "the page is not of who asked");
    Ok(took)
}
