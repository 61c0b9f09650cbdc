//! What listeners, agents and CI servers send, and files that are looked at by
//! name: a target a reader.

use app::domain::owners::Owners;
use app::domain::time::Timestamp;
use serde_json::Value;
use server::intake::archive::{self, File};
use server::intake::hooks::{self, Kind, Naming};
use server::intake::native::{self, Format};
use server::intake::report_portal::multipart::Scanner;
use server::intake::report_portal::words::Body;
use server::intake::robot_board::{Place, Word};
use server::intake::tm_api;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp(1_772_366_400_000_000);

/// Bytes that are handed to a reader at once.
const PIECE: usize = 7;

/// The names of all targets.
pub fn names() -> Vec<&'static str> {
    vec![
        "events",
        "event-lines",
        "archive",
        "codeowners",
        "hooks",
        "agent-words",
        "agent-files",
        "robot-board",
        "benches",
    ]
}

/// Has a target read these bytes. It must not panic, and no answer may be
/// larger than what it is bound to.
pub fn run(name: &str, bytes: &[u8]) {
    match name {
        "events" => drop(native::parse(bytes, Format::Json)),
        "event-lines" => drop(native::parse(bytes, Format::Ndjson)),
        "archive" => unpack(bytes),
        "codeowners" => owners(bytes),
        "hooks" => told(bytes, hook),
        "agent-words" => agent(bytes),
        "agent-files" => parts(bytes),
        "robot-board" => told(bytes, board),
        "benches" => told(bytes, bench),
        name => panic!("there is no target {name}"),
    }
}

fn told(bytes: &[u8], read: fn(&Value)) {
    if let Ok(value) = serde_json::from_slice(bytes) {
        read(&value);
    }
}

fn unpack(bytes: &[u8]) {
    let archive::Unpacked { files, .. } = archive::unpack(File { name: "upload".into(), bytes: bytes.to_vec() });
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    assert!(size <= 512 * 1024 * 1024, "an archive has no end");
}

fn owners(bytes: &[u8]) {
    let owners = Owners::parse(&String::from_utf8_lossy(bytes));
    for path in ["tests/power/on.robot", "/home/ci/pump/tests/power/on.robot", "C:\\ci\\lib\\x.py", "", "/", "a b/**/c"]
    {
        let _ = owners.of(path);
    }
}

fn hook(body: &Value) {
    let setups = BTreeMap::new();
    for kind in Kind::ALL {
        for event in ["", "push", "workflow_run", "check_run", "status", "repo:push", "build:status"] {
            let _ = hooks::read(kind, event, body, Naming { project: None, setups: &setups }, NOW);
        }
    }
}

fn agent(bytes: &[u8]) {
    use server::intake::report_portal::words;
    let Ok(body) = Body::parse(bytes) else { return };
    let _ = words::LaunchStart::read(&body, NOW);
    let _ = words::ItemStart::read(&body, NOW);
    let _ = words::Finish::read(&body, NOW);
    let _ = words::LogLine::read(&body, NOW);
}

fn parts(bytes: &[u8]) {
    let mut scanner = Scanner::new("x");
    let mut given = 0;
    for piece in bytes.chunks(PIECE) {
        if scanner.feed(piece).is_err() {
            return;
        }
        given += scanner.fresh().iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        assert!(given <= bytes.len(), "more came out than went in");
    }
    let _ = scanner.end();
}

fn board(body: &Value) {
    let _ = Word::scope_started(body);
    let _ = Word::test_started(body);
    let _ = Word::ended(body);
    let _ = Word::phase(body);
    let _ = Word::progress("bench", body);
    for place in [Place::Preparing, Place::Clearing] {
        let _ = Word::since(place, body);
    }
}

fn bench(body: &Value) {
    let _ = tm_api::Start::read(body);
    let _ = tm_api::Stop::read(body);
    let _ = tm_api::DryRun::read(body);
}
