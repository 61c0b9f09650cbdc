//! Mocha's JSON reporter.
//!
//! Four lists hold the same tests: all of them, and those that failed, passed
//! or are pending. A hook that failed is in the list of failures alone, and is
//! told of its suite. Titles of nested suites are run together in a full title,
//! so they make one suite, below the name of the file.

use super::node::Node;
use super::read;
use crate::Refusal;
use crate::model::{Attempt, Case, Report, Suite, Verdict};
use crate::text::{self, MOST_RETRIES};
use std::collections::HashMap;

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let knows = |key| root.get(key).is_some_and(Node::is_list);
        root.get("stats").is_some_and(|stats| stats.get("passes").is_some())
            && (knows("tests") || knows("failures") || knows("passes") || knows("pending"))
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        if !["tests", "failures", "passes", "pending"].iter().any(|key| root.get(key).is_some_and(Node::is_list)) {
            return Err(read::lacking("list of tests"));
        }
        report.framework = Some("Mocha".into());
        let stats = root.part("stats");
        report.started = stats.moment("start");
        report.finished = stats.moment("end").or_else(|| read::end(report.started, stats.millis("duration")));
        let mut lists = Lists::of(root);
        for (at, test) in root.list("tests").iter().enumerate() {
            lists.add(test, &format!("/tests/{at}"), report);
        }
        // Hooks that failed, and all of it in a report without the first list.
        for key in ["failures", "passes", "pending"] {
            for (at, test) in root.list(key).iter().enumerate() {
                if lists.take(key, test) {
                    lists.add_as(test, key, &format!("/{key}/{at}"), report);
                }
            }
        }
        Ok(())
    })
}

/// What tells a test in one list from its likes in another.
fn key<'n>(test: &'n Node<'_>) -> (&'n str, &'n str) {
    (test.text("file").unwrap_or_default(), test.text("fullTitle").or_else(|| test.text("title")).unwrap_or_default())
}

/// How many tests of a name each list holds that were not met yet.
struct Lists<'n, 'a> {
    counts: HashMap<(&'static str, &'n str, &'n str), usize>,
    errors: HashMap<(&'n str, &'n str), &'n Node<'a>>,
}

impl<'n, 'a> Lists<'n, 'a> {
    fn of(root: &'n Node<'a>) -> Self {
        let mut lists = Self { counts: HashMap::new(), errors: HashMap::new() };
        for name in ["failures", "passes", "pending"] {
            for test in root.list(name) {
                let (file, title) = key(test);
                *lists.counts.entry((name, file, title)).or_default() += 1;
                if let (true, Some(error)) = (name == "failures", error(test)) {
                    lists.errors.insert((file, title), error);
                }
            }
        }
        lists
    }

    /// Takes a test out of a list, if it is there.
    fn take(&mut self, list: &'static str, test: &'n Node<'a>) -> bool {
        let (file, title) = key(test);
        let count = self.counts.get_mut(&(list, file, title)).filter(|count| **count > 0);
        count.map(|count| *count -= 1).is_some()
    }

    /// Adds a test of the list of all, judged by what it says of itself and by
    /// the other lists it is in.
    fn add(&mut self, test: &'n Node<'a>, place: &str, report: &mut Report) {
        let ran = test.get("duration").is_some() || test.get("speed").is_some();
        let list = if error(test).is_some() {
            "failures"
        } else if ran && self.take("passes", test) {
            return self.add_as(test, "passes", place, report);
        } else {
            ["pending", "failures", "passes"].into_iter().find(|list| self.take(list, test)).unwrap_or(if ran {
                "passes"
            } else {
                "pending"
            })
        };
        if error(test).is_some() {
            self.take(list, test);
        }
        self.add_as(test, list, place, report);
    }

