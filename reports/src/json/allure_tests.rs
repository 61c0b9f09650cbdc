use super::*;

fn result(uuid: &str, status: &str, start: u64, more: &str) -> String {
    format!(
        r#"{{"uuid":"{uuid}","name":"pays","fullName":"shop.Cart.pays","status":"{status}","start":{start},"stop":{},
        "labels":[{{"name":"parentSuite","value":"Shop"}},{{"name":"suite","value":"Cart"}},{{"name":"tag","value":"slow"}},
        {{"name":"owner","value":"team"}},{{"name":"severity","value":"minor"}},{{"name":"framework","value":"junit"}}],"steps":[
        {{"name":"s","steps":[{{"attachments":[{{"name":"page","source":"p.html","type":"text/html"}}]}}]}}]{more}}}"#,
        start + 1_500
    )
}

const START: u64 = 1_700_000_000_000;

#[test]
fn one_result_is_a_report_of_one_test() {
    let text = result(
        "u",
        "broken",
        START,
        r#","statusDetails":{"message":"m","trace":"t","flaky":true},"parameters":[
        {"name":"size","value":"3"},{"name":"key","value":"k","mode":"masked"},{"name":"at","value":"now","excluded":true},{"name":"x","mode":"hidden"}]"#,
    );
    assert!(looks(text.as_bytes()));
    let report = parse(text.as_bytes()).expect("is a report");
    let (case, attempt) = (&report.cases[0], &report.cases[0].attempts[0]);
    assert_eq!(
        (case.suite.join(">"), case.tags.join(" "), case.owner.as_deref()),
        ("Shop>Cart".into(), "slow".into(), Some("team"))
    );
    assert_eq!(case.parameters.as_deref(), Some("size=3, key=***"));
    assert_eq!((attempt.verdict, attempt.duration), (Verdict::Errored, Some(1_500_000)));
    assert_eq!((attempt.message.as_deref(), attempt.trace.as_deref()), (Some("m"), Some("t")));
    assert_eq!(attempt.attachments[0].path.as_deref(), Some("p.html"));
    assert!(
        case.properties.contains(&("flaky".into(), "true".into()))
            && case.properties.contains(&("severity".into(), "minor".into()))
    );
    assert_eq!(report.framework.as_deref(), Some("junit"));
}

#[test]
fn results_with_few_words_are_read() {
    let table = [
        (r#"{"name":"a","status":"Passed","start":1700000000000}"#, Verdict::Passed, "Allure"),
        (r#"{"uuid":"u","name":"a","start":1}"#, Verdict::Unknown, "Allure"),
        (r#"{"name":"a","status":"skipped","fullName":"x.y#a"}"#, Verdict::Skipped, "x.y"),
        (r#"{"name":"a","status":"failed","titlePath":["t","c"],"labels":{"owner":"me"}}"#, Verdict::Failed, "t>c"),
        (r#"{"name":"a","stage":"interrupted","uuid":"u"}"#, Verdict::Cancelled, "Allure"),
    ];
    for (text, verdict, suite) in table {
        assert!(looks(text.as_bytes()), "{text}");
        let report = parse(text.as_bytes()).expect("is a report");
        assert_eq!((report.cases[0].verdict(), report.cases[0].suite.join(">")), (verdict, suite.to_owned()), "{text}");
    }
    for text in [
        r#"{"name":"launch"}"#,
        r#"{"name":"j","type":"jenkins"}"#,
        r#"[{"name":"Ignored","matchedStatuses":["skipped"]}]"#,
    ] {
        assert!(!looks(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_folder_is_one_report_and_its_retries_are_attempts() {
    let history = r#","historyId":"h""#;
    let (second, first) = (result("2", "passed", START + 9_000, history), result("1", "failed", START, history));
    let other = result("3", "passed", START + 20_000, r#","historyId":"other""#);
    let container = r#"{"uuid":"c","children":["9","1"],"befores":[{"name":"start","status":"passed"}],"afters":[{"name":"stop","status":"broken","statusDetails":{"message":"stuck"}}]}"#;
    let files = [
        ("r/2-result.json", second.as_str()),
        ("r/3-result.json", &other),
        ("r/1-result.json", &first),
        ("r/c-container.json", container),
        ("r/bad-result.json", "<html>"),
        ("r/cut-result.json", &other[..40]),
        ("r/shot.png", "{\"name\":"),
        ("environment.properties", "# made by hand\nbrowser=chrome\nurl = x"),
        ("executor.json", r##"{"buildName":"#7","buildUrl":"https://ci/7"}"##),
    ];
    let report = join(files.iter().map(|(name, text)| (*name, text.as_bytes())));
    let attempts: Vec<_> = report
        .cases
        .iter()
        .map(|case| case.attempts.iter().map(|attempt| attempt.verdict).collect::<Vec<_>>())
        .collect();
    assert_eq!(attempts, [vec![Verdict::Failed, Verdict::Passed], vec![Verdict::Passed]]);
    assert!(report.cases.iter().any(Case::is_flaky));
    assert_eq!(report.suites[0].path, ["Shop", "Cart"]);
    assert_eq!(report.suites[0].message.as_deref(), Some("stop\n\nstuck"));
    assert_eq!((report.name.as_deref(), report.properties.len()), (Some("#7"), 2));
    assert!(report.losses.iter().any(|loss| loss.place == "r/bad-result.json"), "{:?}", report.losses);
    assert!(report.losses.iter().any(|loss| loss.place.starts_with("r/cut-result.json")), "{:?}", report.losses);
}

#[test]
fn fixtures_and_errors_outside_of_tests_fail_a_report_without_tests() {
    let container = r#"{"uuid":"c","name":"Cart","children":[],"befores":[{"name":"start","status":"failed"}]}"#;
    let globals = r#"{"attachments":[],"errors":[{"message":"no disk"}]}"#;
    for (text, path) in [(container, "Cart"), (globals, text::OUTSIDE)] {
        assert!(looks(text.as_bytes()));
        let report = parse(text.as_bytes()).expect("is a report");
        assert!(report.cases.is_empty() && report.has_failed());
        assert_eq!(report.suites[0].path, [path]);
    }
}
