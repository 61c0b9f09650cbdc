//! Numbers of tests, large enough to be read from a chair.

use super::erase::Erase;
use super::icon::{Glyph, Icon};
use crate::domain::counts::Counts;
use crate::domain::test::Outcome;
use crate::format;
use leptos::prelude::*;

/// The counters of a run, each a way to see only its tests.
#[component]
pub fn Counters(
    /// The tests.
    #[prop(into)]
    counts: Signal<Counts>,
    /// The outcome that is shown alone.
    #[prop(into)]
    chosen: Signal<Option<Outcome>>,
    /// Where each counter leads.
    address: Callback<Option<Outcome>, String>,
) -> impl IntoView {
    let shown = [
        Outcome::Failed,
        Outcome::Flaky,
        Outcome::Passed,
        Outcome::Skipped,
        Outcome::Running,
        Outcome::Waiting,
        Outcome::Cancelled,
        Outcome::Lost,
    ];
    let counters = shown
        .map(|outcome| {
            let size = move || *counts.get().of(outcome);
            let is_chosen = move || chosen.get() == Some(outcome);
            let href = move || address.run((!is_chosen()).then_some(outcome));
            view! {
                <a
                    class="counter"
                    href=move || href()
                    data-noscroll="true"
                    data-test=format!("counts-{outcome}")
                    data-outcome=outcome.as_str()
                    data-empty=move || (size() == 0).to_string()
                    aria-current=move || is_chosen().then_some("true")
                >
                    <span class="counter-number">{move || format::number(size())}</span>
                    <span class="counter-word"><Icon glyph=Glyph::from(outcome) />{outcome.as_str()}</span>
                </a>
            }
            .erased()
        })
        .into_iter()
        .collect_view();
    view! { <nav class="counters" aria-label="Tests by outcome">{counters}</nav> }.erased()
}

/// One vital sign of all setups, which is also a filter.
#[component]
pub fn Vital(
    /// What is counted.
    word: &'static str,
    /// Its drawing.
    #[prop(optional_no_strip)]
    glyph: Option<Glyph>,
    /// How many.
    #[prop(into)]
    size: Signal<usize>,
    /// Only these are shown.
    #[prop(into)]
    chosen: Signal<bool>,
    /// Where it leads.
    #[prop(into)]
    href: Signal<String>,
) -> impl IntoView {
    view! {
        <a
            class="vital"
            href=move || href.get()
            data-noscroll="true"
            data-test=format!("show-{word}")
            data-vital=word
            data-empty=move || (size.get() == 0).to_string()
            aria-current=move || chosen.get().then_some("true")
        >
            <span class="vital-number">{move || size.get().to_string()}</span>
            <span class="vital-word">{glyph.map(|glyph| view! { <Icon glyph=glyph /> }.erased())}{word}</span>
        </a>
    }
    .erased()
}
