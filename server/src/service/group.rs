//! One group: from events to rows, inside one transaction.

use super::hot::{Hot, HotRun, HotSetup};
use super::ids::Ids;
use super::judge::judge;
use super::pending::{Pending, Word};
use super::recorder::{Fate, Recorder, Submission};
use crate::clock::new_id;
use crate::intake::Incoming;
use crate::store::rows::{
    AttachmentRow, EventRow, ForeignRow, HealthRow, IdsRow, PastRow, RunRow, ScriptRow, SetupHealthRow, SuiteRow,
    TestRow, TextRow,
};
use crate::store::{Group, StoreError};
use app::domain::event::{EventKind, RunEvent};
use app::domain::health::Model;
use app::domain::ids::{PlaceId, RunId, SetupId};
use app::domain::name::{RunKey, SetupName};
use app::domain::output::Level;
use app::domain::run::{Applied, Run};
use app::domain::time::Timestamp;
use std::collections::HashSet;

/// Rows of a group, a list a table.
#[derive(Default)]
struct Rows {
    runs: Vec<RunRow>,
    suites: Vec<SuiteRow>,
    tests: Vec<TestRow>,
    pasts: Vec<PastRow>,
    texts: Vec<TextRow>,
    scripts: Vec<ScriptRow>,
    files: Vec<AttachmentRow>,
    ids: Vec<IdsRow>,
    health: Vec<HealthRow>,
    setup_health: Vec<SetupHealthRow>,
}

/// What came of a group.
pub(super) struct Recorded {
    /// How each event of each submission was taken.
    pub fates: Vec<Vec<Fate>>,
    /// Whether something was written to the log.
    pub log_grew: bool,
    /// What follows from events and was written with them.
    pub told: Pending,
}

/// Records submissions: all, or none. What follows from them is written too
/// where it is due, else it stays pending.
pub(super) async fn record(recorder: &mut Recorder, submissions: &[Submission]) -> Result<Recorded, StoreError> {
    hear(recorder, submissions);
    let due = recorder.due_with(submissions.iter().map(|submission| submission.events.len()).sum());
    let mut group = recorder.store.begin_group().await?;
    touch(recorder, &mut group, &due).await?;
    let mut events = Vec::new();
    let mut fates = Vec::with_capacity(submissions.len());
    for submission in submissions {
        let mut taken = Vec::with_capacity(submission.events.len());
        for incoming in &submission.events {
            taken.push(take(recorder, &mut group, submission, incoming, &mut events).await?);
        }
        fates.push(taken);
    }
    group.event_insert(&events).await?;
    group.foreign_save(&foreign(submissions)).await?;
    let told = write(recorder, group, &due).await?;
    Ok(Recorded { fates, log_grew: !events.is_empty(), told })
}

/// What is to be kept of launches of other protocols; of several words about
/// the same item the last, as a statement may not touch a row twice.
fn foreign(submissions: &[Submission]) -> Vec<ForeignRow> {
    let mut known = HashSet::new();
    let latest = submissions.iter().rev().flat_map(|submission| submission.foreign.iter().rev());
    latest.filter(|row| known.insert((&row.project, &row.launch, &row.item))).cloned().collect()
}

/// Writes what follows from events that are in the log already.
pub(super) async fn tell(recorder: &mut Recorder, names: &[SetupName]) -> Result<Pending, StoreError> {
    let mut group = recorder.store.begin_group().await?;
    touch(recorder, &mut group, names).await?;
    write(recorder, group, names).await
}

/// Writes what is pending of these setups, and commits. Where that fails, it
/// is pending as before.
pub(super) async fn write(
    recorder: &mut Recorder,
    mut group: Group,
    names: &[SetupName],
) -> Result<Pending, StoreError> {
    let told = recorder.pending.take(names);
    let written = match derive(recorder, &mut group, &told).await {
        Ok(seq) => group.commit().await.map(|()| seq),
        Err(error) => Err(error),
    };
    match written {
        Ok(seq) => {
            recorder.written_up_to = seq.unwrap_or(recorder.written_up_to);
            Ok(told)
        }
        Err(error) => {
            recorder.pending.put_back(told);
            Err(error)
        }
    }
}

/// Notes every setup that is spoken of, with what it told about itself.
fn hear(recorder: &mut Recorder, submissions: &[Submission]) {
    let since = recorder.since();
    for submission in submissions {
        for incoming in &submission.events {
            recorder.pending.hear(&incoming.event, submission.received, since);
        }
    }
}

