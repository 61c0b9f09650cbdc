//! Commits whose status is told to the forge they came from.

use crate::harness::{Sink, TestServer, eventually};
use app::domain::commit::CommitState;
use serde_json::{Value, json};
use server::config::Config;
use server::outgoing::forge::CommitStatus;
use server::server::Server;

const SHA: &str = "3f2a9c1d0b7e4f5a6c8d9e0f1a2b3c4d5e6f7a8b";

fn configure(config: &mut Config, sink: &Sink, forge: &str) {
    config.public_url = Some("https://holter.example/lab/".parse().expect("an address"));
    config.outgoing.allowed_hosts = vec![sink.address.to_string()];
    let rule = format!(
        "forge = \"{forge}\"\nurl = \"{}\"\nrepository = \"acme/pump\"\ntoken = \"t0ken\"\nprojects = [\"pump\"]\n",
        sink.url("/")
    );
    config.commit_statuses = vec![toml::from_str(&rule).expect("a rule")];
    config.validate().expect("usable");
}

async fn server(sink: &Sink, forge: &str) -> TestServer {
    TestServer::start_with(true, |config| configure(config, sink, forge)).await
}

fn event(server: &TestServer, setup: &str, run: &str, kind: &str, more: Value) -> Value {
    let mut event = json!({"type": kind, "at": server.at(0), "setup": setup, "run": run, "project": "pump"});
    more.as_object().expect("fields").iter().for_each(|(name, value)| event[name] = value.clone());
    event
}

async fn begin(server: &TestServer, setup: &str, run: &str, commit: &str) {
    server.post(&event(server, setup, run, "run.started", json!({"commit": commit}))).await.ok();
}

async fn end(server: &TestServer, setup: &str, run: &str, verdict: &str) {
    let test = json!({"suite": ["Root"], "test": "opens", "verdict": verdict});
    let events =
        [event(server, setup, run, "test.finished", test), event(server, setup, run, "run.finished", json!({}))];
    server.post(&json!(events)).await.ok();
}

