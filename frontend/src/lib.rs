//! The browser's entry: hydrates what the server rendered, and nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page after the bundle is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
