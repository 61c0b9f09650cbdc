use super::*;
use app::domain::event::{Event, EventKind, RunEvent, TEXT_KEPT};
use app::domain::test::Verdict;
use app::domain::time::Micros;
use serde_json::{Value, json};

fn finished() -> Value {
    json!({
        "type": "test.finished", "at": "2026-03-01T12:00:00.25Z", "setup": "bench 7", "run": "r1",
        "suite": ["Root", "Valves"], "test": "opens", "verdict": "passed", "duration_ms": 12.5,
    })
}

/// The event with one field set to something else; `null` leaves it out.
fn with(field: &str, value: Value) -> Value {
    let mut event = finished();
    event[field] = value;
    event
}

fn one(event: &Value) -> Parsed {
    parse(event.to_string().as_bytes(), Format::Json).expect("readable")
}

fn event(event: &Value) -> Event {
    let mut parsed = one(event);
    assert_eq!(parsed.rejected, [], "{event}");
    parsed.events.remove(0).event
}

fn fault(event: &Value) -> (String, String) {
    let mut parsed = one(event);
    assert_eq!(parsed.events, [], "{event}");
    let rejected = parsed.rejected.remove(0);
    (rejected.pointer, rejected.detail)
}

#[test]
fn a_typical_event_becomes_a_value() {
    let Event { at, setup, kind: EventKind::Run(run, what), .. } = event(&finished()) else { panic!("a run's event") };
    assert_eq!((at.to_rfc3339().as_str(), setup.as_str()), ("2026-03-01T12:00:00.250000Z", "bench 7"));
    let RunEvent::TestFinished { test, verdict, duration, text } = what else { panic!("a finish") };
    assert_eq!((run.as_str(), &*test.name, test.attempt), ("r1", "opens", 1));
    assert_eq!(test.suite.iter().map(|name| &**name).collect::<Vec<_>>(), ["Root", "Valves"]);
    assert_eq!((verdict, duration, text), (Verdict::Passed, Some(Micros(12_500)), None));
}

#[test]
fn every_type_of_the_contract_is_read() {
    let base = |kind: &str| json!({"type": kind, "at": 1_772_366_400_000_u64, "setup": "s", "run": "r"});
    let more = [
        ("run.planned", json!({"plan": {"suites": [{"name": "R", "tests": [{"name": "t"}]}]}})),
        ("run.started", json!({"commit": "abc", "total_tests": 3, "attributes": {"fw": 1.5, "dry": true}})),
        ("suite.started", json!({"suite": ["R"], "total_tests": 2.0})),
        ("suite.phase", json!({"suite": ["R"], "phase": "teardown"})),
        ("test.started", json!({"suite": ["R"], "test": "t", "tags": ["a"], "line": 0, "attempt": 2})),
        ("log", json!({"level": "info", "message": "hello"})),
        ("suite.finished", json!({"suite": ["R"], "verdict": "errored", "message": "no"})),
        ("run.finished", json!({"aborted": true, "shard": 2})),
        ("setup.heartbeat", json!({})),
        ("setup.described", json!({"attributes": {"ip": "10.0.0.1"}})),
    ];
    for (kind, fields) in more {
        let mut said = base(kind);
        fields.as_object().expect("fields").iter().for_each(|(name, value)| said[name] = value.clone());
        assert!(!matches!(event(&said).kind, EventKind::Unknown(_)), "{kind}");
        assert_eq!(&*one(&said).events[0].kind, kind);
    }
}

#[test]
fn every_fault_has_its_pointer() {
    let table = [
        ("verdict", json!("great"), "/verdict"),
        ("verdict", json!(7), "/verdict"),
        ("verdict", json!(null), "/verdict"),
        ("at", json!("noon"), "/at"),
        ("at", json!("2026-03-01T12:00:00"), "/at"),
        ("at", json!({}), "/at"),
        ("at", json!(null), "/at"),
        ("suite", json!([]), "/suite"),
        ("suite", json!("Root"), "/suite"),
        ("suite", json!(["Root", "A", 3]), "/suite/2"),
        ("suite", json!(["Root", " "]), "/suite/1"),
        ("suite", json!(vec!["x"; 33]), "/suite/32"),
        ("test", json!(""), "/test"),
        ("setup", json!("a\nb"), "/setup"),
        ("setup", json!(null), "/setup"),
        ("run", json!("x".repeat(201)), "/run"),
        ("project", json!("events"), "/project"),
        ("id", json!("not-a-uuid"), "/id"),
        ("attempt", json!(0), "/attempt"),
        ("attempt", json!(1.5), "/attempt"),
        ("attempt", json!("1"), "/attempt"),
        ("duration_ms", json!(-1), "/duration_ms"),
        ("duration_ms", json!("1"), "/duration_ms"),
        ("message", json!(["a"]), "/message"),
        ("type", json!(null), "/type"),
        ("type", json!(5), "/type"),
    ];
    for (field, value, pointer) in table {
        let (found, detail) = fault(&with(field, value.clone()));
        assert_eq!(found, pointer, "{field} = {value}: {detail}");
    }
}

