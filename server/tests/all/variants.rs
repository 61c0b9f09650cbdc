//! Builds with a matrix, and what is kept from one build to the next.

use crate::commit_builds::{configured, ended, git, opened, push, repository, told};
use crate::harness::{Sink, TestServer};
use serde_json::{Value, json};

/// The second variant fails, and both leave what the next must not find.
const PLAN: &str = r#"
[matrix]
V = ["1", "2"]

[[cache]]
paths = ["deps", "none"]
key = ["lock.txt"]

[[steps]]
name = "test"
run = """
test ! -e left || { echo something was left; exit 9; }
touch left; cat deps/made 2>/dev/null; mkdir -p deps; echo "made for $V of $(cat lock.txt)" >deps/made
echo 1..1
if test "$V" = 1; then echo ok 1 - opens; else echo not ok 1 - opens; fi
"""
report = "out.tap"
"#;

fn steps(build: &Value) -> Vec<String> {
    let steps = build["job"]["progress"]["steps"].as_array().expect("steps");
    let text = |step: &Value| {
        format!("{} {}", step["name"].as_str().unwrap_or_default(), step["state"].as_str().unwrap_or_default())
    };
    steps.iter().map(text).collect()
}

async fn log(server: &TestServer, build: &Value) -> String {
    let job = build["job"]["id"].as_str().expect("a job");
    server.get(&format!("/api/v1/jobs/{job}/log")).await.text
}

async fn result(server: &TestServer, setup: &str) -> Value {
    let setup: String = url::form_urlencoded::byte_serialize(setup.as_bytes()).collect();
    let runs = server.get(&format!("/api/v1/runs?setup={setup}")).await.ok();
    json!([runs["items"][0]["state"], runs["items"][0]["result"]])
}

#[tokio::test]
async fn each_variant_is_a_setup_of_its_own_in_a_fresh_folder_with_its_own_caches() {
    let folder = opened();
    let first = repository(folder.path(), &[(".holter.toml", PLAN), ("lock.txt", "lock 1")]);
    let forge = Sink::start().await;
    let server =
        TestServer::start_with(false, |config| configured(config, folder.path(), &forge.address.to_string())).await;
    assert_eq!(told(&server, &push(&first, "main", "first"), "s3cret").await, 200);
    let build = ended(&server).await;
    let text = log(&server, &build).await;
    assert_eq!(
        steps(&build),
        [
            "checkout passed",
            "restore cache (V=1) passed",
            "test (V=1) passed",
            "save cache (V=1) passed",
            "clean (V=2) passed",
            "restore cache (V=2) passed",
            "test (V=2) failed",
            "save cache (V=2) passed",
        ],
        "{text}"
    );
    assert_eq!(build["status"], "failed", "{build}");
    assert_eq!(build["job"]["note"], "the step test (V=2) ended with 0, and its tests failed");
    assert_eq!(result(&server, "builds/acme/pump (V=1)").await, json!(["finished", "passed"]), "{text}");
    assert_eq!(result(&server, "builds/acme/pump (V=2)").await, json!(["finished", "failed"]), "{text}");
    assert!(!text.contains("made for"), "{text}");
    let page = server.get(&format!("/builds/{}", build["id"].as_str().expect("an id"))).await.text;
    assert!(page.contains("Results of its tests with V=1") && page.contains("with V=2"), "{page}");

    let work = folder.path().join("work");
    let bare = folder.path().join("pump.git").display().to_string();
    std::fs::write(work.join("other.txt"), "x").expect("written");
    let again = async |lock: &str| {
        std::fs::write(work.join("lock.txt"), lock).expect("written");
        git(&work, &["add", "."]);
        git(&work, &["commit", "--quiet", "--allow-empty", "-m", "a change"]);
        git(&work, &["push", "--quiet", &bare, "HEAD:refs/heads/main"]);
        let commit = git(&work, &["rev-parse", "HEAD"]);
        assert_eq!(told(&server, &push(&commit, "main", "again"), "s3cret").await, 200);
        let build = ended(&server).await;
        assert_eq!(build["commit"], json!(commit));
        log(&server, &build).await
    };
    let same = again("lock 1").await;
    assert!(same.contains("made for 1 of lock 1"), "{same}");
    assert!(!same.contains("made for 2"), "its tests had failed: {same}");
    assert_eq!(same.matches("to be kept").count(), 1, "what would not change is not packed again: {same}");
    let changed = again("lock 2").await;
    assert!(!changed.contains("made for") && changed.contains("nothing is kept of"), "{changed}");
    server.stop().await;
}
