//! One setup, `/setups/{name}`: its newest run as it goes, and its runs.
//!
//! It listens to the stream of its open run. While no run is open it listens
//! to all setups and asks for the page again when one begins here.

use super::builds_dialog::{BuildsDialog, BuildsQuestion};
use super::claim::ClaimLine;
use super::live_run::LiveRun;
use super::not_found::NotFound;
use super::question::{Answer, Asked, Question, answered, ask};
use super::run_head::{RunFacts, RunState, RunSummary};
use super::run_tree::RunTree;
use super::setup_strip::{SetupStrip, source_of};
use crate::paths::{Page, Segment};
use crate::read;
use crate::ui::{Empty, Erase, Fact, Freshness, Glyph, Icon, PointAListener, RunRow, Show, StaleBanner, click};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

/// The page.
#[component]
pub fn SetupPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = ask(move || {
        let name = params.with(|params| params.get("name").unwrap_or_default());
        Question::Setup(name, query.with(|query| query.get("before")))
    });
    answered(asked, move |answer| match answer {
        Answer::Setup(data) => view! { <Setup data=*data page=asked /> }.erased(),
        _ => view! { <NotFound what="setup" /> }.erased(),
    })
}

#[component]
fn Setup(data: read::SetupPage, page: Asked) -> impl IntoView {
    let live = data.run.clone().map(LiveRun::new);
    let freshness = live.map_or_else(|| RwSignal::new(Freshness::Live), LiveRun::freshness);
    let clock = live.map_or_else(|| super::clock::Clock::new(data.now), |live| live.clock);
    let shown = RwSignal::new(data.tile.clone());
    let source = source_of(&data, shown, live, clock);
    listen(shown, live, freshness, clock, page);
    let read::SetupPage { tile, attributes, runs, next, .. } = data;
    let is_stale = move || (freshness.get() != Freshness::Live).to_string();
    let has_runs = !runs.is_empty();
    let name = tile.name.clone();
    view! {
        <Title text=name />
        <div class="page setup-page" data-test="setup" data-stale=move || is_stale()>
            <StaleBanner freshness=freshness now=clock.now() />
            <SetupHead tile=tile.clone() live=live />
            <ClaimLine tile=shown now=clock.now() />
            <SetupStrip source=source />
            {attributes_of(attributes)}
            {live.map(|live| view! { <CurrentRun live=live /> }.erased())}
            <Show when=move || live.is_none()>
                <Empty title="No run yet"><PointAListener origin=super::grid::origin() /></Empty>
            </Show>
            {has_runs.then(|| view! { <Runs name=tile.name runs=runs next=next /> }.erased())}
        </div>
    }
    .erased()
}

#[component]
fn SetupHead(tile: read::Tile, live: Option<LiveRun>) -> impl IntoView {
    let question = BuildsQuestion::new();
    let name = tile.name.clone();
    let builds = tile.has_builds.then(|| {
        view! {
            <button type="button" class="button" data-test="builds-button" data-key="builds" on:click=click(move || question.ask(name.clone()))>
                <Icon glyph=Glyph::Layers />"Latest builds"
            </button>
        }
        .erased()
    });
    view! {
        <header class="page-head" data-test="setup-head" data-row="true">
            <p class="trail"><a href=Page::Grid.to_string()>"Setups"</a></p>
            <div class="page-title">
                <h1>{tile.name}</h1>
                {live.map(|live| view! { <RunState live=live /> }.erased())}
                {builds}
            </div>
            {tile.comment.map(|comment| view! { <p class="quiet">{comment}</p> }.erased())}
        </header>
        <BuildsDialog question=question />
    }
    .erased()
}

fn attributes_of(attributes: Vec<(String, String)>) -> Option<AnyView> {
    let facts = attributes.into_iter().map(|(name, value)| view! { <Fact name=name>{value}</Fact> }.erased());
    (facts.len() > 0).then(|| view! { <dl class="facts" data-test="attributes">{facts.collect_view()}</dl> }.erased())
}

