//! `RSpec`'s JSON formatter.

use super::node::Node;
use super::read;
use crate::model::{Attempt, Case, Report, Suite, Verdict};
use crate::{Refusal, scan, text};

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        let knows = |key| root.get(key).is_some();
        root.get("examples").is_some_and(Node::is_list)
            && (knows("version") || knows("summary_line") || knows("summary"))
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        let Some(Node::List(examples)) = root.get("examples") else {
            return Err(read::lacking("list of \"examples\""));
        };
        let version = root.kept("version").map(|version| format!(" {version}")).unwrap_or_default();
        report.framework = Some(format!("RSpec{version}"));
        report.properties.extend(read::fact(root, "seed"));
        for (at, example) in examples.iter().enumerate() {
            add(example, &format!("/examples/{at}"), report);
        }
        let outside = root.get("summary").and_then(|summary| summary.number("errors_outside_of_examples_count"));
        if outside.is_some_and(|count| count > 0.0) {
            let (path, message) = (vec![text::OUTSIDE.to_owned()], root.lines("messages"));
            report.suites.push(Suite { path, message, verdict: Some(Verdict::Errored), ..Suite::default() });
        }
        Ok(())
    })
}

/// An example. The descriptions of its groups are run together in the full
/// one, so they make one suite, below the file.
fn add(example: &Node<'_>, place: &str, report: &mut Report) {
    let full = example.kept("full_description").unwrap_or_default();
    let own = example.kept("description").filter(|own| !own.trim().is_empty());
    let Some(name) = own.or_else(|| text::some(&full)).or_else(|| example.kept("id")) else {
        return text::lose(report, place, "an example without a description");
    };
    if read::is_cut(example, &name, || place.to_owned(), report) {
        return;
    }
    let file = example.kept("file_path").map(|file| file.trim_start_matches("./").to_owned());
    let names = [file.clone().unwrap_or_default(), text::above(&full, &name).to_owned()];
    let exception = example.part("exception");
    let message = exception.kept("message").or_else(|| example.kept("pending_message"));
    report.cases.push(Case {
        suite: text::path(names.into(), "examples"),
        source: file,
        line: example.line("line_number"),
        attempts: vec![Attempt {
            verdict: verdict(example, exception),
            duration: example.number("run_time").and_then(scan::span),
            message: message.or_else(|| exception.kept("class")),
            trace: exception.lines("backtrace"),
            ..Attempt::default()
        }],
        name,
        ..Case::default()
    });
}

/// What an example came to. An expectation that does not hold has a class of
/// its own; any other exception means that it could not be checked.
fn verdict(example: &Node<'_>, exception: &Node<'_>) -> Verdict {
    let class = exception.text("class").unwrap_or_default();
    let is_expectation = class.is_empty() || class.starts_with("RSpec::");
    match example.text("status").unwrap_or_default() {
        "passed" => Verdict::Passed,
        "failed" if is_expectation => Verdict::Failed,
        "failed" => Verdict::Errored,
        "pending" => Verdict::Skipped,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_and_errors_outside_of_them_are_read() {
        let text = r#"{"version":"3.13.0","seed":7,"messages":["An error occurred","in a file"],"examples":[
            {"description":"adds","full_description":"Sum of two adds","status":"passed","file_path":"./spec/sum_spec.rb","line_number":4,"run_time":0.25},
            {"description":"","full_description":"Sum","status":"failed","exception":{"class":"RSpec::Expectations::ExpectationNotMetError","message":"no","backtrace":["a","b"]}},
            {"description":"c","full_description":"Sum c","status":"failed","exception":{"class":"NoMethodError","message":"nil"}},
            {"description":"d","full_description":"d","status":"pending","pending_message":"later"},7],
            "summary":{"errors_outside_of_examples_count":1}}"#;
        assert!(looks(text.as_bytes()));
        let report = parse(text.as_bytes()).expect("is a report");
        let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
        assert_eq!(verdicts, [Verdict::Passed, Verdict::Failed, Verdict::Errored, Verdict::Skipped]);
        assert_eq!(report.cases[0].suite, ["spec/sum_spec.rb", "Sum of two"]);
        assert_eq!((report.cases[0].attempts[0].duration, report.cases[1].name.as_str()), (Some(250_000), "Sum"));
        assert_eq!(report.cases[1].attempts[0].trace.as_deref(), Some("a\nb\n"));
        assert_eq!(report.cases[3].attempts[0].message.as_deref(), Some("later"));
        assert_eq!(report.suites[0].message.as_deref(), Some("An error occurred\nin a file\n"));
        assert_eq!((report.losses.len(), report.framework.as_deref()), (1, Some("RSpec 3.13.0")));
    }
}
