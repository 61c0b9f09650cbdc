//! What is old, who looks after what.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::file::{Attachment, Digest};
use app::domain::ids::{PlaceId, RunId};
use app::domain::name::{ProjectName, RunKey};
use app::domain::output::Level;
use app::domain::test::Verdict;
use app::domain::time::Timestamp;
use server::store::rows::*;
use uuid::Uuid;

contract! {
    async fn old_runs_are_found_and_forgotten_with_all_that_is_theirs(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        let pass = || finished("opens", 1, Verdict::Failed, 3);
        let old = saved(&store, bench, "1", 10, &[pass(), END]).await;
        let open = saved(&store, bench, "2", 20, &[pass()]).await;
        let newer = saved(&store, bench, "3", 30, &[pass(), END]).await;
        let newest = saved(&store, bench, "4", 40, &[pass(), END]).await;
        let only = saved(&store, other, "1", 5, &[pass(), END]).await;
        let file = AttachmentRow {
            run: newer.id,
            place: PlaceId::RUN,
            attempt: 0,
            attachment: Attachment { file: Digest([3; 32]), name: "a".into(), media_type: "text/plain".into(), size: 1 },
            at: at(1),
        };
        let mut group = store.begin_group().await.expect("free");
        group.attachment_save(&[file]).await.expect("saves");
        group.ids_insert(&[IdsRow::of(old.id.0, 1, &[Uuid::new_v4()])]).await.expect("inserts");
        group.commit().await.expect("commits");

        let first = (Timestamp(i64::MIN), RunId(Uuid::nil()));
        let ages = store.run_ages(first, at(100), 10).await.expect("reads");
        assert_eq!(ages.iter().map(|age| (age.id, age.has_files)).collect::<Vec<_>>(), [(old.id, false), (newer.id, true)]);
        assert_eq!((ages[0].created_at, ages[0].project.as_str()), (at(10), old.project().as_str()));
        let after = (ages[0].created_at, ages[0].id);
        assert_eq!(store.run_ages(after, at(100), 10).await.expect("reads").len(), 1);
        assert_eq!(store.run_ages(first, at(100), 1).await.expect("reads").len(), 1);
        assert!(store.run_ages(first, at(10), 10).await.expect("reads").is_empty());

        assert_eq!(store.run_files_forget(newer.id).await.expect("deletes"), 1);
        assert_eq!(store.run_files_forget(newer.id).await.expect("deletes"), 0);
        store.run_forget(old.id).await.expect("deletes");
        assert_eq!(store.run_get(old.id).await.expect("reads"), None);
        assert!(store.test_rows(old.id).await.expect("reads").is_empty());
        assert!(store.text_list(old.id, &[0]).await.expect("reads").is_empty());
        assert!(store.event_ids(old.id.0).await.expect("reads").is_empty());
        assert_eq!(store.run_find(bench, &RunKey::stored("1")).await.expect("reads"), None);
        for run in [open.id, newer.id, newest.id, only.id] {
            assert!(store.run_get(run).await.expect("reads").is_some());
        }
    }

    async fn events_are_known_by_their_age_and_forgotten_by_their_numbers(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let run = saved(&store, bench, "1", 10, &[finished("opens", 1, Verdict::Passed, 3), END]).await;
        let event = |run: Option<RunId>, output: Option<(PlaceId, Option<Level>)>| EventRow {
            seq: 0, event: None, setup: bench, run, kind: "log".into(), at: at(1), received_at: at(7),
            late: false, project: None, delay: None, output, body: "{}".into(),
        };
        let line = Some((PlaceId::RUN, Some(Level::Info)));
        let rows = [event(Some(run.id), line), event(Some(run.id), None), event(None, None), event(Some(RunId(Uuid::new_v4())), line)];
        let mut group = store.begin_group().await.expect("free");
        group.event_insert(&rows).await.expect("inserts");
        group.commit().await.expect("commits");
        let ages = store.event_ages(0, 10).await.expect("reads");
        let seen: Vec<_> = ages.iter().map(|age| (age.is_output, age.is_stray, age.project.is_some())).collect();
        assert_eq!(seen, [(true, false, true), (false, false, true), (false, false, false), (true, true, false)]);
        assert!(ages.iter().all(|age| age.received_at == at(7)));
        assert_eq!(store.event_ages(ages[1].seq, 1).await.expect("reads"), ages[2..3]);
        assert_eq!(store.events_forget(&[ages[0].seq, ages[3].seq, 99_999]).await.expect("deletes"), 2);
        assert_eq!(store.events_forget(&[]).await.expect("deletes nothing"), 0);
        assert_eq!(store.event_ages(0, 10).await.expect("reads"), ages[1..3]);
    }

    async fn a_project_has_one_file_of_owners(place: Place) {
        let store = place.store;
        let (pump, press) = (ProjectName::stored("pump"), ProjectName::stored("press"));
        let row = |body: &str, when| OwnersRow { project: pump.clone(), body: body.into(), changed_at: at(when) };
        assert_eq!(store.owners_get(&pump).await.expect("reads"), None);
        store.owners_save(&row("* @a\n", 1)).await.expect("saves");
        store.owners_save(&row("* @b \u{fc}\n", 2)).await.expect("saves");
        assert_eq!(store.owners_get(&pump).await.expect("reads"), Some(row("* @b \u{fc}\n", 2)));
        assert!(!store.owners_delete(&press).await.expect("has none"));
        assert!(store.owners_delete(&pump).await.expect("deletes"));
        assert_eq!(store.owners_get(&pump).await.expect("reads"), None);
    }
}
