//! A Holter that builds: a repository whose pushes it is told of, and a forge
//! that it tells how they stand.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use crate::Setting;
use crate::http::Connection;
use crate::server::{Server, Way};

/// Nothing takes as long, unless it never comes.
const COMES_WITHIN: Duration = Duration::from_secs(60);

const SECRET: &str = "s3cret";

/// What the forge was told, and when.
struct Told {
    at: Instant,
    path: String,
    state: String,
}

/// All of it.
pub struct Yard {
    /// The Holter.
    pub holter: Server,
    folder: TempDir,
    told: UnboundedReceiver<Told>,
    connection: Connection,
    pushes: u32,
}

/// A push that Holter was told of.
pub struct Pushed {
    /// When.
    pub at: Instant,
    /// The commit.
    pub commit: String,
    /// The job that builds it.
    pub job: String,
}

async fn git(folder: &Path, words: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "init.defaultBranch=main"]);
    let output = git.args(words).current_dir(folder).output().await.context("git is not installed")?;
    ensure!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

async fn take(State(told): State<UnboundedSender<Told>>, uri: Uri, body: Bytes) -> StatusCode {
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let state = said["state"].as_str().unwrap_or_default().to_owned();
    // Who measures no more does not listen any more.
    let _ = told.send(Told { at: Instant::now(), path: uri.path().to_owned(), state });
    StatusCode::CREATED
}

async fn forge() -> Result<(String, UnboundedReceiver<Told>)> {
    let (send, told) = unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let router = Router::new().fallback(take).with_state(send);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, told))
}

impl Yard {
    /// Opens one, with a repository that says in `plan` what is run of it.
    pub async fn open(setting: &Setting, plan: &str) -> Result<Self> {
        // Jobs have a /tmp of their own, and would not see it there.
        let beside = setting.holter.parent().context("the program is nowhere")?;
        let folder = tempfile::Builder::new().prefix("bench-yard-").tempdir_in(beside)?;
        let work = folder.path().join("work");
        std::fs::create_dir(&work)?;
        git(folder.path(), &["init", "--bare", "--quiet", "pump.git"]).await?;
        git(&work, &["init", "--quiet"]).await?;
        std::fs::write(work.join(".holter.toml"), plan)?;
        git(&work, &["add", "."]).await?;
        let (address, told) = forge().await?;
        let bare = folder.path().join("pump.git").display().to_string();
        let config = format!(
            "public_url = \"http://holter.example\"\n\
             [runner]\nworkers = 1\nvisible = [{bare:?}]\n\
             [outgoing]\nallowed_hosts = [{address:?}]\n\
             [hooks]\nsecrets = {{ github = \"{SECRET}\" }}\n\
             [[repositories]]\nname = \"acme/pump\"\nurl = \"file://{bare}\"\n\
             [[commit_statuses]]\nforge = \"github\"\nurl = \"http://{address}\"\nrepository = \"acme/pump\"\n\
             token = \"t\"\nsetups = [\"none\"]\n"
        );
        let holter = Server::start_as(setting, Way { config: &config, ..Way::default() }).await?;
        let connection = Connection::open(holter.process.address).await?;
        Ok(Self { holter, folder, told, connection, pushes: 0 })
    }

    /// Pushes a new commit, and tells Holter so.
    pub async fn push(&mut self) -> Result<Pushed> {
        self.pushes += 1;
        let (work, bare) = (self.folder.path().join("work"), self.folder.path().join("pump.git"));
        git(&work, &["commit", "--quiet", "--allow-empty", "-m", &format!("change {}", self.pushes)]).await?;
        git(&work, &["push", "--quiet", &bare.display().to_string(), "HEAD:refs/heads/main"]).await?;
        let commit = git(&work, &["rev-parse", "HEAD"]).await?;
        let body = json!({
            "ref": "refs/heads/main", "after": commit, "before": "0".repeat(40), "deleted": false,
            "repository": {"full_name": "acme/pump"}, "pusher": {"name": "bench"},
            "head_commit": {"id": commit, "message": "a change"},
        })
        .to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
        mac.update(body.as_bytes());
        let headers = format!(
            "content-type: application/json\r\nx-github-event: push\r\nx-hub-signature-256: sha256={}\r\n",
            hex::encode(mac.finalize().into_bytes())
        );
        let at = Instant::now();
        let answer = self.connection.send("POST", "/api/v1/hooks/github", &headers, body.as_bytes()).await?;
        ensure!(answer.status == 200, "the push is answered {}", answer.status);
        let job = self.job_of(&commit).await?;
        Ok(Pushed { at, commit, job })
    }

    /// The job that builds a commit, once there is one.
    async fn job_of(&mut self, commit: &str) -> Result<String> {
        let until = Instant::now() + COMES_WITHIN;
        loop {
            let newest = self.get("/api/v1/builds?limit=1").await?["items"][0].clone();
            if newest["commit"] == *commit {
                return Ok(newest["job"]["id"].as_str().context("the build has no job")?.to_owned());
            }
            ensure!(Instant::now() < until, "the push is not built: {newest}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// When the forge was first told this of a commit.
    pub async fn told(&mut self, commit: &str, state: &str) -> Result<Instant> {
        let coming = async {
            loop {
                let told = self.told.recv().await.context("the forge is gone")?;
                if told.path.contains(commit) && told.state == state {
                    return anyhow::Ok(told.at);
                }
            }
        };
        timeout(COMES_WITHIN, coming).await.with_context(|| format!("the forge is never told that it is {state}"))?
    }

    /// An answer as JSON.
    pub async fn get(&mut self, path: &str) -> Result<Value> {
        let answer = self.connection.get(path, "").await?;
        ensure!(answer.status == 200, "{path} answers {}", answer.status);
        Ok(serde_json::from_slice(answer.body)?)
    }

    /// Waits until a job is over; it must have passed.
    pub async fn passed(&mut self, job: &str) -> Result<Value> {
        let path = format!("/api/v1/jobs/{job}");
        let until = Instant::now() + COMES_WITHIN;
        loop {
            let now = self.get(&path).await?;
            if let Some(result) = now["result"].as_str() {
                ensure!(result == "passed", "the job {result}: {now}");
                return Ok(now);
            }
            ensure!(Instant::now() < until, "the job does not end: {now}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops the Holter.
    pub async fn close(self) -> Result<()> {
        self.holter.stop().await.map(drop)
    }
}
