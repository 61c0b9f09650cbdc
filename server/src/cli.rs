//! The command line.

mod token;
mod user;

use crate::clock::{SystemClock, new_id};
use crate::config::{Config, EXAMPLE, environment};
use crate::import::{self, Target};
use crate::intake::reports::Origin;
use crate::runner::office::Office;
use crate::runner::sandbox::Sandbox;
use crate::runner::{self, Means, Worker};
use crate::server::Server;
use crate::service;
use crate::service::rebuild;
use crate::setups_file;
use crate::store::{Store, StoreUrl};
use crate::telemetry;
use app::domain::health::{self, Model};
use app::domain::job::Labels;
use app::domain::name::{ProjectName, SetupName};
use clap::{Args, Parser, Subcommand};
use std::error::Error;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Records test runs and shows their health, live.
#[derive(Debug, Parser)]
#[command(name = "holter", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What to log, in the form of `RUST_LOG`: info, debug, server=trace …
    #[arg(long, env = "HOLTER_LOG_FILTER", global = true)]
    log_filter: Option<String>,
    /// How to log: compact or json.
    #[arg(long, env = "HOLTER_LOG", global = true)]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Record, and show.
    Serve(Serve),
    /// Take jobs from a server and run them on this machine.
    Worker(Box<WorkerOptions>),
    /// Tokens for listeners and scripts.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Accounts of people.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Benches that play steady, flaky, broken and dying tests.
    Simulate(crate::simulate::Options),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Takes in report files of any framework, and what other systems kept.
    Import(Box<Import>),
    /// The detector of flaky and broken tests.
    #[command(subcommand)]
    Health(HealthCommand),
    /// Copies a SQLite store while it is in use.
    Backup {
        #[command(flatten)]
        place: Place,
        /// The file to write; it must not exist.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    place: Place,
    /// Where to listen; port 0 takes a free one [environment: `HOLTER_LISTEN`].
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Let everybody on this machine write without a token.
    #[arg(long)]
    dev: bool,
    /// Jobs that this server itself runs at once; 0 turns that off.
    #[arg(long)]
    workers: Option<u32>,
}

