//! The tests of a suite in the tree of a run.

use super::live_run::LiveRun;
use super::script_dialog::{Place, ScriptQuestion};
use crate::api;
use crate::domain::problem::Problem;
use crate::domain::test::Outcome;
use crate::order::by_key;
use crate::paths::Page;
use crate::read::{AttemptText, OutputPage, TestLine};
use crate::ui::{Each, Erase, FileList, OutputLines, ProblemView, Show, TestRow, click};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// How many tests of one suite are drawn at once.
const DRAWN_AT_ONCE: usize = 200;

/// The tests of one suite: at first only so many, of which those that failed
/// or run are never left out.
#[component]
pub fn SuiteTests(
    /// The run.
    live: LiveRun,
    /// Their numbers, in order.
    tests: Signal<Vec<u32>>,
    /// Shows scripts.
    scripts: ScriptQuestion,
) -> impl IntoView {
    let limit = RwSignal::new(DRAWN_AT_ONCE);
    let drawn = Memo::new(move |_| pick(live, tests.get(), limit.get()));
    let left = move || tests.with(Vec::len).saturating_sub(limit.get());
    view! {
        <ul class="tests">
            <Each keys=move || drawn.get() view=move |ordinal| view! { <OneTest live=live ordinal=ordinal scripts=scripts /> }.erased() />
        </ul>
        <Show when=move || { left() > 0 }>
            <button type="button" class="text-button" data-test="more-tests" on:click=click(move || limit.update(|limit| *limit += 5 * DRAWN_AT_ONCE))>
                {move || format!("{} more tests", crate::format::number(left() as u32))}
            </button>
        </Show>
    }
    .erased()
}

fn pick(live: LiveRun, mut tests: Vec<u32>, limit: usize) -> Vec<u32> {
    if tests.len() > limit {
        live.with(|page| {
            let is_urgent = |ordinal: &u32| {
                let at = page.tests.binary_search_by_key(ordinal, |test| test.ordinal).ok();
                at.is_some_and(|at| {
                    matches!(page.tests[at].outcome, Outcome::Failed | Outcome::Flaky | Outcome::Running)
                })
            };
            tests = by_key(std::mem::take(&mut tests), |ordinal| u64::from(!is_urgent(ordinal)));
        });
        tests.truncate(limit);
    }
    tests
}

type Texts = Option<Result<Option<OutputPage>, Problem>>;

#[component]
fn OneTest(live: LiveRun, ordinal: u32, scripts: ScriptQuestion) -> impl IntoView {
    let test = live.test(ordinal)?;
    let run = live.head().with_untracked(|head| head.card.id);
    let texts = RwSignal::new(Texts::None);
    let on_texts = Callback::new(move |()| {
        if texts.get_untracked().is_some() {
            return texts.set(None);
        }
        spawn_local(async move {
            let answer = api::output_page(run, Some(ordinal), None, None).await;
            texts.try_set(Some(answer));
        });
    });
    let on_script = Callback::new(move |test: TestLine| {
        if let Some(script) = test.script {
            scripts.ask(Place { script, title: test.name, source: test.source, line: test.line });
        }
    });
    let row = view! {
        <TestRow test=test now=live.now() on_script=on_script on_texts=on_texts output=Page::Result(run, ordinal).to_string()>
            {move || texts.get().map(all_texts)}
        </TestRow>
    };
    Some(row.erased())
}

fn all_texts(told: Result<Option<OutputPage>, Problem>) -> AnyView {
    let page = match told {
        Err(problem) => return view! { <ProblemView problem=problem /> }.erased(),
        Ok(page) => page,
    };
    let Some(page) = page.filter(|page| !(page.texts.is_empty() && page.lines.is_empty() && page.files.is_empty()))
    else {
        return view! { <p class="quiet">"Its texts are no longer kept."</p> }.erased();
    };
    let OutputPage { run, texts, files, lines, older, .. } = page;
    let texts = texts.into_iter().map(attempt_text).collect_view();
    let (has_files, has_lines) = (!files.is_empty(), !lines.is_empty());
    view! {
        <div class="attempt-texts" data-test="attempt-texts">
            {texts}
            {has_files.then(|| view! { <FileList run=run files=files /> })}
            {older.map(|_| view! { <p class="quiet">"The end of its output; all of it is behind Output."</p> })}
            {has_lines.then(|| view! { <OutputLines run=run lines=lines /> })}
        </div>
    }
    .erased()
}

fn attempt_text(text: AttemptText) -> impl IntoView {
    view! {
        <section data-attempt=text.number.to_string()>
            <h4>{format!("Attempt {}", text.number)}</h4>
            {text.message.map(|message| view! { <pre class="test-message" tabindex="0">{message}</pre> }.erased())}
            {text.trace.map(|trace| view! { <pre class="test-trace" tabindex="0">{trace}</pre> }.erased())}
        </section>
    }
    .erased()
}
