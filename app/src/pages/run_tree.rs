//! The tree of a run: suites that open and close, drawn only while open.

use super::live_run::LiveRun;
use super::run_filter::{TestSearch, use_test_filter};
use super::run_tests::SuiteTests;
use super::script_dialog::{Place, ScriptDialog, ScriptQuestion};
use super::tree::{Node, Tree, key_of, path_of};
use crate::domain::time::Timestamp;
use crate::format;
use crate::paths::Page;
use crate::read::SuiteLine;
use crate::ui::{Each, Erase, Glyph, Icon, Show, Stack, Timer, click};
use leptos::html::Details;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use std::collections::HashMap;

/// Up to this many tests the whole tree is in the page even where it is
/// closed, so that it can be read without scripts and found by the browser.
const DRAWN_WHOLE: usize = 400;

/// What every suite in the tree needs.
#[derive(Clone, Copy)]
struct Branch {
    live: LiveRun,
    tree: Memo<Tree>,
    /// Opened or closed by hand, by key.
    turned: RwSignal<HashMap<String, bool>>,
    scripts: ScriptQuestion,
    is_whole: bool,
}

/// The tree.
#[component]
pub fn RunTree(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let filter = use_test_filter();
    let tree = Memo::new(move |_| live.with(|page| Tree::of(&page.suites, &page.tests, &filter.get())));
    let is_whole = live.once(|page| page.tests.len() <= DRAWN_WHOLE);
    let branch = Branch { live, tree, turned: RwSignal::default(), scripts: ScriptQuestion::new(), is_whole };
    follow_links(branch);
    let shown = move || {
        let all = live.with(|page| page.tests.len());
        let shown = tree.with(|tree| tree.shown);
        if shown == all { String::new() } else { format!("{shown} of {all} tests") }
    };
    view! {
        <section class="tree" data-test="tree" aria-label="Suites and tests">
            <div class="tree-head">
                <TestSearch />
                <span class="quiet" role="status">{move || shown()}</span>
            </div>
            <Suites branch=branch keys=Signal::derive(move || tree.with(|tree| tree.roots.clone())) />
            <Show when=move || tree.with(|tree| tree.shown == 0)>
                <p class="no-match">{move || nothing(filter.with(|filter| filter.is_open()))}</p>
            </Show>
            <ScriptDialog question=branch.scripts />
        </section>
    }
    .erased()
}

const fn nothing(is_open: bool) -> &'static str {
    if is_open { "No test is known yet: the listener sent no plan, and none has begun." } else { "No test matches." }
}

/// Opens the suites on the way to the test that the address names.
fn follow_links(branch: Branch) {
    let hash = use_location().hash;
    Effect::new(move |_| {
        let Some(ordinal) = hash.get().trim_start_matches('#').strip_prefix("t-").and_then(|n| n.parse::<u32>().ok())
        else {
            return;
        };
        // Once: a page that jumped back with each result could not be read.
        let path = branch.live.once(|page| {
            let at = page.tests.binary_search_by_key(&ordinal, |test| test.ordinal).ok()?;
            let suite = page.tests[at].suite;
            page.suites.iter().find(|known| known.ordinal == suite).map(|suite| suite.path.clone())
        });
        let Some(path) = path else { return };
        branch.turned.update(|turned| {
            turned.extend((1..=path.len()).map(|depth| (key_of(&path[..depth]), true)));
        });
        // One frame to draw what was closed, one more to lay it out.
        request_animation_frame(move || request_animation_frame(move || scroll_to(ordinal)));
    });
}

fn scroll_to(ordinal: u32) {
    if let Some(row) = document().get_element_by_id(&format!("t-{ordinal}")) {
        row.scroll_into_view();
    }
}

#[component]
fn Suites(branch: Branch, keys: Signal<Vec<String>>) -> impl IntoView {
    view! {
        <Each keys=move || keys.get() view=move |key| view! { <Suite branch=branch node_key=key /> }.erased() />
    }
    .erased()
}

