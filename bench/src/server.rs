//! Holter itself: a fresh one in a folder of its own, with a token to write.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use crate::Setting;
use crate::load::Target;
use crate::process::Process;

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

impl Server {
    /// Starts one with an empty store.
    pub async fn start(setting: &Setting) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("holter-bench-").tempdir()?;
        let log = folder.path().join("log");
        let written = File::create(&log)?;
        // All load comes from one address with one token, which is no attack here.
        fs::write(folder.path().join("holter.toml"), "[limits]\nrequests_per_second = 0\n")?;
        let mut serve = command(setting, folder.path());
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path().join("data"));
        let process = Process::start(serve.stderr(Stdio::from(written))).await;
        let process = process.with_context(|| format!("it wrote: {}", last_lines(&log)))?;
        let token = token(setting, folder.path()).await?;
        Ok(Self { process, token, folder })
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

async fn token(setting: &Setting, folder: &Path) -> Result<String> {
    let mut create = command(setting, folder);
    create.args(["token", "create", "--scope", "ingest", "--data-dir"]).arg(folder.join("data"));
    let output = create.output().await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "no token could be made: {said}");
    let printed = String::from_utf8(output.stdout)?;
    let token = printed.lines().last().unwrap_or_default().trim().to_owned();
    ensure!(!token.is_empty(), "no token was printed");
    Ok(token)
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}
