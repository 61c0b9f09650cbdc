//! People, their sessions, links and attempts, and what they did.

use super::contract;
use super::place::*;
use super::play::*;
use app::domain::account::{Failures, LinkKind};
use app::domain::ids::{SessionId, UserId};
use app::domain::name::ProjectName;
use app::domain::rights::Role;
use server::store::Store;
use server::store::rows::*;
use server::store::sql::constraint;
use uuid::Uuid;

fn user(name: &str, role: Option<Role>) -> UserRow {
    UserRow {
        id: UserId(Uuid::new_v4()),
        name: name.into(),
        email: Some(format!("{name}@example.org").into()),
        role,
        password: Some("$argon2id$…".into()),
        subject: Some(format!("https://id.example {name}").into()),
        created_at: at(1),
        disabled_at: None,
        seen_at: None,
    }
}

fn session(hash: u8, user: UserId, expires: i64) -> SessionRow {
    SessionRow {
        id: SessionId(Uuid::new_v4()),
        hash: [hash; 32],
        user,
        created_at: at(1),
        used_at: at(i64::from(hash)),
        expires_at: at(expires),
        address: Some("10.0.0.7".into()),
        agent: None,
    }
}

async fn known(store: &Store, name: &str, role: Option<Role>) -> UserRow {
    let row = user(name, role);
    store.user_insert(&row).await.expect("inserts");
    row
}

/// Whether the mark rises while something is done.
async fn rises<T>(store: &Store, doing: impl Future<Output = T>) -> T {
    let before = store.access_mark().await.expect("reads");
    let done = doing.await;
    assert!(store.access_mark().await.expect("reads") > before, "other servers hear of it");
    done
}

