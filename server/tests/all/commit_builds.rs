//! Pushes that are built: from the hook of a forge to the status it is told.

use crate::harness::{Answer, Sink, TestServer, eventually};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use server::config::Config;
use sha2::Sha256;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

pub fn git(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=Kim", "-c", "user.email=kim@example.org", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}

/// A folder that is visible to jobs: those are users of their own, and have to pass
/// through.
pub fn opened() -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("opened");
    folder
}

/// A bare repository with one commit of these files, and the commit.
pub fn repository(folder: &Path, files: &[(&str, &str)]) -> String {
    let (bare, work) = (folder.join("pump.git"), folder.join("work"));
    std::fs::create_dir_all(&work).expect("made");
    git(folder, &["init", "--bare", "--quiet", "pump.git"]);
    git(&work, &["init", "--quiet"]);
    commit(&work, files);
    git(&work, &["push", "--quiet", &bare.display().to_string(), "HEAD:refs/heads/main"]);
    git(&work, &["rev-parse", "HEAD"])
}

fn commit(work: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(work.join(name), text).expect("written");
    }
    git(work, &["add", "."]);
    git(work, &["commit", "--quiet", "-m", "a change"]);
}

pub fn configured(config: &mut Config, folder: &Path, forge: &str) {
    let text = format!(
        "public_url = \"http://holter.example\"\n\
         [runner]\nworkers = 1\nvisible = [{bare:?}]\n\
         [outgoing]\nallowed_hosts = [\"{forge}\"]\n\
         [hooks]\nsecrets = {{ github = \"s3cret\" }}\n\
         [[repositories]]\nname = \"acme/pump\"\nurl = \"file://{bare}\"\nbranches = [\"main\", \"feature/*\"]\n\
         [[commit_statuses]]\nforge = \"github\"\nurl = \"http://{forge}\"\nrepository = \"acme/pump\"\ntoken = \"t\"\nsetups = [\"none\"]\n",
        bare = folder.join("pump.git").display().to_string(),
    );
    let read: Config = toml::from_str(&text).expect("valid");
    config.public_url = read.public_url;
    config.runner = read.runner;
    config.outgoing = read.outgoing;
    config.hooks = read.hooks;
    config.repositories = read.repositories;
    config.commit_statuses = read.commit_statuses;
}

pub fn push(commit: &str, branch: &str, message: &str) -> Value {
    json!({
        "ref": format!("refs/heads/{branch}"), "after": commit, "before": "0".repeat(40), "deleted": false,
        "repository": {"full_name": "acme/pump", "clone_url": "https://evil.example/--upload-pack=x"},
        "pusher": {"name": "kim"}, "head_commit": {"id": commit, "message": message},
    })
}

pub async fn told(server: &TestServer, body: &Value, secret: &str) -> u16 {
    told_of(server, "push", body, secret).await.status
}

async fn told_of(server: &TestServer, event: &str, body: &Value, secret: &str) -> Answer {
    let text = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = server.client.post(server.url("/api/v1/hooks/github"));
    let request = request.header("x-github-event", event).header("x-hub-signature-256", format!("sha256={signature}"));
    server.send(request.header("content-type", "application/json").body(text)).await
}

async fn newest(server: &TestServer) -> Option<Value> {
    server.get("/api/v1/builds").await.ok()["items"].get(0).cloned()
}

pub async fn ended(server: &TestServer) -> Value {
    eventually("the build is over", async || {
        let build = newest(server).await?;
        (!["pending", "running"].contains(&build["status"].as_str()?)).then_some(build)
    })
    .await
}

const PLAN: &str = "artifacts = [\"out/*.bin\"]\n\n[[steps]]\nname = \"lint\"\nrun = \"test ! -e broken\"\n\n[[steps]]\nname = \"test\"\n\
                    run = \"echo 1..1; echo ok 1 - opens; cat hello.txt; mkdir out; echo 1 >out/pump.bin\"\nreport = \"out.tap\"\n";

