//! Who may know whom: `docs/ARCHITECTURE.md`, "Never", as a test.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder or file, and the words that must not occur in its code.
const NEVER: &[(&str, &[&str])] = &[
    ("app/src/domain", &["leptos", "web_sys", "sqlx", "axum", "tokio", "SystemTime", "Instant::now", "js_sys"]),
    ("app/src/read.rs", &["leptos", "web_sys", "sqlx", "axum", "tokio", "SystemTime"]),
    ("app/src/live.rs", &["leptos", "web_sys", "sqlx", "axum", "tokio", "SystemTime"]),
    ("app/src/ecg", &["leptos", "web_sys", "js_sys", "sqlx", "axum", "tokio", "SystemTime", "Instant::now"]),
    ("app/src/paths.rs", &["leptos", "web_sys", "sqlx", "axum", "tokio", "SystemTime"]),
    ("app/src", &["sqlx", "use axum", "use tokio", "server::"]),
    ("app/src/ui", &["crate::api", "crate::backend", "crate::link", "crate::live"]),
    ("frontend/src", &["sqlx", "axum", "tokio", "reqwest"]),
    ("server/src/store", &["axum", "leptos", "crate::bus", "crate::service", "crate::http"]),
    ("server/src/bus", &["crate::store", "sqlx", "crate::service", "crate::http"]),
    ("server/src/service", &["axum", "leptos", "crate::http", "std::env", "reqwest"]),
    ("server/src/outgoing", &["axum", "leptos", "sqlx", "crate::bus", "crate::service", "crate::http", "crate::store"]),
    ("server/src/files", &["crate::store", "sqlx", "crate::bus", "crate::service", "crate::http", "axum", "leptos"]),
    ("server/src/work", &["crate::store", "sqlx", "crate::bus", "crate::http", "axum", "leptos"]),
    ("server/src/http", &["crate::store", "sqlx", "std::env"]),
    ("server/src/work", &["crate::store", "crate::http", "crate::bus", "sqlx", "axum", "leptos", "reqwest"]),
    ("server/src/runner", &["crate::store", "sqlx", "crate::service", "crate::bus", "leptos", "crate::files"]),
    ("server/src/intake", &["crate::store", "crate::service", "crate::bus", "axum", "tokio", "std::fs", "sqlx"]),
];

/// The rooms where the environment, the clock and chance come in.
const DOORS: &[&str] = &["server/src/clock.rs", "server/src/config.rs", "server/src/cli.rs", "server/src/main.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn sources(at: &Path, found: &mut Vec<PathBuf>) {
    if at.is_file() {
        found.push(at.to_owned());
        return;
    }
    for entry in fs::read_dir(at).unwrap_or_else(|error| panic!("{}: {error}", at.display())) {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() || path.extension().is_some_and(|kind| kind == "rs") {
            sources(&path, found);
        }
    }
}

/// The code of a file: without comments, and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("readable");
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn word_in(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let outside = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        outside(code[..at].chars().next_back()) && outside(code[at + word.len()..].chars().next())
            || word.ends_with("::") && outside(code[..at].chars().next_back())
    })
}

#[test]
fn no_layer_knows_what_it_must_not() {
    let root = root();
    let mut faults = Vec::new();
    for (place, words) in NEVER {
        let mut files = Vec::new();
        sources(&root.join(place), &mut files);
        assert!(!files.is_empty(), "{place} is empty");
        for file in files {
            let code = code(&file);
            let known = words.iter().filter(|word| word_in(&code, word));
            faults.extend(known.map(|word| format!("{} knows {word}", file.display())));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn time_chance_and_environment_come_in_by_their_doors_alone() {
    let root = root();
    let mut files = Vec::new();
    sources(&root.join("server/src"), &mut files);
    let doors: Vec<_> = DOORS.iter().map(|door| root.join(door)).collect();
    for file in files.iter().filter(|file| !doors.contains(file)) {
        for word in ["SystemTime::now", "Uuid::now_v7", "env::var", "env::args", "process::exit"] {
            assert!(!word_in(&code(file), word), "{} uses {word}", file.display());
        }
    }
}

#[test]
fn the_rules_say_each_word_of_theirs() {
    assert!(word_in("use axum::Router;", "axum"));
    assert!(!word_in("let taxum = 1;", "axum"));
    assert!(word_in("crate::store::Store", "crate::store"));
}
