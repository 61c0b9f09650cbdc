#![no_main]

#[path = "../targets/reports.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::run("dart", bytes));
