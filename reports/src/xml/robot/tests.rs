//! Files of every generation, and what Robot makes of them.

use super::{looks, parse};
use crate::xml::tests::cases;
use crate::{Report, Verdict};

/// What Robot 7 writes.
pub const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<robot generator="Robot 7.1 (Python 3.12 on linux)" generated="2024-01-02T03:04:05.000000" rpa="false" schemaversion="5">
<suite id="s1" name="Shop" source="/shop">
<kw name="Open" type="SETUP"><status status="PASS" start="2024-01-02T03:04:05" elapsed="0.1"/></kw>
<suite id="s1-s1" name="Cart" source="/shop/cart.robot">
<test id="s1-s1-t1" name="Adds" line="7">
<kw name="Log" owner="BuiltIn"><msg time="2024-01-02T03:04:05" level="INFO" html="true">&lt;img src="cart.png"&gt;</msg>
<tag>of a keyword</tag><status status="PASS" start="2024-01-02T03:04:05" elapsed="0.1"/></kw>
<tag>fast</tag><tag>owner:cart team</tag>
<status status="PASS" start="2024-01-02T03:04:05.5" elapsed="1.5"/>
</test>
<test id="s1-s1-t2" name="Removes" line="12">
<kw name="Try"><kw name="Fail" owner="BuiltIn"><status status="FAIL" start="2024-01-02T03:04:05" elapsed="0.1"/></kw>
<status status="PASS" start="2024-01-02T03:04:05" elapsed="0.1"/></kw>
<for flavor="IN"><iter><kw name="Remove One"><kw name="Should Be Equal" owner="BuiltIn"><msg time="2024-01-02T03:04:05" level="FAIL">1 != 2</msg>
<status status="FAIL" start="2024-01-02T03:04:05" elapsed="0.1"/></kw>
<status status="FAIL" start="2024-01-02T03:04:05" elapsed="0.1"/></kw>
<status status="FAIL" start="2024-01-02T03:04:05" elapsed="0.1"/></iter>
<status status="FAIL" start="2024-01-02T03:04:05" elapsed="0.1"/></for>
<status status="FAIL" start="2024-01-02T03:04:07" elapsed="0.25">1 != 2</status>
</test>
<test id="s1-s1-t3" name="Waits" line="20"><status status="SKIP" start="2024-01-02T03:04:08" elapsed="0">later</status></test>
<status status="FAIL" start="2024-01-02T03:04:05" elapsed="5"/>
</suite>
<meta name="Bench">seven</meta>
<status status="FAIL" start="2024-01-02T03:04:05" elapsed="60"/>
</suite>
<statistics><total><stat pass="1" fail="1" skip="1">All Tests</stat></total></statistics>
<errors><msg time="2024-01-02T03:04:05" level="WARN">old keyword</msg></errors>
</robot>
"#;

/// A suite with these children, from this writer.
fn read(generator: &str, content: &str) -> Report {
    let file = format!("<robot generator='{generator}'><suite name='S'>{content}</suite></robot>");
    parse(file.as_bytes()).expect(content)
}

const TESTS: &str = "<test name='p'><status status='PASS'/></test><test name='f'><status status='FAIL'>no</status></test>\
    <test name='s'><status status='SKIP'>later</status></test>";

