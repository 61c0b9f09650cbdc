//! The fixed corpus of the fuzzers, on the stable compiler: no panic, no time
//! and no memory without a bound. A program of its own, so that its memory is
//! that of nobody else.

#[path = "../../fuzz/targets/replay.rs"]
mod replay;
#[path = "../../fuzz/targets/reports.rs"]
mod targets;

/// All of it is a few hundred kilobytes; whatever a file makes of itself, it
/// makes less than this.
const MEMORY_MAX_KIB: u64 = 256 * 1024;

/// The most memory that this program has used.
fn memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn every_file_of_the_corpus_is_read_within_bounds() {
    for name in targets::names() {
        let files = replay::replay(name, targets::run);
        assert!(files >= 2, "{name} has {files} files");
        if let Some(used) = memory_kib() {
            assert!(used < MEMORY_MAX_KIB, "after {name} it was {used} KiB");
        }
    }
}
