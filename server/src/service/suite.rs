//! A suite over all its runs: its commits as beats, and how its tests are on
//! each setup.
//!
//! A suite has everything that is below it, so its counts and its health are
//! those of all its tests, however deep they lie.

use super::desk::Desk;
use super::failure::Failure;
use super::project::{ProjectSetup, Strip};
use super::sick::unpacked;
use super::vitals::{flake_of, sick_of};
use crate::store::rows::{RunFilter, RunRow, SuiteCountRow, TestHealthRow};
use app::domain::counts::Counts;
use app::domain::health::{Aggregate, Label, Model};
use app::domain::ids::{RunId, TestId};
use app::domain::name::ProjectName;
use app::domain::run::RunResult;
use app::read::SickTests;
use std::collections::{HashMap, HashSet};

/// Runs that are read at once.
const PAGE: u32 = 60;

/// Runs with the suite that are on its strip.
const ON_STRIP: usize = 600;

/// Runs among which they are looked for.
const SOUGHT: usize = 3_000;

/// Setups whose tests are looked at: those that ran the suite last.
const SETUPS_MAX: usize = 100;

/// A test of the suite that is neither new nor healthy on a setup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IllTest {
    /// Which test.
    pub id: TestId,
    /// Its name, the suites below this one before it.
    pub path: Vec<Box<str>>,
    /// The setup.
    pub setup: String,
    /// What it is called there.
    pub label: Label,
}

/// A suite as its page shows it.
#[derive(Clone, Debug)]
pub struct SuiteHistory {
    /// The commits on which it ran.
    pub strip: Strip,
    /// The setups that ran it, by name.
    pub setups: Vec<ProjectSetup>,
    /// Its tests that are ill, the most expensive first.
    pub ill: Vec<IllTest>,
}

impl Desk {
    /// A suite of a project by its path; `None` where none of the newest runs
    /// has it.
    pub async fn suite(&self, project: &str, path: &[String]) -> Result<Option<SuiteHistory>, Failure> {
        let sight = self.reading().await?;
        let Ok(name) = ProjectName::parse(project) else { return Ok(None) };
        let filter = RunFilter { project: Some(name), ..RunFilter::default() };
        let Some(filter) = self.within(filter, &sight) else { return Ok(None) };
        let runs = self.runs_with(&filter, path).await?;
        if runs.is_empty() {
            return Ok(None);
        }
        let (setups, ill) = self.health_of_suite(&runs, path).await?;
        Ok(Some(SuiteHistory { strip: Strip::of(runs), setups, ill }))
    }

    /// The newest runs with the suite, with its counts instead of their own.
    async fn runs_with(&self, filter: &RunFilter, path: &[String]) -> Result<Vec<RunRow>, Failure> {
        let (mut found, mut after, mut looked_at) = (Vec::new(), None, 0);
        loop {
            let page = self.inner.store.run_page(filter, after, PAGE).await?;
            let ids: Vec<_> = page.iter().map(|row| row.id).collect();
            let counted = counts_of(&self.inner.store.suite_counts(&ids).await?, path);
            looked_at += page.len();
            after = page.last().map(|row| (row.created_at, row.id));
            let is_last = page.len() < PAGE as usize;
            found.extend(page.into_iter().filter_map(|row| Some(narrowed(*counted.get(&row.id)?, row))));
            if is_last || found.len() >= ON_STRIP || looked_at >= SOUGHT {
                return Ok(found);
            }
        }
    }

