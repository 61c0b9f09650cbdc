//! The keyboard: the same keys on every page, listed by `?`.
//!
//! Keys act on what carries `data-key`, so a page takes part by marking its
//! filter, its rows and its buttons. Typing into a field is never taken away,
//! nor are the browser's own keys.

/// The keys, for people.
pub const KEYS: [(&str, &str); 10] = [
    ("/", "Filter"),
    ("j or ↓", "Next row"),
    ("k or ↑", "Row before"),
    ("Enter", "Open the row"),
    ("b", "Latest builds of the row"),
    ("g", "Grid"),
    ("w", "Wall"),
    ("p", "Pause the strips"),
    ("t", "Theme: system, light, dark"),
    ("?", "This help"),
];

/// Listens from hydration on; does nothing on the server.
pub fn listen_to_keys() {
    #[cfg(feature = "hydrate")]
    listening::start();
}

#[cfg(feature = "hydrate")]
mod listening {
    use crate::paths::Page;
    use leptos::ev::keydown;
    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement, KeyboardEvent};

    pub(super) fn start() {
        let handle = window_event_listener(keydown, |event| {
            if !is_ours(&event) {
                return;
            }
            if act(&event.key()) {
                event.prevent_default();
            }
        });
        on_cleanup(move || handle.remove());
    }

    fn is_ours(event: &KeyboardEvent) -> bool {
        let has_modifier = event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing();
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_typing = target.is_some_and(|target| {
            let in_field = matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
            in_field || target.closest("dialog").ok().flatten().is_some()
        });
        !has_modifier && !is_typing
    }

    /// Whether the key meant something.
    fn act(key: &str) -> bool {
        match key {
            "/" => focus("[data-key=filter]"),
            "j" | "ArrowDown" => step(1, key == "j"),
            "k" | "ArrowUp" => step(-1, key == "k"),
            "b" => press_in_row("[data-key=builds]"),
            "g" => go(Page::Grid),
            "w" => go(Page::Wall),
            "p" => press("[data-key=pause]"),
            "t" => press("[data-key=theme]"),
            "?" => press("[data-key=help]"),
            _ => false,
        }
    }

    fn find(selector: &str) -> Option<HtmlElement> {
        document().query_selector(selector).ok().flatten()?.dyn_into().ok()
    }

    fn focus(selector: &str) -> bool {
        find(selector).is_some_and(|element| element.focus().is_ok())
    }

    fn press(selector: &str) -> bool {
        find(selector).map(|element| element.click()).is_some()
    }

    fn go(page: Page<'_>) -> bool {
        // A click on a link, so that the router takes it like any other.
        press(&format!("a[href=\"{page}\"]")) || window().location().set_href(&page.to_string()).is_ok()
    }

    fn press_in_row(selector: &str) -> bool {
        let row = document().active_element().and_then(|active| active.closest("[data-row]").ok().flatten());
        let button = row.and_then(|row| row.query_selector(selector).ok().flatten());
        button.and_then(|button| button.dyn_into::<HtmlElement>().ok()).map(|button| button.click()).is_some()
    }

    /// Moves the focus among the rows. Arrows scroll as ever until a row has it.
    fn step(by: i32, may_begin: bool) -> bool {
        let Ok(rows) = document().query_selector_all("[data-key=row]") else { return false };
        let active = document().active_element();
        let at = (0..rows.length()).find(|at| match (&active, rows.get(*at)) {
            (Some(active), Some(row)) => row.is_same_node(Some(active)),
            _ => false,
        });
        let next = match at {
            Some(at) => at.checked_add_signed(by),
            None if may_begin => Some(0),
            None => return false,
        };
        let row = next.and_then(|next| rows.get(next)).and_then(|row| row.dyn_into::<HtmlElement>().ok());
        row.is_some_and(|row| row.focus().is_ok())
    }
}
