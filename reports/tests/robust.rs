//! Whatever a file holds: no panic, nothing without an attempt or a suite, and
//! nothing without a bound.

use proptest::prelude::*;
use reports::{Format, Report, join_allure, recognise};
use std::collections::HashSet;

/// A small report of each format.
const FIXTURES: [(Format, &str); 15] = [
    (
        Format::RobotJson,
        r#"{"generator":"Robot 7.3 (Python)","rpa":false,"suite":{"id":"s1","suites":[{"id":"s1-s1","tests":[
        {"id":"s1-s1-t1","name":"A","status":"PASS","tags":["x"],"elapsed_time":0.1,"start_time":"2025-01-02T03:04:05.123456"},
        {"name":"B","status":"FAIL","message":"no","body":[{"name":"Check","args":["1"],"status":"FAIL","body":[{"type":"MESSAGE","level":"FAIL","message":"no"}]}]}],
        "teardown":{"name":"T","status":"FAIL","message":"broke"},"name":"In","source":"/x.robot"}],"name":"Top"},"errors":[]}"#,
    ),
    (
        Format::Ctrf,
        r#"{"reportFormat":"CTRF","specVersion":"1.0.0","results":{"tool":{"name":"r"},"summary":{"start":1700000000000,"stop":1700000001000},
        "tests":[{"name":"a","suite":["x","y"],"status":"passed","duration":1,"retries":1,"retryAttempts":[{"status":"failed","message":"m"}]},
        {"name":"b","suite":"x > z","status":"failed","stdout":["one"],"labels":{"k":[1]},"parameters":{"n":1}}],"environment":{"commit":"c"}}}"#,
    ),
    (
        Format::Playwright,
        r#"{"config":{"version":"1.50.0","workers":2},"suites":[{"title":"a.spec.ts","specs":[{"title":"t","tags":["@s"],"tests":[
        {"projectName":"p","expectedStatus":"passed","results":[{"retry":0,"status":"failed","errors":[{"message":"no"}]},{"retry":1,"status":"passed"}]}]}],
        "suites":[{"title":"in","specs":[]}]}],"errors":[{"message":"no"}],"stats":{"startTime":"2025-01-02T03:04:05Z","duration":3.5}}"#,
    ),
    (
        Format::Jest,
        r#"{"numTotalTests":2,"startTime":1700000000000,"testResults":[{"name":"/x/a.test.js","status":"failed","message":"m","assertionResults":[
        {"ancestorTitles":["G"],"title":"t","status":"failed","failureMessages":["Error: no\n    at x"],"invocations":2,"retryReasons":["Error: a"]}]}]}"#,
    ),
    (
        Format::Mocha,
        r#"{"stats":{"passes":1,"start":"2025-01-02T03:04:05Z","duration":3},"tests":[{"title":"t","fullTitle":"G t","file":"/x/a.js","duration":1,"err":{}},
        {"title":"u","fullTitle":"G u","duration":1,"currentRetry":1,"err":{"message":"no","stack":"no\n at"}}],"pending":[],
        "failures":[{"title":"\"before all\" hook","fullTitle":"G hook","err":{"message":"x"}}],"passes":[{"title":"t","fullTitle":"G t","file":"/x/a.js"}]}"#,
    ),
    (
        Format::Rspec,
        r#"{"version":"3.13.0","examples":[{"description":"t","full_description":"G t","status":"failed","file_path":"./a_spec.rb","line_number":3,
        "exception":{"class":"RuntimeError","message":"no","backtrace":["a"]}}],"summary":{"errors_outside_of_examples_count":1},"messages":["m"]}"#,
    ),
    (
        Format::Cucumber,
        r#"[{"keyword":"Feature","name":"F","uri":"f.feature","elements":[{"keyword":"Background","type":"background","steps":[{"result":{"status":"passed"}}]},
        {"id":"f;s;;2","name":"S","type":"scenario","tags":[{"name":"@x"}],"before":[{"result":{"status":"failed","error_message":"no"}}],
        "steps":[{"keyword":"Given ","name":"g","result":{"status":"skipped","duration":1000}}]}]}]"#,
    ),
    (
        Format::Ltp,
        r#"{"results":[{"test_fqn":"LTP:a:b","status":"pass","test":{"log":"l","duration":1.5}}],"environment":{"arch":"x"}}"#,
    ),
    (
        Format::Allure,
        r#"{"uuid":"u","historyId":"h","name":"t","fullName":"a.b.t","status":"failed","statusDetails":{"message":"m","trace":"t"},"start":1700000000000,
        "stop":1700000001000,"labels":[{"name":"suite","value":"S"}],"parameters":[{"name":"a","value":"b"}],"steps":[{"attachments":[{"source":"x"}]}]}"#,
    ),
    (
        Format::Lava,
        r#"{"status_string":"complete","actual_device_id":"d","results":{"lava":"- metadata: {case: job, result: pass}\n  name: job\n  result: fail\n  logged: '2020-09-10 00:33:33+00:00'\n"}}"#,
    ),
    (
        Format::GoTest,
        "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"A\"}\n{\"Action\":\"output\",\"Package\":\"p\",\"Test\":\"A\",\"Output\":\"panic: no\\n\"}\n{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"A/b\"}\n{\"Action\":\"fail\",\"Package\":\"p\",\"Elapsed\":1}\n",
    ),
    (
        Format::Libtest,
        "{\"type\":\"suite\",\"event\":\"started\"}\n{\"type\":\"test\",\"event\":\"failed\",\"name\":\"x::y$a::b#3\",\"stdout\":\"thread panicked at a.rs:1:2:\\nno\\n\",\"exec_time\":\"0.1s\"}\n{\"type\":\"suite\",\"event\":\"failed\"}\n",
    ),
    (
        Format::Dart,
        "{\"protocolVersion\":\"0.1.1\",\"type\":\"start\",\"time\":0}\n{\"suite\":{\"id\":0,\"path\":\"test/a.dart\"},\"type\":\"suite\"}\n{\"test\":{\"id\":1,\"name\":\"t\",\"suiteID\":0,\"groupIDs\":[]},\"type\":\"testStart\",\"time\":1}\n{\"testID\":1,\"error\":\"no\",\"type\":\"error\"}\n{\"testID\":1,\"result\":\"error\",\"type\":\"testDone\",\"time\":9}\n{\"success\":false,\"type\":\"done\"}\n",
    ),
    (
        Format::Tap,
        "KTAP version 1\n1..3\n# Subtest: in\n    1..1\n    not ok 1 - deep # TODO later\nok 1 - in\nnot ok 2 - fails\n  ---\n  error: 'no'\n  ...\n# ok 1 x\nok 3 # SKIP\nBail out! now\n",
    ),
    (Format::Squad, r#"{"a/b":"pass","c":{"result":"xfail","log":"l"}}"#),
];

