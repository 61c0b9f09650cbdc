//! One group: from events to rows, inside one transaction.

use super::hot::{Hot, HotRun, HotSetup};
use super::recorder::{Fate, Recorder, Submission, Told};
use crate::clock::new_id;
use crate::intake::Incoming;
use crate::store::rows::{EventRow, RunRow, ScriptRow, SetupTouch, SuiteRow, TestRow, TextRow};
use crate::store::{Group, StoreError};
use app::domain::activity::Patience;
use app::domain::event::{EventKind, RunEvent};
use app::domain::ids::{RunId, SetupId};
use app::domain::name::{RunKey, SetupName};
use app::domain::run::{Applied, Completion, Run, RunState};
use app::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use uuid::Uuid;

/// Open runs a setup may have; beyond it the one silent for longest is given
/// up, so that a listener which never ends its runs cannot fill the memory.
const OPEN_RUNS_MAX: usize = 64;

/// What a group touched, for what comes after the commit, or after its failure.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Setups.
    pub setups: BTreeSet<SetupName>,
    /// Runs, with the name of their setup.
    pub runs: BTreeMap<(SetupId, RunKey), SetupName>,
    /// Events written to the log.
    pub events: usize,
}

/// Rows of a group, a list a table.
#[derive(Default)]
struct Rows {
    runs: Vec<RunRow>,
    suites: Vec<SuiteRow>,
    tests: Vec<TestRow>,
    texts: Vec<TextRow>,
    scripts: Vec<ScriptRow>,
    events: Vec<EventRow>,
}

/// Records submissions: all, or none.
pub(super) async fn record(
    recorder: &mut Recorder,
    submissions: &[Submission],
    plan: &mut Plan,
) -> Result<Vec<Vec<Fate>>, StoreError> {
    let mut group = recorder.store.begin_group().await?;
    touch(recorder, &mut group, spoken_of(submissions), true, plan).await?;
    let mut rows = Rows::default();
    let mut fates = Vec::with_capacity(submissions.len());
    for submission in submissions {
        let mut taken = Vec::with_capacity(submission.events.len());
        for incoming in &submission.events {
            taken.push(take(&mut recorder.hot, &mut group, submission, incoming, &mut rows, plan).await?);
        }
        fates.push(taken);
    }
    plan.events = rows.events.len();
    gather(&mut recorder.hot, plan, &mut rows);
    save(&mut group, rows).await?;
    group.commit().await?;
    Ok(fates)
}

/// A setup, when it spoke by our clock, and what it told about itself.
type SpokenOf = (SetupName, Timestamp, Option<BTreeMap<Box<str>, Box<str>>>);

/// Every setup that is spoken of, with what it told about itself.
fn spoken_of(submissions: &[Submission]) -> Vec<SpokenOf> {
    let mut told = Told::new();
    let mut received = Timestamp(i64::MIN);
    for submission in submissions {
        received = received.max(submission.received);
        for incoming in &submission.events {
            if !told.contains_key(&incoming.event.setup) {
                told.insert(incoming.event.setup.clone(), None);
            }
            if let EventKind::SetupDescribed(attributes) = &incoming.event.kind
                && let Some(place) = told.get_mut(&incoming.event.setup)
            {
                place.get_or_insert_default().extend(attributes.clone());
            }
        }
    }
    told.into_iter().map(|(name, attributes)| (name, received, attributes)).collect()
}

/// Raises the version of each setup, and forgets what another server changed.
async fn touch(
    recorder: &mut Recorder,
    group: &mut Group,
    setups: Vec<SpokenOf>,
    heard: bool,
    plan: &mut Plan,
) -> Result<(), StoreError> {
    let touches: Vec<_> = setups
        .into_iter()
        .map(|(name, now, attributes)| {
            let id = recorder.hot.setups.get(&name).map_or_else(|| SetupId(new_id()), |setup| setup.id);
            SetupTouch { id, name, heard_at: heard.then_some(now), now, attributes }
        })
        .collect();
    plan.setups.extend(touches.iter().map(|touch| touch.name.clone()));
    let heard_at = touches.iter().filter_map(|touch| touch.heard_at).max();
    for touched in group.setup_touch(&touches).await? {
        let hot = &mut recorder.hot;
        let known = hot.setups.get(&touched.name).map(|setup| (setup.id, setup.version));
        match known {
            Some((id, version)) if id == touched.id && version + 1 == touched.version => {}
            Some((id, _)) => {
                hot.forget_runs_of(id);
                hot.setups.remove(&touched.name);
            }
            None => {}
        }
        let setup =
            hot.setups.entry(touched.name).or_insert_with(|| HotSetup::new(touched.id, touched.version, heard_at));
        setup.version = touched.version;
        setup.heard_at = setup.heard_at.max(heard_at);
    }
    Ok(())
}

