use super::*;

fn answers(lines: &[&str]) -> Vec<Answer> {
    replay(&Model::default(), lines).collect()
}

fn judged(answer: &Answer) -> &Judged {
    match answer {
        Answer::Judged(judged) => judged,
        Answer::Refused(refused) => panic!("{refused}"),
    }
}

#[test]
fn a_bad_line_is_refused_and_the_others_go_on() {
    let found = answers(&[
        r#"{"test":"t","setup":"s","run":"1","commit":"a","fail":false,"at":"2026-03-01T12:00:00Z"}"#,
        "",
        r#"{"test":"t","run":"1"}"#,
        "nonsense",
        r#"{"test":"t","setup":"s","run":"2","commit":null,"fail":true,"at":"yesterday"}"#,
        r#"{"test":"t","setup":"s","run":2,"fail":true,"at":1772370000.5}"#,
        r#"{"test":"t","setup":"s","run":3,"fail":true,"at":1e300}"#,
    ]);
    let lines: Vec<_> = found
        .iter()
        .map(|answer| match answer {
            Answer::Judged(judged) => format!("{}: {} {}", judged.line, judged.run, judged.label),
            Answer::Refused(refused) => refused.to_string(),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    1: 1 new
    line 3: missing field `fail`, column 22
    line 4: expected ident, column 2
    line 5: `at` is no RFC 3339 time with a zone: "yesterday"
    6: 2 new
    line 7: a time of 1e300 s is out of range
    "#);
}

#[test]
fn every_digit_is_written() {
    let found = answers(&[r#"{"test":"t","run":1,"commit":7,"fail":false}"#]);
    insta::assert_snapshot!(judged(&found[0]), @r#"{"line":1,"test":"t","setup":"","run":"1","p_flaky":0.043719951200194986,"p_broken":1.0167875021139132e-6,"p_healthy":0.9562790828516781,"p_next_fail":0.0035118474877098827,"phi":0.0035012746889175918,"theta_mean":0.08008413991326634,"theta_q05":0.0009668452928861516,"theta_q95":0.4070445109772337,"label":"new","incident":false}"#);
    let back: serde_json::Value = serde_json::from_str(&judged(&found[0]).to_string()).expect("JSON");
    assert_eq!(back["p_flaky"].as_f64(), Some(judged(&found[0]).p_flaky));
}

#[test]
fn an_incident_is_known_from_its_first_line_on() {
    let mut lines = Vec::new();
    for run in 0..4 {
        for test in 0..10 {
            let failed = run == 2 && test < 6;
            lines.push(format!(
                r#"{{"test":{test},"setup":"s","run":{run},"commit":{run},"fail":{failed},"t_days":{run}}}"#
            ));
        }
    }
    let model = Model::default();
    let found: Vec<_> = replay(&model, &lines).collect();
    let incident: Vec<_> =
        found.iter().map(judged).filter(|judged| judged.incident).map(|judged| judged.line).collect();
    assert_eq!(incident, [21, 22, 23, 24, 25, 26]);
    assert!(found[30..].iter().all(|answer| judged(answer).p_flaky < 0.1));
}

#[test]
fn a_line_may_say_that_its_run_was_an_incident() {
    let line = |run: u32, rest: &str| format!(r#"{{"test":"t","run":{run},"commit":{run},{rest}}}"#);
    let mut lines: Vec<_> = (0..100).map(|run| line(run, r#""fail":false"#)).collect();
    lines.push(line(100, r#""fail":true,"incident":true"#));
    lines.push(line(101, r#""fail":false"#));
    let model = Model::default();
    let last = replay(&model, &lines).last().expect("102 lines");
    assert!((judged(&last).p_flaky - 0.015_827_319_250_402_29).abs() < 1e-9);
}

#[test]
fn runs_of_one_name_on_two_setups_are_two() {
    let line =
        |setup: &str, fail: bool| format!(r#"{{"test":"t","setup":"{setup}","run":"r","commit":"c","fail":{fail}}}"#);
    let found = answers(&[&line("a", true), &line("b", false), &line("a", false)]);
    assert!(judged(&found[1]).p_flaky < 0.05, "another setup's failure is not its own");
    assert!(judged(&found[2]).p_flaky > 0.3);
}
