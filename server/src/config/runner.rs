//! Running jobs on this machine.

use super::{Config, ConfigError, Secret, invalid};
use crate::runner::Caches;
use crate::runner::sandbox::Isolation;
use app::domain::job::{Labels, Limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Running jobs on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunnerConfig {
    /// Jobs that the server itself runs at once; 0 turns that off.
    pub workers: u32,
    /// What this machine has, between commas: jobs that need a label go where it is.
    pub labels: String,
    /// How jobs are kept apart: `bubblewrap`, or `plain` where whoever sends tests is trusted with this machine.
    pub isolation: IsolationWord,
    /// Folders that jobs may read beside the system's, such as those of compilers.
    pub visible: Vec<PathBuf>,
    /// What runs Python in jobs; it should have pytest and Robot Framework.
    pub python: String,
    /// Images in whose containers steps of builds may run, by rootless podman; `*` stands for any letters. The
    /// worker may not be started as root then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// What is kept of jobs for the next of their kind on this machine, in MiB; 0 turns that off.
    pub cache_mebibytes: u32,
    /// Tests that are sent in may use the network.
    pub network: bool,
    /// No job gets more than this.
    pub limits: LimitsConfig,
    /// Secrets that builds may ask for by name. They never stand in logs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Secret>,
}

/// How jobs are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IsolationWord {
    /// By bubblewrap.
    #[default]
    Bubblewrap,
    /// By their user alone.
    Plain,
}

impl From<IsolationWord> for Isolation {
    fn from(word: IsolationWord) -> Self {
        match word {
            IsolationWord::Bubblewrap => Self::Bubblewrap,
            IsolationWord::Plain => Self::Plain,
        }
    }
}

/// What a job may take at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Time.
    pub seconds: u32,
    /// Memory of all its programs.
    pub memory_mebibytes: u32,
    /// Programs and threads at once.
    pub processes: u32,
    /// What it may write.
    pub disk_mebibytes: u32,
    /// What it may put out.
    pub output_mebibytes: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            seconds: 7_200,
            memory_mebibytes: 4_096,
            processes: 1_024,
            disk_mebibytes: 8_192,
            output_mebibytes: 1_000,
        }
    }
}

impl From<LimitsConfig> for Limits {
    fn from(limits: LimitsConfig) -> Self {
        let LimitsConfig { seconds, memory_mebibytes, processes, disk_mebibytes, output_mebibytes } = limits;
        Self { seconds, memory_mebibytes, processes, disk_mebibytes, output_mebibytes }
    }
}

impl Default for RunnerConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            labels: String::new(),
            isolation: IsolationWord::default(),
            visible: Vec::new(),
            python: "python3".into(),
            images: Vec::new(),
            cache_mebibytes: 4_096,
            network: false,
            limits: LimitsConfig::default(),
            secrets: BTreeMap::new(),
        }
    }
}

impl RunnerConfig {
    /// What this machine has. Checked before anything is started.
    pub fn labels(&self) -> Labels {
        Labels::parse(&self.labels).unwrap_or_default()
    }

    /// What it keeps of jobs in a folder, where it keeps anything.
    pub fn caches(&self, folder: PathBuf) -> Option<Caches> {
        (self.cache_mebibytes > 0).then(|| Caches::new(folder, self.cache_mebibytes))
    }
}

impl Config {
    pub(super) fn validate_runner(&self) -> Result<(), ConfigError> {
        let runner = &self.runner;
        if runner.workers > 64 {
            return Err(invalid("runner.workers", "must be from 0 to 64"));
        }
        Labels::parse(&runner.labels).map_err(|error| invalid("runner.labels", error.to_string()))?;
        if let Some(path) = runner.visible.iter().find(|path| !path.is_absolute()) {
            return Err(invalid("runner.visible", format!("{} must begin with /", path.display())));
        }
        if !runner.images.is_empty() && runner.isolation == IsolationWord::Plain {
            return Err(invalid("runner.images", "steps in containers need isolation = \"bubblewrap\" for the others"));
        }
        let LimitsConfig { seconds, memory_mebibytes, processes, disk_mebibytes, output_mebibytes } = runner.limits;
        if [seconds, memory_mebibytes, disk_mebibytes, output_mebibytes].contains(&0) || processes < 16 {
            return Err(invalid("runner.limits", "none may be 0, and a job needs 16 processes"));
        }
        if output_mebibytes > 1_024 {
            return Err(invalid("runner.limits.output_mebibytes", "must be 1024 at most"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (text, place) in [
            ("workers = 65", "runner.workers"),
            ("labels = \"a;b\"", "runner.labels"),
            ("visible = [\"opt\"]", "runner.visible"),
            ("images = [\"*\"]\nisolation = \"plain\"", "runner.images"),
            ("limits = { seconds = 0 }", "runner.limits"),
            ("limits = { output_mebibytes = 2000 }", "runner.limits.output_mebibytes"),
        ] {
            let config: Config = toml::from_str(&format!("[runner]\n{text}\n")).expect("valid");
            assert!(config.validate().expect_err(text).to_string().starts_with(place), "{text}");
        }
    }
}
