//! One setup as a tile of the wall. What fits is shown: container queries drop
//! the small print as tiles get smaller, shape and colour stay to the last.

use super::bar::{Stack, over_by};
use super::erase::Erase;
use super::grid_row::{eta, health_word, suite_words, test_words};
use super::icon::{Glyph, Icon};
use super::strip::StripPlace;
use crate::domain::activity::Activity;
use crate::domain::counts::Counts;
use crate::domain::test::Outcome;
use crate::domain::time::{Micros, Timestamp};
use crate::format;
use crate::paths::Page;
use crate::read::Tile;
use leptos::prelude::*;

/// The shape that says most about a setup from afar: what is wrong first.
fn sign(activity: Activity, health: &str) -> Glyph {
    match (activity, health) {
        (Activity::Lost | Activity::Silent, _) => activity.into(),
        (_, "failed") => Glyph::Cross,
        (_, "incomplete") => Glyph::BrokenRing,
        (_, "cancelled") => Glyph::Slash,
        (Activity::Overdue, _) => Glyph::Clock,
        (_, "flaky") => Glyph::Wave,
        (Activity::Running, _) => Glyph::Beat,
        (_, "passed") => Glyph::Check,
        _ => Glyph::Bar,
    }
}

/// One setup.
#[component]
pub fn WallTile(
    /// The setup.
    tile: Signal<Tile>,
    /// The page's clock.
    now: Signal<Timestamp>,
    /// How long until silence is called so.
    silent_after: Signal<Micros>,
) -> impl IntoView {
    let name = Memo::new(move |_| tile.with(|tile| tile.name.clone()));
    let run = Memo::new(move |_| tile.with(|tile| tile.run.clone()));
    let activity = Signal::derive(move || tile.with(|tile| tile.activity(now.get(), silent_after.get())));
    let health = move || tile.with(health_word);
    let counts = Signal::derive(move || run.with(|run| run.as_ref().map(|run| run.counts).unwrap_or_default()));
    let claim = move || tile.with(|tile| tile.claim.as_ref().map(|claim| claim.holder.clone()));
    let reserved = move || tile.with(|tile| tile.reserved(now.get()).map(|kept| kept.holder.clone()));
    let percent =
        move || run.with(|run| run.as_ref().map(|run| format!("{}%", run.counts.percent())).unwrap_or_default());
    view! {
        <a
            class="tile"
            data-test="tile"
            data-setup=move || name.get()
            data-activity=move || activity.get().as_str()
            data-result=move || health()
            href=move || Page::Setup(&name.get()).to_string()
        >
            <span class="tile-body">
                <span class="tile-head">
                    <span class="tile-sign"><Icon glyph=Signal::derive(move || sign(activity.get(), health())) /></span>
                    <span class="tile-name">{move || name.get()}</span>
                </span>
                <span class="tile-middle">
                    <span class="tile-percent" data-test="progress-percent">{move || percent()}</span>
                    <span class="tile-activity" data-test="activity">{move || activity.get().as_str()}</span>
                    <span class="tile-ill">
                        <IllCount outcome=Outcome::Failed counts=counts />
                        <IllCount outcome=Outcome::Flaky counts=counts />
                    </span>
                </span>
                <StripPlace tile=tile now=now silent_after=silent_after />
                <span class="tile-suite" data-test="suite">{move || run.with(suite_words)}</span>
                <span class="tile-test" data-test="test">{move || run.with(test_words)}</span>
                <span class="tile-claim" data-test="claim" hidden=move || claim().is_none()>
                    <Icon glyph=Glyph::Person />
                    {move || claim()}
                </span>
                <span class="tile-claim" data-test="reserved" hidden=move || reserved().is_none()>
                    <Icon glyph=Glyph::Lock />
                    {move || reserved()}
                </span>
                <span class="tile-foot">
                    <span>{move || format!("{}/{}", format::number(counts.get().done()), format::number(counts.get().planned))}</span>
                    <span data-test="eta">{move || tile.with(|tile| time_words(tile, activity.get(), now.get()))}</span>
                </span>
                <Stack counts=counts />
            </span>
        </a>
    }
    .erased()
}

/// How many failed, or were flaky; nothing where none did.
#[component]
fn IllCount(outcome: Outcome, counts: Signal<Counts>) -> impl IntoView {
    let size = move || *counts.get().of(outcome);
    view! {
        <span class="tile-ill-count" data-outcome=outcome.as_str() hidden=move || size() == 0>
            <Icon glyph=Glyph::from(outcome) />
            <span data-test=format!("counts-{outcome}")>{move || format::number(size())}</span>
        </span>
    }
    .erased()
}

/// The one time that matters most: for how long it is silent, by how much it
/// is late, when it will be done, when it was.
fn time_words(tile: &Tile, activity: Activity, now: Timestamp) -> String {
    let heard = tile.facts.heard_at.filter(|_| activity == Activity::Silent);
    if let Some(heard) = heard {
        return format!("silent {}", format::timer(now.since(heard)));
    }
    let Some(run) = &tile.run else { return String::new() };
    if let Some(over) = over_by(run, now) {
        return format!("over by {}", format::timer(over));
    }
    match run.finished_at {
        Some(at) if run.result.is_some() => format::ago(now.since(at)),
        _ => eta(run, now),
    }
}
