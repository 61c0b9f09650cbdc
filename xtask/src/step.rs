//! Says what is going on: a line when a step starts, a line when it ends.

use std::time::Instant;

use anyhow::{Context, Result};

/// Does `work` between a start line and a done line with the seconds it took.
///
/// The name of the step becomes part of an error, so that a failure in a long
/// log tells where it belongs.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {name}");
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f32();
    let ending = if result.is_ok() { "done" } else { "failed" };
    println!("<== {name}: {ending} after {seconds:.1} s");
    result.with_context(|| name.to_owned())
}
