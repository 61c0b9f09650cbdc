//! Setups that somebody keeps for themselves.

use super::contract;
use super::place::*;
use super::play::*;
use super::work::{job, take};
use app::domain::job::{JobKind, JobResult};
use app::domain::time::Micros;
use server::store::rows::*;

fn kept(setup: &str, holder: &str, from: i64, until: i64) -> ReservationRow {
    ReservationRow {
        setup: setup.into(),
        holder: holder.into(),
        reason: "new valve".into(),
        at: at(from),
        ends_at: at(until),
    }
}

contract! {
    async fn one_person_keeps_a_setup_until_it_is_over(place: Place) {
        let store = place.store;
        let kim = kept("bench 7", "kim", 1, 10);
        assert!(store.reservation_save(&kim).await.expect("saves"));
        assert!(!store.reservation_save(&kept("bench 7", "ana", 5, 20)).await.expect("kim has it"));
        assert_eq!(store.reservation_get("bench 7").await.expect("reads"), Some(kim.clone()));
        let longer = kept("bench 7", "kim", 5, 15);
        assert!(store.reservation_save(&longer).await.expect("it is kim's own"));
        assert!(store.reservation_save(&kept("bench 8", "ana", 5, 9)).await.expect("saves"));
        assert_eq!(store.reservation_list(at(9)).await.expect("reads"), std::slice::from_ref(&longer));
        assert!(store.reservation_save(&kept("bench 7", "ana", 15, 20)).await.expect("kim's is over"));
        assert_eq!(store.reservation_forget(at(9)).await.expect("forgets"), 1);
        assert!(store.reservation_end("bench 7").await.expect("ends"));
        assert!(!store.reservation_end("bench 7").await.expect("was over"));
        assert_eq!(store.reservation_get("bench 7").await.expect("reads"), None);
    }

    async fn jobs_for_a_kept_setup_are_passed_over(place: Place) {
        let store = place.store;
        let for_setup = |number: u128, setup: &str| JobRow { setup: Some(setup.into()), ..job(number, "") };
        store.job_insert(&[for_setup(1, "bench 7"), for_setup(2, "bench 8"), job(3, "")]).await.expect("inserts");
        store.reservation_save(&kept("bench 7", "kim", 1, 10)).await.expect("saves");
        // Claims are made at 5.
        assert_eq!(take(&store, 8, &[""]).await.map(|row| row.ordinal), Some(2));
        assert_eq!(take(&store, 8, &[""]).await.map(|row| row.ordinal), Some(3));
        assert_eq!(take(&store, 8, &[""]).await, None);
        store.reservation_save(&kept("bench 7", "kim", 1, 5)).await.expect("saves");
        assert_eq!(take(&store, 8, &[""]).await.map(|row| row.ordinal), Some(1), "it is over");
    }

    async fn jobs_of_a_definition_tell_how_long_they_took(place: Place) {
        let store = place.store;
        let of = |number: u128, name: &str| JobRow { setup: Some("bench".into()), name: name.into(), ..job(number, "") };
        store.job_insert(&[of(1, "a.py"), of(2, "b.py"), of(3, "a.py")]).await.expect("inserts");
        for (end, result) in [(8, JobResult::Passed), (9, JobResult::Failed), (30, JobResult::Cancelled)] {
            let row = take(&store, 8, &[""]).await.expect("one waits");
            let done = row.job.clone().finish(row.job.claim().expect("held"), result, None, at(end)).expect("theirs");
            assert!(store.job_save(&done, row.version).await.expect("writes"));
        }
        let past = async |name: Option<&str>| store.job_past("bench", JobKind::Batch, name, 9).await.expect("reads");
        assert_eq!(past(Some("a.py")).await, [Micros::from_secs(3)], "what was cancelled says nothing");
        assert_eq!(past(None).await, [Micros::from_secs(4), Micros::from_secs(3)]);
        assert_eq!(store.job_past("bench", JobKind::Build, None, 9).await.expect("reads"), []);
    }
}
