//! Tests that go on under another name: found, offered, joined and parted.
//!
//! What was recorded stays as it was said: a rename is a row of its own, so it
//! can be taken back at any time. Readers of a test's past look under all of
//! its names, and the detector takes results in under the present one; see
//! [`reckon`](super::reckon) for what it makes of those that came before.

use super::desk::Desk;
use super::failure::Failure;
use super::reckon::Joining;
use super::recorder::Note;
use super::{Service, reads};
use crate::store::rows::{RenameRow, ResultRow, RunFilter, RunRow, SuiteRow, TestRow};
use app::domain::account::Deed;
use app::domain::ids::{RunId, TestId};
use app::domain::rename::{COMPARED_MAX, Candidate, NAMES_MAX, Rename, renames};
use app::domain::rights::Action;
use app::domain::run::RunState;
use app::read::{KnownName, RenameOffer};
use std::collections::{HashMap, HashSet};
use tokio::sync::oneshot;

/// Results up to which a test is young enough to be asked for its name before:
/// who has run more often than that was not renamed yesterday.
const YOUNG: usize = 100;

fn strings(path: &[Box<str>]) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

fn known(id: TestId, row: RenameRow) -> KnownName {
    KnownName { id, path: strings(&row.was_path), at: row.at, by: row.actor.into() }
}

impl Service {
    /// What a test is called now.
    pub(super) async fn called_now(&self, mut test: TestId) -> Result<TestId, Failure> {
        for _ in 0..NAMES_MAX {
            let Some(row) = self.inner.store.rename_get(test).await? else { break };
            test = row.now_is;
        }
        Ok(test)
    }

    /// The results of a test under all of its names, the newest first.
    pub(super) async fn results_of(
        &self,
        test: TestId,
        before: &[RenameRow],
        limit: u32,
    ) -> Result<Vec<ResultRow>, Failure> {
        let store = &self.inner.store;
        let mut rows = store.test_results(test, limit).await?;
        for row in before.iter().take(NAMES_MAX) {
            rows.extend(store.test_results(row.was, limit).await?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.finished_at));
        rows.truncate(limit as usize);
        Ok(rows)
    }
}

impl Desk {
    /// What a test was called before and what it is called now, where that is
    /// something else.
    pub(super) async fn names_of(
        &self,
        test: TestId,
        before: Vec<RenameRow>,
    ) -> Result<(Vec<KnownName>, Option<KnownName>), Failure> {
        let before = before.into_iter().map(|row| known(row.was, row)).collect();
        let Some(row) = self.inner.store.rename_get(test).await? else { return Ok((before, None)) };
        let now = self.inner.store.test_results(row.now_is, 1).await?;
        let path = now.first().map(|row| strings(&row.path)).unwrap_or_default();
        Ok((before, Some(KnownName { path, ..known(row.now_is, row) })))
    }

    /// What a test may have been called before its first run.
    pub(super) async fn offers_for(&self, test: TestId, results: &[ResultRow]) -> Result<Vec<RenameOffer>, Failure> {
        let Some(first) = results.last().filter(|_| results.len() <= YOUNG) else { return Ok(Vec::new()) };
        let mut offers = self.renames_in(first.run).await?.unwrap_or_default();
        offers.retain(|offer| offer.now_is == test);
        Ok(offers)
    }

    /// Which tests of a run likely go on from ones that the run before it
    /// still had; `None` where there is no such run.
    pub async fn renames_in(&self, id: RunId) -> Result<Option<Vec<RenameOffer>>, Failure> {
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let ids = self.inner.store.test_ids(id).await?;
        self.offers(&row, &ids).await.map(Some)
    }

    /// As [`Self::renames_in`], of a run and its tests.
    pub(super) async fn offers(&self, row: &RunRow, tests: &[TestId]) -> Result<Vec<RenameOffer>, Failure> {
        let is_over = matches!(row.state, RunState::Finished);
        let Some(before) = self.run_before(row).await?.filter(|_| is_over) else { return Ok(Vec::new()) };
        let here: HashSet<_> = tests.iter().copied().collect();
        let there: HashSet<_> = self.inner.store.test_ids(before.id).await?.into_iter().collect();
        let vanished: HashSet<_> = there.difference(&here).copied().collect();
        let appeared: HashSet<_> = here.difference(&there).copied().collect();
        let is_likely = |tests: &HashSet<TestId>| (1..=COMPARED_MAX).contains(&tests.len());
        if !is_likely(&vanished) || !is_likely(&appeared) {
            return Ok(Vec::new());
        }
        let (old, new) = (self.compared(before.id, &vanished).await?, self.compared(row.id, &appeared).await?);
        let found = renames(&candidates(&old), &candidates(&new));
        let mut offers = Vec::new();
        for rename in found {
            if self.is_news(row, &rename).await? {
                offers.push(offer(&rename, &old, &new));
            }
        }
        Ok(offers)
    }

    /// The run of the setup before this one that ended.
    async fn run_before(&self, row: &RunRow) -> Result<Option<RunRow>, Failure> {
        let filter = RunFilter {
            setup: Some(row.setup),
            project: Some(row.project.clone()),
            branch: row.branch.clone(),
            state: Some(RunState::Finished),
            ..RunFilter::default()
        };
        Ok(self.inner.store.run_page(&filter, Some((row.created_at, row.id)), 1).await?.pop())
    }

