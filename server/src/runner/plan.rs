//! `.holter.toml`: what a repository says of its own build.

use app::domain::build::detect;
use app::domain::job::{STEPS_MAX, Step, Task, check_path};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the file is called.
pub const FILE: &str = ".holter.toml";

/// Bytes of it.
pub const FILE_MOST: u64 = 256 * 1024;

/// Patterns of one kind; each is held against every file.
const PATTERNS_MOST: usize = 100;

/// Reports of builds that name none.
const REPORTS: &[&str] = &["**/junit*.xml", "**/TEST-*.xml"];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Plan {
    steps: Vec<Planned>,
    reports: Vec<String>,
    artifacts: Vec<String>,
    environment: BTreeMap<String, String>,
    timeout_seconds: Option<u32>,
    network: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    name: String,
    run: String,
    #[serde(default)]
    folder: String,
    #[serde(default)]
    always: bool,
    #[serde(default)]
    may_fail: bool,
    /// Its output is a report, kept under this name.
    #[serde(default)]
    report: String,
}

/// Puts into a task what its repository says, or what follows from its files.
/// A repository may ask for less than it was given, and for nothing more.
pub fn complete(task: &mut Task, text: Option<&str>, paths: &[String]) -> Result<(), String> {
    let plan: Plan = match text {
        Some(text) => toml::from_str(text).map_err(|error| format!("{FILE} cannot be read: {error}"))?,
        None => Plan::default(),
    };
    if plan.steps.len() > STEPS_MAX {
        return Err(format!("{FILE} has more than {STEPS_MAX} steps"));
    }
    if plan.reports.len().max(plan.artifacts.len()) > PATTERNS_MOST {
        return Err(format!("{FILE} has more than {PATTERNS_MOST} patterns of one kind"));
    }
    task.has_network = task.has_network && plan.network.unwrap_or(true);
    if let Some(asked) = plan.timeout_seconds {
        task.limits.seconds = task.limits.seconds.min(asked);
    }
    task.environment.extend(plan.environment);
    task.reports =
        if plan.reports.is_empty() { REPORTS.iter().map(|one| (*one).into()).collect() } else { plan.reports };
    task.artifacts = plan.artifacts;
    task.steps = if plan.steps.is_empty() {
        detect(paths, task.has_network)
    } else {
        plan.steps.into_iter().map(Planned::step).collect::<Result<_, _>>()?
    };
    if task.steps.is_empty() {
        return Err(format!("nothing in this repository is known to be run; say the steps in {FILE}"));
    }
    Ok(())
}

impl Planned {
    fn step(self) -> Result<Step, String> {
        let folder = if matches!(&*self.folder, "" | ".") {
            String::new()
        } else {
            check_path(&self.folder).map_err(|fault| format!("{FILE}, step {}: the folder: {fault}", self.name))?
        };
        let Self { name, run, always, may_fail, report, .. } = self;
        Ok(Step { name, script: run, folder, always, may_fail, keeps: report })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_says_its_steps_and_gets_no_more_than_it_may() {
        let text = "network = true\ntimeout_seconds = 99999\nreports = [\"out/*.xml\"]\nartifacts = [\"dist/**\"]\n\
                    [[steps]]\nname = \"test\"\nrun = \"make test\"\nfolder = \"sub\"\n[environment]\nA = \"b\"\n";
        let mut task = Task::default();
        complete(&mut task, Some(text), &[]).expect("a plan");
        assert!(!task.has_network && task.limits.seconds == 1_800);
        assert_eq!(
            (&*task.steps[0].script, &*task.steps[0].folder, &*task.reports[0]),
            ("make test", "sub", "out/*.xml")
        );
        assert_eq!((&*task.environment["A"], &*task.artifacts[0]), ("b", "dist/**"));
        let odd = "[[steps]]\nname = \"x\"\nrun = \"y\"\nfolder = \"../out\"\n";
        assert!(complete(&mut task, Some(odd), &[]).expect_err("refused").contains("leads out"));
        assert!(complete(&mut task, Some("steps = 1"), &[]).is_err());
        let many = format!("artifacts = [{}]", "\"*\",".repeat(101));
        assert!(complete(&mut task, Some(&many), &[]).expect_err("refused").contains("more than 100 patterns"));
        assert!(complete(&mut task, None, &["README.md".into()]).expect_err("nothing").contains("nothing in this"));
        complete(&mut task, None, &["test_a.py".into()]).expect("Python");
        assert_eq!(task.steps.len(), 2);
    }
}
