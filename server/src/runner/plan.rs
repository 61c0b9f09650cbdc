//! `.holter.toml`: what a repository says of its own build.

use super::cache::{self, CACHE_PATHS_MOST, CACHES_MOST};
use app::domain::build::{between, detect};
use app::domain::job::{Cache, Matrix, STEPS_MAX, Step, Task, check_path, is_variable, spread};
use app::domain::name::SetupName;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the file is called.
pub const FILE: &str = ".holter.toml";

/// Bytes of it.
pub const FILE_MOST: u64 = 256 * 1024;

/// Patterns of one kind; each is held against every file.
const PATTERNS_MOST: usize = 100;

/// Steps of all variants together.
const STEPS_SPREAD_MOST: usize = 300;

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
    /// The container of steps that name none.
    image: String,
    matrix: Option<Matrix>,
    cache: Vec<PlannedCache>,
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
    /// Its container; empty where it has none though others do.
    image: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlannedCache {
    paths: Vec<String>,
    #[serde(default)]
    key: Vec<String>,
}

/// Puts into a task what its repository says, or what follows from its files.
/// A repository may ask for less than it was given, and for nothing more.
pub fn complete(task: &mut Task, text: Option<&str>, paths: &[String]) -> Result<(), String> {
    let mut plan: Plan = match text {
        Some(text) => toml::from_str(text).map_err(|error| format!("{FILE} cannot be read: {error}"))?,
        None => Plan::default(),
    };
    plan.check()?;
    task.has_network = task.has_network && plan.network.unwrap_or(true);
    if let Some(asked) = plan.timeout_seconds {
        task.limits.seconds = task.limits.seconds.min(asked);
    }
    task.caches = plan.caches()?;
    task.steps = plan.steps(task, paths)?;
    check_setups(task)?;
    task.environment.extend(plan.environment);
    task.reports =
        if plan.reports.is_empty() { REPORTS.iter().map(|one| (*one).into()).collect() } else { plan.reports };
    task.artifacts = plan.artifacts;
    Ok(())
}

impl Plan {
    fn check(&self) -> Result<(), String> {
        if self.steps.len() > STEPS_MAX {
            return Err(format!("{FILE} has more than {STEPS_MAX} steps"));
        }
        let key = self.cache.iter().map(|cache| cache.key.len()).max().unwrap_or_default();
        if self.reports.len().max(self.artifacts.len()).max(key) > PATTERNS_MOST {
            return Err(format!("{FILE} has more than {PATTERNS_MOST} patterns of one kind"));
        }
        match self.environment.keys().find(|name| !is_variable(name)) {
            Some(name) => Err(format!("{FILE}, environment: {name:?} is no name of a variable")),
            None => Ok(()),
        }
    }

    fn caches(&mut self) -> Result<Vec<Cache>, String> {
        if self.cache.len() > CACHES_MOST {
            return Err(format!("{FILE} has more than {CACHES_MOST} caches"));
        }
        let checked = |cache: PlannedCache| {
            if cache.paths.is_empty() || cache.paths.len() > CACHE_PATHS_MOST {
                return Err(format!("{FILE}, cache: it needs 1 to {CACHE_PATHS_MOST} paths"));
            }
            let path = |path: &String| check_path(path).map_err(|fault| format!("{FILE}, cache {path}: {fault}"));
            Ok(Cache { paths: cache.paths.iter().map(path).collect::<Result<_, _>>()?, key: cache.key })
        };
        let caches: Vec<Cache> = std::mem::take(&mut self.cache).into_iter().map(checked).collect::<Result<_, _>>()?;
        let is_twice = |(at, cache): (usize, &Cache)| caches[..at].iter().any(|other| other.paths == cache.paths);
        if caches.iter().enumerate().any(is_twice) {
            return Err(format!("{FILE} has two caches of the same paths"));
        }
        Ok(caches)
    }

