//! Repositories that were added on the page.

use super::contract;
use super::place::*;
use super::play::*;
use server::store::rows::*;

contract! {
    async fn repositories_are_kept_with_what_was_last_told_of_them(place: Place) {
        let store = place.store;
        let row = |name: &str, body: &str| RepositoryRow { name: name.into(), body: body.into(), changed_at: at(1) };
        store.repository_save(&row("acme/pump", "{}")).await.expect("saves");
        store.repository_save(&row("acme/boiler", "{}")).await.expect("saves");
        store.repository_save(&row("acme/pump", "[]")).await.expect("saves");
        assert_eq!(store.repository_get("acme/pump").await.expect("reads"), Some(row("acme/pump", "[]")));
        let all = [row("acme/boiler", "{}"), row("acme/pump", "[]")];
        assert_eq!(store.repository_list().await.expect("reads"), all);
        assert!(store.repository_delete("acme/boiler").await.expect("deletes"));
        assert!(!store.repository_delete("acme/boiler").await.expect("was deleted"));
        let delivery = |kind: &str, seconds: i64| DeliveryRow {
            repository: "acme/pump".into(), kind: kind.into(), at: at(seconds),
        };
        store.delivery_save(&delivery("gitea", 1)).await.expect("saves");
        store.delivery_save(&delivery("github", 2)).await.expect("saves");
        assert_eq!(store.delivery_list().await.expect("reads"), [delivery("github", 2)]);
    }
}
