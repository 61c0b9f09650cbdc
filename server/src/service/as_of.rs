//! How the setups of a project stood when a commit had been run.

use super::desk::Desk;
use super::failure::Failure;
use crate::store::rows::{RunFilter, RunRow};
use app::domain::counts::Counts;
use app::domain::ids::{RunId, SetupId};
use app::domain::name::ProjectName;
use app::domain::run::{RunResult, RunState};
use app::domain::time::{Micros, Timestamp};
use std::collections::HashSet;

/// Runs that are read at once.
const PAGE: u32 = 500;

/// Runs before the commit among which each setup's last one is looked for.
const SOUGHT: usize = 5_000;

/// A setup as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stood {
    /// Its name.
    pub setup: String,
    /// Its last run until then.
    pub run: RunId,
    /// The commit of that run.
    pub commit: Option<Box<str>>,
    /// What came of it; none where it never ended.
    pub result: Option<RunResult>,
    /// Its tests by outcome.
    pub counts: Counts,
    /// How long before the commit's own run it was.
    pub before: Micros,
}

/// All setups of a project as they stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The commit that had been run.
    pub commit: Option<Box<str>>,
    /// When its run began, by our clock.
    pub at: Timestamp,
    /// The setups that had run anything, by name.
    pub setups: Vec<Stood>,
}

impl Desk {
    /// How the setups of a project stood when this run was its newest; `None`
    /// where there is no such run of the project.
    pub async fn project_as_of(&self, name: &str, run: RunId) -> Result<Option<AsOf>, Failure> {
        let sight = self.reading().await?;
        let Ok(project) = ProjectName::parse(name) else { return Ok(None) };
        let filter = RunFilter { project: Some(project.clone()), ..RunFilter::default() };
        let (Some(filter), Some(own)) = (self.within(filter, &sight), self.inner.store.run_get(run).await?) else {
            return Ok(None);
        };
        if own.project != project || !self.is_seen(&sight, name, own.setup) {
            return Ok(None);
        }
        let rows = self.last_of_each(&filter, own.clone()).await?;
        let at = own.began_at();
        let mut setups: Vec<_> = rows.into_iter().map(|row| self.stood(row, at)).collect();
        setups.sort_by(|one, other| one.setup.cmp(&other.setup));
        Ok(Some(AsOf { commit: own.commit, at, setups }))
    }

    /// The run itself, and of each other setup the last one before it.
    async fn last_of_each(&self, filter: &RunFilter, own: RunRow) -> Result<Vec<RunRow>, Failure> {
        let mut known: HashSet<SetupId> = HashSet::from([own.setup]);
        let mut after = Some((own.created_at, own.id));
        let (mut last, mut sought) = (vec![own], 0);
        while sought < SOUGHT {
            let page = self.inner.store.run_page(filter, after, PAGE).await?;
            sought += page.len();
            after = page.last().map(|row| (row.created_at, row.id));
            let is_end = page.len() < PAGE as usize;
            last.extend(page.into_iter().filter(|row| row.state != RunState::Waiting && known.insert(row.setup)));
            if is_end {
                break;
            }
        }
        Ok(last)
    }

    fn stood(&self, row: RunRow, at: Timestamp) -> Stood {
        Stood {
            setup: self.setup_name(row.setup),
            run: row.id,
            before: at.since(row.began_at()),
            commit: row.commit,
            result: row.result,
            counts: row.counts,
        }
    }
}
