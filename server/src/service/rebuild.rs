//! The health of all tests, made anew from the stored results: after a change
//! of the parameters, or of the detector itself.

use super::judged::Judged;
use super::vitals::{Vitals, hash_of_run};
use crate::store::rows::{RunFilter, RunRow};
use crate::store::{Store, StoreError};
use app::domain::health::{Model, hash_of};
use app::domain::ids::SetupId;
use app::domain::rename::Names;
use std::fmt;

/// Runs that are read at once.
const PAGE: u32 = 500;

/// What was made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Setups.
    pub setups: usize,
    /// Runs on them.
    pub runs: usize,
    /// Results in those.
    pub results: usize,
}

impl fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setups, runs, results } = self;
        write!(f, "made the health of {setups} setups from {results} results in {runs} runs")
    }
}

/// Makes the health of all tests anew, setup by setup: what was done stays
/// done if it is stopped in the middle.
pub async fn rebuild(store: &Store, model: &Model) -> Result<Rebuilt, StoreError> {
    let mut rebuilt = Rebuilt::default();
    let names: Names = store.rename_list().await?.into_iter().map(|row| (row.was, row.now_is)).collect();
    for setup in store.setup_list().await? {
        let mut vitals = Vitals::stored(None, model);
        vitals.rename(names.clone());
        let runs = runs_of(store, setup.id).await?;
        for row in &runs {
            rebuilt.results += take_in(store, model, &mut vitals, row).await?;
        }
        rebuilt.setups += 1;
        rebuilt.runs += runs.len();
        let (tests, whole) = vitals.take_rows(model, setup.id);
        let mut group = store.begin_group().await?;
        group.health_clear(setup.id).await?;
        group.health_save(&tests).await?;
        group.setup_health_save(whole.as_slice()).await?;
        group.commit().await?;
    }
    Ok(rebuilt)
}

/// All runs of a setup, the oldest first.
async fn runs_of(store: &Store, setup: SetupId) -> Result<Vec<RunRow>, StoreError> {
    let filter = RunFilter { setup: Some(setup), ..RunFilter::default() };
    let mut runs: Vec<RunRow> = Vec::new();
    loop {
        let after = runs.last().map(|row| (row.created_at, row.id));
        let page = store.run_page(&filter, after, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        runs.extend(page);
        if is_last {
            runs.sort_by_key(|row| (row.began_at(), row.id));
            return Ok(runs);
        }
    }
}

async fn take_in(store: &Store, model: &Model, vitals: &mut Vitals, row: &RunRow) -> Result<usize, StoreError> {
    let Some(run) = store.run_load(row.id).await? else { return Ok(0) };
    let hash = hash_of_run(run.id.0);
    let commit = run.facts().about.commit.as_ref().map(|commit| hash_of(&commit.value));
    let results = Judged::default().take_all_results(&run, hash, commit);
    vitals.plan(model, hash, run.counts().planned);
    for result in &results {
        vitals.observe(model, vitals.called(result.test), result.seen);
    }
    if run.is_over() {
        vitals.finish(model, hash);
    }
    Ok(results.len())
}
