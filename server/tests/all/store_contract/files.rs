//! Contents of files, and what points at them.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::file::{Attachment, Digest};
use app::domain::ids::{PlaceId, RunId};
use app::domain::output::{Level, OutputFrom};
use server::store::rows::*;
use uuid::Uuid;

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

contract! {
    async fn a_content_leaves_when_nothing_points_at_it_any_more(place: Place) {
        let store = &place.store;
        let bench = setup(store, "bench").await;
        let run = saved(store, bench, "1", 1, &rich_events()).await;
        for (byte, when) in [(1, 1), (2, 2), (3, 30)] {
            assert!(store.content_take(digest(byte), 10, at(when)).await.expect("takes"));
        }
        let attachment = Attachment {
            file: digest(1), name: "a.png".into(), media_type: "image/png".into(), size: 10,
        };
        let row = AttachmentRow { run: run.id, place: PlaceId::RUN, attempt: 0, attachment, at: at(5) };
        let mut group = store.begin_group().await.expect("free");
        group.attachment_save(std::slice::from_ref(&row)).await.expect("saves");
        group.attachment_save(std::slice::from_ref(&row)).await.expect("the same again is fine");
        group.commit().await.expect("commits");

        let idle = async |after: Digest, limit| {
            let rows = store.content_idle(after, at(20), limit).await.expect("reads");
            rows.into_iter().map(|(row, is_idle)| (row.digest.0[0], is_idle)).collect::<Vec<_>>()
        };
        assert_eq!(idle(digest(0), 9).await, [(1, false), (2, true), (3, false)]);
        assert_eq!(idle(digest(1), 1).await, [(2, true)]);
        let leave = async |byte, now| {
            store.content_leave(digest(byte), at(20), at(now), at(now - 10)).await.expect("marks")
        };
        assert!(!leave(1, 40).await, "something points at it");
        assert!(!leave(3, 40).await, "it came a moment ago");
        assert!(leave(2, 40).await);
        assert!(!leave(2, 45).await, "somebody is at it");
        assert!(leave(2, 60).await, "whoever was at it died");
        assert!(!store.content_take(digest(2), 10, at(61)).await.expect("asks"), "it is leaving");
        let leaving = ContentRow { digest: digest(2), size: 10, taken_at: at(2), leaving_at: Some(at(60)) };
        assert_eq!(store.content_get(digest(2)).await.expect("reads"), Some(leaving));
        store.content_stay(digest(2)).await.expect("stays");
        store.content_forget(digest(2)).await.expect("is not marked");
        assert!(leave(2, 70).await, "it was still there");
        store.content_forget(digest(2)).await.expect("goes");
        assert_eq!(store.content_get(digest(2)).await.expect("reads"), None);
        assert!(store.content_take(digest(2), 10, at(71)).await.expect("takes"), "it is new again");

        // It stays for as long as its run does.
        place.meddle("delete from tests; delete from suites; delete from texts; delete from runs").await;
        assert!(store.attachment_list(run.id).await.expect("reads").is_empty());
        assert!(leave(1, 80).await);
    }

    async fn files_are_found_by_run_place_and_content(place: Place) {
        let store = &place.store;
        let bench = setup(store, "bench").await;
        let run = saved(store, bench, "1", 1, &rich_events()).await;
        let other = saved(store, bench, "2", 2, &rich_events()).await;
        let test = PlaceId::of(&["Root".into()], Some(("a", None)));
        let row = |run, place, attempt, byte, name: &str, when| AttachmentRow {
            run,
            place,
            attempt,
            attachment: Attachment {
                file: digest(byte), name: name.into(), media_type: "text/plain".into(), size: u64::from(byte),
            },
            at: at(when),
        };
        let rows = [
            row(run.id, test, 1, 7, "log.txt", 3),
            row(run.id, test, 2, 7, "log.txt", 4),
            row(run.id, PlaceId::RUN, 0, 8, "all.txt", 1),
            row(other.id, test, 1, 9, "log.txt", 1),
        ];
        let mut group = store.begin_group().await.expect("free");
        group.attachment_save(&rows).await.expect("saves");
        group.attachment_save(&[]).await.expect("nothing is fine");
        group.commit().await.expect("commits");
        assert_eq!(
            store.attachment_list(run.id).await.expect("reads"),
            [rows[2].clone(), rows[0].clone(), rows[1].clone()]
        );
        assert_eq!(store.attachments_of_place(run.id, test).await.expect("reads"), rows[..2]);
        assert_eq!(store.attachment_get(run.id, digest(7)).await.expect("reads"), Some(rows[0].clone()));
        assert_eq!(store.attachment_get(run.id, digest(9)).await.expect("is of another run"), None);
    }

    async fn output_is_read_by_place_and_level_forwards_and_backwards(place: Place) {
        let store = &place.store;
        let bench = setup(store, "bench").await;
        let run = saved(store, bench, "1", 1, &rich_events()).await;
        let test = PlaceId::of(&["Root".into()], Some(("a", None)));
        let event = |run, output, body: &str| EventRow {
            seq: 0, event: None, setup: bench, run, kind: "log".into(), at: at(1), received_at: at(1),
            late: false, project: None, delay: None, output, body: body.into(),
        };
        let line = |place, level, body: &str| event(Some(run.id), Some((place, level)), body);
        let rows = [
            line(PlaceId::RUN, Some(Level::Info), "run 1"),
            line(test, None, "step 2"),
            line(test, Some(Level::Debug), "test 3"),
            event(Some(run.id), None, "no output"),
            event(Some(RunId(Uuid::new_v4())), Some((test, Some(Level::Fatal))), "of another run"),
            line(test, Some(Level::Error), "test 4"),
            line(PlaceId::RUN, Some(Level::Warn), "run 5"),
        ];
        let mut group = store.begin_group().await.expect("free");
        group.event_insert(&rows).await.expect("inserts");
        group.commit().await.expect("commits");

        let read = async |place, level, from, limit| {
            let filter = OutputFilter { place, level, from, limit };
            let rows = store.output_page(run.id, &filter).await.expect("reads");
            assert!(rows.iter().all(|row| row.output.is_some() && row.run == Some(run.id)));
            rows.iter().map(|row| row.body.to_string()).collect::<Vec<_>>()
        };
        let start = OutputFrom::After(0);
        let end = OutputFrom::Before(i64::MAX);
        assert_eq!(read(None, None, start, 9).await, ["run 1", "step 2", "test 3", "test 4", "run 5"]);
        assert_eq!(read(None, Some(Level::Warn), start, 9).await, ["test 4", "run 5"]);
        assert_eq!(read(Some(test), None, start, 2).await, ["step 2", "test 3"]);
        assert_eq!(read(Some(test), Some(Level::Trace), start, 9).await, ["test 3", "test 4"]);
        assert_eq!(read(None, None, end, 2).await, ["test 4", "run 5"]);
        assert_eq!(read(Some(test), None, end, 2).await, ["test 3", "test 4"]);
        let all = store.event_page(0, 9).await.expect("reads");
        assert_eq!(all[5].output, Some((test, Some(Level::Error))));
        assert_eq!(read(None, None, OutputFrom::After(all[2].seq), 1).await, ["test 4"]);
        assert_eq!(read(Some(test), Some(Level::Debug), OutputFrom::Before(all[5].seq), 9).await, ["test 3"]);
    }
}
