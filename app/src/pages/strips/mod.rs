//! The strips of a page: the trace of every setup, on one canvas.
//!
//! The pure part (`crate::ecg`) says what to draw; here it is only looped over.
//! [`Stage`] stands around whatever holds [`crate::ui::StripPlace`]s and lays one
//! canvas over them. One canvas, since each costs a layer and a call per stroke;
//! over and not under them and so with an alpha channel, since tiles have grounds
//! of their own that tell their state.
//!
//! On the server a stage is an empty canvas, and the words of each strip are
//! all there is. In the browser `monitor` draws and keeps the words right.
//!
//! No worker: it would need a second copy of the module and of every tile, and
//! most of what a frame costs is the browser's own layout and painting.

mod beat_card;
mod pause;

#[cfg(any(feature = "hydrate", test))]
mod announcer;
#[cfg(any(feature = "hydrate", test))]
mod lead;
#[cfg(feature = "hydrate")]
mod monitor;
#[cfg(feature = "hydrate")]
mod pen;
#[cfg(any(feature = "hydrate", test))]
mod places;
#[cfg(feature = "hydrate")]
mod pointer;
#[cfg(feature = "hydrate")]
mod running;
#[cfg(feature = "hydrate")]
mod words;

pub use pause::{PauseButton, provide_pause};

use super::clock::Clock;
use super::live_wall::LiveWall;
use crate::domain::time::{Micros, Timestamp};
use crate::read::Tile;
use beat_card::{BeatCard, Named};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;

/// The setups whose strips stand on a stage.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser draws"))]
pub enum Tiles {
    /// All that the page knows.
    Wall(LiveWall),
    /// One.
    One(Signal<Tile>),
}

/// What strips are drawn from.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser draws"))]
pub struct Source {
    /// The setups.
    pub tiles: Tiles,
    /// The page's clock.
    pub clock: Clock,
    /// The time by which what is shown is judged.
    pub now: Signal<Timestamp>,
    /// How long until silence is called so.
    pub silent_after: Signal<Micros>,
}

impl From<LiveWall> for Source {
    fn from(live: LiveWall) -> Self {
        Self { tiles: Tiles::Wall(live), clock: live.clock, now: live.now(), silent_after: live.silent_after() }
    }
}

/// What a stage and whoever draws on it share.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser draws"))]
struct Shared {
    source: Source,
    stage: NodeRef<Div>,
    canvas: NodeRef<Canvas>,
    is_paused: RwSignal<bool>,
    /// The beat under the pointer.
    named: RwSignal<Option<Named>>,
    /// What is said to readers.
    said: RwSignal<String>,
}

/// Stands around the places of strips and draws them.
#[component]
pub fn Stage(
    /// What the strips are drawn from.
    #[prop(into)]
    source: Source,
    /// What holds the places.
    children: Children,
) -> impl IntoView {
    let shared = Shared {
        source,
        stage: NodeRef::new(),
        canvas: NodeRef::new(),
        is_paused: pause::is_paused(),
        named: RwSignal::new(None),
        said: RwSignal::new(String::new()),
    };
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| running::start(shared));
    view! {
        <div class="stage" node_ref=shared.stage>
            {children()}
            <canvas class="strips" aria-hidden="true" node_ref=shared.canvas></canvas>
            <BeatCard named=shared.named />
            <p class="unseen" aria-live="polite" data-test="strips-said">{move || shared.said.get()}</p>
        </div>
    }
    .into_any()
}
