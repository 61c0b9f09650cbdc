//! The tests that are ill, `/flaky`: the most expensive first.
//!
//! What is asked for stands in the address, so a list can be sent to somebody;
//! the form works before the page has come to life.

use super::not_found::NotFound;
use super::question::{Answer, Question, answered, ask};
use crate::domain::health::Label;
use crate::domain::time::Timestamp;
use crate::format;
use crate::paths::{Page, Segment};
use crate::read::{SickPage, SickTest};
use crate::ui::{Empty, Erase, Glyph, Icon, LabelBadge, Uncalibrated, percent, rate, trend};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// Labels that can be asked for.
const LABELS: [Label; 5] = [Label::Flaky, Label::Broken, Label::Suspect, Label::Recovering, Label::Fixed];

/// The page.
#[component]
pub fn FlakyPage() -> impl IntoView {
    let asked = ask(|| Question::Sick);
    view! {
        <Title text="Flaky tests" />
        {answered(asked, |answer| match answer {
            Answer::Sick(data) => view! { <Sick data=data /> }.erased(),
            _ => view! { <NotFound what="page" /> }.erased(),
        })}
    }
    .erased()
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    words: String,
    label: Option<Label>,
    owner: Option<String>,
}

impl Asked {
    fn takes(&self, test: &SickTest) -> bool {
        let text = [&test.path.join(" "), &test.setup, &test.project, test.owner.as_deref().unwrap_or_default()];
        let text = text.join(" ").to_lowercase();
        self.label.is_none_or(|label| label == test.health.label)
            && self.owner.as_ref().is_none_or(|owner| Some(owner) == test.owner.as_ref())
            && self.words.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }

    fn address(&self, label: Option<Label>) -> String {
        self.with(label, self.owner.as_deref())
    }

    fn with(&self, label: Option<Label>, owner: Option<&str>) -> String {
        let mut address = format!("{}?q={}", Page::Flaky, Segment(&self.words));
        if let Some(label) = label {
            address.push_str(&format!("&label={}", label.as_str()));
        }
        if let Some(owner) = owner {
            address.push_str(&format!("&owner={}", Segment(owner)));
        }
        address
    }
}

#[component]
fn Sick(data: SickPage) -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        query.with(|query| Asked {
            words: query.get("q").unwrap_or_default(),
            label: query.get("label").and_then(|label| Label::parse(&label)),
            owner: query.get("owner").filter(|owner| !owner.is_empty()),
        })
    });
    let SickPage { tests, is_cut, uncalibrated, now } = data;
    view! {
        <div class="page flaky-page" data-test="flaky">
            <header class="page-head">
                <div class="page-title"><h1>"Flaky and broken tests"</h1></div>
                <p class="quiet">"Each test on each setup; first what costs most, by the spurious failures to be expected in a run. As a file: "
                    <a href="/api/v1/flaky.csv" rel="external">"CSV"</a>", "<a href="/api/v1/flaky.ctrf" rel="external">"CTRF"</a>"."</p>
            </header>
            {(!uncalibrated.is_empty()).then(|| view! { <Uncalibrated setups=uncalibrated /> })}
            {move || asked.with(|asked| body(asked, &tests, now))}
            {is_cut.then(|| view! { <p class="quiet">"There are more; these are the 500 most expensive."</p> })}
        </div>
    }
    .erased()
}

