//! Questions about what was recorded: for the public reads, the pages and the
//! streams alike.

use super::cursor;
use super::desk::{Desk, Sight};
use super::failure::Failure;
use super::tiles;
use super::{Service, tiles::Outlook};
use crate::store::rows::{RunFilter, RunRow, SuiteRow, TestRow};
use app::domain::ids::{RunId, ScriptId, SetupId};
use app::domain::name::{ProjectName, SetupName};
use app::domain::run::{Run, RunResult, RunState};
use app::domain::test::Test;
use app::domain::time::Micros;
use app::live::RunChange;
use app::read::{RunHead, RunLine, RunPage, SetupPage, TestLine, Tile};
use std::collections::HashMap;
use std::sync::Arc;

/// Runs on one page of a setup.
const RUNS_ON_PAGE: u32 = 20;

/// Failing tests of a page whose messages are sent along with it.
const MESSAGES_ON_PAGE: usize = 500;

/// Characters of a message that are sent along with its test.
const MESSAGE_BEGINNING: usize = 600;

/// Which runs are asked for; what is none does not filter.
#[derive(Clone, Debug, Default)]
pub struct RunQuestion {
    /// On the setup of this name.
    pub setup: Option<String>,
    /// Of this project.
    pub project: Option<String>,
    /// Of this branch.
    pub branch: Option<String>,
    /// That came to this.
    pub result: Option<RunResult>,
    /// That stand here.
    pub state: Option<RunState>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins.
    pub next: Option<String>,
}

/// A run of which only the row is at hand: enough for its times and outcomes.
pub(super) fn outline(row: &RunRow) -> Run {
    Run::restore(row.id, row.setup, row.key.clone(), row.facts.clone(), Vec::new(), Vec::new())
}

/// The name of a test, the suites before it and its parameters after it.
pub(super) fn path_of(suite: &[Box<str>], test: &Test) -> Vec<String> {
    let name = match &test.parameters {
        Some(parameters) => format!("{} [{parameters}]", test.name),
        None => test.name.to_string(),
    };
    suite.iter().map(ToString::to_string).chain([name]).collect()
}

fn line_of(row: &RunRow) -> RunLine {
    RunLine { counts: row.counts, result: row.result, ..tiles::line(&outline(row)) }
}

impl Service {
    /// How long until silence is called so.
    pub fn silent_after(&self) -> Micros {
        self.inner.board.patience().silent_after
    }

    pub(super) fn setup_name(&self, setup: SetupId) -> String {
        self.inner.board.tile_of(setup).map(|tile| tile.name.clone()).unwrap_or_default()
    }
}

impl Desk {
    /// Every setup, by name.
    pub async fn setups(&self) -> Result<Vec<Arc<Tile>>, Failure> {
        let sight = self.reading().await?;
        let mut tiles = self.inner.board.tiles();
        tiles.retain(|tile| sight.sees(tile));
        Ok(tiles)
    }

    /// One setup.
    pub async fn setup(&self, name: &str) -> Result<Option<Arc<Tile>>, Failure> {
        let sight = self.reading().await?;
        Ok(self.inner.board.tile(name).filter(|tile| sight.sees(tile)))
    }

    /// A filter that finds no more than is seen; none where that is nothing.
    pub(super) fn within(&self, filter: RunFilter, sight: &Sight) -> Option<RunFilter> {
        let bounds = match sight {
            Sight::Everything => return Some(filter),
            Sight::Within(bounds) => bounds,
            Sight::Wall(_) => return None,
        };
        if filter.project.as_ref().is_some_and(|project| !bounds.has_project(project.as_str())) {
            return None;
        }
        let own = match &bounds.setup {
            Some(name) => Some(self.inner.board.tile(name.as_str())?.setup),
            None => None,
        };
        if own.is_some() && filter.setup.is_some() && own != filter.setup {
            return None;
        }
        Some(RunFilter { projects: bounds.projects.clone(), setup: filter.setup.or(own), ..filter })
    }

    /// A run's row, where it is seen.
    pub(super) async fn row(&self, id: RunId) -> Result<Option<RunRow>, Failure> {
        let sight = self.reading().await?;
        let row = self.inner.store.run_get(id).await?;
        Ok(row.filter(|row| self.is_seen(&sight, row.project.as_str(), row.setup)))
    }

