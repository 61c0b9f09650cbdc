//! Benchmarks that print ratios against a ceiling measured in the same run.
fn main() {}
