//! The latest builds of a setup's job, in a dialog that a row opens.

use crate::api;
use crate::ui::{BuildsState, BuildsTable, Erase, Glyph, Icon, click};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Which setup's builds are looked at, if any.
#[derive(Clone, Copy)]
pub struct BuildsQuestion {
    setup: RwSignal<String>,
    state: RwSignal<BuildsState>,
    dialog: NodeRef<Dialog>,
}

impl BuildsQuestion {
    /// Nothing asked yet.
    pub fn new() -> Self {
        Self { setup: RwSignal::new(String::new()), state: RwSignal::new(BuildsState::Loading), dialog: NodeRef::new() }
    }

    /// Opens the dialog and asks the server.
    pub fn ask(self, setup: String) {
        self.setup.set(setup.clone());
        self.state.set(BuildsState::Loading);
        if let Some(dialog) = self.dialog.get_untracked().filter(|dialog| !dialog.open()) {
            // Fails only for a dialog that is open or gone.
            let _ = dialog.show_modal();
        }
        spawn_local(async move {
            let answer = api::latest_builds(setup.clone()).await;
            // Another setup may have been asked for since.
            if self.setup.try_get_untracked().as_ref() == Some(&setup) {
                self.state.try_set(answer.map_or_else(BuildsState::Failed, BuildsState::Known));
            }
        });
    }

    /// What a row calls.
    pub fn callback(self) -> Callback<String> {
        Callback::new(move |setup| self.ask(setup))
    }
}

/// The dialog; one for a whole page.
#[component]
pub fn BuildsDialog(
    /// What is asked.
    question: BuildsQuestion,
) -> impl IntoView {
    let close = move || {
        if let Some(dialog) = question.dialog.get_untracked() {
            dialog.close();
        }
    };
    view! {
        <dialog class="dialog" node_ref=question.dialog aria-labelledby="builds-title" data-test="builds-dialog">
            <header>
                <h2 id="builds-title">"Latest builds of " <em>{move || question.setup.get()}</em></h2>
                <button type="button" class="icon-button" aria-label="Close" on:click=click(close)><Icon glyph=Glyph::Close /></button>
            </header>
            {move || view! { <BuildsTable state=question.state.get() /> }}
        </dialog>
    }
    .erased()
}
