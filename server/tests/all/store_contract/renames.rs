//! Tests that go on under another name.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::change::{Condition, Subject};
use app::domain::test::Verdict;
use server::store::rows::*;

contract! {
    async fn renames_are_followed_back_and_taken_back(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        let mut tests = Vec::new();
        for (key, name, start) in [("1", "a", 10), ("2", "b", 20), ("3", "c", 30)] {
            let run = saved(&store, bench, key, start, &[finished(name, 1, Verdict::Passed, 3), END]).await;
            tests.push((run.id, run.tests()[0].id));
        }
        let [(first, a), (second, b), (_, c)] = tests[..] else { panic!("three") };
        let row = |was, now_is, when| RenameRow {
            was, now_is, was_path: vec!["Root".into(), "é\"".into()], at: at(when), actor: "Ada".into(),
        };
        let condition = |test, condition| ConditionRow { subject: Subject { setup: bench, test: Some(test) }, condition };
        let mut group = store.begin_group().await.expect("free");
        group.condition_save(&[condition(a, Condition::Failing)]).await.expect("saves");
        group.rename_insert(&row(a, b, 1)).await.expect("inserts");
        group.rename_insert(&row(b, c, 2)).await.expect("inserts");
        assert_eq!(group.rename_all().await.expect("reads").len(), 2);
        group.commit().await.expect("commits");
        assert_eq!(store.condition_list().await.expect("reads"), [condition(c, Condition::Failing)]);
        assert_eq!(store.rename_list().await.expect("reads"), [row(a, b, 1), row(b, c, 2)]);
        assert_eq!(store.rename_get(a).await.expect("reads"), Some(row(a, b, 1)));
        assert_eq!(store.rename_get(c).await.expect("reads"), None);
        assert_eq!(store.renames_into(c).await.expect("reads"), [row(b, c, 2), row(a, b, 1)]);
        assert!(store.renames_into(a).await.expect("reads").is_empty());

        assert_eq!(store.test_ids(first).await.expect("reads"), [a]);
        assert_eq!(store.setups_of_test(a).await.expect("reads"), [bench]);
        assert!(!store.tests_together(a, b).await.expect("reads"));
        assert!(store.tests_together(a, a).await.expect("reads"));
        let reach = Reach { results: 1, first_at: at(20), last_at: at(20) };
        assert_eq!(store.test_reach(b).await.expect("reads"), Some(reach));

        let mut group = store.begin_group().await.expect("free");
        let seen = group.test_attempts(b, bench, 9).await.expect("reads");
        assert_eq!((seen.len(), seen[0].run, seen[0].attempts[0].number), (1, second, 1));
        assert!(group.test_attempts(b, other, 9).await.expect("reads").is_empty());
        group.health_forget(bench, b).await.expect("forgets what it never knew");
        assert!(group.rename_delete(a).await.expect("deletes"));
        assert!(!group.rename_delete(a).await.expect("was deleted before"));
        group.commit().await.expect("commits");
        assert_eq!(store.renames_into(c).await.expect("reads"), [row(b, c, 2)]);
    }

    async fn a_forecast_looks_at_the_name_before_too(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let play = |key: &'static str, name: &'static str, start: i64, took: i64| {
            let store = store.clone();
            async move { saved(&store, bench, key, start, &[finished(name, 1, Verdict::Passed, took), END]).await }
        };
        let old = play("1", "a", 10, 3).await;
        let new = play("2", "b", 20, 4).await;
        let next = play("3", "b", 30, 5).await;
        let (a, b) = (old.tests()[0].id, new.tests()[0].id);
        let seconds = |found: Vec<(app::domain::ids::TestId, app::domain::time::Micros)>| -> Vec<i64> {
            found.into_iter().map(|(_, took)| took.0 / 1_000_000).collect()
        };
        assert_eq!(seconds(store.passes(next.id, bench, 5).await.expect("reads")), [4]);
        let mut group = store.begin_group().await.expect("free");
        let row = RenameRow { was: a, now_is: b, was_path: vec![], at: at(40), actor: "Ada".into() };
        group.rename_insert(&row).await.expect("inserts");
        group.commit().await.expect("commits");
        assert_eq!(seconds(store.passes(next.id, bench, 5).await.expect("reads")), [4, 3]);
        assert_eq!(seconds(store.passes(next.id, bench, 1).await.expect("reads")), [4]);
    }
}
