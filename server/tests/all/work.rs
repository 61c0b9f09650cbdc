//! The queue of jobs, as workers find it.

use crate::harness::{Answer, TestServer, eventually};
use app::domain::ids::JobId;
use app::domain::job::{JobKind, Labels, Step, Task, Tells};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use server::service::jobs::NewJob;
use server::service::tokens::Scope;
use std::collections::HashSet;
use std::io::Write;
use uuid::Uuid;

/// A job of one step that says its name.
pub fn new_job(name: &str, labels: &str) -> NewJob {
    let step = Step { name: "say".into(), script: format!("echo {name}"), ..Step::default() };
    NewJob {
        kind: JobKind::Batch,
        parent: Uuid::from_u128(5),
        ordinal: 0,
        name: name.into(),
        priority: 0,
        labels: Labels::parse(labels).expect("labels"),
        concurrency: None,
        attempts_max: 2,
        task: Task { steps: vec![step], ..Task::default() },
    }
}

pub async fn submit(server: &TestServer, jobs: Vec<NewJob>) -> Vec<JobId> {
    server.service().itself().submit_jobs(jobs).await.expect("they are taken")
}

/// As workers send it.
pub fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text).expect("packed");
    packer.finish().expect("packed")
}

/// A worker that does what a test says.
pub struct Hand<'a> {
    server: &'a TestServer,
    id: String,
    instance: Uuid,
}

impl<'a> Hand<'a> {
    /// As workers do.
    pub async fn start(server: &'a TestServer, name: &str, labels: &str) -> Self {
        let instance = Uuid::new_v4();
        let hello = json!({"name": name, "instance": instance, "labels": labels, "slots": 2});
        let welcome = post(server, "/api/v1/work/workers", &hello).await.ok();
        assert_eq!(welcome["lease_seconds"], 30);
        Self { server, id: welcome["id"].as_str().expect("an id").into(), instance }
    }

    /// As workers do.
    pub async fn claim(&self, wait: u32) -> Answer {
        let claim = json!({"worker": self.id, "instance": self.instance, "wait_seconds": wait});
        post(self.server, "/api/v1/work/claim", &claim).await
    }

    async fn extend(&self, order: &Value) -> Answer {
        self.extend_with(order, json!({"steps": []})).await
    }

    /// As workers do.
    pub async fn extend_with(&self, order: &Value, progress: Value) -> Answer {
        let body = json!({"worker": self.id, "attempt": order["attempt"], "progress": progress});
        post(self.server, &format!("/api/v1/work/jobs/{}/extend", text(&order["job"])), &body).await
    }

    /// As workers do.
    pub async fn finish(&self, order: &Value, result: &str) -> Answer {
        let body = json!({"worker": self.id, "attempt": order["attempt"], "result": result, "note": "so it was"});
        post(self.server, &format!("/api/v1/work/jobs/{}/finish", text(&order["job"])), &body).await
    }

