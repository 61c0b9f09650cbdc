//! The health of tests that are joined or parted.
//!
//! The detector takes results in one by one and keeps none of them, so joining
//! two tests means to take in the results of both again, in the order of their
//! time. That is done here, by the one writer, in the transaction that makes
//! the rename known: nobody sees the one without the other. Whether a run was an
//! incident is not known any more; `holter health rebuild` finds that out.

use super::group;
use super::judge::{look, names, vitals_of};
use super::pending::Pending;
use super::recorder::Recorder;
use super::vitals::hash_of_run;
use crate::store::rows::{AttemptsRow, RenameRow};
use crate::store::{Group, StoreError};
use app::domain::health::{Model, Observation, State, hash_of};
use app::domain::ids::{SetupId, TestId};
use app::domain::name::SetupName;
use app::domain::rename::Names;
use std::collections::BTreeSet;

/// Results of each name that are taken in again, the newest.
const TAKEN_IN: u32 = 2_000;

/// Tests become one, or two again.
#[derive(Clone, Debug)]
pub enum Joining {
    /// One goes on as another.
    Join(RenameRow),
    /// One that was said to go on as another stands for itself again.
    Part(TestId),
}

impl Recorder {
    /// Writes down that tests are joined or parted, and what that makes of
    /// their health. Tells whether it could be.
    pub(super) async fn take_joining(&mut self, joining: &Joining) -> Result<bool, StoreError> {
        // All results are in their rows, and whole: they are read from there.
        self.try_to_tell_all().await?;
        let Some(tests) = self.concerned(joining).await? else { return Ok(false) };
        let written = self.join(joining, tests).await.inspect_err(|_| self.tear())?;
        self.told(&written);
        Ok(true)
    }

    async fn join(&mut self, joining: &Joining, tests: [TestId; 2]) -> Result<Pending, StoreError> {
        let setups = self.setups_of(tests).await?;
        let since = self.since();
        for name in &setups {
            self.pending.word(name, since);
        }
        let mut group = self.store.begin_group().await?;
        group::touch(self, &mut group, &setups).await?;
        match joining {
            Joining::Join(row) => group.rename_insert(row).await?,
            Joining::Part(was) => drop(group.rename_delete(*was).await?),
        }
        let names = names(&mut group).await?;
        for name in &setups {
            self.reckon(&mut group, name, &names, tests).await?;
        }
        group::write(self, group, &setups).await
    }

    /// The setups on which one of the tests has results.
    async fn setups_of(&self, tests: [TestId; 2]) -> Result<Vec<SetupName>, StoreError> {
        let mut setups = BTreeSet::new();
        for test in tests {
            setups.extend(self.store.setups_of_test(test).await?);
        }
        let known = self.hot.setups.iter().filter(|(_, setup)| setups.contains(&setup.id));
        Ok(known.map(|(name, _)| name.clone()).collect())
    }

    /// The two tests; none where it cannot be, as somebody else was faster.
    async fn concerned(&self, joining: &Joining) -> Result<Option<[TestId; 2]>, StoreError> {
        let store = &self.store;
        Ok(match joining {
            Joining::Join(row) => {
                let is_free =
                    store.rename_get(row.was).await?.is_none() && store.rename_get(row.now_is).await?.is_none();
                is_free.then_some([row.was, row.now_is])
            }
            Joining::Part(was) => store.rename_get(*was).await?.map(|row| [*was, row.now_is]),
        })
    }

    /// Makes the health of two tests on a setup anew, as they are called now.
    async fn reckon(
        &mut self,
        group: &mut Group,
        name: &SetupName,
        names: &Names,
        tests: [TestId; 2],
    ) -> Result<(), StoreError> {
        let Recorder { hot, model, .. } = self;
        let Some(setup) = hot.setups.get_mut(name) else { return Ok(()) };
        let vitals = vitals_of(setup.id, &mut setup.vitals, model, group).await?;
        vitals.rename(names.clone());
        // The one that a test is called now may be called otherwise in turn.
        let tests: BTreeSet<_> = tests.into_iter().flat_map(|test| [test, names.now(test)]).collect();
        let missing: Vec<_> = vitals.missing(tests.iter().copied()).into_iter().collect();
        for (test, state) in group.health_load(setup.id, &missing).await? {
            vitals.know(model, test, Some(&state));
        }
        for test in tests {
            let state = if names.is_past(test) { None } else { again(group, model, names, setup.id, test).await? };
            vitals.restate(model, test, state.as_ref());
            if state.is_none() {
                group.health_forget(setup.id, test).await?;
            }
        }
        look(&mut setup.pulse, vitals);
        Ok(())
    }
}

/// What is known of a test from all results that it had under all its names.
async fn again(
    group: &mut Group,
    model: &Model,
    names: &Names,
    setup: SetupId,
    test: TestId,
) -> Result<Option<State>, StoreError> {
    let mut rows = Vec::new();
    for name in names.all(test) {
        rows.extend(group.test_attempts(name, setup, TAKEN_IN).await?);
    }
    rows.sort_by_key(|row| (row.finished_at, row.run));
    let mut state = None;
    for seen in rows.iter().flat_map(observations) {
        state.get_or_insert_with(|| State::new(model)).observe(model, &seen);
    }
    Ok(state)
}

/// The results of a test in a run.
fn observations(row: &AttemptsRow) -> impl Iterator<Item = Observation> {
    let (run, commit) = (hash_of_run(row.run.0), row.commit.as_deref().map(hash_of));
    let ended = row.attempts.iter().filter_map(|attempt| attempt.finished);
    let results = ended.filter(|finish| finish.verdict.is_failure() || finish.verdict.is_pass());
    results.map(move |finish| Observation {
        failed: finish.verdict.is_failure(),
        commit,
        run,
        at: finish.at,
        incident: false,
    })
}
