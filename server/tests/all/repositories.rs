//! Repositories that are added on the page: their address, their secret, what
//! they are cloned with.

use crate::harness::{Answer, TestServer};
use app::domain::build;
use app::domain::job::Checkout;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use server::service::tokens::Scope;
use sha2::Sha256;
use std::io::Write;
use std::process::{Command, Stdio};

const PAGE: &str = "/settings/repositories";

fn push(repository: &str, commit: &str) -> Value {
    json!({
        "ref": "refs/heads/main", "after": commit, "deleted": false, "repository": {"full_name": repository},
        "pusher": {"name": "kim"}, "head_commit": {"id": commit, "message": "a change"},
    })
}

async fn told(server: &TestServer, of: &str, body: &Value, secret: &str) -> Answer {
    let text = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = server.client.post(server.url(&format!("/api/v1/hooks/github?repository={of}")));
    let request = request.header("x-github-event", "push").header("x-hub-signature-256", format!("sha256={signature}"));
    server.send(request.header("content-type", "application/json").body(text)).await
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split(before).nth(1).and_then(|rest| rest.split(after).next()).expect("it is there")
}

#[tokio::test]
async fn an_administrator_adds_a_repository_whose_pushes_are_then_built() {
    let server = TestServer::start_with(false, |_| {}).await;
    let mut admin = server.first_administrator("ana").await;
    let fields = [("name", "acme/pump"), ("kind", "github"), ("url", "https://forge.example/acme/pump.git")];
    for (field, value, why) in [
        ("url", "ext::sh -c x", "must begin with https://"),
        ("name", "", "what the forge calls it"),
        ("kind", "svn", "one of the forges"),
        ("secrets", "NONE", "runner.secrets has no"),
        ("environment", "HOLTER_DATABASE_URL", "begins with HOLTER_CLONE_"),
        ("timeout_seconds", "soon", "whole number"),
    ] {
        let mut odd: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != field).collect();
        odd.push((field, value));
        let refused = admin.fill(PAGE, PAGE, &odd).await;
        assert!(refused.status == 422 && refused.text.contains(why), "{field}: {}", refused.text);
    }
    assert_eq!(admin.post(PAGE, &fields).await.status, 403, "a form that is not of this session");
    let saved = admin.fill(PAGE, PAGE, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let page = admin.get("/settings/repositories/one?name=acme%2Fpump").await.text;
    let secret = between(&page, "data-test=\"secret\">", "<").to_owned();
    assert!(
        page.contains("/api/v1/hooks/github?repository=acme%2Fpump") && page.contains("None was seen yet"),
        "{page}"
    );

    let commit = "3f2a".repeat(10);
    told(&server, "acme%2Fpump", &push("acme/pump", &commit), "guessed").await.problem(401, "unauthenticated");
    told(&server, "acme%2Fother", &push("acme/other", &commit), &secret).await.problem(404, "not-found");
    told(&server, "acme%2Fpump", &push("acme/other", &commit), &secret).await.problem(403, "forbidden");
    assert_eq!(told(&server, "acme%2Fpump", &push("acme/pump", &commit), &secret).await.ok()["success"], true);
    let builds = server.get("/api/v1/builds").await.ok();
    assert_eq!((&builds["items"][0]["repository"], &builds["items"][1]), (&json!("acme/pump"), &Value::Null));
    let page = admin.get("/settings/repositories/one?name=acme%2Fpump").await.text;
    assert!(page.contains("The last one came") && page.contains(&secret), "the secret stays: {page}");

    // Changed, it keeps its secret; deleted, nothing more is built.
    let mut fields = fields.to_vec();
    fields.push(("branches", "release/*"));
    assert_eq!(admin.fill(PAGE, PAGE, &fields).await.status, 303);
    let answer = told(&server, "acme%2Fpump", &push("acme/pump", &"4f2a".repeat(10)), &secret).await;
    assert_eq!(answer.ok()["success"], true);
    assert_eq!(server.get("/api/v1/builds").await.ok()["items"].as_array().map(Vec::len), Some(1));
    let one = "/settings/repositories/one?name=acme%2Fpump";
    assert_eq!(admin.fill(one, "/settings/repositories/delete", &[("name", "acme/pump")]).await.status, 303);
    told(&server, "acme%2Fpump", &push("acme/pump", &commit), &secret).await.problem(404, "not-found");
    assert!(admin.get("/settings/audit").await.text.contains("saved the repository"));
    server.stop().await;
}

