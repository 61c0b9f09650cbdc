//! TRX, `NUnit` and xUnit.net, by one whole report of each.

use super::tests::cases;
use super::{nunit, trx, xunit};
use crate::{Report, Verdict};

/// The start of the runs in the samples.
const BEGAN: i64 = 1_704_164_645_000_000;

/// What is said of suites that broke by themselves.
fn broken(report: &Report) -> Vec<(String, &str)> {
    let broken = report.suites.iter().filter(|suite| suite.verdict == Some(Verdict::Errored));
    broken.map(|suite| (suite.path.join("/"), suite.message.as_deref().unwrap_or_default())).collect()
}

#[test]
fn results_of_visual_studio_meet_their_tests() {
    let report = trx::parse(include_bytes!("samples/results.trx")).expect("read");
    let expected = [
        "Shop.CartTests:Adds(count: 2) = passed <adding\na note> 1.5s +host\\cart.png",
        "Shop.CartTests:Removes = failed \"left one\\nover\" {   at Shop.CartTests.Removes()} 0.02s",
        "Shop.RowTests:Rows(row 0) = failed",
        "Shop.RowTests:Rows(row 1) = passed",
        "Shop.Later:Ships = skipped",
        "shop.dll:Slow = timed out",
        "tests:Silent = errored \"crashed\"",
    ];
    assert_eq!(cases(&report), expected);
    let adds = &report.cases[0];
    assert_eq!((&adds.tags[..], adds.owner.as_deref()), (&["fast".to_owned()][..], Some("cart team")));
    assert_eq!(adds.properties, [("ticket".to_owned(), "12".to_owned())]);
    assert_eq!(report.started, Some(BEGAN - 3_600_000_000));
    assert_eq!(broken(&report), [("nightly".into(), "The host went away.")]);
}

#[test]
fn what_failed_around_its_rows_is_kept() {
    let file = "<TestRun><Results><UnitTestResult testName='A.Rows' outcome='Failed'><InnerResults>\
        <UnitTestResult testName='A.Rows(1)' outcome='Passed'/></InnerResults></UnitTestResult></Results></TestRun>";
    let report = trx::parse(file.as_bytes()).expect("read");
    assert_eq!(cases(&report), ["A:Rows(1) = passed", "A:Rows = failed"]);
}

#[test]
fn nunit_3_keeps_arguments_apart_and_fixtures_to_account() {
    let report = nunit::parse(include_bytes!("samples/nunit3.xml")).expect("read");
    let expected = [
        "Shop.dll/Shop/CartTests:Adds(1,\"a.b\") = passed <adding> 0.25s +/out/cart.png",
        "Shop.dll/Shop/CartTests:Adds(2,null) = passed",
        "Shop.dll/Shop/CartTests:Removes = failed \"left one\" {  at Shop.CartTests.Removes()}",
        "Shop.dll/Shop/CartTests:Crashes = errored \"null\"",
        "Shop.dll/Shop/CartTests:Ignores = skipped \"later\"",
        "Shop.dll/Shop/CartTests:Assumes = skipped",
        "Shop.dll/Shop/CartTests:Warns = warned \"slow\"",
        "Shop.dll/Shop/CartTests:Twice = failed",
        "Shop.dll/Shop/CartTests:Twice(#2) = passed",
    ];
    assert_eq!(cases(&report), expected);
    let adds = &report.cases[0];
    assert_eq!((&adds.tags[..], adds.owner.as_deref()), (&["fast".to_owned()][..], Some("cart team")));
    assert_eq!(adds.properties, [("Ticket".to_owned(), "12".to_owned())]);
    assert_eq!(adds.attempts[0].started, Some(BEGAN + 1_000_000));
    assert_eq!(report.framework.as_deref(), Some("NUnit 4.0.1"));
    assert_eq!((report.started, report.finished), (Some(BEGAN), Some(BEGAN + 60_000_000)));
    assert_eq!(broken(&report), [("Shop.dll/Shop/CartTests".into(), "TearDown : disk full")]);
}

#[test]
fn nunit_2_says_it_in_other_words() {
    let report = nunit::parse(include_bytes!("samples/nunit2.xml")).expect("read");
    let expected = [
        "Shop.dll/Shop/CartTests:Adds = passed 0.5s",
        "Shop.dll/Shop/CartTests:Counts(1.5,\"x)\") = passed",
        "Shop.dll/Shop/CartTests:Removes = failed \"Expected: 1\\n  But was:  2\" {  at Shop.CartTests.Removes()} 0.25s",
        "Shop.dll/Shop/CartTests:Waits = skipped \"later\"",
        "Shop.dll/Shop/CartTests:Crashes = errored",
    ];
    assert_eq!(cases(&report), expected);
    assert_eq!(report.cases[0].tags, ["fast"]);
    assert_eq!((report.started, report.framework.as_deref()), (Some(BEGAN), Some("NUnit 2.6.4")));
}

#[test]
fn xunit_net_of_every_version() {
    let report = xunit::parse(include_bytes!("samples/xunit.xml")).expect("read");
    let expected = [
        "Shop.Tests.dll/Shop.CartTests:Adds(count: 2) = passed <adding> 0.5s",
        "Shop.Tests.dll/Shop.CartTests:Adds(count: 2 #2) = failed \"left one\" {   at Shop.CartTests.Adds()} 0.5s",
        "Shop.Tests.dll/Shop.CartTests:Adds(count: 2 #3) = passed",
        "Shop.Tests.dll/Shop.CartTests:Takes everything out. = skipped \"later\"",
        "Shop.Tests.dll/Test collection for Shop.CartTests:loose = warned \"slow\" +log",
        "old.dll/Old.Tests:Runs = passed 0.125s",
    ];
    assert_eq!(cases(&report), expected);
    let adds = &report.cases[0];
    assert_eq!((adds.source.as_deref(), adds.line), (Some("cart.cs"), Some(12)));
    assert_eq!((&adds.tags[..], adds.owner.as_deref()), (&["fast".to_owned()][..], Some("cart team")));
    assert_eq!(report.started, Some(BEGAN - 1_000_000));
    assert_eq!(broken(&report), [("Shop.Tests.dll".into(), "assembly-cleanup of Shop.Fixture: disk full")]);
}
