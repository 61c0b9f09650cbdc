//! One test over all its runs, `/tests/{id}`: every result a heartbeat.

use super::not_found::NotFound;
use super::question::{Answer, Question, answered, ask};
use super::renames::{OtherNames, RenameOffers};
use crate::domain::ids::TestId;
use crate::domain::time::{Micros, Timestamp};
use crate::format;
use crate::paths::Page;
use crate::read::{self, Broke, LastFailure, TestHealth, TestResult};
use crate::ui::{Erase, Fact, LabelBadge, Notice, OutcomeMark, TapeView, When, percent, rate, reason, trend};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

/// Results listed; the strip and the numbers know more.
const LISTED: usize = 100;

/// The page.
#[component]
pub fn TestPage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.with(|params| params.get_str("id").and_then(|id| id.parse::<uuid::Uuid>().ok()));
    let asked = ask(move || id().map_or(Question::Nothing, |id| Question::Test(TestId(id))));
    let on_change = Callback::new(move |()| asked.refetch());
    answered(asked, move |answer| match answer {
        Answer::Test(page) => whole(*page, on_change),
        _ => view! { <NotFound what="test" /> }.erased(),
    })
}

fn whole(data: read::TestPage, on_change: Callback<()>) -> AnyView {
    let (name, suite) = data
        .path
        .split_last()
        .map_or((String::new(), String::new()), |(name, suite)| (name.clone(), suite.join(" › ")));
    let told = format!("The last results of {name}, the oldest first");
    let results = data.results.iter().take(LISTED).map(|result| row(result, data.now)).collect_view();
    view! {
        <Title text=name.clone() />
        <div class="page test-page" data-test="test-page">
            <header class="page-head">
                <p class="trail"><a href=Page::Flaky.to_string()>"Flaky tests"</a><span>{suite}</span></p>
                <div class="page-title"><h1>{name}</h1></div>
            </header>
            <OtherNames test=data.id before=data.before.clone() now_called=data.now_called.clone() may_part=data.may_rename now=data.now on_change=on_change />
            <RenameOffers offers=data.offers.clone() on_change=on_change />
            {environment(&data)}
            {data.broke.as_ref().map(broke)}
            {data.last_failure.as_ref().map(last_failure)}
            <div class="tape-box" tabindex="0" role="region" aria-label="Strip of results"><TapeView tape=data.strip label=told /></div>
            {facts(&data.results, data.owner, data.project, data.p_flaky_anywhere)}
            <section class="on-setups" aria-label="By setup">
                {data.setups.iter().map(|(setup, health)| on_setup(setup, health)).collect_view()}
            </section>
            <section aria-labelledby="results">
                <h2 id="results">"Results"</h2>
                <div class="scroll" tabindex="0" role="region" aria-label="Results"><table class="results"><tbody>{results}</tbody></table></div>
            </section>
        </div>
    }
    .erased()
}

fn environment(data: &read::TestPage) -> Option<AnyView> {
    let (broken, healthy) = data.environment.as_ref()?;
    let said = format!(
        "It keeps failing on {} and passes on {}: look at the setup before the test.",
        broken.join(", "),
        healthy.join(", ")
    );
    Some(view! { <Notice test="environment">{said}</Notice> }.erased())
}

fn broke(broke: &Broke) -> AnyView {
    let at = |commit: &Option<String>| commit.as_deref().map_or("an unknown commit", format::commit).to_owned();
    let (run, bad) = (Page::Run(broke.bad_run).to_string(), at(&broke.bad));
    let (since, before) =
        (format!("On {} it has failed since ", broke.setup), format!("; it last passed on {}.", at(&broke.good)));
    view! {
        <Notice test="broke">
            {since}<a href=run>{bad}</a>{before}
        </Notice>
    }
    .erased()
}

fn last_failure(failure: &LastFailure) -> AnyView {
    let output = Page::Result(failure.run, failure.ordinal).to_string();
    view! {
        <section class="last-failure" data-test="last-failure" aria-label="Last failure">
            <p><a href=output>"Its last failure, with output and files"</a></p>
            <pre class="test-message" tabindex="0">{failure.message.clone()}</pre>
        </section>
    }
    .erased()
}

fn facts(results: &[TestResult], owner: Option<String>, project: String, anywhere: u32) -> AnyView {
    let mut took: Vec<Micros> = results.iter().filter_map(|result| result.duration).collect();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len().saturating_sub(1) * share / 100).map(|length| format::took(*length));
    let lengths = at(50).zip(at(95)).map(|(median, most)| format!("{median}, 95 of 100 within {most}"));
    view! {
        <dl class="facts">
            <Fact name="Project"><a href=Page::Project(&project).to_string() rel="external">{project.clone()}</a></Fact>
            {owner.map(|owner| view! { <Fact name="Owner">{owner}</Fact> })}
            <Fact name="Flaky on any setup">{percent(anywhere)}</Fact>
            {lengths.map(|lengths| view! { <Fact name="Takes">{lengths}</Fact> })}
        </dl>
    }
    .erased()
}

fn on_setup(setup: &str, health: &TestHealth) -> AnyView {
    let reasons = health.reasons.iter().map(|known| view! { <li>{reason(known)}</li> }).collect_view();
    let failures = format!("{} of {}", format::number(health.failures), format::number(health.results));
    let (flaky, broken, rate, trend) =
        (percent(health.p_flaky), percent(health.p_broken), rate(health), trend(health.trend));
    view! {
        <article class="on-setup" data-test="on-setup" data-label=health.label.as_str()>
            <h2><a href=Page::Setup(setup).to_string()>{setup.to_owned()}</a><LabelBadge label=health.label /></h2>
            <ul>{reasons}</ul>
            <dl class="facts">
                <Fact name="Flaky">{flaky}</Fact>
                <Fact name="Broken">{broken}</Fact>
                <Fact name="If flaky, fails (90 %)">{rate}</Fact>
                <Fact name="Failures">{failures}</Fact>
                <Fact name="Going">{trend}</Fact>
            </dl>
        </article>
    }
    .erased()
}

fn row(result: &TestResult, now: Timestamp) -> AnyView {
    let code = [result.branch.as_deref(), result.commit.as_deref().map(format::commit)];
    let code: Vec<_> = code.into_iter().flatten().map(str::to_owned).collect();
    let attempts = (result.attempts > 1).then(|| format::count(result.attempts, "attempt", "attempts"));
    let at = result.finished_at.unwrap_or(now);
    view! {
        <tr data-test="result-row" data-row="true" data-outcome=result.outcome.as_str()>
            <td><OutcomeMark outcome=result.outcome /></td>
            <th scope="row"><a class="row-link" data-key="row" href=Page::Run(result.run).to_string()>{result.key.clone()}</a></th>
            <td>{result.setup.clone()}</td>
            <td>{code.join(" · ")}</td>
            <td>{attempts}</td>
            <td class="number">{result.duration.map(format::took)}</td>
            <td><When at=at /></td>
            <td><a class="quiet" href=Page::Result(result.run, result.ordinal).to_string() aria-label=format!("Output in {}", result.key)>"Output"</a></td>
        </tr>
    }
    .erased()
}
