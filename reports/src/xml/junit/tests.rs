//! What each dialect says, and what it comes to.

use super::{looks, parse};
use crate::Verdict;
use crate::xml::tests::{case, cases, losses};

/// Some of everything.
pub const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nightly" timestamp="2024-01-02T03:04:05Z">
  <properties><property name="commit" value="abc"/><property name="bench">seven</property></properties>
  <testsuite name="outer" file="outer.py" time="9.5">
    <error message="set-up broke">trace of set-up</error>
    <testsuite name="inner" timestamp="2024-01-02T03:04:04">
      <testcase classname="inner" name="adds" time="1.5" file="inner.py" line="7">
        <properties><property name="tag" value="fast, small"/><property name="owner" value="cart team"/><property name="ticket" value="12"/></properties>
        <system-out>one
[[ATTACHMENT|/out/cart.png]]</system-out>
        <system-err><![CDATA[two < three]]></system-err>
      </testcase>
      <testcase classname="inner" name="fails"><failure message="no &amp; no" type="E">at line &#51;</failure></testcase>
      <testcase classname="inner" name="skips"><skipped message="later"/></testcase>
      <testcase classname="inner" name="flakes" time="3"><flakyFailure message="first"><stackTrace>at one</stackTrace><system-out>o</system-out></flakyFailure></testcase>
    </testsuite>
  </testsuite>
</testsuites>
"#;

/// The cases of one suite, each without the suite's name.
fn told(content: &str) -> Vec<String> {
    let file = format!("<testsuite name='s'>{content}</testsuite>");
    let report = parse(file.as_bytes()).expect(content);
    assert_eq!(losses(&report), [""; 0], "{content}");
    report.cases.iter().map(|one| case(one).strip_prefix("s:").map_or_else(|| case(one), str::to_owned)).collect()
}

#[test]
fn a_report_with_some_of_everything() {
    assert!(looks(SAMPLE.as_bytes()));
    let report = parse(SAMPLE.as_bytes()).expect("read");
    let expected = [
        "outer/inner:adds = passed <one\n[[ATTACHMENT|/out/cart.png]]\ntwo < three> 1.5s +/out/cart.png",
        "outer/inner:fails = failed \"no & no\" {at line 3}",
        "outer/inner:skips = skipped \"later\"",
        "outer/inner:flakes = failed \"first\" {at one} <o> 1.5s, passed 1.5s",
    ];
    assert_eq!(cases(&report), expected);
    let adds = &report.cases[0];
    assert_eq!(
        (adds.source.as_deref(), adds.line, adds.owner.as_deref()),
        (Some("inner.py"), Some(7), Some("cart team"))
    );
    assert_eq!(
        (&adds.tags[..], &adds.properties[..]),
        (&["fast".into(), "small".into()][..], &[("ticket".into(), "12".into())][..])
    );
    assert_eq!((report.name.as_deref(), report.commit.as_deref()), (Some("nightly"), Some("abc")));
    assert_eq!(report.properties, [("bench".to_owned(), "seven".to_owned())]);
    assert_eq!(report.started, Some(1_704_164_644_000_000));
    let outer = report.suites.last().expect("outer");
    assert_eq!((&outer.path[..], outer.source.as_deref()), (&["outer".to_owned()][..], Some("outer.py")));
    assert_eq!((outer.verdict, outer.message.as_deref()), (Some(Verdict::Errored), Some("set-up broke")));
    assert_eq!(outer.duration, Some(9_500_000));
}

