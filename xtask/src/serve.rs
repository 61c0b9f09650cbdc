//! Starts the server, ships it, measures it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;

use anyhow::{Context, Result};

use crate::bundle::{self, Bundle, Profile};
use crate::step::step;
use crate::{command, compress, root};

/// What stands before the address in the line that the server prints when ready.
const LISTENING: &str = "holter listening on ";

/// Builds the bundle and a debug server that reads it, and says where that is.
pub fn build(profile: Profile) -> Result<PathBuf> {
    bundle::make(profile)?;
    step("build the server", || command::run(&mut command::cargo(&["build", "--package=server"])))?;
    Ok(root::path("target/debug/holter"))
}

/// Builds and serves.
pub fn run(args: &[String]) -> Result<()> {
    let binary = build(Profile::Dev)?;
    // The server takes this process's place, so that signals reach it directly.
    let error = command::program(binary).args(["serve", "--dev"]).args(args).exec();
    Err(error).context("cannot start the server")
}

/// What the demo plays unless it is told otherwise: benches with a past, so
/// that progress and arrival times have something to stand on.
const DEMO: [&str; 4] = ["--speed", "4", "--history", "12"];

/// Builds and serves, with simulated benches that report to the server.
pub fn demo(args: &[String]) -> Result<()> {
    let usual = DEMO.iter().filter(|_| args.is_empty());
    let binary = build(Profile::Dev)?;
    let mut server = command::program(&binary)
        .args(["serve", "--dev"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the server")?;
    let result = address(&mut server).and_then(|url| {
        command::run(command::program(&binary).args(["simulate", "--url", &url]).args(usual).args(args))
    });
    // An interrupt from the keyboard reaches both; a simulation that came to its
    // own end leaves the server to be looked at until then.
    if result.is_err() {
        server.kill()?;
    }
    server.wait()?;
    result
}

/// Waits for the line in which the server names its address; prints all that it says.
fn address(server: &mut Child) -> Result<String> {
    let output = server.stdout.take().context("the server has no output")?;
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let url = lines.find_map(|line| {
        println!("{line}");
        line.split_once(LISTENING).map(|(_, url)| url.trim().to_owned())
    });
    thread::spawn(move || lines.for_each(|line| println!("{line}")));
    url.context("the server ended before it was ready; see above")
}

/// Builds what ships and says how large it is.
pub fn dist() -> Result<()> {
    let bundle = bundle::make(Profile::Release)?;
    step("build the server as it ships", || {
        command::run(&mut command::cargo(&["build", "--release", "--package=server"]))
    })?;
    let binary = root::path("target/release/holter");
    println!("    {}  {}", binary.display(), size(&binary)?);
    print_sizes(&bundle)
}

/// Measures what ships.
pub fn bench(args: &[String]) -> Result<()> {
    dist()?;
    let mut bench = command::cargo(&["run", "--quiet", "--release", "--package=bench", "--"]);
    command::run(bench.args(args).env("HOLTER_BIN", root::path("target/release/holter")))
}

/// What a first visit costs, as it travels.
fn print_sizes(bundle: &Bundle) -> Result<()> {
    let site = root::path("target/site");
    for name in [&bundle.wasm, &bundle.js, &bundle.css] {
        let travelling = compress::with_ending(&site.join(name), "br");
        println!("    {name}  {} in brotli", size(&travelling)?);
    }
    Ok(())
}

fn size(file: &Path) -> Result<String> {
    let bytes = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    Ok(if bytes < 1_000_000 {
        format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100)
    } else {
        format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
    })
}