#[component]
fn Suite(branch: Branch, node_key: String) -> impl IntoView {
    let key = StoredValue::new(node_key);
    let node = Memo::new(move |_| branch.tree.with(|tree| tree.get(&key.get_value()).cloned().unwrap_or_default()));
    let line = Memo::new(move |_| {
        let suite = node.with(|node| node.suite);
        branch.live.with(|page| page.suites.iter().find(|line| Some(line.ordinal) == suite).cloned())
    });
    let is_open = Memo::new(move |_| {
        let turned = branch.turned.with(|turned| turned.get(&key.get_value()).copied());
        turned.unwrap_or_else(|| node.with(|node| node.opens))
    });
    let history = move || {
        let path = path_of(&key.get_value());
        branch.live.head().with(|head| Page::Suite(&head.card.project, &path).to_string())
    };
    let details = NodeRef::<Details>::new();
    let on_toggle = move |_| {
        let Some(now_open) = details.get_untracked().map(|details| details.open()) else { return };
        if now_open != is_open.get_untracked() {
            branch.turned.update(|turned| {
                turned.insert(key.get_value(), now_open);
            });
        }
    };
    view! {
        <details
            class="suite"
            data-test="suite-node"
            data-suite=move || node.with(|node| node.name.clone())
            data-result=move || node.with(result_word)
            open=move || is_open.get()
            node_ref=details
            on:toggle=on_toggle
        >
            <SuiteHead branch=branch node=node line=line />
            <Show when=move || branch.is_whole || is_open.get()>
                <div class="suite-body">
                    <div class="suite-ways">
                        <Show when=move || line.with(|line| line.as_ref().is_some_and(|line| line.script.is_some()))>
                            <SuiteScript branch=branch line=line />
                        </Show>
                        <a class="suite-history" data-test="suite-history" href=move || history() rel="external">"History"</a>
                    </div>
                    {move || line.with(|line| line.as_ref().and_then(suite_message))}
                    <SuiteTests live=branch.live scripts=branch.scripts tests=Signal::derive(move || node.with(|node| node.tests.clone())) />
                    <Suites branch=branch keys=Signal::derive(move || node.with(|node| node.children.clone())) />
                </div>
            </Show>
        </details>
    }
    .erased()
}

fn result_word(node: &Node) -> &'static str {
    let counts = &node.counts;
    match () {
        () if counts.failed > 0 => "failed",
        () if counts.running > 0 => "running",
        () if counts.lost > 0 => "incomplete",
        () if counts.waiting > 0 => "waiting",
        () if counts.flaky > 0 => "flaky",
        () if counts.cancelled > 0 => "cancelled",
        () => "passed",
    }
}

fn suite_message(line: &SuiteLine) -> Option<AnyView> {
    let message = line.message.clone()?;
    Some(view! { <pre class="test-message" data-test="suite-message">{message}</pre> }.erased())
}

#[component]
fn SuiteHead(branch: Branch, node: Memo<Node>, line: Memo<Option<SuiteLine>>) -> impl IntoView {
    let now = branch.live.now();
    let is_over = move || branch.live.head().with(|head| head.card.result.is_some());
    let since = Signal::derive(move || {
        line.with(|line| line.as_ref().filter(|line| line.finished_at.is_none())?.started_at).filter(|_| !is_over())
    });
    let sizes = move || {
        node.with(|node| format!("{}/{}", format::number(node.counts.done()), format::number(node.counts.planned)))
    };
    view! {
        <summary data-key="row">
            <span class="chevron"><Icon glyph=Glyph::Chevron /></span>
            <span class="suite-name">{move || node.with(|node| node.name.clone())}</span>
            <span class="suite-phase">{move || line.with(|line| line.as_ref().map(phases))}</span>
            <Stack counts=Signal::derive(move || node.with(|node| node.counts)) />
            <span class="suite-sizes number">{move || sizes()}</span>
            <span class="suite-took number">
                <Timer since=since now=now />
                {move || line.with(|line| line.as_ref().and_then(|line| took(line.started_at, line.finished_at)))}
            </span>
        </summary>
    }
    .erased()
}

fn took(began: Option<Timestamp>, ended: Option<Timestamp>) -> Option<String> {
    Some(format::took(ended?.since(began?)))
}

/// How long setup and teardown took.
fn phases(line: &SuiteLine) -> String {
    let part = |name: &str, length: Option<_>| length.map(|length| format!("{name} {}", format::took(length)));
    let parts = [part("setup", line.setup_duration), part("teardown", line.teardown_duration)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[component]
fn SuiteScript(branch: Branch, line: Memo<Option<SuiteLine>>) -> impl IntoView {
    let ask = move || {
        let Some(line) = line.get_untracked() else { return };
        if let Some(script) = line.script {
            let title = line.path.last().cloned().unwrap_or_default();
            branch.scripts.ask(Place { script, title, source: line.source, line: None });
        }
    };
    view! {
        <button type="button" class="suite-script needs-script" data-test="script-button" on:click=click(ask)>
            <Icon glyph=Glyph::Code />
            "Script"
        </button>
    }
    .erased()
}
