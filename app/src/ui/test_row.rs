//! A test of a run.

use super::badge::OutcomeMark;
use super::erase::{Erase, Show, click};
use super::icon::{Glyph, Icon};
use super::time::Timer;
use crate::domain::test::Outcome;
use crate::domain::time::Timestamp;
use crate::format;
use crate::read::{AttemptLine, TestLine};
use leptos::prelude::*;

/// How many lines of a message stand in the tree.
const LINES_SHOWN: usize = 4;

/// One test; its children stand below it (all its attempts, when asked for).
#[component]
pub fn TestRow(
    /// The test.
    test: Signal<TestLine>,
    /// The page's clock.
    now: Signal<Timestamp>,
    /// Shows the script.
    on_script: Callback<TestLine>,
    /// Shows what all attempts said.
    on_texts: Callback<()>,
    /// Where that is to be read by itself.
    output: String,
    /// What all attempts said.
    children: Children,
) -> impl IntoView {
    let ordinal = test.with_untracked(|test| test.ordinal);
    let outcome = Signal::derive(move || test.with(|test| test.outcome));
    let message = Memo::new(move |_| test.with(|test| test.message.clone()).unwrap_or_default());
    let has_text = move || test.with(|test| test.attempts.iter().any(|attempt| attempt.has_text));
    let has_text = Memo::new(move |_| test.with(|test| test.has_output) || has_text());
    let output = StoredValue::new(output);
    view! {
        <li class="test" id=format!("t-{ordinal}") data-test="test-row" data-ordinal=ordinal.to_string() data-outcome=move || outcome.get().as_str()>
            <div class="test-line">
                <OutcomeMark outcome=outcome />
                <a class="test-name" href=format!("#t-{ordinal}") data-key="row">
                    {move || test.with(|test| test.name.clone())}
                    <span class="test-parameters">{move || test.with(|test| test.parameters.clone())}</span>
                </a>
                <span class="tags">{move || test.with(|test| tags(&test.tags))}</span>
                <Attempts test=test />
                <Show when=move || has_text.get()>
                    <a class="output-link" data-test="output-link" href=output.get_value()>"Output"</a>
                </Show>
                <ScriptButton test=test on_script=on_script />
                <Took test=test now=now />
            </div>
            <Show when=move || !message.get().is_empty() && outcome.get() != Outcome::Passed>
                <pre class="test-message" data-test="message">{move || first(&message.get())}</pre>
            </Show>
            <Show when=move || has_text.get() && outcome.get() != Outcome::Passed>
                <button type="button" class="text-button" data-test="all-attempts" on:click=click(move || on_texts.run(()))>
                    {move || test.with(|test| all_attempts(test.attempts.len(), test.has_output))}
                </button>
            </Show>
            {children()}
        </li>
    }
    .erased()
}

fn all_attempts(attempts: usize, has_output: bool) -> String {
    match attempts {
        2.. => format!("Everything all {attempts} attempts said"),
        _ if has_output => "Message, trace and output".into(),
        _ => "The whole message and trace".into(),
    }
}

fn first(message: &str) -> String {
    match format::first_lines(message, LINES_SHOWN) {
        (text, true) => format!("{text}\n…"),
        (text, false) => text.to_owned(),
    }
}

fn tags(tags: &[String]) -> Vec<AnyView> {
    tags.iter().map(|tag| view! { <span class="tag">{tag.clone()}</span> }.erased()).collect_view()
}

/// One mark for each attempt, where there was more than one.
#[component]
fn Attempts(test: Signal<TestLine>) -> impl IntoView {
    view! {
        <Show when=move || { test.with(|test| test.attempts.len()) > 1 }>
            <span class="attempts" data-test="attempts" title="attempts">
                {move || test.with(|test| test.attempts.iter().map(mark).collect_view())}
            </span>
        </Show>
    }
    .erased()
}

fn mark(attempt: &AttemptLine) -> AnyView {
    let verdict = attempt.verdict;
    let kind = match verdict {
        None => "running",
        Some(verdict) if verdict.is_failure() => "failed",
        Some(verdict) if verdict.is_pass() => "passed",
        Some(_) => "skipped",
    };
    let word = verdict.map_or("running", |verdict| verdict.as_str());
    let took = attempt.duration.map(|took| format!(", {}", format::took(took))).unwrap_or_default();
    let title = format!("attempt {}: {word}{took}", attempt.number);
    let spoken = title.clone();
    view! { <span class="attempt" data-outcome=kind title=title><span class="unseen">{spoken}</span></span> }.erased()
}

#[component]
fn ScriptButton(test: Signal<TestLine>, on_script: Callback<TestLine>) -> impl IntoView {
    let place = move || {
        test.with(|test| match (&test.source, test.line) {
            (Some(source), Some(line)) => format!("Script: {source}, line {line}"),
            (Some(source), None) => format!("Script: {source}"),
            _ => "Script".into(),
        })
    };
    view! {
        <Show when=move || test.with(|test| test.script.is_some())>
            <button type="button" class="icon-button" data-test="script-button" title=move || place() aria-label=move || place()
                on:click=click(move || on_script.run(test.get_untracked()))>
                <Icon glyph=Glyph::Code />
            </button>
        </Show>
    }
    .erased()
}

/// How long it took, or has been running.
#[component]
fn Took(test: Signal<TestLine>, now: Signal<Timestamp>) -> impl IntoView {
    let running = Signal::derive(move || test.with(|test| test.began_at.filter(|_| test.outcome == Outcome::Running)));
    let took = move || {
        let duration = test.with(|test| test.duration.filter(|_| test.outcome != Outcome::Running));
        duration.map(format::took).unwrap_or_default()
    };
    view! {
        <span class="test-took number" data-test="test-took">
            <Timer since=running now=now />
            {move || took()}
        </span>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::TestId;
    use crate::domain::test::Verdict;
    use crate::domain::time::Micros;
    use uuid::Uuid;

    fn line(outcome: Outcome) -> TestLine {
        let attempt = |number, verdict| AttemptLine { number, verdict: Some(verdict), duration: None, has_text: true };
        TestLine {
            ordinal: 7,
            id: TestId(Uuid::nil()),
            suite: 0,
            name: "opens".into(),
            parameters: Some("cell=3".into()),
            position: None,
            outcome,
            began_at: None,
            duration: Some(Micros::from_millis(3_400)),
            attempts: vec![attempt(1, Verdict::Failed), attempt(2, Verdict::Passed)],
            message: Some("one\ntwo\nthree\nfour\nfive".into()),
            tags: vec!["smoke".into()],
            source: None,
            line: None,
            script: None,
            has_output: false,
            version: 1,
        }
    }

    fn html(test: TestLine) -> String {
        Owner::new().with(|| {
            let (test, now) = (Signal::stored(test), Signal::stored(Timestamp(0)));
            let (on_script, on_texts) = (Callback::new(|_| {}), Callback::new(|()| {}));
            view! { <TestRow test=test now=now on_script=on_script on_texts=on_texts output="/runs/r/tests/7".to_owned()>""</TestRow> }.to_html()
        })
    }

    #[test]
    fn a_flaky_test_shows_its_attempts_and_the_first_lines_of_its_message() {
        let html = html(line(Outcome::Flaky));
        for part in
            [r#"id="t-7""#, "flaky", "cell=3", "smoke", "3.4 s", "four\n…", "all 2 attempts", "attempt 1: failed"]
        {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert!(!html.contains("five"), "{html}");
    }

    #[test]
    fn a_passed_test_keeps_its_message_to_itself() {
        assert!(!html(line(Outcome::Passed)).contains("one\n"));
    }
}
