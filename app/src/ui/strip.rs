//! The place of a setup's strip: an image with a label in words.
//!
//! The trace is drawn on one canvas over all strips of a page, and whoever
//! draws it keeps the words here right. So nothing here is reactive: what is
//! rendered is how it was when the page was made, and stays true without scripts.

use crate::domain::time::{Micros, Timestamp};
use crate::ecg::DELAY;
use crate::read::Tile;
use leptos::prelude::*;

/// The place of a strip.
#[component]
pub fn StripPlace(
    /// The setup.
    tile: Signal<Tile>,
    /// The page's clock.
    now: Signal<Timestamp>,
    /// How long until silence is called so.
    silent_after: Signal<Micros>,
) -> impl IntoView {
    let (now, silent_after) = (now.get_untracked(), silent_after.get_untracked());
    tile.with_untracked(|tile| {
        let measures = tile.measures(now, silent_after);
        let recent = tile.pulse.recent(now - DELAY);
        let (ectopic, dropped) = (recent.flaky.to_string(), recent.failed.to_string());
        let label = tile.twin(now, silent_after, recent).sentence();
        view! {
            <span
                class="strip"
                role="img"
                data-test="strip"
                data-strip=tile.setup.to_string()
                data-rhythm=measures.rhythm().as_str()
                data-alarm=measures.alarm().as_str()
                data-word=measures.warning()
                data-ectopic=ectopic
                data-dropped=dropped
                aria-label=label
            ></span>
        }
    })
    .into_any()
}
