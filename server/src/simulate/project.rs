//! A project's suites and tests, as its plan would list them.

use super::chance::{Chance, Channel};
use super::scripts;
use super::vocabulary::{Area, Style, TAGS, Vocabulary};
use serde_json::{Value, json};
use std::ops::Range;

/// A suite of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Names from the root.
    pub path: Vec<String>,
    /// The suite around it.
    pub parent: Option<usize>,
    /// Its tests, nested ones included.
    pub tests: Range<usize>,
    /// The file or folder it is written in.
    pub source: String,
    /// The team that looks after it.
    pub owner: &'static str,
    /// The text of its file; none for a folder.
    pub script: Option<String>,
}

/// A test of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// The suite it is directly in.
    pub suite: usize,
    /// Its name.
    pub name: String,
    /// What tells it from its likes of the same name.
    pub parameters: Option<String>,
    /// Where it is written, if that part of the file is told.
    pub line: Option<usize>,
    /// Its tags.
    pub tags: Vec<&'static str>,
    /// How long it usually takes, in simulated seconds.
    pub usual_secs: f64,
}

/// A product under test. Every setup of a project runs the same tests.
#[derive(Debug)]
pub struct Project {
    /// Its words.
    pub words: &'static Vocabulary,
    /// Its suites, each before what is in it.
    pub suites: Vec<Suite>,
    /// Its tests in the order of execution.
    pub tests: Vec<Test>,
    /// The plan as it goes over the wire.
    pub plan: Value,
}

const TESTS_PER_FILE: usize = 6;
const SHORTEST_SECS: f64 = 0.2;
const LONGEST_SECS: f64 = 20.0;
/// What a suite's own setup and teardown usually take together.
const SUITE_SECS: f64 = 2.0;

impl Project {
    /// The project with these words and so many tests.
    pub fn new(words: &'static Vocabulary, chance: Chance, tests: usize) -> Self {
        let mut project = Self { words, suites: Vec::new(), tests: Vec::with_capacity(tests), plan: Value::Null };
        let files: usize = words.areas.iter().map(|area| area.files.len().max(1)).sum();
        let used = tests.div_ceil(TESTS_PER_FILE).clamp(1, files);
        let root = project.open(None, words.root, "");
        let mut file = 0;
        for area in words.areas {
            let inside = area.files.len().max(1).min(used - file);
            if inside == 0 {
                break;
            }
            let share = |at: usize| tests * (file + at + 1) / used - tests * (file + at) / used;
            project.add_area(root, area, chance, &(0..inside).map(share).collect::<Vec<_>>());
            file += inside;
        }
        project.close(root);
        project.plan = json!({ "suites": [project.planned(root)] });
        project
    }

    /// How long a run usually takes, in simulated seconds.
    pub fn usual_secs(&self) -> f64 {
        self.tests.iter().map(|test| test.usual_secs).sum::<f64>() + SUITE_SECS * self.suites.len() as f64
    }

    fn add_area(&mut self, root: usize, area: &'static Area, chance: Chance, shares: &[usize]) {
        let outer = self.open(Some(root), area.name, area.owner);
        if area.files.is_empty() {
            self.fill(outer, chance, shares.iter().sum());
        }
        for (name, share) in area.files.iter().zip(shares) {
            let inner = self.open(Some(outer), name, area.owner);
            self.fill(inner, chance, *share);
            self.close(inner);
        }
        self.close(outer);
    }

    fn open(&mut self, parent: Option<usize>, name: &str, owner: &'static str) -> usize {
        let outer = parent.and_then(|parent| self.suites.get(parent));
        let mut path = outer.map(|suite| suite.path.clone()).unwrap_or_default();
        path.push(name.to_owned());
        let folder = outer.map_or_else(|| "atests".to_owned(), |suite| suite.source.clone());
        let source = match (self.words.style, parent) {
            (Style::Python, None) => name.to_owned(),
            (Style::Python, Some(_)) => format!("{folder}/{name}"),
            (Style::Robot, None) => folder,
            (Style::Robot, Some(_)) => format!("{folder}/{}", scripts::snake(name)),
        };
        let tests = self.tests.len()..self.tests.len();
        self.suites.push(Suite { path, parent, tests, source, owner, script: None });
        self.suites.len() - 1
    }

