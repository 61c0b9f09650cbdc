//! Report files: a target a format, one for telling formats apart, and one for
//! a folder of Allure results.

use reports::{Format, Report};

/// Longest text that is kept of an attempt, in bytes.
const LONGEST: usize = 64 * 1024;

/// The names of all targets.
pub fn names() -> Vec<&'static str> {
    let formats = Format::ALL.iter().map(|format| format.as_str());
    formats.chain(["recognise", "allure-folder"]).collect()
}

/// Has a target read these bytes. It must not panic, and what it answers must
/// be what the rest of the program relies on.
pub fn run(name: &str, bytes: &[u8]) {
    match name {
        "recognise" => {
            if let Ok((_, report)) = reports::read(bytes, None) {
                check(&report);
            }
        }
        // Files of a folder are told apart by an empty line.
        "allure-folder" => {
            let text = String::from_utf8_lossy(bytes);
            let names: Vec<_> = (0..text.split("\n\n").count()).map(|number| format!("{number}-result.json")).collect();
            let files = names.iter().zip(text.split("\n\n")).map(|(name, file)| (name.as_str(), file.as_bytes()));
            check(&reports::join_allure(files));
        }
        name => {
            let format = Format::named(name).expect("a target is a format");
            if let Ok((_, report)) = reports::read(bytes, Some(format)) {
                check(&report);
            }
        }
    }
}

fn check(report: &Report) {
    for case in &report.cases {
        assert!(!case.attempts.is_empty() && (1..=64).contains(&case.suite.len()) && !case.name.is_empty(), "{case:?}");
        for attempt in &case.attempts {
            let texts = [&attempt.message, &attempt.trace, &attempt.output];
            assert!(texts.into_iter().flatten().all(|text| text.len() <= LONGEST), "a text of a case has no end");
        }
    }
    assert!(report.losses.len() <= 1_001, "losses have no end");
}