#[test]
fn what_robot_7_writes() {
    assert!(looks(SAMPLE.as_bytes()));
    let report = parse(SAMPLE.as_bytes()).expect("read");
    let expected = [
        "Shop/Cart:Adds = passed 1.5s +cart.png",
        "Shop/Cart:Removes = failed \"1 != 2\" {Remove One > Should Be Equal} 0.25s",
        "Shop/Cart:Waits = skipped \"later\" 0s",
    ];
    assert_eq!(cases(&report), expected);
    let adds = &report.cases[0];
    assert_eq!(
        (adds.source.as_deref(), adds.line, adds.owner.as_deref()),
        (Some("/shop/cart.robot"), Some(7), Some("cart team"))
    );
    assert_eq!(adds.tags, ["fast"]);
    assert_eq!(adds.attempts[0].started, Some(1_704_164_645_500_000));
    assert_eq!((report.started, report.finished), (Some(1_704_164_645_000_000), Some(1_704_164_705_000_000)));
    let properties =
        [("Bench", "seven"), ("warn", "old keyword")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(report.properties, properties);
    assert!(report.suites.iter().all(|suite| suite.verdict.is_none()));
}

#[test]
fn what_robot_2_writes() {
    let content = "<suite source='/a.txt' name='A'><metadata><item name='m'>v</item></metadata><test name='t' timeout=''>\
        <kw type='kw' name='BuiltIn.Fail'><msg timestamp='20240102 03:04:05.250' level='FAIL'>no</msg>\
        <status status='FAIL' endtime='20240102 03:04:05.500' starttime='20240102 03:04:05.250'></status></kw>\
        <tags><tag>one</tag><tag>two</tag></tags>\
        <status status='FAIL' endtime='20240102 03:04:06.000' critical='yes' starttime='20240102 03:04:05.250'>\n\tno\n</status></test></suite>";
    let report = read("Robot 2.5 (Python 2.6.2 on linux2)", content);
    assert_eq!(cases(&report), ["S/A:t = failed \"no\" {BuiltIn.Fail} 0.75s"]);
    assert_eq!(report.cases[0].tags, ["one", "two"]);
    assert_eq!(report.cases[0].attempts[0].started, Some(1_704_164_645_250_000));
}

#[test]
fn a_suite_may_be_the_root() {
    let file = "<suite name='S'><test name='t'><status status='PASS'/></test></suite>";
    assert!(looks(file.as_bytes()) && !looks(b"<suite name='x'/>"));
    assert_eq!(cases(&parse(file.as_bytes()).expect("read")), ["S:t = passed"]);
}

#[test]
fn a_teardown_turns_the_tests_of_its_suite_red() {
    let teardown = "<kw name='Clean' type='TEARDOWN'><status status='FAIL'>disk full</status></kw>";
    let report = read("Robot 6.1", &format!("<suite name='A'>{TESTS}</suite>{teardown}"));
    let expected = [
        "S/A:p = failed \"Parent suite teardown failed:\\ndisk full\"",
        "S/A:f = failed \"no\\n\\nAlso parent suite teardown failed:\\ndisk full\"",
        "S/A:s = skipped \"later\\n\\nAlso parent suite teardown failed:\\ndisk full\"",
    ];
    assert_eq!(cases(&report), expected);
    let root = report.suites.last().expect("the root");
    assert_eq!(
        (root.verdict, root.message.as_deref()),
        (Some(Verdict::Errored), Some("Teardown failed: disk full (in Clean)"))
    );
}

#[test]
fn a_long_message_of_a_teardown_is_not_repeated_in_full() {
    let teardown =
        format!("<kw name='Clean' type='TEARDOWN'><status status='FAIL'>{}</status></kw>", "no ".repeat(9_000));
    let inner = (0..9).fold(TESTS.to_owned(), |inner, _| format!("<suite name='A'>{inner}{teardown}</suite>"));
    let report = read("Robot 6.1", &inner);
    let lengths: Vec<_> =
        report.cases.iter().filter_map(|case| case.attempts[0].message.as_ref()).map(String::len).collect();
    assert!(lengths.len() == 3 && lengths.iter().all(|length| (2_000..4_000).contains(length)), "{lengths:?}");
    assert_eq!(report.cases[0].verdict(), Verdict::Failed);
}

#[test]
fn a_teardown_may_skip_them_or_have_its_say_in_its_log() {
    let skipping = "<kw name='Clean' type='TEARDOWN'><status status='SKIP'>not here</status></kw>";
    let expected = [
        "S:p = skipped \"Skipped in parent suite teardown:\\nnot here\"",
        "S:f = skipped \"Skipped in parent suite teardown:\\nnot here\\n\\nEarlier message:\\nno\"",
        "S:s = skipped \"Skipped in parent suite teardown:\\nnot here\\n\\nEarlier message:\\nlater\"",
    ];
    assert_eq!(cases(&read("Robot 5.0", &format!("{TESTS}{skipping}"))), expected);
    let logged = "<kw name='BuiltIn.Fail' type='teardown'><msg level='FAIL'>AssertionError</msg><status status='FAIL'></status></kw>";
    let report = read("robot trunk", &format!("<test name='p'><status status='PASS'/></test>{logged}"));
    assert_eq!(cases(&report), ["S:p = failed \"Parent suite teardown failed:\\nAssertionError\""]);
}

#[test]
fn what_rebot_wrote_is_settled_already() {
    let teardown = "<kw name='Clean' type='TEARDOWN'><status status='FAIL'>disk full</status></kw>";
    let report = read(
        "Rebot 6.1",
        &format!(
            "<test name='p'><status status='FAIL'>Parent suite teardown failed:\ndisk full</status></test>{teardown}"
        ),
    );
    assert_eq!(cases(&report), ["S:p = failed \"Parent suite teardown failed:\\ndisk full\""]);
    let dry = read(
        "Robot 6.1",
        "<test name='p'><status status='PASS'/></test><kw name='Clean' type='TEARDOWN'><status status='NOT RUN'/></kw>",
    );
    assert_eq!(cases(&dry), ["S:p = passed"]);
}

#[test]
fn a_setup_that_failed_is_told_of_its_suite() {
    let report = read(
        "Robot 6.1",
        "<kw name='Open' type='setup'><kw name='Dial'><status status='FAIL'/></kw><status status='FAIL'>no line</status></kw>",
    );
    let suite = &report.suites[0];
    assert_eq!(
        (suite.verdict, suite.message.as_deref()),
        (Some(Verdict::Errored), Some("Setup failed: no line (in Open > Dial)"))
    );
}

#[test]
fn merged_results_are_taken_apart() {
    let table: [(&str, &str, &str); 6] = [
        (
            "PASS",
            "*HTML* &lt;span class=\"merge\"&gt;Test has been re-executed and results merged.&lt;/span&gt;&lt;hr&gt;\
             &lt;span class=\"new-status\"&gt;New status:&lt;/span&gt; &lt;span class=\"pass\"&gt;PASS&lt;/span&gt;&lt;br&gt;&lt;hr&gt;\
             &lt;span class=\"old-status\"&gt;Old status:&lt;/span&gt; &lt;span class=\"fail\"&gt;FAIL&lt;/span&gt;&lt;br&gt;\
             &lt;span class=\"old-message\"&gt;Old message:&lt;/span&gt; 1 &amp;lt; 2&lt;br&gt;",
            "failed \"1 < 2\", passed",
        ),
        (
            "FAIL",
            "*HTML* Test has been re-executed and results merged.&lt;hr&gt;New status: FAIL&lt;br&gt;New message: third&lt;br&gt;\
             &lt;hr&gt;Old status: PASS&lt;br&gt;&lt;hr&gt;Old status: FAIL&lt;br&gt;Old message: first&lt;hr&gt;and more&lt;br&gt;",
            "failed \"first\\nand more\", passed, failed \"third\"",
        ),
        (
            "PASS",
            "*HTML*Re-executed test has been merged.&lt;hr&gt;New status:  &lt;span class=\"pass\"&gt;PASS&lt;/span&gt;&lt;br&gt;New message:  \
             &lt;hr&gt;Old status:  &lt;span class=\"fail\"&gt;FAIL&lt;/span&gt;&lt;br&gt;Old message:  no",
            "failed \"no\", passed",
        ),
        ("PASS", "*HTML* Test added from merged output.", "passed \"*HTML* Test added from merged output.\""),
        ("PASS", "well\n[RETRY] PASS on 2. retry.", "failed, failed, passed \"well\\n[RETRY] PASS on 2. retry.\""),
        ("FAIL", "[RETRY] FAIL on x. retry.", "failed \"[RETRY] FAIL on x. retry.\""),
    ];
    for (status, message, expected) in table {
        let report = read("Rebot 7.0", &format!("<test name='t'><status status='{status}'>{message}</status></test>"));
        assert_eq!(cases(&report), [format!("S:t = {expected}")], "{message}");
    }
}

#[test]
fn live_retries_are_attempts_and_twins_are_not() {
    let content = "<test name='t' line='3'><status status='SKIP'>no\nSkipped for Retry</status></test>\
        <test name='t' line='3'><status status='PASS'/></test>\
        <test name='u' line='5'><status status='FAIL'>no</status></test><test name='u' line='9'><status status='PASS'/></test>";
    let expected = ["S:t = failed \"no\", passed", "S:u = failed \"no\"", "S:u(#2) = passed"];
    assert_eq!(cases(&read("Robot 7.0", content)), expected);
}

#[test]
fn a_run_that_was_killed_keeps_the_tests_it_ended() {
    let file = "<robot generator='Robot 7.0'><suite name='S'><test name='a'><status status='PASS'/></test><test name='b'><kw name='Sleep'>";
    let report = parse(file.as_bytes()).expect("read");
    assert_eq!(cases(&report), ["S:a = passed", "S:b = unknown"]);
    assert!(report.is_aborted && report.losses.len() == 1);
}
