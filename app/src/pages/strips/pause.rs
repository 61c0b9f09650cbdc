//! Whether strips move: what moves for long must be able to be stopped
//! (WCAG 2.2.2). The choice is for all pages and is remembered.

use crate::ui::{Glyph, Icon};
use leptos::prelude::*;

#[derive(Clone, Copy)]
struct Pause(RwSignal<bool>);

/// Makes the choice known to all pages.
pub fn provide_pause() {
    let is_paused = RwSignal::new(false);
    provide_context(Pause(is_paused));
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| is_paused.set(stored::is_paused()));
}

/// Whether strips stand still.
pub(super) fn is_paused() -> RwSignal<bool> {
    use_context::<Pause>().map_or_else(|| RwSignal::new(false), |pause| pause.0)
}

/// Stops all strips, or has them go on.
#[component]
pub fn PauseButton() -> impl IntoView {
    let is_paused = is_paused();
    let label = move || if is_paused.get() { "Let the strips run (p)" } else { "Pause the strips (p)" };
    let turn = move |_| {
        is_paused.update(|is_paused| *is_paused = !*is_paused);
        #[cfg(feature = "hydrate")]
        stored::keep(is_paused.get_untracked());
    };
    view! {
        <button
            type="button"
            class="icon-button needs-script pause"
            data-test="pause"
            data-key="pause"
            aria-pressed=move || is_paused.get().to_string()
            title=label
            aria-label="Pause the strips"
            on:click=turn
        >
            <Icon glyph=Signal::derive(move || if is_paused.get() { Glyph::Play } else { Glyph::Pause }) />
        </button>
    }
    .into_any()
}

#[cfg(feature = "hydrate")]
mod stored {
    use leptos::prelude::window;

    const KEY: &str = "holter-strips";
    const PAUSED: &str = "paused";

    pub(super) fn is_paused() -> bool {
        let storage = window().local_storage().ok().flatten();
        storage.and_then(|storage| storage.get_item(KEY).ok().flatten()).as_deref() == Some(PAUSED)
    }

    /// Storage may be forbidden: then the choice ends with the page.
    pub(super) fn keep(is_paused: bool) {
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = storage.set_item(KEY, if is_paused { PAUSED } else { "running" });
        }
    }
}
