//! The strip of one setup, large, with its numbers and what its beats stand for.

use super::live_run::LiveRun;
use super::strips::{PauseButton, Source, Stage, Tiles};
use crate::ecg::EventKind;
use crate::ecg::twin::Numeral;
use crate::format;
use crate::paths::Page;
use crate::read::{Mark, SetupPage, Tile};
use crate::ui::{Glyph, Icon, StripPlace, Uncalibrated};
use leptos::prelude::*;

/// Beats that are listed.
const LISTED: usize = 6;

/// The setup as it is known now: an open run's own stream tells of it, without
/// one `tile` is kept right.
fn shown(tile: RwSignal<Tile>, live: Option<LiveRun>) -> Signal<Tile> {
    Signal::derive(move || {
        let mut tile = tile.get();
        if let Some(live) = live {
            live.head().with(|head| {
                if head.card.result.is_none() {
                    (tile.version, tile.facts, tile.run) = (head.version, head.facts, Some(head.card.clone()));
                    tile.pulse = head.pulse.clone().unwrap_or(tile.pulse.clone());
                }
            });
        }
        tile
    })
}

/// What the page's strip is drawn from.
pub fn source_of(page: &SetupPage, tile: RwSignal<Tile>, live: Option<LiveRun>, clock: super::clock::Clock) -> Source {
    let now = live.map_or_else(|| clock.now(), LiveRun::now);
    Source { tiles: Tiles::One(shown(tile, live)), clock, now, silent_after: Signal::stored(page.silent_after) }
}

/// The strip.
#[component]
pub fn SetupStrip(
    /// The setup.
    source: Source,
) -> impl IntoView {
    let Tiles::One(tile) = source.tiles else { return ().into_any() };
    let (now, silent_after) = (source.now, source.silent_after);
    let numerals = Memo::new(move |_| tile.with(|tile| tile.numerals(now.get(), silent_after.get())));
    let numeral = |numeral: Numeral| {
        view! { <div class="numeral"><dt>{numeral.label}</dt><dd>{numeral.value}</dd></div> }
    };
    let marks = Memo::new(move |_| tile.with(|tile| tile.pulse.marks.clone()));
    let is_uncalibrated = Memo::new(move |_| tile.with(|tile| tile.pulse.is_uncalibrated));
    view! {
        <section class="rhythm" data-test="rhythm" aria-label="Rhythm">
            <Stage source=source><StripPlace tile=tile now=now silent_after=silent_after /></Stage>
            <PauseButton />
            {move || is_uncalibrated.get().then(|| view! { <Uncalibrated /> })}
            <dl class="numerals" data-test="numerals">{move || numerals.get().into_iter().map(numeral).collect_view()}</dl>
            <ol class="beats" data-test="beats" aria-label="Latest beats that stand for a result" hidden=move || marks.with(Vec::is_empty)>
                {move || marks.with(|marks| marks.iter().rev().take(LISTED).map(beat).collect_view())}
            </ol>
        </section>
    }
    .into_any()
}

/// A result that a beat stands for, for whoever cannot point at beats.
fn beat(mark: &Mark) -> impl IntoView + use<> {
    let (word, glyph, outcome) = match mark.kind {
        EventKind::Flaky => ("flaky", Glyph::Wave, "flaky"),
        EventKind::Failure => ("failed", Glyph::Cross, "failed"),
    };
    let address = format!("{}#t-{}", Page::Run(mark.run), mark.ordinal);
    view! {
        <li data-outcome=outcome>
            <Icon glyph=glyph />
            <a href=address>{mark.test.clone()}</a>
            <span class="quiet">{format!("{word}, attempt {}, {}", mark.attempt, format::utc_clock(mark.at))}" UTC"</span>
        </li>
    }
}
