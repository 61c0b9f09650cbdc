//! What other programs read.

use crate::harness::{Answer, TestServer};
use serde_json::{Value, json};

/// The attributes of each `<Project …/>`, as they are written.
fn projects(answer: &Answer) -> Vec<&str> {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/xml; charset=utf-8"),
        "{}",
        answer.text
    );
    answer.text.lines().filter_map(|line| line.strip_prefix("<Project ")?.strip_suffix("/>")).collect()
}

/// Says that every element of a document is closed in order.
fn is_closed(xml: &str) -> bool {
    let mut open = Vec::new();
    for part in xml.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else { return false };
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        match tag.strip_prefix('/') {
            Some(closed) if open.pop() != Some(closed) => return false,
            Some(_) => {}
            None if tag.ends_with('/') || tag.starts_with('?') => {}
            None => open.push(name),
        }
    }
    open.is_empty()
}

#[tokio::test]
async fn lamps_read_setups() {
    let server = TestServer::start().await;
    server.rig("A & B").run("1").passes(2).done().await;
    server.rig("C").run("1").fails("x").done().await;
    server.pass(60);
    server.rig("C").run("2").with("project", "pump").begins("x").open().await;
    server.post(&json!({"type": "setup.heartbeat", "at": crate::harness::NOON, "setup": "D"})).await.ok();
    let request = server.client.get(server.url("/cc.xml")).header("x-forwarded-proto", "https");
    let answer = server.send(request).await;
    let host = server.url("").replace("http://", "");
    let time = "lastBuildTime=\"2026-03-01T12:00:0";
    let found = projects(&answer);
    assert_eq!(found.len(), 3);
    assert!(
        found[0]
            .starts_with("name=\"A &amp; B\" activity=\"Sleeping\" lastBuildStatus=\"Success\" lastBuildLabel=\"1\"")
    );
    assert!(found[0].contains(time) && found[0].ends_with(&format!("webUrl=\"https://{host}/setups/A%20%26%20B\"")));
    assert!(
        found[1].starts_with("name=\"C\" activity=\"Building\" lastBuildStatus=\"Failure\" lastBuildLabel=\"1\""),
        "{}",
        found[1]
    );
    assert!(found[2].starts_with("name=\"D\" activity=\"Sleeping\" lastBuildStatus=\"Unknown\" webUrl="));
    assert!(is_closed(&answer.text));
    for (query, names) in
        [("project=pump", 1), ("setup=C", 1), ("branch=main", 2), ("branch=none", 0), ("project=default&setup=C", 1)]
    {
        assert_eq!(projects(&server.get(&format!("/cc.xml?{query}")).await).len(), names, "{query}");
    }
    let pump = server.get("/cc.xml?project=pump").await;
    assert!(projects(&pump)[0].starts_with("name=\"C\" activity=\"Building\" lastBuildStatus=\"Unknown\" webUrl"));
    server.stop().await;
}

#[tokio::test]
async fn badges_are_pictures_and_json() {
    let server = TestServer::start().await;
    server.rig("bench/7").run("1").with("project", "pump").passes(2).done().await;
    server.rig("B").run("1").with("project", "pump").passes(1).fails("x").done().await;
    server.rig("B").run("2").with("project", "pump").begins("x").open().await;
    let badge = server.get("/badges/pump.json").await.ok();
    assert_eq!(
        badge,
        json!({"schemaVersion": 1, "label": "pump", "message": "failing 3/4", "color": "red", "isError": true, "cacheSeconds": 60})
    );
    let own = server.get("/badges/pump/bench%2F7.json").await.ok();
    assert_eq!(
        (&own["label"], &own["message"], &own["isError"]),
        (&json!("bench/7"), &json!("passing 2/2"), &json!(false))
    );
    let picture = server.get("/badges/pump/B.svg").await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml; charset=utf-8"));
    assert!(picture.text.contains("failing 1/2") && is_closed(&picture.text), "{}", picture.text);
    assert!(!picture.text.contains("href") && !picture.text.contains("url("));
    assert_eq!(server.get("/badges/other.json").await.ok()["message"], "no runs");
    for path in ["/badges/pump", "/badges/pump.png", "/badges/pump/B"] {
        server.get(path).await.problem(404, "not-found");
    }
    server.stop().await;
}