#[test]
fn an_unknown_verdict_is_answered_with_the_known_ones() {
    let (_, detail) = fault(&with("verdict", json!("ok")));
    assert_eq!(detail, r#""ok" is not one of unknown, passed, warned, skipped, cancelled, timed_out, errored, failed"#);
}

#[test]
fn an_unknown_type_is_kept_whatever_else_it_carries() {
    let said = json!({"type": "test.paused", "at": 0, "setup": "s", "run": 5, "suite": 7, "verdict": "?"});
    assert_eq!(event(&said).kind, EventKind::Unknown(None));
    let said = json!({"type": "test.paused", "at": 0, "setup": "s", "run": "r"});
    assert!(matches!(event(&said).kind, EventKind::Unknown(Some(_))));
}

#[test]
fn fields_of_other_types_do_not_matter() {
    let said = with("phase", json!({"moon": "full"}));
    assert!(matches!(event(&said).kind, EventKind::Run(..)));
    let twice = finished().to_string().replacen('{', r#"{"test":"first","#, 1);
    assert_eq!(parse(twice.as_bytes(), Format::Json).expect("readable").events.len(), 1);
}

#[test]
fn long_texts_are_cut_between_characters_and_nul_is_replaced() {
    let said = with("message", json!(format!("\0{}", "ü".repeat(TEXT_KEPT))));
    let EventKind::Run(_, RunEvent::TestFinished { text: Some(text), .. }) = event(&said).kind else {
        panic!("a text")
    };
    let message = text.message.expect("a message");
    assert!(message.starts_with("\u{fffd}ü") && message.len() <= TEXT_KEPT && message.len() > TEXT_KEPT - 4);
}

#[test]
fn faults_in_a_plan_have_pointers() {
    let plan =
        |suites: Value| json!({"type": "run.planned", "at": 0, "setup": "s", "run": "r", "plan": {"suites": suites}});
    let good =
        json!({"name": "a", "suites": [{"name": "b"}], "tests": [{"name": "t", "parameters": "x", "script": "…"}]});
    assert!(
        matches!(event(&plan(json!([good]))).kind, EventKind::Run(_, RunEvent::Planned(plan)) if plan.suites.len() == 1)
    );
    let nameless = json!([{"name": "a", "tests": [{"name": "t"}, {"name": "t"}, {"name": "t"}, {"nam": "t"}]}]);
    assert_eq!(fault(&plan(nameless)).0, "/plan/suites/0/tests/3/name");
    assert_eq!(
        fault(&plan(json!([{"name": "a", "suites": [{"name": "b", "script": 1}]}]))).0,
        "/plan/suites/0/suites/0/script"
    );
    assert_eq!(fault(&plan(json!({}))).0, "/plan/suites");
    let deep = (0..40).fold(json!({"name": "x"}), |inner, _| json!({"name": "x", "suites": [inner]}));
    assert!(fault(&plan(json!([deep]))).1.contains("32"));
}

#[test]
fn attributes_become_text() {
    let said = json!({"type": "setup.described", "at": 0, "setup": "s", "attributes": {"a": 1, "b": true, "c": null, "d": "x"}});
    let EventKind::SetupDescribed(told) = event(&said).kind else { panic!("a description") };
    let told: Vec<_> = told.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(told, [("a", "1"), ("b", "true"), ("d", "x")]);
    let said = json!({"type": "setup.described", "at": 0, "setup": "s", "attributes": {"a/b": []}});
    assert_eq!(fault(&said).0, "/attributes/a~1b");
}

#[test]
fn good_ones_of_an_array_are_kept_and_bad_ones_are_listed() {
    let body = json!([finished(), 5, with("verdict", json!("?")), [finished()], finished()]).to_string();
    let parsed = parse(body.as_bytes(), Format::Json).expect("readable");
    assert_eq!(parsed.events.iter().map(|event| event.index).collect::<Vec<_>>(), [0, 4]);
    let rejected: Vec<_> = parsed.rejected.iter().map(|r| (r.index, &*r.pointer)).collect();
    assert_eq!(rejected, [(1, ""), (2, "/verdict"), (3, "")]);
    assert_eq!(&*parsed.events[1].body, finished().to_string());
}

#[test]
fn lines_are_read_one_by_one() {
    let body = format!("\u{feff}{}\r\n\n  \n{}\n{}\n{{\"type\":\"te", finished(), with("at", json!("x")), finished());
    let parsed = parse(body.as_bytes(), Format::Ndjson).expect("readable");
    assert_eq!(parsed.events.iter().map(|event| event.index).collect::<Vec<_>>(), [0, 2]);
    let rejected: Vec<_> = parsed.rejected.iter().map(|r| (r.index, &*r.pointer)).collect();
    assert_eq!(rejected, [(1, "/at"), (3, "")]);
}

#[test]
fn a_body_without_anything_legible_is_an_error() {
    for body in ["", "  \n", "hello", "{\"type\":", "[1,", "5", "null", "\"x\"", "[{}]x"] {
        assert!(matches!(parse(body.as_bytes(), Format::Json), Err(IntakeError::Malformed { .. })), "{body}");
    }
    for body in ["", "hello\nworld", "{"] {
        assert!(matches!(parse(body.as_bytes(), Format::Ndjson), Err(IntakeError::Malformed { .. })), "{body}");
    }
    assert_eq!(parse(b" [ ] ", Format::Json), Ok(Parsed::default()));
}

#[test]
fn too_many_events_are_refused_as_a_whole() {
    let many = |n: usize| format!("[{}]", vec!["0"; n].join(","));
    assert!(parse(many(EVENTS_MAX).as_bytes(), Format::Json).is_ok());
    assert_eq!(parse(many(EVENTS_MAX + 1).as_bytes(), Format::Json), Err(IntakeError::TooMany));
    let lines = "{}\n".repeat(EVENTS_MAX + 1);
    assert_eq!(parse(lines.as_bytes(), Format::Ndjson), Err(IntakeError::TooMany));
}

#[test]
fn bytes_that_are_no_text_cost_their_own_event_only() {
    let good = finished().to_string();
    let bad = good.replace("opens", "@").into_bytes();
    let bad: Vec<u8> = bad.into_iter().map(|byte| if byte == b'@' { 0xff } else { byte }).collect();
    for (format, glue) in [(Format::Json, [&b"["[..], b",", b"]"]), (Format::Ndjson, [&b""[..], b"\n", b""])] {
        let body = [glue[0], good.as_bytes(), glue[1], &bad, glue[1], good.as_bytes(), glue[2]].concat();
        let parsed = parse(&body, format).expect("readable");
        assert_eq!(parsed.events.iter().map(|event| event.index).collect::<Vec<_>>(), [0, 2], "{format:?}");
        assert_eq!(parsed.rejected[0].detail, "is not UTF-8");
    }
    assert_eq!(parse(&bad, Format::Json).expect("readable").rejected.len(), 1);
}

#[test]
fn half_a_surrogate_pair_does_not_cost_the_event() {
    let text = with("message", json!("@")).to_string().replace('@', r"\udc80");
    let parsed = parse(text.as_bytes(), Format::Json).expect("readable");
    let EventKind::Run(_, RunEvent::TestFinished { text: Some(text), .. }) = &parsed.events[0].event.kind else {
        panic!("a text")
    };
    assert_eq!(text.message.as_deref(), Some("\u{fffd}"));
}

#[test]
fn a_body_without_a_content_type_is_sniffed() {
    let event = finished().to_string();
    assert_eq!(Format::sniff(event.as_bytes()), Format::Json);
    assert_eq!(Format::sniff(format!("[{event}]").as_bytes()), Format::Json);
    assert_eq!(Format::sniff(format!("{event}\n{event}").as_bytes()), Format::Ndjson);
    assert_eq!(Format::sniff(b"{\"broken"), Format::Json);
}

/// Not a bound, since machines differ: prints what one event costs.
#[test]
#[ignore = "a measurement: cargo test --release -p server --lib parsing_speed -- --ignored --nocapture"]
fn parsing_speed() {
    let text = with("id", json!("0191f2b0-7c1a-7def-8000-0123456789ab")).to_string();
    let rounds = 400_000;
    let began = std::time::Instant::now();
    for _ in 0..rounds {
        let parsed = parse(std::hint::black_box(text.as_bytes()), Format::Json).expect("readable");
        std::hint::black_box(parsed);
    }
    let each = began.elapsed() / rounds;
    println!("{each:?} for an event of {} bytes", text.len());
}
