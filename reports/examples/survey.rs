//! Reads every file of a folder and says what came of it, a line a file:
//! `cargo run -p reports --example survey -- FOLDER…`.

use reports::{Report, Verdict};
use std::path::{Path, PathBuf};

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
    }
    let mut inside: Vec<_> =
        std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    inside.sort();
    inside.iter().for_each(|path| files(path, found));
}

fn tell(report: &Report) -> String {
    let count = |verdict: Verdict| report.cases.iter().filter(|case| case.verdict() == verdict).count();
    let flaky = report.cases.iter().filter(|case| case.is_flaky()).count();
    let counts = [Verdict::Passed, Verdict::Failed, Verdict::Errored, Verdict::Skipped].map(count);
    format!("{} cases, passed/failed/errored/skipped {counts:?}, flaky {flaky}", report.cases.len())
}

fn main() {
    let mut found = Vec::new();
    std::env::args().skip(1).for_each(|path| files(Path::new(&path), &mut found));
    for path in found {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let told = match reports::read(&bytes, None) {
            Ok((format, report)) => {
                format!("{:<11} {}", format.as_str(), tell(&report))
                    + &report
                        .losses
                        .iter()
                        .map(|loss| format!("\n    lost at {}: {}", loss.place, loss.detail))
                        .collect::<String>()
            }
            Err(refusal) => format!("refused     {refusal}"),
        };
        println!("{}\n    {told}", path.display());
    }
}