/// Raises the versions of these setups, and forgets what another server
/// changed.
pub(super) async fn touch(recorder: &mut Recorder, group: &mut Group, names: &[SetupName]) -> Result<(), StoreError> {
    let now = recorder.clock.now();
    let Recorder { hot, pending, told_later, .. } = recorder;
    let touch = |(name, word): (&SetupName, &Word)| {
        let known = hot.setups.get(name);
        let id = known.map_or_else(|| SetupId(new_id()), |setup| setup.id);
        // Where servers share a store, only its own count says who wrote last.
        let version = known.filter(|_| *told_later).map_or(1, |setup| setup.version + 1);
        word.touch(id, name, version, now)
    };
    let touches: Vec<_> = names.iter().filter_map(|name| pending.setups.get_key_value(name)).map(touch).collect();
    for touched in group.setup_touch(&touches).await? {
        let Some(word) = pending.setups.get_mut(&touched.name) else { continue };
        word.before = Some(touched.version - 1);
        let heard_at = word.heard_at;
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
    recorder: &mut Recorder,
    group: &mut Group,
    submission: &Submission,
    incoming: &Incoming,
    events: &mut Vec<EventRow>,
) -> Result<Fate, StoreError> {
    let Recorder { hot, pending, .. } = recorder;
    let event = &incoming.event;
    let Some(setup) = hot.setups.get_mut(&event.setup) else { return Ok(Fate::Ignored) };
    let setup_id = setup.id;
    setup.heard_at = setup.heard_at.max(Some(submission.received));
    match &event.kind {
        EventKind::Run(key, said) => {
            let at = (setup_id, key.clone());
            bring(hot, group, &at, submission.received).await?;
            let Some(run) = hot.used(&at) else { return Ok(Fate::Ignored) };
            if event.id.is_some_and(|id| !run.ids.is_new(id.0)) {
                return Ok(Fate::Duplicate);
            }
            pending.changed(&event.setup, at);
            let late = apply(run, submission, incoming, said);
            events.push(event_row(submission, incoming, setup_id, Some(run.run.id), late));
            Ok(Fate::Accepted)
        }
        // A heartbeat says nothing but "now", which the setup's row holds: two
        // hundred benches would else fill the log with them.
        EventKind::SetupHeartbeat => {
            let is_new = event.id.is_none_or(|id| setup.is_new_heartbeat(id.0));
            Ok(if is_new { Fate::Accepted } else { Fate::Duplicate })
        }
        kind => {
            let ids = ids_of(setup, group).await?;
            if event.id.is_some_and(|id| !ids.is_new(id.0)) {
                return Ok(Fate::Duplicate);
            }
            events.push(event_row(submission, incoming, setup_id, None, false));
            Ok(if matches!(kind, EventKind::Unknown(_)) { Fate::Ignored } else { Fate::Accepted })
        }
    }
}

/// The ids of a setup's events outside runs.
async fn ids_of<'a>(setup: &'a mut HotSetup, group: &mut Group) -> Result<&'a mut Ids, StoreError> {
    if setup.ids.is_none() {
        setup.ids = Some(Ids::stored(group.event_ids(setup.id.0).await?));
    }
    Ok(setup.ids.get_or_insert_default())
}

fn apply(hot: &mut HotRun, submission: &Submission, incoming: &Incoming, said: &RunEvent) -> bool {
    let event = &incoming.event;
    let project = submission.project.as_ref().or(event.project.as_ref());
    hot.apply(said, event.at, submission.received, submission.clock.told(), project) == Applied::Late
}

fn event_row(submission: &Submission, incoming: &Incoming, setup: SetupId, run: Option<RunId>, late: bool) -> EventRow {
    EventRow {
        seq: 0,
        event: incoming.event.id,
        setup,
        run,
        kind: incoming.kind.clone(),
        at: incoming.event.at,
        received_at: submission.received,
        late,
        project: submission.project.clone(),
        delay: submission.clock.told(),
        output: output_of(&incoming.event.kind),
        body: incoming.body.clone(),
    }
}

/// Whose output an event is. Steps have no level: who asks for what is grave
/// means lines.
fn output_of(kind: &EventKind) -> Option<(PlaceId, Option<Level>)> {
    let EventKind::Run(_, RunEvent::Output(output)) = kind else { return None };
    Some((output.place.id(), output.level))
}

