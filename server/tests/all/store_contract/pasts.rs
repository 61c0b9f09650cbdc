//! What the past of a test on a setup comes to.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::event::RunEvent;
use app::domain::ids::{RunId, SetupId, TestId};
use app::domain::run::Run;
use app::domain::test::{Outcome, Verdict};
use server::store::migrations::{POSTGRES, SQLITE};
use server::store::rows::*;
use server::store::{Store, StoreUrl};

fn passes_in(seconds: i64) -> [RunEvent; 2] {
    [finished("opens", 1, Verdict::Passed, seconds), END]
}

/// How long the test took when it last passed, as another run sees it.
async fn passes(store: &Store, run: RunId, bench: SetupId) -> Vec<i64> {
    let passes = store.passes(run, bench, 10).await.expect("reads");
    passes.into_iter().map(|(_, took)| took.0 / 1_000_000).collect()
}

async fn results(store: &Store, test: TestId, limit: u32) -> Vec<String> {
    let results = store.test_results(test, limit).await.expect("reads");
    results.into_iter().map(|row| row.key.as_str().to_owned()).collect()
}

/// The step that made the table, again from the results.
async fn made_anew(place: &Place) {
    let steps = if matches!(place.url, StoreUrl::Sqlite(_)) { SQLITE } else { POSTGRES };
    let text = steps.iter().find(|step| step.name == "0015_test_pasts").expect("is there").text;
    let (_, filled) = text.split_once("\n\ninsert into").expect("it fills the table");
    let (filled, _) = filled.split_once("drop index").expect("and goes on");
    place.meddle(&format!("delete from test_pasts; insert into {filled}")).await;
}

contract! {
    async fn runs_are_counted_by_suite(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let over = saved(&store, bench, "1", 10, &passes_in(1)).await;
        let open = [finished("opens", 1, Verdict::Failed, 2), RunEvent::TestStarted { test: test_ref("closes", 1), about: Box::default() }];
        let open = saved(&store, bench, "2", 20, &open).await;
        let mut counts = store.suite_counts(&[over.id, open.id]).await.expect("reads");
        counts.sort_by_key(|row| (row.run != over.id, row.outcome.as_str()));
        let path: Vec<Box<str>> = vec!["Root".into(), "Valves".into()];
        let row = |run: &Run, outcome| SuiteCountRow { run: run.id, path: path.clone(), outcome, tests: 1 };
        assert_eq!(counts, [row(&over, Outcome::Passed), row(&open, Outcome::Failed), row(&open, Outcome::Running)]);
        assert_eq!(store.suite_counts(&[]).await.expect("reads"), []);
    }

    async fn a_run_is_taken_in_once_however_often_it_is_written(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        saved(&store, bench, "1", 10, &passes_in(1)).await;
        let second = run_of(bench, "2", 20, &passes_in(2));
        for _ in 0..3 {
            let mut again = second.clone();
            let mut group = store.begin_group().await.expect("free");
            save(&mut group, &mut again, at(20), 1).await.expect("saves");
            group.commit().await.expect("commits");
        }
        let third = saved(&store, bench, "3", 30, &passes_in(3)).await;
        assert_eq!(passes(&store, third.id, bench).await, [2, 1], "its own result is not its past");
        let test = third.tests()[0].id;
        let reach = store.test_reach(test).await.expect("reads").expect("has results");
        assert_eq!((reach.results, reach.first_at, reach.last_at), (3, at(10), at(30)));
        assert_eq!(results(&store, test, 9).await, ["3", "2", "1"]);
        assert_eq!(results(&store, test, 2).await, ["3", "2"]);
    }

    async fn what_ended_before_the_newest_does_not_stand_for_it(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        let newest = saved(&store, bench, "newest", 90, &passes_in(9)).await;
        // Of one test in two runs at once, and one that is brought in later.
        let (mut one, mut two) = (run_of(bench, "one", 50, &passes_in(5)), run_of(bench, "two", 95, &passes_in(7)));
        let rows = |run: &app::domain::run::Run| PastRow::of(&TestRow::of(run, 0, 1), at(99)).expect("is over");
        let pasts = [rows(&one), rows(&two)];
        let mut group = store.begin_group().await.expect("free");
        save(&mut group, &mut one, at(99), 1).await.expect("saves");
        save(&mut group, &mut two, at(99), 1).await.expect("saves");
        group.past_save(&pasts).await.expect("a statement may not touch a row twice, but a list may");
        group.commit().await.expect("commits");
        let test = newest.tests()[0].id;
        let row = store.test_newest(test, bench).await.expect("reads").expect("is there");
        assert_eq!(row.key.as_str(), "two");
        assert_eq!(results(&store, test, 9).await, ["two", "newest", "one"]);
        assert_eq!(store.test_newest(test, other).await.expect("reads"), None);
        assert_eq!(store.test_reach(TestId(bench.0)).await.expect("reads"), None);
        let next = saved(&store, bench, "next", 200, &[finished("opens", 1, Verdict::Failed, 1), END]).await;
        assert_eq!(passes(&store, next.id, bench).await[..2], [7, 9], "what failed is no pass");
    }

    async fn the_step_that_made_the_table_finds_the_same(place: Place) {
        let store = &place.store;
        let bench = setup(store, "bench").await;
        for number in 1..=12 {
            saved(store, bench, &number.to_string(), number * 10, &passes_in(number)).await;
        }
        let failed = [finished("opens", 1, Verdict::Failed, 1), finished("shuts", 1, Verdict::Passed, 4), END];
        let last = saved(store, bench, "last", 200, &failed).await;
        let open = saved(store, bench, "open", 300, &[RunEvent::Started(Box::default())]).await;
        let next = saved(store, bench, "next", 400, &[finished("opens", 1, Verdict::Passed, 1), finished("shuts", 1, Verdict::Passed, 1)]).await;
        let grown = passes(store, next.id, bench).await;
        assert_eq!(sorted(grown.clone()), [3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12], "ten of the one, one of the other");
        let reaches = async || {
            let mut reaches = Vec::new();
            for test in last.tests() {
                reaches.push(store.test_reach(test.id).await.expect("reads"));
            }
            reaches
        };
        let before = reaches().await;
        made_anew(&place).await;
        assert_eq!(reaches().await, before);
        assert_eq!(sorted(passes(store, next.id, bench).await), sorted(grown));
        assert_eq!(passes(store, open.id, bench).await, Vec::<i64>::new(), "it has no tests");
    }
}

fn sorted(mut seconds: Vec<i64>) -> Vec<i64> {
    seconds.sort_unstable();
    seconds
}
