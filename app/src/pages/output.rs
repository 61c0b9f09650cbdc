//! What a test in a run said, `/runs/{id}/tests/{number}`, and what all of a
//! run did, `/runs/{id}/output`.
//!
//! Both are whole without scripts: what is asked for stands in the address.

use super::not_found::NotFound;
use super::question::{Answer, Question, answered, ask};
use crate::domain::ids::RunId;
use crate::domain::output::Level;
use crate::paths::{Page, Segment};
use crate::read::{AttemptText, OutputPage, TestLine};
use crate::ui::{Erase, FileList, OutcomeMark, OutputLines};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

/// Levels that can be asked for.
const LEVELS: [Level; 4] = [Level::Debug, Level::Info, Level::Warn, Level::Error];

/// The page.
#[component]
pub fn ResultPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let question = move || {
        let run = params.with(|params| params.get_str("id").and_then(|id| id.parse::<RunId>().ok()));
        let number = params.with(|params| params.get_str("test").map(|text| text.parse::<u32>().ok()));
        // A number that is none is no test; no number at all is the whole run.
        let (Some(run), Some(test)) = (run, number.map_or(Some(None), |number| number.map(Some))) else {
            return Question::Nothing;
        };
        let level = query.with(|query| query.get("level").and_then(|word| Level::parse(&word)));
        let before = query.with(|query| query.get("before").and_then(|text| text.parse().ok()));
        Question::Output { run, test, level, before }
    };
    answered(ask(question), |answer| match answer {
        Answer::Output(page) => whole(*page),
        _ => view! { <NotFound what="output" /> }.erased(),
    })
}

fn whole(page: OutputPage) -> AnyView {
    let name = page.test.as_ref().map_or_else(|| format!("Output of {}", page.title), called);
    let run = Page::Run(page.run).to_string();
    let suite = page.suite.join(" › ");
    let mark = page.test.as_ref().map(|test| test.outcome);
    let links = page.test.as_ref().map(|test| links(page.run, test));
    view! {
        <Title text=format!("{name} in {} on {}", page.title, page.setup) />
        <div class="page output-page" data-test="output-page">
            <header class="page-head">
                <p class="trail">
                    <a href=Page::Setup(&page.setup).to_string()>{page.setup.clone()}</a>
                    <a href=run>{page.title.clone()}</a>
                    <span>{suite}</span>
                </p>
                <div class="page-title">
                    {mark.map(|outcome| view! { <OutcomeMark outcome=outcome /> })}
                    <h1>{name}</h1>
                </div>
                {links}
            </header>
            {texts(&page.texts)}
            {files(&page)}
            {output(&page)}
        </div>
    }
    .erased()
}

fn called(test: &TestLine) -> String {
    match &test.parameters {
        Some(parameters) => format!("{} [{parameters}]", test.name),
        None => test.name.clone(),
    }
}

fn links(run: RunId, test: &TestLine) -> AnyView {
    let in_tree = format!("{}#t-{}", Page::Run(run), test.ordinal);
    view! {
        <p class="quiet">
            <a href=in_tree>"In the run"</a>" · "<a href=Page::Test(test.id).to_string()>"All its results"</a>
        </p>
    }
    .erased()
}

fn texts(texts: &[AttemptText]) -> AnyView {
    let many = texts.len() > 1;
    let texts = texts.iter().filter(|text| text.message.is_some() || text.trace.is_some());
    let texts: Vec<_> = texts.map(|text| attempt(text, many)).collect();
    (!texts.is_empty()).then(|| view! { <div class="attempt-texts" data-test="attempt-texts">{texts}</div> }).into_any()
}

fn attempt(text: &AttemptText, many: bool) -> AnyView {
    let head = many.then(|| format!("Attempt {}", text.number));
    view! {
        <section data-attempt=text.number.to_string()>
            {head.map(|head| view! { <h2>{head}</h2> })}
            {text.message.clone().map(|message| view! { <pre class="test-message" tabindex="0">{message}</pre> }.erased())}
            {text.trace.clone().map(|trace| view! { <pre class="test-trace" tabindex="0">{trace}</pre> }.erased())}
        </section>
    }
    .erased()
}

fn files(page: &OutputPage) -> AnyView {
    if page.files.is_empty() {
        return ().into_any();
    }
    let cut = page.files_cut.then_some("There are more files than are listed; the API lists all.");
    view! {
        <section aria-labelledby="files">
            <h2 id="files">"Files"</h2>
            <FileList run=page.run files=page.files.clone() />
            <p class="quiet">{cut}</p>
        </section>
    }
    .erased()
}

fn output(page: &OutputPage) -> AnyView {
    let is_asked = page.level.is_some() || page.is_older;
    let body = if page.lines.is_empty() {
        let said = if is_asked { "Nothing like that was put out." } else { "Nothing was put out." };
        view! { <p class="quiet" data-test="no-output">{said}</p> }.erased()
    } else {
        view! { <OutputLines run=page.run lines=page.lines.clone() /> }.erased()
    };
    let older = page.older.map(|seq| {
        let address = address(page, page.level, Some(seq));
        view! { <p><a class="text-button" data-test="older" href=address>"Earlier output"</a></p> }
    });
    let newest = page.is_older.then(|| {
        let address = address(page, page.level, None);
        view! { <p><a class="text-button" data-test="newest" href=address>"The end of the output"</a></p> }
    });
    let shows_levels = !page.lines.is_empty() || is_asked;
    view! {
        <section aria-labelledby="output">
            <h2 id="output">"Output"</h2>
            {shows_levels.then(|| levels(page))}
            {older}
            {body}
            {newest}
        </section>
    }
    .erased()
}

fn levels(page: &OutputPage) -> AnyView {
    let link = |level: Option<Level>| {
        let word = match level {
            None => "everything".to_owned(),
            Some(Level::Error) => "errors".to_owned(),
            Some(level) => format!("{} and graver", level.as_str()),
        };
        let current = (page.level == level).then_some("true");
        let test = format!("level-{}", level.map_or("all", Level::as_str));
        view! { <a class="chip" href=address(page, level, None) aria-current=current data-test=test>{word}</a> }
            .erased()
    };
    let links: Vec<_> = std::iter::once(None).chain(LEVELS.map(Some)).map(link).collect();
    view! { <nav class="chips" aria-label="By level">{links}</nav> }.erased()
}

fn address(page: &OutputPage, level: Option<Level>, before: Option<i64>) -> String {
    let level = level.map(|level| format!("level={}", Segment(level.as_str())));
    let query: Vec<_> = level.into_iter().chain(before.map(|seq| format!("before={seq}"))).collect();
    let place = match &page.test {
        Some(test) => Page::Result(page.run, test.ordinal),
        None => Page::Output(page.run),
    };
    if query.is_empty() { place.to_string() } else { format!("{place}?{}", query.join("&")) }
}