/// Has the run at hand: from memory, from the store, or new.
pub(super) async fn bring(
    hot: &mut Hot,
    group: &mut Group,
    at: &(SetupId, RunKey),
    received: Timestamp,
) -> Result<(), StoreError> {
    if hot.runs.contains_key(at) {
        return Ok(());
    }
    let fresh = match group.run_find(at.0, &at.1).await? {
        None => HotRun::new(Run::new(RunId(new_id()), at.0, at.1.clone()), received, Ids::default()),
        Some(row) => {
            let ids = Ids::stored(group.event_ids(row.id.0).await?);
            let run = group.run_load(row.id).await?;
            HotRun::new(run.unwrap_or_else(|| Run::new(row.id, at.0, at.1.clone())), row.created_at, ids)
        }
    };
    hot.insert(fresh);
    Ok(())
}

/// Writes the rows that these words lead to. Answers up to which event of the
/// log they tell it.
async fn derive(recorder: &mut Recorder, group: &mut Group, told: &Pending) -> Result<Option<i64>, StoreError> {
    if told.is_empty() {
        return Ok(None);
    }
    let now = recorder.clock.now();
    let Recorder { hot, pending, model, told_later, .. } = recorder;
    judge(hot, told, model, group, now).await?;
    let seq = group.event_last().await?;
    let rows = gather(hot, told, model, seq);
    group.run_save(&rows.runs).await?;
    group.script_save(&rows.scripts).await?;
    group.suite_save(&rows.suites).await?;
    group.test_save(&rows.tests).await?;
    group.past_save(&rows.pasts).await?;
    group.text_save(&rows.texts).await?;
    group.attachment_save(&rows.files).await?;
    group.ids_insert(&rows.ids).await?;
    group.health_save(&rows.health).await?;
    group.setup_health_save(&rows.setup_health).await?;
    if *told_later {
        group.log_mark_set(pending.told_up_to(seq)).await?;
    }
    Ok(Some(seq))
}

fn gather(hot: &mut Hot, pending: &Pending, model: &Model, seq: i64) -> Rows {
    let mut rows = Rows::default();
    for name in pending.setups.keys() {
        let Some(setup) = hot.setups.get_mut(name) else { continue };
        let fresh = setup.ids.as_mut().map(Ids::take_fresh).unwrap_or_default();
        if !fresh.is_empty() {
            rows.ids.push(IdsRow::of(setup.id.0, seq, &fresh));
        }
        if let Some(vitals) = &mut setup.vitals {
            let (tests, whole) = vitals.take_rows(model, setup.id);
            rows.health.extend(tests);
            rows.setup_health.extend(whole);
        }
    }
    for (at, name) in pending.runs() {
        let version = hot.setups.get(name).map_or(0, |setup| setup.version);
        if let Some(run) = hot.runs.get_mut(at) {
            gather_run(&mut rows, run, version, seq);
        }
    }
    // Of two texts of one attempt the later stands; a statement may not touch
    // the same row twice.
    let mut last = HashSet::new();
    rows.texts.reverse();
    rows.texts.retain(|row| last.insert((row.run, row.ordinal, row.attempt)));
    let mut known = HashSet::new();
    rows.scripts.retain(|row| known.insert(row.id));
    rows
}

fn gather_run(rows: &mut Rows, hot: &mut HotRun, version: i64, seq: i64) {
    let touched = hot.run.take_touched();
    let fresh = hot.ids.take_fresh();
    let run = &hot.run;
    if !fresh.is_empty() {
        rows.ids.push(IdsRow::of(run.id.0, seq, &fresh));
    }
    rows.suites.extend(touched.suites.iter().map(|ordinal| SuiteRow::of(run, *ordinal, version)));
    let tests: Vec<_> = touched.tests.iter().map(|ordinal| TestRow::of(run, *ordinal, version)).collect();
    rows.pasts.extend(tests.iter().filter_map(|row| PastRow::of(row, hot.created_at)));
    rows.tests.extend(tests);
    rows.texts.extend(touched.texts.into_iter().map(|(ordinal, attempt, text)| TextRow {
        run: run.id,
        ordinal,
        attempt,
        message: text.message,
        trace: text.trace,
    }));
    rows.scripts.extend(touched.scripts.into_iter().map(|(id, body)| ScriptRow { id, body }));
    let file = |(place, attempt, at, attachment)| AttachmentRow { run: run.id, place, attempt, attachment, at };
    rows.files.extend(touched.files.into_iter().map(file));
    rows.runs.push(RunRow::of(run, hot.created_at, version));
}
