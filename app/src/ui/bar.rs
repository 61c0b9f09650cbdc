//! Bars of tests by outcome, drawn as SVG: widths there are attributes, which
//! the page's policy allows, not styles.

use super::erase::Erase;
use crate::domain::counts::Counts;
use crate::domain::test::Outcome;
use crate::domain::time::{Micros, Timestamp};
use crate::format;
use crate::read::RunCard;
use leptos::prelude::*;

/// How wide a bar is, in its own units.
const WIDTH: u32 = 1_000;

/// The least a segment that is not empty measures: one failure in ten
/// thousand tests must still be seen.
const SEEN: u32 = 8;

/// From left to right: what is well, what is not, what is to come.
const ORDER: [Outcome; 8] = [
    Outcome::Passed,
    Outcome::Flaky,
    Outcome::Failed,
    Outcome::Skipped,
    Outcome::Cancelled,
    Outcome::Lost,
    Outcome::Running,
    Outcome::Waiting,
];

/// The segments of a bar: outcome, left edge and width, which add up to the
/// whole bar wherever there is a test.
pub fn segments(mut counts: Counts) -> [(Outcome, u32, u32); 8] {
    let sizes = ORDER.map(|outcome| *counts.of(outcome));
    let all: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
    let mut widths = sizes.map(|size| match size {
        0 => 0,
        _ => ((u64::from(size) * u64::from(WIDTH) / all) as u32).max(SEEN),
    });
    if all > 0 {
        let given: u32 = widths.iter().sum();
        let widest = (0..widths.len()).max_by_key(|at| widths[*at]).unwrap_or_default();
        widths[widest] = (widths[widest] + WIDTH).saturating_sub(given);
    }
    let mut left = 0;
    std::array::from_fn(|at| {
        let segment = (ORDER[at], left, widths[at]);
        left += widths[at];
        segment
    })
}

/// A bar of tests by outcome.
#[component]
pub fn Stack(
    /// The tests.
    #[prop(into)]
    counts: Signal<Counts>,
) -> impl IntoView {
    let rects = (0..ORDER.len())
        .map(|at| {
            view! {
                <rect
                    data-outcome=ORDER[at].as_str()
                    x=move || segments(counts.get())[at].1.to_string()
                    width=move || segments(counts.get())[at].2.to_string()
                    y="0"
                    height="10"
                ></rect>
            }
            .erased()
        })
        .collect_view();
    view! {
        <svg class="stack" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            {rects}
        </svg>
    }
    .erased()
}

/// How much later than planned a run is at `now`: only an open run can be.
pub(super) fn over_by(run: &RunCard, now: Timestamp) -> Option<Micros> {
    let due = run.due_at.filter(|_| run.result.is_none() && run.started_at.is_some())?;
    let over = now.since(due);
    (over.as_secs() > 0).then_some(over)
}

/// How far a run is: `12 of 340 (3 %)`, what it says when it is late, and the
/// bar below.
#[component]
pub fn Progress(
    /// The run.
    #[prop(into)]
    run: Signal<Option<RunCard>>,
    /// The page's clock.
    now: Signal<Timestamp>,
) -> impl IntoView {
    let counts = Signal::derive(move || run.with(|run| run.as_ref().map(|run| run.counts).unwrap_or_default()));
    let late = Memo::new(move |_| {
        let over = run.with(|run| run.as_ref().and_then(|run| over_by(run, now.get())));
        over.map(|over| format!("over by {}", format::timer(over))).unwrap_or_default()
    });
    let spoken = move || {
        let counts = counts.get();
        format!("{} of {} tests done", counts.done(), counts.planned)
    };
    view! {
        <div
            class="progress"
            data-test="progress"
            role="progressbar"
            aria-label="Tests done"
            aria-valuemin="0"
            aria-valuemax=move || counts.get().planned.to_string()
            aria-valuenow=move || counts.get().done().to_string()
            aria-valuetext=move || spoken()
        >
            <div class="progress-words">
                <span class="progress-done" data-test="progress-done">
                    {move || format::number(counts.get().done())}
                    <span class="progress-of">"/"{move || format::number(counts.get().planned)}</span>
                </span>
                <span class="progress-percent" data-test="progress-percent">
                    {move || format!("{}%", counts.get().percent())}
                </span>
                <span class="progress-late" data-test="progress-late">{move || late.get()}</span>
            </div>
            <Stack counts=counts />
        </div>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_failure_in_ten_thousand_is_seen_and_the_bar_stays_whole() {
        let drawn = segments(Counts { planned: 10_000, passed: 9_999, failed: 1, ..Counts::default() });
        assert_eq!(drawn[2], (Outcome::Failed, WIDTH - SEEN, SEEN));
        assert_eq!(drawn.iter().map(|(_, _, width)| width).sum::<u32>(), WIDTH);
    }

    #[test]
    fn no_tests_draw_nothing() {
        assert!(segments(Counts::default()).iter().all(|(_, _, width)| *width == 0));
    }
}
