//! Schedules, and the turns of them.

use super::contract;
use super::place::*;
use super::play::*;
use super::work::job;
use app::domain::ids::{BatchId, BuildId};
use app::domain::job::JobKind;
use server::store::rows::*;
use uuid::Uuid;

fn schedule(name: &str, next: Option<i64>) -> ScheduleRow {
    ScheduleRow {
        name: name.into(),
        body: "{}".into(),
        is_configured: false,
        is_paused: false,
        made_by: "kim".into(),
        next_at: next.map(at),
        last_at: None,
        last: None,
        fault: None,
    }
}

fn turn(name: &str, due: i64, next: i64) -> TurnRow {
    TurnRow { name: name.into(), due: at(due), next_at: Some(at(next)), at: at(due + 1), last: None, fault: None }
}

fn batch(number: u128) -> BatchRow {
    BatchRow { id: BatchId(Uuid::from_u128(number)), name: "Kim".into(), created_at: at(1), plan: "{}".into() }
}

contract! {
    async fn schedules_are_kept_and_come_up_when_they_are_due(place: Place) {
        let store = place.store;
        for row in [schedule("b", Some(20)), schedule("a", Some(10)), schedule("never", None)] {
            store.schedule_save(&row).await.expect("saves");
        }
        let paused = ScheduleRow { is_paused: true, is_configured: true, ..schedule("paused", Some(5)) };
        store.schedule_save(&paused).await.expect("saves");
        let names = |rows: &[ScheduleRow]| rows.iter().map(|row| row.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&store.schedule_list().await.expect("reads")), ["a", "b", "never", "paused"]);
        assert_eq!(store.schedule_get("paused").await.expect("reads"), Some(paused));
        assert_eq!(names(&store.schedule_due(at(9), 9).await.expect("reads")), Vec::<String>::new());
        assert_eq!(names(&store.schedule_due(at(20), 9).await.expect("reads")), ["a", "b"]);
        assert_eq!(names(&store.schedule_due(at(20), 1).await.expect("reads")), ["a"]);

        let fault = TurnRow { fault: Some("the batch is gone".into()), ..turn("a", 10, 30) };
        assert!(store.schedule_turn(&fault).await.expect("takes"));
        assert!(!store.schedule_turn(&fault).await.expect("it is taken"));
        let known = store.schedule_get("a").await.expect("reads").expect("is there");
        assert_eq!((known.next_at, known.last_at, known.fault), (Some(at(30)), Some(at(11)), fault.fault));
        store.schedule_save(&schedule("a", Some(40))).await.expect("saves");
        let known = store.schedule_get("a").await.expect("reads").expect("is there");
        assert_eq!((known.next_at, known.last_at), (Some(at(40)), Some(at(11))), "its last turn stays");
        assert!(store.schedule_delete("a").await.expect("deletes"));
        assert!(!store.schedule_delete("a").await.expect("was deleted"));
    }

    async fn a_turn_is_taken_once_by_whoever_comes_first(place: Place) {
        let store = place.store;
        store.schedule_save(&schedule("nightly", Some(10))).await.expect("saves");
        let takes = (1..=8_u128).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let row = batch(number);
                let turn = TurnRow { last: Some((JobKind::Batch, row.id.0)), ..turn("nightly", 10, 20) };
                let job = JobRow { parent: row.id.0, ..job(number, "") };
                store.schedule_batch(&turn, &row, &[], &[job]).await.expect("takes")
            })
        });
        let mut taken = 0;
        for take in takes.collect::<Vec<_>>() {
            taken += usize::from(take.await.expect("ends"));
        }
        assert_eq!(taken, 1);
        assert_eq!(store.batch_count().await.expect("reads"), 1, "nothing comes of a turn that is not one's own");
        assert_eq!(store.job_waiting().await.expect("reads"), 1);
        let known = store.schedule_get("nightly").await.expect("reads").expect("is there");
        let (kind, parent) = known.last.expect("it came to something");
        assert_eq!((kind, known.next_at), (JobKind::Batch, Some(at(20))));
        assert!(store.batch_get(BatchId(parent)).await.expect("reads").is_some());
    }

    async fn a_build_of_a_head_learns_its_commit_once(place: Place) {
        let store = place.store;
        store.schedule_save(&schedule("nightly", Some(10))).await.expect("saves");
        let row = BuildRow {
            id: BuildId(Uuid::from_u128(5)), repository: "acme/pump".into(), branch: "main".into(), commit: "".into(),
            author: None, message: None, created_at: at(1), reference: None, fork: None, held: None, note: None,
        };
        let turn = TurnRow { last: Some((JobKind::Build, row.id.0)), ..turn("nightly", 10, 20) };
        let job = JobRow { kind: JobKind::Build, parent: row.id.0, ..job(1, "") };
        assert!(store.schedule_build(&turn, &row, std::slice::from_ref(&job)).await.expect("takes"));
        assert!(!store.schedule_build(&turn, &row, &[job]).await.expect("it is taken"));
        store.build_commit(row.id, "c0ffee").await.expect("writes");
        store.build_commit(row.id, "other").await.expect("changes nothing");
        assert_eq!(store.build_get(row.id).await.expect("reads").map(|row| row.commit), Some("c0ffee".into()));
    }
}
