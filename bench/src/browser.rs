//! Parts that need a real browser: programs in `end2end/bench`, which print
//! what they found as JSON.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::process::Command;
use tokio::time::timeout;

use crate::{Setting, machine};

const DONE_WITHIN: Duration = Duration::from_secs(300);

/// Runs a program of `end2end/bench`, which is told `what` as JSON.
pub async fn run<T: DeserializeOwned>(setting: &Setting, program: &str, what: &impl Serialize) -> Result<T> {
    let folder = machine::checkout().join("end2end");
    ensure!(setting.chromium.is_file(), "there is no {}; install Chromium", setting.chromium.display());
    ensure!(
        folder.join("node_modules/playwright-core").is_dir(),
        "the packages of end2end are not installed; `cargo xtask e2e` installs them"
    );
    let mut node = Command::new("node");
    node.arg(format!("bench/{program}"))
        .arg(serde_json::to_string(what)?)
        .current_dir(folder)
        .env("HOLTER_CHROMIUM", &setting.chromium)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = timeout(DONE_WITHIN, node.output()).await.context("the browser does not come to an end")?;
    let output = output.context("node cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}", said.trim());
    serde_json::from_slice(&output.stdout).with_context(|| format!("{program} printed something else than JSON"))
}
