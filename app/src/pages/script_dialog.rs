//! The script of a test or suite, in a dialog.

use crate::api;
use crate::domain::ids::ScriptId;
use crate::domain::problem::Problem;
use crate::ui::{Erase, Glyph, Icon, ProblemView, ScriptText, click};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Which script is asked for, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The script.
    pub script: ScriptId,
    /// What it belongs to.
    pub title: String,
    /// Its file.
    pub source: Option<String>,
    /// The line to mark.
    pub line: Option<u32>,
}

/// How far the question has come.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Loading,
    Known(Option<String>),
    Failed(Problem),
}

/// Which script is looked at, if any.
#[derive(Clone, Copy)]
pub struct ScriptQuestion {
    place: RwSignal<Option<Place>>,
    state: RwSignal<State>,
    dialog: NodeRef<Dialog>,
}

impl ScriptQuestion {
    /// Nothing asked yet.
    pub fn new() -> Self {
        Self { place: RwSignal::new(None), state: RwSignal::new(State::Loading), dialog: NodeRef::new() }
    }

    /// Opens the dialog and asks the server.
    pub fn ask(self, place: Place) {
        let script = place.script;
        self.state.set(State::Loading);
        self.place.set(Some(place.clone()));
        if let Some(dialog) = self.dialog.get_untracked().filter(|dialog| !dialog.open()) {
            // Fails only for a dialog that is open or gone.
            let _ = dialog.show_modal();
        }
        spawn_local(async move {
            let answer = api::script(script).await;
            if self.place.try_get_untracked().flatten().as_ref() == Some(&place) {
                self.state.try_set(answer.map_or_else(State::Failed, State::Known));
                request_animation_frame(scroll_to_marked);
            }
        });
    }
}

/// Brings the marked line into view.
fn scroll_to_marked() {
    if let Ok(Some(line)) = document().query_selector(".script [data-marked=true]") {
        line.scroll_into_view();
    }
}

/// The dialog; one for a whole page.
#[component]
pub fn ScriptDialog(
    /// What is asked.
    question: ScriptQuestion,
) -> impl IntoView {
    let close = move || {
        if let Some(dialog) = question.dialog.get_untracked() {
            dialog.close();
        }
    };
    let title = move || question.place.get().map(|place| place.title);
    let file = move || {
        question.place.get().and_then(|place| match (place.source, place.line) {
            (Some(source), Some(line)) => Some(format!("{source}:{line}")),
            (source, _) => source,
        })
    };
    view! {
        <dialog class="dialog dialog-wide" node_ref=question.dialog aria-labelledby="script-title" data-test="script-dialog">
            <header>
                <h2 id="script-title">{move || title()}</h2>
                <button type="button" class="icon-button" aria-label="Close" on:click=click(close)><Icon glyph=Glyph::Close /></button>
            </header>
            <p class="quiet"><code>{move || file()}</code></p>
            {move || content(question)}
        </dialog>
    }
    .erased()
}

fn content(question: ScriptQuestion) -> AnyView {
    match question.state.get() {
        State::Loading => view! { <p class="quiet" role="status">"Fetching the script…"</p> }.erased(),
        State::Failed(problem) => view! { <ProblemView problem=problem /> }.erased(),
        State::Known(None) => view! { <p class="quiet">"This script is no longer kept."</p> }.erased(),
        State::Known(Some(text)) => {
            let place = question.place.get_untracked();
            let (source, line) = place.map(|place| (place.source, place.line)).unwrap_or_default();
            view! { <ScriptText text=text source=source line=line /> }.erased()
        }
    }
}
