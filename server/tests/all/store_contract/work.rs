//! Jobs, and who takes them.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::ids::{JobId, WorkerId};
use app::domain::job::{Job, JobKind, JobResult, JobState, Labels, Standing};
use app::domain::time::Micros;
use server::store::Store;
use server::store::rows::*;
use server::store::sql::constraint;
use std::collections::HashSet;
use uuid::Uuid;

const LEASE: Micros = Micros::from_secs(30);

/// A job that waits; later numbers have later ids.
pub fn job(number: u128, labels: &str) -> JobRow {
    JobRow {
        job: Job::waiting(JobId(Uuid::from_u128(number)), 2, at(1)),
        kind: JobKind::Batch,
        parent: Uuid::from_u128(77),
        ordinal: number as u32,
        name: format!("test_{number}.py").into(),
        priority: 0,
        labels: Labels::stored(labels),
        concurrency: None,
        setup: None,
        definition: r#"{"a":1}"#.into(),
        progress: "{}".into(),
        version: 0,
    }
}

fn worker(number: u128) -> WorkerId {
    WorkerId(Uuid::from_u128(number))
}

pub async fn take(store: &Store, number: u128, labels: &[&str]) -> Option<JobRow> {
    let labels: Vec<_> = labels.iter().map(|key| Labels::stored(key)).collect();
    store.job_claim(worker(number), &labels, at(5), at(5) + LEASE).await.expect("claims")
}

