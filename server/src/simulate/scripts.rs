//! The texts of simulated test files: short, and like those people write.

use super::project::{Suite, Test};
use super::vocabulary::{Style, Vocabulary};
use std::fmt::Write;

/// Only the first tests of a file are written out: a plan must stay small
/// however many tests a simulated file has.
const WRITTEN_OUT: usize = 12;

/// A name as a file or function would have it.
pub fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            snake.push(c.to_ascii_lowercase());
        } else if !snake.ends_with('_') {
            snake.push('_');
        }
    }
    snake
}

/// The text of a file; tells its tests their lines.
pub fn file_of(words: &Vocabulary, suite: &Suite, tests: &mut [Test]) -> String {
    let mut text = match words.style {
        Style::Robot => robot_head(suite),
        Style::Python => python_head(words, suite),
    };
    for test in tests.iter_mut().take(WRITTEN_OUT) {
        match words.style {
            Style::Robot => robot_test(&mut text, test),
            Style::Python => python_test(&mut text, test),
        }
    }
    text
}

/// The text grows by whole lines, so the next line is one more than there are.
fn next_line(text: &str) -> usize {
    text.lines().count() + 1
}

fn robot_head(suite: &Suite) -> String {
    let name = suite.path.last().map_or("", String::as_str);
    format!(
        "*** Settings ***\n\
         Documentation     {name}: what must hold before every release.\n\
         Resource          ../resources/bench.resource\n\
         Suite Setup       Power On Bench\n\
         Suite Teardown    Power Off Bench\n\
         Test Timeout      2 minutes\n\
         \n\
         *** Variables ***\n\
         ${{SUPPLY}}         13.5 V\n\
         \n\
         *** Test Cases ***\n"
    )
}

fn robot_test(text: &mut String, test: &mut Test) {
    test.line = Some(next_line(text));
    text.push_str(&test.name);
    text.push('\n');
    if !test.tags.is_empty() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    [Tags]    {}", test.tags.join("    "));
    }
    let budget = (test.usual_secs * 4.0).ceil().max(2.0);
    let _ = write!(
        text,
        "    Set Supply Voltage    ${{SUPPLY}}\n\
         \x20   ${{trace}} =    Start Recording\n\
         \x20   Play Stimulus    {}\n\
         \x20   Wait Until Keyword Succeeds    {budget} s    200 ms    Signals Should Match    ${{trace}}\n\
         \x20   [Teardown]    Stop Recording    ${{trace}}\n\n",
        snake(&test.name)
    );
}

fn python_head(words: &Vocabulary, suite: &Suite) -> String {
    format!(
        "\"\"\"{}: {}.\"\"\"\n\nimport pytest\n\nfrom support import steps\n\npytestmark = pytest.mark.owner(\"{}\")\n\n\n",
        words.project,
        suite.path.join(" / "),
        suite.owner
    )
}

fn python_test(text: &mut String, test: &mut Test) {
    for tag in &test.tags {
        let _ = writeln!(text, "@pytest.mark.{tag}");
    }
    test.line = Some(next_line(text));
    let step = test.name.trim_start_matches("test_");
    let _ = write!(
        text,
        "def {}(client, clock):\n    \
         scene = steps.prepare(client, \"{step}\")\n    \
         answer = scene.play(until=clock.in_seconds({:.1}))\n    \
         assert answer.status == \"ok\", answer.reason\n    \
         assert answer.matches(scene.expected)\n\n\n",
        test.name,
        test.usual_secs * 4.0
    );
}
