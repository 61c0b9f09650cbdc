#![no_main]

#[path = "../targets/intake.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::run("codeowners", bytes));
