//! One setup as a row of the grid; on a phone CSS makes a card of it.

use super::badge::ActivityBadge;
use super::bar::Progress;
use super::erase::{Erase, Show, click};
use super::icon::{Glyph, Icon};
use super::name::breakable;
use super::strip::StripPlace;
use super::time::Timer;
use crate::domain::run::RunResult;
use crate::domain::time::{Micros, Timestamp};
use crate::format;
use crate::paths::Page;
use crate::read::{RunCard, Tile};
use leptos::prelude::*;

/// One setup.
#[component]
pub fn GridRow(
    /// The setup.
    tile: Signal<Tile>,
    /// The page's clock.
    now: Signal<Timestamp>,
    /// How long until silence is called so.
    silent_after: Signal<Micros>,
    /// Asks for the latest builds of the setup by this name.
    on_builds: Callback<String>,
) -> impl IntoView {
    let name = Memo::new(move |_| tile.with(|tile| tile.name.clone()));
    let run = Memo::new(move |_| tile.with(|tile| tile.run.clone()));
    let activity = Signal::derive(move || tile.with(|tile| tile.activity(now.get(), silent_after.get())));
    let health = move || tile.with(health_word);
    view! {
        <tr
            class="row"
            role="row"
            data-test="tile"
            data-row="true"
            data-setup=move || name.get()
            data-activity=move || activity.get().as_str()
            data-result=move || health()
        >
            <th class="cell-name" role="rowheader" scope="row">
                <a class="row-link" data-key="row" href=move || Page::Setup(&name.get()).to_string()>
                    {move || name.get()}
                </a>
                <span class="row-note">{move || tile.with(|tile| note(tile, now.get()))}</span>
            </th>
            <td class="cell-activity" role="cell"><ActivityBadge activity=activity /></td>
            <td class="cell-strip" role="cell"><StripPlace tile=tile now=now silent_after=silent_after /></td>
            <WhatCells run=run now=now />
            <td class="cell-counts" role="cell"><Ill run=run /></td>
            <td class="cell-builds" role="cell"><BuildsButton tile=tile on_builds=on_builds /></td>
        </tr>
    }
    .erased()
}

/// How well the newest run looks, as CSS knows it.
pub(super) fn health_word(tile: &Tile) -> &'static str {
    match &tile.run {
        None => "none",
        Some(run) if run.counts.failed > 0 => "failed",
        Some(RunCard { result: Some(RunResult::Cancelled), .. }) => "cancelled",
        Some(RunCard { result: Some(RunResult::Incomplete), .. }) => "incomplete",
        Some(run) if run.counts.flaky > 0 => "flaky",
        Some(RunCard { result: None, .. }) => "open",
        Some(_) => "passed",
    }
}

fn note(tile: &Tile, now: Timestamp) -> String {
    if let Some(kept) = tile.reserved(now) {
        return format!("reserved by {} until {}", kept.holder, format::utc(kept.ends_at));
    }
    let of_run = tile.run.as_ref().map(|run| match &run.branch {
        Some(branch) => format!("{} · {branch}", run.project),
        None => run.project.clone(),
    });
    of_run.or_else(|| tile.comment.clone()).unwrap_or_default()
}

/// Suite, progress, test and when it should be done.
#[component]
fn WhatCells(run: Memo<Option<RunCard>>, now: Signal<Timestamp>) -> impl IntoView {
    let of = move |pick: fn(&RunCard) -> Option<Timestamp>| {
        Signal::derive(move || run.with(|run| run.as_ref().and_then(pick)))
    };
    let ended = move || {
        run.with(|run| run.as_ref()?.finished_at.map(|at| format::ago(now.get().since(at)))).unwrap_or_default()
    };
    let eta = move || run.with(|run| run.as_ref().map(|run| eta(run, now.get())).unwrap_or_default());
    view! {
        <td class="cell-suite" role="cell" data-test="suite" title=move || run.with(suite_path)>
            <span class="cell-text">{move || breakable(&run.with(suite_words))}</span>
        </td>
        <td class="cell-suite-timer number" role="cell" data-test="suite-timer">
            <Timer since=of(|run| run.suite_started_at.filter(|_| run.result.is_none())) now=now />
            <span class="quiet">{move || ended()}</span>
        </td>
        <td class="cell-progress" role="cell">
            <Show when=move || run.with(Option::is_some)>
                <a class="progress-link" href=move || run.with(run_address) aria-label="Open the run">
                    <Progress run=run now=now />
                </a>
            </Show>
        </td>
        <td class="cell-test" role="cell" data-test="test" title=move || run.with(test_words)>
            <span class="cell-text">{move || breakable(&run.with(test_words))}</span>
        </td>
        <td class="cell-test-timer number" role="cell" data-test="test-timer">
            <Timer since=of(|run| run.test_started_at.filter(|_| run.result.is_none())) now=now />
        </td>
        <td class="cell-eta number" role="cell" data-test="eta">{move || eta()}</td>
    }
    .erased()
}

fn run_address(run: &Option<RunCard>) -> String {
    run.as_ref().map(|run| Page::Run(run.id).to_string()).unwrap_or_default()
}

fn suite_path(run: &Option<RunCard>) -> String {
    run.as_ref().map(|run| run.suite.join(" › ")).unwrap_or_default()
}

/// What the run is busy with, else what it came to.
pub(super) fn suite_words(run: &Option<RunCard>) -> String {
    let Some(run) = run else { return "No run yet".into() };
    if let Some(result) = run.result {
        return format!("{} · {}", run.name.as_deref().unwrap_or(&run.key), result);
    }
    run.suite.last().cloned().unwrap_or_else(|| run.name.clone().unwrap_or_else(|| run.key.clone()))
}