    fn close(&mut self, suite: usize) {
        self.suites[suite].tests.end = self.tests.len();
    }

    fn fill(&mut self, suite: usize, chance: Chance, count: usize) {
        for nth in 0..count {
            let number = self.tests.len() as u64;
            let (name, parameters) = self.name_of(suite, nth);
            let tag = chance.hits(number, Channel::Which, 0.5).then(|| chance.pick(number, Channel::Text, &TAGS));
            // Squeezed towards the short end: most tests of a suite are quick.
            let spread = chance.unit(number, Channel::Base).powf(1.5);
            let usual_secs = SHORTEST_SECS * (LONGEST_SECS / SHORTEST_SECS).powf(spread);
            self.tests.push(Test { suite, name, parameters, line: None, tags: tag.into_iter().collect(), usual_secs });
        }
        let from = self.tests.len() - count;
        let words = self.words;
        if words.style == Style::Robot {
            self.suites[suite].source.push_str(".robot");
        }
        let script = scripts::file_of(words, &self.suites[suite], &mut self.tests[from..]);
        self.suites[suite].script = Some(script);
    }

    /// A name that is unique in its suite: pairs of words first, then the same
    /// pairs with parameters.
    fn name_of(&self, suite: usize, nth: usize) -> (String, Option<String>) {
        let (subjects, behaviours) = (self.words.subjects, self.words.behaviours);
        let pairs = subjects.len() * behaviours.len();
        // 27 shares no factor with the 80 pairs, so every pair comes once; the
        // suite's number keeps neighbours from listing the same tests.
        let pair = (nth * 27 + suite * 7) % pairs;
        let sentence = format!("{} {}", subjects[pair % subjects.len()], behaviours[pair / subjects.len()]);
        let name = match self.words.style {
            Style::Robot => sentence,
            Style::Python => format!("test_{}", scripts::snake(&sentence)),
        };
        let parameters = (nth >= pairs).then(|| format!("variant={}", nth / pairs));
        (name, parameters)
    }

    fn planned(&self, suite: usize) -> Value {
        let this = &self.suites[suite];
        let inside = (suite + 1..self.suites.len()).filter(|inner| self.suites[*inner].parent == Some(suite));
        let tests = self.tests[this.tests.clone()].iter().filter(|test| test.suite == suite);
        let mut planned = json!({
            "name": this.path.last(),
            "source": this.source,
            "suites": inside.map(|inner| self.planned(inner)).collect::<Vec<_>>(),
            "tests": tests.map(planned_test).collect::<Vec<_>>(),
        });
        if let Some(script) = &this.script {
            planned["script"] = json!(script);
        }
        planned
    }
}

fn planned_test(test: &Test) -> Value {
    match &test.parameters {
        Some(parameters) => json!({ "name": test.name, "parameters": parameters }),
        None => json!({ "name": test.name }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::vocabulary::PROJECTS;
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_project_has_the_tests_asked_for_each_named_once() {
        for words in &PROJECTS {
            for count in [1, 2, 6, 7, 40, 1_500] {
                let project = Project::new(words, Chance::new(3), count);
                assert_eq!(project.tests.len(), count);
                assert_eq!(project.suites[0].tests, 0..count);
                let names: HashSet<_> = project.tests.iter().map(|t| (t.suite, &t.name, &t.parameters)).collect();
                assert_eq!(names.len(), count);
                assert!(project.suites.iter().all(|suite| !suite.tests.is_empty() && suite.path.len() <= 3));
            }
        }
    }

    #[test]
    fn a_line_told_is_the_line_of_the_test_in_its_script() {
        for words in &PROJECTS {
            let project = Project::new(words, Chance::new(3), 80);
            for test in &project.tests {
                let Some(line) = test.line else { continue };
                let script = project.suites[test.suite].script.as_deref().unwrap();
                assert!(script.lines().nth(line - 1).unwrap().contains(&test.name), "{line} {script}");
            }
        }
    }
}
