use super::*;
use crate::intake::native;
use app::domain::time::Micros;
use proptest::prelude::*;

const AT: &str = "2026-03-01T13:00:00+01:00";

fn peer(last: u8) -> Sender<'static> {
    Sender { peer: Some(IpAddr::from([192, 0, 2, last])), only: None }
}

fn board() -> Board {
    Board::new(BTreeMap::from([(1, "rig 1".to_owned())]))
}

/// Speaks, checks that our own words are good, and gives a short form of them.
fn hear(board: &mut Board, word: Word, sender: Sender<'_>, second: i64) -> Vec<String> {
    let now = Timestamp::from_rfc3339("2026-03-01T12:00:00Z").expect("a time") + Micros::from_secs(second);
    let told = board.hear(word, sender, now).expect("taken");
    assert_eq!(native::told(told.events.clone()).rejected, []);
    let short = |event: &Value| {
        let text = |name: &str| event[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
        let suite = event["suite"].as_array().map(|names| format!(" {}", names.len())).unwrap_or_default();
        format!(
            "{}{}{}{}{}",
            event["type"].as_str().expect("a type"),
            suite,
            text("test"),
            text("phase"),
            text("verdict")
        )
    };
    told.events.iter().map(short).collect()
}

fn scope(setup: u32, name: &str) -> Word {
    Word::ScopeStarted { setup, name: name.into(), at: AT.into() }
}

fn test(scope: i64, name: &str) -> Word {
    Word::TestStarted { scope, name: name.into() }
}

fn end(table: Table, id: i64, passed: bool) -> Word {
    Word::Ended { table, id, passed }
}

#[test]
fn a_suite_with_tests_is_a_run() {
    let mut board = board();
    let mut say = |word| hear(&mut board, word, peer(1), 0);
    assert_eq!(say(scope(1, "Pump")), ["run.started", "suite.started 1", "suite.phase 1 setup"]);
    assert_eq!(say(Word::Progress { setup: "1".into(), done: 0, total: 2 }), ["suite.started 1", "run.started"]);
    assert_eq!(say(Word::Phase { scope: 1, phase: "tests" }), ["suite.phase 1 tests"]);
    assert_eq!(say(test(1, "opens")), ["test.started 1 opens"]);
    assert_eq!(say(end(Table::Tests, 1, true)), ["test.finished 1 opens passed"]);
    assert_eq!(say(Word::Phase { scope: 1, phase: "tests" }), [""; 0]);
    assert_eq!(say(test(1, "closes")), ["test.started 1 closes"]);
    assert_eq!(say(Word::Phase { scope: 1, phase: "teardown" }), ["suite.phase 1 teardown"]);
    assert_eq!(say(end(Table::Tests, 2, false)), ["test.finished 1 closes failed"]);
    assert_eq!(say(end(Table::Scopes, 1, false)), ["suite.finished 1 failed", "run.finished"]);
    assert_eq!(say(end(Table::Scopes, 1, false)), [""; 0], "said twice");
    assert_eq!(board.progress()["1"], (0, 2));
}

#[test]
fn suites_nest_until_the_root_ends() {
    let mut board = board();
    let mut say = |word| hear(&mut board, word, peer(1), 0);
    say(scope(1, "All"));
    assert_eq!(say(scope(1, "A")), ["suite.started 2", "suite.phase 2 setup"]);
    say(test(2, "one"));
    assert_eq!(say(end(Table::Scopes, 2, true)), ["test.finished 2 one unknown", "suite.finished 2 passed"]);
    assert_eq!(say(scope(1, "B")), ["suite.started 2", "suite.phase 2 setup"]);
    assert_eq!(
        say(end(Table::Scopes, 1, true)),
        ["suite.finished 2", "suite.finished 1 passed", "run.finished"],
        "what is inside ends too"
    );
}

#[test]
fn a_run_that_broke_off_is_ended_by_the_next() {
    let mut board = board();
    let mut say = |word, second| hear(&mut board, word, peer(1), second);
    say(scope(1, "Pump"), 0);
    say(test(1, "opens"), 1);
    assert_eq!(say(scope(1, "Pump"), 2)[..2], ["run.finished", "run.started"], "tests and suites never share a file");
    say(scope(1, "Valves"), 3);
    assert_eq!(say(scope(1, "Pump"), 4)[0], "suite.started 3", "a suite may be called like its root");
    assert_eq!(say(scope(1, "Pump"), 90)[..2], ["run.finished", "run.started"], "but not after a long silence");
}

#[test]
fn a_guessed_number_is_the_senders_own_test() {
    let mut board = board();
    hear(&mut board, scope(1, "Left"), peer(1), 0);
    hear(&mut board, scope(2, "Right"), peer(2), 0);
    hear(&mut board, test(1, "l"), peer(1), 0);
    hear(&mut board, test(2, "r"), peer(2), 0);
    assert_eq!(hear(&mut board, end(Table::Tests, 1, true), peer(2), 0), ["test.finished 1 r passed"]);
    assert_eq!(hear(&mut board, end(Table::Tests, 900, false), peer(1), 0), ["test.finished 1 l failed"]);
    let refused = board.hear(end(Table::Tests, 900, true), peer(1), Timestamp(0)).expect_err("nothing is open");
    assert_eq!(refused.status, 404);
    let refused = board.hear(test(900, "x"), peer(3), Timestamp(0)).expect_err("a stranger");
    assert_eq!(refused.status, 404);
}

#[test]
fn two_tests_of_one_name_are_two() {
    let mut board = board();
    let now = Timestamp::from_millis(1);
    hear(&mut board, scope(1, "Pump"), peer(1), 0);
    hear(&mut board, test(1, "opens"), peer(1), 0);
    let told = board.hear(test(1, "opens"), peer(1), now).expect("taken");
    assert_eq!(told.events[0]["verdict"], "unknown", "the end of the first went missing");
    assert_eq!(told.events[1]["parameters"], "2");
}

#[test]
fn a_token_for_one_setup_moves_no_other() {
    let mut board = board();
    hear(&mut board, scope(1, "Pump"), peer(1), 0);
    let other = Sender { only: Some("rig 9"), ..peer(1) };
    for word in [scope(1, "Other"), Word::Progress { setup: "1".into(), done: 1, total: 1 }] {
        assert_eq!(board.hear(word, other, Timestamp(0)).expect_err("forbidden").status, 403);
    }
    assert_eq!(board.hear(end(Table::Scopes, 1, true), other, Timestamp(0)).map(|told| told.events), Ok(Vec::new()));
    assert_eq!(hear(&mut board, test(1, "opens"), peer(1), 0), ["suite.phase 1 tests", "test.started 1 opens"]);
}

#[test]
fn the_number_of_setups_is_bounded() {
    let mut board = board();
    for number in 1..=1_500 {
        hear(&mut board, scope(number, "S"), peer(1), i64::from(number));
        hear(&mut board, Word::Progress { setup: number.to_string(), done: 1, total: 1 }, peer(1), i64::from(number));
    }
    assert_eq!((board.rows.len(), board.progress.len()), (ROWS_MAX, PROGRESS_MAX));
    assert!(!board.rows.contains_key("rig 1") && board.rows.contains_key("setup 1500"));
}

type Read = fn(&Value) -> Result<Word, Refused>;

#[test]
fn what_is_wrong_is_named() {
    let cases: &[(Read, Value, &str)] = &[
        (Word::scope_started, json!({"setup_id": 1, "name": "x"}), "start_time is missing"),
        (Word::scope_started, json!({"setup_id": 0, "name": "x", "start_time": AT}), "setup_id counts"),
        (Word::scope_started, json!([]), "start_time is missing"),
        (Word::test_started, json!({"test_name": "", "start_time": AT, "scope_id": 1}), "test_name must not"),
        (Word::ended, json!({"table_name": "setups", "id": 1, "status": "pass"}), "table_name"),
        (Word::ended, json!({"table_name": "tests", "id": "x", "status": "pass"}), "id must be"),
        (Word::ended, json!({"table_name": "tests", "id": "1", "status": "great"}), "status"),
        (Word::phase, json!({"scope_id": 1}), "status is missing"),
    ];
    for (read, body, detail) in cases {
        let refused = read(body).expect_err("refused");
        assert_eq!(refused.status, 400);
        assert!(refused.detail.starts_with(detail), "{}", refused.detail);
    }
    assert!(Word::progress("1", &json!({"completed_tests": -1})).is_err());
    assert_eq!(Word::progress("bench", &json!({})), Ok(Word::Progress { setup: "bench".into(), done: 0, total: 0 }));
}

fn any_word() -> impl Strategy<Value = Word> {
    let name = "[a-c]{1,2}";
    prop_oneof![
        (1_u32..4, name).prop_map(|(setup, name)| scope(setup, &name)),
        (0_i64..12, name).prop_map(|(scope, name)| test(scope, &name)),
        (any::<bool>(), 0_i64..12, any::<bool>()).prop_map(|(tests, id, passed)| end(
            if tests { Table::Tests } else { Table::Scopes },
            id,
            passed
        )),
        (0_i64..12).prop_map(|scope| Word::Phase { scope, phase: "teardown" }),
        (1_u32..4, 0_u32..9).prop_map(|(setup, total)| Word::Progress { setup: setup.to_string(), done: 0, total }),
    ]
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(at in 0_usize..140, with in ".{0,3}", setup in ".*") {
        let body = json!({"setup_id": 1, "scope_id": "1", "name": "n", "test_name": "t", "start_time": AT, "id": "2",
            "table_name": "tests", "status": "pass", "completed_tests": 1, "total_tests": 2});
        let mut text = body.to_string();
        text.insert_str(text.floor_char_boundary(at), &with);
        let Ok(body) = serde_json::from_str::<Value>(&text) else { return Ok(()) };
        let read = [
            Word::scope_started(&body), Word::test_started(&body), Word::ended(&body), Word::phase(&body),
            Word::progress(&setup, &body), Word::since(Place::Clearing, &body),
        ];
        let mut board = board();
        for word in read.into_iter().flatten() {
            if let Ok(told) = board.hear(word, peer(1), Timestamp(0)) {
                prop_assert_eq!(native::told(told.events).rejected, []);
            }
        }
    }

    #[test]
    fn any_order_of_words_gives_good_events(words in prop::collection::vec((any_word(), 0_u8..3), 0..60)) {
        let mut board = board();
        for (second, (word, from)) in (0..).zip(words) {
            let now = Timestamp::from_millis(1_000 * second);
            if let Ok(told) = board.hear(word, peer(from), now) {
                prop_assert_eq!(native::told(told.events).rejected, []);
            }
        }
    }
}