/// The test, else the suite's setup or teardown.
pub(super) fn test_words(run: &Option<RunCard>) -> String {
    use crate::domain::suite::Phase;
    let Some(run) = run.as_ref().filter(|run| run.result.is_none()) else { return String::new() };
    match (&run.test, run.phase) {
        (Some(test), _) => test.clone(),
        (None, Some(Phase::Setup)) => "suite setup".into(),
        (None, Some(Phase::Teardown)) => "suite teardown".into(),
        (None, _) => String::new(),
    }
}

/// When an open run should be done: `in 4:10`.
pub(super) fn eta(run: &RunCard, now: Timestamp) -> String {
    match run.eta_at.filter(|_| run.result.is_none()) {
        Some(at) if at > now => format!("in {}", format::timer(at.since(now))),
        Some(_) => "any moment".into(),
        None => String::new(),
    }
}

/// Failed and flaky so far; zeros recede.
#[component]
fn Ill(run: Memo<Option<RunCard>>) -> impl IntoView {
    let failed = move || run.with(|run| run.as_ref().map_or(0, |run| run.counts.failed));
    let flaky = move || run.with(|run| run.as_ref().map_or(0, |run| run.counts.flaky));
    view! {
        <span class="ill" data-outcome="failed" data-empty=move || (failed() == 0).to_string() title="failed">
            <Icon glyph=Glyph::Cross />
            <span class="unseen">"failed "</span>
            <span data-test="counts-failed">{move || format::number(failed())}</span>
        </span>
        <span class="ill" data-outcome="flaky" data-empty=move || (flaky() == 0).to_string() title="flaky">
            <Icon glyph=Glyph::Wave />
            <span class="unseen">"flaky "</span>
            <span data-test="counts-flaky">{move || format::number(flaky())}</span>
        </span>
    }
    .erased()
}

/// Opens the latest builds, where the setup has a job.
#[component]
fn BuildsButton(tile: Signal<Tile>, on_builds: Callback<String>) -> impl IntoView {
    let has_builds = Memo::new(move |_| tile.with(|tile| tile.has_builds));
    let label = move || tile.with(|tile| format!("Latest builds of {}", tile.name));
    view! {
        <Show when=move || has_builds.get()>
            <button
                type="button"
                class="icon-button"
                data-test="builds-button"
                data-key="builds"
                title="Latest builds"
                aria-label=move || label()
                on:click=click(move || on_builds.run(tile.get_untracked().name))
            >
                <Icon glyph=Glyph::Layers />
            </button>
        </Show>
    }
    .erased()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::activity::ActivityFacts;
    use crate::domain::counts::Counts;
    use crate::domain::ids::{RunId, SetupId};
    use crate::domain::run::RunState;
    use uuid::Uuid;

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn card() -> RunCard {
        RunCard {
            id: RunId(Uuid::nil()),
            key: "nightly-7".into(),
            name: None,
            project: "pump".into(),
            state: RunState::Running,
            result: None,
            counts: Counts {
                planned: 340,
                passed: 10,
                failed: 1,
                flaky: 1,
                running: 1,
                waiting: 327,
                ..Counts::default()
            },
            commit: None,
            branch: Some("main".into()),
            started_at: Some(at(0)),
            finished_at: None,
            suite: vec!["Root".into(), "Valves".into()],
            phase: None,
            suite_started_at: Some(at(10)),
            phase_started_at: None,
            test: Some("opens".into()),
            test_started_at: Some(at(93)),
            eta_at: Some(at(350)),
            due_at: Some(at(300)),
        }
    }

    pub fn tile(run: Option<RunCard>) -> Tile {
        Tile {
            setup: SetupId(Uuid::nil()),
            name: "bench 7".into(),
            comment: Some("third shelf".into()),
            version: 1,
            seen_at: None,
            facts: ActivityFacts { open: run.is_some(), heard_at: Some(at(95)), ..ActivityFacts::default() },
            run,
            has_builds: true,
            pulse: crate::read::Pulse::default(),
            claim: None,
            reservation: None,
        }
    }

    fn html(tile: Tile, now: i64) -> String {
        Owner::new().with(|| {
            let (tile, now) = (Signal::stored(tile), Signal::stored(at(now)));
            let silent_after = Signal::stored(Micros::from_secs(60));
            view! { <GridRow tile=tile now=now silent_after=silent_after on_builds=Callback::new(|_| {}) /> }.to_html()
        })
    }

    fn has(html: &str, parts: &[&str]) {
        // Markers between pieces of text are of no interest here.
        let html = html.replace("<!>", "");
        parts.iter().for_each(|part| assert!(html.contains(part), "{part} is not in {html}"));
    }

    #[test]
    fn a_busy_setup_tells_what_it_does_and_for_how_long() {
        let html = html(tile(Some(card())), 100);
        has(&html, &[r#"data-activity="running""#, r#"data-result="failed""#, "/setups/bench%207", "pump · main"]);
        has(
            &html,
            &["Valves", "1:30", "opens", "0:07", "in 4:10", ">12<", "/340", "3%", r#"data-test="builds-button""#],
        );
        assert!(!html.contains("style="), "styles are forbidden by the policy: {html}");
    }

    #[test]
    fn past_its_due_time_a_run_says_by_how_much() {
        has(&html(tile(Some(card())), 430), &["over by 2:10", r#"data-activity="silent""#, "any moment"]);
    }

    #[test]
    fn a_setup_without_a_run_says_so() {
        has(&html(tile(None), 0), &["No run yet", "third shelf", r#"data-activity="idle""#, r#"data-result="none""#]);
    }
}
