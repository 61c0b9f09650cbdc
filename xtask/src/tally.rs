//! Counts tests across the tools that run them.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Tally {
    /// Adds up the `test result:` lines that `cargo test` prints, one a binary.
    pub fn of_cargo(text: &str) -> Self {
        let mut sum = Self::default();
        for line in text.lines() {
            if let Some((_, counts)) = line.split_once("test result: ") {
                sum += Self::of_counts(counts.split([';', '.']));
            }
        }
        sum
    }

    /// Reads the last line that pytest prints, with or without its frame of `=`.
    pub fn of_pytest(text: &str) -> Self {
        text.lines()
            .rev()
            .map(|line| line.trim_matches(['=', ' ']))
            .find_map(|line| line.rsplit_once(" in "))
            .map(|(counts, _)| Self::of_counts(counts.split(',')))
            .unwrap_or_default()
    }

    /// Reads the `stats` of a Playwright JSON report; a flaky test has passed.
    pub fn of_playwright(report: &serde_json::Value) -> Self {
        let count = |name: &str| report["stats"][name].as_u64().unwrap_or(0);
        Self { passed: count("expected") + count("flaky"), failed: count("unexpected"), skipped: count("skipped") }
    }

    /// Reads parts like `3 passed`; words it does not know count for nothing.
    fn of_counts<'a>(parts: impl Iterator<Item = &'a str>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            let Some((number, word)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" | "xpassed" => sum.passed += number,
                "failed" | "error" | "errors" => sum.failed += number,
                "skipped" | "ignored" | "xfailed" => sum.skipped += number,
                _ => {}
            }
        }
        sum
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Tally, passed: u64, failed: u64, skipped: u64) {
        let expected = Tally { passed, failed, skipped };
        assert_eq!(found, expected);
    }

    #[test]
    fn cargo_binaries_add_up() {
        let text = "\
running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.02s
noise
test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s
";
        check(Tally::of_cargo(text), 5, 1, 1);
    }

    #[test]
    fn pytest_endings_are_read() {
        check(Tally::of_pytest("..\n3 passed in 0.12s\n"), 3, 0, 0);
        let framed = "=== 1 failed, 12 passed, 2 skipped, 1 xfailed, 1 error in 61.2s (0:01:01) ===";
        check(Tally::of_pytest(framed), 12, 2, 3);
        check(Tally::of_pytest("no such module"), 0, 0, 0);
    }

    #[test]
    fn playwright_statistics_are_read() {
        let report = serde_json::json!({
            "stats": { "expected": 7, "unexpected": 1, "flaky": 2, "skipped": 3 }
        });
        check(Tally::of_playwright(&report), 9, 1, 3);
        check(Tally::of_playwright(&serde_json::json!({})), 0, 0, 0);
    }

    #[test]
    fn the_closing_line_has_its_fixed_form() {
        let tally = Tally { passed: 3, failed: 0, skipped: 1 };
        assert_eq!(tally.to_string(), "3 passed, 0 failed, 1 skipped");
    }
}
