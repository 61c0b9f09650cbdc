//! SQUAD's tests file: full names, and a word or a map for each.
//!
//! A test that is known to fail and does is a warning, not a failure.

use super::node::Node;
use super::read;
use crate::model::{Attempt, Case, Report, Verdict};
use crate::{Refusal, text};

/// What SQUAD calls the suite of tests that are in none.
const ROOT: &str = "/";

/// Whether a file looks like it: nothing but names with such words.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let is_result = |value: &Node<'_>| {
            value.as_text().or_else(|| value.text("result")).is_some_and(|word| verdict(word).is_some())
        };
        let entries = root.entries();
        !entries.is_empty()
            && entries.iter().all(|(_, value)| is_result(value) || (value.is_map() && !value.is_whole()))
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        if !root.is_map() {
            return Err(read::lacking("map of tests"));
        }
        for (full, value) in root.entries() {
            add(full, value, report);
        }
        Ok(())
    })
}

fn add(full: &str, value: &Node<'_>, report: &mut Report) {
    let full = text::clip(full);
    let (suite, name) = full.rsplit_once('/').filter(|(_, name)| !name.is_empty()).unwrap_or(("", &full));
    let place = || format!("/{}", super::node::escape(&full));
    if value.is_map() && read::is_cut(value, name, place, report) {
        return;
    }
    let word = value.as_text().or_else(|| value.text("result"));
    let Some(verdict) = word.map(|word| verdict(word).unwrap_or(Verdict::Unknown)) else {
        return text::lose(report, place(), "a test without a result");
    };
    let message = (word == Some("xfail")).then(|| "it is known to fail".to_owned());
    report.cases.push(Case {
        suite: text::path(suite.split('/').map(str::to_owned).collect(), ROOT),
        name: name.to_owned(),
        attempts: vec![Attempt { verdict, message, output: value.kept("log"), ..Attempt::default() }],
        ..Case::default()
    });
}

fn verdict(word: &str) -> Option<Verdict> {
    Some(match word.to_ascii_lowercase().as_str() {
        "pass" | "passed" => Verdict::Passed,
        "fail" | "failed" => Verdict::Failed,
        "skip" | "skipped" => Verdict::Skipped,
        "xfail" => Verdict::Warned,
        "error" => Verdict::Errored,
        "unknown" => Verdict::Unknown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_maps_are_read() {
        let text = r#"{"net/tcp/open":"pass","lone":"fail","a/b":{"result":"xfail","log":"l"},"a/c":"skip"}"#;
        assert!(looks(text.as_bytes()) && !looks(br#"{"a":{"value":1}}"#) && !looks(b"{}"));
        let report = parse(text.as_bytes()).expect("is a report");
        let read: Vec<_> =
            report.cases.iter().map(|case| (case.suite.join(">"), case.name.as_str(), case.verdict())).collect();
        let (passed, failed) = (Verdict::Passed, Verdict::Failed);
        let expected = [
            ("net>tcp", "open", passed),
            ("/", "lone", failed),
            ("a", "b", Verdict::Warned),
            ("a", "c", Verdict::Skipped),
        ];
        assert_eq!(read, expected.map(|(suite, name, verdict)| (suite.to_owned(), name, verdict)));
        assert_eq!(report.cases[2].attempts[0].output.as_deref(), Some("l"));
    }

    #[test]
    fn what_is_no_result_costs_its_neighbours_nothing() {
        let report = parse(br#"{"a/b":[1],"a/c":"pass","d":"odd"}"#).expect("is a report");
        assert_eq!(report.cases.iter().map(Case::verdict).collect::<Vec<_>>(), [Verdict::Passed, Verdict::Unknown]);
        assert_eq!(report.losses[0].place, "/a~1b");
    }
}
