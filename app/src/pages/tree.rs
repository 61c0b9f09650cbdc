//! The suites and tests of a run as a tree: pure, and built anew from the flat
//! lists whenever they change.

use crate::domain::counts::Counts;
use crate::domain::test::Outcome;
use crate::order::{by_key, pair};
use crate::read::{SuiteLine, TestLine};
use std::collections::HashMap;

/// Separates the names of a path in a node's key.
const PART: &str = "\u{1f}";

/// With at most this many tests to show, every suite is open from the start.
const OPEN_ALL: usize = 80;

/// Which tests are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestFilter {
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Every word must occur in name, parameters, tags, message or suite.
    pub words: Vec<String>,
}

impl TestFilter {
    /// Every test is shown.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none() && self.words.is_empty()
    }

    fn takes(&self, test: &TestLine, suite: Option<&SuiteLine>) -> bool {
        if self.outcome.is_some_and(|outcome| outcome != test.outcome) {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        let mut text = test.name.to_lowercase();
        let rest = [&test.parameters, &test.message].into_iter().flatten().chain(&test.tags);
        for part in rest.chain(suite.iter().flat_map(|suite| &suite.path)) {
            text.push('\n');
            text.push_str(&part.to_lowercase());
        }
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// A suite in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The last of its names.
    pub name: String,
    /// Its ordinal; `None` where only something below it was named.
    pub suite: Option<u32>,
    /// All tests in and below it.
    pub counts: Counts,
    /// The suites below it that have something to show.
    pub children: Vec<String>,
    /// Its own tests that are shown.
    pub tests: Vec<u32>,
    /// It is open unless somebody closes it.
    pub opens: bool,
    /// Something in or below it is shown.
    is_shown: bool,
}

/// The tree of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: HashMap<String, Node>,
    /// The outermost suites.
    pub roots: Vec<String>,
    /// How many tests are shown.
    pub shown: usize,
}

impl Tree {
    /// The tree of these suites and tests.
    pub fn of(suites: &[SuiteLine], tests: &[TestLine], filter: &TestFilter) -> Self {
        let mut tree = Self::default();
        for suite in by_key(suites, |suite| pair(suite.position.unwrap_or(u32::MAX), suite.ordinal)) {
            tree.add_suite(suite);
        }
        let by_ordinal: HashMap<u32, &SuiteLine> = suites.iter().map(|suite| (suite.ordinal, suite)).collect();
        for test in by_key(tests, |test| pair(test.position.unwrap_or(u32::MAX), test.ordinal)) {
            let suite = by_ordinal.get(&test.suite).copied();
            let is_shown = filter.takes(test, suite);
            let path = suite.map(|suite| suite.path.as_slice()).unwrap_or_default();
            tree.add_test(test, path, is_shown);
        }
        tree.settle(filter);
        tree
    }

    /// A suite by its key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.nodes.get(key)
    }

    fn add_suite(&mut self, suite: &SuiteLine) {
        for depth in 1..=suite.path.len() {
            let key = key_of(&suite.path[..depth]);
            if !self.nodes.contains_key(&key) {
                let node = Node { name: suite.path[depth - 1].clone(), ..Node::default() };
                self.nodes.insert(key.clone(), node);
                match self.nodes.get_mut(&key_of(&suite.path[..depth - 1])) {
                    Some(parent) => parent.children.push(key.clone()),
                    None => self.roots.push(key.clone()),
                }
            }
        }
        if let Some(node) = self.nodes.get_mut(&key_of(&suite.path)) {
            node.suite = Some(suite.ordinal);
        }
    }

    fn add_test(&mut self, test: &TestLine, path: &[String], is_shown: bool) {
        self.shown += usize::from(is_shown);
        for depth in 1..=path.len() {
            let Some(node) = self.nodes.get_mut(&key_of(&path[..depth])) else { continue };
            *node.counts.of(test.outcome) += 1;
            node.counts.planned += 1;
            node.is_shown |= is_shown;
            if is_shown && depth == path.len() {
                node.tests.push(test.ordinal);
            }
        }
    }

    /// Leaves out what shows nothing, and decides what is open.
    fn settle(&mut self, filter: &TestFilter) {
        let opens_all = self.shown <= OPEN_ALL;
        let is_filtered = !filter.is_open();
        let shown: HashMap<String, bool> =
            self.nodes.iter().map(|(key, node)| (key.clone(), node.is_shown || !is_filtered)).collect();
        let is_shown = |key: &String| shown.get(key).copied().unwrap_or(false);
        self.roots.retain(is_shown);
        for (key, node) in &mut self.nodes {
            node.children.retain(is_shown);
            let is_root = !key.contains(PART);
            let is_busy = node.counts.failed > 0 || node.counts.running > 0;
            node.opens = opens_all || is_root || is_busy;
        }
    }
}

/// The key of a suite by its path; a path is its own identity.
pub fn key_of(path: &[String]) -> String {
    path.join(PART)
}

/// The path of a suite by its key.
pub fn path_of(key: &str) -> Vec<String> {
    key.split(PART).map(Into::into).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::ids::TestId;
    use uuid::Uuid;

    pub fn suite(ordinal: u32, path: &[&str]) -> SuiteLine {
        SuiteLine {
            ordinal,
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            position: None,
            started_at: None,
            finished_at: None,
            phase: None,
            setup_duration: None,
            teardown_duration: None,
            verdict: None,
            message: None,
            source: None,
            script: None,
            version: 1,
        }
    }

    pub fn test(ordinal: u32, suite: u32, name: &str, outcome: Outcome) -> TestLine {
        TestLine {
            ordinal,
            id: TestId(Uuid::from_u128(u128::from(ordinal))),
            suite,
            name: name.into(),
            parameters: None,
            position: None,
            outcome,
            began_at: None,
            duration: None,
            attempts: Vec::new(),
            message: None,
            tags: Vec::new(),
            source: None,
            line: None,
            script: None,
            has_output: false,
            version: 1,
        }
    }

    fn sample(filter: &TestFilter) -> Tree {
        let suites = [suite(0, &["Root", "A"]), suite(1, &["Root"]), suite(2, &["Root", "B", "Deep"])];
        let tests = [
            test(0, 0, "one", Outcome::Passed),
            test(1, 2, "two", Outcome::Failed),
            test(2, 1, "three", Outcome::Skipped),
        ];
        Tree::of(&suites, &tests, filter)
    }

    #[test]
    fn missing_suites_are_filled_in_and_counts_sum_up() {
        let tree = sample(&TestFilter::default());
        assert_eq!(tree.roots, ["Root"]);
        let root = tree.get("Root").expect("there");
        assert_eq!((root.counts.planned, root.counts.failed, root.suite), (3, 1, Some(1)));
        assert_eq!(root.tests, [2]);
        let between = tree.get(&key_of(&["Root".into(), "B".into()])).expect("filled in");
        assert_eq!((between.suite, between.counts.failed, between.children.len()), (None, 1, 1));
    }

    #[test]
    fn a_filter_leaves_only_the_ways_to_what_it_takes() {
        let tree = sample(&TestFilter { outcome: Some(Outcome::Failed), words: vec![] });
        assert_eq!(tree.shown, 1);
        assert_eq!(tree.get("Root").expect("there").children, [key_of(&["Root".into(), "B".into()])]);
        let by_suite = sample(&TestFilter { outcome: None, words: vec!["deep".into()] });
        assert_eq!(by_suite.shown, 1);
    }
}