    fn add_as(&mut self, test: &'n Node<'a>, list: &str, place: &str, report: &mut Report) {
        let Some(title) = test.kept("title").or_else(|| test.kept("fullTitle")) else {
            return text::lose(report, place, "a test without a title");
        };
        if read::is_cut(test, &title, || place.to_owned(), report) {
            return;
        }
        let full = test.text("fullTitle").unwrap_or_default();
        let file = test.kept("file");
        let names = [file.as_deref().map(text::file_name).unwrap_or_default(), text::above(full, &title)];
        let suite = text::path(names.iter().map(|name| text::clip(name)).collect(), "tests");
        let mut attempt = Attempt { duration: test.millis("duration"), ..Attempt::default() };
        let failure = error(test).or_else(|| self.errors.get(&key(test)).copied().filter(|_| list == "failures"));
        failed(failure, &mut attempt);
        attempt.verdict = match list {
            "failures" if attempt.verdict == Verdict::Unknown => Verdict::Failed,
            "failures" => attempt.verdict,
            "pending" => Verdict::Skipped,
            _ => Verdict::Passed,
        };
        if is_hook(&title) {
            let Attempt { duration, message, .. } = attempt;
            let message = text::paragraphs([title.as_str()].into_iter().chain(message.as_deref()));
            return report.suites.push(Suite {
                path: suite,
                source: file,
                duration,
                message,
                verdict: Some(Verdict::Errored),
                ..Suite::default()
            });
        }
        let retries = test.number("currentRetry").map_or(0, |retries| (retries as usize).min(MOST_RETRIES));
        let mut attempts = vec![Attempt { verdict: Verdict::Failed, ..Attempt::default() }; retries];
        attempts.push(attempt);
        report.cases.push(Case { suite, name: title, source: file, attempts, ..Case::default() });
    }
}

/// A failing hook is called after its kind and the test that it was for.
fn is_hook(title: &str) -> bool {
    ["\"before all\" hook", "\"before each\" hook", "\"after all\" hook", "\"after each\" hook"]
        .iter()
        .any(|hook| title.starts_with(hook))
}

/// The error of a test; a map without entries is none.
fn error<'n, 'a>(test: &'n Node<'a>) -> Option<&'n Node<'a>> {
    test.get("err").filter(|error| !error.entries().is_empty() || error.as_text().is_some())
}

/// What an error says of an attempt.
fn failed(error: Option<&Node<'_>>, attempt: &mut Attempt) {
    let Some(error) = error else { return };
    let stack = error.kept("stack");
    let said = error.kept("message").or_else(|| error.as_text().and_then(text::some));
    let is_late = error.text("code") == Some("ERR_MOCHA_TIMEOUT")
        || said.as_deref().is_some_and(|said| said.starts_with("Timeout of "));
    attempt.verdict = if is_late { Verdict::TimedOut } else { Verdict::Failed };
    attempt.message = said.or_else(|| text::some(text::before_stack(stack.as_deref()?)));
    attempt.trace = stack;
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"stats":{"passes":1,"start":"2024-01-02T03:04:05.000Z","duration":12},
        "tests":[{"title":"works","fullTitle":"Group inner works","file":"C:\\x\\a.spec.js","duration":3,"currentRetry":1,"err":{}},
        {"title":"waits","fullTitle":"waits","file":"/x/a.spec.js","err":{}},
        {"title":"breaks","fullTitle":"Group breaks","file":"/x/a.spec.js","duration":1,"err":{"message":"no","stack":"Error: no\n    at x"}},
        {"title":"is slow","fullTitle":"Group is slow","err":{"message":"Timeout of 1ms exceeded.","code":"ERR_MOCHA_TIMEOUT"}},
        {"duration":1},{"title":"works","fullTitle":"Group inner works","file":"C:\\x\\a.spec.js","duration":3,"err":{}}],
        "pending":[{"title":"waits","fullTitle":"waits","file":"/x/a.spec.js","err":{}}],
        "failures":[{"title":"\"before all\" hook in \"Other\"","fullTitle":"Other \"before all\" hook in \"Other\"","err":{"message":"no database"}},
        {"title":"breaks","fullTitle":"Group breaks","file":"/x/a.spec.js","err":{"message":"no"}},
        {"title":"is slow","fullTitle":"Group is slow","err":{"message":"Timeout of 1ms exceeded."}}],
        "passes":[{"title":"works","fullTitle":"Group inner works","file":"C:\\x\\a.spec.js"},
        {"title":"works","fullTitle":"Group inner works","file":"C:\\x\\a.spec.js"}]}"#;

    #[test]
    fn tests_of_all_lists_are_met_once_and_hooks_are_of_their_suites() {
        assert!(looks(REPORT.as_bytes()));
        let report = parse(REPORT.as_bytes()).expect("is a report");
        let cases: Vec<_> = report.cases.iter().map(|case| (case.name.as_str(), case.verdict())).collect();
        let (passed, failed) = (Verdict::Passed, Verdict::Failed);
        let expected = [
            ("works", passed),
            ("waits", Verdict::Skipped),
            ("breaks", failed),
            ("is slow", Verdict::TimedOut),
            ("works", passed),
        ];
        assert_eq!(cases, expected);
        assert_eq!(report.cases[0].suite, ["a.spec.js", "Group inner"]);
        assert!(report.cases[0].is_flaky());
        assert_eq!(report.cases[2].attempts[0].message.as_deref(), Some("no"));
        assert_eq!(
            (report.suites.len(), report.suites[0].path.join(">"), report.suites[0].verdict),
            (1, "Other".into(), Some(Verdict::Errored))
        );
        assert_eq!(report.losses[0].place, "/tests/4");
    }

    #[test]
    fn without_the_list_of_all_the_others_tell_it() {
        let report = parse(br#"{"stats":{"passes":1},"failures":[{"title":"a","err":{}}],"passes":[{"title":"b"}],"pending":[{"title":"c"}]}"#).expect("is a report");
        let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
        assert_eq!(verdicts, [Verdict::Failed, Verdict::Passed, Verdict::Skipped]);
    }

    #[test]
    fn a_test_that_is_cut_off_before_its_error_is_left_out() {
        let at = REPORT.find(r#""err":{"message":"no""#).expect("is there");
        let report = parse(&REPORT.as_bytes()[..at]).expect("is a report");
        assert_eq!(report.cases.last().map(|case| case.name.as_str()), Some("waits"));
    }
}
