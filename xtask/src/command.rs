//! Starts other programs, and makes their failures readable.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A command that runs at the top of the checkout.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(crate::root::path(""));
    command
}

/// A server of a test run: the kernel ends it when this tool is killed before it
/// can, where the system has `setpriv`.
pub fn that_ends_with_us(name: impl AsRef<OsStr>) -> Command {
    if find("setpriv").is_none() {
        return program(name);
    }
    let mut command = program("setpriv");
    command.args(["--pdeathsig=TERM", "--"]).arg(name);
    command
}

/// Cargo, always with the shared target folder and the flags of `.cargo/config.toml`.
///
/// Both variables are removed because either would silently replace what the
/// other builds use, and cost a full rebuild at every change of hands.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).env_remove("RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
    command
}

/// The first program called `name` on the PATH.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// Runs `command` to its end; it prints as it likes.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs `command` in silence; on failure the error holds all that it printed.
pub fn run_quietly(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(command)))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}\n{printed}{complaint}", shown(command), output.status);
    }
    Ok(printed)
}

/// What a command printed, and whether it succeeded.
pub struct Printed {
    pub text: String,
    pub result: Result<()>,
}

/// Runs `command`, passing its standard output on line by line while keeping it.
///
/// A failure is in the answer rather than an `Err`: what the command had printed
/// by then is wanted all the same, to count the tests that did run.
pub fn run_and_keep(command: &mut Command) -> Result<Printed> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let mut text = String::new();
    if let Some(output) = child.stdout.take() {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let read = String::from_utf8_lossy(&line);
            print!("{read}");
            text.push_str(&read);
            line.clear();
        }
    }
    let status = child.wait()?;
    let result = if status.success() { Ok(()) } else { Err(anyhow::anyhow!("{} ended with {status}", shown(command))) };
    Ok(Printed { text, result })
}

/// The command as a person would type it, to run it again by hand.
fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