#[tokio::test]
async fn metrics_count_without_names() {
    let server = TestServer::start().await;
    server.rig("A").run("1").passes(2).fails("secret test").done().await;
    server.rig("B").run("1").begins("x").open().await;
    server.post(&json!([{"type": "test.paused", "at": crate::harness::NOON, "setup": "A"}, 5])).await.ok();
    let answer = server.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let value = |name: &str| {
        let line = answer.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {}", answer.text)).parse::<u64>().expect("a number")
    };
    assert_eq!(value("holter_setups{activity=\"idle\"}") + value("holter_setups{activity=\"running\"}"), 2);
    assert_eq!(
        (value("holter_newest_runs{state=\"running\"}"), value("holter_newest_results{result=\"failed\"}")),
        (1, 1)
    );
    assert_eq!(
        (value("holter_newest_tests{outcome=\"passed\"}"), value("holter_newest_tests{outcome=\"failed\"}")),
        (2, 1)
    );
    assert_eq!(
        (value("holter_events_total{fate=\"accepted\"}"), value("holter_events_total{fate=\"rejected\"}")),
        (13, 1)
    );
    assert_eq!(value("holter_events_total{fate=\"ignored\"}"), 1);
    assert!(!answer.text.contains("secret") && answer.text.lines().count() < 60);
    server.stop().await;
}

#[tokio::test]
async fn a_run_is_told_as_ctrf() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("nightly").passes(1).flaky("shaky").fails("broken").begins("left").done().await;
    let report = server.get(&format!("/api/v1/runs/{id}/ctrf")).await.ok();
    assert_eq!(
        (&report["reportFormat"], &report["specVersion"], &report["reportId"]),
        (&json!("CTRF"), &json!("1.0.0"), &json!(id))
    );
    let results = &report["results"];
    let summary = &results["summary"];
    for (name, count) in
        [("tests", 4), ("passed", 2), ("failed", 1), ("other", 1), ("pending", 0), ("skipped", 0), ("flaky", 1)]
    {
        assert_eq!(summary[name], count, "{name}");
    }
    assert!(summary["start"].is_i64() && summary["stop"].as_i64() >= summary["start"].as_i64());
    assert_eq!(
        (&results["environment"]["commit"], &results["environment"]["branchName"]),
        (&json!("c0ffee"), &json!("main"))
    );
    let tests = results["tests"].as_array().expect("tests");
    let told: Vec<_> = tests
        .iter()
        .map(|test| (test["name"].as_str().expect("a name"), test["status"].as_str().expect("a status")))
        .collect();
    assert_eq!(told, [("test 1", "passed"), ("shaky", "passed"), ("broken", "failed"), ("left", "other")]);
    assert!(tests.iter().all(|test| test["duration"].is_u64() && test["suite"] == json!(["Root"])));
    let shaky = &tests[1];
    assert_eq!(
        (&shaky["flaky"], &shaky["retries"], &shaky["retryAttempts"][0]["status"]),
        (&json!(true), &json!(1), &json!("failed"))
    );
    assert_eq!((&tests[2]["message"], &tests[2]["trace"]), (&json!("broken broke"), &json!("line 1\nline 2")));
    let nobody = uuid::Uuid::nil();
    for form in ["ctrf", "junit"] {
        server.get(&format!("/api/v1/runs/{nobody}/{form}")).await.problem(404, "not-found");
        server.get(&format!("/api/v1/runs/x/{form}")).await.problem(404, "not-found");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_run_is_told_as_junit() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("nightly").passes(1).flaky("shaky").fails("bro<ken>").begins("left").done().await;
    let answer = server.get(&format!("/api/v1/runs/{id}/junit")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/xml; charset=utf-8"));
    let text = &answer.text;
    assert!(is_closed(text), "{text}");
    assert!(
        text.contains("<testsuites name=\"nightly\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"0\""),
        "{text}"
    );
    assert!(text.contains("<testcase name=\"test 1\" classname=\"Root\" time=\"0.012500\"></testcase>"));
    assert!(text.contains("<flakyFailure type=\"failed\" message=\"shaky broke\"><stackTrace>shaky broke&#10;line 1"));
    assert!(text.contains("<testcase name=\"bro&lt;ken&gt;\" classname=\"Root\" time=\"0.012500\"><failure type=\"failed\" message=\"bro&lt;ken&gt; broke\">"));
    assert!(text.contains("<error type=\"lost\""));
    server.stop().await;
}

#[tokio::test]
async fn a_large_run_is_told_whole() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("large").passes(450).done().await;
    let report = server.get(&format!("/api/v1/runs/{id}/ctrf")).await.ok();
    let names: std::collections::HashSet<_> =
        report["results"]["tests"].as_array().expect("tests").iter().filter_map(|test| test["name"].as_str()).collect();
    assert_eq!((names.len(), &report["results"]["summary"]["passed"]), (450, &Value::from(450)));
    server.stop().await;
}
