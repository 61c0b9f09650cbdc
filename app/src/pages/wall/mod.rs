//! The wall, `/wall` and `/wall/{name}`: setups on one screen, for a monitor
//! nobody touches.
//!
//! It never scrolls. How many columns fit is decided by the number of setups
//! for a wide screen and for a tall one; CSS takes the one that applies, so
//! that no script and no style attribute is needed. Where tiles would be too
//! small to read, pages take turns ([`rotation`]).

mod clock;
mod rotation;

use super::filter::{Filter, Order, Show as Kind, vitals};
use super::live_wall::LiveWall;
use super::not_found::NotFound;
use super::question::{Answer, Question, answered, ask};
use super::strips::{PauseButton, Stage};
use crate::domain::ids::SetupId;
use crate::read::{Look, Wall};
use crate::ui::{Each, Empty, Erase, Freshness, PointAListener, Show, StaleBanner, WallTile};
use clock::WallClock;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use rotation::{Rotation, Turns};

/// Without scripts the page is loaded again this often, in seconds.
const RELOAD: &str = r#"<meta http-equiv="refresh" content="30">"#;

/// The most columns that CSS knows.
const COLUMNS_MAX: u64 = 32;

/// The page.
#[component]
pub fn WallPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let question = move || match params.with(|params| params.get("name")) {
        None => Question::Wall,
        Some(name) => Question::NamedWall(name, query.with(|query| query.get("kiosk"))),
    };
    let drawn = |answer| match answer {
        Answer::Wall(wall) => view! { <Tiles wall=wall look=Look::default() /> }.erased(),
        Answer::NamedWall(wall, look) => view! { <Tiles wall=wall look=*look /> }.erased(),
        _ => view! { <NotFound what="wall" /> }.erased(),
    };
    view! {
        <Title text="Wall" />
        <noscript inner_html=RELOAD></noscript>
        {answered(ask(question), drawn)}
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

/// What is on the wall, in order.
fn chosen(look: &Look, filter: &Filter, live: LiveWall) -> Vec<SetupId> {
    let (now, silent_after) = (live.now().get(), live.silent_after().get());
    let order = if look.by_name { Order::Name } else { filter.order };
    let filter = Filter { order, ..filter.clone() };
    let is_on =
        |tile: &crate::read::Tile| look.takes(tile) && (!look.only_sick || tile.sickness(now, silent_after) > 0);
    live.with(|tiles| {
        let on: Vec<_> = tiles.iter().filter(|tile| is_on(tile)).cloned().collect();
        filter.select(&on, now, silent_after)
    })
}

#[component]
fn Tiles(wall: Wall, look: Look) -> impl IntoView {
    let live = LiveWall::new(wall);
    let (now, silent_after) = (live.now(), live.silent_after());
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(Filter::of));
    let look = StoredValue::new(look);
    let all = Memo::new(move |_| look.with_value(|look| chosen(look, &filter.get(), live)));
    let turns = Turns::new(look.with_value(Rotation::of), all, live);
    let tiles = turns.shown();
    let size = move || tiles.with(Vec::len);
    let order = move || if filter.with(|filter| filter.order == Order::Sick) { "sick" } else { "name" };
    let tile = move |setup: SetupId| {
        live.tile(setup)
            .map(|tile| view! { <WallTile tile=tile now=now silent_after=silent_after /> }.erased())
            .into_any()
    };
    let is_stale = move || (live.freshness().get() != Freshness::Live).to_string();
    let is_night = move || look.with_value(|look| clock::is_within(look.dim, now.get())).to_string();
    let Look { theme, palette, sound, .. } = look.get_value();
    view! {
        <div
            class="wall"
            data-test="wall"
            data-stale=move || is_stale()
            data-theme=theme.as_str()
            data-palette=palette.as_str()
            data-sound=sound.to_string()
            data-night=move || is_night()
        >
            <StaleBanner freshness=live.freshness() now=live.clock.now() />
            <WallHead live=live look=look turns=turns />
            <Show
                when=move || { size() > 0 }
                fallback=move || view! { <Nothing live=live look=look /> }.erased()
            >
                <Stage source=live>
                    <div
                        class="tiles"
                        data-wide=move || columns(size(), 185, 160).to_string()
                        data-tall=move || columns(size(), 52, 150).to_string()
                        data-order=move || order()
                    >
                        <Each keys=move || tiles.get() view=tile />
                    </div>
                </Stage>
            </Show>
        </div>
    }
    .erased()
}

/// Why there is no tile: all is well, nothing is chosen, or nothing is there.
#[component]
fn Nothing(live: LiveWall, look: StoredValue<Look>) -> impl IntoView {
    let on = look.with_value(|look| live.with(|tiles| tiles.iter().filter(|tile| look.takes(tile)).count()));
    if on > 0 {
        let well = format!("{on} {}, none of them ill, silent or late.", if on == 1 { "setup" } else { "setups" });
        return view! { <Empty title="All is well"><p data-test="all-well">{well}</p></Empty> }.erased();
    }
    if live.with(|tiles| !tiles.is_empty()) {
        return view! {
            <Empty title="No setup belongs on this wall">
                <p>"None is of its projects, or has one of its names. Change the wall under " <a href="/settings/walls" rel="external">"Walls"</a> "."</p>
            </Empty>
        }
        .erased();
    }
    let origin = super::grid::origin();
    view! { <Empty title="Nothing recorded yet"><PointAListener origin=origin /></Empty> }.erased()
}

#[component]
fn WallHead(live: LiveWall, look: StoredValue<Look>, turns: Turns) -> impl IntoView {
    let (now, silent_after) = (live.now(), live.silent_after());
    let of_wall = move |tiles: &[crate::read::Tile]| -> Vec<crate::read::Tile> {
        look.with_value(|look| tiles.iter().filter(|tile| look.takes(tile)).cloned().collect())
    };
    let sizes = Memo::new(move |_| live.with(|tiles| vitals(&of_wall(tiles), now.get(), silent_after.get())));
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
    let (title, language) = look.with_value(|look| (look.title.clone(), look.language.clone()));
    let word = if title.is_some() { "" } else { " setups" };
    let title = move || title.clone().unwrap_or_else(|| sizes.get()[0].to_string());
    view! {
        <header class="wall-head">
            <h1 class="wall-title">
                {move || title()}<span class="wall-title-word">{word}</span>
            </h1>
            <div class="wall-signs">{signs}</div>
            <p class="wall-pages" data-test="wall-pages" hidden=move || turns.pages() < 2 data-held=move || turns.is_held().to_string()>
                {move || turns.words()}
            </p>
            <a class="pause" href="/settings/walls" rel="external" title="Walls" aria-label="Walls">
                <crate::ui::Icon glyph=crate::ui::Glyph::Tiles />
            </a>
            <PauseButton />
            <WallClock now=live.clock.now() language=language />
        </header>
    }
    .erased()
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
