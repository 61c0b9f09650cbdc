//! Saved walls, and claims.

use super::contract;
use super::place::*;
use super::play::*;
use server::store::rows::*;

contract! {
    async fn walls_are_saved_by_name(place: Place) {
        let store = place.store;
        let wall = |name: &str, body: &str, when: i64| WallRow { name: name.into(), body: body.into(), changed_at: at(when) };
        for row in [wall("lobby", "{}", 1), wall("attic", "{}", 2), wall("lobby", r#"{"title": "L"}"#, 3)] {
            store.wall_save(&row).await.expect("saves");
        }
        let lobby = wall("lobby", r#"{"title": "L"}"#, 3);
        assert_eq!(store.wall_list().await.expect("reads"), [wall("attic", "{}", 2), lobby.clone()]);
        assert_eq!(store.wall_get("lobby").await.expect("reads"), Some(lobby));
        assert_eq!(store.wall_get("cellar").await.expect("reads"), None);
        assert!(store.wall_delete("attic").await.expect("deletes"));
        assert!(!store.wall_delete("attic").await.expect("was deleted before"));
        assert_eq!(store.wall_list().await.expect("reads").len(), 1);
    }

    async fn a_setup_is_claimed_by_one_person(place: Place) {
        let store = place.store;
        let bench = setup(&store, "bench").await;
        let claim = |holder: &str, note: Option<&str>, when: i64| ClaimRow {
            setup: bench,
            holder: holder.into(),
            note: note.map(Into::into),
            at: at(when),
        };
        store.claim_save(&claim("A", None, 1)).await.expect("saves");
        store.claim_save(&claim("B", Some("the cable"), 5)).await.expect("saves");
        assert_eq!(store.claim_list().await.expect("reads"), [claim("B", Some("the cable"), 5)]);
        assert!(!store.claim_end(bench, at(4)).await.expect("is too young to end"));
        assert!(store.claim_end(bench, at(5)).await.expect("ends"));
        assert!(store.claim_list().await.expect("reads").is_empty());
    }
}
