//! What jobs put out, and the batches that they belong to.

use super::contract;
use super::place::*;
use super::play::*;
use super::work::{job, take};
use app::domain::build::BuildStatus;
use app::domain::file::Digest;
use app::domain::ids::{BatchId, BuildId, JobId};
use server::store::rows::*;
use uuid::Uuid;

fn piece(start: u64, packed: &[u8]) -> LogPiece {
    LogPiece { start, size: 10, lines: 1, packed: packed.to_vec() }
}

contract! {
    async fn a_log_grows_at_its_end_alone(place: Place) {
        let store = place.store;
        store.job_insert(&[job(1, "")]).await.expect("inserts");
        let id = JobId(Uuid::from_u128(1));
        assert_eq!(store.log_append(id, 1, &piece(0, b"a")).await.expect("asks"), None, "nobody holds it");
        take(&store, 8, &[""]).await.expect("it waits");
        assert_eq!(store.log_append(id, 1, &piece(0, b"a")).await.expect("writes"), Some(10));
        assert_eq!(store.log_append(id, 1, &piece(0, b"x")).await.expect("was written"), Some(10));
        assert_eq!(store.log_append(id, 1, &piece(30, b"x")).await.expect("leaves a gap"), Some(10));
        assert_eq!(store.log_append(id, 1, &piece(10, b"b")).await.expect("writes"), Some(20));
        assert_eq!(store.log_append(id, 2, &piece(0, b"x")).await.expect("asks"), None, "another attempt");
        assert_eq!(store.log_end(id, 1).await.expect("reads"), 20);
        assert_eq!(store.log_end(id, 2).await.expect("reads"), 0);
        let all = [piece(0, b"a"), piece(10, b"b")];
        assert_eq!(store.log_read(id, 1, 0..99, 9).await.expect("reads"), all);
        assert_eq!(store.log_read(id, 1, 9..99, 9).await.expect("reads"), all);
        assert_eq!(store.log_read(id, 1, 10..99, 9).await.expect("reads"), all[1..]);
        assert_eq!(store.log_read(id, 1, 0..99, 1).await.expect("reads"), all[..1]);
        assert_eq!(store.log_read(id, 1, 20..99, 9).await.expect("reads"), []);
        assert_eq!(store.log_read(id, 1, 0..10, 9).await.expect("reads"), all[..1]);
        assert_eq!(store.log_read(id, 1, 9..11, 9).await.expect("reads"), all);
        let spans = [0, 10].map(|start| LogSpan { start, size: 10, lines: 1 });
        assert_eq!(store.log_index(id, 1).await.expect("reads"), spans);
        assert_eq!(store.log_index(id, 2).await.expect("reads"), []);
    }

    async fn a_batch_comes_with_its_files_and_jobs(place: Place) {
        let store = place.store;
        let id = |number: u128| BatchId(Uuid::from_u128(number));
        let batch = |number: u128| BatchRow {
            id: id(number), name: "nightly".into(), created_at: at(number as i64), plan: r#"{"a":1}"#.into(),
        };
        let file = BatchFileRow {
            batch: id(77), ordinal: 0, name: "a/test_a.py".into(), digest: Digest([7; 32]), size: 12,
        };
        assert!(store.content_take(file.digest, 12, at(1)).await.expect("keeps"));
        store.batch_insert(&batch(77), std::slice::from_ref(&file), &[job(1, "")]).await.expect("inserts");
        store.batch_insert(&batch(78), &[], &[]).await.expect("inserts");
        assert_eq!(store.batch_get(id(77)).await.expect("reads"), Some(batch(77)));
        assert_eq!(store.batch_get(id(9)).await.expect("reads"), None);
        assert_eq!(store.batch_files(id(77)).await.expect("reads"), [file]);
        assert_eq!(store.jobs_of(Uuid::from_u128(77)).await.expect("reads").len(), 1);
        let newest = (app::domain::time::Timestamp(i64::MAX), id(u128::MAX));
        assert_eq!(store.batch_list(newest, 9).await.expect("reads"), [batch(78), batch(77)]);
        assert_eq!(store.batch_list((at(78), id(78)), 9).await.expect("reads"), [batch(77)]);
        assert_eq!(store.batch_count().await.expect("reads"), 2);
        let idle = store.content_idle(Digest([0; 32]), at(1_000_000), 9).await.expect("reads");
        assert_eq!(idle.iter().map(|(_, idle)| *idle).collect::<Vec<_>>(), [false], "a batch needs its files");
    }

    async fn a_build_comes_with_its_job(place: Place) {
        let store = place.store;
        let id = |number: u128| BuildId(Uuid::from_u128(number));
        let build = |number: u128| BuildRow {
            id: id(number), repository: "acme/pump".into(), branch: "main".into(), commit: "c0ffee".into(),
            author: (number > 77).then(|| "kim".into()), message: None, created_at: at(number as i64),
            reference: None, fork: None, held: None, note: None,
        };
        store.build_insert(&build(77), &[job(1, "")]).await.expect("inserts");
        store.build_insert(&build(78), &[]).await.expect("inserts");
        assert_eq!(store.build_get(id(78)).await.expect("reads"), Some(build(78)));
        assert_eq!(store.build_get(id(9)).await.expect("reads"), None);
        assert_eq!(store.jobs_of(Uuid::from_u128(77)).await.expect("reads").len(), 1);
        let all = BuildFilter::default();
        assert_eq!(store.build_list(&all, 9).await.expect("reads"), [build(78), build(77)]);
        let before = BuildFilter { before: (at(78), id(78)), ..all };
        assert_eq!(store.build_list(&before, 9).await.expect("reads"), [build(77)]);
        let named = BuildFilter { repository: Some("acme/pump"), branch: Some("main"), ..all };
        assert_eq!(store.build_list(&named, 1).await.expect("reads"), [build(78)]);
        let other = BuildFilter { branch: Some("next"), ..all };
        assert_eq!(store.build_list(&other, 9).await.expect("reads"), []);
        let waits = BuildFilter { status: Some(BuildStatus::Pending), ..all };
        assert_eq!(store.build_list(&waits, 9).await.expect("reads"), [build(77)]);
        let held = BuildFilter { status: Some(BuildStatus::Held), ..all };
        assert_eq!(store.build_list(&held, 9).await.expect("reads"), []);
    }

    async fn a_held_build_is_settled_once(place: Place) {
        let store = place.store;
        let id = BuildId(Uuid::from_u128(77));
        let held = BuildRow {
            id, repository: "acme/pump".into(), branch: "pull/12".into(), commit: "c0ffee".into(), author: None,
            message: None, created_at: at(1), reference: Some("refs/pull/12/head".into()),
            fork: Some("kim/pump".into()), held: Some("it comes from a fork".into()), note: None,
        };
        store.build_insert(&held, &[]).await.expect("inserts");
        assert!(store.build_settle(id, "approved", &[job(1, "")]).await.expect("settles"));
        assert!(!store.build_settle(id, "refused", &[job(2, "")]).await.expect("asks"), "who comes second is told so");
        let settled = BuildRow { held: None, note: Some("approved".into()), ..held };
        assert_eq!(store.build_get(id).await.expect("reads"), Some(settled));
        assert_eq!(store.jobs_of(id.0).await.expect("reads").len(), 1);
    }
}
