//! What a setup is doing, and what a run or test came to: shape, word, colour.

use super::erase::Erase;
use super::icon::{Glyph, Icon};
use crate::domain::activity::Activity;
use crate::domain::run::{RunResult, RunState};
use crate::domain::test::Outcome;
use leptos::prelude::*;

/// What a setup is doing.
#[component]
pub fn ActivityBadge(
    /// What.
    #[prop(into)]
    activity: Signal<Activity>,
) -> impl IntoView {
    view! {
        <span class="badge" data-test="activity" data-activity=move || activity.get().as_str()>
            <Icon glyph=Signal::derive(move || activity.get().into()) />
            <span class="badge-word">{move || activity.get().as_str()}</span>
        </span>
    }
    .erased()
}

/// What a run came to, or where it stands while it is open.
#[component]
pub fn ResultBadge(
    /// What it came to.
    #[prop(into)]
    result: Signal<Option<RunResult>>,
    /// Where it stands.
    #[prop(into)]
    state: Signal<RunState>,
) -> impl IntoView {
    let word = move || result.get().map_or(state.get().as_str(), RunResult::as_str);
    let glyph = move || match (result.get(), state.get()) {
        (Some(result), _) => result.into(),
        (None, RunState::Waiting) => Glyph::Ring,
        (None, RunState::Lost) => Glyph::Question,
        (None, _) => Glyph::Beat,
    };
    view! {
        <span class="badge" data-test="result" data-result=move || word()>
            <Icon glyph=Signal::derive(glyph) />
            <span class="badge-word">{move || word()}</span>
        </span>
    }
    .erased()
}

/// What a test came to, as a mark; the word is for readers and the pointer.
#[component]
pub fn OutcomeMark(
    /// What.
    #[prop(into)]
    outcome: Signal<Outcome>,
) -> impl IntoView {
    let word = move || outcome.get().as_str();
    view! {
        <span class="mark" data-outcome=move || word() title=move || word()>
            <Icon glyph=Signal::derive(move || outcome.get().into()) />
            <span class="unseen">{move || word()}</span>
        </span>
    }
    .erased()
}
