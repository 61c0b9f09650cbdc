//! What launches become, a dialect at a time.

use super::multipart::{Batch, Broken, Scanner, boundary};
use super::words::{Body, Finish, ItemStart, LaunchStart, LogLine};
use super::*;
use crate::intake::native;
use app::domain::event::{EventKind, RunEvent};
use app::domain::ids::{RunId, SetupId};
use app::domain::name::RunKey;
use app::domain::run::Run;
use app::domain::time::{Micros, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_795_262_400_000_000);

fn body(value: Value) -> Body {
    Body::of(value).expect("an object")
}

/// A launch, everything that was told of it, and everything that was kept.
struct Play {
    launch: Launch,
    events: Vec<Value>,
    kept: Vec<Kept>,
}

impl Play {
    fn begin(launch: Value) -> Self {
        let said = LaunchStart::read(&body(launch), NOW).expect("a launch");
        let (launch, told) = Launch::begin("L".into(), "pump", None, &said);
        Self { launch, events: told.events, kept: told.kept }
    }

    fn named(name: &str) -> Self {
        Self::begin(json!({ "name": name, "startTime": 1 }))
    }

    fn take(&mut self, told: Told) -> &mut Self {
        self.events.extend(told.events);
        self.kept.retain(|old| told.kept.iter().all(|new| new.item != old.item));
        self.kept.extend(told.kept);
        self
    }

    fn start(&mut self, parent: &str, id: &str, fields: Value) -> &mut Self {
        let said = ItemStart::read(&body(fields), NOW).expect("an item");
        let parent = Some(parent).filter(|parent| !parent.is_empty());
        let told = self.launch.start_item(parent, id, &said, false).expect("begins");
        self.take(told)
    }

    fn item(&mut self, parent: &str, id: &str, kind: &str) -> &mut Self {
        self.start(parent, id, json!({ "name": id, "type": kind, "startTime": 10 }))
    }

    fn step(&mut self, parent: &str, id: &str) -> &mut Self {
        self.start(parent, id, json!({ "name": id, "type": "STEP", "hasStats": false, "startTime": 11 }))
    }

    fn end(&mut self, id: &str, fields: Value) -> &mut Self {
        let said = Finish::read(&body(fields), NOW).expect("an end");
        let told = self.launch.finish_item(id, &said, false).expect("ends");
        self.take(told)
    }

    fn ends(&mut self, id: &str, status: &str) -> &mut Self {
        self.end(id, json!({ "status": status, "endTime": 30 }))
    }

    fn log(&mut self, item: &str, level: &str, message: &str) -> &mut Self {
        let fields = json!({ "itemUuid": item, "level": level, "message": message, "time": 12 });
        let line = LogLine::read(&body(fields), NOW).expect("a line");
        let told = self.launch.log_lines(&[(format!("{item}-{message}"), line)]);
        self.take(told)
    }

    /// As after a new start of the server.
    fn restart(&mut self) -> &mut Self {
        self.launch = Launch::restore(&self.kept).expect("was kept");
        self
    }

    /// The run that all of this makes.
    fn run(&self) -> Run {
        let parsed = native::told(self.events.clone());
        assert!(parsed.rejected.is_empty(), "{:?}", parsed.rejected);
        let key = RunKey::parse("L").expect("a key");
        let mut run = Run::new(RunId(Uuid::nil()), SetupId(Uuid::nil()), key);
        for incoming in &parsed.events {
            let EventKind::Run(_, said) = &incoming.event.kind else { panic!("{incoming:?}") };
            run.apply(said, incoming.event.at, NOW, Micros(0));
        }
        run
    }

    /// Its tests: suite, name, parameters, and the verdicts of its attempts.
    fn tests(&self) -> Vec<String> {
        let run = self.run();
        let mut tests: Vec<_> = run
            .tests()
            .iter()
            .map(|test| {
                let parameters = test.parameters.as_deref().map(|text| format!(" [{text}]")).unwrap_or_default();
                let verdict =
                    |finish: Option<app::domain::test::Finish>| finish.map_or("-", |finish| finish.verdict.as_str());
                let attempts: Vec<_> = test.attempts.iter().map(|attempt| verdict(attempt.finished)).collect();
                format!(
                    "{}/{}{parameters}: {}",
                    run.suites()[test.suite as usize].path.join("/"),
                    test.name,
                    attempts.join(" ")
                )
            })
            .collect();
        tests.sort();
        tests
    }

    fn messages(&self) -> Vec<String> {
        let ends = self.events.iter().filter(|event| event["type"] == "test.finished");
        ends.filter_map(|event| event["message"].as_str().map(str::to_owned)).collect()
    }
}

