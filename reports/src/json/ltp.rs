//! Results of the Linux Test Project: kirk's, and the older result arrays.

use super::node::Node;
use super::read;
use crate::model::{Attempt, Case, Report, Verdict};
use crate::{Refusal, scan, text};

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| root.list("results").iter().any(|item| item.get("test_fqn").is_some()))
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        let Some(Node::List(results)) = root.get("results") else { return Err(read::lacking("list of \"results\"")) };
        report.framework = Some("LTP".into());
        let first = || results.iter().find_map(|result| result.get("environment"));
        report.properties = root.get("environment").or_else(first).map(Node::facts).unwrap_or_default();
        for (at, result) in results.iter().enumerate() {
            match case(result) {
                Some(case) if read::is_cut(result, &case.name, || format!("/results/{at}"), report) => {}
                Some(case) => report.cases.push(case),
                None => text::lose(report, format!("/results/{at}"), "a result without a name"),
            }
        }
        Ok(())
    })
}

/// A test; its full name holds its suites between colons.
fn case(result: &Node<'_>) -> Option<Case> {
    let full = result.kept("test_fqn")?;
    let (suite, name) = full.rsplit_once(':').unwrap_or(("", &full));
    let test = result.part("test");
    let word = result.text("status").or_else(|| test.text("result")).unwrap_or_default();
    let command = test.kept("command").map(|command| ("command".to_owned(), command));
    Some(Case {
        suite: text::path(suite.split(':').map(str::to_owned).collect(), "LTP"),
        name: name.to_owned(),
        properties: command.into_iter().collect(),
        attempts: vec![Attempt {
            verdict: verdict(word),
            duration: test.text("duration").and_then(scan::seconds),
            output: test.kept("log"),
            ..Attempt::default()
        }],
        ..Case::default()
    })
}

fn verdict(word: &str) -> Verdict {
    match word.trim().trim_start_matches(['T', 't']).to_ascii_lowercase().as_str() {
        "pass" => Verdict::Passed,
        "fail" => Verdict::Failed,
        "brok" => Verdict::Errored,
        "conf" | "skip" => Verdict::Skipped,
        "warn" => Verdict::Warned,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_words_and_logs_are_read() {
        let text = r#"{"results":[{"test_fqn":"LTP:sys:open01","status":"pass","test":{"log":"l","duration":"1.5"}},
            {"test_fqn":"kill02","test":{"result":"TBROK"}},{"test_fqn":"a","status":"conf"},{"status":"fail"}],"environment":{"arch":"x"}}"#;
        assert!(looks(text.as_bytes()));
        let report = parse(text.as_bytes()).expect("is a report");
        assert_eq!(
            report.cases.iter().map(Case::verdict).collect::<Vec<_>>(),
            [Verdict::Passed, Verdict::Errored, Verdict::Skipped]
        );
        assert_eq!(report.cases[0].suite, ["LTP", "sys"]);
        assert_eq!(report.cases[0].attempts[0].duration, Some(1_500_000));
        assert_eq!((report.losses[0].place.as_str(), report.properties.len()), ("/results/3", 1));
    }
}