    /// Runs with the names of their setups, the newest first.
    pub async fn runs(
        &self,
        question: &RunQuestion,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Listing<(String, RunLine)>, Failure> {
        let empty = Listing { items: Vec::new(), next: None };
        let sight = self.reading().await?;
        let setup = match &question.setup {
            None => None,
            Some(name) => match self.inner.board.tile(name) {
                Some(tile) => Some(tile.setup),
                None => return Ok(empty),
            },
        };
        let filter = RunFilter {
            setup,
            project: question.project.as_deref().map(ProjectName::stored),
            branch: question.branch.as_deref().map(Into::into),
            result: question.result,
            state: question.state,
            ..RunFilter::default()
        };
        let Some(filter) = self.within(filter, &sight) else { return Ok(empty) };
        let after = cursor.map(cursor::read_run).transpose()?;
        let mut rows = self.inner.store.run_page(&filter, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| cursor::write_run(row.created_at, row.id));
        let items = rows.iter().map(|row| (self.setup_name(row.setup), line_of(row))).collect();
        Ok(Listing { items, next })
    }

    /// What stands above the tree of a run.
    pub async fn run_head(&self, id: RunId) -> Result<Option<RunHead>, Failure> {
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let run = match self.shown(&row) {
            Some(_) => outline(&row),
            None if row.state == RunState::Running => {
                self.inner.store.run_load(id).await?.unwrap_or_else(|| outline(&row))
            }
            None => outline(&row),
        };
        self.head(&row, &run).await.map(Some)
    }

    /// The tile that shows this run.
    fn shown(&self, row: &RunRow) -> Option<Arc<Tile>> {
        let tile = self.inner.board.tile_of(row.setup)?;
        tile.run.as_ref().is_some_and(|card| card.id == row.id).then_some(tile)
    }

    async fn head(&self, row: &RunRow, run: &Run) -> Result<RunHead, Failure> {
        let outlook = Outlook::default();
        let facts = tiles::facts(run, &outlook, row.heard_at);
        let version = row.version.unsigned_abs();
        let mut head = tiles::head(run, &outlook, &self.setup_name(row.setup), version, facts);
        head.card.counts = row.counts;
        head.card.result = row.result;
        if let Some(tile) = self.shown(row) {
            head.facts = tile.facts;
            head.pulse = Some(tile.pulse.clone());
            head.card = tile.run.clone().unwrap_or(head.card);
        }
        head.silent_after = self.silent_after();
        let good = RunFilter {
            setup: Some(row.setup),
            project: Some(row.project.clone()),
            result: Some(RunResult::Passed),
            ..RunFilter::default()
        };
        let before = self.inner.store.run_page(&good, Some((row.created_at, row.id)), 1).await?;
        head.last_good = before.first().map(|row| row.id);
        Ok(head)
    }

    /// One run, whole.
    pub async fn run(&self, id: RunId) -> Result<Option<RunPage>, Failure> {
        let store = &self.inner.store;
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let (suites, tests) = (store.suite_rows(id).await?, store.test_rows(id).await?);
        let run = Run::restore(
            row.id,
            row.setup,
            row.key.clone(),
            row.facts.clone(),
            suites.iter().map(|row| row.suite.clone()).collect(),
            tests.iter().map(|row| row.test.clone()).collect(),
        );
        let head = self.head(&row, &run).await?;
        let renames = if self.may_rename(row.project.as_str()) {
            let ids: Vec<_> = tests.iter().map(|row| row.test.id).collect();
            self.offers(&row, &ids).await?
        } else {
            Vec::new()
        };
        let RunChange { head, suites, tests, now } = self.lines(head, &run, &suites, &tests).await?;
        Ok(Some(RunPage { head, suites, tests, renames, now }))
    }

    /// What changed in a run after a version.
    pub async fn run_changes(&self, id: RunId, after: u64) -> Result<Option<RunChange>, Failure> {
        let store = &self.inner.store;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let (suites, tests) = (store.suite_changes(id, after).await?, store.test_changes(id, after).await?);
        let run = outline(&row);
        let head = self.head(&row, &run).await?;
        self.lines(head, &run, &suites, &tests).await.map(Some)
    }

    async fn lines(
        &self,
        head: RunHead,
        run: &Run,
        suites: &[SuiteRow],
        tests: &[TestRow],
    ) -> Result<RunChange, Failure> {
        let suites = suites.iter();
        let suites =
            suites.map(|row| tiles::suite_line(run, row.ordinal, &row.suite, row.version.unsigned_abs())).collect();
        let rows = tests.iter();
        let mut tests: Vec<_> =
            rows.map(|row| tiles::test_line(run, row.ordinal, &row.test, row.version.unsigned_abs())).collect();
        self.add_messages(run.id, &mut tests).await?;
        Ok(RunChange { head, suites, tests, now: self.now() })
    }

    /// Gives tests that failed or flaked the beginning of their last message.
    async fn add_messages(&self, run: RunId, tests: &mut [TestLine]) -> Result<(), Failure> {
        let told = |test: &&TestLine| test.attempts.iter().any(|attempt| attempt.has_text);
        let ordinals: Vec<_> = tests.iter().filter(told).take(MESSAGES_ON_PAGE).map(|test| test.ordinal).collect();
        if ordinals.is_empty() {
            return Ok(());
        }
        let mut last: HashMap<u32, String> = HashMap::new();
        for text in self.inner.store.text_list(run, &ordinals).await? {
            if let Some(message) = text.message {
                last.insert(text.ordinal, message.chars().take(MESSAGE_BEGINNING).collect());
            }
        }
        for test in tests {
            test.message = last.remove(&test.ordinal);
        }
        Ok(())
    }

    /// The text of a script. Its id is made of the text: who has one was told
    /// of it in a run.
    pub async fn script_text(&self, id: ScriptId) -> Result<Option<String>, Failure> {
        self.reading().await?;
        Ok(self.inner.store.script_get(id).await?)
    }

    /// One setup with a page of its runs.
    pub async fn setup_with_runs(&self, name: &str, cursor: Option<&str>) -> Result<Option<SetupPage>, Failure> {
        let Some(tile) = self.setup(name).await? else { return Ok(None) };
        let question = RunQuestion { setup: Some(name.to_owned()), ..RunQuestion::default() };
        let runs = self.runs(&question, cursor, RUNS_ON_PAGE).await?;
        let run = match &tile.run {
            Some(card) => self.run(card.id).await?,
            None => None,
        };
        let setup_name = SetupName::stored(name);
        let rows = self.inner.store.setup_list().await?;
        let attributes = rows.into_iter().find(|row| row.name == setup_name).map(|row| row.attributes);
        let attributes = attributes.unwrap_or_default().into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Ok(Some(SetupPage {
            tile: Tile::clone(&tile),
            attributes,
            run,
            runs: runs.items.into_iter().map(|(_, line)| line).collect(),
            next: runs.next,
            now: self.now(),
            silent_after: self.silent_after(),
        }))
    }
}
