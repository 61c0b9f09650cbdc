//! `cargo xtask bench`: what the release build can do, measured.
//!
//! Every part compares Holter with a ceiling or a bar, and where there is a
//! ceiling it is measured in the same run, in turns with Holter, so that a
//! machine which is slow today is slow for both. Load and server share the
//! machine: figures are for comparing, ratios are for judging. A missed bar is
//! said, and is no failure; the exit code tells only whether all could be measured.
//!
//! The map: [`parts`] holds a module a part; [`server`], [`yard`], [`ceiling`]
//! and [`bare`] are what is measured, [`story`], [`load`], [`http`] and [`browser`] are who
//! asks, [`report`] is what comes out.

mod bare;
mod browser;
mod ceiling;
mod http;
mod load;
mod machine;
mod parts;
mod process;
mod report;
mod server;
mod stats;
mod story;
mod yard;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use parts::Part;

#[derive(Parser)]
#[command(name = "bench", about = "Measures the release build under load.")]
struct Arguments {
    /// Only these parts, between commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Short rounds: for a look, not for comparing
    #[arg(long)]
    quick: bool,
    /// Write the figures to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The program to measure
    #[arg(long, env = "HOLTER_BIN", default_value = "target/release/holter", value_name = "FILE")]
    holter: PathBuf,
    /// The browser for the parts that need one
    #[arg(long, env = "HOLTER_CHROMIUM", default_value = "/usr/bin/chromium", value_name = "FILE")]
    chromium: PathBuf,
    /// Be the server that only parses: the ceiling of single events
    #[arg(long, hide = true)]
    ceiling: bool,
}

/// What every part is told.
pub struct Setting {
    /// The program to measure.
    pub holter: PathBuf,
    /// The browser.
    pub chromium: PathBuf,
    /// Short rounds.
    pub quick: bool,
}

impl Setting {
    /// One of two sizes.
    pub fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

fn main() -> ExitCode {
    match start() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<bool> {
    let arguments = Arguments::parse();
    machine::raise_open_files()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if arguments.ceiling {
            return ceiling::serve().await.map(|()| true);
        }
        let mut terminated = signal(SignalKind::terminate())?;
        // Whichever ends first drops the other: children and folders go with it.
        tokio::select! {
            done = measure(arguments) => done,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminated.recv() => bail!("terminated"),
        }
    })
}

/// Measures, prints, and says whether everything could be measured.
async fn measure(arguments: Arguments) -> Result<bool> {
    let holter = arguments.holter.canonicalize();
    let holter = holter.with_context(|| format!("there is no {}; build it first", arguments.holter.display()))?;
    let setting = Setting { holter, chromium: arguments.chromium, quick: arguments.quick };
    let mut report = report::Report::new(machine::describe(&setting).await, arguments.quick);
    println!("{}", report.machine);
    for part in parts::chosen(&arguments.only) {
        eprintln!("{} …", part.title());
        let outcome = part.measure(&setting).await;
        report.add(part, outcome);
    }
    report.print();
    if let Some(file) = arguments.json {
        report.write(&file)?;
    }
    Ok(report.is_whole())
}
