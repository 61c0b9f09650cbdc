//! The program.

use clap::Parser;
use server::cli::Cli;
use server::service::failure::chain;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // The one provider of cryptography; a second call would only be refused.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("holter: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}
