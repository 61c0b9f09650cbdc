//! A run in the words of those pages. Pure.

use super::benches::script_number;
use crate::intake::tm_api::{Status, number_of};
use app::domain::ids::ScriptId;
use app::domain::time::{Micros, Timestamp};
use app::read::{RunPage, SuiteLine, TestLine};
use serde_json::{Map, Value, json};

/// A run, with its scripts in the order of the plan.
pub struct Picture<'a> {
    page: &'a RunPage,
    number: Option<u64>,
    scripts: Vec<Entry<'a>>,
}

/// A script of a run.
#[derive(Clone, Copy)]
pub enum Entry<'a> {
    /// The master scenario, or a scenario.
    Suite(&'a SuiteLine),
    /// A test.
    Test(&'a TestLine),
}

/// What is told of one script.
pub struct ScriptFacts {
    /// Its kind, as addresses name it.
    pub kind: &'static str,
    /// Its file's name.
    pub file_name: String,
    /// Its file's folder.
    pub file_path: String,
    /// Its text.
    pub script: Option<ScriptId>,
    /// When it began.
    pub began_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How a test stands.
fn status_of(test: &TestLine) -> Status {
    Status::of(test.outcome, test.attempts.last().and_then(|attempt| attempt.verdict))
}

/// The greatest of all; of none, waiting.
fn greatest(tests: impl Iterator<Item = Status>) -> Status {
    tests.max().unwrap_or(Status::Waiting)
}

/// How a whole run stands.
pub fn status_of_run(page: &RunPage) -> Status {
    greatest(page.tests.iter().map(status_of))
}

impl<'a> Picture<'a> {
    /// Looks at a run.
    pub fn of(page: &'a RunPage) -> Self {
        let suites = page.suites.iter().map(|suite| ((suite.position, false, suite.ordinal), Entry::Suite(suite)));
        let tests = page.tests.iter().map(|test| ((test.position, true, test.ordinal), Entry::Test(test)));
        let mut all: Vec<_> = suites.chain(tests).collect();
        // What was not planned comes last, where it moves no other's number.
        all.sort_by_key(|((position, is_test, ordinal), _)| (position.unwrap_or(u32::MAX), *is_test, *ordinal));
        let scripts = all.into_iter().map(|(_, entry)| entry).collect();
        Self { page, number: number_of(&page.head.card.key), scripts }
    }

    /// One script, by its place.
    pub fn script(&self, place: usize) -> Option<ScriptFacts> {
        let facts = match *self.scripts.get(place)? {
            Entry::Suite(suite) => {
                let (file_name, file_path) = file_of(suite.source.as_deref(), suite.path.last());
                let kind = if suite.path.len() > 1 { "scenario" } else { "master_scenario" };
                let (began_at, ended_at) = (suite.started_at, suite.finished_at);
                ScriptFacts { kind, file_name, file_path, script: suite.script, began_at, ended_at }
            }
            Entry::Test(test) => {
                let (file_name, file_path) = file_of(test.source.as_deref(), Some(&test.name));
                let is_over = test.attempts.last().is_some_and(|attempt| attempt.verdict.is_some());
                let ended_at = test.began_at.zip(test.duration).map(|(began, took)| began + took).filter(|_| is_over);
                ScriptFacts {
                    kind: "test",
                    file_name,
                    file_path,
                    script: test.script,
                    began_at: test.began_at,
                    ended_at,
                }
            }
        };
        Some(facts)
    }

    fn number_at(&self, place: usize) -> Value {
        self.number.map(|run| script_number(run, place)).into()
    }

    fn tests_of(&self, suite: &SuiteLine) -> impl Iterator<Item = (usize, &'a TestLine)> {
        self.scripts.iter().enumerate().filter_map(move |(place, entry)| match entry {
            Entry::Test(test) if test.suite == suite.ordinal => Some((place, *test)),
            _ => None,
        })
    }

    /// Scenarios: suites inside the root, and the root where it has tests.
    fn scenarios(&self) -> impl Iterator<Item = (usize, &'a SuiteLine)> {
        self.scripts.iter().enumerate().filter_map(|(place, entry)| match entry {
            Entry::Suite(suite) if suite.path.len() > 1 || self.tests_of(suite).next().is_some() => {
                Some((place, *suite))
            }
            _ => None,
        })
    }

    /// How many scenarios there are.
    pub fn scenario_count(&self) -> usize {
        self.scenarios().count()
    }

    fn scenario(&self, place: usize, suite: &SuiteLine) -> Value {
        let tests: Vec<_> = self.tests_of(suite).collect();
        let told: Vec<_> = tests.iter().map(|(place, test)| {
            json!({"file_name": test.name, "status": status_of(test).as_str(), "pk": self.number_at(*place)})
        }).collect();
        json!({
            "file_name": file_of(suite.source.as_deref(), suite.path.last()).0,
            "status": greatest(tests.iter().map(|(_, test)| status_of(test))).as_str(),
            "pk": self.number_at(place),
            "tests": told,
        })
    }

    /// The run as the page of a machine's last run shows it.
    pub fn whole(&self, now: Timestamp) -> Value {
        let card = &self.page.head.card;
        let root = self.scripts.iter().position(|entry| matches!(entry, Entry::Suite(suite) if suite.path.len() == 1));
        let scenarios: Vec<_> = self.scenarios().map(|(place, suite)| self.scenario(place, suite)).collect();
        let name = root.and_then(|place| self.script(place)).map(|root| root.file_name);
        json!({
            "pk": self.number_at(root.unwrap_or(0)),
            "file_name": name.or_else(|| card.name.clone()).unwrap_or_else(|| card.key.clone()),
            "timestamp_start": card.started_at.map(day_first),
            "started_ago": card.started_at.map(|at| in_words(now.since(at))),
            "timestamp_stop": card.finished_at.map(day_first),
            "finished_ago": card.finished_at.map(|at| in_words(now.since(at))),
            "duration": card.started_at.zip(card.finished_at).map(|(from, to)| in_words(to.since(from))),
            "status": status_of_run(self.page).as_str(),
            "tests_statistics": self.statistics(),
            "tests_count": self.page.tests.len(),
            "scenarios_count": scenarios.len(),
            "scenarios": scenarios,
            "dryrundata": self.number,
        })
    }

    fn statistics(&self) -> Map<String, Value> {
        let count = |status: Status| self.page.tests.iter().filter(|test| status_of(test) == status).count();
        Status::ALL.iter().map(|status| (status.as_str().to_owned(), count(*status).into())).collect()
    }
}

/// The name and folder of a file, from its whole path.
fn file_of(source: Option<&str>, name: Option<&String>) -> (String, String) {
    let name = name.map(String::as_str).unwrap_or_default();
    let Some(source) = source else { return (name.to_owned(), String::new()) };
    let folder = source.strip_suffix(name).and_then(|folder| folder.strip_suffix('/'));
    match folder.map(|folder| (name, folder)).or_else(|| source.rsplit_once('/').map(|(path, name)| (name, path))) {
        Some((name, folder)) => (name.to_owned(), folder.to_owned()),
        None => (source.to_owned(), String::new()),
    }
}

/// A time as those pages write it, with two spaces.
pub fn day_first(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    format!("{}-{}-{}  {}", &text[8..10], &text[5..7], &text[..4], &text[11..19])
}

/// A length of time in its two greatest neighbouring units.
fn in_words(length: Micros) -> String {
    const UNITS: [(&str, i64); 6] = [
        ("year", 365 * 86_400),
        ("month", 30 * 86_400),
        ("week", 7 * 86_400),
        ("day", 86_400),
        ("hour", 3_600),
        ("minute", 60),
    ];
    let seconds = length.as_secs().max(0);
    let word = |count: i64, unit: &str| format!("{count}\u{a0}{unit}{}", if count == 1 { "" } else { "s" });
    let Some(first) = UNITS.iter().position(|(_, size)| seconds >= *size) else { return word(0, "minute") };
    let (unit, size) = UNITS[first];
    let mut text = word(seconds / size, unit);
    if let Some((unit, smaller)) = UNITS.get(first + 1)
        && seconds % size >= *smaller
    {
        text = format!("{text}, {}", word(seconds % size / smaller, unit));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::benches::script_place;
    use super::*;

    #[test]
    fn a_length_has_two_units_at_most() {
        let cases = [
            (0, "0\u{a0}minutes"),
            (60, "1\u{a0}minute"),
            (3_700, "1\u{a0}hour, 1\u{a0}minute"),
            (86_500, "1\u{a0}day"),
        ];
        for (seconds, words) in cases {
            assert_eq!(in_words(Micros::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_file_comes_apart_from_its_folder() {
        let parts = |source: &str, name: &str| file_of(Some(source), Some(&name.to_owned()));
        assert_eq!(parts("/a/b/c.py", "c.py"), ("c.py".into(), "/a/b".into()));
        assert_eq!(parts("/a/b/c.py", "c.py (2)"), ("c.py".into(), "/a/b".into()));
        assert_eq!(parts("c.py", "d.py"), ("c.py".into(), String::new()));
    }

    #[test]
    fn a_number_leads_back_to_its_place() {
        for (run, place) in [(1, 0), (1, 12), (7, 99_999)] {
            assert_eq!(script_place(script_number(run, place)), Some((run, place)));
        }
        assert_eq!((script_number(1, 0), script_place(0)), (1, None));
        assert_eq!(day_first(Timestamp(0)), "01-01-1970  00:00:00");
    }
}