#[tokio::test]
async fn a_push_is_cloned_linted_tested_shown_and_told_to_its_forge() {
    let folder = opened();
    let commit_id = repository(folder.path(), &[(".holter.toml", PLAN), ("hello.txt", "hello from the commit\n")]);
    let forge = Sink::start().await;
    let server =
        TestServer::start_with(false, |config| configured(config, folder.path(), &forge.address.to_string())).await;
    assert_eq!(told(&server, &push(&commit_id, "main", "first"), "wrong").await, 401);
    assert!(newest(&server).await.is_none(), "nobody signed it");
    for nothing in [
        push(&commit_id, "main", "words [skip ci]"),
        push(&commit_id, "other", "not a branch that is built"),
        push(&"0".repeat(40), "main", "deleted"),
        push("--upload-pack=x", "main", "no commit"),
    ] {
        assert_eq!(told(&server, &nothing, "s3cret").await, 200);
    }
    assert!(newest(&server).await.is_none());

    assert_eq!(told(&server, &push(&commit_id, "main", "first\n\nmore"), "s3cret").await, 200);
    let build = ended(&server).await;
    let job = build["job"]["id"].as_str().expect("a job").to_owned();
    let log = server.get(&format!("/api/v1/jobs/{job}/log")).await.text;
    assert_eq!(build["status"], "success", "{build} {log}");
    assert!(log.contains("hello from the commit"), "{log}");
    let said = ["repository", "branch", "commit", "author", "message"]
        .map(|field| build[field].as_str().expect("told").to_owned());
    assert_eq!(said, ["acme/pump", "main", &commit_id, "kim", "first"].map(str::to_owned));
    let steps: Vec<_> =
        build["job"]["progress"]["steps"].as_array().expect("steps").iter().map(|step| step["name"].clone()).collect();
    assert_eq!(steps, ["checkout", "lint", "test"]);
    let runs = server.get("/api/v1/runs?setup=builds%2Facme%2Fpump").await.ok();
    assert_eq!(
        (&runs["items"][0]["result"], &runs["items"][0]["commit"]),
        (&json!("passed"), &json!(commit_id)),
        "{log}"
    );

    let id = build["id"].as_str().expect("an id");
    let page = server.get(&format!("/builds/{id}")).await.text;
    assert!(page.contains("hello from the commit") && page.contains("first"), "{page}");
    assert!(page.contains("data-test=\"files\"") && page.contains(">pump.bin</a>"), "{page}");
    for (query, is_listed) in [
        ("", true),
        ("?repository=acme%2Fpump&branch=main&status=success", true),
        ("?status=failed", false),
        ("?branch=next", false),
    ] {
        assert_eq!(server.get(&format!("/builds{query}")).await.text.contains(id), is_listed, "{query}");
        let listed = server.get(&format!("/api/v1/builds{query}")).await.ok();
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(usize::from(is_listed)), "{query}");
    }
    server.get("/api/v1/builds?status=green").await.problem(422, "invalid");
    let run = runs["items"][0]["id"].as_str().expect("a run");
    let files = server.get(&format!("/api/v1/runs/{run}/attachments")).await.ok();
    assert_eq!(files["items"][0]["name"], "pump.bin", "{files}");
    let logs = server.get("/logs").await.ok();
    assert_eq!(logs["logs"], json!([id]));
    let old = server.get(&format!("/logs/{id}")).await.ok();
    assert_eq!(
        (&old["status"], &old["author"], old["logs"].as_array().map(Vec::len)),
        (&json!("success"), &json!("kim"), Some(3))
    );

    let last = eventually("the forge is told", async || {
        let all = forge.received();
        let states: Vec<Value> = all.into_iter().map(|call| call.json).collect();
        states.iter().any(|state| state["state"] == "success").then_some(states)
    });
    let last = last.await;
    let success = last.iter().find(|state| state["state"] == "success").expect("told");
    assert_eq!(
        (&success["context"], &success["target_url"]),
        (&json!("holter/build"), &json!(format!("http://holter.example/builds/{id}")))
    );
    server.stop().await;
}