#[test]
fn suites_tests_and_steps_are_told_apart_by_type_and_statistics() {
    let mut play = Play::named("Nightly");
    play.item("", "A", "SUITE").item("A", "setup", "BEFORE_SUITE").step("setup", "open").ends("open", "PASSED");
    play.ends("setup", "PASSED").item("A", "one", "step").step("one", "keyword").step("keyword", "inner");
    play.item("keyword", "never a test", "STEP").item("one", "nor this", "STEP");
    play.ends("keyword", "FAILED").ends("one", "failed").item("", "alone", "STEP").ends("alone", "SKIPPED");
    play.item("A", "B", "STORY").item("B", "two", "STEP").ends("two", "WARN").ends("B", "PASSED").ends("A", "FAILED");
    assert_eq!(play.tests(), ["Nightly/A/B/two: warned", "Nightly/A/one: failed", "Nightly/alone: skipped"]);
    let phases: Vec<_> = play.events.iter().filter_map(|event| event["phase"].as_str()).collect();
    assert_eq!(phases, ["setup", "tests"]);
}

#[test]
fn a_test_is_a_suite_if_it_has_children_that_count_and_a_test_if_it_ends_without() {
    let mut play = Play::named("N");
    play.item("", "file", "TEST").item("file", "describe", "TEST").item("describe", "it", "STEP").ends("it", "passed");
    play.end("describe", json!({})).end("file", json!({}));
    play.item("", "leaf", "SCENARIO").ends("leaf", "PASSED").item("", "with steps", "TEST").step("with steps", "s");
    play.ends("s", "failed").end("with steps", json!({ "endTime": 20 }));
    play.item("", "hooks only", "TEST").item("hooks only", "before", "BEFORE_METHOD").end("hooks only", json!({}));
    // Its children come after its end, as clients that do not wait send them.
    play.item("", "early", "TEST").end("early", json!({})).item("early", "late", "STEP").ends("late", "passed");
    let tests = ["N/early/late: passed", "N/file/describe/it: passed", "N/leaf: passed", "N/with steps: failed"];
    assert_eq!(play.tests(), tests);
}

#[test]
fn attempts_are_told_by_retry_by_the_item_or_by_a_rerun() {
    let mut play = Play::named("N");
    let again = |more: Value| {
        let mut fields = json!({ "name": "t", "type": "STEP", "startTime": 10 });
        fields.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        fields
    };
    play.start("", "1", again(json!({}))).ends("1", "failed");
    play.start("", "2", again(json!({ "retry": true }))).ends("2", "failed");
    play.start("", "3", again(json!({ "retry_of": "1" }))).ends("3", "passed");
    // The same name without a word of a retry is another test.
    play.start("", "4", again(json!({ "retry": false }))).ends("4", "passed");
    assert_eq!(play.tests(), ["N/t [(2)]: passed", "N/t: failed failed passed"]);
    let said = LaunchStart::read(&body(json!({ "name": "N", "rerun": true })), NOW).expect("a launch");
    let told = play.launch.rerun(&said);
    play.take(told).restart().start("", "5", again(json!({}))).ends("5", "failed");
    play.start("", "6", again(json!({}))).ends("6", "passed").start("", "7", again(json!({}))).ends("7", "passed");
    let tests = ["N/t [(2)]: passed passed", "N/t [(3)]: passed", "N/t: failed failed passed failed"];
    assert_eq!(play.tests(), tests);
}

#[test]
fn robot_has_its_own_root_and_names_its_message() {
    let agent = json!([{ "key": "agent", "value": "robotframework-reportportal|5.7.2", "system": true },
        { "key": "host", "value": "bench-7" }, { "key": "commit", "value": "c0ffee" }, { "key": "branch", "value": "main" },
        { "value": "nightly" }]);
    let mut play =
        Play::begin(json!({ "name": "N", "startTime": "2026-11-21T02:01:19.445000+0000", "attributes": agent }));
    play.item("", "Top", "SUITE").start("Top", "t", json!({ "name": "t", "type": "STEP", "codeRef": "top/a.robot:7",
        "startTime": 10, "description": "Doc.", "attributes": [{ "value": "api" }, { "key": "owner", "value": "team-a" }] }));
    play.log("t", "ERROR", "a line of a keyword");
    play.end("t", json!({ "status": "FAILED", "endTime": 30, "description": "Doc.\n\nMessage:\n\n43 != 42" }));
    assert_eq!(play.tests(), ["Top/t: failed"]);
    assert_eq!(play.messages(), ["43 != 42"]);
    let started = &play.events[0];
    assert_eq!((&started["commit"], &started["branch"]), (&json!("c0ffee"), &json!("main")));
    assert_eq!(
        (&started["setup"], &started["framework"]),
        (&json!("bench-7"), &json!("robotframework-reportportal 5.7.2"))
    );
    assert_eq!(started["attributes"]["tags"], "nightly");
    let run = play.run();
    let test = &run.tests()[0];
    assert_eq!(
        (test.source.as_deref(), test.line, test.owner.as_deref()),
        (Some("top/a.robot"), Some(7), Some("team-a"))
    );
    assert_eq!(test.tags.join(" "), "api owner:team-a");
}

