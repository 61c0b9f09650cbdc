//! A run in a list of runs.

use super::badge::ResultBadge;
use super::bar::Stack;
use super::erase::Erase;
use super::time::When;
use crate::format;
use crate::paths::Page;
use crate::read::RunLine;
use leptos::prelude::*;

/// One run.
#[component]
pub fn RunRow(
    /// The run.
    run: RunLine,
) -> impl IntoView {
    let title = run.name.clone().unwrap_or_else(|| run.key.clone());
    let took = match (run.started_at, run.finished_at) {
        (Some(began), Some(ended)) => format::took(ended.since(began)),
        _ => String::new(),
    };
    let code = [run.branch.as_deref(), run.commit.as_deref().map(format::commit)];
    let code: Vec<_> = code.into_iter().flatten().map(str::to_owned).collect();
    let ill = format!("{} failed, {} flaky", format::number(run.counts.failed), format::number(run.counts.flaky));
    view! {
        <tr class="run-line" role="row" data-row="true" data-test="run-line" data-run=run.id.to_string() data-result=run.result.map(|result| result.as_str())>
            <td role="cell"><ResultBadge result=run.result state=run.state /></td>
            <th role="rowheader" scope="row"><a class="row-link" data-key="row" href=Page::Run(run.id).to_string()>{title}</a></th>
            <td role="cell" class="run-line-bar"><Stack counts=run.counts /></td>
            <td role="cell" class="number" data-test="run-line-counts" title=ill>
                {format::number(run.counts.passed + run.counts.flaky)}"/"{format::number(run.counts.planned)}
            </td>
            <td role="cell" class="run-line-code">{code.join(" · ")}</td>
            <td role="cell">{run.started_at.map(|at| view! { <When at=at /> }.erased())}</td>
            <td role="cell" class="number">{took}</td>
        </tr>
    }
    .erased()
}