fn request(commit: &str, from: &str) -> Value {
    json!({
        "action": "synchronize", "number": 7, "repository": {"full_name": "acme/pump"},
        "pull_request": {
            "number": 7, "title": "A better valve", "user": {"login": "eve"}, "base": {"ref": "main"},
            "head": {"sha": commit, "ref": "feature/valve", "repo": {"full_name": from}},
        },
    })
}

#[tokio::test]
async fn a_request_from_a_fork_waits_until_somebody_approves_it() {
    let folder = opened();
    let first = repository(folder.path(), &[(".holter.toml", PLAN), ("hello.txt", "hello from the fork\n")]);
    let work = folder.path().join("work");
    let bare = folder.path().join("pump.git").display().to_string();
    git(&work, &["push", "--quiet", &bare, "HEAD:refs/pull/7/head"]);
    let forge = Sink::start().await;
    let server =
        TestServer::start_with(false, |config| configured(config, folder.path(), &forge.address.to_string())).await;
    let own = told_of(&server, "pull_request", &request(&first, "acme/pump"), "s3cret").await.ok();
    assert_eq!(own["outcome"], "ignored", "the push of that branch is built already: {own}");
    let answer = told_of(&server, "pull_request", &request(&first, "eve/pump"), "s3cret").await.ok();
    assert_eq!(answer["outcome"], "recorded", "{answer}");
    let older = newest(&server).await.expect("a build");
    assert_eq!(
        (&older["status"], &older["held"], &older["job"]),
        (&json!("held"), &json!("it comes from the fork eve/pump"), &Value::Null)
    );
    let older = older["id"].as_str().expect("an id").to_owned();
    let mut admin = server.first_administrator("ana").await;
    let page = format!("/builds/{older}");
    assert_eq!(server.get("/api/v1/plan").await.ok()["unapproved"][0]["why"], "it comes from the fork eve/pump");
    assert!(admin.get(&page).await.text.contains("It waits for somebody to approve it"));
    assert_eq!(admin.post(&format!("{page}/approve"), &[]).await.status, 403, "a form that is not of this session");

    commit(&work, &[("hello.txt", "hello from the fork once more\n")]);
    git(&work, &["push", "--quiet", &bare, "HEAD:refs/pull/7/head"]);
    let second = git(&work, &["rev-parse", "HEAD"]);
    told_of(&server, "pull_request", &request(&second, "eve/pump"), "s3cret").await.ok();
    let dropped = server.get(&format!("/api/v1/builds/{older}")).await.ok();
    assert_eq!((&dropped["status"], &dropped["note"]), (&json!("cancelled"), &json!("a newer commit was pushed")));
    let id = newest(&server).await.expect("a build")["id"].as_str().expect("an id").to_owned();
    let page = format!("/builds/{id}");
    assert_eq!(admin.fill(&page, &format!("{page}/approve"), &[]).await.status, 303);
    let build = ended(&server).await;
    assert_eq!(
        (&build["status"], &build["commit"], &build["note"]),
        (&json!("success"), &json!(second), &json!("approved by ana")),
        "{build}"
    );
    assert_eq!(admin.post(&format!("{page}/approve"), &[]).await.status, 403);
    let token = server.token(server::service::tokens::Scope::Admin, None, None).await;
    let again = server.client.post(server.url(&format!("/api/v1/builds/{id}/approve"))).bearer_auth(&token);
    server.send(again).await.problem(409, "conflict");
    told_of(&server, "pull_request", &request(&first, "eve/pump"), "s3cret").await.ok();
    let third = newest(&server).await.expect("a build")["id"].as_str().expect("an id").to_owned();
    let refused = server.client.post(server.url(&format!("/api/v1/builds/{third}/refuse"))).bearer_auth(&token);
    assert_eq!(server.send(refused).await.ok()["status"], "cancelled");
    let told = eventually("the forge is told", async || {
        let all: Vec<_> = forge.received().into_iter().map(|call| call.json).collect();
        all.iter().any(|call| call["state"] == "success").then_some(all)
    })
    .await;
    assert!(told.iter().any(|call| call["description"] == "waits for somebody to approve it"), "{told:?}");
    assert!(admin.get("/settings/audit").await.text.contains("approved the build of"));
    server.stop().await;
}

