//! One run, `/runs/{id}`.

use super::live_run::LiveRun;
use super::not_found::NotFound;
use super::question::{Answer, Question, answered, ask};
use super::renames::RenameOffers;
use super::run_head::{RunFacts, RunState, RunSummary};
use super::run_tree::RunTree;
use crate::domain::ids::RunId;
use crate::paths::Page;
use crate::read;
use crate::ui::{Erase, Freshness, StaleBanner};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

/// The page.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.with(|params| params.get_str("id").and_then(|id| id.parse::<RunId>().ok()));
    let asked = ask(move || id().map_or(Question::Nothing, Question::Run));
    answered(asked, |answer| match answer {
        Answer::Run(page) => view! { <Run page=*page /> }.erased(),
        _ => view! { <NotFound what="run" /> }.erased(),
    })
}

#[component]
fn Run(page: read::RunPage) -> impl IntoView {
    let offers = page.renames.clone();
    let live = LiveRun::new(page);
    live.listen();
    let head = live.head();
    let run = head.with_untracked(|head| head.card.id);
    let setup = Memo::new(move |_| head.with(|head| head.setup.clone()));
    let title = Memo::new(move |_| head.with(|head| head.card.name.clone().unwrap_or_else(|| head.card.key.clone())));
    let key = move || head.with(|head| head.card.name.is_some().then(|| head.card.key.clone()));
    let is_stale = move || (live.freshness().get() != Freshness::Live).to_string();
    view! {
        <Title text=move || format!("{} on {}", title.get(), setup.get()) />
        <div class="page run-page" data-test="run" data-stale=move || is_stale()>
            <StaleBanner freshness=live.freshness() now=live.clock.now() />
            <header class="page-head">
                <p class="trail">
                    <a href=Page::Grid.to_string()>"Setups"</a>
                    <a href=move || Page::Setup(&setup.get()).to_string()>{move || setup.get()}</a>
                </p>
                <div class="page-title">
                    <h1>{move || title.get()}</h1>
                    <RunState live=live />
                    <span class="quiet">{move || key()}</span>
                    <a class="button" data-test="all-output" href=Page::Output(run).to_string()>"Output"</a>
                </div>
            </header>
            <RunSummary live=live />
            <RunFacts live=live />
            <RenameOffers offers=offers />
            <RunTree live=live />
        </div>
    }
    .erased()
}
