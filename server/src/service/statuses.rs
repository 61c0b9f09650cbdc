//! Tells forges how the commits of runs stand.
//!
//! It looks at what is stored, not at what happens: a run whose state differs
//! from what was last said of its commit has something to be said. So nothing
//! is lost by a restart and nothing said twice, and what a run was for a
//! moment between two looks is not said at all.

use super::Service;
use super::failure::Failure;
use super::post::Letter;
use crate::config::{CommitStatusConfig, Config, ConfigError};
use crate::outgoing::Delivery;
use crate::outgoing::forge::{CommitStatus, Repository};
use crate::store::rows::{CommitStatusRow, RunFilter, RunRow};
use app::domain::commit::{CommitState, is_full_commit};
use app::domain::counts::Counts;
use app::domain::ids::{RunId, SetupId};
use app::domain::time::{Micros, Timestamp};
use app::domain::wall::matches;
use app::paths::Page;
use std::collections::{BTreeMap, HashMap};

/// Runs of a setup that are looked at; what happens to older ones is no news.
const LOOKED_AT: u32 = 16;

/// Runs that ended longer ago are history: nobody waits for their status.
const FRESH_FOR: Micros = Micros::from_secs(86_400);

/// For which runs something is said, and where.
#[derive(Debug)]
pub(super) struct Statuses {
    rules: Vec<Rule>,
    repositories: BTreeMap<String, Repository>,
}

#[derive(Debug)]
struct Rule {
    repository: String,
    context: String,
    projects: Vec<String>,
    setups: Vec<String>,
}

impl Statuses {
    /// As configured.
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut statuses = Self { rules: Vec::new(), repositories: BTreeMap::new() };
        for one in &config.commit_statuses {
            let repository = one.repository()?;
            let CommitStatusConfig { context, projects, setups, .. } = one.clone();
            statuses.rules.push(Rule { repository: repository.name(), context, projects, setups });
            statuses.repositories.insert(repository.name(), repository);
        }
        Ok(statuses)
    }

    /// Whether nothing is ever said.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A repository by what its forge calls it, for those who know nothing else.
    pub(super) fn repository_named(&self, path: &str) -> Option<String> {
        self.repositories.iter().find(|(_, one)| one.path == path).map(|(name, _)| name.clone())
    }

    /// The first rule that means a run. Pipelines that CI servers tell of have
    /// a status already, and a forge would tell us of ours in turn: their
    /// setups have to be named.
    fn rule_of(&self, project: &str, setup: &str) -> Option<&Rule> {
        let among = |patterns: &[String], name| patterns.iter().any(|pattern| matches(pattern, name));
        self.rules.iter().find(|rule| {
            let means_setup =
                if rule.setups.is_empty() { !setup.starts_with("ci/") } else { among(&rule.setups, setup) };
            means_setup && (rule.projects.is_empty() || among(&rule.projects, project))
        })
    }
}

impl Service {
    /// A repository by its name, see [`Repository::name`].
    pub async fn repository(&self, name: &str) -> Result<Option<Repository>, Failure> {
        Ok(self.inner.statuses.repositories.get(name).cloned())
    }

    /// Writes down what is to be said of the commits of a setup's newest runs.
    pub(super) async fn note_commit_statuses(&self, setup: SetupId, name: &str) -> Result<(), Failure> {
        let store = &self.inner.store;
        let filter = RunFilter { setup: Some(setup), ..RunFilter::default() };
        let runs = store.run_page(&filter, None, LOOKED_AT).await?;
        let said: HashMap<RunId, Box<str>> =
            store.commit_status_list(setup, LOOKED_AT).await?.into_iter().map(|row| (row.run, row.state)).collect();
        let now = self.now();
        // The oldest first: of two runs of one commit the newer has the last word.
        for run in runs.iter().rev().filter(|run| is_fresh(run, now)) {
            let Some(rule) = self.inner.statuses.rule_of(run.project.as_str(), name) else { continue };
            let Some(commit) = run.commit.as_deref().filter(|commit| is_full_commit(commit)) else { continue };
            let state = CommitState::of(run.state, run.result);
            if said.get(&run.id).is_some_and(|said| **said == *state.as_str()) {
                continue;
            }
            let status = CommitStatus {
                commit: commit.to_ascii_lowercase(),
                context: context(&rule.context, name, run.project.as_str()),
                state,
                description: description(state, name, run.counts),
                url: self.link(&Page::Run(run.id).to_string()),
            };
            let letter = Letter::CommitStatus { repository: rule.repository.clone(), status };
            let mut group = store.begin_group().await?;
            group.outbox_put(&letter.row(now)).await?;
            let row = CommitStatusRow { run: run.id, state: state.as_str().into(), at: now };
            group.commit_status_save(&row).await?;
            group.commit().await?;
            self.inner.letters.notify_one();
        }
        Ok(())
    }

    pub(super) async fn send_commit_status(&self, repository: &str, status: &CommitStatus) -> Delivery {
        let known = match self.repository(repository).await {
            Ok(known) => known,
            Err(failure) => return Delivery::Later(failure.to_string(), None),
        };
        let Some(repository) = known else {
            return Delivery::Never(format!("{repository} is not configured any more"));
        };
        match self.inner.outgoing.send(repository.call(status)).await {
            Ok(answer) => repository.outcome(&answer),
            Err(error) => Delivery::failed(&error),
        }
    }
}

/// Whether somebody may still wait for the status of a run.
fn is_fresh(run: &RunRow, now: Timestamp) -> bool {
    let last = run.finished_at.or(run.started_at).unwrap_or(run.created_at);
    now.since(last) < FRESH_FOR
}

fn context(pattern: &str, setup: &str, project: &str) -> String {
    pattern.replace("{setup}", setup).replace("{project}", project)
}

/// How a run stands, in a line.
fn description(state: CommitState, setup: &str, counts: Counts) -> String {
    let ran = counts.passed + counts.flaky + counts.failed;
    match state {
        CommitState::Pending => format!("waiting on {setup}"),
        CommitState::Running => format!("running on {setup}"),
        CommitState::Success if counts.flaky > 0 => format!("{ran} passed, {} of them flaky", counts.flaky),
        CommitState::Success => format!("{ran} passed"),
        CommitState::Failure => format!("{} of {ran} failed", counts.failed),
        CommitState::Cancelled => format!("cancelled after {ran} of {} tests", counts.planned),
        CommitState::Error => format!("incomplete: {ran} of {} tests ended", counts.planned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_counts() {
        let counts = Counts { planned: 40, passed: 30, flaky: 2, failed: 3, ..Counts::default() };
        let of = |state| description(state, "bench 1", counts);
        assert_eq!(of(CommitState::Running), "running on bench 1");
        assert_eq!(of(CommitState::Success), "35 passed, 2 of them flaky");
        assert_eq!(of(CommitState::Failure), "3 of 35 failed");
        assert_eq!(of(CommitState::Error), "incomplete: 35 of 40 tests ended");
        assert_eq!(context("holter/{project}/{setup}", "a", "b"), "holter/b/a");
    }
}
