//! The health of a test in words and marks.

use super::erase::Erase;
use super::facts::Notice;
use super::icon::{Glyph, Icon};
use crate::domain::health::{Label, Reason, Trend};
use crate::format;
use crate::read::{PerMille, TapePicture, TestHealth};
use leptos::prelude::*;

/// What a test is called: shape, word, colour.
#[component]
pub fn LabelBadge(
    /// What it is called.
    label: Label,
) -> impl IntoView {
    let glyph = match label {
        Label::Broken => Glyph::Cross,
        Label::Flaky | Label::Recovering => Glyph::Wave,
        Label::Suspect => Glyph::Question,
        Label::Fixed | Label::Healthy => Glyph::Check,
        Label::New => Glyph::Ring,
    };
    view! {
        <span class="badge" data-test="label" data-label=label.as_str()>
            <Icon glyph=glyph />
            <span class="badge-word">{label.as_str()}</span>
        </span>
    }
    .erased()
}

/// A warning that probabilities are not worth their name.
#[component]
pub fn Uncalibrated(
    /// The setups that this is about; of the one that is looked at, none.
    #[prop(optional)]
    setups: Vec<String>,
) -> impl IntoView {
    let whose = match setups.as_slice() {
        [] => "This setup behaves".to_owned(),
        [one] => format!("{one} behaves"),
        many => format!("{} behave", many.join(", ")),
    };
    view! {
        <Notice test="uncalibrated">
            {whose}" unlike what the detector was made for: a plain mean of each test's results foretells the next one \
            better. Take the probabilities as a hint; the counts are exact."
        </Notice>
    }
    .erased()
}

/// A probability in per cent: `0.4 %`, `17 %`, `< 0.1 %`.
pub fn percent(p: PerMille) -> String {
    match p {
        0 => "< 0.1 %".into(),
        1..100 => format!("{}.{} %", p / 10, p % 10),
        995.. => "> 99 %".into(),
        _ => format!("{} %", (p + 5) / 10),
    }
}

/// How often it fails for nothing, with its interval: `3.0 % (0.1–14 %)`.
pub fn rate(health: &TestHealth) -> String {
    let [mean, low, high] = health.rate.map(percent);
    format!("{mean} ({}–{high})", low.trim_end_matches(" %"))
}

/// Which way it is going.
pub const fn trend(trend: Option<Trend>) -> &'static str {
    match trend {
        Some(Trend::Worsening) => "getting worse",
        Some(Trend::Improving) => "getting better",
        Some(Trend::Steady) => "steady",
        None => "",
    }
}

/// A reason as a sentence.
pub fn reason(reason: &Reason) -> String {
    let times = |n: u16| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    match *reason {
        Reason::TooFewResults { results, needed } => {
            format!("{} so far; it takes {needed} to say anything.", format::count(results, "result", "results"))
        }
        Reason::ChangedInRun { times: n, results } => {
            format!("Failed and passed again within one run {} in the last {results} results.", times(n))
        }
        Reason::ChangedOnCommit { times: n, results } => {
            format!("Failed and passed on the same commit {} in the last {results} results.", times(n))
        }
        Reason::ChangedAcrossCommits { failures, results } => {
            format!("{failures} of {results} results failed, with passes between them, each on another commit.")
        }
        Reason::FailingInARow { failures } => {
            format!("The last {} failed.", format::count(u32::from(failures), "result", "results"))
        }
        Reason::PassingInARow { passes } => {
            format!("The last {} passed.", format::count(u32::from(passes), "result", "results"))
        }
        Reason::InIncident => "Its last result came from a run in which far more tests failed than usual.".into(),
    }
}

/// A tape as a picture; what it shows also stands in the table beside it.
#[component]
pub fn TapeView(
    /// The lines.
    tape: TapePicture,
    /// What it is of.
    label: String,
) -> impl IntoView {
    let box_of = format!("0 0 {} {}", tape.width, tape.height);
    let paths =
        tape.paths.into_iter().map(|(outcome, path)| view! { <path data-outcome=outcome.as_str() d=path></path> });
    view! {
        <svg class="tape" role="img" aria-label=label viewBox=box_of preserveAspectRatio="xMinYMid meet" data-test="tape">
            {paths.collect_view()}
        </svg>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_said_as_finely_as_they_are_known() {
        let said = [0, 4, 55, 100, 174, 994, 1_000].map(percent);
        assert_eq!(said, ["< 0.1 %", "0.4 %", "5.5 %", "10 %", "17 %", "99 %", "> 99 %"]);
    }

    #[test]
    fn a_rate_carries_its_interval() {
        let health = TestHealth {
            label: Label::Flaky,
            p_flaky: 980,
            p_broken: 0,
            spurious: 295,
            rate: [303, 154, 470],
            trend: None,
            reasons: Vec::new(),
            results: 26,
            failures: 8,
            last_at: None,
        };
        assert_eq!(rate(&health), "30 % (15–47 %)");
    }

    #[test]
    fn reasons_are_sentences() {
        let said = reason(&Reason::ChangedInRun { times: 1, results: 30 });
        assert_eq!(said, "Failed and passed again within one run once in the last 30 results.");
        assert_eq!(reason(&Reason::FailingInARow { failures: 1 }), "The last 1 result failed.");
    }
}
