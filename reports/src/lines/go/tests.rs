use super::*;
use crate::model::Case;
use crate::{Format, recognise};

fn read(lines: &str) -> Report {
    assert_eq!(recognise(lines.as_bytes()), Some(Format::GoTest));
    parse(lines.as_bytes()).expect("is a report")
}

/// Events in short: `run TestA`, `out TestA words`, `fail`, each of package p.
fn events(short: &[&str]) -> String {
    let event = |line: &&str| {
        let mut words = line.splitn(3, ' ');
        let (action, test, output) =
            (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let action = if action == "out" { "output" } else { action };
        format!(
            "{{\"Action\":\"{action}\",\"Package\":\"p\",\"Test\":{},\"Output\":\"{output}\\n\",\"Elapsed\":0.5}}\n",
            if test.is_empty() { "null".into() } else { format!("\"{test}\"") }
        )
    };
    short.iter().map(event).collect()
}

fn named<'a>(report: &'a Report, name: &str) -> &'a Case {
    report.cases.iter().find(|case| case.name == name).expect("is a case")
}

#[test]
fn reruns_are_attempts_of_one_case() {
    let report = read(&events(&[
        "run TestA",
        "fail TestA",
        "fail",
        "run TestA",
        "out TestA     a_test.go:7: no",
        "fail TestA",
        "run TestA",
        "pass TestA",
        "pass",
    ]));
    assert_eq!(report.cases.len(), 1);
    let verdicts: Vec<_> = report.cases[0].attempts.iter().map(|attempt| attempt.verdict).collect();
    assert_eq!(verdicts, [Verdict::Failed, Verdict::Failed, Verdict::Passed]);
    assert_eq!(report.cases[0].attempts[1].message.as_deref(), Some("a_test.go:7: no"));
    assert!(report.cases[0].is_flaky() && !report.is_aborted);
    assert_eq!(report.suites[0].verdict, None);
}

#[test]
fn subtests_nest_and_slashes_of_their_own_stay_in_their_names() {
    let report = read(&events(&[
        "run TestA",
        "run TestA/1_/_2",
        "fail TestA/1_/_2",
        "run TestA/b",
        "run TestA/b/c",
        "pass TestA/b/c",
        "pass TestA/b",
        "fail TestA",
        "run TestLost/x",
        "pass TestLost/x",
        "fail",
    ]));
    let places: Vec<_> = report.cases.iter().map(|case| (case.suite.join(">"), case.name.as_str())).collect();
    let expected = [("p", "TestA"), ("p>TestA", "1_/_2"), ("p>TestA", "b"), ("p>TestA>b", "c"), ("p>TestLost", "x")];
    assert_eq!(places, expected.map(|(suite, name)| (suite.to_owned(), name)));
    assert_eq!(named(&report, "TestA").attempts[0].message.as_deref(), Some("subtests failed: 1_/_2"));
}

#[test]
fn tests_without_an_end_are_judged_by_what_ended_their_package() {
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, Verdict)]);
    let table: [Row<'_>; 7] = [
        (&["run A", "out A --- FAIL: A (0.00s)", "out A panic: boom", "fail A", "fail"], &[("A", Verdict::Errored)]),
        (&["run A", "out A panic: boom", "run B", "fail"], &[("A", Verdict::Errored), ("B", Verdict::Cancelled)]),
        (
            &["run A", "out A panic: test timed out after 2s", "out A running tests:", "out A \\tA (2s)", "fail"],
            &[("A", Verdict::TimedOut)],
        ),
        (&["run A", "run B", "out  panic: boom", "fail"], &[("A", Verdict::Errored), ("B", Verdict::Errored)]),
        (
            &["run A", "run A/b", "out A/b fatal error: all goroutines", "fail"],
            &[("A", Verdict::Errored), ("b", Verdict::Errored)],
        ),
        (&["run A", "out A --- PASS: A (0.00s)", "pass"], &[("A", Verdict::Passed)]),
        (&["run A", "pass"], &[("A", Verdict::Unknown)]),
    ];
    for (short, expected) in table {
        let report = read(&events(short));
        for (name, verdict) in expected {
            assert_eq!(named(&report, name).verdict(), *verdict, "{name} of {short:?}");
        }
        assert!(!report.is_aborted);
    }
}

#[test]
fn a_file_that_breaks_off_is_aborted_and_its_tests_have_no_verdict() {
    let text = events(&["run A", "pass A", "run B", "out B words"]);
    let report = read(&text[..text.len() - 5]);
    assert_eq!(named(&report, "B").verdict(), Verdict::Unknown);
    assert!(named(&report, "B").attempts[0].message.is_some());
    assert!(report.is_aborted);
    assert_eq!(report.losses[0].place, "line 4");
}

#[test]
fn a_package_that_was_not_built_is_a_broken_suite() {
    let new = r##"{"ImportPath":"x [x.test]","Action":"build-output","Output":"x.go:1: no\n"}
{"ImportPath":"x [x.test]","Action":"build-fail"}
{"Action":"start","Package":"x"}
{"Action":"output","Package":"x","Output":"FAIL\tx [build failed]\n"}
{"Action":"fail","Package":"x","FailedBuild":"x [x.test]"}"##;
    let old = "{\"Action\":\"start\",\"Package\":\"y\"}\n# x\nx.go:1: no\nFAIL\tx [build failed]\n{\"Action\":\"pass\",\"Package\":\"y\"}\n";
    let lone = "{\"ImportPath\":\"x\",\"Action\":\"build-output\",\"Output\":\"x.go:1: no\\n\"}\n{\"ImportPath\":\"x\",\"Action\":\"build-fail\"}\n";
    for text in [new, old, lone] {
        let report = read(text);
        let suite = report.suites.iter().find(|suite| suite.path == ["x"]).expect("is a suite");
        assert_eq!(suite.verdict, Some(Verdict::Errored), "{text}");
        assert_eq!(suite.message.as_deref(), Some("x.go:1: no\n"), "{text}");
        assert!(report.has_failed());
    }
}

#[test]
fn a_package_that_fails_without_a_failing_test_is_broken_and_says_why() {
    let report = read(&events(&["run A", "pass A", "out  exit status 3", "fail"]));
    assert_eq!(report.suites[0].verdict, Some(Verdict::Errored));
    assert_eq!(report.suites[0].message.as_deref(), Some("exit status 3\n"));
}

#[test]
fn words_of_others_between_and_before_the_events_do_no_harm() {
    let text = "go: downloading x\nprinted{\"Time\":\"2024-01-02T03:04:05Z\",\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"A\"}\n".to_owned()
        + &events(&["out A     a_test.go:3: later", "out A         and more", "skip A", "attr A", "bogus A"])
        + "{\"Action\":\"attr\",\"Package\":\"p\",\"Test\":\"A\",\"Key\":\"k\",\"Value\":\"v\"}\n{not an event\n"
        + &events(&["pass"]);
    let report = read(&text);
    let attempt = &report.cases[0].attempts[0];
    assert_eq!((attempt.verdict, attempt.started), (Verdict::Skipped, Some(1_704_164_645_000_000)));
    assert_eq!(attempt.message.as_deref(), Some("a_test.go:3: later\n    and more"));
    assert_eq!(report.cases[0].properties, [("k".into(), "v".into())]);
    assert_eq!(report.losses.len(), 1);
}
