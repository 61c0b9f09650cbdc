//! The static art page: the rhythms that Holter draws, on a page without a server.
//!
//! Trunk builds it. It loads nothing but its own two files, so it can be opened
//! from any static host, and proves that what it draws needs no server.

use leptos::prelude::*;

/// How many beats stand on the line.
const BEATS: u32 = 6;

/// The width of one beat, in the units of the drawing.
const BEAT_WIDTH: f32 = 100.0;

/// The height of the drawing.
const HEIGHT: f32 = 80.0;

/// One healthy beat: how far along it is, and how far above the resting line.
const BEAT: [(f32, f32); 9] = [
    (0.10, 0.00),
    (0.20, 0.12),
    (0.30, 0.00),
    (0.38, -0.10),
    (0.43, 0.85),
    (0.49, -0.25),
    (0.55, 0.00),
    (0.72, 0.18),
    (0.86, 0.00),
];

fn main() {
    mount_to_body(Page);
}

/// The whole page.
#[component]
fn Page() -> impl IntoView {
    let width = BEAT_WIDTH * BEATS as f32;
    view! {
        <main>
            <h1>"A healthy rhythm"</h1>
            <p>"Holter draws the results of a test bench as a heart's rhythm: one beat for each test."</p>
            <svg viewBox=format!("0 0 {width} {HEIGHT}") role="img" aria-label="Six even beats on a resting line">
                <polyline points=points() />
            </svg>
        </main>
    }
}

/// The corners of the line, as SVG writes them.
fn points() -> String {
    let resting = HEIGHT * 0.7;
    (0..BEATS)
        .flat_map(|beat| BEAT.map(|(along, above)| (beat as f32 + along, above)))
        .map(|(along, above)| {
            let (x, y) = (along * BEAT_WIDTH, resting - above * HEIGHT * 0.7);
            format!("{x:.1},{y:.1} ")
        })
        .collect()
}
