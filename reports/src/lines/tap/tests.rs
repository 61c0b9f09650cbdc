use super::*;
use crate::{Case, Format, recognise};

fn read(text: &str) -> Report {
    assert_eq!(recognise(text.as_bytes()), Some(Format::Tap), "{text}");
    parse(text.as_bytes()).expect("is a report")
}

/// Cases in short: "suite>suite>name=Verdict".
fn short(report: &Report) -> Vec<String> {
    let told = |case: &Case| format!("{}>{}={:?}", case.suite.join(">"), case.name, case.verdict());
    report.cases.iter().map(told).collect()
}

#[test]
fn a_plan_may_come_last_and_comments_belong_to_the_failure_before_them() {
    let report = read(
        "printed\nok 1 - works\n# all is well\nnot ok 2 - fails\n#   Failed test\n#   at t/x.t line 5.\nok 3 # SKIP no disk\nok\n1..4\n",
    );
    assert_eq!(short(&report), ["TAP>works=Passed", "TAP>fails=Failed", "TAP>test 3=Skipped", "TAP>test 4=Passed"]);
    assert_eq!(report.cases[1].attempts[0].message.as_deref(), Some("  Failed test\n  at t/x.t line 5."));
    assert_eq!(report.cases[0].attempts[0].output.as_deref(), Some("printed\n"));
    assert!(report.losses.is_empty() && !report.is_aborted, "{:?}", report.losses);
}

#[test]
fn what_is_to_do_is_a_warning_whichever_way_it_goes() {
    let report = read("1..2\nnot ok 1 - a # TODO later\nok 2 - b # TODO\n");
    assert_eq!(short(&report), ["TAP>a=Warned", "TAP>b=Warned"]);
    assert_eq!(report.cases[0].attempts[0].message.as_deref(), Some("to do: later"));
    assert!(!report.has_failed());
}

#[test]
fn subtests_are_suites_named_by_the_result_that_follows() {
    let fourteen = "TAP version 14\n1..2\n# Subtest: outer\n    # Subtest: inner\n        1..1\n        ok 1 - deep\n    ok 1 - inner\n    not ok 2 - shallow\n    1..2\nnot ok 1 - outer\nok 2 - alone\n";
    let kernel = "KTAP version 1\n1..2\n  KTAP version 1\n  # Subtest: outer\n  1..2\n    KTAP version 1\n    # Subtest: inner\n    1..1\n    ok 1 deep\n  ok 1 inner\n  # shallow: EXPECTATION FAILED\n  not ok 2 shallow\nnot ok 1 outer\nok 2 alone\n";
    for text in [fourteen, kernel] {
        let report = read(text);
        assert_eq!(short(&report), ["TAP>outer>inner>deep=Passed", "TAP>outer>shallow=Failed", "TAP>alone=Passed"]);
        assert!(report.suites.is_empty() && report.losses.is_empty(), "{:?}", report.losses);
    }
    let report = read(kernel);
    assert_eq!(report.cases[1].attempts[0].output.as_deref(), Some("shallow: EXPECTATION FAILED\n"));
}

#[test]
fn a_suite_that_fails_by_itself_is_told() {
    let report =
        read("1..2\n    1..1\n    ok 1 - a\nnot ok 1 - outer\n    1..0 # SKIP no disk\nok 2 - empty # SKIP no disk\n");
    let suites: Vec<_> = report.suites.iter().map(|suite| (suite.path.join(">"), suite.verdict)).collect();
    assert_eq!(suites, [("TAP>outer".into(), Some(Verdict::Failed)), ("TAP>empty".into(), Some(Verdict::Skipped))]);
    assert!(report.has_failed());
}

#[test]
fn the_kernels_harness_tells_subtests_in_comments() {
    let report = read(
        "TAP version 13\n1..1\n# selftests: net: tool\n# TAP version 13\n# 1..2\n# ok 1 a\n# # words\n# not ok 2 b\n# # Totals: pass:1\nnot ok 1 selftests: net: tool # exit=1\n",
    );
    assert_eq!(short(&report), ["TAP>selftests: net: tool>a=Passed", "TAP>selftests: net: tool>b=Failed"]);
}

