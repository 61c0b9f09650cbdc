//! What people see of the output of tests.

use crate::harness::TestServer;
use app::domain::output::Level;
use app::domain::test::Verdict;
use app::read::OutputPage;
use serde_json::{Value, json};
use server::service::shown::ShownQuestion;

/// A run whose one test put something out, in steps.
async fn spoken(server: &TestServer) -> String {
    let run = server.rig("bench").run("r").passes(1).fails("opens").done().await;
    let say = |kind: &str, fields: Value| {
        let mut event = json!({"type": kind, "setup": "bench", "run": "r", "at": server.at(1), "suite": ["Root"],
            "test": "opens"});
        fields.as_object().expect("fields").iter().for_each(|(name, value)| event[name] = value.clone());
        event
    };
    let events = json!([
        say("log", json!({"level": "debug", "message": "before all"})),
        say("step.started", json!({"step": "1", "name": "Open  valve 3"})),
        say("step.started", json!({"step": "2", "name": "Send command", "parent": "1"})),
        say("log", json!({"step": "2", "level": "WARN", "message": "slow <b>answer</b>"})),
        say("step.finished", json!({"step": "2", "verdict": "passed", "duration_ms": 12.0})),
        say("step.finished", json!({"step": "1", "verdict": "failed", "message": "still closed"})),
        {"type": "log", "setup": "bench", "run": "r", "at": server.at(2), "level": "info", "message": "of the run"},
    ]);
    server.post(&events).await.ok();
    let place = "setup=bench&run=r&suite=Root&test=opens&attempt=1";
    for (name, kind) in [("valve.png", "image/png"), ("trace.zip", "application/zip")] {
        let url = server.url(&format!("/api/v1/attachments?{place}&name={name}"));
        server.send(server.client.post(url).header("content-type", kind).body(vec![1; 3_000])).await.ok();
    }
    run
}

async fn page(server: &TestServer, run: &str, question: ShownQuestion) -> Option<OutputPage> {
    server.service().settled().await;
    server.service().itself().output_page(run.parse().expect("an id"), question).await.expect("it may")
}

const LAST: ShownQuestion = ShownQuestion { test: Some(1), level: None, before: None };

#[tokio::test]
async fn a_failed_test_shows_its_steps_lines_and_files() {
    let server = TestServer::start().await;
    let run = spoken(&server).await;
    let told = page(&server, &run, LAST).await.expect("it is there");
    let seen: Vec<_> = told
        .lines
        .iter()
        .map(|line| (line.depth, line.level, &*line.text, line.verdict, line.message.as_deref()))
        .collect();
    assert_eq!(
        seen[..4],
        [
            (0, Some(Level::Debug), "before all", None, None),
            (0, None, "Open  valve 3", Some(Verdict::Failed), Some("still closed")),
            (1, None, "Send command", Some(Verdict::Passed), None),
            (2, Some(Level::Warn), "slow <b>answer</b>", None, None),
        ]
    );
    assert_eq!(seen.len(), 6, "a line for each file: {seen:?}");
    let mut files: Vec<_> = told.files.iter().map(|file| (&*file.file.name, file.attempt)).collect();
    // They came in the same instant.
    files.sort_unstable();
    assert_eq!(files, [("trace.zip", 1), ("valve.png", 1)]);
    assert_eq!((told.texts[0].message.as_deref(), told.suite), (Some("opens broke"), vec!["Root".to_owned()]));
    assert!(told.test.expect("a test").has_output);

    let warnings = page(&server, &run, ShownQuestion { level: Some(Level::Warn), ..LAST }).await.expect("it is there");
    assert_eq!(warnings.lines.iter().map(|line| &*line.text).collect::<Vec<_>>(), ["slow <b>answer</b>"]);
    let whole = page(&server, &run, ShownQuestion { test: None, ..LAST }).await.expect("it is there");
    assert!(whole.lines.iter().any(|line| line.text == "of the run" && line.place.is_empty()));
    assert!(whole.lines.iter().any(|line| line.text == "before all" && line.place == ["Root", "opens"]));
    assert_eq!(whole.files[0].place, ["Root", "opens"]);
    let quiet = page(&server, &run, ShownQuestion { test: Some(0), ..LAST }).await.expect("it is there");
    assert!(quiet.lines.is_empty() && quiet.files.is_empty() && !quiet.test.expect("a test").has_output);
    assert!(page(&server, &run, ShownQuestion { test: Some(7), ..LAST }).await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn the_pages_are_whole_without_scripts() {
    let server = TestServer::start().await;
    let run = spoken(&server).await;
    let result = server.get(&format!("/runs/{run}/tests/1")).await;
    assert_eq!(result.status, 200);
    for part in ["opens broke", "Send command", "valve.png", "trace.zip", "level=warn", "data-depth=\"2\"", "<img"] {
        assert!(result.text.contains(part), "{part} is not in {}", result.text);
    }
    assert!(!result.text.contains("<b>answer"), "what tests say is text");
    let graver = server.get(&format!("/runs/{run}/tests/1?level=error")).await.text;
    assert!(graver.contains("Nothing like that was put out.") && !graver.contains("Send command"));
    let whole = server.get(&format!("/runs/{run}/output")).await.text;
    assert!(whole.contains("of the run") && whole.contains("Root › opens"));
    let tree = server.get(&format!("/runs/{run}")).await.text;
    assert!(tree.contains(&format!("/runs/{run}/tests/1\"")) && !tree.contains(&format!("/runs/{run}/tests/0\"")));
    let id = server.get(&format!("/api/v1/runs/{run}/tests")).await.ok()["items"][1]["id"].clone();
    let test = server.get(&format!("/tests/{}", id.as_str().expect("an id"))).await.text;
    assert!(test.contains("opens broke") && test.contains(&format!("/runs/{run}/tests/1\"")));
    for path in ["/runs/x/output", &format!("/runs/{run}/tests/9"), &format!("/runs/{run}/tests/x")] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn of_much_output_the_end_is_shown_first() {
    let server = TestServer::start().await;
    let run = server.rig("bench").run("r").fails("opens").done().await;
    let line = |number: usize| {
        json!({"type": "log", "setup": "bench", "run": "r", "at": server.at(1), "suite": ["Root"], "test": "opens",
            "level": "info", "message": format!("line {number} {}", "x".repeat(if number == 1_199 { 9_000 } else { 0 }))})
    };
    let events: Vec<_> = (0..1_200).map(line).collect();
    server.post(&events.into()).await.ok();
    let mut question = ShownQuestion { test: Some(0), ..LAST };
    let mut seen = Vec::new();
    loop {
        let page = page(&server, &run, question).await.expect("it is there");
        seen.push((page.lines.len(), page.lines[0].text.trim().to_owned(), page.is_older));
        assert_eq!(page.lines.iter().filter(|line| line.is_cut).count(), usize::from(!page.is_older));
        let Some(older) = page.older else { break };
        question.before = Some(older);
    }
    let told = |count, text: &str, is_older| (count, text.to_owned(), is_older);
    assert_eq!(seen, [told(500, "line 700", false), told(500, "line 200", true), told(200, "line 0", true)]);
    server.stop().await;
}