    /// Its steps, those of each variant of its matrix after the other's.
    fn steps(&mut self, task: &Task, paths: &[String]) -> Result<Vec<Step>, String> {
        let image = &self.image;
        let mut steps: Vec<Step> = if self.steps.is_empty() {
            let steps = detect(paths, task.has_network);
            steps.into_iter().map(|step| Step { image: image.clone(), ..step }).collect()
        } else {
            let planned = std::mem::take(&mut self.steps);
            planned.into_iter().map(|step| step.step(image)).collect::<Result<_, _>>()?
        };
        if steps.is_empty() {
            return Err(format!("nothing in this repository is known to be run; say the steps in {FILE}"));
        }
        steps = cache::around(steps, &task.caches);
        if let Some(matrix) = self.matrix.take().filter(|matrix| !matrix.axes.is_empty()) {
            let variants = matrix.variants().map_err(|fault| format!("{FILE}, matrix: {fault}"))?;
            steps = spread(&steps, &variants, &between(task.tells.commit.as_deref().unwrap_or("HEAD")));
        }
        if steps.len() > STEPS_SPREAD_MOST {
            return Err(format!("{FILE} has more than {STEPS_SPREAD_MOST} steps in all variants together"));
        }
        Ok(steps)
    }
}

/// Whether every variant can be a setup: what is told of none would be refused.
fn check_setups(task: &Task) -> Result<(), String> {
    for step in &task.steps {
        let setup = task.tells.of_variant(&step.variant).setup;
        if !setup.is_empty() {
            SetupName::parse(&setup).map_err(|error| format!("{FILE}, matrix: the setup {setup}: {error}"))?;
        }
    }
    Ok(())
}

impl Planned {
    fn step(self, usual_image: &str) -> Result<Step, String> {
        let folder = if matches!(&*self.folder, "" | ".") {
            String::new()
        } else {
            check_path(&self.folder).map_err(|fault| format!("{FILE}, step {}: the folder: {fault}", self.name))?
        };
        let Self { name, run, always, may_fail, report, image, .. } = self;
        let image = image.unwrap_or_else(|| usual_image.to_owned());
        Ok(Step { name, script: run, folder, always, may_fail, keeps: report, image, ..Step::default() })
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
    #[test]
    fn a_matrix_spreads_the_steps_and_caches_stand_around_them() {
        let text = "image = \"python:${V}\"\n[matrix]\nV = [\"1\", \"2\"]\n[[cache]]\npaths = [\"deps\"]\nkey = [\"lock\"]\n\
                    [[steps]]\nname = \"test\"\nrun = \"x\"\n[[steps]]\nname = \"say\"\nrun = \"y\"\nimage = \"\"\n";
        let mut task = Task::default();
        complete(&mut task, Some(text), &[]).expect("a plan");
        let names: Vec<_> = task.steps.iter().map(|step| (&*step.name, &*step.image)).collect();
        let of = |v: u8, between: &[&str]| {
            let names = between.iter().chain(&["restore cache", "test", "say", "save cache"]);
            names.map(|name| format!("{name} (V={v})")).collect::<Vec<_>>()
        };
        let wanted: Vec<_> = of(1, &[]).into_iter().chain(of(2, &["clean"])).collect();
        assert_eq!(names.iter().map(|(name, _)| *name).collect::<Vec<_>>(), wanted);
        assert_eq!((names[1].1, names[2].1, names[6].1, names[0].1), ("python:1", "", "python:2", ""));
        assert_eq!(task.caches[0].paths, ["deps"]);
        for (odd, why) in [
            ("[matrix]\nV = []", "V has no values"),
            ("[[cache]]\npaths = [\"../x\"]", "leads out"),
            ("[[cache]]\npaths = []", "needs 1 to"),
            ("[[cache]]\npaths = [\"a\"]\n[[cache]]\npaths = [\"./a\"]", "two caches"),
            ("[environment]\n\"A;B\" = \"x\"", "no name of a variable"),
            ("[matrix]\nV = [3.1]", "cannot be read"),
        ] {
            let text = format!("[[steps]]\nname = \"a\"\nrun = \"b\"\n{odd}\n");
            let why_not = complete(&mut Task::default(), Some(&text), &[]).expect_err(odd);
            assert!(why_not.contains(why), "{odd}: {why_not}");
        }
    }
}