#[test]
fn a_harness_names_its_files() {
    let report = read("t/a.t ..\n1..1\nok 1 - x\nok\nt/b.t ..\nnot ok 1 - y\n1..1\nDubious, test returned 1\n");
    assert_eq!(short(&report), ["t/a.t>x=Passed", "t/b.t>y=Failed"]);
}

#[test]
fn a_diagnosis_tells_messages_and_times() {
    let report = read(
        "TAP version 13\nnot ok 1 - fails\n  ---\n  duration_ms: 12.5\n  location: '/x/a.js:4:1'\n  error: 'it''s 3'\n  stack: |-\n    at a\n    at b\n  ...\nok 2 - b # time=1.5ms\n1..2\n",
    );
    let attempt = &report.cases[0].attempts[0];
    assert_eq!(
        (attempt.duration, attempt.message.as_deref(), attempt.trace.as_deref()),
        (Some(12_500), Some("it's 3"), Some("at a\nat b"))
    );
    assert_eq!((report.cases[0].source.as_deref(), report.cases[0].line), (Some("/x/a.js"), Some(4)));
    assert_eq!((report.cases[1].name.as_str(), report.cases[1].attempts[0].duration), ("b", Some(1_500)));
}

#[test]
fn what_is_missing_is_lost_and_bailing_out_fails_the_run() {
    let report = read("1..9\nok 1\nok 3\n");
    assert!(report.is_aborted);
    assert_eq!(report.losses[0].detail, "7 of 9 results are missing: 2, 4, 5, 6, 7 and more");
    let report = read("1..3\nok 1 - a\nok 1 - again\nBail out! no database\n");
    assert!(report.is_aborted && report.has_failed());
    assert_eq!(report.suites[0].message.as_deref(), Some("Bail out! no database"));
    assert_eq!(report.cases.len(), 2);
    assert_eq!(report.losses.len(), 3, "{:?}", report.losses);
}

#[test]
fn a_plan_of_any_size_and_any_depth_cost_nothing() {
    let report = read(&format!("1..{}\nok 1\n", u64::MAX));
    assert_eq!(report.losses.len(), 1);
    let deep: String = (0..500).map(|depth| format!("{}ok 1 - t{depth}\n", " ".repeat(depth * 2))).collect();
    let report = read(&format!("TAP version 14\n{deep}"));
    assert_eq!(report.cases.len(), 500);
    assert!(report.cases.iter().all(|case| case.suite.len() <= text::DEEPEST));
}

#[test]
fn a_name_holds_no_facts_of_one_run() {
    let report = read("1..2\n# Subtest: works\nok 1 - works # time=3s\nnot ok 2 tool # exit=1\n");
    assert_eq!(short(&report), ["TAP>works=Passed", "TAP>tool=Failed"]);
    assert_eq!(
        (report.cases[0].attempts[0].duration, report.cases[0].attempts[0].output.as_deref()),
        (Some(3_000_000), None)
    );
    assert_eq!(report.cases[1].attempts[0].message.as_deref(), Some("exit=1"));
}

#[test]
fn a_kernel_log_has_times_before_its_lines() {
    let report = read(
        "[    1.000000] KTAP version 1\n[    1.1] 1..1\n[    1.2]     # Subtest: s\n[    1.2]     1..1\n[    1.3]     not ok 1 t\n[   12.4] not ok 1 s\n",
    );
    assert_eq!(short(&report), ["TAP>s>t=Failed"]);
}

#[test]
fn a_diagnosis_of_a_suite_is_of_no_test_and_one_without_an_end_ends_anyway() {
    let report = read(
        "TAP version 13\n    1..1\n    ok 1 - a\nok 1 - outer\n  ---\n  duration_ms: 3\n  ...\nnot ok 2 - b\n  ---\n  error: no\nok 3 - c\n1..3\n",
    );
    assert_eq!(short(&report), ["TAP>outer>a=Passed", "TAP>b=Failed", "TAP>c=Passed"]);
    assert_eq!(report.cases[1].attempts[0].message.as_deref(), Some("no"));
    assert!(report.cases.iter().all(|case| case.attempts[0].output.is_none()));
}