    /// How the suite's tests are on each setup, as of its newest run there.
    async fn health_of_suite(
        &self,
        runs: &[RunRow],
        path: &[String],
    ) -> Result<(Vec<ProjectSetup>, Vec<IllTest>), Failure> {
        let (mut setups, mut ill, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for run in runs {
            if seen.len() >= SETUPS_MAX || !seen.insert(run.setup) {
                continue;
            }
            let mut tests = self.inner.store.health_of_run(run.id).await?;
            tests.retain(|test| is_below(&test.path, path));
            let name = self.setup_name(run.setup);
            setups.push(summed(&name, &tests, runs.iter().filter(|other| other.setup == run.setup).count()));
            ill.extend(tests.into_iter().filter(|test| !is_well(test.health.label)).map(|test| (name.clone(), test)));
        }
        setups.sort_by(|one, other| one.name.cmp(&other.name));
        ill.sort_by(|(_, one), (_, other)| other.health.phi.total_cmp(&one.health.phi));
        let ill = ill.into_iter().map(|(setup, test)| IllTest {
            id: test.health.test,
            path: test.path[path.len()..].to_vec(),
            setup,
            label: test.health.label,
        });
        Ok((setups, ill.collect()))
    }
}

const fn is_well(label: Label) -> bool {
    matches!(label, Label::New | Label::Healthy)
}

/// Whether something lies in or below a suite; the suite itself does. As with
/// tests, the root does not matter: it is called after the folder or the command
/// line of the day.
fn is_below(what: &[Box<str>], suite: &[String]) -> bool {
    let root = usize::from(suite.len() > 1);
    what.len() >= suite.len() && what.iter().zip(suite).skip(root).all(|(one, other)| **one == **other)
}

/// The counts of a suite in each of the runs that have it.
fn counts_of(rows: &[SuiteCountRow], suite: &[String]) -> HashMap<RunId, Counts> {
    let mut counted: HashMap<RunId, Counts> = HashMap::new();
    for row in rows.iter().filter(|row| is_below(&row.path, suite)) {
        let counts = counted.entry(row.run).or_default();
        *counts.of(row.outcome) += row.tests;
        counts.planned += row.tests;
    }
    counted
}

/// A run as if it had no other tests than these.
fn narrowed(counts: Counts, run: RunRow) -> RunRow {
    let result = run.result.map(|_| match () {
        () if counts.failed > 0 => RunResult::Failed,
        () if counts.lost > 0 => RunResult::Incomplete,
        () if counts.flaky > 0 => RunResult::Flaky,
        () if counts.passed > 0 => RunResult::Passed,
        () => RunResult::Cancelled,
    });
    RunRow { counts, result, ..run }
}

/// A setup by the tests of the suite alone, as known from its runs.
fn summed(name: &str, tests: &[TestHealthRow], runs: usize) -> ProjectSetup {
    let model = Model::default();
    let mut sums = Aggregate::default();
    for test in tests {
        if let Some(state) = unpacked(&model, &test.health) {
            sums.add(&state.reading(&model), test.health.label);
        }
    }
    let SickTests { all, flaky, broken } = sick_of(&sums);
    let flake = flake_of(&sums, u32::try_from(runs).unwrap_or(u32::MAX));
    ProjectSetup { name: name.to_owned(), flake, tests: (all, flaky, broken), is_uncalibrated: false }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_of_the_root_does_not_part_a_suite() {
        let path = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect::<Vec<Box<str>>>();
        let suite = ["Tests".to_owned(), "Pumps".to_owned()];
        assert!(super::is_below(&path(&["Tests", "Pumps", "Valves"]), &suite));
        assert!(super::is_below(&path(&["Other", "Pumps"]), &suite));
        assert!(!super::is_below(&path(&["Tests", "Press"]), &suite));
        assert!(!super::is_below(&path(&["Tests"]), &suite));
        assert!(!super::is_below(&path(&["Other"]), &suite[..1]));
    }

    use super::*;
    use app::domain::test::Outcome;
    use uuid::Uuid;

    fn row(run: u128, path: &[&str], outcome: Outcome, tests: u32) -> SuiteCountRow {
        let path = path.iter().map(|part| (*part).into()).collect();
        SuiteCountRow { run: RunId(Uuid::from_u128(run)), path, outcome, tests }
    }

    #[test]
    fn a_suite_has_what_lies_below_it_and_nothing_beside_it() {
        let rows = [
            row(1, &["Power", "Charger"], Outcome::Passed, 3),
            row(1, &["Power", "Charger", "Fast"], Outcome::Failed, 1),
            row(1, &["Power"], Outcome::Passed, 7),
            row(1, &["Power", "Chargers"], Outcome::Failed, 9),
            row(2, &["Power"], Outcome::Passed, 7),
        ];
        let counted = counts_of(&rows, &["Power".into(), "Charger".into()]);
        let expected = Counts { planned: 4, passed: 3, failed: 1, ..Counts::default() };
        assert_eq!(counted, HashMap::from([(RunId(Uuid::from_u128(1)), expected)]), "the second run has no charger");
    }
}