#[tokio::test]
async fn a_token_for_cloning_reaches_the_worker_alone_and_is_read_where_it_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let server = TestServer::start_with(false, |config| {
        let text = format!(
            "[hooks]\nsecrets = {{ github = \"s3cret\" }}\n[[repositories]]\nname = \"acme/pump\"\n\
             url = \"https://forge.example/acme/pump.git\"\ncredentials = {{ user = \"holter\", file = {file:?} }}\n"
        );
        let read: server::config::Config = toml::from_str(&text).expect("valid");
        config.hooks = read.hooks;
        config.repositories = read.repositories;
    })
    .await;
    let token = server.token(Scope::Worker, None, None).await;
    let post = async |path: &str, body: Value| {
        server.send(server.client.post(server.url(path)).bearer_auth(&token).json(&body)).await
    };
    let instance = uuid::Uuid::new_v4();
    let hello = json!({"name": "left", "instance": instance, "labels": "", "slots": 1});
    let worker = post("/api/v1/work/workers", hello).await.ok()["id"].clone();
    let claim = json!({"worker": worker, "instance": instance, "wait_seconds": 0});
    let built = server.service().itself();
    let pushed = |commit: String| server::intake::hooks::Pushed {
        repository: "acme/pump".into(),
        branch: "main".into(),
        commit,
        user: None,
        message: None,
        pull: None,
    };
    built.build_pushed(&pushed("3f2a".repeat(10))).await.expect("built").expect("wanted");
    assert_eq!(post("/api/v1/work/claim", claim.clone()).await.status, 204, "its token is not there");
    let build = server.get("/api/v1/builds").await.ok()["items"][0].clone();
    assert_eq!(build["status"], "errored");
    assert!(build["job"]["note"].as_str().expect("why").contains("acme/pump cannot be cloned"), "{build}");

    std::fs::write(&file, "t0ken-of-the-forge\n").expect("written");
    built.build_pushed(&pushed("4f2a".repeat(10))).await.expect("built").expect("wanted");
    let order = post("/api/v1/work/claim", claim).await.ok();
    assert_eq!(order["credentials"], json!({"user": "holter", "password": "t0ken-of-the-forge"}));
    assert!(!order["task"].to_string().contains("t0ken"), "it is no part of what is to be done");
    let shown = server.get(&format!("/api/v1/jobs/{}", order["job"].as_str().expect("an id"))).await;
    assert!(!shown.text.contains("t0ken"), "{}", shown.text);
    server.stop().await;
}

#[test]
fn git_finds_the_token_in_its_environment_and_tells_it_to_one_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkout = Checkout {
        url: "https://127.0.0.1:1/acme/pump.git".into(),
        commit: "3f2a".repeat(10),
        reference: "refs/heads/main".into(),
    };
    let script = build::checkout(&checkout).script;
    let git = |program: &str, words: &[&str], input: &str| {
        let mut child = Command::new(program)
            .args(words)
            .current_dir(folder.path())
            .env("TMPDIR", folder.path())
            .env("GIT_CONFIG_GLOBAL", folder.path().join(".gitconfig"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("HOLTER_GIT_USER", "holter")
            .env("HOLTER_GIT_PASSWORD", "t0ken-of-the-forge")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        String::from_utf8(output.stdout).expect("text")
    };
    git("sh", &["-c", &script], "");
    let kept = std::fs::read_to_string(folder.path().join(".gitconfig")).expect("it was set up");
    assert!(kept.contains("https://127.0.0.1:1") && !kept.contains("t0ken"), "{kept}");
    let asked = |host: &str| {
        git("git", &["credential", "fill"], &format!("protocol=https\nhost={host}\npath=acme/pump.git\n\n"))
    };
    let told = asked("127.0.0.1:1");
    assert!(told.contains("username=holter\n") && told.contains("password=t0ken-of-the-forge\n"), "{told}");
    assert!(!asked("elsewhere.example").contains("t0ken"));
}
