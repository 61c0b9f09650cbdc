//! What the figures were taken on.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::Setting;

/// Both ends of two thousand streams are ours, and each server has its half.
const OPEN_FILES: u64 = 8_192;

/// Set when the limit has been raised once, so that it is never tried twice.
const RAISED: &str = "HOLTER_BENCH_OPEN_FILES";

/// The machine and the build.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Processor cores.
    pub cores: usize,
    /// What the processor calls itself.
    pub processor: String,
    /// Memory in GiB.
    pub memory_gib: f64,
    /// The commit of the checkout, with a mark where files differ from it.
    pub commit: Option<String>,
    /// What the program says about its version.
    pub version: Option<String>,
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let commit = self.commit.as_deref().unwrap_or("unknown");
        let version = self.version.as_deref().unwrap_or("holter");
        write!(
            f,
            "{} cores, {}, {:.0} GiB · {version}, commit {commit} · load and server share the machine",
            self.cores, self.processor, self.memory_gib
        )
    }
}

/// Looks at the machine and the checkout.
pub async fn describe(setting: &Setting) -> Machine {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find(|line| line.starts_with("model name"));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    Machine {
        cores: available_parallelism().map_or(1, usize::from),
        processor: model.and_then(|line| line.split_once(": ")).map_or("unknown processor", |(_, name)| name).into(),
        memory_gib: total.unwrap_or_default() / 1_048_576.0,
        commit: printed(Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(checkout())),
        version: printed(Command::new(&setting.holter).arg("--version")),
    }
}

/// The top of the checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

fn printed(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Starts this program again under a higher limit of open files where the
/// present one is too low; children inherit it. A limit that may not be raised
/// is left alone: only the part with many streams needs it.
pub fn raise_open_files() -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let mut numbers = line.unwrap_or_default().split_whitespace().map(|word| word.parse().unwrap_or(u64::MAX));
    let (soft, hard) = (numbers.next().unwrap_or(u64::MAX), numbers.next().unwrap_or(u64::MAX));
    if soft >= OPEN_FILES || hard < OPEN_FILES || std::env::var_os(RAISED).is_some() {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let script = format!("ulimit -n {OPEN_FILES}; exec \"$0\" \"$@\"");
    let mut again = Command::new("sh");
    again.args(["-c", &script]).arg(program).args(std::env::args_os().skip(1)).env(RAISED, "1");
    Err(again.exec()).context("cannot start again under a higher limit of open files")
}