    /// As workers do.
    pub async fn log(&self, order: &Value, start: usize, piece: Vec<u8>) -> Answer {
        let (job, attempt) = (text(&order["job"]), &order["attempt"]);
        let path = format!("/api/v1/work/jobs/{job}/log?worker={}&attempt={attempt}&start={start}", self.id);
        self.server.send(self.server.client.post(self.server.url(&path)).body(piece)).await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

async fn post(server: &TestServer, path: &str, body: &Value) -> Answer {
    server.send(server.client.post(server.url(path)).json(body)).await
}

#[tokio::test]
async fn a_job_goes_from_the_queue_to_its_result_and_shows_its_log() {
    let server = TestServer::start().await;
    let hand = Hand::start(&server, "left", "linux").await;
    assert_eq!(hand.claim(0).await.status, 204);
    let ids = submit(&server, vec![new_job("first", "linux"), new_job("other", "mars")]).await;
    let order = hand.claim(0).await.ok();
    assert_eq!(order["job"], ids[0].to_string());
    assert_eq!((&order["attempt"], &order["task"]["steps"][0]["script"]), (&json!(1), &json!("echo first")));
    assert_eq!(hand.claim(0).await.status, 204, "the other needs a label that it has not");

    let mut live = server.open(&format!("/live/jobs/{}", ids[0])).await;
    assert_eq!(hand.log(&order, 0, packed(b"one\n")).await.ok()["end"], 4);
    assert_eq!(hand.log(&order, 0, packed(b"one\n")).await.ok()["end"], 4, "sent again");
    assert_eq!(hand.log(&order, 4, packed("zw\u{f6}lf\n".as_bytes())).await.ok()["end"], 11);
    assert_eq!(hand.log(&order, 90, packed(b"x")).await.ok()["end"], 11, "a gap is not taken");
    hand.log(&order, 11, b"plain".to_vec()).await.problem(422, "invalid");
    hand.log(&order, 11, packed(&vec![b'x'; 5_000_000])).await.problem(422, "invalid");
    assert_eq!(hand.extend(&order).await.ok()["stop"], Value::Null);
    assert_eq!(hand.finish(&order, "passed").await.status, 204);
    assert_eq!(hand.finish(&order, "passed").await.status, 204, "the answer may have been lost");
    hand.finish(&order, "failed").await.problem(409, "conflict");
    hand.log(&order, 11, packed(b"late")).await.problem(409, "conflict");

    let mut said = String::new();
    let over = live.until("it is over", |frame| {
        let data = frame.data.clone();
        said.push_str(data["text"].as_str().unwrap_or_default());
        (frame.event == "over").then_some(data)
    });
    assert_eq!(over.await["result"], "passed");
    assert_eq!(said, "one\nzw\u{f6}lf\n");
    let log = server.get(&format!("/api/v1/jobs/{}/log", ids[0])).await;
    assert_eq!(log.text, "one\nzw\u{f6}lf\n");
    assert_eq!(server.get(&format!("/api/v1/jobs/{}/log?from=4", ids[0])).await.text, "zw\u{f6}lf\n");
    let job = server.get(&format!("/api/v1/jobs/{}", ids[0])).await.ok();
    assert_eq!(
        (&job["state"], &job["result"], &job["note"]),
        (&json!("finished"), &json!("passed"), &json!("so it was"))
    );
    server.stop().await;
}

#[tokio::test]
async fn who_waits_is_given_a_job_at_once() {
    let server = TestServer::start().await;
    let hand = Hand::start(&server, "left", "").await;
    let waiting = hand.claim(20);
    let coming = async {
        tokio::task::yield_now().await;
        submit(&server, vec![new_job("late", "")]).await
    };
    let began = std::time::Instant::now();
    let (order, ids) = tokio::join!(waiting, coming);
    assert_eq!(order.ok()["job"], ids[0].to_string());
    assert!(began.elapsed().as_secs() < 10);
    server.stop().await;
}

#[tokio::test]
async fn a_worker_that_dies_loses_its_job_and_its_word() {
    let server = TestServer::start().await;
    let (dead, heir) = (Hand::start(&server, "dead", "").await, Hand::start(&server, "heir", "").await);
    let ids = submit(&server, vec![new_job("one", "")]).await;
    let first = dead.claim(0).await.ok();
    dead.log(&first, 0, packed(b"first attempt\n")).await.ok();
    server.pass(31);
    let again = heir.claim(20).await.ok();
    assert_eq!((text(&again["job"]), &again["attempt"]), (&*ids[0].to_string(), &json!(2)));
    dead.extend(&first).await.problem(409, "conflict");
    dead.finish(&first, "passed").await.problem(409, "conflict");
    let job = server.get(&format!("/api/v1/jobs/{}", ids[0])).await.ok();
    assert!(text(&job["note"]).contains("the worker dead fell silent; the job is taken again"), "{job}");
    heir.log(&again, 0, packed(b"second\n")).await.ok();
    assert_eq!(server.get(&format!("/api/v1/jobs/{}/log", ids[0])).await.text, "second\n");
    assert_eq!(server.get(&format!("/api/v1/jobs/{}/log?attempt=1", ids[0])).await.text, "first attempt\n");

    server.pass(31);
    let lost = eventually("the job is lost", async || {
        let job = server.get(&format!("/api/v1/jobs/{}", ids[0])).await.ok();
        (job["state"] == "lost").then_some(job)
    });
    assert!(text(&lost.await["note"]).contains("it was the last attempt"));
    server.stop().await;
}

#[tokio::test]
async fn what_a_dead_worker_was_telling_is_ended() {
    let server = TestServer::start().await;
    let dead = Hand::start(&server, "dead", "").await;
    let tells = Tells { setup: "batches".into(), run: "a".into(), ..Tells::default() };
    let job = new_job("one", "");
    submit(&server, vec![NewJob { attempts_max: 1, task: Task { tells, ..job.task.clone() }, ..job }]).await;
    let order = dead.claim(0).await.ok();
    dead.extend_with(&order, json!({"steps": [{"name": "say", "state": "running"}]})).await.ok();
    let said = |kind: &str| json!({"type": kind, "setup": "batches", "run": "a", "suite": ["s"], "test": "t", "at": server.at(0)});
    server.post(&json!([said("run.started"), said("test.started")])).await.ok();
    let address = format!("/jobs/{}", text(&order["job"]));
    let run = async || server.get("/api/v1/runs").await.ok()["items"][0].clone();
    let page = server.get(&address).await.text;
    assert!(page.contains(&format!("/runs/{}\"", text(&run().await["id"]))), "{page}");

    server.pass(31);
    let ended =
        eventually("its run is over", async || Some(run().await).filter(|run| run["state"] == "finished")).await;
    assert_eq!((&ended["result"], &ended["counts"]["cancelled"]), (&json!("cancelled"), &json!(1)));
    let job = server.get(&format!("/api/v1{address}")).await.ok();
    assert_eq!((&job["state"], &job["progress"]["steps"][0]["state"]), (&json!("lost"), &json!("failed")));
    server.stop().await;
}

#[tokio::test]
async fn a_worker_that_starts_again_has_nothing_and_its_former_self_is_told_so() {
    let server = TestServer::start().await;
    let former = Hand::start(&server, "left", "").await;
    submit(&server, vec![new_job("one", "")]).await;
    let order = former.claim(0).await.ok();
    let now = Hand::start(&server, "left", "").await;
    assert_eq!(now.id, former.id);
    former.claim(0).await.problem(409, "conflict");
    former.extend(&order).await.problem(409, "conflict");
    assert_eq!(now.claim(0).await.ok()["attempt"], 2);
    server.stop().await;
}

#[tokio::test]
async fn two_workers_share_two_hundred_jobs_and_none_has_two_results() {
    let server = TestServer::start().await;
    let jobs = (0..200).map(|number| new_job(&format!("job-{number}"), "")).collect();
    submit(&server, jobs).await;
    let work = async |name: &str| {
        let hand = Hand::start(&server, name, "").await;
        let mut done = Vec::new();
        loop {
            let answer = hand.claim(0).await;
            if answer.status == 204 {
                return done;
            }
            let order = answer.ok();
            assert_eq!(hand.finish(&order, "passed").await.status, 204);
            done.push(text(&order["job"]).to_owned());
        }
    };
    let (left, right) = tokio::join!(work("left"), work("right"));
    assert!(!left.is_empty() && !right.is_empty());
    let all: HashSet<_> = left.iter().chain(&right).collect();
    assert_eq!((all.len(), left.len() + right.len()), (200, 200));
    server.stop().await;
}

#[tokio::test]
async fn what_is_called_off_stops_and_what_waits_never_begins() {
    let server = TestServer::start().await;
    let hand = Hand::start(&server, "left", "").await;
    let ids = submit(&server, vec![new_job("runs", ""), new_job("waits", "")]).await;
    let order = hand.claim(0).await.ok();
    let cancel = async |id: JobId| post(&server, &format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
    assert_eq!(cancel(ids[1]).await.ok()["result"], "cancelled");
    assert_eq!(cancel(ids[0]).await.ok()["state"], "running");
    assert_eq!(hand.extend(&order).await.ok()["stop"], "cancelled by somebody without an account");
    assert_eq!(hand.finish(&order, "cancelled").await.status, 204);
    cancel(ids[0]).await.problem(409, "conflict");
    assert_eq!(hand.claim(0).await.status, 204);
    server.stop().await;
}

#[tokio::test]
async fn a_worker_is_drained_seen_and_forgotten() {
    let server = TestServer::start().await;
    let hand = Hand::start(&server, "left", "gpu").await;
    submit(&server, vec![new_job("one", ""), new_job("two", "")]).await;
    hand.claim(0).await.ok();
    let stance = async |word: &str| {
        let path = server.url("/api/v1/work/workers/left/stance");
        server.send(server.client.put(path).json(&json!({"stance": word}))).await
    };
    stance("lazy").await.problem(422, "invalid");
    assert_eq!(stance("draining").await.status, 204);
    assert_eq!(hand.claim(0).await.status, 204);
    let list = server.get("/api/v1/work/workers").await.ok();
    let shown = &list["items"][0];
    assert_eq!(
        (&shown["name"], &shown["stance"], &shown["labels"]),
        (&json!("left"), &json!("draining"), &json!(["gpu"]))
    );
    assert_eq!((&shown["is_away"], &shown["jobs"][0]["name"]), (&json!(false), &json!("one")));
    server.pass(91);
    assert_eq!(server.get("/api/v1/work/workers").await.ok()["items"][0]["is_away"], true);
    let forgotten = server.client.delete(server.url("/api/v1/work/workers/left"));
    assert_eq!(server.send(forgotten).await.status, 204);
    hand.claim(0).await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn only_a_token_of_a_worker_takes_jobs() {
    let server = TestServer::start_with(false, |_| {}).await;
    submit(&server, vec![new_job("one", "")]).await;
    let hello = json!({"name": "x", "instance": Uuid::new_v4(), "slots": 1});
    post(&server, "/api/v1/work/workers", &hello).await.problem(401, "unauthenticated");
    for (scope, status) in [(Scope::Ingest, 403), (Scope::Read, 403), (Scope::Worker, 200)] {
        let token = server.token(scope, None, None).await;
        let request = server.client.post(server.url("/api/v1/work/workers")).bearer_auth(&token).json(&hello);
        assert_eq!(server.send(request).await.status, status, "{scope:?}");
        let cancel = server.client.post(server.url(&format!("/api/v1/jobs/{}/cancel", Uuid::nil()))).bearer_auth(token);
        assert_eq!(server.send(cancel).await.status, 403, "{scope:?}");
    }
    server.stop().await;
}
