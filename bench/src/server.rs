//! Holter itself: a fresh one in a folder of its own, with a token to write.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use crate::Setting;
use crate::http::Connection;
use crate::load::Target;
use crate::process::Process;

/// What a form says of itself.
pub const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

/// A running Holter.
pub struct Server {
    /// The child.
    pub process: Process,
    token: String,
    folder: TempDir,
}

/// What a stopped Holter leaves: its folder, which goes when this is dropped.
pub struct Remains {
    folder: TempDir,
}

impl Remains {
    /// The database.
    pub fn database(&self) -> PathBuf {
        database(self.folder.path())
    }

    /// A place for databases to compare with, on the same disk.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// How a Holter is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way<'a> {
    /// Everybody on this machine may write without a token.
    pub is_open: bool,
    /// What its configuration says beside the usual, as TOML.
    pub config: &'a str,
}

impl Server {
    /// Starts one with an empty store.
    pub async fn start(setting: &Setting) -> Result<Self> {
        Self::start_as(setting, Way::default()).await
    }

    /// Starts one with an empty store, in a way of its own.
    pub async fn start_as(setting: &Setting, way: Way<'_>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("holter-bench-").tempdir()?;
        let log = folder.path().join("log");
        let written = File::create(&log)?;
        // All load comes from one address with one token, which is no attack here.
        let config = format!("{}\n[limits]\nrequests_per_second = 0\n", way.config);
        fs::write(folder.path().join("holter.toml"), config)?;
        let mut serve = command(setting, folder.path());
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path().join("data"));
        if way.is_open {
            serve.arg("--dev");
        }
        let process = Process::start(serve.stderr(Stdio::from(written))).await;
        let process = process.with_context(|| format!("it wrote: {}", last_lines(&log)))?;
        let token = token(setting, folder.path(), "ingest").await?;
        Ok(Self { process, token, folder })
    }

    /// A token of another scope.
    pub async fn token_of(&self, setting: &Setting, scope: &str) -> Result<String> {
        token(setting, self.folder.path(), scope).await
    }

    /// Makes an account, and the cookie of somebody who is signed in with it.
    pub async fn sign_in(&self, setting: &Setting, name: &str, role: &str, password: &str) -> Result<String> {
        let link = printed(setting, self.folder.path(), &["user", "create", name, "--role", role]).await?;
        let secret = link.split_once("link=").context("no link was printed")?.1;
        let body = format!("link={secret}&password={}", password.replace(' ', "+"));
        let headers = format!("{FORM}origin: http://127.0.0.1\r\n");
        let mut connection = Connection::open(self.process.address).await?;
        let answer = connection.send("POST", "/welcome", &headers, body.as_bytes()).await?;
        ensure!(answer.status == 303, "the link is answered {}", answer.status);
        answer.cookie.context("nobody was signed in")
    }

    /// Its database, while it runs.
    pub fn database(&self) -> PathBuf {
        database(self.folder.path())
    }

    /// Where to post to, and with which token.
    pub fn target(&self) -> Target {
        Target::new(self.process.address, Some(&self.token))
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Its address for browsers.
    pub fn url(&self) -> String {
        format!("http://{}", self.process.address)
    }

    /// Stops it in good order, and gives what it leaves behind.
    pub async fn stop(self) -> Result<Remains> {
        let log = self.folder.path().join("log");
        self.process.stop().await.with_context(|| format!("it wrote: {}", last_lines(&log)))?;
        Ok(Remains { folder: self.folder })
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("data").join("holter.db")
}

/// The program in its folder, so that no configuration of the caller's applies.
fn command(setting: &Setting, folder: &Path) -> Command {
    let mut command = Command::new(&setting.holter);
    command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    for name in ["HOLTER_LISTEN", "HOLTER_DATABASE_URL", "HOLTER_DATA_DIR", "HOLTER_CONFIG", "HOLTER_LOG"] {
        command.env_remove(name);
    }
    command
}

async fn token(setting: &Setting, folder: &Path, scope: &str) -> Result<String> {
    printed(setting, folder, &["token", "create", "--scope", scope]).await
}

/// The last line that a command prints which works on the store.
async fn printed(setting: &Setting, folder: &Path, words: &[&str]) -> Result<String> {
    let mut asked = command(setting, folder);
    let output = asked.args(words).arg("--data-dir").arg(folder.join("data")).output().await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{words:?}: {said}");
    let printed = String::from_utf8(output.stdout)?;
    let line = printed.lines().last().unwrap_or_default().trim().to_owned();
    ensure!(!line.is_empty(), "{words:?} printed nothing");
    Ok(line)
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}
