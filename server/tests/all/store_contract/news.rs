//! How things stand, and what channels are told of it.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::change::{Condition, Pace, Subject, Untold};
use app::domain::health::Label;
use app::domain::ids::{SetupId, TestId};
use app::domain::test::Verdict;
use app::domain::time::Micros;
use server::store::Store;
use server::store::rows::*;
use uuid::Uuid;

fn subject(setup: SetupId, test: Option<u128>) -> Subject {
    Subject { setup, test: test.map(|test| TestId(Uuid::from_u128(test))) }
}

fn untold(channel: &str, subject: Subject, was: Condition, now_is: Condition) -> UntoldRow {
    UntoldRow { channel: channel.into(), untold: Untold { subject, was, now_is, first: at(1), since: at(2) } }
}

async fn keep(store: &Store, stand: &[ConditionRow], told: &[UntoldRow]) {
    let mut group = store.begin_group().await.expect("free");
    group.condition_save(stand).await.expect("saves");
    group.untold_save(told).await.expect("saves");
    group.commit().await.expect("commits");
}

contract! {
    async fn tests_that_are_not_well_are_found_by_setup(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        let health = |setup, test: u128, label, failed| HealthRow {
            setup, test: TestId(Uuid::from_u128(test)), label, p_flaky: 0.0, p_broken: 0.0, phi: 0.0, results: 1,
            failures: 1, failed, last_at: Some(at(9)), model: 1, state: [1].into(),
        };
        let rows = [
            health(bench, 1, Label::Healthy, false),
            health(bench, 2, Label::Healthy, true),
            health(bench, 3, Label::Recovering, false),
            health(bench, 4, Label::Suspect, false),
            health(bench, 5, Label::Broken, true),
            health(other, 6, Label::Flaky, true),
        ];
        let mut group = store.begin_group().await.expect("free");
        group.health_save(&rows).await.expect("saves");
        group.commit().await.expect("commits");
        let found = store.health_unwell(bench, 9).await.expect("reads");
        assert_eq!(found.iter().map(|row| row.test.0.as_u128()).collect::<Vec<_>>(), [2, 3, 5]);
        assert_eq!((found[1].label, found[1].failed, found[1].last_at), (Label::Recovering, false, Some(at(9))));
        assert_eq!(store.health_unwell(bench, 2).await.expect("reads").len(), 2);
    }

    async fn who_is_well_has_no_row_and_what_was_told_neither(place: Place) {
        use Condition::{Failing, Flaky, Silent, Well};
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let stands = |test, condition| ConditionRow { subject: subject(bench, test), condition };
        let (one, itself) = (subject(bench, Some(1)), subject(bench, None));
        keep(
            &store,
            &[stands(None, Silent), stands(Some(1), Failing), stands(Some(2), Well)],
            &[untold("a", one, Well, Failing), untold("b", one, Well, Failing), untold("a", itself, Well, Silent)],
        ).await;
        keep(&store, &[stands(Some(1), Flaky)], &[untold("a", one, Well, Flaky), untold("b", one, Failing, Failing)]).await;
        keep(&store, &[], &[]).await;
        let mut known = store.condition_list().await.expect("reads");
        known.sort_by_key(|row| row.subject);
        assert_eq!(known, [stands(None, Silent), stands(Some(1), Flaky)]);
        let mut left = store.untold_list().await.expect("reads");
        left.sort_by_key(|row| row.untold.subject);
        assert_eq!(left, [untold("a", itself, Well, Silent), untold("a", one, Well, Flaky)]);
    }

    async fn a_channel_has_a_pace(place: Place) {
        let store = place.store;
        for (channel, told, gap) in [("a", 1, 60), ("b", 2, 60), ("a", 3, 120)] {
            let mut group = store.begin_group().await.expect("free");
            let pace = Pace { told_at: at(told), gap: Micros::from_secs(gap) };
            group.pace_save(&PaceRow { channel: channel.into(), pace }).await.expect("saves");
            group.commit().await.expect("commits");
        }
        let mut paces = store.pace_list().await.expect("reads");
        paces.sort_by(|one, other| one.channel.cmp(&other.channel));
        let told: Vec<_> = paces.iter().map(|row| (&*row.channel, row.pace.told_at, row.pace.gap.as_secs())).collect();
        assert_eq!(told, [("a", at(3), 120), ("b", at(2), 60)]);
    }

    async fn channels_are_saved_by_name(place: Place) {
        let store = place.store;
        let channel = |name: &str, body: &str, when| ChannelRow { name: name.into(), body: body.into(), changed_at: at(when) };
        for row in [channel("b", "{}", 1), channel("a", "{}", 2), channel("b", "{\"kind\": \"mail\"}", 3)] {
            store.channel_save(&row).await.expect("saves");
        }
        let all = [channel("a", "{}", 2), channel("b", "{\"kind\": \"mail\"}", 3)];
        assert_eq!(store.channel_list().await.expect("reads"), all);
        assert!(!format!("{all:?}").contains("mail"), "it may hold secrets");
        assert!(store.channel_delete("a").await.expect("deletes"));
        assert!(!store.channel_delete("a").await.expect("was deleted before"));
    }

    async fn the_newest_result_of_a_test_is_that_of_its_setup(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        saved(&store, bench, "1", 10, &[finished("opens", 1, Verdict::Passed, 1), END]).await;
        let newest = saved(&store, bench, "2", 20, &[finished("opens", 1, Verdict::Failed, 1), END]).await;
        saved(&store, other, "3", 30, &[finished("opens", 1, Verdict::Passed, 1), END]).await;
        let test = newest.tests()[0].id;
        let found = store.test_newest(test, bench).await.expect("reads").expect("is there");
        assert_eq!((found.run, found.setup), (newest.id, bench));
        assert_eq!(store.test_newest(TestId(bench.0), bench).await.expect("reads"), None);
    }
}