#[test]
fn error_lines_explain_a_failure_also_when_they_come_after_it() {
    let mut play = Play::named("N");
    play.item("", "t", "STEP").step("t", "s").log("s", "40000", "first").ends("t", "FAILED");
    play.log("t", "ERROR", "second").log("t", "INFO", "no matter").log("t", "error", "second");
    assert_eq!(play.messages(), ["first", "first\nsecond"]);
    assert_eq!(play.tests(), ["N/t: failed"]);
    play.item("", "fenced", "STEP")
        .end("fenced", json!({ "status": "failed", "description": "```error\nboom\n  at x\n```" }));
    play.item("", "fine", "STEP").log("fine", "error", "expected").ends("fine", "passed");
    assert_eq!(play.messages()[2..], ["boom\n  at x".to_owned()]);
}

#[test]
fn every_status_has_a_verdict() {
    let mut play = Play::named("N");
    let cases = [
        ("passed", "passed"),
        ("INFO", "passed"),
        ("WARN", "warned"),
        ("SKIPPED", "skipped"),
        ("STOPPED", "cancelled"),
        ("CANCELLED", "cancelled"),
        ("interrupted", "cancelled"),
        ("ERROR", "errored"),
        ("Exploded", "failed"),
    ];
    for (index, (status, verdict)) in cases.into_iter().enumerate() {
        let id = format!("t{index}");
        play.item("", &id, "STEP").ends(&id, status);
        assert_eq!(play.tests()[index], format!("N/{id}: {verdict}"), "{status}");
    }
    play.item("", "t9", "STEP").end("t9", json!({}));
    assert_eq!(play.tests()[9], "N/t9: unknown");
}

#[test]
fn words_that_are_said_twice_are_one_event() {
    let mut play = Play::named("N");
    play.item("", "S", "SUITE").item("S", "t", "STEP").ends("t", "failed").ends("S", "failed");
    let once = play.events.len();
    play.item("S", "t", "STEP").ends("t", "failed").ends("S", "failed");
    let ids: std::collections::BTreeSet<_> = play.events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), once, "{:#?}", play.events);
    // A later word about the same end stands, though its clock says otherwise.
    play.end("t", json!({ "status": "passed", "endTime": 20 }));
    assert_eq!(play.tests(), ["N/S/t: passed"]);
}

#[test]
fn a_launch_is_gone_on_with_after_a_new_start() {
    let mut play = Play::named("N");
    play.item("", "S", "SUITE").item("S", "t", "STEP").step("t", "s").item("S", "open", "TEST");
    play.restart().ends("t", "passed").item("open", "u", "STEP").ends("u", "passed");
    // Steps are not kept: what is said of them is taken, and means nothing.
    play.ends("s", "failed").step("s", "inner").log("s", "error", "lost");
    assert_eq!(play.tests(), ["N/S/open/u: passed", "N/S/t: passed"]);
    let told = play.launch.finish(&Finish::read(&body(json!({ "status": "STOPPED" })), NOW).expect("an end"));
    play.take(told);
    assert_eq!(play.run().result().map(|result| result.as_str()), Some("cancelled"));
    assert!(Launch::restore(&[]).is_none());
}

#[test]
fn what_has_no_meaning_is_refused() {
    let mut play = Play::named("N");
    let unknown = Finish::read(&body(json!({})), NOW).expect("an end");
    assert_eq!(play.launch.finish_item("x", &unknown, false), Err(Refused::NoItem("x".into())));
    assert_eq!(play.launch.finish_item("x", &unknown, true), Ok(Told::default()));
    let bad = [
        json!({}),
        json!({ "name": " ", "type": "STEP" }),
        json!({ "name": "a" }),
        json!({ "name": "a", "type": "STEP", "startTime": "soon" }),
        json!({ "name": "a", "type": "STEP", "uuid": "\n\u{0}" }),
    ];
    for fields in bad {
        assert!(ItemStart::read(&body(fields.clone()), NOW).is_err(), "{fields}");
    }
    for text in ["", "[]", "7", "{", "\u{0}", &"[".repeat(100_000)] {
        assert!(Body::parse(text.as_bytes()).is_err(), "{text:.20}");
    }
}

#[test]
fn a_tree_that_is_too_deep_is_folded() {
    let mut play = Play::named("N");
    let mut parent = String::new();
    for depth in 0..80 {
        let id = format!("s{depth}");
        play.item(&parent, &id, "SUITE");
        parent = id;
    }
    play.item(&parent, "t", "STEP").ends("t", "passed");
    assert_eq!(play.run().tests().len(), 1);
}

