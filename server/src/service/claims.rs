//! Who looks after a setup that is ill.
//!
//! A claim holds until it is given back, or until a run of the setup has ended
//! well after it was made.

use super::desk::Desk;
use super::failure::Failure;
use super::recorder::{Note, Recorder};
use crate::store::StoreError;
use crate::store::rows::ClaimRow;
use app::domain::ids::SetupId;
use app::domain::name::{SetupName, tidy};
use app::domain::rights::Action;
use app::domain::run::RunResult;
use app::read::{Claim, Tile};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Letters of a person's name that are kept.
const HOLDER_KEPT: usize = 60;

/// Letters of a note that are kept.
const NOTE_KEPT: usize = 200;

/// Whether what a claim was made for is over: a run that ended later was well.
fn is_healed(tile: &Tile, claim: &Claim) -> bool {
    let ended = tile.run.as_ref().filter(|run| matches!(run.result, Some(RunResult::Passed | RunResult::Flaky)));
    ended.and_then(|run| run.finished_at).is_some_and(|at| at > claim.at)
}

fn claim_of(row: &ClaimRow) -> Claim {
    Claim { holder: row.holder.to_string(), note: row.note.as_deref().map(str::to_owned), at: row.at }
}

impl Desk {
    /// Somebody looks after a setup.
    pub async fn claim(&self, setup: &str, holder: &str, note: Option<&str>) -> Result<(), Failure> {
        let name = self.known_setup(setup)?;
        if holder.trim().is_empty() {
            return Err(Failure::invalid("holder", "must be the name of a person"));
        }
        let note = note.filter(|note| !note.trim().is_empty()).map(|note| tidy(note, NOTE_KEPT));
        self.note_claim(name, Some((tidy(holder, HOLDER_KEPT), note))).await
    }

    /// Nobody looks after a setup any more.
    pub async fn release(&self, setup: &str) -> Result<(), Failure> {
        let name = self.known_setup(setup)?;
        self.note_claim(name, None).await
    }

    pub(super) fn known_setup(&self, setup: &str) -> Result<SetupName, Failure> {
        let known = self.inner.board.tile(setup);
        let project = known.as_ref().and_then(|tile| tile.run.as_ref()).map(|run| &*run.project);
        self.allow_at(Action::Care, project, Some(setup))?;
        known.map(|tile| SetupName::stored(tile.name.clone())).ok_or_else(|| {
            Failure::NotFound(format!("there is no setup {setup:?}; setups are listed under /api/v1/setups"))
        })
    }

    async fn note_claim(&self, setup: SetupName, claim: Option<Held>) -> Result<(), Failure> {
        let (done, told) = oneshot::channel();
        let note = Note::Claim { setup, claim, done };
        self.inner.notes.send(note).await.map_err(|_| Failure::Closing)?;
        Ok(told.await.map_err(|_| Failure::Closing)??)
    }
}

/// The name of a person, and what that person says.
pub type Held = (Box<str>, Option<Box<str>>);

impl Recorder {
    /// Writes a claim, or its end, down and shows it.
    pub(super) async fn take_claim(&mut self, name: SetupName, held: Option<Held>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let Some(setup) = self.hot.setups.get(&name).map(|setup| setup.id) else { return Ok(()) };
        let row = held.map(|(holder, note)| ClaimRow { setup, holder, note, at: now });
        match &row {
            Some(row) => self.store.claim_save(row).await?,
            None => drop(self.store.claim_end(setup, now).await?),
        }
        if let Some(hot) = self.hot.setups.get_mut(&name) {
            hot.claim = row.as_ref().map(claim_of);
        }
        // The version must rise, or no page would take the tile.
        let since = self.since();
        self.pending.word(&name, since);
        self.try_to_tell(|_| vec![name]).await
    }

    /// Lets go of a claim whose setup is well again.
    pub(super) fn heal(&mut self, name: &SetupName, tile: &mut Tile) {
        if !tile.claim.as_ref().is_some_and(|claim| is_healed(tile, claim)) {
            return;
        }
        let Some(claim) = tile.claim.take() else { return };
        if let Some(hot) = self.hot.setups.get_mut(name) {
            hot.claim = None;
        }
        let (store, setup) = (self.store.clone(), tile.setup);
        tokio::spawn(async move {
            // Should this fail, the claim comes back with the next start, and
            // goes with the next run that is well.
            if let Err(error) = store.claim_end(setup, claim.at).await {
                tracing::debug!(%error, "the end of a claim was not written down");
            }
        });
    }

    /// Takes up the claims of setups that are taken up.
    pub(super) async fn take_up_claims(&mut self, names: &HashMap<SetupId, SetupName>) -> Result<(), StoreError> {
        for row in self.store.claim_list().await? {
            if let Some(setup) = names.get(&row.setup).and_then(|name| self.hot.setups.get_mut(name)) {
                setup.claim = Some(claim_of(&row));
            }
        }
        Ok(())
    }
}
