//! Launches of other protocols.

use super::contract;
use super::place::*;
use super::play::*;
use server::store::rows::*;

fn row(launch: &str, item: &str, second: i64, body: &str) -> ForeignRow {
    ForeignRow { project: "pump".into(), launch: launch.into(), item: item.into(), at: at(second), body: body.into() }
}

contract! {
    async fn launches_are_kept_item_by_item_and_forgotten_whole(place: Place) {
        let store = place.store;
        let rows = [row("old", "", 1, "{}"), row("old", "a", 9, "{}"), row("new", "", 5, "{}"), row("new", "a", 1, "1")];
        let mut group = store.begin_group().await.expect("free");
        group.foreign_save(&rows).await.expect("saves");
        group.foreign_save(&[]).await.expect("saves nothing");
        group.foreign_save(&[row("new", "a", 2, "2")]).await.expect("saves again");
        group.commit().await.expect("commits");
        let mut loaded = store.foreign_load("pump", "new").await.expect("reads");
        loaded.sort_unstable_by(|one, other| one.item.cmp(&other.item));
        assert_eq!(loaded, [row("new", "", 5, "{}"), row("new", "a", 2, "2")]);
        assert!(store.foreign_load("valve", "new").await.expect("reads").is_empty());
        let launches = store.foreign_launches("pump", 9).await.expect("reads");
        assert_eq!(launches, [row("new", "", 5, "{}"), row("old", "", 1, "{}")]);
        assert_eq!(store.foreign_launches("pump", 1).await.expect("reads").len(), 1);
        assert_eq!(store.foreign_forget(at(5)).await.expect("forgets"), 2);
        assert!(store.foreign_load("pump", "old").await.expect("reads").is_empty());
        assert_eq!(store.foreign_load("pump", "new").await.expect("reads").len(), 2);
    }
}