#[test]
fn what_a_case_comes_to() {
    let table: [(&str, &str); 22] = [
        ("<testcase name='t'/>", "passed"),
        ("<testcase name='t'></testcase>", "passed"),
        ("<testcase name='t'><error/></testcase>", "errored"),
        ("<testcase name='t'><error>foo</error></testcase>", "errored \"foo\" {foo}"),
        ("<testcase name='t'><failure type='E'/></testcase>", "failed \"E\""),
        (
            "<testcase name='t'><failure>\n  first\n    at one</failure></testcase>",
            "failed \"first\" {  first\n    at one}",
        ),
        ("<testcase name='t'><failure/><error/><skipped/></testcase>", "errored"),
        (
            "<testcase name='t'><failure message='one'>at a</failure><failure message='two'>at b</failure></testcase>",
            "failed \"one\\ntwo\" {at a\n\ntwo\nat b}",
        ),
        ("<testcase name='t'><skipped>why</skipped></testcase>", "skipped \"why\""),
        ("<testcase name='t'><skipped type='pytest.xfail' message='known'/></testcase>", "skipped \"known\""),
        ("<testcase name='t' status='notrun'/>", "skipped"),
        ("<testcase name='t' status='run' result='suppressed'/>", "skipped"),
        ("<testcase name='t' status='run' result='completed'/>", "passed"),
        ("<testcase name='t' status='fail'/>", "failed"),
        ("<testcase name='t' status='disabled'><failure message='a'/></testcase>", "skipped \"a\""),
        ("<testcase name='t' status='softfail'><failure message='a'/></testcase>", "warned \"a\""),
        ("<testcase name='t'><softfailure message='a'/></testcase>", "warned \"a\""),
        ("<testcase name='t'><failure type='test timeout'/></testcase>", "timed out \"test timeout\""),
        ("<testcase name='t' time='&lt;&lt;computed>>'/>", "passed"),
        ("<testcase name='t' time='-4'/>", "passed"),
        ("<testcase name='t' time='1,234.5'/>", "passed 1234.5s"),
        ("<testcase name='t' time='02:03:56'/>", "passed 7436s"),
    ];
    for (content, expected) in table {
        assert_eq!(told(content), [format!("t = {expected}")], "{content}");
    }
}

#[test]
fn reruns_are_attempts() {
    let table: [(&str, &str); 7] = [
        (
            // Surefire: the time is the sum of all attempts.
            "<testcase name='t' time='3'><flakyError message='a'><stackTrace>at a</stackTrace></flakyError>\
             <flakyFailure message='b'/><system-out>last</system-out></testcase>",
            "errored \"a\" {at a} 1s, failed \"b\" 1s, passed <last> 1s",
        ),
        (
            "<testcase name='t' time='2'><failure message='a'>at a</failure><rerunFailure message='b'>\
             <stackTrace>at b</stackTrace><system-err>e</system-err></rerunFailure></testcase>",
            "failed \"a\" {at a} 1s, failed \"b\" {at b} <e> 1s",
        ),
        (
            // nextest: every attempt has its own time, and text around its elements.
            "<testcase name='t' time='1'><failure type='test failure'>p</failure><rerunFailure time='0.5' \
             type='test failure'>q<system-out>o</system-out></rerunFailure></testcase>",
            "failed \"p\" {p} 1s, failed \"q\" {q} <o> 0.5s",
        ),
        (
            // nextest, where a flaky test counts as failed.
            "<testcase name='t'><failure type='flaky failure' message='passed at last'/><flakyFailure>p</flakyFailure></testcase>",
            "failed \"p\" {p}, failed \"passed at last\"",
        ),
        ("<testcase name='t'><rerunFailure/><rerunError message='b'/></testcase>", "failed, errored \"b\""),
        (
            "<testcase name='t' flaky='true'><failure message='a'/><failure message='b'/></testcase>",
            "failed \"a\", failed \"b\", passed",
        ),
        ("<testcase name='t' time='1'><flakyFailure time='5'/></testcase>", "failed 5s, passed 1s"),
    ];
    for (content, expected) in table {
        assert_eq!(told(content), [format!("t = {expected}")], "{content}");
    }
}

