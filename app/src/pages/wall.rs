//! The wall, `/wall`: every setup on one screen, for a monitor nobody touches.
//!
//! It never scrolls. How many columns fit is decided by the number of setups
//! for a wide screen and for a tall one; CSS takes the one that applies, so
//! that no script and no style attribute is needed.

use super::filter::{Filter, Order, Show as Kind, vitals};
use super::live_wall::LiveWall;
use super::not_found::NotFound;
use super::question::{Answer, Question, answered, ask};
use super::strips::{PauseButton, Stage};
use crate::domain::ids::SetupId;
use crate::domain::time::Timestamp;
use crate::format;
use crate::read::Wall;
use crate::ui::{Each, Empty, Erase, Freshness, PointAListener, Show, StaleBanner, WallTile};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// Without scripts the page is loaded again this often, in seconds.
const RELOAD: &str = r#"<meta http-equiv="refresh" content="30">"#;

/// The most columns that CSS knows.
const COLUMNS_MAX: u64 = 32;

/// The page.
#[component]
pub fn WallPage() -> impl IntoView {
    let drawn = |answer| match answer {
        Answer::Wall(wall) => view! { <Tiles wall=wall /> }.erased(),
        _ => view! { <NotFound what="page" /> }.erased(),
    };
    view! {
        <Title text="Wall" />
        <noscript inner_html=RELOAD></noscript>
        {answered(ask(|| Question::Wall), drawn)}
    }
    .erased()
}

/// How many columns make `tiles` tiles fill a screen best: near to the shape
/// of `tile`, with few places empty. Both shapes are width to height in percent.
fn columns(tiles: usize, screen: u64, tile: u64) -> u64 {
    let tiles = tiles.max(1) as u64;
    let cost = |columns: &u64| {
        let rows = tiles.div_ceil(*columns);
        let shape = (screen * rows / columns).max(1);
        let distortion = (shape * 1_000 / tile).max(tile * 1_000 / shape);
        distortion * columns * rows / tiles
    };
    (1..=COLUMNS_MAX.min(tiles)).min_by_key(cost).unwrap_or(1)
}

#[component]
fn Tiles(wall: Wall) -> impl IntoView {
    let live = LiveWall::new(wall);
    let (now, silent_after) = (live.now(), live.silent_after());
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(Filter::of));
    let tiles = Memo::new(move |_| live.with(|tiles| filter.get().select(tiles, now.get(), silent_after.get())));
    let size = move || tiles.with(Vec::len);
    let is_stale = move || (live.freshness().get() != Freshness::Live).to_string();
    let origin = super::grid::origin();
    let tile = move |setup: SetupId| {
        live.tile(setup)
            .map(|tile| view! { <WallTile tile=tile now=now silent_after=silent_after /> }.erased())
            .into_any()
    };
    view! {
        <div class="wall" data-test="wall" data-stale=move || is_stale()>
            <StaleBanner freshness=live.freshness() now=live.clock.now() />
            <WallHead live=live />
            <Show
                when=move || { size() > 0 }
                fallback=move || view! { <Empty title="Nothing recorded yet"><PointAListener origin=origin /></Empty> }.erased()
            >
                <Stage source=live>
                    <div
                        class="tiles"
                        data-wide=move || columns(size(), 185, 160).to_string()
                        data-tall=move || columns(size(), 52, 150).to_string()
                        data-order=move || filter.with(|filter| if filter.order == Order::Sick { "sick" } else { "name" })
                    >
                        <Each keys=move || tiles.get() view=tile />
                    </div>
                </Stage>
            </Show>
        </div>
    }
    .erased()
}

#[component]
fn WallHead(live: LiveWall) -> impl IntoView {
    let (now, silent_after) = (live.now(), live.silent_after());
    let sizes = Memo::new(move |_| live.with(|tiles| vitals(tiles, now.get(), silent_after.get())));
    let signs = Kind::ALL
        .into_iter()
        .enumerate()
        .skip(1)
        .map(|(at, show)| {
            let size = move || sizes.get()[at];
            view! {
                <span class="wall-sign" data-vital=show.as_str() data-empty=move || (size() == 0).to_string()>
                    <span class="wall-sign-number">{move || size().to_string()}</span>
                    {show.glyph().map(|glyph| view! { <crate::ui::Icon glyph=glyph /> }.erased())}
                    <span class="wall-sign-word">{show.as_str()}</span>
                </span>
            }
            .erased()
        })
        .collect_view();
    view! {
        <header class="wall-head">
            <h1 class="wall-title">
                {move || sizes.get()[0].to_string()}<span class="wall-title-word">" setups"</span>
            </h1>
            <div class="wall-signs">{signs}</div>
            <PauseButton />
            <WallClock now=live.clock.now() />
        </header>
    }
    .erased()
}

/// The time of day: in UTC from the server, then in the viewer's zone.
#[component]
fn WallClock(now: Signal<Timestamp>) -> impl IntoView {
    let is_local = RwSignal::new(false);
    Effect::new(move |_| is_local.set(true));
    let text = move || if is_local.get() { local_clock(now.get()) } else { format::utc_clock(now.get()) };
    view! {
        <time class="wall-clock" data-test="clock" datetime=move || now.get().to_rfc3339()>
            {move || text()}
        </time>
    }
    .erased()
}

#[cfg(feature = "hydrate")]
fn local_clock(now: Timestamp) -> String {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(now.as_millis() as f64));
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

#[cfg(not(feature = "hydrate"))]
fn local_clock(now: Timestamp) -> String {
    format::utc_clock(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_the_screen_and_leave_few_places_empty() {
        for tiles in 1..=500 {
            for (screen, tile) in [(185, 160), (52, 150)] {
                let columns = columns(tiles, screen, tile);
                assert!((1..=COLUMNS_MAX).contains(&columns), "{tiles}: {columns}");
                assert!(columns <= tiles as u64, "{tiles}: {columns}");
            }
        }
        assert_eq!([1, 2, 3, 4, 5, 6, 20, 200, 500].map(|n| columns(n, 185, 160)), [1, 2, 2, 2, 3, 3, 5, 16, 24]);
    }
}