#[component]
fn CurrentRun(live: LiveRun) -> impl IntoView {
    let head = live.head();
    let title = move || head.with(|head| head.card.name.clone().unwrap_or_else(|| head.card.key.clone()));
    let address = move || head.with(|head| Page::Run(head.card.id).to_string());
    let word = move || head.with(|head| if head.card.result.is_some() { "Newest run: " } else { "Running now: " });
    view! {
        <section class="current" aria-label="Newest run">
            <h2>{move || word()}<a href=move || address() data-test="current-run">{move || title()}</a></h2>
            <RunSummary live=live />
            <RunFacts live=live />
            <RunTree live=live />
        </section>
    }
    .erased()
}

const HEADINGS: [&str; 7] = ["Result", "Run", "Tests", "Passed", "Code", "Began", "Took"];

#[component]
fn Runs(name: String, runs: Vec<read::RunLine>, next: Option<String>) -> impl IntoView {
    let rows = runs.into_iter().map(|run| view! { <RunRow run=run /> }.erased()).collect_view();
    let headings =
        HEADINGS.map(|word| view! { <th role="columnheader" scope="col" data-column=word>{word}</th> }.erased());
    let older = next.map(|next| format!("{}?before={}#runs", Page::Setup(&name), Segment(&next)));
    let query = use_query_map();
    let newest = move || {
        let is_older = query.with(|query| query.get_str("before").is_some());
        is_older
            .then(|| view! { <a class="button" href=format!("{}#runs", Page::Setup(&name))>"Newest runs"</a> }.erased())
    };
    view! {
        <section class="runs" id="runs" data-test="runs" aria-label="Runs">
            <h2>"Runs"</h2>
            <table class="run-lines" role="table">
                <thead role="rowgroup"><tr role="row">{headings.into_iter().collect_view()}</tr></thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            <p class="pager">
                {move || newest()}
                {older.map(|older| view! { <a class="button" data-test="older-runs" href=older>"Older runs"</a> }.erased())}
            </p>
        </section>
    }
    .erased()
}

#[cfg(not(feature = "hydrate"))]
fn listen(
    _tile: RwSignal<read::Tile>,
    _live: Option<LiveRun>,
    _freshness: RwSignal<Freshness>,
    _clock: super::clock::Clock,
    _page: Asked,
) {
}

#[cfg(feature = "hydrate")]
use listening::listen;

#[cfg(feature = "hydrate")]
mod listening {
    use super::Asked;
    use crate::link::Link;
    use crate::live::Message;
    use crate::pages::clock::Clock;
    use crate::pages::live_run::LiveRun;
    use crate::pages::live_wall::{freshness_of, parse};
    use crate::paths::LIVE_WALL;
    use crate::read;
    use crate::ui::Freshness;
    use leptos::prelude::*;

    pub(super) fn listen(
        tile: RwSignal<read::Tile>,
        live: Option<LiveRun>,
        freshness: RwSignal<Freshness>,
        clock: Clock,
        page: Asked,
    ) {
        let is_open = |live: &LiveRun| live.head().with_untracked(|head| head.card.result.is_none());
        match live.filter(is_open) {
            Some(live) => {
                live.listen();
                // Once the run is over the list of runs is out of date.
                Effect::new(move |_| {
                    if live.head().with(|head| head.card.result.is_some()) {
                        page.refetch();
                    }
                });
            }
            None => {
                Effect::new(move |_| await_run(tile, freshness, clock, page));
            }
        }
    }

    /// Asks for the page again once another run is the newest of this setup.
    fn await_run(tile: RwSignal<read::Tile>, freshness: RwSignal<Freshness>, clock: Clock, page: Asked) {
        let slot = StoredValue::new_local(None::<Link>);
        let (setup, run) = tile.with_untracked(|tile| (tile.setup, tile.run.as_ref().map(|run| run.id)));
        let on_message = move |data: String| {
            let tiles = match parse::<Message>(&data) {
                Some(Message::Snapshot(wall)) => wall.tiles,
                Some(Message::Tiles(tiles)) => tiles,
                Some(Message::Beat(beat)) => return clock.sync(beat.now),
                None => return,
            };
            let Some(mine) = tiles.into_iter().find(|tile| tile.setup == setup) else { return };
            if mine.run.as_ref().map(|run| run.id) != run {
                page.refetch();
            }
            tile.try_set(mine);
        };
        let on_state = move |state| {
            freshness.try_set(freshness_of(clock, state));
        };
        slot.set_value(Link::open(LIVE_WALL.to_owned(), on_message, on_state));
    }
}
