//! Nothing at this address.

use crate::paths::Page;
use crate::shell::StatusSink;
use crate::ui::{Empty, Erase};
use leptos::prelude::*;
use leptos_meta::Title;

/// Says that there is nothing, with status 404.
#[component]
pub fn NotFound(
    /// What was looked for.
    what: &'static str,
) -> impl IntoView {
    StatusSink::say(404);
    let title = match what {
        "setup" => "No setup of this name",
        "run" => "No such run",
        "test" => "No such test",
        "wall" => "No wall of this name",
        _ => "No such page",
    };
    view! {
        <Title text="Not found" />
        <div class="page" data-test="not-found">
            <Empty title=title>
                <p>"It may have been removed after its time, or the address was mistyped."</p>
                <p><a class="button" href=Page::Grid.to_string()>"All setups"</a></p>
            </Empty>
        </div>
    }
    .erased()
}
