//! `cargo xtask`: the one tool that sets up, builds, runs and tests Holter.
//!
//! It needs nothing installed but the Rust toolchain. What a verb needs beyond
//! that (the wasm target, `PostgreSQL`, Chromium, Trunk) it installs where it may,
//! or says in one line how a person does it. Continuous integration runs these
//! verbs and nothing else, so what passes here passes there.
//!
//! The map: [`bundle`] makes the folder that the server embeds, with [`css`] and
//! [`compress`]; [`serve`] starts and ships the server; [`check`] and [`test`]
//! judge, with [`postgres`], [`s3`], [`python`], [`browser`] and [`art`] as the
//! parts of a test run that need other programs; [`command`], [`install`], [`step`] and
//! [`tally`] are what all of them stand on.

mod art;
mod browser;
mod bundle;
mod check;
mod command;
mod compress;
mod css;
mod install;
mod postgres;
mod python;
mod root;
mod s3;
mod serve;
mod stand_in;
mod step;
mod tally;
mod test;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, runs and tests Holter.",
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build what changed and serve it (further arguments go to `holter serve`)
    Run(Rest),
    /// The same, with simulated test benches reporting to it (arguments go to `holter simulate`)
    Demo(Rest),
    /// Run every test there is, from formatting to the browser
    Test(test::Choice),
    /// Formatting and lints only: the quick look before a commit
    Check,
    /// Build the browser side into target/site
    Bundle {
        /// Small and slow to build, as it ships
        #[arg(long)]
        release: bool,
    },
    /// Build the one binary that ships, and say how large it is
    Dist,
    /// Run the end-to-end tests in Chromium (arguments go to Playwright)
    E2e(Rest),
    /// Build the static art page into target/art with Trunk
    Art,
    /// Take screenshots of the pages (arguments go to end2end/shots.mjs)
    Shots(Rest),
    /// Measure the release build under load (arguments go to the bench program)
    Bench(Rest),
}

#[derive(Args)]
struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

fn main() -> ExitCode {
    if stand_in::is_asked_for() {
        return finish(stand_in::run(std::env::args().skip(1)));
    }
    match Arguments::parse().verb {
        Verb::Run(rest) => finish(serve::run(&rest.args)),
        Verb::Demo(rest) => finish(serve::demo(&rest.args)),
        Verb::Test(choice) => test::run(&choice),
        Verb::Check => finish(check::formatting().and_then(|()| check::lints())),
        Verb::Bundle { release } => finish(bundle::make(bundle::Profile::of(release)).map(drop)),
        Verb::Dist => finish(serve::dist()),
        Verb::E2e(rest) => finish(browser::end_to_end(&rest.args)),
        Verb::Art => finish(art::build()),
        Verb::Shots(rest) => finish(browser::shots(&rest.args)),
        Verb::Bench(rest) => finish(serve::bench(&rest.args)),
    }
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
