//! A fact with its name, and a notice that something is odd.

use super::erase::Erase;
use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// A fact in a list of facts (`<dl>`); left out where it is not known.
#[component]
pub fn Fact(
    /// Its name.
    #[prop(into)]
    name: String,
    /// What it is.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{name}</dt>
            <dd>{children()}</dd>
        </div>
    }
    .erased()
}

/// Something odd about what is shown.
#[component]
pub fn Notice(
    /// For tests.
    test: &'static str,
    /// What.
    children: Children,
) -> impl IntoView {
    view! {
        <p class="notice" data-test=test>
            <Icon glyph=Glyph::Warning />
            <span>{children()}</span>
        </p>
    }
    .erased()
}