contract! {
    async fn jobs_are_taken_by_priority_then_age_then_label(place: Place) {
        let store = place.store;
        let urgent = JobRow { priority: 5, ..job(4, "gpu,linux") };
        let rows = [job(1, ""), job(2, "linux"), job(3, ""), urgent.clone()];
        store.job_insert(&rows).await.expect("inserts");
        store.job_insert(&[]).await.expect("nothing is fine");
        assert_eq!(store.job_get(JobId(Uuid::from_u128(2))).await.expect("reads"), Some(job(2, "linux")));
        assert_eq!(store.job_get(JobId(Uuid::from_u128(9))).await.expect("reads"), None);
        let sets: HashSet<_> = store.job_labels().await.expect("reads").iter().map(Labels::key).collect();
        assert_eq!(sets, ["", "linux", "gpu,linux"].map(String::from).into());
        let queue = store.job_queue(3).await.expect("reads");
        assert_eq!(queue, [urgent.clone(), job(1, ""), job(2, "linux")]);
        assert_eq!(store.job_waiting().await.expect("reads"), 4);
        assert_eq!(store.job_ahead(0, JobId(Uuid::from_u128(3))).await.expect("reads"), 3);

        let first = take(&store, 8, &["", "linux"]).await.expect("one waits");
        let expected = job(1, "").job.take(worker(8), at(5), LEASE).expect("it waited");
        assert_eq!(first, JobRow { job: expected, version: 1, ..job(1, "") }, "the statement does what the rule says");
        assert_eq!(take(&store, 8, &["", "linux"]).await.map(|row| row.job.id.0.as_u128()), Some(2));
        assert_eq!(take(&store, 8, &["gpu,linux"]).await.map(|row| row.job.id.0.as_u128()), Some(4));
        assert_eq!(take(&store, 8, &["gpu,linux"]).await, None);
        assert_eq!(take(&store, 8, &[]).await, None);
        let running: Vec<_> = store.job_running().await.expect("reads").iter().map(|row| row.ordinal).collect();
        assert_eq!(running, [1, 2, 4]);
        assert_eq!(store.jobs_of(Uuid::from_u128(77)).await.expect("reads").len(), 4);
    }

    async fn what_was_decided_is_written_on_what_it_was_decided_on(place: Place) {
        let store = place.store;
        store.job_insert(&[job(1, ""), job(2, "")]).await.expect("inserts");
        let row = take(&store, 8, &[""]).await.expect("one waits");
        assert!(store.job_progress(row.job.id, 1, r#"{"steps":[]}"#, Some("bench")).await.expect("writes"));
        assert!(!store.job_progress(row.job.id, 2, "{}", None).await.expect("another attempt writes nothing"));
        assert_eq!(store.job_lapsed(at(34), 9).await.expect("reads"), []);
        let lapsed = store.job_lapsed(at(35), 9).await.expect("reads");
        assert_eq!(lapsed.len(), 1);
        assert_eq!((lapsed[0].setup.as_deref(), &*lapsed[0].progress), (Some("bench"), r#"{"steps":[]}"#));

        let stopped = row.job.clone().cancel("by Kim", at(6)).expect("it runs");
        assert!(store.job_save(&stopped, row.version).await.expect("writes"));
        assert!(!store.job_save(&row.job, row.version).await.expect("it is not what it was"));
        let again = store.job_get(row.job.id).await.expect("reads").expect("is there");
        assert_eq!((again.job.clone(), again.version), (stopped, row.version + 1));
        let done = again.job.clone().finish(again.job.claim().expect("held"), JobResult::Cancelled, None, at(9));
        let done = done.expect("it is theirs");
        assert!(store.job_save(&done, again.version).await.expect("writes"));
        assert_eq!(store.job_get(row.job.id).await.expect("reads").map(|row| row.job), Some(done));
        assert!(!store.job_progress(row.job.id, 1, "{}", None).await.expect("it is over"));

        let mut lost = take(&store, 8, &[""]).await.expect("one waits");
        lost.job.standing = Standing::Lost;
        assert!(store.job_save(&lost.job, lost.version).await.expect("writes"));
        let mut counts = store.job_counts(Uuid::from_u128(77)).await.expect("reads");
        counts.sort_by_key(|count| count.state);
        let counts: Vec<_> = counts.iter().map(|count| (count.state, count.result, count.jobs)).collect();
        assert_eq!(counts, [(JobState::Finished, Some(JobResult::Cancelled), 1), (JobState::Lost, None, 1)]);
    }

    async fn of_jobs_with_one_key_one_runs(place: Place) {
        let store = place.store;
        let keyed = |number| JobRow { concurrency: Some("bench-7".into()), ..job(number, "") };
        store.job_insert(&[keyed(1), keyed(2), job(3, "")]).await.expect("inserts");
        let first = take(&store, 8, &[""]).await.expect("one waits");
        assert_eq!(take(&store, 9, &[""]).await.map(|row| row.ordinal), Some(3));
        assert_eq!(take(&store, 9, &[""]).await, None);
        let second = store.job_get(JobId(Uuid::from_u128(2))).await.expect("reads").expect("is there");
        let forced = second.job.take(worker(9), at(5), LEASE).expect("it waits");
        let error = store.job_save(&forced, second.version).await.expect_err("the key is held");
        assert_eq!(error.conflict(), Some(constraint::JOB_CONCURRENCY), "{error}");
        let done = first.job.clone().finish(first.job.claim().expect("held"), JobResult::Passed, None, at(9));
        assert!(store.job_save(&done.expect("theirs"), first.version).await.expect("writes"));
        // The connection of the refused write is closed, not asked to roll back:
        // until its server has noticed, its row is passed over.
        let second = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            loop {
                match take(&store, 9, &[""]).await {
                    Some(row) => break row,
                    None => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
                }
            }
        });
        assert_eq!(second.await.map(|row| row.ordinal), Ok(2));
    }

    async fn many_claims_at_once_take_each_job_once(place: Place) {
        let store = place.store;
        let rows: Vec<_> = (1..=200).map(|number| job(number, "")).collect();
        store.job_insert(&rows).await.expect("inserts");
        let claims = (0..8_u128).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                while let Some(row) = take(&store, number, &[""]).await {
                    mine.push(row.ordinal);
                }
                mine
            })
        });
        let mut all = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            all.extend(claim.await.expect("ends"));
        }
        all.sort_unstable();
        assert_eq!(all, (1..=200).collect::<Vec<u32>>());
    }

    async fn workers_keep_their_name_and_what_was_decided(place: Place) {
        let store = place.store;
        let row = |number: u128, name: &str, seen: i64| WorkerRow {
            id: worker(number), name: name.into(), instance: Uuid::from_u128(seen.unsigned_abs().into()),
            labels: Labels::stored("linux"), slots: 2, about: "{}".into(), stance: "active".into(),
            created_at: at(1), seen_at: at(seen),
        };
        store.worker_save(&row(1, "left", 1)).await.expect("saves");
        let error = store.worker_save(&row(2, "left", 1)).await.expect_err("the name is taken");
        assert_eq!(error.conflict(), Some(constraint::WORKER_NAME));
        store.worker_save(&row(2, "door", 1)).await.expect("saves");
        assert!(store.worker_stance(worker(1), "disabled").await.expect("writes"));
        assert!(!store.worker_stance(worker(9), "disabled").await.expect("there is none"));
        store.worker_save(&row(1, "left", 9)).await.expect("starts again");
        store.worker_seen(worker(1), at(12)).await.expect("writes");
        store.worker_seen(worker(1), at(11)).await.expect("an older word changes nothing");
        let expected = WorkerRow { stance: "disabled".into(), seen_at: at(12), ..row(1, "left", 9) };
        assert_eq!(store.worker_get(worker(1)).await.expect("reads"), Some(expected.clone()));
        assert_eq!(store.worker_list().await.expect("reads"), [row(2, "door", 1), expected]);
        assert!(store.worker_forget(worker(2)).await.expect("forgets"));
        assert!(!store.worker_forget(worker(2)).await.expect("was forgotten"));
    }
}
