//! Batches: which of some files are tests, and how each is run.
//!
//! Decided from names and the beginnings of the files alone, before anything is
//! run, so that whoever sends them sees it first.

use super::job::{PathFault, Step, check_path, words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Bytes of a file that are looked at.
pub const LOOKED_AT: usize = 64 * 1024;

words! {
    /// What runs a test.
    Framework {
        /// pytest.
        Pytest = "pytest",
        /// Python's own unittest, run by pytest so that each test is told.
        Unittest = "unittest",
        /// Robot Framework.
        Robot = "robot",
        /// A script for the shell; TAP is understood.
        Shell = "shell",
        /// Cargo, for a package in Rust.
        Cargo = "cargo",
        /// Go's own tests, for a module.
        Go = "go",
        /// The script `test` of a package for Node.js.
        Npm = "npm",
    }
}

/// A file that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Its name, as it was sent.
    pub name: &'a str,
    /// How it begins.
    pub head: &'a [u8],
    /// It came in an archive, where anything may lie beside tests.
    pub is_packed: bool,
}

/// Something that is run: a file, or a project in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The file, or the folder; `.` is the whole.
    pub path: String,
    /// What runs it.
    pub framework: Framework,
}

/// A file that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFile {
    /// Its name, as it was sent.
    pub name: String,
    /// Why.
    pub why: String,
}

/// What becomes of files that were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// What is run, in the order of its paths.
    pub units: Vec<Unit>,
    /// What is kept: of each file that was sent, its path.
    pub kept: Vec<Option<String>>,
    /// What is not taken.
    pub refused: Vec<RefusedFile>,
    /// What Python packages they need.
    pub requirements: Option<String>,
}

/// Endings of files that tests may need beside them.
const DATA: &[&str] = &[
    "cfg", "conf", "csv", "html", "ini", "js", "json", "lock", "md", "py", "resource", "robot", "rst", "sh", "sql",
    "tap", "toml", "tsv", "txt", "xml", "yaml", "yml",
];

/// Sorts files that were sent.
pub fn sort(files: &[Sent<'_>]) -> Sorted {
    let mut sorted = Sorted::default();
    let mut known = BTreeSet::new();
    for file in files {
        let path = admit(file).and_then(|path| {
            if known.insert(path.clone()) { Ok(path) } else { Err("another file has this name too".into()) }
        });
        match path {
            Ok(path) => sorted.kept.push(Some(path)),
            Err(why) => {
                sorted.kept.push(None);
                sorted.refused.push(RefusedFile { name: file.name.chars().take(200).collect(), why });
            }
        }
    }
    let kept: Vec<_> =
        sorted.kept.iter().zip(files).filter_map(|(path, file)| Some((path.as_deref()?, file.head))).collect();
    sorted.units = units(&kept);
    sorted.requirements = kept
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| name_of(path).starts_with("requirements") && path.ends_with(".txt"))
        .min_by_key(|path| (path.matches('/').count(), path.len()))
        .map(str::to_owned);
    sorted
}

