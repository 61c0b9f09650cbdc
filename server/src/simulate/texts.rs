//! What failures and lines of output say.

use super::chance::{Chance, Channel};
use super::moment::Cause;
use super::project::{Suite, Test};
use super::scripts::snake;
use super::vocabulary::Style;
use app::domain::test::Verdict;

/// What a failing test leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The message.
    pub message: String,
    /// The trace.
    pub trace: String,
}

/// The text of a failure. A defect must say the same in every run, so the
/// chance given for it is not that of the run.
pub fn failure(style: Style, suite: &Suite, test: &Test, verdict: Verdict, cause: Cause, chance: Chance) -> Failure {
    let message = match (cause, verdict) {
        (Cause::Incident, Verdict::TimedOut) => "no answer from 10.20.4.17 within 30 s (3 attempts)".to_owned(),
        (Cause::Incident, _) => incident(style, chance),
        (_, Verdict::TimedOut) => timeout(style, test),
        (Cause::Defect, _) => defect(style, chance),
        (Cause::Flake, _) => flake(style, chance),
    };
    let trace = match style {
        Style::Robot => robot_trace(test, &message, chance),
        Style::Python => python_trace(suite, test, &message),
    };
    Failure { message, trace }
}

fn incident(style: Style, chance: Chance) -> String {
    let texts: [&str; 4] = match style {
        Style::Robot => [
            "ConnectionError: power supply at 10.20.4.17:5025 refused the connection",
            "CanError: bus off on channel 2, no frame for 5.0 s",
            "OSError: [Errno 113] No route to host: bench-switch-2",
            "LicenceError: measurement server did not grant a licence",
        ],
        Style::Python => [
            "ConnectionRefusedError: [Errno 111] Connection refused: gateway.test.internal:443",
            "HTTPError: 502 Server Error: Bad Gateway",
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "WebDriverException: session not created, the device is offline",
        ],
    };
    chance.pick(0, Channel::Text, &texts).to_owned()
}

fn timeout(style: Style, test: &Test) -> String {
    let limit = (test.usual_secs * 2.5).max(1.0);
    match style {
        Style::Robot => format!("Test timeout {limit:.1} seconds exceeded."),
        Style::Python => format!("Failed: Timeout (>{limit:.1}s) from pytest-timeout."),
    }
}

fn defect(style: Style, chance: Chance) -> String {
    let got = chance.between(1, Channel::Text, 10.0, 99.0);
    match style {
        Style::Robot => {
            format!("Fault code should be 0x0000, but was 0x{:04X}.", chance.below(2, Channel::Text, 0xffff))
        }
        Style::Python => format!("AssertionError: assert {:.2} == {got:.2}", got - 1.0),
    }
}

fn flake(style: Style, chance: Chance) -> String {
    let got = chance.between(1, Channel::Text, 0.5, 4.0);
    let texts = match style {
        Style::Robot => [
            format!(
                "Keyword 'Signals Should Match' failed after retrying for 8 seconds. The last error was: {got:.2} V is not within 5.00 V ± 0.25 V."
            ),
            format!("Expected a frame with id 0x3A1 within 20 ms, got it after {:.1} ms.", 20.0 + got * 4.0),
            "Recording is empty: trigger never fired.".to_owned(),
        ],
        Style::Python => [
            format!("AssertionError: answer came after {got:.2} s, expected within 0.50 s"),
            "StaleElementReferenceError: the element is no longer attached to the page".to_owned(),
            "AssertionError: assert 'pending' == 'ok'".to_owned(),
        ],
    };
    let which = chance.below(3, Channel::Text, texts.len());
    texts.into_iter().nth(which).unwrap_or_default()
}

fn robot_trace(test: &Test, message: &str, chance: Chance) -> String {
    let line = 40 + chance.below(4, Channel::Text, 200);
    format!(
        "Traceback (most recent call last):\n  \
         File \"/opt/bench/libraries/signals.py\", line {line}, in signals_should_match\n    \
         self._compare(trace, expected_{})\n  \
         File \"/opt/bench/libraries/signals.py\", line {}, in _compare\n    \
         raise MismatchError(report)\n\
         {message}",
        snake(&test.name),
        line + 31
    )
}

fn python_trace(suite: &Suite, test: &Test, message: &str) -> String {
    let source = &suite.source;
    let line = test.line.map_or(12, |line| line + 3);
    let (kind, _) = message.split_once(':').unwrap_or(("AssertionError", ""));
    format!(
        "client = <support.client.Client object>\n\n    \
         def {}(client, clock):\n>       \
         assert answer.status == \"ok\", answer.reason\n\
         E       {message}\n\n\
         {source}:{line}: {kind}",
        test.name
    )
}

/// Why a test is skipped.
pub fn skipped(style: Style, chance: Chance) -> &'static str {
    let texts: [&str; 3] = match style {
        Style::Robot => {
            ["Needs hardware revision C.", "Skipped with --skip tag:endurance.", "No pressure transducer fitted."]
        }
        Style::Python => ["requires a physical device", "feature flag is off on this stage", "needs the 2.5 schema"],
    };
    chance.pick(5, Channel::Text, &texts)
}

/// What a warning says.
pub fn warned(style: Style) -> &'static str {
    match style {
        Style::Robot => "Keyword 'Start Recording' is deprecated. Use 'Begin Trace' instead.",
        Style::Python => "DeprecationWarning: steps.prepare() without a tenant will be refused in 3.0",
    }
}

/// What an engineer would look at first after a failure.
pub fn diagnosis(style: Style, test: &Test, cause: Cause) -> String {
    match (style, cause) {
        (_, Cause::Incident) => "Bench watchdog: link down, 3 of 3 probes lost".to_owned(),
        (Style::Robot, _) => format!("Trace stored as trace-{}.blf, 4 signals out of tolerance", snake(&test.name)),
        (Style::Python, _) => {
            "Captured request: POST /v2/commands 200 in 812 ms, body {\"state\":\"pending\"}".to_owned()
        }
    }
}
