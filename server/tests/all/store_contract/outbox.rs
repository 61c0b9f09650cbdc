//! What is to be said to other servers.

use super::contract;
use super::place::*;
use super::play::*;
use server::store::rows::*;
use uuid::Uuid;

fn letter(number: u128, subject: Option<&str>, due: i64) -> LetterRow {
    LetterRow {
        id: Uuid::from_u128(number),
        subject: subject.map(Into::into),
        body: format!("{{\"number\": {number}}}").into(),
        created_at: at(1),
        due_at: at(due),
        tries: 0,
        fault: None,
        given_up_at: None,
    }
}

contract! {
    async fn letters_are_kept_until_they_are_taken_or_given_up(place: Place) {
        let store = place.store;
        store.outbox_put(&letter(1, None, 5)).await.expect("puts");
        store.outbox_put(&letter(2, Some("a"), 4)).await.expect("puts");
        let mut group = store.begin_group().await.expect("free");
        group.outbox_put(&letter(3, None, 9)).await.expect("puts");
        group.commit().await.expect("commits");
        assert!(store.outbox_due(at(3), 9).await.expect("reads").is_empty());
        assert_eq!(store.outbox_due(at(5), 9).await.expect("reads"), [letter(2, Some("a"), 4), letter(1, None, 5)]);
        assert_eq!(store.outbox_due(at(9), 1).await.expect("reads").len(), 1);

        store.outbox_again(Uuid::from_u128(2), at(7), "busy").await.expect("notes");
        store.outbox_give_up(Uuid::from_u128(1), at(6), "gone").await.expect("notes");
        let again = LetterRow { tries: 1, fault: Some("busy".into()), due_at: at(7), ..letter(2, Some("a"), 4) };
        assert_eq!(store.outbox_due(at(8), 9).await.expect("reads"), std::slice::from_ref(&again));
        let faulty = store.outbox_faulty(9).await.expect("reads");
        assert_eq!(faulty.iter().map(|row| row.given_up_at).collect::<Vec<_>>(), [None, Some(at(6))]);

        // A newer one takes its place, whatever became of the older.
        store.outbox_give_up(Uuid::from_u128(2), at(8), "gone").await.expect("notes");
        store.outbox_put(&letter(4, Some("a"), 8)).await.expect("puts");
        assert_eq!(store.outbox_due(at(8), 9).await.expect("reads"), [letter(4, Some("a"), 8)]);
        store.outbox_done(Uuid::from_u128(2)).await.expect("is not there any more");
        assert_eq!(store.outbox_due(at(8), 9).await.expect("reads").len(), 1);
        store.outbox_done(Uuid::from_u128(4)).await.expect("is taken");
        assert!(store.outbox_due(at(8), 9).await.expect("reads").is_empty());
    }

    async fn only_the_newest_letters_stay(place: Place) {
        let store = place.store;
        for number in 1..=6 {
            store.outbox_put(&letter(number, None, 1)).await.expect("puts");
        }
        store.outbox_give_up(Uuid::from_u128(6), at(6), "gone").await.expect("notes");
        assert_eq!(store.outbox_shed(6, at(6)).await.expect("sheds"), 0);
        assert_eq!(store.outbox_shed(4, at(6)).await.expect("sheds"), 2);
        assert_eq!(store.outbox_shed(4, at(7)).await.expect("sheds"), 1);
        let left = store.outbox_due(at(9), 9).await.expect("reads");
        assert_eq!(left.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [3, 4, 5]);
    }

    async fn a_lease_has_one_holder(place: Place) {
        let store = place.store;
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let take = async |name: &str, holder, until, now| store.lease_take(name, holder, at(until), at(now)).await.expect("asks");
        assert!(take("post", one, 10, 0).await);
        assert!(take("courier", other, 10, 0).await);
        assert!(!take("post", other, 19, 9).await);
        assert!(take("post", one, 20, 9).await);
        assert!(take("post", other, 30, 20).await);
        assert!(!take("post", one, 30, 21).await);
    }

    async fn what_was_said_of_commits_is_known_by_run(place: Place) {
        let store = place.store;
        let (bench, other) = (setup(&store, "bench").await, setup(&store, "other").await);
        let mut runs = Vec::new();
        for (setup, key) in [(bench, "1"), (bench, "2"), (other, "3")] {
            let run = saved(&store, setup, key, 10, &rich_events()).await.id;
            runs.push(run);
            for state in ["pending", "success"] {
                let mut group = store.begin_group().await.expect("free");
                let row = CommitStatusRow { run, state: state.into(), at: at(1) };
                group.commit_status_save(&row).await.expect("saves");
                group.commit().await.expect("commits");
            }
        }
        let mut said = store.commit_status_list(bench, 9).await.expect("reads");
        said.sort_by_key(|row| row.run);
        let mut expected = runs[..2].to_vec();
        expected.sort();
        assert_eq!(said.iter().map(|row| row.run).collect::<Vec<_>>(), expected);
        assert!(said.iter().all(|row| &*row.state == "success"));
        assert_eq!(store.commit_status_list(bench, 1).await.expect("reads").len(), 1);
    }
}