#[tokio::test]
async fn a_run_with_a_commit_is_told_from_its_beginning_to_its_end() {
    let sink = Sink::start().await;
    let server = server(&sink, "github").await;
    begin(&server, "bench 1", "1", SHA).await;
    let told = sink.wait_for(1).await;
    assert_eq!(told[0].line, format!("POST /repos/acme/pump/statuses/{SHA}"));
    assert_eq!(told[0].header("authorization"), "Bearer t0ken");
    assert_eq!((&told[0].json["state"], &told[0].json["context"]), (&json!("pending"), &json!("holter/bench 1")));
    let run = server.get("/api/v1/runs").await.ok()["items"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(told[0].json["target_url"], format!("https://holter.example/lab/runs/{run}"));
    end(&server, "bench 1", "1", "failed").await;
    let told = sink.wait_for(2).await;
    assert_eq!((&told[1].json["state"], &told[1].json["description"]), (&json!("failure"), &json!("1 of 1 failed")));
    server.stop().await;
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_told() {
    let sink = Sink::start().await;
    let server = server(&sink, "gitea").await;
    begin(&server, "bench", "short", "3f2a").await;
    server
        .post(&json!({"type": "run.started", "at": server.at(0), "setup": "bench", "run": "other", "commit": SHA}))
        .await
        .ok();
    begin(&server, "ci/acme/pump", "pipeline", SHA).await;
    begin(&server, "bench", "told", SHA).await;
    let told = sink.wait_for(1).await;
    end(&server, "bench", "told", "passed").await;
    let all = sink.wait_for(2).await;
    assert_eq!((told.len(), all.len()), (1, 2));
    assert_eq!(all[1].line, format!("POST /api/v1/repos/acme/pump/statuses/{SHA}"));
    assert_eq!((&all[1].json["state"], all[1].header("authorization")), (&json!("success"), "token t0ken"));
    server.stop().await;
}

#[tokio::test]
async fn a_forge_that_is_down_is_told_later_and_only_what_still_holds() {
    let sink = Sink::start().await;
    let server = server(&sink, "gitlab").await;
    sink.answer(&[503]);
    begin(&server, "bench", "1", SHA).await;
    let told = sink.wait_for(1).await;
    assert_eq!(told[0].json["state"], "running");
    // Written down anew while the old word waits: the end takes its place.
    end(&server, "bench", "1", "passed").await;
    let told = sink.wait_for(2).await;
    assert_eq!((&told[1].json["state"], told[1].header("private-token")), (&json!("success"), "t0ken"));
    server.pass(3_600);
    // Nothing is left to be said: the run that is told next is the very next request.
    begin(&server, "bench", "2", &SHA.replace('3', "4")).await;
    assert_eq!(sink.wait_for(3).await[2].json["state"], "running");
    server.stop().await;
}

#[tokio::test]
async fn what_will_never_be_taken_is_given_up() {
    let sink = Sink::start().await;
    let server = server(&sink, "bitbucket").await;
    sink.answer(&[401]);
    begin(&server, "bench", "1", SHA).await;
    sink.wait_for(1).await;
    server.pass(3_600);
    end(&server, "bench", "1", "passed").await;
    let told = sink.wait_for(2).await;
    assert_eq!((told.len(), &told[1].json["state"]), (2, &json!("SUCCESSFUL")));
    server.stop().await;
}

#[tokio::test]
async fn a_restart_neither_repeats_nor_loses() {
    let sink = Sink::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let start = async || {
        server::server::provide_cryptography();
        let mut config = Config::default();
        config.listen.set_port(0);
        config.move_to(folder.path().to_owned(), false);
        configure(&mut config, &sink, "bitbucket-datacenter");
        Server::start(&config, true, std::sync::Arc::new(server::clock::SystemClock)).await.expect("it starts")
    };
    let now = app::domain::clock::Clock::now(&server::clock::SystemClock).to_rfc3339();
    let client = reqwest::Client::new();
    let say = async |server: &Server, kind: &str, fields: Value| {
        let mut event = json!({"type": kind, "at": now, "setup": "bench", "run": "1", "project": "pump"});
        fields.as_object().expect("fields").iter().for_each(|(name, value)| event[name] = value.clone());
        let url = format!("http://{}/api/v1/events", server.address);
        let answer = client.post(url).header("content-type", "application/json").body(event.to_string()).send().await;
        assert_eq!(answer.expect("an answer").status(), 200);
    };
    let server = start().await;
    say(&server, "run.started", json!({"commit": SHA})).await;
    assert_eq!(sink.wait_for(1).await[0].json["state"], "INPROGRESS");
    server.stop().await;

    let server = start().await;
    say(&server, "run.finished", json!({})).await;
    let told = sink.wait_for(2).await;
    assert_eq!((told.len(), &told[1].json["state"]), (2, &json!("SUCCESSFUL")));
    server.stop().await;
}

#[tokio::test]
async fn builds_say_the_status_of_their_commits_the_same_way() {
    let sink = Sink::start().await;
    let server = server(&sink, "forgejo").await;
    let name = format!("forgejo:{}/acme/pump", sink.address);
    assert!(server.service().repository(&name).await.expect("reads").is_some());
    let status = CommitStatus {
        commit: SHA.into(),
        context: "holter/build".into(),
        state: CommitState::Error,
        description: "the build could not begin".into(),
        url: server.service().link("/builds/7"),
    };
    server.service().say_commit_status(&name, status.clone()).await.expect("is written");
    let told = sink.wait_for(1).await;
    assert_eq!(
        (&told[0].json["state"], &told[0].json["target_url"]),
        (&json!("error"), &json!("https://holter.example/lab/builds/7"))
    );
    server.service().say_commit_status("github:nowhere/a/b", status).await.expect("is written");
    eventually("it is given up", async || (server.service().deliver().await.expect("sends") == 0).then_some(())).await;
    assert_eq!(sink.received().len(), 1);
    server.stop().await;
}
