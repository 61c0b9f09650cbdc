//! The small set of drawings: one stroke each, on a grid of 16.

use super::erase::Erase;
use crate::domain::activity::Activity;
use crate::domain::run::RunResult;
use crate::domain::test::Outcome;
use leptos::prelude::*;

/// Every drawing there is. No two states share a shape, so that none is told
/// by its colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are what they show")]
pub enum Glyph {
    Check,
    Wave,
    Cross,
    Skip,
    Ring,
    Slash,
    Question,
    BrokenRing,
    Play,
    Pause,
    Beat,
    Bar,
    Clock,
    Muted,
    Layers,
    Search,
    Sun,
    Moon,
    Half,
    Chevron,
    External,
    Code,
    Warning,
    Tiles,
    Help,
    Close,
    Person,
    Lock,
}

impl Glyph {
    /// The stroke.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Check => "M2.5 8.5l3.5 3.5 7.5-8",
            Self::Wave => "M1.5 10c1.5-5 3.3-5 5 0s3.5 4 4.5 0 2.5-4 3.5-2.5",
            Self::Cross => "M3.5 3.5l9 9M12.5 3.5l-9 9",
            Self::Skip => "M3 3.5L7.5 8 3 12.5M8.5 3.5L13 8l-4.5 4.5",
            Self::Ring => "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11",
            Self::Slash => "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M4.2 11.8l7.6-7.6",
            Self::Question => "M5.2 5.6a2.9 2.9 0 1 1 4.2 2.6c-1 .5-1.4 1-1.4 2M8 13.2v.1",
            Self::BrokenRing => "M8 2.5a5.5 5.5 0 0 0 0 11M10.9 3.4v.1M13.1 6.5v.1M13.1 9.6v.1M10.9 12.5v.1",
            Self::Play => "M5 3.2v9.6L13 8z",
            Self::Pause => "M5.5 3.2v9.6M10.5 3.2v9.6",
            Self::Beat => "M.8 9h3.2l2-5.5 3 9.5 2-4h4.2",
            Self::Bar => "M3 8h10",
            Self::Clock => "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6M8 4.8V8.2l2.3 1.6",
            Self::Muted => "M1.8 6v4h2.4L8 13.2V2.8L4.2 6zM11 6l3.7 4M14.7 6L11 10",
            Self::Layers => "M8 2l6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.5 10.5l3.5 3.5",
            Self::Sun => {
                "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1"
            }
            Self::Moon => "M13.5 9.5A6 6 0 1 1 6.5 2.5a4.8 4.8 0 0 0 7 7z",
            Self::Half => "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 2.5v11M8 5.5h3.5M8 8h5M8 10.5h3.5",
            Self::Chevron => "M6 3.5L10.5 8 6 12.5",
            Self::External => "M6.5 3.5H3v9.5h9.5V9.5M9.5 2.5h4v4M13.5 2.5L7.5 8.5",
            Self::Code => "M5 4L1.5 8 5 12M11 4l3.5 4-3.5 4",
            Self::Warning => "M8 2L1.5 13.5h13zM8 6.5v3M8 11.5v.1",
            Self::Tiles => "M2 2.5h5v5H2zM9 2.5h5v5H9zM2 9.5h5v4H2zM9 9.5h5v4H9z",
            Self::Help => {
                "M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4M6.3 6.3a1.8 1.8 0 1 1 2.5 1.6c-.6.3-.8.6-.8 1.2M8 11.3v.1"
            }
            Self::Close => "M4 4l8 8M12 4l-8 8",
            Self::Lock => "M3.5 7.5h9v6h-9zM5.2 7.5V5.3a2.8 2.8 0 0 1 5.6 0v2.2",
            Self::Person => {
                "M8 2.3a2.7 2.7 0 1 0 0 5.4a2.7 2.7 0 1 0 0-5.4M2.8 13.7c.5-3 2.5-4.4 5.2-4.4s4.7 1.4 5.2 4.4"
            }
        }
    }
}

impl From<Outcome> for Glyph {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Waiting => Self::Ring,
            Outcome::Running => Self::Play,
            Outcome::Passed => Self::Check,
            Outcome::Flaky => Self::Wave,
            Outcome::Failed => Self::Cross,
            Outcome::Skipped => Self::Skip,
            Outcome::Cancelled => Self::Slash,
            Outcome::Lost => Self::Question,
        }
    }
}

impl From<Activity> for Glyph {
    fn from(activity: Activity) -> Self {
        match activity {
            Activity::Idle => Self::Bar,
            Activity::Running => Self::Beat,
            Activity::Overdue => Self::Clock,
            Activity::Silent => Self::Muted,
            Activity::Lost => Self::Question,
        }
    }
}

impl From<RunResult> for Glyph {
    fn from(result: RunResult) -> Self {
        match result {
            RunResult::Passed => Self::Check,
            RunResult::Flaky => Self::Wave,
            RunResult::Failed => Self::Cross,
            RunResult::Cancelled => Self::Slash,
            RunResult::Incomplete => Self::BrokenRing,
        }
    }
}

/// A drawing, as tall as the text beside it. Readers do not hear of it: the
/// word is always there.
#[component]
pub fn Icon(
    /// Which.
    #[prop(into)]
    glyph: Signal<Glyph>,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d=move || glyph.get().path()></path>
        </svg>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_outcomes_share_a_shape() {
        for (at, outcome) in Outcome::ALL.iter().enumerate() {
            for other in &Outcome::ALL[at + 1..] {
                assert_ne!(Glyph::from(*outcome).path(), Glyph::from(*other).path());
            }
        }
    }
}
