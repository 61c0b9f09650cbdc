//! The program.

use clap::Parser;
use server::cli::Cli;
use server::server::provide_cryptography;
use server::service::failure::chain;
use std::process::ExitCode;

/// An event is many small allocations; the system's allocator took a sixth of
/// the time of each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