/// A batch as an agent may write it.
fn batch() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend_from_slice(b"--b0\r\nContent-Disposition: form-data; name=json_request_part\r\nContent-Type: application/json; charset=utf-8\r\n\r\n\r\n[{\"message\":\"m\"}]");
    text.extend_from_slice("\r\n--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"na\u{ef}ve \"q\" name.png\"\r\nContent-Type: image/png\r\n\r\n\r\n--b1\r\n-".as_bytes());
    text.extend_from_slice(b"\r\n--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%20b.txt\"; filename*=utf-8''a%20b.txt\r\nContent-Length: 0\r\n\r\n");
    text.extend_from_slice(b"\r\n--b0--\r\n");
    text
}

/// A batch and the contents of its files.
fn scan(pieces: &[&[u8]]) -> Result<(Batch, Vec<Vec<u8>>), Broken> {
    let mut scanner = Scanner::new("b0");
    let mut files: Vec<Vec<u8>> = Vec::new();
    for piece in pieces {
        scanner.feed(piece)?;
        for (number, bytes) in scanner.fresh() {
            files.resize(files.len().max(number + 1), Vec::new());
            files[number].extend(bytes);
        }
    }
    scanner.end().map(|batch| (batch, files))
}

#[test]
fn a_batch_is_read_however_it_is_written() {
    let whole = batch();
    let (mut read, files) = scan(&[&whole]).expect("a batch");
    assert_eq!(read.lines.trim_ascii(), br#"[{"message":"m"}]"#);
    assert_eq!(files, [&b"\r\n--b1\r\n-"[..], b""]);
    let bytes: Vec<_> = whole.chunks(1).collect();
    assert_eq!(scan(&bytes).expect("a batch"), (read.clone(), files));
    assert_eq!(read.take("a b.txt").map(|file| file.name).as_deref(), Some("a%20b.txt"));
    assert_eq!(read.take("another").map(|file| file.name).as_deref(), Some("na\u{ef}ve \"q\" name.png"));
    assert_eq!(read.take("a third"), None);
    assert_eq!(scan(&[&whole[..whole.len() - 8]]), Err(Broken::CutOff));
    assert_eq!(scan(&[b"--b0--"]), Err(Broken::NoLines));
    assert_eq!(boundary("multipart/form-data; boundary=\"a b\"").as_deref(), Ok("a b"));
    assert_eq!(boundary("multipart/form-data"), Err(Broken::NoBoundary));
}

proptest! {
    #[test]
    fn a_batch_may_be_cut_anywhere(cuts in proptest::collection::vec(0_usize..600, 0..6)) {
        let whole = batch();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([whole.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let pieces: Vec<_> = starts.zip(ends).map(|(from, to)| &whole[from..to]).collect();
        prop_assert_eq!(scan(&pieces), scan(&[&whole]));
    }

    #[test]
    fn no_bytes_break_the_readers(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..600, is_batch: bool) {
        if is_batch {
            let mut whole = batch();
            let at = at.min(whole.len());
            whole.splice(at..at, bytes);
            bytes = whole;
        }
        let _ = scan(&[&bytes]);
        let _ = Body::parse(&bytes);
        let _ = moment::read(&String::from_utf8_lossy(&bytes).into_owned().into());
        let _ = boundary(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_order_of_words_breaks_a_launch(words in proptest::collection::vec((0_usize..8, 0_usize..8, 0_usize..9, any::<bool>()), 0..40)) {
        let kinds = ["SUITE", "STEP", "TEST", "BEFORE_SUITE", "x"];
        let statuses = ["passed", "failed", "odd"];
        let mut play = Play::named("N");
        for (parent, id, what, flag) in words {
            let (parent, id) = (format!("i{parent}"), format!("i{id}"));
            let parent = (what > 0).then_some(&*parent);
            if what < 6 {
                let fields = json!({ "name": id, "type": kinds[what.min(4)], "hasStats": flag, "retry": flag, "retryOf": parent });
                let said = ItemStart::read(&body(fields), NOW).expect("an item");
                let told = play.launch.start_item(parent, &id, &said, flag);
                if let Ok(told) = told { play.take(told); }
            } else {
                let said = Finish::read(&body(json!({ "status": statuses[what - 6] })), NOW).expect("an end");
                if let Ok(told) = play.launch.finish_item(&id, &said, flag) { play.take(told); }
                play.log(&id, "error", "e");
            }
        }
        let tests = play.run().tests().len();
        play.restart();
        prop_assert_eq!(play.run().tests().len(), tests);
        prop_assert!(play.events.iter().all(|event| event["run"] == "L"));
        let _ = matches!(native::told(play.events).events.first().map(|one| &one.event.kind), Some(EventKind::Run(_, RunEvent::Output(_))));
    }
}
