//! The life of a job, and what may befall it.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

const LEASE: Micros = Micros::from_secs(30);

fn at(second: i64) -> Timestamp {
    Timestamp(second * 1_000_000)
}

fn worker(number: u128) -> WorkerId {
    WorkerId(Uuid::from_u128(number))
}

fn fresh() -> Job {
    Job::waiting(JobId(Uuid::from_u128(1)), 2, at(0))
}

fn by(number: u128, attempt: u32) -> Claim {
    Claim { worker: worker(number), attempt }
}

#[test]
fn a_job_is_taken_extended_and_finished() {
    let job = fresh().take(worker(7), at(1), LEASE).expect("it waits");
    assert_eq!((job.state(), job.attempt, job.started_at), (JobState::Running, 1, Some(at(1))));
    assert_eq!(job.clone().take(worker(8), at(1), LEASE), Err(JobRefusal::NotWaiting));
    let (job, word) = job.extend(by(7, 1), at(20), LEASE).expect("it is theirs");
    assert_eq!(word, Word::GoOn);
    assert!(job.clone().lapse(at(49), "w", false).is_none());
    let job = job.finish(by(7, 1), JobResult::Failed, Some("2 failed"), at(40)).expect("it is theirs");
    assert_eq!(
        (job.state(), job.result(), job.finished_at),
        (JobState::Finished, Some(JobResult::Failed), Some(at(40)))
    );
    assert_eq!(job.note.as_deref(), Some("2 failed"));
    assert!(job.is_over());
}

#[test]
fn a_dead_worker_loses_its_lease_and_the_job_is_taken_again_once() {
    let job = fresh().take(worker(7), at(1), LEASE).expect("it waits");
    let (job, lapse) = job.lapse(at(31), "bench-7", false).expect("the lease is over");
    assert_eq!((lapse, job.state(), job.finished_at), (Lapse::Again, JobState::Waiting, None));
    assert_eq!(job.note.as_deref(), Some("attempt 1: the worker bench-7 fell silent; the job is taken again"));
    let job = job.take(worker(8), at(40), LEASE).expect("it waits again");
    assert_eq!(job.attempt, 2);
    // The first one wakes up: too late, whatever it says.
    assert_eq!(job.clone().extend(by(7, 1), at(41), LEASE), Err(JobRefusal::NotYours));
    assert_eq!(job.clone().finish(by(7, 1), JobResult::Passed, None, at(41)), Err(JobRefusal::NotYours));
    let (job, lapse) = job.lapse(at(70), "bench-8", false).expect("the lease is over");
    assert_eq!((lapse, job.state(), job.result()), (Lapse::Lost, JobState::Lost, None));
    assert_eq!(job.cancel("too late", at(71)), Err(JobRefusal::Over));
}

#[test]
fn a_lease_that_is_over_but_was_not_taken_is_taken_up_again() {
    let job = fresh().take(worker(7), at(1), LEASE).expect("it waits");
    let (job, _) = job.extend(by(7, 1), at(500), LEASE).expect("nobody else has it");
    assert!(job.lapse(at(520), "w", false).is_none());
}

#[test]
fn what_waits_is_cancelled_at_once_and_what_runs_is_told() {
    let waiting = fresh().cancel("by Kim", at(2)).expect("it waits");
    assert_eq!((waiting.result(), waiting.note.as_deref()), (Some(JobResult::Cancelled), Some("by Kim")));
    let job = fresh().take(worker(7), at(1), LEASE).expect("it waits").cancel("by Kim", at(2)).expect("it runs");
    let job = job.cancel("by a newer commit", at(3)).expect("it still runs");
    let (job, word) = job.extend(by(7, 1), at(5), LEASE).expect("it is theirs");
    assert_eq!(word, Word::Stop("by Kim".into()));
    let (dead, lapse) = job.clone().lapse(at(50), "w", false).expect("the lease is over");
    assert_eq!((lapse, dead.result()), (Lapse::Cancelled, Some(JobResult::Cancelled)));
    let done = job.finish(by(7, 1), JobResult::Passed, None, at(6)).expect("it was quicker");
    assert_eq!(done.result(), Some(JobResult::Passed));
}

#[test]
fn a_worker_that_comes_back_without_its_job_gives_it_back_at_once() {
    let job = fresh().take(worker(7), at(1), LEASE).expect("it waits");
    let (job, lapse) = job.lapse(at(2), "bench-7", true).expect("it is gone");
    assert_eq!(lapse, Lapse::Again);
    assert!(job.note.expect("it says so").contains("came back without it"));
}

/// Something that happens to a job.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Take(u128),
    Extend(u128, u32),
    Finish(u128, u32, JobResult),
    Cancel,
    Lapse(bool),
    Wait(i64),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let results = prop_oneof![Just(JobResult::Passed), Just(JobResult::Failed), Just(JobResult::Errored)];
    let turn = prop_oneof![
        (1_u128..4).prop_map(Turn::Take),
        (1_u128..4, 1_u32..4).prop_map(|(worker, attempt)| Turn::Extend(worker, attempt)),
        (1_u128..4, 1_u32..4, results).prop_map(|(worker, attempt, result)| Turn::Finish(worker, attempt, result)),
        Just(Turn::Cancel),
        any::<bool>().prop_map(Turn::Lapse),
        (0_i64..60).prop_map(Turn::Wait),
    ];
    prop::collection::vec(turn, 0..60)
}

proptest! {
    /// Whatever happens, in whatever order: a result never changes, attempts
    /// stay within their bound, and only who holds a job can end it.
    #[test]
    fn a_job_has_at_most_one_result(turns in turns()) {
        let (mut job, mut now) = (fresh(), 0);
        for turn in turns {
            let before = job.clone();
            let tried = match turn {
                Turn::Take(w) => job.clone().take(worker(w), at(now), LEASE),
                Turn::Extend(w, attempt) => job.clone().extend(by(w, attempt), at(now), LEASE).map(|(job, _)| job),
                Turn::Finish(w, attempt, result) => {
                    let done = job.clone().finish(by(w, attempt), result, None, at(now));
                    prop_assert_eq!(done.is_ok(), before.claim() == Some(by(w, attempt)));
                    done
                }
                Turn::Cancel => job.clone().cancel("x", at(now)),
                Turn::Lapse(gone) => job.clone().lapse(at(now), "w", gone).map(|(job, _)| job).ok_or(JobRefusal::Over),
                Turn::Wait(seconds) => { now += seconds; Ok(job.clone()) }
            };
            if let Ok(after) = tried {
                prop_assert!(!before.is_over() || after == before);
                prop_assert!(after.attempt <= after.attempts_max);
                prop_assert_eq!(after.finished_at.is_some(), after.is_over());
                job = after;
            }
        }
    }
}