const LONGEST: usize = 64 * 1024;

/// What holds of every report, however broken its file.
fn check(report: &Report) {
    for case in &report.cases {
        assert!(!case.attempts.is_empty() && (1..=64).contains(&case.suite.len()) && !case.name.is_empty(), "{case:?}");
        for attempt in &case.attempts {
            let texts = [&attempt.message, &attempt.trace, &attempt.output];
            assert!(texts.into_iter().flatten().all(|text| text.len() <= LONGEST));
        }
    }
    let names: HashSet<_> = report.cases.iter().map(|case| (&case.suite, &case.name, &case.parameters)).collect();
    assert_eq!(names.len(), report.cases.len(), "two cases cannot be told apart: {:?}", report.cases);
    assert!(report.suites.iter().all(|suite| !suite.path.is_empty()));
    assert!(report.losses.len() <= 1_001);
}

fn read_all_ways(file: &[u8], format: Format) {
    for format in [Some(format), None] {
        if let Ok((_, report)) = reports::read(file, format) {
            check(&report);
        }
    }
}

#[test]
fn fixtures_are_recognised_by_their_content_and_lose_nothing() {
    for (format, text) in FIXTURES {
        assert_eq!(recognise(text.as_bytes()), Some(format), "{text}");
        let (_, report) = reports::read(text.as_bytes(), None).expect("is a report");
        check(&report);
        assert!(!report.cases.is_empty(), "{}", format.as_str());
        let losses = report.losses.iter().filter(|loss| !loss.detail.contains("given up"));
        assert_eq!(losses.count(), 0, "{}: {:?}", format.as_str(), report.losses);
    }
}

