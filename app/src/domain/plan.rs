//! The dry run: what a listener means to execute.

use serde::{Deserialize, Serialize};

/// A plan as a tree of suites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The root suites.
    pub suites: Vec<PlannedSuite>,
}

/// A suite of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSuite {
    /// Its own name, not the path.
    pub name: Box<str>,
    /// The file or folder it is written in.
    #[serde(default)]
    pub source: Option<Box<str>>,
    /// The text of that file.
    #[serde(default)]
    pub script: Option<Box<str>>,
    /// Suites inside it.
    #[serde(default)]
    pub suites: Vec<PlannedSuite>,
    /// Tests directly in it.
    #[serde(default)]
    pub tests: Vec<PlannedTest>,
}

/// A test of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTest {
    /// Its name.
    pub name: Box<str>,
    /// What tells it from its likes of the same name.
    #[serde(default)]
    pub parameters: Option<Box<str>>,
    /// The file it is written in.
    #[serde(default)]
    pub source: Option<Box<str>>,
    /// The text of the test itself.
    #[serde(default)]
    pub script: Option<Box<str>>,
}

/// One entry of a plan in the order of execution.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// A suite opens.
    Suite(&'a [Box<str>], &'a PlannedSuite),
    /// A test in the suite at the path.
    Test(&'a [Box<str>], &'a PlannedTest),
}

impl Plan {
    /// Calls `visit` for every suite and test in the order of execution, a
    /// suite before what is in it. Nesting deeper than `depth_max` is left out.
    pub fn walk(&self, depth_max: usize, visit: &mut dyn FnMut(Entry<'_>)) {
        let mut path = Vec::new();
        for suite in &self.suites {
            suite.walk(&mut path, depth_max, visit);
        }
    }
}

impl PlannedSuite {
    fn walk(&self, path: &mut Vec<Box<str>>, depth_max: usize, visit: &mut dyn FnMut(Entry<'_>)) {
        if path.len() >= depth_max {
            return;
        }
        path.push(super::name::tidy(&self.name, super::suite::NAME_KEPT));
        visit(Entry::Suite(path, self));
        for suite in &self.suites {
            suite.walk(path, depth_max, visit);
        }
        for test in &self.tests {
            visit(Entry::Test(path, test));
        }
        path.pop();
    }
}
