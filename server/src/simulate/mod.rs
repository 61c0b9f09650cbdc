//! Deterministic benches that play test runs to a running Holter.
//!
//! They speak the public contract and nothing else, so they stand in for real
//! listeners in demonstrations, load tests and end-to-end checks. The core
//! (`world`, `bench`, `script`, `stream`) is a pure function of its
//! [`world::Shape`]: a [`bench::Bench`] writes any of its runs on demand, and
//! each [`script::Run`] knows the counts a server must come to. Only `poster`
//! and [`run()`] know the network and the time.
//!
//! Scripts are written run by run and pulled as they fall due. A server that
//! is slow thus makes the simulation late, never large, and nothing is lost.

pub mod batch;
pub mod bench;
pub mod chance;
pub mod character;
pub mod moment;
pub mod options;
pub mod poster;
pub mod project;
pub mod script;
pub mod stream;
pub mod vocabulary;
pub mod world;

mod play;
mod scripts;
mod tally;
mod texts;
mod wire;

pub use options::{Options, OptionsError};
pub use play::run;
pub use tally::{Summary, Tally};

use thiserror::Error;

/// Why a simulation ended before its time.
#[derive(Debug, Error)]
pub enum SimulateError {
    /// The options do not go together.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The token cannot be sent in a header.
    #[error("the token contains characters that no token has")]
    Token,
    /// No HTTP client could be made.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// Nobody ever answered.
    #[error("no answer from {url}: {trouble}")]
    Unreachable {
        /// Where.
        url: String,
        /// The last trouble.
        trouble: String,
    },
    /// The server will not take what is sent.
    #[error("the server refuses events (status {status}): {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// What the problem says.
        detail: String,
    },
    /// The server's receipt is not one.
    #[error("the server's receipt cannot be read")]
    Receipt(#[source] serde_json::Error),
    /// A lane broke.
    #[error("a part of the simulation broke")]
    Lane(#[from] tokio::task::JoinError),
}
