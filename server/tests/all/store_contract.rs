//! One contract for both databases, reaching every method of the store.
//!
//! SQLite always runs, in a file of its own; PostgreSQL runs where
//! `HOLTER_TEST_POSTGRES` names a server (any database on it), in a database of
//! its own.

mod claims;
mod file;
mod files;
mod foreign;
mod health;
mod job_log;
mod measurement;
mod news;
mod outbox;
mod pasts;
mod people;
mod place;
mod play;
mod renames;
mod repositories;
mod reservations;
mod results;
mod retention;
mod schedules;
mod walls;
mod work;

use app::domain::ids::{EventId, RunId, SetupId, TokenId};
use app::domain::name::{ProjectName, SetupName};
use app::domain::time::Micros;
use place::*;
use play::*;
use server::store::rows::*;
use server::store::sql::constraint;
use server::store::{Store, StoreError, StoreUrl};
use std::collections::BTreeSet;
use uuid::Uuid;

macro_rules! contract {
    ($(async fn $name:ident($place:ident: Place) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn contract($place: Place) $body

            #[tokio::test]
            async fn sqlite() {
                on_sqlite(contract).await;
            }

            #[tokio::test]
            async fn postgres() {
                on_postgres(contract).await;
            }
        }
    )*};
}
use contract;

