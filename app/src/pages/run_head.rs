//! What stands above the tree of a run.

use super::live_run::LiveRun;
use super::run_filter::{outcome_query, use_test_filter};
use crate::domain::activity::Activity;
use crate::domain::time::Timestamp;
use crate::format;
use crate::paths::Page;
use crate::read::{RunCard, RunHead};
use crate::ui::{ActivityBadge, Counters, Erase, Fact, Glyph, Icon, Notice, Progress, ResultBadge, Show, Timer, When};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// State, progress and counters of a run.
#[component]
pub fn RunSummary(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let head = live.head();
    let counts = Signal::derive(move || head.with(|head| head.card.counts));
    let filter = use_test_filter();
    let query = use_query_map();
    let address = Callback::new(move |outcome| query.with(|query| outcome_query(query, outcome)));
    let is_open = Memo::new(move |_| head.with(|head| head.card.result.is_none()));
    view! {
        <section class="run-summary" data-test="run-head" data-result=move || head.with(|head| head.card.result.map(|result| result.as_str()))>
            <div class="notices"><Notices head=head /></div>
            <Counters counts=counts chosen=Signal::derive(move || filter.with(|filter| filter.outcome)) address=address />
            <Progress run=Signal::derive(move || Some(head.with(|head| head.card.clone()))) now=live.now() />
            <Show when=move || is_open.get()>
                <Doing live=live />
            </Show>
        </section>
    }
    .erased()
}

/// The state of a run in one badge: while it is open, what its setup is doing.
#[component]
pub fn RunState(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let head = live.head();
    let now = live.now();
    let is_over = Memo::new(move |_| head.with(|head| head.card.result.is_some()));
    let activity = Memo::new(move |_| head.with(|head| Activity::of(now.get(), &head.facts, head.silent_after)));
    view! {
        <Show
            when=move || is_over.get()
            fallback=move || view! { <ActivityBadge activity=activity /> }.erased()
        >
            <ResultBadge
                result=Signal::derive(move || head.with(|head| head.card.result))
                state=Signal::derive(move || head.with(|head| head.card.state))
            />
        </Show>
    }
    .erased()
}

/// What an open run is busy with.
#[component]
fn Doing(live: LiveRun) -> impl IntoView {
    let (head, now) = (live.head(), live.now());
    let at = move |pick: fn(&RunCard) -> Option<Timestamp>| Signal::derive(move || head.with(|head| pick(&head.card)));
    let eta = move || {
        head.with(|head| head.card.eta_at.map_or_else(|| "nobody knows when".into(), |eta| left(eta, now.get())))
    };
    view! {
        <dl class="doing">
            <div data-test="suite">
                <dt>"Suite"</dt>
                <dd>{move || head.with(|head| head.card.suite.join(" › "))}</dd>
                <dd class="number" data-test="suite-timer"><Timer since=at(|card| card.suite_started_at) now=now /></dd>
            </div>
            <div data-test="test">
                <dt>"Test"</dt>
                <dd>{move || head.with(|head| head.card.test.clone())}</dd>
                <dd class="number" data-test="test-timer"><Timer since=at(|card| card.test_started_at) now=now /></dd>
            </div>
            <div>
                <dt>"Run"</dt>
                <dd>"done "<span data-test="eta">{move || eta()}</span></dd>
                <dd class="number"><Timer since=at(|card| card.started_at) now=now /></dd>
            </div>
        </dl>
    }
    .erased()
}

fn left(eta: Timestamp, now: Timestamp) -> String {
    if eta > now { format!("in {}", format::timer(eta.since(now))) } else { "any moment".into() }
}

/// What is odd about the run.
#[component]
fn Notices(head: Signal<RunHead>) -> impl IntoView {
    let late = move || head.with(|head| head.late);
    let clock = move || head.with(|head| head.clock_correction);
    view! {
        <Show when=move || { late() > 0 }>
            <Notice test="late-events">
                {move || format!("{} came after the run was over; what they said counts.", format::count(late(), "event", "events"))}
            </Notice>
        </Show>
        <Show when=move || clock().is_some()>
            <Notice test="wrong-clock">
                {move || clock().map(|correction| {
                    let way = if correction.0 > 0 { "behind" } else { "ahead" };
                    format!("The listener's clock is {} {way}; its times are corrected.", format::coarse(correction.abs()))
                })}
            </Notice>
        </Show>
    }
    .erased()
}

/// What is known about a run: code, trigger, times.
#[component]
pub fn RunFacts(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let head = live.head();
    // Facts come with the start and hardly change; drawn whole when they do.
    let drawn = Memo::new(move |_| head.with(known));
    view! { <dl class="facts">{move || drawn.get().into_iter().map(fact).collect_view()}</dl> }.erased()
}

/// A fact of a run, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Text(String, String),
    Project(String),
    Code(&'static str, String),
    Moment(&'static str, Timestamp),
    Link(&'static str, String),
    Run(&'static str, String),
}

fn known(head: &RunHead) -> Vec<Known> {
    let card = &head.card;
    let text = |name: &str, value: &Option<String>| value.clone().map(|value| Known::Text(name.into(), value));
    let code = |name, value: &Option<String>| value.clone().map(|value| Known::Code(name, value));
    let took = card.started_at.zip(card.finished_at).map(|(began, ended)| format::took(ended.since(began)));
    let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    let fixed = [
        Some(Known::Project(card.project.clone())),
        code("Branch", &card.branch),
        code("Commit", &card.commit),
        text("Trigger", &head.trigger),
        text("By", &head.user),
        text("Framework", &head.framework),
        card.started_at.map(|at| Known::Moment("Began", at)),
        card.finished_at.map(|at| Known::Moment("Ended", at)),
        text("Took", &took),
        head.url.clone().filter(is_web).map(|url| Known::Link("Link", url)),
        head.last_good.map(|run| Known::Run("Last good run", Page::Run(run).to_string())),
    ];
    // Listeners like to repeat themselves among the attributes.
    let is_said = |name: &str| name.eq_ignore_ascii_case("framework") && head.framework.is_some();
    let more = head.attributes.iter().filter(|(name, _)| !is_said(name));
    let more = more.map(|(name, value)| Known::Text(name.clone(), value.clone()));
    fixed.into_iter().flatten().chain(more).collect()
}

fn fact(known: Known) -> AnyView {
    match known {
        Known::Text(name, value) => view! { <Fact name=name>{value}</Fact> }.erased(),
        Known::Project(name) => {
            let address = Page::Project(&name).to_string();
            view! { <Fact name="Project"><a href=address rel="external">{name}</a></Fact> }.erased()
        }
        Known::Code(name, value) => {
            let short = format::commit(&value).to_owned();
            view! { <Fact name=name><code title=value>{short}</code></Fact> }.erased()
        }
        Known::Moment(name, at) => view! { <Fact name=name><When at=at /></Fact> }.erased(),
        Known::Link(name, url) => {
            let host = url.split('/').nth(2).unwrap_or("open").to_owned();
            view! {
                <Fact name=name><a href=url rel="external noreferrer" target="_blank">{host}" "<Icon glyph=Glyph::External /></a></Fact>
            }
            .erased()
        }
        Known::Run(name, address) => {
            view! { <Fact name=name><a href=address data-test="last-good">"Open"</a></Fact> }.erased()
        }
    }
}
