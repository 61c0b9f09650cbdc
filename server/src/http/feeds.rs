//! What other programs read in formats of their own: lamps and build monitors,
//! badges, metrics, and reports of single runs.

pub mod badges;
pub mod cctray;
pub mod ctrf;
pub mod junit;
pub mod metrics;
mod report;
mod xml;

use crate::service::reads::RunQuestion;
use crate::service::{Desk, Failure};
use app::domain::counts::Counts;
use app::domain::run::{RunResult, RunState};
use app::domain::time::Timestamp;
use app::read::RunLine;

/// Runs among which the newest that is over is looked for; a setup that has
/// more runs open than that shows none.
const LOOKED_THROUGH: u32 = 20;

/// The newest run that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Last {
    /// What the listener calls it, or its name for people.
    pub label: String,
    /// What it came to.
    pub result: Option<RunResult>,
    /// Its tests by outcome.
    pub counts: Counts,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Last {
    fn of(line: &RunLine) -> Option<Self> {
        let is_over = line.state.is_over();
        is_over.then(|| Self {
            label: line.name.clone().unwrap_or_else(|| line.key.clone()),
            result: line.result,
            counts: line.counts,
            finished_at: line.finished_at,
        })
    }
}

/// What is known of the runs that a question finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// One is under way.
    pub is_running: bool,
    /// The newest that is over.
    pub last: Option<Last>,
}

/// Asks how runs stand; `None` where there are none.
async fn standing(desk: &Desk, question: &RunQuestion) -> Result<Option<Standing>, Failure> {
    let runs = desk.runs(question, None, LOOKED_THROUGH).await?.items;
    if runs.is_empty() {
        return Ok(None);
    }
    let is_running = runs.iter().any(|(_, line)| line.state == RunState::Running);
    Ok(Some(Standing { is_running, last: runs.iter().find_map(|(_, line)| Last::of(line)) }))
}