fn admit(file: &Sent<'_>) -> Result<String, String> {
    let path = check_path(file.name).map_err(|fault: PathFault| fault.to_string())?;
    let ending = name_of(&path).rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    let is_known = ending.is_some_and(|ending| DATA.contains(&&*ending));
    if is_known || file.is_packed || is_script(file.head) || project(&path, file.head).is_some() {
        return Ok(path);
    }
    Err("it is no test, and no file that tests are known to need; pack it with the tests that need it".into())
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

fn is_within(path: &str, folder: &str) -> bool {
    folder == "." || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_script(head: &[u8]) -> bool {
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!") && first.windows(2).any(|two| two == b"sh")
}

fn units(kept: &[(&str, &[u8])]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut by_depth: Vec<_> = kept.iter().collect();
    by_depth.sort_by_key(|(path, _)| (path.matches('/').count(), *path));
    for (path, head) in &by_depth {
        let Some(framework) = project(path, head) else { continue };
        let folder = folder_of(path);
        // A package in a workspace is tested with it.
        if !units
            .iter()
            .any(|unit| unit.framework == framework && (unit.path == folder || is_within(folder, &unit.path)))
        {
            units.push(Unit { path: folder.into(), framework });
        }
    }
    let projects = units.clone();
    for (path, head) in kept {
        let is_in_project = projects.iter().any(|project| is_within(path, &project.path));
        match test(path, head) {
            Some(framework) if !(is_in_project && framework == Framework::Shell) => {
                units.push(Unit { path: (*path).into(), framework });
            }
            _ => {}
        }
    }
    units.sort_by(|one, other| one.path.cmp(&other.path));
    units
}

fn project(path: &str, head: &[u8]) -> Option<Framework> {
    let text = String::from_utf8_lossy(head);
    match name_of(path) {
        "Cargo.toml" if text.contains("[package]") || text.contains("[workspace]") => Some(Framework::Cargo),
        "go.mod" => Some(Framework::Go),
        "package.json" if !path.contains("node_modules/") && text.contains("\"test\"") => Some(Framework::Npm),
        _ => None,
    }
}

fn test(path: &str, head: &[u8]) -> Option<Framework> {
    let text = String::from_utf8_lossy(head);
    let name = name_of(path);
    let begins = |word: &str| text.lines().any(|line| line.starts_with(word));
    match name.rsplit_once('.') {
        Some(("conftest" | "__init__" | "setup", "py")) => None,
        Some((stem, "py")) => {
            let has_functions = begins("def test") || begins("async def test");
            let has_cases = text.contains("TestCase)");
            let is_named = stem.starts_with("test_") || stem.ends_with("_test");
            match (has_functions || begins("class Test"), has_cases) {
                (_, true) if !has_functions => Some(Framework::Unittest),
                (true, _) => Some(Framework::Pytest),
                _ => is_named.then_some(Framework::Pytest),
            }
        }
        Some((_, "robot")) => {
            let is_section = |line: &str| {
                let words: String = line.chars().filter(|c| c.is_alphabetic()).collect::<String>().to_lowercase();
                line.starts_with('*') && ["testcases", "testcase", "tasks", "task"].contains(&&*words)
            };
            text.lines().any(is_section).then_some(Framework::Robot)
        }
        Some((_, "sh" | "t" | "bats")) if is_script(head) || name.ends_with(".sh") => Some(Framework::Shell),
        _ => None,
    }
}

/// A text as one word of the shell.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Where Robot Framework leaves its own log and report, within the folder.
const ROBOT_OUTPUT: &str = "robot-output";

/// Patterns of the files that are kept of a unit.
pub fn artifacts(unit: &Unit) -> Vec<String> {
    let robot = ["log.html", "report.html", "output.xml", "*.png"];
    match unit.framework {
        Framework::Robot => robot.iter().map(|name| format!("{ROBOT_OUTPUT}/{name}")).collect(),
        _ => Vec::new(),
    }
}

/// The steps that run a unit, with the Python packages of `requirements` where
/// it needs some.
pub fn steps(unit: &Unit, requirements: Option<&str>) -> Vec<Step> {
    let step = |name: &str, script: String| Step { name: name.into(), script, ..Step::default() };
    let is_python = matches!(unit.framework, Framework::Pytest | Framework::Unittest | Framework::Robot);
    let mut steps = Vec::new();
    let python = match requirements.filter(|_| is_python) {
        Some(file) => {
            let script = format!(
                "\"$PYTHON\" -m venv \"$TMPDIR/venv\" && \"$TMPDIR/venv/bin/pip\" install --quiet --disable-pip-version-check \
                 pytest robotframework --requirement {}",
                quoted(file)
            );
            steps.push(step("install", script));
            "\"$TMPDIR/venv/bin/python\""
        }
        None => "\"$PYTHON\"",
    };
    let file = quoted(&unit.path);
    steps.push(match unit.framework {
        Framework::Pytest | Framework::Unittest => step(
            "test",
            format!("{python} -m pytest -p holter_pytest -p no:cacheprovider -ra --color=yes --rootdir=. {file}"),
        ),
        Framework::Robot => {
            let told = format!(
                "--listener \"$HOLTER_LISTENERS/holter_robot.py\" --outputdir {ROBOT_OUTPUT} --consolecolors on"
            );
            step("test", format!("{python} -m robot {told} {file}"))
        }
        Framework::Shell => {
            let script = format!("chmod +x {file} 2>/dev/null; sh {file}");
            Step { keeps: format!("{}.tap", name_of(&unit.path)), ..step("test", script) }
        }
        Framework::Cargo => in_folder(unit, Step { keeps: "cargo.txt".into(), ..step("test", "cargo test".into()) }),
        Framework::Go => {
            in_folder(unit, Step { keeps: "go.json".into(), ..step("test", "go test -json ./...".into()) })
        }
        Framework::Npm => in_folder(unit, step("test", "npm test".into())),
    });
    steps
}

fn in_folder(unit: &Unit, step: Step) -> Step {
    Step { folder: if unit.path == "." { String::new() } else { unit.path.clone() }, ..step }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(files: &[(&str, &str)]) -> Sorted {
        let files: Vec<_> =
            files.iter().map(|(name, text)| Sent { name, head: text.as_bytes(), is_packed: false }).collect();
        sort(&files)
    }

    fn units_of(files: &[(&str, &str)]) -> Vec<(String, Framework)> {
        sorted(files).units.into_iter().map(|unit| (unit.path, unit.framework)).collect()
    }

    #[test]
    fn each_file_is_known_by_its_name_and_its_beginning() {
        let found = units_of(&[
            ("test_a.py", "def test_one():\n    pass\n"),
            ("checks.py", "import x\n\nasync def test_two():\n    pass\n"),
            ("cases.py", "import unittest\n\nclass A(unittest.TestCase):\n    def test_x(self): pass\n"),
            ("helper.py", "def help(): pass\n"),
            ("conftest.py", "def test_no(): pass\n"),
            ("pump.robot", "*** Settings ***\n*** Test Cases ***\nOpens\n    No Operation\n"),
            ("words.robot", "*** Keywords ***\nX\n    No Operation\n"),
            ("smoke.sh", "echo ok\n"),
        ]);
        let expected = [
            ("cases.py", Framework::Unittest),
            ("checks.py", Framework::Pytest),
            ("pump.robot", Framework::Robot),
            ("smoke.sh", Framework::Shell),
            ("test_a.py", Framework::Pytest),
        ];
        assert_eq!(found, expected.map(|(path, framework)| (path.to_owned(), framework)));
    }

    #[test]
    fn projects_are_run_as_a_whole_and_once() {
        let found = units_of(&[
            ("app/Cargo.toml", "[workspace]\nmembers = [\"in\"]\n"),
            ("app/in/Cargo.toml", "[package]\nname = \"in\"\n"),
            ("app/run.sh", "echo\n"),
            ("web/package.json", "{\"scripts\": {\"test\": \"node --test\"}}"),
            ("go.mod", "module x\n"),
        ]);
        let expected = [(".", Framework::Go), ("app", Framework::Cargo), ("web", Framework::Npm)];
        assert_eq!(found, expected.map(|(path, framework)| (path.to_owned(), framework)));
    }

    #[test]
    fn what_is_not_taken_is_named_with_the_reason() {
        let sorted = sorted(&[
            ("../../etc/cron.d/x.py", ""),
            ("photo.jpg", "\u{1}"),
            ("test_a.py", "def test_a(): pass"),
            ("test_a.py", "def test_a(): pass"),
            ("requirements.txt", "requests"),
        ]);
        let names: Vec<_> = sorted.refused.iter().map(|file| (&*file.name, &*file.why)).collect();
        assert_eq!(names[0], ("../../etc/cron.d/x.py", "it leads out of its folder"));
        assert_eq!((names[1].0, names[2]), ("photo.jpg", ("test_a.py", "another file has this name too")));
        assert_eq!(sorted.units.len(), 1);
        assert_eq!(sorted.requirements.as_deref(), Some("requirements.txt"));
        assert_eq!(sorted.kept.iter().filter(|kept| kept.is_some()).count(), 2);
    }

    #[test]
    fn names_are_words_of_the_shell_and_nothing_else() {
        let unit = Unit { path: "a'; rm -rf $HOME; '.py".into(), framework: Framework::Pytest };
        let script = &steps(&unit, None)[0].script;
        assert!(script.ends_with(r"'a'\''; rm -rf $HOME; '\''.py'"), "{script}");
        assert_eq!(steps(&unit, Some("requirements.txt")).len(), 2);
    }
}