    /// Those tests of a run, with their suites.
    async fn compared(&self, run: RunId, wanted: &HashSet<TestId>) -> Result<Vec<(TestRow, SuiteRow)>, Failure> {
        let store = &self.inner.store;
        let suites = store.suite_rows(run).await?.into_iter().map(|suite| (suite.ordinal, suite));
        let suites: HashMap<_, _> = suites.collect();
        let tests = store.test_rows(run).await?.into_iter().filter(|row| wanted.contains(&row.test.id));
        Ok(tests.filter_map(|row| suites.get(&row.test.suite).cloned().map(|suite| (row, suite))).collect())
    }

    /// Whether the one never ran before, the other never again, and nobody has
    /// said anything of either.
    async fn is_news(&self, row: &RunRow, rename: &Rename) -> Result<bool, Failure> {
        let store = &self.inner.store;
        let is_said = store.rename_get(rename.was).await?.is_some() || store.rename_get(rename.now_is).await?.is_some();
        if is_said {
            return Ok(false);
        }
        let came_back = store.test_reach(rename.was).await?.is_some_and(|reach| reach.last_at > row.created_at);
        let was_there = store.test_reach(rename.now_is).await?.is_some_and(|reach| reach.first_at < row.created_at);
        Ok(!came_back && !was_there)
    }

    /// Whether the asker may join tests of a project.
    pub(super) fn may_rename(&self, project: &str) -> bool {
        self.allow_at(Action::Care, Some(project), None).is_ok()
    }

    /// A test goes on as another one: their results are one history from here on.
    pub async fn rename(&self, was: TestId, now_is: TestId) -> Result<(), Failure> {
        let old = self.newest(was).await?;
        self.allow_at(Action::Care, old.as_ref().map(|row| row.project.as_str()), None)?;
        let (Some(old), Some(new)) = (old, self.newest(now_is).await?) else {
            return Err(Failure::NotFound("one of the two tests never had a result".into()));
        };
        if was == now_is {
            return Err(Failure::invalid("now", "is the same test"));
        }
        if old.project != new.project {
            return Err(Failure::invalid("now", "is a test of another project"));
        }
        if self.inner.store.tests_together(was, now_is).await? {
            return Err(Failure::invalid(
                "now",
                "has results in a run in which the other one has some too: they are two",
            ));
        }
        let actor = self.asker_name().into();
        let row = RenameRow { was, now_is, was_path: old.path.clone(), at: self.now(), actor };
        if !self.note_renaming(Joining::Join(row)).await? {
            return Err(Failure::invalid("was", "one of the two goes on under another name already: part them first"));
        }
        let detail = format!("{} goes on as {now_is}", old.path.join(" / "));
        self.note(Deed::TestsJoined, &was.to_string(), Some(&detail)).await;
        Ok(())
    }

    /// A test that was said to go on as another one stands for itself again.
    pub async fn part(&self, was: TestId) -> Result<(), Failure> {
        let old = self.newest(was).await?;
        self.allow_at(Action::Care, old.as_ref().map(|row| row.project.as_str()), None)?;
        if !self.note_renaming(Joining::Part(was)).await? {
            return Err(Failure::NotFound(format!("the test {was} does not go on under another name")));
        }
        let detail = old.map(|row| row.path.join(" / "));
        self.note(Deed::TestsParted, &was.to_string(), detail.as_deref()).await;
        Ok(())
    }

    /// The newest result of a test that the asker may look after: whoever may
    /// say what becomes of it need not be one who reads.
    async fn newest(&self, test: TestId) -> Result<Option<ResultRow>, Failure> {
        let newest = self.inner.store.test_results(test, 1).await?.pop();
        Ok(newest.filter(|row| self.may_rename(row.project.as_str())))
    }

    async fn note_renaming(&self, joining: Joining) -> Result<bool, Failure> {
        let (done, told) = oneshot::channel();
        self.inner.notes.send(Note::Rename { joining, done }).await.map_err(|_| Failure::Closing)?;
        Ok(told.await.map_err(|_| Failure::Closing)??)
    }
}

fn candidates(rows: &[(TestRow, SuiteRow)]) -> Vec<Candidate<'_>> {
    rows.iter().map(|(row, suite)| candidate(row, suite)).collect()
}

fn candidate<'a>(TestRow { test, .. }: &'a TestRow, suite: &'a SuiteRow) -> Candidate<'a> {
    Candidate {
        id: test.id,
        suite: &suite.suite.path,
        name: &test.name,
        parameters: test.parameters.as_deref(),
        source: test.source.as_deref().or(suite.suite.source.as_deref()),
        script: test.script,
        tags: &test.tags,
    }
}

fn offer(rename: &Rename, old: &[(TestRow, SuiteRow)], new: &[(TestRow, SuiteRow)]) -> RenameOffer {
    let path = |rows: &[(TestRow, SuiteRow)], id: TestId| {
        let found = rows.iter().find(|(row, _)| row.test.id == id);
        found.map(|(row, suite)| reads::path_of(&suite.suite.path, &row.test)).unwrap_or_default()
    };
    RenameOffer {
        was: rename.was,
        was_path: path(old, rename.was),
        now_is: rename.now_is,
        now_path: path(new, rename.now_is),
        sign: rename.sign,
        likeness: rename.likeness.into(),
    }
}
