//! The streams: what pages and other readers see, and when.

use crate::harness::{Frame, TestServer, eventually};
use app::domain::run::RunState;
use app::live::{Board, Message, RunMessage, Taken};
use app::read::{RunPage, Wall};
use bytes::Bytes;
use serde_json::json;
use std::time::{Duration, Instant};

fn message(frame: &Frame) -> Message {
    serde_json::from_value(frame.data.clone()).expect("a message of the wall")
}

fn run_message(frame: &Frame) -> RunMessage {
    serde_json::from_value(frame.data.clone()).expect("a message of the run")
}

fn snapshot(frame: &Frame) -> Option<Wall> {
    match message(frame) {
        Message::Snapshot(wall) => Some(wall),
        _ => None,
    }
}

fn page(frame: &Frame) -> Option<RunPage> {
    match run_message(frame) {
        RunMessage::Snapshot(page) => Some(*page),
        _ => None,
    }
}

#[tokio::test]
async fn the_wall_begins_with_a_snapshot_and_a_beat_agrees_with_it() {
    let server = TestServer::start().await;
    server.rig("A").run("k").passes(1).open().await;
    let mut wall = server.open("/live/wall").await;
    let first = wall.next("the snapshot").await.as_ref().and_then(snapshot).expect("first of all");
    assert_eq!(server.get("/health").await.ok()["build"], first.build);
    let mut board = Board::new(first);
    assert_eq!(board.tiles[0].name, "A");
    // As the recorder does every so often; its own turn is not waited for.
    server.service().bus().tiles_changed(server.service().board().beat_frame(server.service().now()));
    let beat = wall.until("a beat", |frame| Some(message(frame)).filter(|message| matches!(message, Message::Beat(_))));
    assert_eq!(board.take(beat.await), Taken::Nothing, "a quiet wall misses nothing");
    server.stop().await;
}

#[tokio::test]
async fn a_change_reaches_the_wall_soon() {
    let server = TestServer::start().await;
    let mut wall = server.open("/live/wall").await;
    let mut board = Board::new(wall.next("the snapshot").await.as_ref().and_then(snapshot).expect("first of all"));
    let began = Instant::now();
    server.rig("A").run("k").passes(1).fails("x").open().await;
    let board = wall.until("the failure on the wall", |frame| {
        board.take(message(frame));
        let run = board.tiles.first().and_then(|tile| tile.run.as_ref());
        run.is_some_and(|run| run.counts.failed == 1).then(|| board.clone())
    });
    assert_eq!(board.await.tiles.len(), 1);
    assert!(began.elapsed() < Duration::from_secs(2), "it took {:?}", began.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_fell_behind_is_healed_by_a_snapshot() {
    let server = TestServer::start().await;
    server.rig("A").run("k").passes(1).open().await;
    let mut wall = server.open("/live/wall").await;
    wall.until("the snapshot", snapshot).await;
    // More at once than the channel holds, while the stream has no turn.
    for _ in 0..2_000 {
        server.service().bus().tiles_changed(Bytes::from_static(b"data: {\"Tiles\":[]}\n\n"));
    }
    let healed = wall.until("a snapshot after the gap", snapshot).await;
    assert_eq!(healed.tiles.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("k").begins("x").open().await;
    let mut streams = Vec::new();
    for path in ["/live/wall", "/api/v1/stream?after=0", &format!("/live/runs/{id}")] {
        let mut stream = server.open(path).await;
        stream.next("its first word").await.expect("a word");
        streams.push(stream);
    }
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(3), "no stream held it up");
    for mut stream in streams {
        while stream.next("the end").await.is_some() {}
    }
}

#[tokio::test]
async fn a_run_is_told_whole_then_by_changes_then_whole_at_its_end() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("k").passes(2).begins("slow").open().await;
    server.get("/live/runs/0195f2b0-7c1a-7def-8000-0123456789ab").await.problem(404, "not-found");
    let mut stream = server.open(&format!("/live/runs/{id}")).await;
    let mut shown = stream.next("the snapshot").await.as_ref().and_then(page).expect("first of all");
    assert_eq!(shown.tests.len(), 3);

    // Another run rings too, and is none of this stream's business.
    server.rig("B").run("other").passes(1).done().await;
    let failed = json!({
        "type": "test.finished", "at": server.at(1), "setup": "A", "run": "k",
        "suite": ["Root"], "test": "slow", "verdict": "failed", "message": "too slow",
    });
    server.post(&failed).await.ok();
    let change = stream.until("the change", |frame| match run_message(frame) {
        RunMessage::Change(change) => Some(*change),
        RunMessage::Snapshot(_) | RunMessage::Beat(_) => None,
    });
    let change = change.await;
    assert_eq!((change.tests.len(), change.tests[0].message.as_deref()), (1, Some("too slow")));
    assert!(shown.take(change));
    assert_eq!(shown.head.card.counts.failed, 1);

    server.post(&json!({"type": "run.finished", "at": server.at(2), "setup": "A", "run": "k"})).await.ok();
    let ended = stream.until("the end, told whole", page).await;
    assert_eq!((ended.head.card.state, ended.tests.len()), (RunState::Finished, 3));
    server.stop().await;
}

#[tokio::test]
async fn silence_becomes_loss_as_time_passes() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("k").passes(1).begins("hangs").open().await;
    let mut stream = server.open(&format!("/live/runs/{id}")).await;
    stream.next("the snapshot").await.as_ref().and_then(page).expect("first of all");
    let activity = async || server.get("/api/v1/setups/A").await.ok()["activity"].clone();
    assert_eq!(activity().await, "running");
    server.pass(61);
    assert_eq!(activity().await, "silent");
    server.pass(900);
    eventually("the run is given up", || async { (activity().await == "lost").then_some(()) }).await;
    let run = server.get(&format!("/api/v1/runs/{id}")).await.ok();
    assert_eq!(
        (&run["state"], &run["result"], &run["counts"]["lost"]),
        (&json!("lost"), &json!("incomplete"), &json!(1))
    );
    let told = stream.until("the loss on the run's own page", page).await;
    assert_eq!(told.head.card.state, RunState::Lost);
    server.stop().await;
}