async fn take(
    hot: &mut Hot,
    group: &mut Group,
    submission: &Submission,
    incoming: &Incoming,
    rows: &mut Rows,
    plan: &mut Plan,
) -> Result<Fate, StoreError> {
    let event = &incoming.event;
    let Some(setup) = hot.setups.get_mut(&event.setup) else { return Ok(Fate::Ignored) };
    let setup_id = setup.id;
    match &event.kind {
        EventKind::Run(key, said) => {
            let at = (setup_id, key.clone());
            bring(hot, group, &at, submission.received).await?;
            plan.runs.entry(at.clone()).or_insert_with(|| event.setup.clone());
            let Some(run) = hot.used(&at) else { return Ok(Fate::Ignored) };
            if event.id.is_some_and(|id| !run.seen.insert(id.0)) {
                return Ok(Fate::Duplicate);
            }
            let late = apply(run, submission, incoming, said);
            let scope = run.run.id;
            rows.events.push(event_row(submission, incoming, setup_id, Some(scope), late));
            Ok(Fate::Accepted)
        }
        kind => {
            if event.id.is_some_and(|id| !setup.is_new(id.0)) {
                return Ok(Fate::Duplicate);
            }
            // A heartbeat says nothing but "now", which the setup's row holds:
            // two hundred benches would else fill the log with them.
            if !matches!(kind, EventKind::SetupHeartbeat) {
                rows.events.push(event_row(submission, incoming, setup_id, None, false));
            }
            Ok(if matches!(kind, EventKind::Unknown(_)) { Fate::Ignored } else { Fate::Accepted })
        }
    }
}

fn apply(hot: &mut HotRun, submission: &Submission, incoming: &Incoming, said: &RunEvent) -> bool {
    let event = &incoming.event;
    if let Some(project) = &event.project {
        hot.run.name_project(event.at, project);
    }
    let delay = submission.clock.delay(event.at, submission.received);
    hot.run.apply(said, event.at, submission.received, delay) == Applied::Late
}

fn event_row(submission: &Submission, incoming: &Incoming, setup: SetupId, run: Option<RunId>, late: bool) -> EventRow {
    EventRow {
        seq: 0,
        scope: run.map_or(setup.0, |run| run.0),
        event: incoming.event.id,
        setup,
        run,
        kind: incoming.kind.to_string().into(),
        at: incoming.event.at,
        received_at: submission.received,
        late,
        body: incoming.body.clone(),
    }
}

/// Has the run at hand: from memory, from the store, or new.
async fn bring(
    hot: &mut Hot,
    group: &mut Group,
    at: &(SetupId, RunKey),
    received: Timestamp,
) -> Result<(), StoreError> {
    if hot.runs.contains_key(at) {
        return Ok(());
    }
    let fresh = match group.run_find(at.0, &at.1).await? {
        None => HotRun::new(Run::new(RunId(new_id()), at.0, at.1.clone()), received, HashSet::new()),
        Some(row) => {
            let seen: HashSet<Uuid> = group.event_ids(row.id.0).await?.into_iter().collect();
            match group.run_load(row.id).await? {
                Some(run) => HotRun::new(run, row.created_at, seen),
                None => HotRun::new(Run::new(row.id, at.0, at.1.clone()), row.created_at, seen),
            }
        }
    };
    hot.insert(fresh);
    Ok(())
}

/// The rows of all that was touched.
fn gather(hot: &mut Hot, plan: &Plan, rows: &mut Rows) {
    for (at, name) in &plan.runs {
        let version = hot.setups.get(name).map_or(0, |setup| setup.version);
        let Some(hot) = hot.runs.get_mut(at) else { continue };
        let touched = hot.run.take_touched();
        let run = &hot.run;
        rows.suites.extend(touched.suites.iter().map(|ordinal| SuiteRow::of(run, *ordinal, version)));
        rows.tests.extend(touched.tests.iter().map(|ordinal| TestRow::of(run, *ordinal, version)));
        rows.texts.extend(touched.texts.into_iter().map(|(ordinal, attempt, text)| TextRow {
            run: run.id,
            ordinal,
            attempt,
            message: text.message,
            trace: text.trace,
        }));
        rows.scripts.extend(touched.scripts.into_iter().map(|(id, body)| ScriptRow { id, body }));
        rows.runs.push(RunRow::of(run, hot.created_at, version));
    }
    // Of two texts of one attempt in a group the later stands; a statement may
    // not touch the same row twice.
    let mut last = HashSet::new();
    rows.texts.reverse();
    rows.texts.retain(|row| last.insert((row.run, row.ordinal, row.attempt)));
    let mut known = HashSet::new();
    rows.scripts.retain(|row| known.insert(row.id));
}

async fn save(group: &mut Group, rows: Rows) -> Result<(), StoreError> {
    group.run_save(&rows.runs).await?;
    group.script_save(&rows.scripts).await?;
    group.suite_save(&rows.suites).await?;
    group.test_save(&rows.tests).await?;
    group.text_save(&rows.texts).await?;
    group.event_insert(&rows.events).await
}

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
            } else if silence >= patience.lost_after || rank < too_many {
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

/// Closes runs.
pub(super) async fn close(
    recorder: &mut Recorder,
    due: Vec<(SetupName, RunKey, Close)>,
    now: Timestamp,
    plan: &mut Plan,
) -> Result<(), StoreError> {
    let names: BTreeSet<_> = due.iter().map(|(name, ..)| name.clone()).collect();
    let mut group = recorder.store.begin_group().await?;
    let touches = names.into_iter().map(|name| (name, now, None)).collect();
    touch(recorder, &mut group, touches, false, plan).await?;
    for (name, key, why) in due {
        let Some(setup) = recorder.hot.setups.get(&name).map(|setup| setup.id) else { continue };
        let at = (setup, key);
        bring(&mut recorder.hot, &mut group, &at, now).await?;
        plan.runs.insert(at.clone(), name);
        let Some(hot) = recorder.hot.used(&at) else { continue };
        match why {
            Close::GiveUp => hot.run.give_up(now),
            Close::Settle => hot.run.settle(now),
        }
    }
    let mut rows = Rows::default();
    gather(&mut recorder.hot, plan, &mut rows);
    save(&mut group, rows).await?;
    group.commit().await
}
