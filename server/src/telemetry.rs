//! What the server says about itself.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts the log on standard error: compact, or JSON where asked for. `filter`
/// is in the form of `RUST_LOG`; without one, what an operator should read.
pub fn init(filter: Option<&str>, json: bool) {
    let filter = EnvFilter::try_new(filter.unwrap_or("info,sqlx=warn")).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Where the log goes into a file or a journal, colours are rubbish around the link.
    let log = log.with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first.
    let _ = if json { log.json().try_init() } else { log.compact().try_init() };
}