fn body(asked: &Asked, tests: &[SickTest], now: Timestamp) -> AnyView {
    if tests.is_empty() {
        return view! {
            <Empty title="Nothing to worry about">
                <p>"No test with at least three results is flaky, suspect or broken."</p>
            </Empty>
        }
        .erased();
    }
    let rows: Vec<_> = tests.iter().filter(|test| asked.takes(test)).map(|test| row(asked, test, now)).collect();
    let none = rows.is_empty();
    view! {
        {filter(asked)}
        {labels(asked, tests)}
        {owner(asked)}
        {none.then(|| view! { <p class="quiet" data-test="no-match">"No test matches. "<a href=Page::Flaky.to_string()>"Show all"</a></p> })}
        <div class="scroll" tabindex="0" role="region" aria-label="Ill tests">
            <table class="sick">
                <thead>
                    <tr>
                        <th scope="col">"Test"</th><th scope="col">"Called"</th><th scope="col">"Setup"</th><th scope="col">"Owner"</th>
                        <th scope="col" class="number" title="How likely it is flaky at all">"Flaky?"</th>
                        <th scope="col" class="number" title="How often it fails for nothing, with the 90 % interval">"Fails"</th>
                        <th scope="col" class="number" title="Expected spurious failures in a thousand runs">"In 1,000 runs"</th>
                        <th scope="col" class="number" title="Lost to one more attempt for each of them">"Cost"</th>
                        <th scope="col">"Going"</th><th scope="col">"Last result"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .erased()
}

fn filter(asked: &Asked) -> AnyView {
    view! {
        <form class="filter" role="search" method="get" action=Page::Flaky.to_string()>
            <label class="filter-box">
                <Icon glyph=Glyph::Search />
                <span class="unseen">"Filter tests"</span>
                <input type="search" name="q" data-test="filter" data-key="filter" autocomplete="off" spellcheck="false"
                    placeholder="Test, suite, setup, project, owner" value=asked.words.clone() />
                <kbd>"/"</kbd>
            </label>
            {asked.label.map(|label| view! { <input type="hidden" name="label" value=label.as_str() /> })}
            {asked.owner.clone().map(|owner| view! { <input type="hidden" name="owner" value=owner /> })}
        </form>
    }
    .erased()
}

fn labels(asked: &Asked, tests: &[SickTest]) -> AnyView {
    let link = |label: Option<Label>| {
        let count = tests.iter().filter(|test| label.is_none_or(|label| label == test.health.label)).count();
        let word = label.map_or("all", Label::as_str);
        let current = (asked.label == label).then_some("true");
        view! {
            <a class="chip" href=asked.address(label) aria-current=current data-label=word data-test=format!("show-{word}")>
                {word}" "<span class="number">{count.to_string()}</span>
            </a>
        }
        .erased()
    };
    let links: Vec<_> = std::iter::once(None).chain(LABELS.map(Some)).map(link).collect();
    view! { <nav class="chips" aria-label="By what they are called">{links}</nav> }.erased()
}

/// Whose tests are shown, and the way to all.
fn owner(asked: &Asked) -> Option<AnyView> {
    let owner = asked.owner.clone()?;
    let all = asked.with(asked.label, None);
    Some(
        view! {
            <p class="quiet" data-test="of-owner">"Of "<strong>{owner}</strong>" alone. "<a href=all>"Show those of everybody"</a></p>
        }
        .erased(),
    )
}

fn row(asked: &Asked, test: &SickTest, now: Timestamp) -> AnyView {
    let (name, suite) = test
        .path
        .split_last()
        .map_or((String::new(), String::new()), |(name, suite)| (name.clone(), suite.join(" › ")));
    let health = &test.health;
    let last = health.last_at.map(|at| format::ago(now.since(at))).unwrap_or_default();
    let owner = test.owner.as_deref().map(|owner| (asked.with(asked.label, Some(owner)), owner.to_owned()));
    let owner = owner.map(|(address, owner)| view! { <a href=address data-test="owner">{owner}</a> });
    view! {
        <tr data-test="sick-test" data-row="true" data-label=health.label.as_str()>
            <th scope="row">
                <a class="row-link" data-key="row" href=Page::Test(test.id).to_string()>{name}</a>
                <span class="row-note">{suite}</span>
            </th>
            <td><LabelBadge label=health.label /></td>
            <td><a href=Page::Setup(&test.setup).to_string()>{test.setup.clone()}</a><span class="row-note">{test.project.clone()}</span></td>
            <td>{owner}</td>
            <td class="number">{percent(health.p_flaky)}</td>
            <td class="number">{rate(health)}</td>
            <td class="number">{format::number(health.spurious)}</td>
            <td class="number">{format::coarse(test.lost_in_1000_runs)}</td>
            <td>{trend(health.trend)}</td>
            <td>{last}</td>
        </tr>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_words_and_names_the_label() {
        let asked = Asked { words: "valve & pump".into(), ..Asked::default() };
        assert_eq!(asked.address(Some(Label::Flaky)), "/flaky?q=valve%20%26%20pump&label=flaky");
        let asked = Asked { owner: Some("@a b".into()), ..asked };
        assert_eq!(asked.address(None), "/flaky?q=valve%20%26%20pump&owner=%40a%20b");
    }
}
