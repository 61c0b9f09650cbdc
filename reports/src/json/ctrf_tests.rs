use super::*;

fn read(tests: &str) -> Report {
    let text = format!(
        r#"{{"reportFormat":"CTRF","results":{{"tool":{{"name":"runner","version":2}},"summary":{{}},"tests":{tests}}}}}"#
    );
    parse(text.as_bytes()).expect("is a report")
}

fn verdicts(test: &str) -> Vec<Verdict> {
    let report = read(&format!("[{test}]"));
    report.cases[0].attempts.iter().map(|attempt| attempt.verdict).collect()
}

#[test]
fn retries_are_attempts_however_they_are_told() {
    use Verdict::{Failed, Passed};
    let table = [
        (r#"{"name":"a","status":"passed"}"#, vec![Passed]),
        (
            r#"{"name":"a","status":"passed","retries":1,"retryAttempts":[{"status":"failed"},{"status":"passed"}]}"#,
            vec![Failed, Passed],
        ),
        (r#"{"name":"a","status":"passed","retries":1,"retryAttempts":[{"status":"failed"}]}"#, vec![Failed, Passed]),
        (
            r#"{"name":"a","status":"passed","retryAttempts":[{"status":"failed"},{"status":"passed"}]}"#,
            vec![Failed, Passed],
        ),
        (r#"{"name":"a","status":"passed","retries":"2","flaky":true}"#, vec![Failed, Failed, Passed]),
        (r#"{"name":"a","status":"passed","flaky":true}"#, vec![Failed, Passed]),
        (r#"{"name":"a","status":"failed","retries":1}"#, vec![Failed, Failed]),
        (
            r#"{"name":"a","status":"failed","retries":1,"retryAttempts":[{"status":"failed"},{"status":"failed"}]}"#,
            vec![Failed, Failed],
        ),
    ];
    for (test, expected) in table {
        assert_eq!(verdicts(test), expected, "{test}");
    }
    assert_eq!(verdicts(r#"{"name":"a","status":"failed","retries":4000000000}"#).len(), MOST_RETRIES + 1);
}

#[test]
fn what_is_written_against_the_schema_is_read() {
    let table = [
        (r#"{"name":"a","suite":"x > y","status":"passed"}"#, vec!["x", "y"]),
        (r#"{"name":"a","suite":["x",3,{}],"status":"passed"}"#, vec!["x", "3"]),
        (r#"{"name":7,"filePath":"src/a.test.js"}"#, vec!["a.test.js"]),
        (r#"{"name":"a","suite":[]}"#, vec!["tests"]),
    ];
    for (test, expected) in table {
        assert_eq!(read(&format!("[{test}]")).cases[0].suite, expected, "{test}");
    }
    let report =
        read(r#"["no test", {"status":"passed"}, {"name":"good","status":"passed","duration":"12","tags":"one"}]"#);
    assert_eq!(
        report.losses.iter().map(|loss| loss.place.as_str()).collect::<Vec<_>>(),
        ["/results/tests/0", "/results/tests/1"]
    );
    assert_eq!((report.cases.len(), report.cases[0].attempts[0].duration), (1, Some(12_000)));
    assert_eq!((report.cases[0].tags.len(), report.framework.as_deref()), (1, Some("runner 2")));
    assert_eq!(read("{}").losses.len(), 1);
}

#[test]
fn words_of_the_tool_itself_are_finer() {
    let table = [
        (r#"{"name":"a","status":"failed","rawStatus":"timedOut"}"#, Verdict::TimedOut),
        (r#"{"name":"a","status":"other","rawStatus":"interrupted"}"#, Verdict::Cancelled),
        (r#"{"name":"a","status":"other"}"#, Verdict::Unknown),
        (r#"{"name":"a","status":"pending"}"#, Verdict::Skipped),
    ];
    for (test, expected) in table {
        assert_eq!(verdicts(test), [expected], "{test}");
    }
}

#[test]
fn a_report_that_breaks_off_yields_the_tests_before() {
    let whole = r#"{"results":{"tool":{"name":"r"},"tests":[{"name":"a","status":"passed"},{"name":"b","status":"passed","message":"m"}]}}"#;
    let report = parse(&whole.as_bytes()[..whole.len() - 9]).expect("is a report");
    assert_eq!(report.cases.iter().map(Case::verdict).collect::<Vec<_>>(), [Verdict::Passed]);
    assert!(report.is_aborted && report.losses.len() == 2, "{:?}", report.losses);
}

#[test]
fn times_outputs_and_labels_are_kept() {
    let report = read(
        r#"[{"name":"a","status":"failed","start":1700000000000,"stop":1700000001500,"message":"m","trace":"t","stdout":["one","two"],
        "stderr":"three","labels":{"owner":"qa","levels":["a","b"]},"parameters":{"n":1},"attachments":[{"path":"x/y.png"}]}]"#,
    );
    let (case, attempt) = (&report.cases[0], &report.cases[0].attempts[0]);
    assert_eq!((attempt.started, attempt.duration), (Some(1_700_000_000_000_000), Some(1_500_000)));
    assert_eq!(attempt.output.as_deref(), Some("one\ntwo\n\nthree"));
    assert_eq!((case.owner.as_deref(), case.parameters.as_deref()), (Some("qa"), Some("n=1")));
    assert!(case.properties.contains(&("levels".into(), "a, b".into())));
    assert_eq!(attempt.attachments[0].name, "y.png");
}
