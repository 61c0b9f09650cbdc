//! Ill tests, as the public reads tell of them.

use super::Moment;
use app::read::{PerMille, SickTest};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A test that is neither new nor healthy on a setup
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SickTest)]
pub struct SickTestItem {
    /// Which test.
    pub id: Uuid,
    /// Its name, parameters included.
    pub test: String,
    /// The suite it is in: names from the root.
    pub suite: Vec<String>,
    /// The setup.
    pub setup: String,
    /// The project of its newest run there.
    pub project: String,
    /// Who looks after it.
    pub owner: Option<String>,
    /// `suspect`, `flaky`, `recovering`, `broken` or `fixed`.
    #[schema(example = "flaky")]
    pub label: String,
    /// How likely it is flaky, to three decimals.
    pub p_flaky: f64,
    /// How likely it is broken, to three decimals.
    pub p_broken: f64,
    /// Expected spurious failures in a run, to three decimals.
    pub spurious_failures_per_run: f64,
    /// How often it fails, given that it is flaky.
    pub rate: f64,
    /// The lower end of the 90 % interval of that rate.
    pub rate_q05: f64,
    /// The upper end.
    pub rate_q95: f64,
    /// How many results there were.
    pub results: u32,
    /// How many of them were failures.
    pub failures: u32,
    /// When the last one came.
    pub last_at: Option<Moment>,
}

/// Tests that are ill
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SickList {
    /// The tests, the most expensive first.
    pub items: Vec<SickTestItem>,
    /// Always null: the list has one page.
    pub next: Option<String>,
}

fn share(p: PerMille) -> f64 {
    f64::from(p) / 1_000.0
}

impl From<SickTest> for SickTestItem {
    fn from(mut sick: SickTest) -> Self {
        let [rate, rate_q05, rate_q95] = sick.health.rate.map(share);
        Self {
            id: sick.id.0,
            test: sick.path.pop().unwrap_or_default(),
            suite: sick.path,
            setup: sick.setup,
            project: sick.project,
            owner: sick.owner,
            label: sick.health.label.as_str().to_owned(),
            p_flaky: share(sick.health.p_flaky),
            p_broken: share(sick.health.p_broken),
            spurious_failures_per_run: share(sick.health.spurious),
            rate,
            rate_q05,
            rate_q95,
            results: sick.health.results,
            failures: sick.health.failures,
            last_at: sick.health.last_at.map(Moment),
        }
    }
}