#[tokio::test]
async fn the_public_stream_replays_and_follows() {
    let server = TestServer::start().await;
    server.rig("A").run("k").passes(2).open().await;
    let mut all = server.open("/api/v1/stream?after=0").await;
    let first = all.next("the first event").await.expect("an event");
    assert_eq!((first.event.as_str(), &first.data["event"]["run"]), ("run.started", &json!("k")));
    assert_eq!(first.id, first.data["seq"].to_string());
    assert_eq!(
        (&first.data["late"], &first.data["received_at"]),
        (&json!(false), &json!("2026-03-01T12:00:00.000000Z"))
    );
    let mut last = first;
    for _ in 1..6 {
        let next = all.next("the rest").await.expect("an event");
        assert!(next.id.parse::<i64>().expect("a number") > last.id.parse().expect("a number"));
        last = next;
    }

    let pretty = format!(
        "{{\n\"type\":\"log\",\"at\":\"{}\",\n\"setup\":\"A\",\"run\":\"k\",\"level\":\"info\",\"message\":\"a\\nb\"}}",
        crate::harness::NOON
    );
    let mut fresh = server.open("/api/v1/stream").await;
    let mut resumed = server.open_after("/api/v1/stream?after=0", Some(&last.id)).await;
    server.send(server.events(pretty)).await.ok();
    for stream in [&mut all, &mut fresh, &mut resumed] {
        let log = stream.next("the line of output").await.expect("an event");
        assert_eq!((log.event.as_str(), &log.data["event"]["message"]), ("log", &json!("a\nb")));
    }
    server.get("/api/v1/stream?after=x").await.problem(422, "invalid");
    server.stop().await;
}

#[tokio::test]
async fn a_late_event_is_kept_and_marked() {
    let server = TestServer::start().await;
    let id = server.rig("A").run("k").passes(1).done().await;
    let mut stream = server.open("/api/v1/stream").await;
    let late = json!({
        "type": "test.finished", "at": server.at(0), "setup": "A", "run": "k",
        "suite": ["Root"], "test": "late one", "verdict": "passed",
    });
    assert_eq!(server.post(&late).await.ok()["accepted"], 1);
    assert_eq!(stream.next("the late event").await.expect("an event").data["late"], true);
    assert_eq!(server.get(&format!("/api/v1/runs/{id}")).await.ok()["late_events"], 1);
    server.stop().await;
}
