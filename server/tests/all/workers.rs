//! Workers as programs of their own, one of which is killed.

use crate::harness::{TestServer, eventually};
use crate::work::{new_job, submit};
use serde_json::Value;
use server::service::tokens::Scope;
use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn start(server: &TestServer, token: &str, name: &str, folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_holter"))
        .args(["worker", "--url", &server.url(""), "--name", name, "--slots", "2", "--folder"])
        .arg(folder.join(name))
        .env("HOLTER_TOKEN", token)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_jobs_have_one_result_each_though_a_worker_is_killed() {
    let server = TestServer::start_with(false, |_| {}).await;
    let token = server.token(Scope::Worker, None, None).await;
    let folder = tempfile::tempdir().expect("a folder");
    let ids = submit(&server, (0..200).map(|number| new_job(&format!("job-{number}"), "")).collect()).await;
    let mut left = start(&server, &token, "left", folder.path());
    let mut right = start(&server, &token, "right", folder.path());
    let state = async |id| {
        let job: Value = server.get(&format!("/api/v1/jobs/{id}")).await.ok();
        job
    };
    eventually("some are done", async || (state(ids[20]).await["state"] == "finished").then_some(())).await;
    left.kill().expect("it is killed");
    left.wait().expect("it is gone");
    // Whoever was killed holds its jobs until the lease is over.
    server.pass(31);
    let mut results: HashMap<String, u32> = HashMap::new();
    for id in &ids {
        let job = eventually("the job is over", async || {
            let job = state(*id).await;
            (job["state"] == "finished").then_some(job)
        })
        .await;
        *results.entry(job["result"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        let log = server.get(&format!("/api/v1/jobs/{id}/log")).await.text;
        assert_eq!(log, format!("{}\n", job["name"].as_str().expect("a name").to_owned()), "{job}");
    }
    assert_eq!(results, HashMap::from([("passed".to_owned(), 200)]));
    right.kill().expect("it is killed");
    right.wait().expect("it is gone");
    server.stop().await;
}
