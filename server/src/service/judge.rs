//! Has the detector look at what is pending: results go into the health of
//! their tests, and what they tell goes onto the strip of their setup.

use super::hot::{Hot, HotRun, HotSetup};
use super::judged::Result as Seen;
use super::pending::Pending;
use super::vitals::{Vitals, hash_of_run};
use crate::store::{Group, StoreError};
use app::domain::health::{Label, Model, Step, hash_of};
use app::domain::ids::{RunId, SetupId, TestId};
use app::domain::rename::Names;
use app::domain::run::Run;
use app::domain::time::{Micros, Timestamp};
use app::ecg::reading::Latest;
use app::ecg::{EventKind, KEEP};
use app::read::{Mark, Pulse};

/// Marks of a setup that are kept; a burst of more is told by the counts.
const MARKS: usize = 64;

/// A setup of fewer tests has them all at hand while it runs.
const WHOLE_MAX: u32 = 4_000;

/// Takes in all results of the runs that are pending.
pub(super) async fn judge(
    hot: &mut Hot,
    pending: &Pending,
    model: &Model,
    group: &mut Group,
    now: Timestamp,
) -> Result<(), StoreError> {
    // As they began, not as they are called: the detector looks at the order.
    let mut told: Vec<_> = pending.runs().collect();
    told.sort_by_cached_key(|(at, _)| hot.runs.get(*at).map(|run| (run.began_at(), run.run.id)));
    for (at, name) in told {
        let (Some(run), Some(setup)) = (hot.runs.get_mut(at), hot.setups.get_mut(name)) else { continue };
        let hash = hash_of_run(run.run.id.0);
        let commit = run.run.facts().about.commit.as_ref().map(|commit| hash_of(&commit.value));
        let mut results = run.judged.take_results(&run.run, hash, commit);
        let ends = run.run.is_over() && !run.judged.is_finished;
        if !results.is_empty() || ends {
            let vitals = have(setup, &mut results, model, group).await?;
            vitals.plan(model, hash, run.run.counts().planned);
            let steps: Vec<_> = results.iter().map(|seen| vitals.observe(model, seen.test, seen.seen)).collect();
            let is_incident = vitals.is_incident(hash);
            if ends {
                vitals.finish(model, hash);
                run.judged.is_finished = true;
            }
            setup.pulse.is_incident = is_incident;
            mark(run, &mut setup.pulse, results.iter().zip(&steps), now);
        }
        mark_hard_failures(run, &mut setup.pulse, now);
        show(run, setup, now);
    }
    Ok(())
}

/// Has the setup's health at hand, and that of the tests, of which the store
/// may know more.
async fn have<'a>(
    setup: &'a mut HotSetup,
    results: &mut [Seen],
    model: &Model,
    group: &mut Group,
) -> Result<&'a mut Vitals, StoreError> {
    let id = setup.id;
    let vitals = vitals_of(id, &mut setup.vitals, model, group).await?;
    if vitals.is_at_rest() {
        // Once a run instead of once a test, unless there are too many.
        let known = group.health_of_setup(id, WHOLE_MAX).await?;
        vitals.woke(known.len() < WHOLE_MAX as usize);
        known.iter().for_each(|(test, state)| vitals.know(model, *test, Some(state)));
        vitals.rename(names(group).await?);
    }
    results.iter_mut().for_each(|result| result.test = vitals.called(result.test));
    let missing: Vec<TestId> = vitals.missing(results.iter().map(|result| result.test)).into_iter().collect();
    if !missing.is_empty() {
        for (test, state) in group.health_load(id, &missing).await? {
            vitals.know(model, test, Some(&state));
        }
        missing.into_iter().for_each(|test| vitals.know(model, test, None));
    }
    Ok(vitals)
}

/// The health of a setup, at hand. Where it was forgotten, because a group
/// failed or another server wrote, it is read inside the transaction.
pub(super) async fn vitals_of<'a>(
    setup: SetupId,
    at_hand: &'a mut Option<Vitals>,
    model: &Model,
    group: &mut Group,
) -> Result<&'a mut Vitals, StoreError> {
    let vitals = match at_hand.take() {
        Some(vitals) => vitals,
        None => Vitals::stored(group.setup_health_get(setup).await?.as_ref(), model),
    };
    Ok(at_hand.insert(vitals))
}

/// What tests are called now that were called otherwise before.
pub(super) async fn names(group: &mut Group) -> Result<Names, StoreError> {
    Ok(group.rename_all().await?.into_iter().map(|row| (row.was, row.now_is)).collect())
}

fn mark<'a>(run: &mut HotRun, pulse: &mut Pulse, steps: impl Iterator<Item = (&'a Seen, &'a Step)>, now: Timestamp) {
    let mut fresh = 0;
    for (result, step) in steps {
        let judged = &mut run.judged;
        judged.failed_in_a_row = if step.failed { judged.failed_in_a_row + 1 } else { 0 };
        judged.has_regression |= step.after == Label::Broken && step.before != Label::Broken;
        // History that is told afterwards is no news for the strip.
        if now.since(result.seen.at) > KEEP {
            continue;
        }
        fresh += 1;
        if step.is_flaky_event {
            push(pulse, &run.run, EventKind::Flaky, (result.ordinal, result.attempt), now);
        } else if step.failed {
            judged.failed(result.ordinal, result.attempt, now);
        }
    }
    if fresh > 0 {
        pulse.throughput.finished(fresh, now);
    }
}

fn mark_hard_failures(run: &mut HotRun, pulse: &mut Pulse, now: Timestamp) {
    for place in run.judged.take_hard_failures(&run.run, now) {
        push(pulse, &run.run, EventKind::Failure, place, now);
    }
}

fn push(pulse: &mut Pulse, run: &Run, kind: EventKind, (ordinal, attempt): (u32, u32), now: Timestamp) {
    let origin = origin_of(run.id, ordinal, attempt, kind);
    // A group that failed was judged before: it is told again from the log.
    if pulse.marks.iter().any(|mark| mark.origin == origin) {
        return;
    }
    let test = run.tests().get(ordinal as usize).map(|test| test.name.to_string()).unwrap_or_default();
    pulse.marks.push(Mark { at: now, kind, origin, test, ordinal, attempt, run: run.id });
}

/// One result is one beat, however often it is told.
fn origin_of(run: RunId, ordinal: u32, attempt: u32, kind: EventKind) -> u64 {
    hash_of(&format!("{}/{ordinal}/{attempt}/{kind:?}", run.0))
}

fn show(run: &HotRun, setup: &mut HotSetup, now: Timestamp) {
    let pulse = &mut setup.pulse;
    let counts = run.run.counts();
    pulse.at = now;
    let known = now - Micros(KEEP.0);
    pulse.marks.retain(|mark| mark.at >= known);
    let surplus = pulse.marks.len().saturating_sub(MARKS);
    pulse.marks.drain(..surplus);
    pulse.latest = Latest {
        results: counts.passed + counts.failed + counts.flaky,
        failed: counts.failed,
        failed_in_a_row: run.judged.failed_in_a_row,
    };
    pulse.has_regression = run.judged.has_regression && !run.run.is_over();
    if let Some(vitals) = &setup.vitals {
        look(pulse, vitals);
    }
}

/// What the health of the tests tells the strip.
pub(super) fn look(pulse: &mut Pulse, vitals: &Vitals) {
    pulse.flake = vitals.flake();
    pulse.tests = vitals.tests();
    pulse.recovery_left = vitals.recovery_left();
    pulse.is_uncalibrated = vitals.is_uncalibrated();
}