contract! {
    async fn accounts_are_found_by_all_their_names(place: Place) {
        let store = place.store;
        assert_eq!(store.user_count().await.expect("reads"), 0);
        let ana = known(&store, "ana", Some(Role::Administrator)).await;
        let bo = UserRow { email: None, role: None, password: None, subject: None, ..user("bo", None) };
        store.user_insert(&bo).await.expect("inserts");
        assert_eq!(store.user_count().await.expect("reads"), 2);
        assert_eq!(store.user_list().await.expect("reads"), [ana.clone(), bo.clone()]);
        for (found, expected) in [
            (store.user_get(ana.id).await, Some(&ana)),
            (store.user_by_name("bo").await, Some(&bo)),
            (store.user_by_name("Bo").await, None),
            (store.user_by_email("ana@example.org").await, Some(&ana)),
            (store.user_by_subject("https://id.example ana").await, Some(&ana)),
            (store.user_by_subject("https://id.example").await, None),
        ] {
            assert_eq!(found.expect("reads").as_ref(), expected);
        }
        for (taken, name) in [
            (UserRow { email: None, subject: None, ..user("ana", None) }, constraint::USER_NAME),
            (UserRow { name: "cy".into(), subject: None, ..user("ana", None) }, constraint::USER_EMAIL),
            (UserRow { name: "cy".into(), email: None, ..user("ana", None) }, constraint::USER_SUBJECT),
        ] {
            assert_eq!(store.user_insert(&taken).await.expect_err("is taken").conflict(), Some(name));
        }
        store.user_seen(bo.id, at(9)).await.expect("writes");
        let changed = UserRow { role: Some(Role::Viewer), email: Some("bo@example.org".into()), seen_at: Some(at(9)), ..bo };
        assert!(rises(&store, store.user_update(&changed)).await.expect("updates"));
        assert_eq!(store.user_get(changed.id).await.expect("reads"), Some(changed));
    }

    async fn the_last_administrator_stays(place: Place) {
        let store = place.store;
        let ana = known(&store, "ana", Some(Role::Administrator)).await;
        let gone = known(&store, "gone", Some(Role::Administrator)).await;
        let gone = UserRow { disabled_at: Some(at(2)), ..gone };
        assert!(store.user_update(&gone).await.expect("there is another"));
        let lowered = UserRow { role: Some(Role::Engineer), ..ana.clone() };
        assert!(!store.user_update(&lowered).await.expect("no failure"));
        assert!(!store.user_update(&UserRow { disabled_at: Some(at(3)), ..ana.clone() }).await.expect("no failure"));
        assert!(!store.user_delete(ana.id).await.expect("no failure"));
        assert!(store.user_update(&UserRow { email: None, ..ana.clone() }).await.expect("stays one"));
        assert!(store.user_delete(gone.id).await.expect("one that cannot sign in"));
        known(&store, "bo", Some(Role::Administrator)).await;
        assert!(store.user_update(&lowered).await.expect("there is another now"));
        assert!(rises(&store, store.user_delete(ana.id)).await.expect("deletes"));
        assert!(!store.user_delete(ana.id).await.expect("was deleted before"));
    }

    async fn roles_in_projects_are_set_together(place: Place) {
        let store = place.store;
        let ana = known(&store, "ana", None).await;
        let grant = |project: &str, role| GrantRow { user: ana.id, project: ProjectName::stored(project), role };
        let two = [grant("press", Role::Viewer), grant("pump", Role::Engineer)];
        rises(&store, store.grants_set(ana.id, &two)).await.expect("sets");
        assert_eq!(store.grants_of(ana.id).await.expect("reads"), two);
        let one = [grant("pump", Role::Administrator)];
        store.grants_set(ana.id, &one).await.expect("sets");
        assert_eq!(store.grant_list().await.expect("reads"), one);
        store.user_delete(ana.id).await.expect("deletes");
        assert!(store.grant_list().await.expect("reads").is_empty(), "they go with their person");
    }

    async fn sessions_are_found_by_their_hash_and_end(place: Place) {
        let store = place.store;
        let (ana, bo) = (known(&store, "ana", None).await, known(&store, "bo", None).await);
        let all = [session(1, ana.id, 50), session(2, ana.id, 60), session(3, bo.id, 70)];
        for row in &all {
            store.session_insert(row).await.expect("inserts");
        }
        assert_eq!(store.session_by_hash(&[2; 32]).await.expect("reads"), Some(all[1].clone()));
        assert_eq!(store.session_by_hash(&[9; 32]).await.expect("reads"), None);
        assert_eq!(store.session_list(ana.id, at(0)).await.expect("reads"), [all[1].clone(), all[0].clone()]);
        store.session_touch(all[0].id, at(9), at(80), None).await.expect("touches");
        let touched = SessionRow { used_at: at(9), expires_at: at(80), address: None, ..all[0].clone() };
        assert_eq!(store.session_list(ana.id, at(0)).await.expect("reads"), [touched.clone(), all[1].clone()]);
        assert_eq!(store.session_list(ana.id, at(60)).await.expect("reads"), [touched], "one is over");
        assert!(!store.session_end(all[0].id, bo.id).await.expect("is not bo's"));
        assert!(rises(&store, store.session_end(all[0].id, ana.id)).await.expect("ends"));
        assert_eq!(store.sessions_forget(at(60)).await.expect("forgets"), 1);
        assert_eq!(store.sessions_forget(at(69)).await.expect("forgets"), 0);
        assert_eq!(rises(&store, store.sessions_end(bo.id)).await.expect("ends"), 1);
        assert_eq!(store.session_by_hash(&[3; 32]).await.expect("reads"), None);
    }

    async fn a_new_password_ends_sessions_and_links(place: Place) {
        let store = place.store;
        let ana = known(&store, "ana", None).await;
        let (here, there) = (session(1, ana.id, 50), session(2, ana.id, 50));
        store.session_insert(&here).await.expect("inserts");
        store.session_insert(&there).await.expect("inserts");
        let kind = LinkKind::Reset;
        let link = LinkRow { hash: [7; 32], kind, user: Some(ana.id), created_at: at(1), expires_at: at(50) };
        store.link_make(&link).await.expect("makes");
        rises(&store, store.password_set(ana.id, "new", Some(here.id))).await.expect("sets");
        assert_eq!(store.session_list(ana.id, at(0)).await.expect("reads"), [here]);
        assert_eq!(store.link_get(&[7; 32], at(2)).await.expect("reads"), None);
        assert_eq!(store.user_get(ana.id).await.expect("reads").and_then(|row| row.password).as_deref(), Some("new"));
    }

    async fn a_link_works_once_and_not_for_ever(place: Place) {
        let store = place.store;
        let ana = known(&store, "ana", None).await;
        store.session_insert(&session(1, ana.id, 500)).await.expect("inserts");
        let link = |hash: u8, kind: LinkKind, user: Option<UserId>| LinkRow {
            hash: [hash; 32], kind, user, created_at: at(1), expires_at: at(50),
        };
        store.link_make(&link(1, LinkKind::Invitation, Some(ana.id))).await.expect("makes");
        store.link_make(&link(2, LinkKind::Reset, Some(ana.id))).await.expect("makes");
        store.link_make(&link(3, LinkKind::Reset, Some(ana.id))).await.expect("makes");
        assert_eq!(store.link_get(&[2; 32], at(2)).await.expect("reads"), None, "the newer one stands");
        assert_eq!(store.link_get(&[3; 32], at(50)).await.expect("reads"), None, "it is too late");
        assert_eq!(store.link_get(&[3; 32], at(49)).await.expect("reads"), Some(link(3, LinkKind::Reset, Some(ana.id))));
        assert_eq!(store.link_spend(&[3; 32], at(50), "late").await.expect("no failure"), None);
        assert_eq!(store.link_spend(&[3; 32], at(9), "new").await.expect("spends"), Some(ana.id));
        assert_eq!(store.link_spend(&[3; 32], at(9), "again").await.expect("no failure"), None);
        assert_eq!(store.user_get(ana.id).await.expect("reads").and_then(|row| row.password).as_deref(), Some("new"));
        assert!(store.session_list(ana.id, at(0)).await.expect("reads").is_empty(), "whoever was in is out");
        assert_eq!(store.link_get(&[1; 32], at(2)).await.expect("reads"), None, "no other link is left");
        store.link_make(&link(4, LinkKind::Reset, Some(ana.id))).await.expect("makes");
        assert_eq!(store.links_forget(at(50)).await.expect("forgets"), 1);
    }

    async fn the_first_account_is_made_once(place: Place) {
        let store = place.store;
        let (ana, bo) = (user("ana", Some(Role::Administrator)), user("bo", Some(Role::Administrator)));
        let first = |hash: u8| LinkRow {
            hash: [hash; 32], kind: LinkKind::First, user: None, created_at: at(1), expires_at: at(50),
        };
        store.link_make(&first(1)).await.expect("makes");
        store.link_make(&first(2)).await.expect("makes");
        assert!(!store.link_spend_first(&[1; 32], at(2), &ana).await.expect("an older one"));
        assert_eq!(store.link_spend(&[2; 32], at(2), "x").await.expect("no failure"), None, "it is nobody's");
        assert!(store.link_spend_first(&[2; 32], at(2), &ana).await.expect("spends"));
        store.link_make(&first(3)).await.expect("makes");
        assert!(!store.link_spend_first(&[3; 32], at(2), &bo).await.expect("there is an account"));
        assert_eq!(store.user_list().await.expect("reads"), [ana]);
    }

    async fn attempts_are_counted_one_by_one(place: Place) {
        let store = place.store;
        let row = |count: u32, when: i64| AttemptRow {
            key: "name:ana".into(), failures: Failures { count, at: at(when), open_at: at(when + 15) },
        };
        assert_eq!(store.attempt_get("name:ana").await.expect("reads"), None);
        assert!(store.attempt_take(&row(1, 1), None).await.expect("counts"));
        assert!(!store.attempt_take(&row(1, 1), None).await.expect("another was quicker"));
        assert!(store.attempt_take(&row(2, 2), Some(&row(1, 1))).await.expect("counts"));
        assert!(!store.attempt_take(&row(2, 3), Some(&row(1, 1))).await.expect("another was quicker"));
        assert_eq!(store.attempt_get("name:ana").await.expect("reads"), Some(row(2, 2)));
        assert_eq!(store.attempts_forget(at(2)).await.expect("forgets"), 0);
        store.attempt_clear("name:ana").await.expect("clears");
        assert_eq!(store.attempt_get("name:ana").await.expect("reads"), None);
        assert!(store.attempt_take(&row(1, 1), None).await.expect("counts"));
        assert_eq!(store.attempts_forget(at(2)).await.expect("forgets"), 1);
    }

    async fn what_was_done_is_read_the_newest_first(place: Place) {
        let store = place.store;
        let row = |number: u128, detail: Option<&str>| AuditRow {
            id: Uuid::from_u128(number), at: at(number as i64), actor: "ana".into(), action: "token.create".into(),
            subject: "ingest".into(), detail: detail.map(Into::into), address: Some("10.0.0.7".into()),
        };
        for number in 1..=5 {
            store.audit_insert(&row(number, (number == 5).then_some("for bench"))).await.expect("inserts");
        }
        let page = store.audit_page(Uuid::max(), 2).await.expect("reads");
        assert_eq!(page, [row(5, Some("for bench")), row(4, None)]);
        assert_eq!(store.audit_page(page[1].id, 9).await.expect("reads").len(), 3);
        assert_eq!(store.audit_forget(at(4), 2).await.expect("forgets"), 2);
        assert_eq!(store.audit_forget(at(4), 2).await.expect("forgets"), 1);
        assert_eq!(store.audit_page(Uuid::max(), 9).await.expect("reads").len(), 2);
    }
}
