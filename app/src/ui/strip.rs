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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RunId;
    use crate::ecg::EventKind;
    use crate::read::Mark;
    use crate::ui::tests::tile;
    use uuid::Uuid;

    #[test]
    fn a_strip_is_an_image_that_says_what_it_shows() {
        let now = Timestamp::from_millis(100_000);
        let mut setup = tile(None);
        let run = RunId(Uuid::nil());
        let mark = |second: i64, kind| Mark {
            at: Timestamp::from_millis(second * 1_000),
            kind,
            origin: second as u64,
            test: "Boot".into(),
            ordinal: 0,
            attempt: 2,
            run,
        };
        setup.pulse.marks = vec![mark(60, EventKind::Flaky), mark(61, EventKind::Failure), mark(62, EventKind::Flaky)];
        let html = Owner::new().with(|| {
            let (tile, now) = (Signal::stored(setup), Signal::stored(now));
            let silent_after = Signal::stored(Micros::from_secs(60));
            view! { <StripPlace tile=tile now=now silent_after=silent_after /> }.to_html()
        });
        for part in [
            r#"role="img""#,
            r#"data-strip="00000000-0000-0000-0000-000000000000""#,
            r#"data-rhythm="resting""#,
            r#"data-ectopic="2""#,
            r#"data-dropped="1""#,
            r#"aria-label="Setup bench 7: resting. 2 flaky results in 1 minute (Boot). 1 failure in 1 minute.""#,
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert!(!html.contains("style="), "styles are forbidden by the policy: {html}");
    }
}
