//! Runs that end without their listener's word.

use super::group::{bring, touch, write};
use super::hot::{Hot, HotRun, HotSetup};
use super::pending::Pending;
use super::recorder::Recorder;
use crate::store::StoreError;
use app::domain::activity::Patience;
use app::domain::name::{RunKey, SetupName};
use app::domain::run::{Completion, RunState};
use app::domain::time::Timestamp;
use std::collections::BTreeSet;

/// Open runs a setup may have; beyond it the one silent for longest is given
/// up, so that a listener which never ends its runs cannot fill the memory.
const OPEN_RUNS_MAX: usize = 64;

/// Why a run is closed without its listener's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// Silent for too long.
    GiveUp,
    /// All shards that began have ended, and no other came.
    Settle,
}

/// Open runs that must be closed at `now`.
pub(super) fn overlooked(
    hot: &Hot,
    patience: Patience,
    now: Timestamp,
    listening_since: Timestamp,
) -> Vec<(SetupName, RunKey, Close)> {
    let mut due = Vec::new();
    for (name, setup) in &hot.setups {
        let open = hot.runs_of(setup.id).filter(|hot| !hot.run.is_over());
        let mut open: Vec<_> = open.map(|hot| (last_word(hot, setup, listening_since), hot)).collect();
        open.sort_by_key(|(heard, _)| *heard);
        let too_many = open.len().saturating_sub(OPEN_RUNS_MAX);
        for (rank, (heard, hot)) in open.into_iter().enumerate() {
            let key = &hot.run.key;
            let silence = now.since(heard);
            let settling = hot.run.facts().shards.completion() == Completion::Settling;
            if settling && silence >= patience.settle_after {
                due.push((name.clone(), key.clone(), Close::Settle));
            } else if silence >= hot.run.lost_after(patience) || rank < too_many {
                due.push((name.clone(), key.clone(), Close::GiveUp));
            }
        }
    }
    due
}

/// The last word of a run. A heartbeat of its setup speaks for the run that
/// the setup is busy with, not for one that it left behind.
fn last_word(hot: &HotRun, setup: &HotSetup, listening_since: Timestamp) -> Timestamp {
    let by_setup = (setup.shown.as_ref() == Some(&hot.run.key)).then_some(setup.heard_at).flatten();
    let planned_only = hot.run.state() == RunState::Waiting;
    let heard = hot.run.facts().heard_at.max(by_setup.filter(|_| !planned_only));
    heard.unwrap_or(hot.created_at).max(listening_since)
}

/// Closes runs, and writes that down. Answers what was written.
pub(super) async fn close(
    recorder: &mut Recorder,
    due: Vec<(SetupName, RunKey, Close)>,
    now: Timestamp,
) -> Result<Pending, StoreError> {
    let since = recorder.since();
    let names: BTreeSet<_> = due.iter().map(|(name, ..)| name.clone()).collect();
    let names: Vec<_> = names.into_iter().collect();
    for name in &names {
        recorder.pending.word(name, since);
    }
    let mut group = recorder.store.begin_group().await?;
    touch(recorder, &mut group, &names).await?;
    for (name, key, why) in due {
        let Some(setup) = recorder.hot.setups.get(&name).map(|setup| setup.id) else { continue };
        let at = (setup, key);
        bring(&mut recorder.hot, &mut group, &at, now).await?;
        recorder.pending.changed(&name, at.clone());
        let Some(hot) = recorder.hot.used(&at) else { continue };
        match why {
            Close::GiveUp => hot.run.give_up(now),
            Close::Settle => hot.run.settle(now),
        }
    }
    write(recorder, group, &names).await
}
