//! The strip in words, for whoever does not see it: the same facts, no mood.

use super::reading::{Alarm, Estimate, Measures, Rhythm};
use crate::domain::time::Micros;
use serde::{Deserialize, Serialize};

/// More names than this are counted, not said.
const NAMES: usize = 3;

/// What was seen of a scope lately.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    /// The time it is about.
    pub over: Micros,
    /// Flaky results in that time.
    pub flaky: u32,
    /// The tests that gave them, the newest first, each once.
    pub flaky_tests: Vec<String>,
    /// Failed results in that time.
    pub failed: u32,
    /// Tests broken with a probability of at least ½.
    pub broken: u32,
}

/// A number beside the strip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numeral {
    /// What it counts.
    pub label: &'static str,
    /// The number, or its interval where the number alone would mislead.
    pub value: String,
}

/// The text twin of a strip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Twin {
    /// What it is about, as in `Setup lab-3`.
    pub subject: String,
    /// The word for the rhythm.
    pub rhythm: Rhythm,
    /// The level of alarm.
    pub alarm: Alarm,
    /// Finished tests per minute.
    pub tests_per_minute: f64,
    /// Chance that a run is hit by a flake.
    pub flake: Option<Estimate>,
    /// What was seen lately.
    pub recent: Recent,
}

fn percent(share: f64) -> f64 {
    (100.0 * share.clamp(0.0, 1.0)).round()
}

fn counted(count: u32, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn names(tests: &[String]) -> String {
    let said = tests.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match tests.len().saturating_sub(NAMES) {
        _ if tests.is_empty() => String::new(),
        0 => format!(" ({said})"),
        more => format!(" ({said} and {more} more)"),
    }
}

fn duration(over: Micros) -> String {
    let minutes = over.as_secs() / 60;
    if minutes < 1 {
        return counted(u32::try_from(over.as_secs()).unwrap_or(0), "second", "seconds");
    }
    counted(u32::try_from(minutes).unwrap_or(u32::MAX), "minute", "minutes")
}

impl Measures {
    /// What a strip says in letters, after the stars of its alarm; nothing
    /// while all is calm.
    pub fn warning(&self) -> String {
        let word = match (self.rhythm(), self.alarm()) {
            (Rhythm::Sinus | Rhythm::Resting, Alarm::None) => return String::new(),
            (Rhythm::Sinus | Rhythm::Irregular | Rhythm::Resting, alarm) if alarm != Alarm::None => self.cause(),
            (rhythm, _) => rhythm.as_str(),
        };
        format!("{} {word}", self.alarm().stars()).trim_start().to_owned()
    }

    /// Why there is an alarm of which the rhythm says nothing.
    const fn cause(&self) -> &'static str {
        match self.flaky_in_10_s {
            _ if self.has_regression => "new regression",
            3.. => "run of flakes",
            2 => "couplet of flakes",
            _ => "many flakes",
        }
    }
}

impl Twin {
    /// The twin of a scope's strip.
    pub fn of(subject: &str, measures: &Measures, recent: Recent) -> Self {
        Self {
            subject: subject.to_owned(),
            rhythm: measures.rhythm(),
            alarm: measures.alarm(),
            tests_per_minute: measures.tests_per_minute,
            flake: measures.flake,
            recent,
        }
    }

    /// The numbers that stand beside the strip.
    pub fn numerals(&self) -> Vec<Numeral> {
        let flake = self.flake.map_or_else(
            || "unknown".to_owned(),
            |flake| {
                let interval = format!("{}-{} %", percent(flake.low), percent(flake.high));
                if flake.is_uncertain() { interval } else { format!("{} % (90 %: {interval})", percent(flake.mean)) }
            },
        );
        vec![
            Numeral { label: "Tests per minute", value: format!("{:.0}", self.tests_per_minute) },
            Numeral { label: "Flake chance per run", value: flake },
            Numeral { label: "Flaky results", value: self.recent.flaky.to_string() },
            Numeral { label: "Failures", value: self.recent.failed.to_string() },
            Numeral { label: "Broken tests", value: self.recent.broken.to_string() },
        ]
    }

    /// The label of the strip. It ends where there is nothing more to say.
    pub fn sentence(&self) -> String {
        let reason = self.rhythm.reason().map_or(String::new(), |reason| format!(", {reason}"));
        let mut said = vec![format!("{}: {}{reason}.", self.subject, self.rhythm.as_str())];
        let recent = &self.recent;
        let over = duration(recent.over);
        if recent.flaky > 0 {
            let results = counted(recent.flaky, "flaky result", "flaky results");
            said.push(format!("{results} in {over}{}.", names(&recent.flaky_tests)));
        }
        if recent.failed > 0 {
            said.push(format!("{} in {over}.", counted(recent.failed, "failure", "failures")));
        }
        if let Some(flake) = self.flake {
            let (mean, low, high) = (percent(flake.mean), percent(flake.low), percent(flake.high));
            said.push(format!("Flake chance per run {mean} %, 90 % interval {low}-{high} %."));
        }
        if recent.broken > 0 {
            said.push(format!("{} broken.", counted(recent.broken, "test", "tests")));
        }
        said.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_says_what_the_rhythm_does_not() {
        let calm = Measures { is_run_open: true, ..Measures::default() };
        assert_eq!(calm.warning(), "");
        assert_eq!(Measures { has_regression: true, ..calm }.warning(), "** new regression");
        assert_eq!(Measures { flaky_in_10_s: 2, ..calm }.warning(), "* couplet of flakes");
        assert_eq!(Measures { is_agent_gone: true, ..calm }.warning(), "* lead off");
        assert_eq!(Measures { has_crashed: true, ..calm }.warning(), "*** asystole");
    }

    #[test]
    fn the_strip_is_said_in_words() {
        let flake = Some(Estimate { mean: 0.172, low: 0.02, high: 0.3, results: 80 });
        let measures = Measures { flake, is_run_open: true, tests_per_minute: 27.6, ..Measures::default() };
        let tests = ["Login", "Boot", "Reset", "Ping"].map(str::to_owned).to_vec();
        let recent = Recent { over: Micros::from_secs(600), flaky: 5, flaky_tests: tests, failed: 1, broken: 1 };
        let twin = Twin::of("Setup lab-3", &measures, recent);
        insta::assert_snapshot!(twin.sentence(), @"Setup lab-3: irregular. 5 flaky results in 10 minutes (Login, Boot, Reset and 1 more). 1 failure in 10 minutes. Flake chance per run 17 %, 90 % interval 2-30 %. 1 test broken.");
        let values: Vec<_> = twin.numerals().into_iter().map(|numeral| numeral.value).collect();
        assert_eq!(values, ["28", "17 % (90 %: 2-30 %)", "5", "1", "1"]);
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let silent = Measures { is_run_open: true, is_agent_gone: true, ..Measures::default() };
        let twin = Twin::of("Setup lab-3", &silent, Recent::default());
        assert_eq!(twin.sentence(), "Setup lab-3: lead off, a run is open and nothing is heard.");
        let unsure = Some(Estimate { mean: 0.3, low: 0.02, high: 0.7, results: 4 });
        let twin = Twin::of("Setup lab-3", &Measures { flake: unsure, ..Measures::default() }, Recent::default());
        assert_eq!(twin.numerals()[1].value, "2-70 %");
    }
}