#[test]
fn a_suite_that_counts_flaky_tests_marks_their_attempts() {
    let failures = "<testcase name='t'><failure message='a'/><failure message='b'/></testcase>";
    let table = [
        ("flaky='1' failures='0'", "failed \"a\", failed \"b\", passed"),
        ("flaky='1' failures='2'", "failed \"a\", failed \"b\""),
        ("flaky='0' failures='1'", "failed \"a\\nb\" {b}"),
    ];
    for (counts, expected) in table {
        let file = format!("<testsuites><testsuite name='s' {counts}>{failures}</testsuite></testsuites>");
        assert_eq!(cases(&parse(file.as_bytes()).expect(counts)), [format!("s:t = {expected}")], "{counts}");
    }
}

#[test]
fn repeated_cases() {
    let table: [(&str, &[&str]); 5] = [
        (
            "<testcase name='t'><failure message='a'/></testcase><testcase name='u'/><testcase name='t'/>",
            &["t = failed \"a\", passed", "u = passed"],
        ),
        ("<testcase name='t'/><testcase name='t'/>", &["t = passed", "t(#2) = passed"]),
        ("<testcase classname='a' name='t'/><testcase classname='b' name='t'/>", &["s/a:t = passed", "s/b:t = passed"]),
        (
            // pytest, a test that failed and whose teardown then broke.
            "<testcase name='t' time='1'><failure message='a'>at a</failure></testcase>\
             <testcase name='t' time='2'><error message='failed on teardown with \"b\"'>at b</error></testcase>",
            &["t = errored \"a\\n\\nfailed on teardown with \\\"b\\\"\" {at a\n\nat b} 3s"],
        ),
        (
            "<testcase name='t'><error message='failed on teardown with \"b\"'/></testcase>",
            &["t = errored \"failed on teardown with \\\"b\\\"\""],
        ),
    ];
    for (content, expected) in table {
        assert_eq!(told(content), expected, "{content}");
    }
}

#[test]
fn the_suite_of_a_case() {
    let table: [(&str, &str); 12] = [
        ("<testsuite name='a.B'><testcase classname='a.B' name='t'/></testsuite>", "a.B:t"),
        ("<testsuite name='pytest'><testcase classname='a.B' name='t'/></testsuite>", "pytest/a.B:t"),
        (
            "<testsuite name='a'><testsuite name='b'><testcase classname='a.b' name='t'/></testsuite></testsuite>",
            "a/b:t",
        ),
        ("<testsuite name='x/pkg'><testcase classname='pkg' name='t'/></testsuite>", "x/pkg:t"),
        ("<testsuite name='mypkg'><testcase classname='pkg' name='t'/></testsuite>", "mypkg/pkg:t"),
        ("<testsuite name='a'><testcase classname='t' name='t'/></testsuite>", "a:t"),
        ("<testsuite name='a'><testcase class='k' name='t'/></testsuite>", "a/k:t"),
        ("<testsuite><testcase classname='k' name='t'/></testsuite>", "k:t"),
        ("<testsuite package='p'><testcase name='t'/></testsuite>", "p:t"),
        ("<testsuites name='all'><testsuite><testcase name='t'/></testsuite></testsuites>", "all:t"),
        ("<testsuites name='all'><testcase classname='k' name='t'/></testsuites>", "k:t"),
        ("<testsuite><testcase/></testsuite>", "tests:(unnamed)"),
    ];
    for (file, expected) in table {
        assert_eq!(cases(&parse(file.as_bytes()).expect(file)), [format!("{expected} = passed")], "{file}");
    }
}

#[test]
fn the_output_of_a_suite_belongs_to_its_only_case() {
    assert_eq!(told("<testcase name='t'/><system-out>o</system-out><system-err>e</system-err>"), ["t = passed <o\ne>"]);
    assert_eq!(
        told("<testcase name='t'/><testcase name='u'/><system-out>o</system-out>"),
        ["t = passed", "u = passed"]
    );
}

#[test]
fn counts_come_from_the_cases_and_not_from_totals() {
    let report = parse(b"<testsuite name='s' tests='6' failures='-1'>\n</testsuite>").expect("read");
    assert_eq!(cases(&report), [""; 0]);
    assert_eq!(losses(&report), ["line 2: the suite \"s\" counts 6 tests and lists none"]);
}
