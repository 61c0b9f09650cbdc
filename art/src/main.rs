//! The ECG alone, full screen: a page that needs no server.
//!
//! In its classic form it beats calmly in green, goes flat and red for no
//! reason, and recovers by itself, leaving the viewer a little less trusting.
//! With the address of a status (`?status=URL`) it beats for a real project
//! instead: flat for as long as that fails.
//!
//! - [`story`]: what happens in the classic form, a pure function of the time.
//! - [`status`]: what a server says of a project.
//! - [`screen`]: the canvas. [`tone`]: the sound, on request.

mod screen;
mod status;
mod story;
mod tone;

use leptos::prelude::*;
use screen::Screen;
use status::Status;
use tone::Tone;
use wasm_bindgen::JsCast;

fn main() {
    mount_to_body(Page);
}

/// The whole page.
#[component]
fn Page() -> impl IntoView {
    let canvas = NodeRef::<leptos::html::Canvas>::new();
    let address = status::address();
    let status = RwSignal::new(Status::Unknown);
    let is_loud = RwSignal::new(false);
    let said = RwSignal::new(String::new());
    if let Some(address) = address.clone() {
        status::follow(address, status);
    }
    let tone = StoredValue::new_local(None::<Tone>);
    let is_classic = address.is_none();
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let canvas: web_sys::HtmlCanvasElement = (*canvas).clone().unchecked_into();
        let Some(screen) = Screen::new(canvas) else { return };
        screen.run(move |now| {
            let scene = if is_classic { story::scene(now) } else { status::scene(status.get_untracked()) };
            if said.get_untracked() != scene.said {
                said.set(scene.said.to_owned());
            }
            tone.with_value(|tone| tone.as_ref().map(|tone| tone.is_flat(scene.is_flat)));
            scene
        });
    });
    let toggle = move |_| {
        is_loud.update(|loud| *loud = !*loud);
        // Browsers allow sound only from within a click.
        tone.update_value(|tone| *tone = if is_loud.get_untracked() { Tone::new() } else { None });
    };
    view! {
        <main>
            <canvas node_ref=canvas aria-hidden="true"></canvas>
            <p class="said" role="status">{move || said.get()}</p>
            <button type="button" on:click=toggle aria-pressed=move || is_loud.get().to_string()>
                {move || if is_loud.get() { "Sound off" } else { "Sound on" }}
            </button>
        </main>
    }
}