#[tokio::test]
async fn the_head_of_a_branch_is_built_when_its_time_has_come() {
    let folder = opened();
    let commit_id = repository(folder.path(), &[(".holter.toml", PLAN), ("hello.txt", "hello from the head\n")]);
    let forge = Sink::start().await;
    let server = TestServer::start_with(false, |config| {
        configured(config, folder.path(), &forge.address.to_string());
        config.schedules = vec![server::config::ScheduleConfig {
            name: "nightly".into(),
            cron: "30 2 * * *".into(),
            time_zone: "Europe/Berlin".into(),
            repository: Some("acme/pump".into()),
            branch: Some("main".into()),
            ..Default::default()
        }];
    })
    .await;
    assert_eq!(server.get("/api/v1/schedules/nightly").await.ok()["next_at"], "2026-03-02T01:30:00.000000Z");
    server.pass(14 * 3_600);
    eventually("its turn is taken", async || newest(&server).await).await;
    let build = ended(&server).await;
    assert_eq!(
        (&build["status"], &build["commit"], &build["author"]),
        (&json!("success"), &json!(commit_id), &json!("the schedule nightly")),
        "{build}"
    );
    let runs = server.get("/api/v1/runs?setup=builds%2Facme%2Fpump").await.ok();
    assert_eq!(runs["items"][0]["commit"], json!(commit_id), "{runs}");
    eventually("the forge is told", async || {
        forge.received().into_iter().any(|call| call.json["state"] == "success").then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_built_says_why_and_a_newer_commit_calls_off_an_older() {
    let folder = opened();
    let commit_id = repository(folder.path(), &[("README.md", "nothing\n")]);
    let server = TestServer::start_with(false, |config| {
        configured(config, folder.path(), "127.0.0.1:1");
        config.commit_statuses.clear();
    })
    .await;
    assert_eq!(told(&server, &push(&commit_id, "main", "x"), "s3cret").await, 200);
    let build = ended(&server).await;
    assert_eq!(build["status"], "errored");
    assert!(build["job"]["note"].as_str().expect("why").contains("say the steps in .holter.toml"), "{build}");
    assert_eq!(told(&server, &push(&"a".repeat(40), "main", "x"), "s3cret").await, 200);
    let build = ended(&server).await;
    assert_eq!(
        (&build["status"], &build["job"]["note"]),
        (&json!("errored"), &json!("the commit could not be checked out"))
    );

    let work = folder.path().join("work");
    commit(&work, &[(".holter.toml", "[[steps]]\nname = \"wait\"\nrun = \"echo waiting; sleep 98791\"\n")]);
    let bare = folder.path().join("pump.git").display().to_string();
    git(&work, &["push", "--quiet", &bare, "HEAD:refs/heads/main"]);
    let slow = git(&work, &["rev-parse", "HEAD"]);
    assert_eq!(told(&server, &push(&slow, "main", "slow"), "s3cret").await, 200);
    let first =
        eventually("it runs", async || newest(&server).await.filter(|build| build["status"] == "running")).await;
    assert_eq!(told(&server, &push(&commit_id, "main", "quick"), "s3cret").await, 200);
    let id = first["id"].as_str().expect("an id").to_owned();
    let older = eventually("the older one is called off", async || {
        let build = server.get(&format!("/api/v1/builds/{id}")).await.ok();
        (build["status"] == "cancelled").then_some(build)
    });
    assert_eq!(older.await["job"]["note"], "a newer commit was pushed");
    ended(&server).await;
    server.stop().await;
}
