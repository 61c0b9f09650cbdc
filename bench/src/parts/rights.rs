//! (i) What a token costs: single events with one, against a Holter that lets
//! everybody on the machine write.

use anyhow::Result;

use super::single::{Cost, round};
use crate::Setting;
use crate::load::Target;
use crate::report::{Bar, Findings, Measure};
use crate::server::{Server, Way};
use crate::stats::median;

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let closed = Server::start(setting).await?;
    let open = Server::start_as(setting, Way { is_open: true, ..Way::default() }).await?;
    let free = Target::new(open.process.address, None);
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for pair in 0..setting.pick(9, 3) {
        for is_own in [pair % 2 == 0, pair % 2 == 1] {
            let key = format!("rights-{pair}");
            if is_own {
                own.push(round(setting, &closed.process, &closed.target(), &key).await?);
            } else {
                other.push(round(setting, &open.process, &free, &key).await?);
            }
        }
    }
    let middle = |costs: &[Cost]| median(&costs.iter().map(|cost| cost.rate).collect::<Vec<_>>());
    let ratios: Vec<_> = own.iter().zip(&other).map(|(own, other)| own.rate / other.rate).collect();
    findings.measure(
        Measure::new("single events with a token", middle(&own), "requests/s")
            .under(middle(&other), median(&ratios))
            .bar(Bar::Ratio(0.97)),
    );
    findings.note(
        "the ceiling is the same program, started so that everybody on this machine may write; it looks nobody up",
    );
    open.stop().await?;
    closed.stop().await?;
    Ok(())
}
