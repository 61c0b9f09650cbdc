//! Runs every test there is, in the order of what fails soonest, and counts them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::browser::{self, Setting};
use crate::bundle::{self, Profile};
use crate::install::{self, Missing};
use crate::postgres::Postgres;
use crate::s3::S3;
use crate::step::step;
use crate::tally::Tally;
use crate::{art, check, command, python, root, serve};

/// One part of a test run, by the name that `--only` and `--skip` know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting
    Fmt,
    /// Lints
    Clippy,
    /// The tests of this tool
    Xtask,
    /// The pure part of `app`: tests, and that the browser can have it
    Pure,
    /// The browser side, as it ships
    Bundle,
    /// The tests of `app` with what the server sees of it
    App,
    /// The tests of the server, on `SQLite` and `PostgreSQL`
    Server,
    /// The Python tests of the listeners
    Listeners,
    /// The tests in Chromium
    E2e,
    /// The static page
    Art,
}

/// Which parts to run.
#[derive(Args)]
pub struct Choice {
    /// Run this part alone (may be given several times)
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Leave this part out (may be given several times)
    #[arg(long, value_name = "PART")]
    skip: Vec<Part>,
}

impl Choice {
    fn parts(&self) -> impl Iterator<Item = Part> {
        Part::value_variants()
            .iter()
            .copied()
            .filter(|part| self.only.is_empty() || self.only.contains(part))
            .filter(|part| !self.skip.contains(part))
    }
}

/// Runs the chosen parts up to the first that fails; the last line counts.
pub fn run(choice: &Choice) -> ExitCode {
    let start = Instant::now();
    let mut tally = Tally::default();
    let mut summary = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for part in choice.parts() {
        let mut counted = Tally::default();
        let result = part.run(&mut counted).or_else(|error| forgive(error, &mut counted));
        if result.is_err() {
            // A part that fails before its first test has failed all the same.
            counted.failed = counted.failed.max(1);
        }
        summary.push(format!("{:<10} {counted}", name(part)));
        tally += counted;
        if let Err(error) = result {
            println!("\nerror: {error:#}");
            println!("`cargo xtask test --only {}` repeats this part alone", name(part));
            code = ExitCode::FAILURE;
            break;
        }
    }
    println!("\n{}", summary.join("\n"));
    println!("{:.0} s in all", start.elapsed().as_secs_f32());
    println!("{tally}");
    code
}

/// Away from continuous integration, a program that a person has not installed
/// leaves its tests out, and says so; there it is a failure like any other.
fn forgive(error: anyhow::Error, tally: &mut Tally) -> Result<()> {
    let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    match error.downcast_ref::<Missing>() {
        Some(missing) if !is_ci => {
            println!("    left out: {missing}");
            tally.skipped += 1;
            Ok(())
        }
        _ => Err(error),
    }
}

fn name(part: Part) -> String {
    let value = part.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Part {
    fn run(self, tally: &mut Tally) -> Result<()> {
        match self {
            Self::Fmt => check::formatting(),
            Self::Clippy => check::lints(),
            Self::Xtask => cargo_test("xtask", &[], &[], tally),
            Self::Pure => {
                cargo_test("app", &[], &[], tally)?;
                cargo_test("reports", &[], &[], tally)?;
                check::pure_part()?;
                check::browser_dependencies()
            }
            Self::Bundle => bundle::make(Profile::Release).map(drop),
            Self::App => cargo_test("app", &["--features=ssr"], &[], tally),
            Self::Server => server(tally),
            Self::Listeners => listeners(tally),
            Self::E2e => end_to_end(tally),
            Self::Art => {
                cargo_test("art", &[], &[], tally)?;
                art::build()
            }
        }
    }
}

fn cargo_test(package: &str, args: &[&str], variables: &[(&str, String)], tally: &mut Tally) -> Result<()> {
    let features = args.join(" ").replace("--", " with ");
    step(&format!("test {package}{features}"), || {
        let mut test = command::cargo(&["test", "--quiet", "--no-fail-fast", "--package", package]);
        test.args(args);
        test.envs(variables.iter().map(|(name, value)| (name, value)));
        let printed = command::run_and_keep(&mut test)?;
        *tally += Tally::of_cargo(&printed.text);
        printed.result
    })
}

fn server(tally: &mut Tally) -> Result<()> {
    bundle::make(Profile::Release)?;
    let postgres = Postgres::start().map(Some).or_else(|error| {
        // The tests on SQLite are worth having without it.
        forgive(error, tally).map(|()| None)
    })?;
    let mut variables = postgres.as_ref().map_or_else(Vec::new, |postgres| {
        vec![("HOLTER_TEST_POSTGRES", postgres.url()), ("HOLTER_TEST_POSTGRES_SOCKET", postgres.socket_url())]
    });
    let s3 = S3::start().map(Some).or_else(|error| forgive(error, tally).map(|()| None))?;
    variables.extend(s3.as_ref().map(|s3| ("HOLTER_TEST_S3", s3.url())));
    variables.extend(agents(tally)?);
    // What jobs of others must not do is tested with what keeps them apart.
    install::found_or_installed("bubblewrap", &["bubblewrap"], || command::find("bwrap"))?;
    // Where these two are missing, their tests say that nothing was tried.
    let find_podman = || command::find("podman").filter(|_| command::find("runc").is_some());
    let podman = install::found_or_installed("podman", &["podman", "runc", "uidmap", "slirp4netns"], find_podman);
    podman.map(|_| ()).or_else(|error| forgive(error, tally))?;
    let find_sshd =
        || command::find("sshd").or_else(|| Some("/usr/sbin/sshd".into()).filter(|path: &PathBuf| path.exists()));
    install::found_or_installed("sshd", &["openssh-server"], find_sshd)
        .map(|_| ())
        .or_else(|error| forgive(error, tally))?;
    variables.push(("HOLTER_PYTHON", python::environment()?.display().to_string()));
    cargo_test("server", &[], &variables, tally)
}

/// Test frameworks with the agents that people use.
fn agents(tally: &mut Tally) -> Result<Vec<(&'static str, String)>> {
    let python = python::environment_of("target/venv-agents", "server/tests/agents/requirements.txt");
    let python = python.map(Some).or_else(|error| forgive(error, tally).map(|()| None))?;
    let node = browser::packages("server/tests/agents").map(Some);
    let node = node.or_else(|error| forgive(error, tally).map(|()| None))?;
    let python = python.map(|python| ("HOLTER_TEST_PYTHON", python.display().to_string()));
    Ok(python.into_iter().chain(node.map(|()| ("HOLTER_TEST_NODE", "yes".to_owned()))).collect())
}

fn listeners(tally: &mut Tally) -> Result<()> {
    let python = python::environment()?;
    let binary = serve::build(Profile::Release)?;
    step("test the listeners", || {
        let printed = command::run_and_keep(
            command::program(&python)
                .args(["-m", "pytest", "--color=no", "listeners/tests"])
                .env("HOLTER_BIN", &binary)
                .env("HOLTER_PYTHON", &python),
        )?;
        *tally += Tally::of_pytest(&printed.text);
        printed.result
    })
}

fn end_to_end(tally: &mut Tally) -> Result<()> {
    let setting = Setting::prepare(Profile::Release)?;
    let (counted, result) = browser::test(&setting, &[]);
    *tally += counted;
    result.with_context(|| format!("the report is {}", root::path("target/e2e.json").display()))
}
