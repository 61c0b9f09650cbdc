//! Timers and moments.

use super::erase::Erase;
use crate::domain::time::Timestamp;
use crate::format;
use leptos::prelude::*;

/// How long something has been going on.
#[component]
pub fn Timer(
    /// Since when; empty while it is not.
    #[prop(into)]
    since: Signal<Option<Timestamp>>,
    /// The page's clock.
    now: Signal<Timestamp>,
) -> impl IntoView {
    let text = move || since.get().map(|since| format::timer(now.get().since(since))).unwrap_or_default();
    view! { <span class="timer" role="timer">{move || text()}</span> }.erased()
}

/// A moment: in UTC as it comes from the server, then in the viewer's zone.
#[component]
pub fn When(
    /// When.
    #[prop(into)]
    at: Signal<Timestamp>,
) -> impl IntoView {
    let local = RwSignal::new(None::<String>);
    Effect::new(move || local.set(Some(local_text(at.get()))));
    view! {
        <time
            class="when"
            datetime=move || at.get().to_rfc3339()
            title=move || format::utc_exact(at.get())
        >
            {move || local.get().unwrap_or_else(|| format::utc(at.get()))}
        </time>
    }
    .erased()
}

/// In the viewer's zone and manner of writing.
#[cfg(feature = "hydrate")]
pub(crate) fn local_text(at: Timestamp) -> String {
    use wasm_bindgen::JsValue;
    let options = js_sys::Object::new();
    let wanted =
        [("day", "numeric"), ("month", "short"), ("year", "numeric"), ("hour", "2-digit"), ("minute", "2-digit")];
    for (name, value) in wanted {
        // Setting a property of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&options, &name.into(), &value.into());
    }
    let language = web_sys::window().and_then(|window| window.navigator().language());
    let date = js_sys::Date::new(&JsValue::from_f64(at.as_millis() as f64));
    String::from(date.to_locale_string(language.as_deref().unwrap_or("en-GB"), &options))
}

#[cfg(not(feature = "hydrate"))]
fn local_text(at: Timestamp) -> String {
    format::utc(at)
}
