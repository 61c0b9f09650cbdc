//! Jobs that are really run, and jobs that do what no job may do: each is
//! contained, says what happened, and the next one runs.

use crate::harness::{TestServer, eventually};
use crate::work::{new_job, submit};
use app::domain::ids::JobId;
use app::domain::job::{Labels, Limits, Step};
use serde_json::Value;
use server::clock::SystemClock;
use server::runner::office::Office;
use server::runner::sandbox::{Isolation, Sandbox};
use server::runner::{Means, Worker};
use server::service::jobs::NewJob;
use server::service::tokens::Scope;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Small, so that what breaks them is quick.
const LIMITS: Limits =
    Limits { seconds: 20, memory_mebibytes: 256, processes: 64, disk_mebibytes: 64, output_mebibytes: 8 };

/// A server with a worker of its own beside it.
pub struct Yard {
    pub server: TestServer,
    stop: CancellationToken,
    worker: JoinHandle<()>,
}

impl Yard {
    async fn open(isolation: Isolation, visible: Vec<PathBuf>, python: &str) -> Self {
        let server = TestServer::start_with(false, |config| {
            config.runner.secrets.insert("DEPLOY".into(), "hunter22-secret".to_owned().into());
        })
        .await;
        let token = server.token(Scope::Worker, None, None).await;
        let url = server.url("").parse().expect("an address");
        let means = Means {
            sandbox: Sandbox::find(isolation, visible, &[]).expect("bubblewrap is installed"),
            folder: server.folder().join("jobs"),
            python: python.into(),
            limits: LIMITS,
            caches: None,
        };
        let worker = Worker {
            office: Office::at(url, token).expect("a client"),
            means,
            name: "yard".into(),
            labels: Labels::default(),
            slots: 1,
            instance: Uuid::new_v4(),
            clock: Arc::new(SystemClock),
        };
        let stop = CancellationToken::new();
        let ended = stop.clone();
        let worker = tokio::spawn(async move { worker.run(ended).await.expect("it goes on") });
        Self { server, stop, worker }
    }

    async fn ended(&self, id: JobId) -> Value {
        eventually("the job is over", async || {
            let job = self.server.get(&format!("/api/v1/jobs/{id}")).await.ok();
            matches!(job["state"].as_str(), Some("finished" | "lost")).then_some(job)
        })
        .await
    }

    async fn log(&self, id: JobId) -> String {
        self.server.get(&format!("/api/v1/jobs/{id}/log")).await.text
    }

    /// Runs a script, and says what came of it and what it put out.
    pub async fn run(&self, script: &str) -> (Value, String) {
        self.run_job(scripted(script)).await
    }

    pub async fn run_job(&self, job: NewJob) -> (Value, String) {
        let id = submit(&self.server, vec![job]).await[0];
        let job = self.ended(id).await;
        (job, self.log(id).await)
    }

    /// Checks that the next job runs as if nothing had been.
    pub async fn goes_on(self) {
        let (job, log) = self.run("echo all is well").await;
        assert_eq!((job["result"].as_str(), &*log), (Some("passed"), "all is well\n"), "{job}");
        self.close().await;
    }

    async fn close(self) {
        self.stop.cancel();
        self.worker.await.expect("it ends");
        let left: Vec<_> = fs::read_dir(self.server.folder().join("jobs")).expect("a folder").collect();
        assert!(left.is_empty(), "{left:?}");
        self.server.stop().await;
    }
}

pub async fn boxed() -> Yard {
    Yard::open(Isolation::Bubblewrap, Vec::new(), "python3").await
}

pub fn scripted(script: &str) -> NewJob {
    let mut job = new_job("scripted", "");
    job.task.steps = vec![Step { name: "run".into(), script: script.into(), ..Step::default() }];
    job
}

/// Processes of this machine whose command line has a word.
pub fn running(word: &str) -> usize {
    let all = fs::read_dir("/proc").expect("processes").flatten();
    let line = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).unwrap_or_default();
    all.map(line).filter(|line| line.split(|byte| *byte == 0).any(|part| part == word.as_bytes())).count()
}

