//! The health of tests and setups.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::health::{Calibration, Label, Model, Observation, State};
use app::domain::ids::{SetupId, TestId};
use app::domain::test::Verdict;
use server::store::Store;
use server::store::rows::*;
use std::collections::BTreeSet;

fn health(setup: SetupId, test: TestId, label: Label, phi: f64) -> HealthRow {
    HealthRow {
        setup,
        test,
        label,
        p_flaky: 0.25,
        p_broken: 1e-30,
        phi,
        results: 7,
        failures: 2,
        failed: label == Label::Flaky,
        last_at: Some(at(9)),
        model: u32::MAX,
        state: [1, 2, 3].into(),
    }
}

async fn keep(store: &Store, tests: &[HealthRow], setups: &[SetupHealthRow]) {
    let mut group = store.begin_group().await.expect("free");
    group.health_save(tests).await.expect("saves");
    group.setup_health_save(setups).await.expect("saves");
    group.commit().await.expect("commits");
}

contract! {
    async fn the_health_of_tests_is_kept_and_the_sick_are_listed(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        let mut events = rich_events();
        events.push(finished("opens", 1, Verdict::Passed, 3));
        let run = saved(&store, bench, "1", 10, &events).await;
        let tests: Vec<_> = run.tests().iter().map(|test| test.id).collect();
        let sick = health(bench, tests[0], Label::Flaky, 0.125);
        keep(&store, &[sick.clone(), health(bench, tests[1], Label::Healthy, 0.5)], &[]).await;
        keep(&store, &[HealthRow { failures: 3, ..sick.clone() }, health(other, tests[0], Label::New, 0.0)], &[]).await;
        let sick = HealthRow { failures: 3, ..sick };

        let mut group = store.begin_group().await.expect("free");
        let loaded = group.health_load(bench, &[tests[0], TestId(bench.0)]).await.expect("reads");
        assert_eq!(loaded, [(tests[0], sick.state.clone())]);
        let mut all = group.health_of_setup(bench, 9).await.expect("reads");
        all.sort_unstable();
        assert_eq!(all.iter().map(|(test, _)| *test).collect::<BTreeSet<_>>(), [tests[0], tests[1]].into());
        assert_eq!(group.health_of_setup(bench, 1).await.expect("reads").len(), 1);
        assert!(group.health_load(bench, &[]).await.expect("reads").is_empty());
        group.commit().await.expect("commits");
        let on_all = store.health_of_test(tests[0]).await.expect("reads");
        assert_eq!(on_all.iter().filter(|row| **row == sick).count(), 1);
        assert_eq!(on_all.len(), 2);

        let of_run = store.health_of_run(run.id).await.expect("reads");
        assert_eq!(of_run.len(), 2, "its tests on its own setup, where they had a result");
        assert_eq!((&of_run[0].health, of_run[0].path.len()), (&sick, 3));
        assert!(of_run[0].path.last().is_some_and(|name| &**name == "opens"), "{of_run:?}");

        let listed = store.health_sick(10).await.expect("reads");
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!((&listed[0].health, listed[0].run), (&sick, run.id));
        assert_eq!(listed[0].path.last().map(|name| &**name), Some("opens"));
        assert_eq!(listed[0].path.len(), 3);

        let results = store.test_results(tests[0], 10).await.expect("reads");
        assert_eq!(results.len(), 1);
        assert_eq!((results[0].run, results[0].setup, &results[0].path), (run.id, bench, &listed[0].path));
        assert_eq!(results[0].attempts as usize, run.tests()[0].attempts.len());

        let mut group = store.begin_group().await.expect("free");
        group.health_clear(bench).await.expect("clears");
        group.commit().await.expect("commits");
        assert_eq!(store.health_of_test(tests[0]).await.expect("reads").len(), 1);
    }

    async fn the_health_of_setups_is_kept(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let calibration = Calibration::default();
        let row = SetupHealthRow { setup: bench, model: 7, base: [1].into(), sums: [2, 3].into(), calibration };
        keep(&store, &[], std::slice::from_ref(&row)).await;
        let mut state = State::new(&Model::default());
        let seen = Observation { failed: true, commit: None, run: 1, at: at(1), incident: false };
        let mut calibration = Calibration::default();
        calibration.observe(&state.observe(&Model::default(), &seen));
        let row = SetupHealthRow { model: 8, sums: [4].into(), calibration, ..row };
        keep(&store, &[], std::slice::from_ref(&row)).await;
        assert_eq!(store.setup_health_list().await.expect("reads"), std::slice::from_ref(&row));
        let other = setup(&store, "other").await;
        let mut group = store.begin_group().await.expect("free");
        assert_eq!(group.setup_health_get(bench).await.expect("reads"), Some(row));
        assert_eq!(group.setup_health_get(other).await.expect("reads"), None);
        group.commit().await.expect("commits");
    }
}
