//! A refusal, for people.

use super::erase::Erase;
use super::icon::{Glyph, Icon};
use crate::domain::problem::Problem;
use leptos::prelude::*;

/// What went wrong and what to do.
#[component]
pub fn ProblemView(
    /// The refusal.
    problem: Problem,
) -> impl IntoView {
    let wait = problem.retry_after.map(|seconds| format!("Try again in {seconds} s."));
    view! {
        <div class="problem" role="alert" data-test="problem" data-kind=problem.kind.slug()>
            <p class="problem-title"><Icon glyph=Glyph::Warning />{problem.kind.title()}</p>
            <p>{problem.detail}</p>
            {wait.map(|wait| view! { <p>{wait}</p> }.erased())}
            {problem.instance.map(|request| view! { <p class="quiet">"Request "<code>{request}</code></p> }.erased())}
        </div>
    }
    .erased()
}