contract! {
    async fn events_are_kept_in_order_and_their_ids_in_bundles(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let (run, id) = (RunId(Uuid::new_v4()), EventId(Uuid::new_v4()));
        let event = |run: Option<RunId>, event: Option<EventId>, body: &str| EventRow {
            seq: 0,
            event,
            setup: bench,
            run,
            kind: "test.finished".into(),
            at: at(1),
            received_at: at(2),
            late: run.is_some(),
            project: run.map(|_| ProjectName::stored("valves")),
            delay: run.map(|_| Micros(7)),
            output: None,
            body: body.into(),
        };
        assert_eq!(store.event_last().await.expect("reads"), 0);
        let first: Vec<_> = (0..300).map(|number| event(Some(run), None, &number.to_string())).collect();
        let mut group = store.begin_group().await.expect("free");
        group.event_insert(&first).await.expect("inserts");
        group.event_insert(&[event(Some(run), Some(id), "a"), event(None, Some(id), "b")]).await.expect("inserts");
        let seq = group.event_last().await.expect("reads");
        group.ids_insert(&[IdsRow::of(run.0, seq, &[id.0]), IdsRow::of(bench.0, seq, &[])]).await.expect("inserts");
        group.log_mark_set(seq).await.expect("writes");
        assert_eq!(group.event_ids(run.0).await.expect("reads"), [id.0]);
        group.commit().await.expect("commits");
        let more = [Uuid::new_v4(), Uuid::new_v4()];
        let mut group = store.begin_group().await.expect("free");
        group.event_insert(&[event(Some(run), None, "c")]).await.expect("inserts");
        group.event_insert(&[]).await.expect("nothing is fine");
        group.ids_insert(&[IdsRow::of(run.0, seq + 1, &more)]).await.expect("inserts");
        group.commit().await.expect("commits");

        assert_eq!(store.log_mark().await.expect("reads"), seq);
        assert_eq!(store.event_ids(run.0).await.expect("reads"), [id.0, more[0], more[1]]);
        assert!(store.event_ids(bench.0).await.expect("reads").is_empty());
        let all = store.event_page(0, 1_000).await.expect("reads");
        assert!(all.is_sorted_by(|one, next| one.seq < next.seq));
        let bodies: Vec<_> = all.iter().map(|row| row.body.to_string()).collect();
        let expected: Vec<_> = (0..300).map(|n| n.to_string()).chain(["a", "b", "c"].map(String::from)).collect();
        assert_eq!(bodies, expected);
        let last = all.last().expect("there are some");
        assert_eq!(store.event_last().await.expect("reads"), last.seq);
        assert_eq!(EventRow { seq: 0, ..last.clone() }, event(Some(run), None, "c"));
        let page = store.event_page(all[9].seq, 2).await.expect("reads");
        assert_eq!(page, all[10..12]);
    }

    async fn groups_are_seen_in_the_order_of_their_numbers(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let event = |body: &str| EventRow {
            seq: 0, event: None, setup: bench, run: None, kind: "log".into(), at: at(1), received_at: at(1),
            late: false, project: None, delay: None, output: None, body: body.into(),
        };
        let mut first = store.begin_group().await.expect("free");
        first.event_insert(&[event("first")]).await.expect("inserts");
        let second = tokio::spawn({
            let (store, event) = (store.clone(), event("second"));
            async move {
                let mut group = store.begin_group().await.expect("gets its turn");
                group.event_insert(&[event]).await.expect("inserts");
                group.commit().await.expect("commits");
            }
        });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!second.is_finished(), "the second group waits for the first");
        assert_eq!(store.event_last().await.expect("readers do not wait"), 0);
        first.commit().await.expect("commits");
        second.await.expect("the second group ends");
        let bodies = store.event_page(0, 9).await.expect("reads");
        assert_eq!(bodies.iter().map(|row| &*row.body).collect::<Vec<_>>(), ["first", "second"]);
    }

    async fn a_group_is_whole_or_nothing(place: Place) {
        let store = place.store;
        let mut group = store.begin_group().await.expect("free");
        let bench = group.setup_touch(&[touch("bench", 1)]).await.expect("new")[0].id;
        let mut run = run_of(bench, "1", 1, &rich_events());
        save(&mut group, &mut run, at(1), 1).await.expect("saves");
        drop(group);
        assert!(store.setup_list().await.expect("reads").is_empty());

        let bench = setup(&store, "bench").await;
        saved(&store, bench, "1", 1, &rich_events()).await;
        let mut group = store.begin_group().await.expect("free again");
        group.setup_touch(&[touch("other", 1)]).await.expect("new");
        let twin = run_of(bench, "1", 1, &rich_events());
        let error = group.run_save(&[RunRow::of(&twin, at(1), 1)]).await.expect_err("the key is taken");
        assert_eq!(error.conflict(), Some(constraint::RUN_KEY), "{error}");
        group.commit().await.expect_err("a failed step spoils the group");
        assert_eq!(store.setup_list().await.expect("reads").len(), 1);

        let mut group = store.begin_group().await.expect("free again");
        let orphan = run_of(SetupId(Uuid::new_v4()), "1", 1, &rich_events());
        let error = group.run_save(&[RunRow::of(&orphan, at(1), 1)]).await.expect_err("there is no such setup");
        assert!(error.conflict().is_some() && !error.is_busy(), "{error}");
    }

    async fn tokens_are_found_by_their_hash(place: Place) {
        let store = place.store;
        let token = TokenRow {
            id: TokenId(Uuid::new_v4()),
            hash: [7; 32],
            scope: "ingest".into(),
            setup: Some(SetupName::stored("bench")),
            project: None,
            label: Some("rig A".into()),
            created_at: at(1),
            expires_at: Some(at(100)),
            revoked_at: None,
            used_at: None,
            wall: Some("lobby".into()),
            used_from: None,
            created_by: Some("ana".into()),
        };
        store.token_insert(&token).await.expect("inserts");
        assert_eq!(store.token_by_hash(&[7; 32]).await.expect("reads"), Some(token.clone()));
        assert_eq!(store.token_by_hash(&[8; 32]).await.expect("reads"), None);
        let twin = TokenRow { id: TokenId(Uuid::new_v4()), ..token.clone() };
        let error = store.token_insert(&twin).await.expect_err("the secret is taken");
        assert_eq!(error.conflict(), Some(constraint::TOKEN_HASH));

        store.token_touch(token.id, at(5), Some("10.0.0.7")).await.expect("touches");
        let mark = store.access_mark().await.expect("reads");
        assert!(store.token_revoke(token.id, at(6)).await.expect("revokes"));
        assert!(!store.token_revoke(token.id, at(7)).await.expect("was revoked before"));
        assert!(store.access_mark().await.expect("reads") > mark, "other servers hear of it");
        let used_from = Some("10.0.0.7".into());
        let expected = TokenRow { used_at: Some(at(5)), used_from, revoked_at: Some(at(6)), ..token };
        assert_eq!(store.token_list().await.expect("reads"), [expected]);
    }

    async fn a_bad_row_is_named(place: Place) {
        let store = &place.store;
        let bench = setup(store, "bench").await;
        let run = saved(store, bench, "1", 1, &rich_events()).await;
        for (table, column, meddling) in [
            ("runs", "state", "update runs set state = 'dancing'"),
            ("runs", "facts", "update runs set facts = '{\"late\": \"never\"}', state = 'running'"),
        ] {
            place.meddle(meddling).await;
            let error = store.run_get(run.id).await.expect_err("cannot be read");
            let StoreError::Corrupt { table: t, column: c, id, .. } = &error else { panic!("{error}") };
            assert_eq!((*t, *c, id.as_str()), (table, column, run.id.to_string().as_str()));
        }
        place.meddle("update runs set facts = '{}'; update tests set suite = 9 where ordinal = 1").await;
        let error = store.run_load(run.id).await.expect_err("cannot be joined");
        assert_eq!(error.to_string(), format!("tests {}/1: column suite cannot be read: the run has no such suite", run.id));
        place.meddle("delete from tests where ordinal = 0").await;
        assert!(matches!(store.run_load(run.id).await, Err(StoreError::Corrupt { column: "ordinal", .. })));
        place.meddle("delete from runs").await;
        assert!(store.test_rows(run.id).await.expect("reads").is_empty(), "tests go with their run");
    }

    async fn it_opens_again_with_what_it_holds(place: Place) {
        let bench = setup(&place.store, "bench").await;
        let run = saved(&place.store, bench, "1", 1, &rich_events()).await;
        place.store.close().await;
        assert!(place.store.ping().await.expect_err("it is closed").is_busy());
        let store = Store::open(&place.url).await.expect("opens again");
        assert_eq!(seen(&store.run_load(run.id).await.expect("loads").expect("is there")), seen(&run));
        store.close().await;
        place.meddle("insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                      values (9999, 'later', true, 'x', 0)").await;
        let error = Store::open(&place.url).await.expect_err("a newer program was here");
        assert!(error.to_string().contains("newer version"), "{error}");
    }

    async fn a_backup_is_a_whole_store(place: Place) {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("copy.db");
        let bench = setup(&place.store, "bench").await;
        let run = saved(&place.store, bench, "1", 1, &rich_events()).await;
        place.store.checkpoint().await.expect("nothing stands in the way");
        let copied = place.store.backup(&to).await;
        if place.store.kind() == "postgres" {
            assert!(copied.expect_err("not here").to_string().contains("pg_dump"));
            return;
        }
        copied.expect("copies");
        assert!(place.store.backup(&to).await.is_err(), "nothing is overwritten");
        let copy = Store::open(&StoreUrl::Sqlite(to)).await.expect("the copy opens");
        assert_eq!(seen(&copy.run_load(run.id).await.expect("loads").expect("is there")), seen(&run));
        copy.close().await;
    }
}

/// The texts of the files in a folder.
fn rust_files(folder: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("listed").path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    files.map(|path| std::fs::read_to_string(path).expect("readable")).collect()
}

#[test]
fn the_contract_reaches_every_method() {
    let source = rust_files("src/store/tables").concat() + include_str!("../../src/store/mod.rs");
    let contract = rust_files("tests/all/store_contract").concat() + include_str!("store_contract.rs");
    let starts = ["pub fn ", "pub async fn ", "read fn ", "snapshot fn ", "write fn ", "whole fn ", "step fn "];
    let methods: BTreeSet<_> = source
        .lines()
        .filter_map(|line| starts.iter().find_map(|start| line.trim_start().strip_prefix(start)))
        .filter_map(|rest| rest.split_once('(').map(|(name, _)| name))
        .filter(|name| !name.starts_with('$'))
        .collect();
    assert!(methods.len() > 35, "{methods:?}");
    let missed: Vec<_> = methods
        .iter()
        .filter(|name| !contract.contains(&format!(".{name}(")) && !contract.contains(&format!("Store::{name}(")))
        .collect();
    assert!(missed.is_empty(), "no contract calls {missed:?}");
}