#[derive(Debug, Args)]
struct WorkerOptions {
    /// The server.
    #[arg(long)]
    url: url::Url,
    /// A token of scope worker.
    #[arg(long, env = "HOLTER_TOKEN", hide_env_values = true)]
    token: String,
    /// A name of its own; the machine's where none is said.
    #[arg(long)]
    name: Option<String>,
    /// What this machine has, between commas; else as configured.
    #[arg(long)]
    labels: Option<String>,
    /// Jobs to run at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    slots: u32,
    /// Where the folders of jobs are [default: jobs, in the data folder].
    #[arg(long)]
    folder: Option<PathBuf>,
    /// A configuration file, of which `[runner]` is read; without it, holter.toml where it exists.
    #[arg(long, env = "HOLTER_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Place {
    /// sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE [environment: `HOLTER_DATABASE_URL`].
    #[arg(long)]
    database_url: Option<String>,
    /// Where files are kept [environment: `HOLTER_DATA_DIR`].
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// The configuration file; without it, holter.toml where it exists.
    #[arg(long, env = "HOLTER_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum HealthCommand {
    /// Reads a history of results and prints what the detector makes of each.
    ///
    /// A line is a JSON object: {"test": "opens", "setup": "rig 7", "run": "17",
    /// "commit": "3f2a", "fail": true, "at": "2026-01-31T12:00:00Z"}. What is not
    /// known may be left out, but for test, run and fail.
    Replay {
        /// The file; - reads the standard input.
        file: PathBuf,
    },
    /// Makes the health of all tests anew from the stored results. Stop the
    /// server first: it would go on with what it has at hand.
    Rebuild {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the whole configuration with its defaults.
    Example,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
struct Import {
    #[command(subcommand)]
    command: Option<ImportCommand>,
    /// Report files, archives of them, or folders.
    files: Vec<PathBuf>,
    /// The server to send them to; without, they go into this machine's store,
    /// whose server must not run meanwhile.
    #[arg(long)]
    url: Option<url::Url>,
    /// The token to send them with.
    #[arg(long, env = "HOLTER_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Where the tests ran.
    #[arg(long, default_value = "import")]
    setup: String,
    /// The product under test.
    #[arg(long)]
    project: Option<String>,
    /// One run of all files; else each file is a run of its own.
    #[arg(long)]
    run: Option<String>,
    /// The commit under test.
    #[arg(long)]
    commit: Option<String>,
    /// Its branch.
    #[arg(long)]
    branch: Option<String>,
    /// How to read them, where their content could be taken for another format.
    #[arg(long, value_parser = format_named)]
    format: Option<reports::Format>,
    #[command(flatten)]
    place: Place,
}

fn format_named(name: &str) -> Result<reports::Format, String> {
    reports::Format::named(name).ok_or_else(|| {
        let names: Vec<_> = reports::Format::ALL.iter().map(|format| format.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Prints the setups of a `setups_config.json` as a part of holter.toml.
    Setups {
        /// The file.
        file: PathBuf,
        /// The address of the Jenkins server that its job names are on.
        #[arg(long)]
        jenkins: Option<url::Url>,
    },
}

impl Place {
    /// The configuration, with the flags on top.
    fn config(&self) -> Result<Config, Box<dyn Error + Send + Sync>> {
        let mut config = Config::read(self.config.as_deref(), &environment)?;
        if let Some(data_dir) = self.data_dir.clone() {
            config.move_to(data_dir, false);
        }
        config.database_url = self.database_url.clone().unwrap_or(config.database_url);
        Ok(config)
    }

    async fn store(self) -> Result<Store, Box<dyn Error + Send + Sync>> {
        Ok(Store::open(&StoreUrl::parse(&self.config()?.database_url)?).await?)
    }
}

impl Cli {
    /// Does what was asked.
    pub async fn run(self) -> Outcome {
        telemetry::init(self.log_filter.as_deref(), self.log.as_deref() == Some("json"));
        match self.command {
            Command::Serve(serve) => serve.run().await,
            Command::Worker(options) => options.run().await,
            Command::Token(command) => command.run().await,
            Command::User(command) => command.run().await,
            Command::Simulate(options) => {
                let summary = crate::simulate::run(options, told_to_stop()).await?;
                println!("{summary}");
                Ok(())
            }
            Command::Config(ConfigCommand::Example) => {
                print!("{EXAMPLE}");
                Ok(())
            }
            Command::Import(import) => import.run().await,
            Command::Health(HealthCommand::Replay { file }) => replay(&file),
            Command::Health(HealthCommand::Rebuild { place }) => {
                let rebuilt = rebuild::rebuild(&place.store().await?, &Model::default()).await?;
                println!("{rebuilt}");
                Ok(())
            }
            Command::Backup { place, file } => Ok(place.store().await?.backup(&file).await?),
        }
    }
}

impl Import {
    async fn run(self) -> Outcome {
        if let Some(ImportCommand::Setups { file, jenkins }) = self.command {
            print!("{}", setups_file::to_toml(&std::fs::read_to_string(file)?, jenkins.as_ref())?);
            return Ok(());
        }
        if self.files.is_empty() {
            return Err("name report files, archives or folders; holter import --help says more".into());
        }
        SetupName::parse(&self.setup)?;
        self.project.as_deref().map(ProjectName::parse).transpose()?;
        let Self { setup, project, run, commit, branch, .. } = self;
        let origin = Origin { setup, project, run, commit, branch, shard: None, shards: None };
        if let Some(url) = self.url {
            let target = Target::Server(url, self.token, reqwest::Client::new());
            println!("{}", import::run(&target, &self.files, &origin, self.format).await?);
            return Ok(());
        }
        let config = self.place.config()?;
        let store = Store::open(&StoreUrl::parse(&config.database_url)?).await?;
        let stop = CancellationToken::new();
        let clock = Arc::new(SystemClock);
        let running = service::start(store.clone(), &config, "import".into(), true, clock, stop.clone()).await?;
        let target = Target::Here(running.service.clone());
        let summary = import::run(&target, &self.files, &origin, self.format).await;
        stop.cancel();
        running.recorder.await?;
        store.close().await;
        println!("{}", summary?);
        Ok(())
    }
}

impl Serve {
    async fn run(self) -> Outcome {
        let mut config = self.place.config()?;
        config.listen = self.listen.unwrap_or(config.listen);
        config.runner.workers = self.workers.unwrap_or(config.runner.workers);
        let server = Server::start(&config, self.dev, Arc::new(SystemClock)).await?;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        println!("holter listening on {scheme}://{}", server.address);
        if let Some(path) = server.service.first_link().await? {
            let base = config.public_url.as_ref().map(|_| config.link_base());
            let base = base.unwrap_or_else(|| format!("{scheme}://{}", server.address));
            tracing::info!("nobody has an account yet; the first administrator is made at {base}{path}");
        }
        told_to_stop().await;
        tracing::info!("stopping");
        server.stop().await;
        Ok(())
    }
}

impl WorkerOptions {
    async fn run(self) -> Outcome {
        crate::server::provide_cryptography();
        let config = Config::read(self.config.as_deref(), &environment)?;
        let runner = &config.runner;
        let folder = self.folder.unwrap_or_else(|| config.data_dir.join("jobs"));
        let means = Means {
            sandbox: Sandbox::find(runner.isolation.into(), runner.visible.clone(), &runner.images)?,
            // Beside the folders of jobs: those are deleted, and these are not.
            caches: runner.caches(folder.with_file_name("caches")),
            folder,
            python: runner.python.clone(),
            limits: runner.limits.into(),
        };
        let worker = Worker {
            office: Office::at(self.url, self.token)?,
            means,
            name: self.name.unwrap_or_else(runner::machine),
            labels: self.labels.as_deref().map(Labels::parse).transpose()?.unwrap_or_else(|| runner.labels()),
            slots: self.slots,
            instance: new_id(),
            clock: Arc::new(SystemClock),
        };
        println!("holter worker {} takes jobs", worker.name);
        let stop = CancellationToken::new();
        let working = worker.run(stop.clone());
        tokio::pin!(working);
        tokio::select! {
            ended = &mut working => return Ok(ended?),
            () = told_to_stop() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
        Ok(working.await?)
    }
}

/// Prints a judgement for each line of a history. Bad lines are named on the
/// standard error, and the others go on.
fn replay(file: &Path) -> Outcome {
    let history = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut refused = 0;
    for answer in health::replay(&Model::default(), history.lines()) {
        match answer {
            health::Answer::Judged(judged) => writeln!(out, "{judged}")?,
            health::Answer::Refused(problem) => {
                refused += 1;
                eprintln!("holter: {problem}");
            }
        }
    }
    out.flush()?;
    if refused > 0 { Err(format!("{refused} lines are no results").into()) } else { Ok(()) }
}

/// Returns when the process is told to end.
async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        let _ = interrupted.await;
        return;
    };
    tokio::select! {
        _ = interrupted => {}
        _ = terminated.recv() => {}
    }
}
