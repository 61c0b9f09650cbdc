//! The program.

use clap::Parser;
use server::cli::Cli;
use server::server::provide_cryptography;
use server::service::failure::chain;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    provide_cryptography();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("holter: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}
