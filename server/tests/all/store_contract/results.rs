//! Setups, runs, suites, tests and what is kept beside them.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::event::RunEvent;
use app::domain::ids::{RunId, ScriptId, TestId};
use app::domain::name::{ProjectName, RunKey};
use app::domain::run::{RunResult, RunState};
use app::domain::test::{Outcome, Verdict};
use app::domain::time::Micros;
use server::store::rows::*;
use uuid::Uuid;

contract! {
    async fn every_statement_can_be_prepared(place: Place) {
        assert_eq!(place.prepare().await, Vec::<String>::new());
        place.store.ping().await.expect("answers");
        assert!(["sqlite", "postgres"].contains(&place.store.kind()));
    }

    async fn a_setup_keeps_its_id_and_its_version_grows(place: Place) {
        let store = place.store;
        let mut first = touch("bench 1", 10);
        first.attributes = Some([("os".into(), "linux".into()), ("rig".into(), "A".into())].into());
        let mut group = store.begin_group().await.expect("free");
        let touched = group.setup_touch(&[first.clone(), touch("bench 2", 10)]).await.expect("new");
        group.commit().await.expect("commits");
        assert_eq!(touched.len(), 2);
        assert!(touched.iter().all(|touched| touched.version == 1));

        let mut again = touch("bench 1", 5);
        again.attributes = Some([("rig".into(), "B".into())].into());
        let silent = SetupTouch { heard_at: None, version: 40, ..touch("bench 2", 99) };
        let mut group = store.begin_group().await.expect("free");
        let touched = group.setup_touch(&[silent, again]).await.expect("known");
        group.commit().await.expect("commits");
        let bench = touched.iter().find(|touched| touched.name.as_str() == "bench 1").expect("it is told");
        assert_eq!((bench.id, bench.version), (first.id, 2));

        let all = store.setup_list().await.expect("lists");
        assert_eq!(all.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["bench 1", "bench 2"]);
        assert_eq!((all[0].version, all[0].created_at, all[0].heard_at), (2, at(10), Some(at(10))));
        // The second was shown more often than it was written.
        assert_eq!((all[1].version, all[1].heard_at), (40, Some(at(10))));
        let told: Attributes = [("os".into(), "linux".into()), ("rig".into(), "B".into())].into();
        assert_eq!(all[0].attributes, told);
    }

    async fn a_run_comes_back_as_it_was(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let mut run = saved(&store, bench, "42", 100, &rich_events()).await;
        let loaded = store.run_load(run.id).await.expect("loads").expect("is there");
        assert_eq!(seen(&loaded), seen(&run));
        assert_eq!(loaded.counts(), run.counts());

        // Goes on from there, in the transaction that found it.
        let mut group = store.begin_group().await.expect("free");
        let key = RunKey::stored("42");
        let found = group.run_find(bench, &key).await.expect("finds").expect("is there");
        assert_eq!((found.id, found.version), (run.id, 100));
        let mut loaded = group.run_load(found.id).await.expect("loads").expect("is there");
        for run in [&mut run, &mut loaded] {
            run.apply(&END, at(200), at(200), Micros(0));
        }
        save(&mut group, &mut loaded, found.created_at, 200).await.expect("saves");
        let inside = group.run_load(found.id).await.expect("loads").expect("is there");
        group.commit().await.expect("commits");
        assert_eq!(seen(&inside), seen(&run));

        let row = store.run_get(run.id).await.expect("reads").expect("is there");
        assert_eq!(row, RunRow::of(&run, at(100), 200));
        assert_eq!((row.state, row.result), (RunState::Finished, Some(RunResult::Failed)));
        assert_eq!((row.branch.as_deref(), row.commit.as_deref()), (Some("main"), Some("c0ffee")));
        assert_eq!(store.run_find(bench, &key).await.expect("finds"), Some(row));

        let nobody = RunId(Uuid::new_v4());
        assert_eq!(store.run_get(nobody).await.expect("reads"), None);
        assert!(store.run_load(nobody).await.expect("reads").is_none());
        assert_eq!(store.run_find(bench, &RunKey::stored("43")).await.expect("reads"), None);
    }

    async fn what_changed_is_found_by_version(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let mut run = saved(&store, bench, "1", 10, &rich_events()).await;
        assert_eq!(store.suite_rows(run.id).await.expect("reads").len(), 2);
        let tests = store.test_rows(run.id).await.expect("reads");
        assert_eq!(names(&tests), ["opens", "50%_shut", "parametrised"]);
        assert_eq!(tests[0], TestRow::of(&run, 0, 10));
        assert_eq!(store.suite_rows(run.id).await.expect("reads")[1], SuiteRow::of(&run, 1, 10));
        assert_eq!(store.test_get(run.id, 2).await.expect("reads").as_ref(), Some(&tests[2]));
        assert_eq!(store.test_get(run.id, 3).await.expect("reads"), None);
        assert_eq!(store.suite_get(run.id, 1).await.expect("reads"), Some(SuiteRow::of(&run, 1, 10)));
        assert_eq!(store.suite_get(run.id, 2).await.expect("reads"), None);

        run.apply(&finished("50%_shut", 2, Verdict::Passed, 1), at(90), at(90), Micros(0));
        let mut group = store.begin_group().await.expect("free");
        save(&mut group, &mut run, at(10), 11).await.expect("saves");
        group.commit().await.expect("commits");
        let changed = store.test_changes(run.id, 10).await.expect("reads");
        assert_eq!((names(&changed), changed[0].outcome), (vec!["50%_shut"], Outcome::Flaky));
        assert!(store.suite_changes(run.id, 10).await.expect("reads").iter().all(|row| row.version == 11));
        assert!(store.test_changes(run.id, 11).await.expect("reads").is_empty());
    }

    async fn tests_are_paged_and_filtered(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let mut run = saved(&store, bench, "1", 10, &rich_events()).await;
        let page = async |filter: TestFilter<'_>, after, limit| {
            let rows = store.test_page(run.id, &filter, after, limit).await.expect("reads");
            names(&rows).into_iter().map(String::from).collect::<Vec<_>>()
        };
        let all = TestFilter::default();
        assert_eq!(page(all, None, 2).await, ["opens", "50%_shut"]);
        assert_eq!(page(all, Some(1), 2).await, ["parametrised"]);
        for (q, expected) in [
            ("OPENS", vec!["opens"]),
            ("%", vec!["50%_shut"]),
            ("_", vec!["50%_shut"]),
            ("50%_", vec!["50%_shut"]),
            ("\\", vec![]),
            ("pressure=", vec!["parametrised"]),
            ("valve", vec!["opens", "50%_shut", "parametrised"]),
            ("nothing like it", vec![]),
        ] {
            assert_eq!(page(TestFilter { q: Some(q), ..all }, None, 9).await, expected, "{q}");
        }
        let by = async |outcomes: &[Outcome]| page(TestFilter { outcome: Some(outcomes), ..all }, None, 9).await;
        assert_eq!(by(&[Outcome::Failed, Outcome::Flaky]).await, ["opens", "50%_shut"]);
        assert_eq!(by(&[Outcome::Running]).await, ["parametrised"]);
        assert!(by(&[]).await.is_empty());

        // The end changes what never ended, without writing it again.
        for (aborted, outcome) in [(false, Outcome::Lost), (true, Outcome::Cancelled)] {
            run.apply(&RunEvent::Finished { aborted, shard: None }, at(99), at(99), Micros(0));
            let mut group = store.begin_group().await.expect("free");
            group.run_save(&[RunRow::of(&run, at(10), 12)]).await.expect("saves");
            group.commit().await.expect("commits");
            let filter = TestFilter { outcome: Some(&[outcome]), ..all };
            let rows = store.test_page(run.id, &filter, None, 9).await.expect("reads");
            assert_eq!((names(&rows), rows[0].outcome), (vec!["parametrised"], outcome));
            assert_eq!(store.test_rows(run.id).await.expect("reads")[2].outcome, outcome);
        }
    }

    async fn runs_are_listed_newest_first(place: Place) {
        let store = place.store;
        let (one, two) = (setup(&store, "one").await, setup(&store, "two").await);
        let mut expected = Vec::new();
        for number in 0..7_i64 {
            let mut events = rich_events();
            if number % 2 == 0 {
                events.push(END);
            }
            let setup = if number < 4 { one } else { two };
            // Two of the same moment: the id decides.
            let start = 1_000 * (number / 2 + 1);
            let run = saved(&store, setup, &number.to_string(), start, &events).await;
            expected.push((at(start), run.id));
        }
        expected.sort();
        expected.reverse();

        let mut paged = Vec::new();
        let mut after = None;
        loop {
            let page = store.run_page(&RunFilter::default(), after, 3).await.expect("reads");
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            paged.extend(page.iter().map(|row| (row.created_at, row.id)));
        }
        assert_eq!(paged, expected);

        let count = async |filter: RunFilter| store.run_page(&filter, None, 100).await.expect("reads").len();
        let all = RunFilter::default();
        assert_eq!(count(RunFilter { setup: Some(one), ..all.clone() }).await, 4);
        assert_eq!(count(RunFilter { setup: Some(one), state: Some(RunState::Running), ..all.clone() }).await, 2);
        assert_eq!(count(RunFilter { branch: Some("main".into()), ..all.clone() }).await, 7);
        assert_eq!(count(RunFilter { branch: Some("side".into()), ..all.clone() }).await, 0);
        assert_eq!(count(RunFilter { result: Some(RunResult::Failed), ..all.clone() }).await, 4);
        assert_eq!(count(RunFilter { project: Some(ProjectName::default()), ..all.clone() }).await, 7);
        assert_eq!(count(RunFilter { project: Some(ProjectName::stored("x")), ..all.clone() }).await, 0);
        let of = |names: &[&str]| Some(names.iter().map(|name| ProjectName::stored(*name)).collect());
        for (names, found) in [(&["default", "x"][..], 7), (&["defaul_", "%", "default2"], 0), (&[], 0)] {
            assert_eq!(count(RunFilter { projects: of(names), ..all.clone() }).await, found, "{names:?}");
        }

        let open = store.run_open_list().await.expect("reads");
        assert_eq!(open.len(), 3);
        assert!(open.is_sorted_by_key(|row| row.created_at));
        let latest = store.run_latest_list().await.expect("reads");
        let newest = |setup| latest.iter().find(|row| row.setup == setup).map(|row| row.key.as_str().to_owned());
        assert_eq!((latest.len(), newest(two).as_deref()), (2, Some("6")));
    }

    async fn texts_and_scripts_are_kept_beside(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let run = saved(&store, bench, "1", 10, &rich_events()).await;
        let texts = store.text_list(run.id, &[0, 1, 2]).await.expect("reads");
        let told: Vec<_> = texts.iter().map(|row| (row.ordinal, row.attempt, row.message.as_deref())).collect();
        assert_eq!(told, [(0, 1, Some("opens broke")), (1, 1, Some("50%_shut broke"))]);
        assert_eq!(store.text_list(run.id, &[1]).await.expect("reads").len(), 1);
        assert!(store.text_list(run.id, &[]).await.expect("reads").is_empty());

        let text = |message: &str| TextRow {
            run: run.id, ordinal: 0, attempt: 1, message: Some(message.into()), trace: None,
        };
        let script = ScriptRow { id: ScriptId::of("again"), body: "again".into() };
        let mut group = store.begin_group().await.expect("free");
        group.text_save(&[text("second"), text("third")]).await.expect("saves");
        group.script_save(&[script.clone(), script.clone()]).await.expect("saves");
        group.script_save(std::slice::from_ref(&script)).await.expect("saves");
        group.commit().await.expect("commits");
        assert_eq!(store.text_list(run.id, &[0]).await.expect("reads"), [text("third")]);
        assert_eq!(store.script_get(script.id).await.expect("reads").as_deref(), Some("again"));
        assert_eq!(store.script_get(ScriptId::of("no")).await.expect("reads"), None);
        let planned = run.tests()[0].script.expect("the plan carried it");
        assert_eq!(store.script_get(planned).await.expect("reads").as_deref(), Some("Open  valve"));
    }

    async fn forecasts_know_the_last_passes_on_the_setup(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        for (number, verdict) in [Verdict::Passed, Verdict::Failed, Verdict::Warned, Verdict::Passed].iter().enumerate() {
            let seconds = number as i64 + 1;
            let suite = path(&["Root", "Valves"]);
            let events = [
                RunEvent::SuiteStarted { suite: suite.clone(), total_tests: None, source: None },
                finished("opens", 1, *verdict, seconds),
                finished("other", 1, Verdict::Skipped, 1),
                RunEvent::SuiteFinished { suite, verdict: None, message: None },
                END,
            ];
            saved(&store, bench, &number.to_string(), seconds * 1_000, &events).await;
        }
        saved(&store, other, "elsewhere", 9_000, &[finished("opens", 1, Verdict::Passed, 77)]).await;
        let events = [finished("opens", 1, Verdict::Passed, 55), finished("other", 1, Verdict::Passed, 5)];
        let run = saved(&store, bench, "now", 9_000, &events).await;

        let opens = TestId::of("default", &path(&["Root", "Valves"]), "opens", None);
        let passes = store.passes(run.id, bench, 10).await.expect("reads");
        assert_eq!(passes, [4, 3, 1].map(|seconds| (opens, Micros::from_secs(seconds))));
        assert_eq!(store.passes(run.id, bench, 2).await.expect("reads").len(), 2);
        let suites = store.suite_durations(run.id, bench, 3).await.expect("reads");
        assert_eq!(suites, [(0, Micros::from_secs(3)); 3]);
    }
}
