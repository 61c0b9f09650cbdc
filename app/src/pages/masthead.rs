//! What stands above every page but the wall: the name, the ways, the theme;
//! and the list of keys.

use super::keys::KEYS;
use crate::paths::Page;
use crate::shell::SignedIn;
use crate::ui::{Erase, Glyph, Icon, click};
use leptos::html::Dialog;
use leptos::prelude::*;

/// The head of every page.
#[component]
pub fn Masthead() -> impl IntoView {
    // Known to the server alone; the browser is told with the page.
    let person = SharedValue::new(|| use_context::<SignedIn>().map(|person| person.0)).into_inner();
    let (way, word) = match person {
        Some(name) => (Page::Account, name),
        None => (Page::Login, "Sign in".to_owned()),
    };
    view! {
        <header class="masthead">
            <a class="brand" href=Page::Grid.to_string() aria-label="Holter, all setups">
                <svg class="brand-mark" viewBox="0 0 64 24" aria-hidden="true" focusable="false">
                    <path d="M1 14h14l3-3 3 3h5l3 6 5-18 6 20 4-8h6l3-4 3 4h8"></path>
                </svg>
                <span>"Holter"</span>
            </a>
            <nav class="ways" aria-label="Pages">
                <a href=Page::Wall.to_string()><Icon glyph=Glyph::Tiles /><span>"Wall"</span></a>
                <a href=Page::Flaky.to_string()><Icon glyph=Glyph::Wave /><span>"Flaky"</span></a>
                <a href=Page::Batches.to_string() rel="external"><Icon glyph=Glyph::Play /><span>"Batches"</span></a>
                <a href=Page::Docs.to_string() rel="external"><Icon glyph=Glyph::Code /><span>"API"</span></a>
                <a href=way.to_string() rel="external" data-test="person"><Icon glyph=Glyph::Person /><span>{word}</span></a>
            </nav>
            <ThemeToggle />
            <HelpButton />
        </header>
    }
    .erased()
}

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    const fn glyph(self) -> Glyph {
        match self {
            Self::System => Glyph::Half,
            Self::Light => Glyph::Sun,
            Self::Dark => Glyph::Moon,
        }
    }

    /// As `theme.js` has put it on the document before anything was drawn.
    #[cfg(feature = "hydrate")]
    fn chosen() -> Self {
        let word = document().document_element().and_then(|root| root.get_attribute("data-theme"));
        let known = [Self::Light, Self::Dark].into_iter().find(|theme| Some(theme.as_str()) == word.as_deref());
        known.unwrap_or_default()
    }

    #[cfg(not(feature = "hydrate"))]
    fn chosen() -> Self {
        Self::System
    }

    #[cfg(feature = "hydrate")]
    fn choose(self) {
        if let Some(root) = document().document_element() {
            // Neither can fail in a way that matters: the theme is a comfort,
            // and storage may be forbidden.
            let _ = root.set_attribute("data-theme", self.as_str());
        }
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = storage.set_item("holter-theme", self.as_str());
        }
    }

    #[cfg(not(feature = "hydrate"))]
    fn choose(self) {}
}

#[component]
fn ThemeToggle() -> impl IntoView {
    let theme = RwSignal::new(Theme::System);
    Effect::new(move |_| theme.set(Theme::chosen()));
    let label = move || format!("Theme: {}", theme.get().as_str());
    let turn = move || {
        theme.update(|theme| *theme = theme.next());
        theme.get_untracked().choose();
    };
    view! {
        <button
            type="button"
            class="icon-button needs-script"
            data-test="theme"
            data-key="theme"
            title=move || label()
            aria-label=move || label()
            on:click=click(turn)
        >
            <Icon glyph=Signal::derive(move || theme.get().glyph()) />
        </button>
    }
    .erased()
}

/// Opens [`KeyHelp`], which stands outside of the head: a dialog inside of a
/// landmark would be a part of it for readers.
#[component]
fn HelpButton() -> impl IntoView {
    let open = || show_dialog("key-help");
    view! {
        <button
            type="button"
            class="icon-button needs-script"
            data-test="help"
            data-key="help"
            title="Keys (?)"
            aria-label="Keys"
            on:click=click(open)
        >
            <Icon glyph=Glyph::Help />
        </button>
    }
    .erased()
}

/// Opens the dialog with this id.
fn show_dialog(id: &str) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let dialog =
            document().get_element_by_id(id).and_then(|dialog| dialog.dyn_into::<web_sys::HtmlDialogElement>().ok());
        if let Some(dialog) = dialog.filter(|dialog| !dialog.open()) {
            // Fails only for a dialog that is open or gone.
            let _ = dialog.show_modal();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = id;
}

/// The list of keys.
#[component]
pub fn KeyHelp() -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let keys = KEYS.map(|(key, meaning)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{meaning}</dd></div> }.erased());
    let close = move || {
        if let Some(dialog) = dialog.get() {
            dialog.close();
        }
    };
    view! {
        <dialog class="dialog" id="key-help" node_ref=dialog aria-labelledby="key-help-title" data-test="help-dialog">
            <header>
                <h2 id="key-help-title">"Keys"</h2>
                <button type="button" class="icon-button" aria-label="Close" on:click=click(close)><Icon glyph=Glyph::Close /></button>
            </header>
            <dl class="keys">{keys.into_iter().collect_view()}</dl>
        </dialog>
    }
    .erased()
}
