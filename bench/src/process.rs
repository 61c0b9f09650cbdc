//! A server as a child: started, watched, stopped by its own id.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// What stands before the address in the line that a server prints when ready.
const LISTENING: &str = "listening on http://";

const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// Clock ticks a second in `/proc`: the same on every Linux.
const TICKS: f64 = 100.0;

/// A server that is up. Dropped before it was stopped, it is killed.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process id.
    pub id: u32,
}

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// All that is resident.
    pub resident: f64,
    /// What of it no file backs.
    pub anonymous: f64,
    /// The most that ever was resident.
    pub peak: f64,
}

impl Process {
    /// Starts a server and waits for the line that says where it listens.
    pub async fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("the server cannot be started")?;
        let output = child.stdout.take().context("the server has no output")?;
        let id = child.id().context("the server has ended at once")?;
        let found = timeout(READY_WITHIN, address(output)).await;
        let address = found.context("the server did not say in time where it listens")??;
        Ok(Self { child, address, id })
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        // The shell's own `kill`: the program of that name is not on every machine.
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id)]).status().await?;
        ensure!(asked.success(), "the server has ended before it was told to");
        let Ok(ended) = timeout(ENDED_WITHIN, self.child.wait()).await else {
            self.child.kill().await?;
            bail!("the server did not end in time and was killed")
        };
        ensure!(ended?.success(), "the server did not end well");
        Ok(())
    }

    /// Its memory now.
    pub fn memory(&self) -> Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.with_context(|| format!("the system does not tell {name}"))
        };
        Ok(Memory { resident: field("VmRSS")?, anonymous: field("RssAnon")?, peak: field("VmHWM")? })
    }

    /// Processor time it has used so far, in seconds.
    pub fn processor_time(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id))?;
        // The second field is the name in brackets, and may hold anything.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
        let ticks = fields.and_then(|fields| {
            let user: f64 = fields.get(11)?.parse().ok()?;
            let system: f64 = fields.get(12)?.parse().ok()?;
            Some(user + system)
        });
        Ok(ticks.context("the system does not tell the processor time")? / TICKS)
    }
}

/// Reads on in the background, so that the server never waits for its reader.
async fn address(output: ChildStdout) -> Result<SocketAddr> {
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, address)) = line.split_once(LISTENING) {
            let address = address.trim().trim_end_matches('/').parse().context("the server names no address")?;
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(address);
        }
    }
    bail!("the server ended before it was ready")
}
