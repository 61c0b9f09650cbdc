//! The setup grid, `/`.

use super::builds_dialog::{BuildsDialog, BuildsQuestion};
use super::filter::{Filter, Order, Show as Kind, vitals};
use super::live_wall::LiveWall;
use super::not_found::NotFound;
use super::question::{Answer, Question, answered, ask};
use super::strips::{PauseButton, Stage};
use crate::domain::ids::SetupId;
use crate::format;
use crate::paths::Page;
use crate::read::Wall;
use crate::shell::Origin;
use crate::ui::{Each, Empty, Erase, Glyph, GridRow, Icon, PointAListener, Show, StaleBanner, Vital};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{query_signal_with_options, use_query_map};

/// The page.
#[component]
pub fn GridPage() -> impl IntoView {
    let drawn = |answer| match answer {
        Answer::Wall(wall) => view! { <Grid wall=wall /> }.erased(),
        _ => view! { <NotFound what="page" /> }.erased(),
    };
    view! {
        <Title text="Setups" />
        {answered(ask(|| Question::Wall), drawn)}
    }
    .erased()
}

/// This server's address, for texts to paste.
pub(super) fn origin() -> Signal<String> {
    let origin = RwSignal::new(use_context::<Origin>().map(|origin| origin.0).unwrap_or_default());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| origin.set(window().location().origin().unwrap_or_default()));
    origin.into()
}

#[component]
fn Grid(wall: Wall) -> impl IntoView {
    let live = LiveWall::new(wall);
    let (now, silent_after) = (live.now(), live.silent_after());
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(Filter::of));
    let rows = Memo::new(move |_| live.with(|tiles| filter.get().select(tiles, now.get(), silent_after.get())));
    let is_empty = Memo::new(move |_| live.with(<[_]>::is_empty));
    let is_stale = move || (live.freshness().get() != crate::ui::Freshness::Live).to_string();
    let origin = origin();
    view! {
        <div class="page grid-page" data-test="grid" data-stale=move || is_stale()>
            <h1 class="unseen">"Setups"</h1>
            <StaleBanner freshness=live.freshness() now=live.clock.now() />
            <Show
                when=move || !is_empty.get()
                fallback=move || view! { <Empty title="Nothing recorded yet"><PointAListener origin=origin /></Empty> }.erased()
            >
                <Controls live=live filter=filter />
                <Stage source=live><Rows live=live rows=rows /></Stage>
                <Show when=move || rows.with(Vec::is_empty)>
                    <NoMatch />
                </Show>
            </Show>
        </div>
    }
    .erased()
}

#[component]
fn NoMatch() -> impl IntoView {
    view! {
        <p class="no-match" data-test="no-match">
            "No setup matches. "
            <a href=Page::Grid.to_string() data-noscroll="true">"Show all"</a>
        </p>
    }
    .erased()
}

/// Vital signs, filter and order.
#[component]
fn Controls(live: LiveWall, filter: Memo<Filter>) -> impl IntoView {
    let (now, silent_after) = (live.now(), live.silent_after());
    let sizes = Memo::new(move |_| live.with(|tiles| vitals(tiles, now.get(), silent_after.get())));
    let signs = Kind::ALL
        .into_iter()
        .enumerate()
        .map(|(at, show)| {
            let chosen = Signal::derive(move || filter.with(|filter| filter.show) == show);
            let href = Signal::derive(move || {
                let show = if chosen.get() { Kind::All } else { show };
                filter.with(|filter| Filter { show, ..filter.clone() }.query())
            });
            view! { <Vital word=show.as_str() glyph=show.glyph() size=Signal::derive(move || sizes.get()[at]) chosen=chosen href=href /> }.erased()
        })
        .collect_view();
    let summary = Memo::new(move |_| {
        let [all, failing, lost, silent, ..] = sizes.get();
        let word = format::count(all as u32, "setup", "setups");
        format!("{word}: {failing} failing, {silent} silent, {lost} lost")
    });
    view! {
        <section class="controls" aria-label="Overview and filter">
            <nav class="vitals" aria-label="Setups by state">{signs}</nav>
            <p class="unseen" aria-live="polite" data-test="summary">{move || summary.get()}</p>
            <FilterForm filter=filter />
        </section>
    }
    .erased()
}

#[component]
fn FilterForm(filter: Memo<Filter>) -> impl IntoView {
    let replace = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
    let (_, set_words) = query_signal_with_options::<String>("q", replace);
    let on_input = move |event| {
        let words = event_target_value(&event);
        set_words.set((!words.is_empty()).then_some(words));
    };
    let order_link = move |order: Order, word: &'static str| {
        let href = move || filter.with(|filter| Filter { order, ..filter.clone() }.query());
        let is_chosen = move || filter.with(|filter| filter.order == order).then_some("true");
        view! { <a href=move || href() data-noscroll="true" data-test=format!("order-{}", order.as_str()) aria-current=move || is_chosen()>{word}</a> }.erased()
    };
    view! {
        <form class="filter" role="search" method="get" action="/">
            <label class="filter-box">
                <Icon glyph=Glyph::Search />
                <span class="unseen">"Filter"</span>
                <input
                    type="search"
                    name="q"
                    data-test="filter"
                    data-key="filter"
                    placeholder="Setup, project, suite, test, branch"
                    autocomplete="off"
                    spellcheck="false"
                    value=filter.get_untracked().words
                    on:input=on_input
                />
                <kbd>"/"</kbd>
            </label>
            <span class="order" role="group" aria-label="Order">
                {order_link(Order::Sick, "Sick first")}
                {order_link(Order::Name, "By name")}
            </span>
            <PauseButton />
        </form>
    }
    .erased()
}

const HEADINGS: [(&str, &str); 11] = [
    ("cell-name", "Setup"),
    ("cell-activity", "Activity"),
    ("cell-strip", "Rhythm"),
    ("cell-suite", "Suite"),
    ("cell-suite-timer number", "Since"),
    ("cell-progress", "Progress"),
    ("cell-test", "Test"),
    ("cell-test-timer number", "Since"),
    ("cell-eta number", "ETA"),
    ("cell-counts", "Failed · flaky"),
    ("cell-builds", "Builds"),
];

#[component]
fn Rows(live: LiveWall, rows: Memo<Vec<SetupId>>) -> impl IntoView {
    let (now, silent_after) = (live.now(), live.silent_after());
    let question = BuildsQuestion::new();
    let headings = HEADINGS
        .map(|(class, word)| view! { <th class=class role="columnheader" scope="col">{word}</th> }.erased())
        .into_iter()
        .collect_view();
    let row = move |setup: SetupId| {
        live.tile(setup)
            .map(|tile| {
                view! { <GridRow tile=tile now=now silent_after=silent_after on_builds=question.callback() /> }.erased()
            })
            .into_any()
    };
    view! {
        <table class="grid" role="table" aria-label="Setups">
            <thead role="rowgroup">
                <tr role="row">{headings}</tr>
            </thead>
            <tbody role="rowgroup">
                <Each keys=move || rows.get() view=row />
            </tbody>
        </table>
        <BuildsDialog question=question />
    }
    .erased()
}