pub fn note(job: &Value) -> &str {
    job["note"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn steps_run_in_their_order_and_say_how_they_went() {
    let yard = boxed().await;
    let mut job = scripted("echo one; echo two >&2");
    let step = |name: &str, script: &str| Step { name: name.into(), script: script.into(), ..Step::default() };
    job.task.steps.push(Step { may_fail: true, ..step("lint", "exit 3") });
    job.task.steps.push(step("test", "cat kept.txt; exit 7"));
    job.task.steps.push(step("never", "echo never"));
    job.task.steps.push(Step { always: true, ..step("after", "echo after") });
    let (job, log) = yard.run_job(job).await;
    assert_eq!(log, "one\ntwo\ncat: kept.txt: No such file or directory\nafter\n");
    assert_eq!((job["result"].as_str(), note(&job)), (Some("failed"), "the step test ended with 7"));
    let steps: Vec<_> = job["progress"]["steps"].as_array().expect("steps").iter().collect();
    let states: Vec<_> = steps.iter().map(|step| step["state"].as_str().expect("a word")).collect();
    assert_eq!(states, ["passed", "failed", "failed", "skipped", "passed"]);
    assert_eq!((&steps[1]["code"], &steps[2]["code"]), (&3.into(), &7.into()));
    assert_eq!(steps[4]["log_start"], log.find("after").expect("said"));
    yard.goes_on().await;
}

#[tokio::test]
async fn a_job_sees_neither_the_server_nor_the_machine() {
    let yard = boxed().await;
    let folder = yard.server.folder().display().to_string();
    let script = format!(
        "id -u; pwd; ls -A / | tr '\\n' ' '; echo; env | cut -d= -f1 | sort | tr '\\n' ' '; echo; ls {folder}; \
         ls /root /home; cat /etc/shadow; cat /proc/1/environ; touch /x /usr/x /etc/x /dev/x; ls /proc | grep -c '^[0-9]'; \
         touch /tmp/fine /job/fine && echo fine"
    );
    let (job, log) = yard.run(&script).await;
    assert_eq!(job["result"], "passed", "{log}");
    let lines: Vec<_> = log.lines().collect();
    assert_ne!(lines[0], "0");
    assert_eq!(lines[1], "/job");
    assert!(!lines[2].contains("root") && !lines[2].contains("home"), "{}", lines[2]);
    let known = ["CI", "HOLTER_JOB", "HOME", "LANG", "PATH", "PWD", "PYTHON"];
    assert!(
        lines[3].split(' ').all(|name| name.is_empty()
            || name.len() == 1
            || known.iter().any(|known| name.starts_with(known))
            || ["SHLVL", "OLDPWD", "TMPDIR"].contains(&name)),
        "{}",
        lines[3]
    );
    for refused in
        [&*folder, "/root", "/home", "/etc/shadow", "touch: cannot touch '/x'", "'/usr/x'", "'/etc/x'", "'/dev/x'"]
    {
        let said = lines.iter().any(|line| {
            line.contains(refused)
                && (line.contains("No such") || line.contains("denied") || line.contains("Read-only"))
        });
        assert!(said, "{refused}: {log}");
    }
    assert!(!log.contains("CARGO"), "{log}");
    assert_eq!(lines.last(), Some(&"fine"));
    yard.goes_on().await;
}

#[tokio::test]
async fn a_fork_bomb_is_contained() {
    let yard = boxed().await;
    let mut job = scripted("f() { f | f & }; f; while :; do sleep 1; done");
    job.task.limits.seconds = 8;
    let (job, _) = yard.run_job(job).await;
    let is_told =
        note(&job).contains("processes at once") || ["failed", "timed_out"].iter().any(|word| job["result"] == *word);
    assert!(is_told, "{job}");
    yard.goes_on().await;
}

#[tokio::test]
async fn who_wants_too_much_memory_is_refused_and_ended() {
    let yard = boxed().await;
    let (job, log) = yard.run("perl -e '$x = \"a\" x (1 << 30); print \"had it\\n\"'").await;
    assert_eq!(job["result"], "failed", "{log}");
    assert!(!log.contains("had it"));
    // Many that each stay below what one may have.
    let many = "for i in 1 2 3 4 5 6; do perl -e '$x = \"a\" x (100 << 20); sleep 60' & done; wait";
    let (job, _) = yard.run(many).await;
    assert_eq!(
        (job["result"].as_str(), note(&job)),
        (Some("errored"), "its programs took more than 256 MiB of memory, and was ended")
    );
    yard.goes_on().await;
}

#[tokio::test]
async fn who_fills_the_disk_is_ended() {
    let yard = boxed().await;
    let (job, _) = yard.run("i=0; while :; do head -c 5000000 /dev/zero > f$i; i=$((i+1)); sleep 0.02; done").await;
    assert_eq!(job["result"], "errored", "{job}");
    assert!(note(&job).starts_with("it wrote more than 64 MiB"), "{job}");
    let (job, _) = yard.run("head -c 100000000 /dev/zero > f").await;
    assert_eq!(job["result"], "failed", "{job}");
    yard.goes_on().await;
}

#[tokio::test]
async fn who_never_stops_talking_is_ended() {
    let yard = boxed().await;
    let (job, log) = yard.run("yes").await;
    assert_eq!((job["result"].as_str(), note(&job)), (Some("errored"), "it put out more than 8 MiB, and was ended"));
    assert!((8 << 20..16 << 20).contains(&log.len()), "{}", log.len());
    assert!(log.ends_with("holter: it put out more than 8 MiB, and was ended\n"));
    yard.goes_on().await;
}

#[tokio::test]
async fn who_does_not_end_is_ended_with_all_its_family() {
    let yard = boxed().await;
    let mut job = scripted("trap '' TERM INT HUP; (trap '' TERM; sleep 98761) & while :; do sleep 98762; done");
    job.task.limits.seconds = 1;
    let (job, log) = yard.run_job(job).await;
    assert_eq!((job["result"].as_str(), note(&job)), (Some("timed_out"), "it took longer than 1 s and was ended"));
    assert!(log.ends_with("holter: it took longer than 1 s and was ended\n"), "{log}");
    assert_eq!((running("98761"), running("98762")), (0, 0));
    let (job, log) = yard
        .run("setsid sh -c 'sleep 98763; touch late' >/dev/null 2>&1 & nohup sleep 98764 & sleep 0.2; echo done")
        .await;
    assert_eq!(job["result"], "passed", "{log}");
    assert_eq!((running("98763"), running("98764")), (0, 0));
    yard.goes_on().await;
}

#[tokio::test]
async fn plain_processes_are_ended_with_their_family_too() {
    let yard = Yard::open(Isolation::Plain, Vec::new(), "python3").await;
    let mut job =
        scripted("setsid sh -c 'trap \"\" TERM; sleep 98771; sleep 98772' >/dev/null 2>&1 & echo begun; sleep 98773");
    job.task.limits.seconds = 1;
    let (job, log) = yard.run_job(job).await;
    assert_eq!((job["result"].as_str(), log.lines().next()), (Some("timed_out"), Some("begun")));
    assert_eq!((running("98771"), running("98772"), running("98773")), (0, 0, 0));
    yard.goes_on().await;
}

#[tokio::test]
async fn there_is_no_network_unless_it_is_allowed() {
    let yard = boxed().await;
    let port = yard.server.url("").rsplit(':').next().expect("a port").to_owned();
    let script = format!(
        "perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => \"127.0.0.1:{port}\") ? \"there\" : \"away\", \"\\n\"'"
    );
    assert_eq!(yard.run(&script).await.1, "away\n");
    let mut job = scripted(&script);
    job.task.has_network = true;
    assert_eq!(yard.run_job(job).await.1, "there\n");
    yard.goes_on().await;
}

#[tokio::test]
async fn secrets_are_there_and_are_not_shown() {
    let yard = boxed().await;
    let mut job = scripted(
        "test \"$DEPLOY\" = hunter22-secret && printf 'it is hunter22'; sleep 0.3; echo \"-secret, and $OTHER\"",
    );
    job.task.secrets = vec!["DEPLOY".into(), "UNKNOWN".into()];
    job.task.environment.insert("OTHER".into(), "plain".into());
    let (job, log) = yard.run_job(job).await;
    assert_eq!((job["result"].as_str(), &*log), (Some("passed"), "it is ***, and plain\n"));
    yard.goes_on().await;
}

#[tokio::test]
async fn who_is_called_off_is_ended() {
    let yard = boxed().await;
    let id = submit(&yard.server, vec![scripted("echo begun; sleep 98781")]).await[0];
    eventually("it has begun", async || yard.log(id).await.contains("begun").then_some(())).await;
    yard.server.service().itself().cancel_job(id, "cancelled by Kim").await.expect("it runs");
    let job = yard.ended(id).await;
    assert_eq!((job["result"].as_str(), note(&job)), (Some("cancelled"), "cancelled by Kim"));
    assert_eq!(running("98781"), 0);
    yard.goes_on().await;
}

#[tokio::test]
async fn what_a_job_reports_is_a_run_of_its_setup() {
    let yard = boxed().await;
    let mut job = scripted("printf '1..2\\nok 1 - opens\\nnot ok 2 - closes\\n'; exit 1");
    job.task.steps[0].keeps = "out.tap".into();
    job.task.tells.setup = "yard bench".into();
    job.task.tells.run = "r-1".into();
    let (job, log) = yard.run_job(job).await;
    assert_eq!(job["result"], "failed", "{log}");
    let runs = yard.server.get("/api/v1/runs?setup=yard%20bench").await.ok();
    assert_eq!((&runs["items"][0]["key"], &runs["items"][0]["result"]), (&"r-1".into(), &"failed".into()), "{log}");
    yard.goes_on().await;
}
