//! The fixed corpus of the fuzzers for what listeners, agents and CI servers
//! send; that of report files is read by the tests of `reports`.

#[path = "../../../fuzz/targets/replay.rs"]
mod replay;
#[path = "../../../fuzz/targets/intake.rs"]
mod targets;

#[test]
fn every_file_of_the_corpus_is_read_within_bounds() {
    for name in targets::names() {
        let files = replay::replay(name, targets::run);
        assert!(files >= 1, "{name} has no file");
    }
}
