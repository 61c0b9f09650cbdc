use super::*;
use crate::intake::native;
use proptest::prelude::*;
use serde_json::json;

fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-03-01T12:00:00Z").expect("a time")
}

fn file(name: &str, folder: &str) -> Value {
    json!({"file_name": name, "file_path": format!("/rig/{folder}"), "script": format!("run {name}\n")})
}

/// Two scenarios; the second has the same test twice.
fn dry_run() -> Value {
    let mut lamp = file("lamp.py", "scenarios");
    lamp["tests"] = json!([file("on.py", "lamp"), file("off.py", "lamp")]);
    let mut door = file("door.py", "scenarios");
    door["tests"] = json!([file("open.py", "door"), file("open.py", "door")]);
    let mut master = file("master.py", "scenarios");
    master["scenarios"] = json!([lamp, door]);
    json!({"machine_name": "rig", "timestamp": "2026-03-01 13:00:00.250000", "master_scenario": master})
}

fn start(name: &str, folder: &str) -> Start {
    let mut body = file(name, folder);
    body["machine_name"] = "rig".into();
    Start::read(&body).expect("a start")
}

/// Our own words, checked, in a short form.
fn short(events: &[Value]) -> Vec<String> {
    assert_eq!(native::told(events.to_vec()).rejected, []);
    let text = |event: &Value, name: &str| event[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    let suite = |event: &Value| event["suite"].as_array().map(|names| format!(" {}", names.len())).unwrap_or_default();
    let one = |event: &Value| {
        let rest = ["test", "parameters", "verdict"].map(|name| text(event, name)).concat();
        format!("{}{}{rest}", event["type"].as_str().expect("a type"), suite(event))
    };
    events.iter().map(one).collect()
}

fn machine() -> Machine {
    let plan = DryRun::read(&dry_run()).expect("a plan");
    Machine::planned("rig", "dry-run-1", &plan, now()).0
}

#[test]
fn a_plan_is_echoed_and_becomes_a_planned_run() {
    let plan = DryRun::read(&dry_run()).expect("a plan");
    let echo = plan.echo();
    assert_eq!(echo["timestamp"], "2026-03-01T13:00:00.250000Z");
    assert_eq!(echo["master_scenario"]["scenarios"][1]["tests"][0]["script"], "run open.py");
    assert_eq!(echo.get("machine_name"), None);
    let events = Machines::default().plan("rig", 7, &plan, now());
    assert_eq!(short(&events), ["run.planned"]);
    assert_eq!(events[0]["run"], key_of(7));
    let root = &events[0]["plan"]["suites"][0];
    assert_eq!((&root["name"], &root["source"]), (&json!("master.py"), &json!("/rig/scenarios/master.py")));
    assert_eq!(root["suites"][1]["tests"][1]["parameters"], "2", "the second of one name");
}

#[test]
fn tests_run_in_order_and_the_last_one_ends_the_run() {
    let mut machine = machine();
    let mut go = |name, folder, status| {
        let test = start(name, folder);
        let mut events = machine.start("rig", &test, now()).expect("it waits");
        events.extend(machine.stop("rig", &test, status, now()));
        short(&events)
    };
    assert_eq!(
        go("on.py", "lamp", Status::Passed),
        ["run.started", "suite.started 1", "suite.started 2", "test.started 2 on.py", "test.finished 2 on.py passed"]
    );
    assert_eq!(go("off.py", "lamp", Status::Error)[1..], ["test.finished 2 off.py errored", "suite.finished 2"]);
    assert_eq!(
        go("open.py", "door", Status::Warning)[1..],
        ["test.started 2 open.py", "test.finished 2 open.py warned"]
    );
    assert_eq!(
        go("open.py", "door", Status::Failed),
        [
            "test.started 2 open.py 2",
            "test.finished 2 open.py 2 failed",
            "suite.finished 2",
            "suite.finished 1",
            "run.finished"
        ]
    );
    assert_eq!(machine.start("rig", &start("on.py", "lamp"), now()), None, "nothing waits any more");
}

#[test]
fn what_still_runs_ends_as_unknown_and_a_cancelled_test_ends_all() {
    let mut machine = machine();
    machine.start("rig", &start("on.py", "lamp"), now()).expect("it waits");
    assert_eq!(machine.start("rig", &start("on.py", "door"), now()), None, "the path counts");
    let events = machine.start("rig", &start("off.py", "lamp"), now()).expect("it waits");
    assert_eq!(short(&events), ["test.finished 2 on.py unknown", "test.started 2 off.py"]);
    assert_eq!(machine.stop("rig", &start("on.py", "lamp"), Status::Passed, now()), Vec::<Value>::new());
    assert_eq!(machine.stop("rig", &start("off.py", "lamp"), Status::Running, now()), Vec::<Value>::new());
    let events = machine.stop("rig", &start("off.py", "lamp"), Status::Cancelled, now());
    assert_eq!(short(&events), ["test.finished 2 off.py cancelled", "run.finished"]);
    assert_eq!(events[1]["aborted"], true);
}

#[test]
fn a_new_plan_ends_the_old_one() {
    let plan = DryRun::read(&dry_run()).expect("a plan");
    let mut machines = Machines::default();
    machines.plan("rig", 1, &plan, now());
    machines.of("rig", now()).expect("known").start("rig", &start("on.py", "lamp"), now()).expect("it waits");
    let events = machines.plan("rig", 2, &plan, now());
    assert_eq!(short(&events), ["test.finished 2 on.py unknown", "run.finished", "run.planned"]);
    assert_eq!((&events[1]["run"], &events[2]["run"]), (&json!("dry-run-1"), &json!("dry-run-2")));
}

#[test]
fn plans_at_hand_are_bounded() {
    let (plan, mut machines) = (DryRun::read(&dry_run()).expect("a plan"), Machines::default());
    for number in 0..600 {
        machines.plan(&format!("rig {number}"), number, &plan, Timestamp(number as i64));
    }
    assert_eq!(machines.known.len(), MACHINES_MAX);
    assert!(machines.of("rig 0", now()).is_none() && machines.of("rig 599", now()).is_some());
}

#[test]
fn what_is_wrong_is_named_field_by_field() {
    let mut body = dry_run();
    body["machine_name"] = Value::Null;
    body["master_scenario"]["scenarios"][1]["tests"][0]["file_name"] = "".into();
    body["master_scenario"]["scenarios"][0]["tests"] = Value::Null;
    assert_eq!(
        Value::Object(DryRun::read(&body).expect_err("refused")),
        json!({
            "machine_name": ["must not be null"],
            "master_scenario": {"scenarios": [
                {"tests": ["must not be null"]},
                {"tests": [{"file_name": ["must not be blank"]}, {}]},
            ]},
        })
    );
    let refused = |change: fn(&mut Value)| {
        let mut body = file("on.py", "lamp");
        body["machine_name"] = "rig".into();
        change(&mut body);
        Value::Object(Stop::read(&body).expect_err("refused"))
    };
    assert_eq!(refused(|_| {}), json!({"status": ["is required"]}));
    assert_eq!(
        refused(|body| body["status"] = "great".into()),
        json!({"status": ["must be one of cancelled, running, waiting, unknown, failed, error, warning, passed"]})
    );
    assert!(refused(|body| body["timestamp_stop"] = "noon".into())["timestamp_stop"].is_array());
    assert_eq!(
        Value::Object(Start::read(&json!([])).expect_err("refused")),
        json!({"non_field_errors": ["must be an object"]})
    );
}

#[test]
fn times_come_with_and_without_a_zone_and_a_null_status_is_unknown() {
    let echo = |at: Value| {
        let mut body = file("on.py", "lamp");
        (body["machine_name"], body["timestamp_stop"], body["status"]) = ("rig".into(), at, Value::Null);
        Stop::read(&body).map(|stop| stop.echo())
    };
    let at = |text: &str| echo(text.into()).expect("taken")["timestamp_stop"].clone();
    assert_eq!(at("2026-03-01 12:00:00.250000"), "2026-03-01T12:00:00.250000Z");
    assert_eq!(at("2026-03-01T12:00:00+02:00"), "2026-03-01T10:00:00Z");
    assert_eq!(at("2026-03-01 12:00"), "2026-03-01T12:00:00Z");
    let nothing = echo(Value::Null).expect("taken");
    assert_eq!((&nothing["timestamp_stop"], &nothing["status"]), (&Value::Null, &json!("unknown")));
    assert!(echo("2026-03-01x12:00".into()).is_err() && echo("ääääääääää".into()).is_err());
}

proptest! {
    #[test]
    fn any_cut_and_any_bytes_are_read_or_refused(at in 0_usize..700, with in ".{0,3}", text in ".*") {
        let mut body = dry_run().to_string();
        let at = body.floor_char_boundary(at.min(body.len()));
        body.insert_str(at, &with);
        for body in [body, text] {
            if let Ok(value) = serde_json::from_str::<Value>(&body) {
                let _ = Start::read(&value);
                let _ = Stop::read(&value);
                if let Ok(plan) = DryRun::read(&value) {
                    let events = Machines::default().plan(&setup_of("rig"), 1, &plan, now());
                    prop_assert_eq!(native::told(events).rejected, []);
                }
            }
        }
    }

    #[test]
    fn any_order_of_words_gives_good_events(words in prop::collection::vec((0_usize..4, any::<bool>(), 0_usize..8), 0..40)) {
        let files = [("on.py", "lamp"), ("off.py", "lamp"), ("open.py", "door"), ("none.py", "door")];
        let mut machine = machine();
        for (file, starts, status) in words {
            let test = start(files[file].0, files[file].1);
            let events = if starts {
                machine.start("rig", &test, now()).unwrap_or_default()
            } else {
                machine.stop("rig", &test, Status::ALL[status], now())
            };
            prop_assert_eq!(native::told(events).rejected, []);
        }
    }
}
