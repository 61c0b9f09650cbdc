//! Reads the past of a run's tests and suites.

use crate::store::{Store, StoreError};
use app::domain::forecast::{Forecast, PASSES, SUITE_RUNS, SUITE_RUNS_MIN, percentile_95};
use app::domain::ids::{RunId, SetupId, TestId};
use app::domain::time::Micros;
use std::collections::HashMap;

/// What the past says about a run on a setup.
pub(super) async fn load(store: &Store, run: RunId, setup: SetupId) -> Result<Forecast, StoreError> {
    let mut passes: HashMap<TestId, Vec<Micros>> = HashMap::new();
    for (test, took) in store.passes(run, setup, PASSES as u32).await? {
        passes.entry(test).or_default().push(took);
    }
    let mut forecast = Forecast::from_passes(passes);
    let mut suites: HashMap<u32, Vec<Micros>> = HashMap::new();
    for (suite, took) in store.suite_durations(run, setup, SUITE_RUNS as u32).await? {
        suites.entry(suite).or_default().push(took);
    }
    forecast.suites = suites
        .into_iter()
        .filter(|(_, took)| took.len() >= SUITE_RUNS_MIN)
        .filter_map(|(suite, mut took)| Some((suite, percentile_95(&mut took)?)))
        .collect();
    Ok(forecast)
}
