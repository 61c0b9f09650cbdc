//! The latest builds of a setup's job, as its CI server tells.

use super::erase::Erase;
use super::problem::ProblemView;
use super::time::When;
use crate::domain::problem::Problem;
use crate::format;
use crate::read::Build;
use leptos::prelude::*;

/// How far the question after the builds has come.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildsState {
    /// Asked.
    Loading,
    /// Answered.
    Known(Vec<Build>),
    /// Refused.
    Failed(Problem),
}

/// The builds, newest first; says so where there are none or none can be had.
#[component]
pub fn BuildsTable(
    /// How far the question has come.
    state: BuildsState,
) -> impl IntoView {
    match state {
        BuildsState::Loading => {
            view! { <p class="quiet" data-test="builds-loading" role="status">"Asking the CI server…"</p> }.erased()
        }
        BuildsState::Failed(problem) => {
            view! { <div data-test="builds-error"><ProblemView problem=problem /></div> }.erased()
        }
        BuildsState::Known(builds) if builds.is_empty() => {
            view! { <p class="quiet" data-test="builds-empty">"This job has not been built yet."</p> }.erased()
        }
        BuildsState::Known(builds) => {
            let rows = builds.into_iter().map(|build| view! { <BuildRow of=build /> }.erased()).collect_view();
            view! {
                <table class="builds" data-test="builds">
                    <thead>
                        <tr>
                            <th scope="col">"Build"</th>
                            <th scope="col">"Result"</th>
                            <th scope="col" class="number">"Passed"</th>
                            <th scope="col">"Began"</th>
                            <th scope="col" class="number">"Took"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            }
            .erased()
        }
    }
}

/// The result in the CI server's words; ours for one that still runs.
fn result_of(build: &Build) -> (String, &'static str) {
    let Some(word) = &build.result else { return ("running".into(), "running") };
    let kind = match word.to_ascii_uppercase().as_str() {
        "SUCCESS" => "passed",
        "UNSTABLE" => "flaky",
        "FAILURE" => "failed",
        "ABORTED" | "NOT_BUILT" => "cancelled",
        _ => "none",
    };
    (word.to_ascii_lowercase().replace('_', " "), kind)
}

#[component]
fn BuildRow(of: Build) -> impl IntoView {
    let build = of;
    let (word, kind) = result_of(&build);
    let number = format!("#{}", build.number);
    let is_link = build.url.starts_with("https://") || build.url.starts_with("http://");
    let link = if is_link {
        view! { <a href=build.url rel="external noreferrer" target="_blank">{number}</a> }.erased()
    } else {
        number.into_any()
    };
    let passed = match (build.passed, build.total) {
        (Some(passed), Some(total)) => format!("{}/{}", format::number(passed), format::number(total)),
        (Some(passed), None) => format::number(passed),
        _ => "–".into(),
    };
    let took = if build.result.is_some() { format::took(build.duration) } else { "–".into() };
    view! {
        <tr data-test="build" data-result=kind>
            <th scope="row">{link}</th>
            <td><span class="badge" data-result=kind><span class="dot"></span>{word}</span></td>
            <td class="number">{passed}</td>
            <td><When at=build.started_at /></td>
            <td class="number">{took}</td>
        </tr>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::problem::ProblemKind;
    use crate::domain::time::{Micros, Timestamp};

    fn html(state: BuildsState) -> String {
        Owner::new().with(|| view! { <BuildsTable state=state /> }.to_html())
    }

    fn build(url: &str, result: Option<&str>) -> BuildsState {
        BuildsState::Known(vec![Build {
            number: 88,
            url: url.into(),
            result: result.map(str::to_owned),
            passed: Some(338),
            total: Some(340),
            started_at: Timestamp(0),
            duration: Micros::from_secs(754),
        }])
    }

    #[test]
    fn builds_are_told_in_the_words_of_their_server() {
        let html = html(build("https://ci.example/88", Some("NOT_BUILT")));
        for part in ["#88", "not built", "338/340", "1970-01-01 00:00 UTC", "12:34", r#"href="https://ci.example/88""#]
        {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }

    #[test]
    fn a_build_that_runs_has_no_duration_and_a_strange_address_is_no_link() {
        let html = html(build("javascript:alert(1)", None));
        assert!(html.contains("running") && !html.contains("12:34") && !html.contains("href"), "{html}");
    }

    #[test]
    fn waiting_refusal_and_nothing_are_told_apart() {
        assert!(html(BuildsState::Loading).contains("builds-loading"));
        assert!(html(BuildsState::Known(vec![])).contains("builds-empty"));
        let refused = html(BuildsState::Failed(Problem::new(ProblemKind::Upstream, "Jenkins is away")));
        assert!(refused.contains("builds-error") && refused.contains("Jenkins is away"));
    }
}
