//! What holds for every format: faults, bounds, and bytes of any kind. Also
//! the words in which the tests of each format tell what was read.

use super::{junit, nunit, robot, trx, xunit};
use crate::{Attempt, Case, Refusal, Report, Verdict};
use proptest::prelude::*;

/// A verdict in a word.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Errored => "errored",
        Verdict::Skipped => "skipped",
        Verdict::TimedOut => "timed out",
        Verdict::Warned => "warned",
        Verdict::Cancelled => "cancelled",
        Verdict::Unknown => "unknown",
    }
}

/// An attempt in a line: `failed "message" {trace} <output> 1.5s +file`.
fn attempt(attempt: &Attempt) -> String {
    let mut line = word(attempt.verdict).to_owned();
    attempt.message.iter().for_each(|text| line += &format!(" {text:?}"));
    attempt.trace.iter().for_each(|text| line += &format!(" {{{text}}}"));
    attempt.output.iter().for_each(|text| line += &format!(" <{text}>"));
    attempt.duration.iter().for_each(|span| line += &format!(" {}s", *span as f64 / 1e6));
    attempt.attachments.iter().for_each(|file| line += &format!(" +{}", file.path.as_ref().unwrap_or(&file.name)));
    line
}

/// A case in a line: `suite/suite:name(parameters) = attempt, attempt`.
pub fn case(case: &Case) -> String {
    let parameters = case.parameters.iter().map(|text| format!("({text})")).collect::<String>();
    let attempts = case.attempts.iter().map(attempt).collect::<Vec<_>>().join(", ");
    format!("{}:{}{parameters} = {attempts}", case.suite.join("/"), case.name)
}

/// The cases of a report, a line each.
pub fn cases(report: &Report) -> Vec<String> {
    report.cases.iter().map(case).collect()
}

/// What was lost, a line each.
pub fn losses(report: &Report) -> Vec<String> {
    report.losses.iter().map(|loss| format!("{}: {}", loss.place, loss.detail)).collect()
}

type Parse = fn(&[u8]) -> Result<Report, Refusal>;

/// One whole report of every format.
const WHOLE: [(&str, Parse, &str); 6] = [
    ("junit", junit::parse, junit::SAMPLE),
    ("robot", robot::parse, robot::SAMPLE),
    ("trx", trx::parse, include_str!("samples/results.trx")),
    ("nunit 3", nunit::parse, include_str!("samples/nunit3.xml")),
    ("nunit 2", nunit::parse, include_str!("samples/nunit2.xml")),
    ("xunit", xunit::parse, include_str!("samples/xunit.xml")),
];

#[test]
fn a_file_is_recognised_as_what_it_is() {
    for (name, parse, text) in WHOLE {
        let (format, report) = crate::read(text.as_bytes(), None).expect(name);
        assert!(name.starts_with(format.as_str()) || (name, format.as_str()) == ("robot", "robot"), "{name}");
        assert_eq!(Ok(&report), parse(text.as_bytes()).as_ref(), "{name}");
        assert!(report.losses.is_empty() && !report.cases.is_empty(), "{name}: {:?}", report.losses);
    }
}

#[test]
fn what_only_resembles_a_report_is_not_taken_for_one() {
    let table = [
        "<testsuites xmlns=\"http://check.sourceforge.net/ns\"><suite/></testsuites>",
        "<TestRun><FailedTests/></TestRun>",
        "<assembly xmlns=\"urn:schemas-microsoft-com:asm.v1\" manifestVersion=\"1.0\"/>",
        "<html><testsuite/></html>",
        "text, then <testsuite/>",
        "<!-- <testsuite> -->",
        "<",
        "",
    ];
    for text in table {
        assert_eq!(crate::recognise(text.as_bytes()), None, "{text}");
    }
    let told = junit::parse(b"<r/>").expect_err("no report");
    assert_eq!(told, Refusal::Malformed("there is no <testsuites> or <testsuite> at its root".into()));
}