#[test]
fn every_cut_of_every_fixture_is_read_and_told() {
    for (format, text) in FIXTURES {
        let whole = reports::read(text.as_bytes(), None).expect("is a report").1.cases.len();
        for at in 1..text.trim_end().len() {
            let Ok((_, report)) = reports::read(&text.as_bytes()[..at], Some(format)) else { continue };
            check(&report);
            assert!(report.cases.len() <= whole + 1, "{} cut at {at}", format.as_str());
            let is_line = text.as_bytes()[at - 1] == b'\n' || text.as_bytes()[at] == b'\n';
            let is_told = report.is_aborted || !report.losses.is_empty();
            assert!(is_told || is_line || !text.starts_with(['{', '[']), "{} cut at {at}", format.as_str());
        }
    }
}

#[test]
fn the_same_report_in_the_encodings_of_other_systems() {
    for (format, text) in FIXTURES {
        let plain = reports::read(text.as_bytes(), None).expect("is a report").1;
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xff, 0xfe], wide.as_slice()].concat();
        let windows = text.replace('\n', "\r\n").into_bytes();
        for bytes in [wide, marked, windows, format!("\u{feff}{text}").into_bytes()] {
            let (read_as, report) =
                reports::read(&bytes, None).unwrap_or_else(|refusal| panic!("{}: {refusal}", format.as_str()));
            assert_eq!((read_as, report.cases.len()), (format, plain.cases.len()));
        }
    }
}

proptest! {
    #[test]
    fn mutations_of_fixtures_never_panic(
        which in 0..FIXTURES.len(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        with in prop::collection::vec(any::<u8>(), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let (format, text) = FIXTURES[which];
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, with);
        read_all_ways(&bytes, format);
        if !bytes.is_empty() {
            bytes.truncate(cut.index(bytes.len()));
            read_all_ways(&bytes, format);
        }
    }

    #[test]
    fn pieces_of_fixtures_in_any_order_never_panic(
        pieces in prop::collection::vec((0..FIXTURES.len(), any::<prop::sample::Index>(), 1_usize..80), 1..12),
        which in 0..FIXTURES.len(),
    ) {
        let mut bytes = Vec::new();
        for (which, at, length) in pieces {
            let text = FIXTURES[which].1.as_bytes();
            let at = at.index(text.len());
            bytes.extend_from_slice(&text[at..(at + length).min(text.len())]);
        }
        read_all_ways(&bytes, FIXTURES[which].0);
    }

    #[test]
    fn any_folder_is_joined_without_a_panic(cuts in prop::collection::vec((0..FIXTURES.len(), any::<prop::sample::Index>()), 0..6)) {
        let names = ["a-result.json", "b-container.json", "executor.json", "environment.properties", "globals.json", "x.png"];
        let cut = |(which, at): &(usize, prop::sample::Index)| {
            let text = FIXTURES[*which].1.as_bytes();
            &text[..=at.index(text.len())]
        };
        check(&join_allure(names.into_iter().zip(cuts.iter().map(cut))));
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0..FIXTURES.len()) {
        read_all_ways(&bytes, FIXTURES[which].0);
    }
}
