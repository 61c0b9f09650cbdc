//! The banner that says when what is shown is not live.

use super::erase::Erase;
use super::icon::{Glyph, Icon};
use crate::domain::time::Timestamp;
use crate::format;
use leptos::prelude::*;

/// How far what is shown can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It is as the server knows it.
    Live,
    /// The connection is gone since then; it is being made again.
    Reconnecting(Timestamp),
    /// Nobody has spoken since then for too long.
    Stale(Timestamp),
}

impl Freshness {
    /// As CSS knows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Reconnecting(_) => "reconnecting",
            Self::Stale(_) => "stale",
        }
    }

    /// The time as of which what is shown can be judged: later ones would call
    /// setups silent only because nobody tells us what they say.
    pub fn judged_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Live => now,
            Self::Reconnecting(since) | Self::Stale(since) => since.min(now),
        }
    }

    fn words(self, now: Timestamp) -> String {
        match self {
            Self::Live => String::new(),
            Self::Reconnecting(_) => "Connection to the server lost; reconnecting…".into(),
            Self::Stale(since) => format!(
                "Live data stopped {}. Showing what was last known; reconnecting…",
                format::ago(now.since(since))
            ),
        }
    }
}

/// Says that the page is not live; nothing while it is. The words without the
/// counting seconds are announced once.
#[component]
pub fn StaleBanner(
    /// How far the page can be trusted.
    #[prop(into)]
    freshness: Signal<Freshness>,
    /// The page's clock.
    now: Signal<Timestamp>,
) -> impl IntoView {
    let is_live = Memo::new(move |_| freshness.get() == Freshness::Live);
    let announced = move || match freshness.get() {
        Freshness::Live => "",
        Freshness::Reconnecting(_) => "Connection lost.",
        Freshness::Stale(_) => "Live data stopped.",
    };
    view! {
        <div
            class="stale-banner"
            data-test="stale-banner"
            data-freshness=move || freshness.get().as_str()
            hidden=move || is_live.get()
        >
            <Icon glyph=Glyph::Warning />
            <span aria-hidden="true">{move || freshness.get().words(now.get())}</span>
            <span class="unseen" role="status">{move || announced()}</span>
        </div>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_says_since_when() {
        let now = Timestamp::from_millis(32_000);
        assert_eq!(
            Freshness::Stale(Timestamp(0)).words(now),
            "Live data stopped 32 s ago. Showing what was last known; reconnecting…"
        );
        assert_eq!(Freshness::Live.words(now), "");
    }

    #[test]
    fn what_is_not_live_is_judged_by_its_last_word() {
        let now = Timestamp::from_millis(32_000);
        assert_eq!(Freshness::Live.judged_at(now), now);
        assert_eq!(Freshness::Stale(Timestamp(0)).judged_at(now), Timestamp(0));
    }
}