#[test]
fn a_root_is_found_behind_whatever_precedes_it() {
    let table = [
        "\n<?xml version=\"1.0\"?>\n<testsuite/>",
        "\u{feff}<?xml version=\"1.0\"?><!-- > <a> --><testsuites >",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><testsuite>",
        "<!DOCTYPE a><x:testsuite/>",
    ];
    for text in table {
        assert!(junit::looks(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_document_type_is_refused_wherever_it_stands() {
    let table = [
        "<!DOCTYPE a><testsuite/>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hostname\">]><testsuite><testcase name=\"&b;\"/></testsuite>",
        "<!doctype a [<!ENTITY b \"&c;&c;\">",
        "<testsuite><testcase name=\"t\"/><!DOCTYPE a></testsuite>",
    ];
    for text in table {
        assert!(matches!(junit::parse(text.as_bytes()), Err(Refusal::Unsafe(_))), "{text}");
    }
}

#[test]
fn faults_cost_what_is_broken_and_no_more() {
    let table: [(&str, &[&str], &[&str]); 9] = [
        (
            "<testsuite name='s'>\n<testcase name='a'>\n<failure>x</testcase>\n<testcase name='b'/></testsuite>",
            &["s:a = failed \"x\" {x}", "s:b = passed"],
            &["line 3: </testcase> comes before <failure> is closed"],
        ),
        (
            "<testsuite name='s'><testcase name='a'></b></testcase></testsuite>",
            &["s:a = passed"],
            &["line 1: </b> closes nothing"],
        ),
        (
            "<testsuite name='s'><testcase name='a'><failure>1 < 2 & <b> &no; <3/></failure></testcase></testsuite>",
            &["s:a = failed \"1 < 2 & <b> &no; <3/>\" {1 < 2 & <b> &no; <3/>}"],
            &[],
        ),
        (
            "<testsuite name='s'><testcase name='a'><failure>is <b>bold</failure></testcase></testsuite>",
            &["s:a = failed \"is bold\" {is bold}"],
            &["line 1: </failure> comes before <b> is closed"],
        ),
        (
            "<testsuite name='s'>\n<testcase name='a'><system-out><![CDATA[out\n</system-out></testcase>\n<testcase name='b'/></testsuite>",
            &["s:a = passed <out>", "s:b = passed"],
            &[
                "line 2: what begins here never ends (syntax error: CDATA not closed: `]]>` not found before end of input)",
            ],
        ),
        (
            "<testsuite name='s'>\n<testcase name='a'/>\n<testcase name='b'><failure>no",
            &["s:a = passed", "s:b = failed \"no\" {no}"],
            &["line 3: the file ends before </failure></testcase></testsuite>"],
        ),
        (
            "<testsuite name='s'><testcase name='a'>",
            &["s:a = unknown"],
            &["line 1: the file ends before </testcase></testsuite>"],
        ),
        (
            "<testsuite name='s'><testcase name='a'/><testcase name='b",
            &["s:a = passed"],
            &["line 1: what begins here never ends (syntax error: tag not closed: `>` not found before end of input)"],
        ),
        (
            "<testsuite name='s'><testcase name='caf\u{fffd}'/></testsuite><testsuite name='r'><testcase name='b'/></testsuite>",
            &["s:caf\u{fffd} = passed", "r:b = passed"],
            &[],
        ),
    ];
    for (text, expected, lost) in table {
        let report = junit::parse(text.as_bytes()).expect(text);
        assert_eq!(cases(&report), expected, "{text}");
        assert_eq!(losses(&report), lost, "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_told_of() {
    let report = junit::parse(b"<testsuite name='\xc3\xa9'>\n<testcase name='a\xff'/></testsuite>").expect("read");
    assert_eq!(cases(&report), ["é:a\u{fffd} = passed"]);
    assert_eq!(losses(&report), ["line 2: bytes that are no text were replaced, here and perhaps below"]);
}

#[test]
fn depth_is_bounded_and_told_of() {
    let deep = |open: &str, count| format!("<testsuite name='s'>{}", open.repeat(count));
    let suites = junit::parse(deep("<testsuite name='s'>", 5_000).as_bytes()).expect("read");
    assert!(losses(&suites)[0].contains("nested deeper than 64"), "{:?}", losses(&suites));
    let elements = junit::parse((deep("<testcase name='a'>", 1) + &"<b>".repeat(20_000)).as_bytes()).expect("read");
    assert!(losses(&elements)[0].contains("nested deeper than 10000"), "{:?}", losses(&elements));
    assert_eq!(cases(&elements), ["s:a = unknown"]);
}

#[test]
fn long_names_are_not_repeated_without_end() {
    let name = "n".repeat(1_000_000);
    let file = format!("<testsuite name='{name}'>{}</testsuite>", "<testcase name='t'/>".repeat(300));
    let report = junit::parse(file.as_bytes()).expect("read");
    assert_eq!(report.cases.len(), 268);
    assert_eq!(
        losses(&report),
        ["the rest: 32 cases and suites are left out: what they have in common is too long to repeat"]
    );
}

#[test]
fn the_list_of_losses_is_bounded() {
    let report = junit::parse(format!("<testsuite>{}</testsuite>", "</b>".repeat(1_000)).as_bytes()).expect("read");
    assert_eq!(report.losses.len(), 51);
    assert_eq!(losses(&report)[50], "the rest: 950 more faults are not listed");
}

#[test]
fn a_file_cut_anywhere_gives_what_came_before_the_cut() {
    for (name, parse, text) in WHOLE {
        let whole = parse(text.as_bytes()).expect(name);
        let mut most = 0;
        for cut in 0..text.len() {
            let Ok(report) = parse(&text.as_bytes()[..cut]) else { continue };
            assert!(report.cases.len() >= most || name == "trx", "{name} cut at {cut}");
            most = report.cases.len();
            assert!(!report.losses.is_empty() || text[cut..].trim().is_empty(), "{name} cut at {cut}");
            assert!(report.is_aborted || report.losses.is_empty(), "{name} cut at {cut}");
        }
        assert_eq!(most, whole.cases.len(), "{name}");
    }
}

/// What every report keeps to, however it came to be.
fn is_sound(report: &Report) -> bool {
    let is_case = |case: &Case| !case.suite.is_empty() && !case.name.is_empty() && !case.attempts.is_empty();
    report.cases.iter().all(is_case) && report.suites.iter().all(|suite| !suite.path.is_empty())
}

fn stays_sound(bytes: &[u8]) {
    for (name, parse, _) in WHOLE {
        if let Ok(report) = parse(bytes) {
            assert!(is_sound(&report), "{name}");
        }
    }
}

/// Pieces from which almost a report is made.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<testsuite name=\"s\" flaky='1'>".to_owned()),
        Just("<testcase name='t' classname=\"s.t\" time='1'>".into()),
        Just("<testcase name='t'/>".into()),
        Just("<failure message='failed on teardown'>".into()),
        Just("<rerunFailure/>".into()),
        Just("<flakyError><stackTrace>".into()),
        Just("<suite name='s'><test name='t'><kw type='TEARDOWN'><status status='FAIL'>".into()),
        Just("<status status='SKIP'>*HTML* re-executed<hr>New status:<br>".into()),
        Just("<InnerResults><UnitTestResult testId='1' outcome='Failed'>".into()),
        Just("<collection><test name='A.b(1)' method='b' result='Fail'>".into()),
        Just("<test-suite site='SetUp'><results><test-case name='a.b(' >".into()),
        Just("<![CDATA[".into()),
        Just("]]>".into()),
        Just("<!-- ".into()),
        Just("&#x26;&#0;&".into()),
        "</[a-z]{1,8}>".prop_map(|text| text),
        "[<>/='\" a&;é]{0,6}".prop_map(|text| text),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        stays_sound(&bytes);
        let _ = crate::read(&bytes, None);
    }

    #[test]
    fn almost_reports_never_panic(root in 0..WHOLE.len(), pieces in proptest::collection::vec(piece(), 0..40)) {
        let opening = ["<testsuites>", "<robot generator='Robot'>", "<TestRun><Results>", "<test-run>", "<test-results>", "<assemblies><assembly>"];
        let text = format!("{}{}", opening[root], pieces.concat());
        stays_sound(text.as_bytes());
    }

    #[test]
    fn mutated_reports_never_panic(
        sample in 0..WHOLE.len(),
        cut in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        doubled in any::<prop::sample::Index>(),
    ) {
        let mut bytes = WHOLE[sample].2.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let from = doubled.index(bytes.len());
        bytes.extend_from_within(from..);
        bytes.truncate(cut.index(bytes.len()) + 1);
        stays_sound(&bytes);
    }
}
