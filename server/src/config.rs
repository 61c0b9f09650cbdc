//! What the operator decides.
//!
//! Strength, from weak to strong: defaults, the environment, `holter.toml`,
//! flags. Values become types here; nothing downstream parses.

mod activity;
mod auth;
mod commit_statuses;
mod doors;
mod fault;
mod files;
mod limits;
mod mail;
mod notifications;
mod outgoing;
mod repositories;
mod retention;
mod runner;
mod schedules;
mod setups;

pub use crate::secret::Secret;
pub use activity::ActivityConfig;
pub use auth::{AuthConfig, OpenIdConfig, Reading};
pub use commit_statuses::CommitStatusConfig;
pub use doors::{CompatConfig, HooksConfig};
pub use fault::FieldFault;
pub use files::{FilesConfig, S3Config};
pub use limits::{CallersConfig, TlsConfig};
pub use mail::MailConfig;
pub use notifications::NotificationsConfig;
pub use outgoing::OutgoingConfig;
pub use repositories::{CredentialsConfig, RepositoryConfig};
pub use retention::{ProjectRetention, RetentionConfig};
pub use runner::{IsolationWord, LimitsConfig, RunnerConfig};
pub use schedules::{Order, ScheduleConfig, SchedulePlan, check_schedule_name};
pub use setups::{BuildsConfig, JenkinsConfig, SetupConfig};

use app::domain::name::SetupName;
use app::domain::wall::{WallPlan, check_wall_name};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is not there or may not be read.
    #[error("{} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It is not TOML, or not ours.
    #[error("{} is not a valid configuration; `holter config example` prints one\n{detail}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        detail: String,
    },
    /// A value that cannot be.
    #[error("{place}: {detail}")]
    Invalid {
        /// Which value.
        place: String,
        /// What is wrong, and what to do.
        detail: String,
    },
}

fn invalid(place: impl Into<String>, detail: impl Into<String>) -> ConfigError {
    ConfigError::Invalid { place: place.into(), detail: detail.into() }
}

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address under which people reach this server, for links that leave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<url::Url>,
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    pub database_url: String,
    /// Where files are kept.
    pub data_dir: PathBuf,
    /// Who may come in.
    pub auth: AuthConfig,
    /// What is taken from one caller, and from all.
    pub limits: CallersConfig,
    /// Proxies whose word on where a request comes from counts, as ADDRESS or ADDRESS/BITS.
    pub trusted_proxies: Vec<String>,
    /// TLS without a proxy before this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
    /// Activity of setups.
    pub activity: ActivityConfig,
    /// Taking events.
    pub ingest: IngestConfig,
    /// Calling other servers.
    pub outgoing: OutgoingConfig,
    /// Sending mail; none is sent without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailConfig>,
    /// Keeping files that come with results.
    pub files: FilesConfig,
    /// Asking CI servers for builds.
    pub builds: BuildsConfig,
    /// Answering the clients of systems that this one replaces.
    pub compat: CompatConfig,
    /// Hearing from CI servers.
    pub hooks: HooksConfig,
    /// Running jobs on this machine.
    pub runner: RunnerConfig,
    /// Repositories whose pushes are built.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryConfig>,
    /// What is run again and again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleConfig>,
    /// Telling people what changed.
    pub notifications: NotificationsConfig,
    /// How long what was recorded is kept.
    pub retention: RetentionConfig,
    /// Setups as code. A setup that is not listed appears with its first word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<SetupConfig>,
    /// Walls as code, by the name in their address.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub walls: BTreeMap<String, WallPlan>,
    /// Which repositories are told how the commits of runs stand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commit_statuses: Vec<CommitStatusConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            database_url: "sqlite:data/holter.db".into(),
            data_dir: "data".into(),
            auth: AuthConfig::default(),
            limits: CallersConfig::default(),
            trusted_proxies: Vec::new(),
            tls: None,
            activity: ActivityConfig::default(),
            ingest: IngestConfig::default(),
            outgoing: OutgoingConfig::default(),
            mail: None,
            files: FilesConfig::default(),
            builds: BuildsConfig::default(),
            compat: CompatConfig::default(),
            hooks: HooksConfig::default(),
            runner: RunnerConfig::default(),
            repositories: Vec::new(),
            schedules: Vec::new(),
            notifications: NotificationsConfig::default(),
            retention: RetentionConfig::default(),
            setups: Vec::new(),
            walls: BTreeMap::new(),
            commit_statuses: Vec::new(),
        }
    }
}

/// Taking events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestConfig {
    /// Events that wait for the store may take this much memory; beyond it listeners are asked to come back.
    pub queue_mebibytes: u32,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self { queue_mebibytes: 64 }
    }
}

impl Config {
    /// Reads a file; without one, `holter.toml` where it exists. What the file
    /// does not say is taken from the environment, then from the defaults.
    pub fn read(path: Option<&Path>, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let default = Path::new("holter.toml");
        let path = match path {
            Some(path) => path,
            None if default.exists() => default,
            None => {
                let mut config = Self::default();
                config.fill(&toml::Table::new(), environment)?;
                return Ok(config);
            }
        };
        let malformed =
            |error: toml::de::Error| ConfigError::Malformed { path: path.into(), detail: error.to_string() };
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.into(), error))?;
        let mut config: Self = toml::from_str(&text).map_err(malformed)?;
        config.fill(&toml::from_str(&text).map_err(malformed)?, environment)?;
        config.validate()?;
        Ok(config)
    }

    /// Takes from the environment what the file does not say.
    fn fill(&mut self, said: &toml::Table, environment: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        let open = |key: &str, variable: &str| environment(variable).filter(|_| !said.contains_key(key));
        if let Some(listen) = open("listen", "HOLTER_LISTEN") {
            self.listen = listen
                .parse()
                .map_err(|_| invalid("HOLTER_LISTEN", format!("{listen:?} is not HOST:PORT in numbers")))?;
        }
        if let Some(data_dir) = open("data_dir", "HOLTER_DATA_DIR") {
            self.move_to(data_dir.into(), said.contains_key("database_url"));
        }
        if let Some(database_url) = open("database_url", "HOLTER_DATABASE_URL") {
            self.database_url = database_url;
        }
        self.files.fill(environment);
        Ok(())
    }

    /// Keeps files elsewhere; the default store goes along.
    pub fn move_to(&mut self, data_dir: PathBuf, store_stays: bool) {
        if !store_stays && self.database_url == Self::default().database_url {
            self.database_url = format!("sqlite:{}", data_dir.join("holter.db").display());
        }
        self.data_dir = data_dir;
    }

    /// Refuses what cannot work, before anything is started.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let activity = &self.activity;
        if activity.silent_after_seconds == 0 || activity.lost_after_seconds <= activity.silent_after_seconds {
            return Err(invalid("activity", "0 < silent_after_seconds < lost_after_seconds must hold"));
        }
        if self.ingest.queue_mebibytes == 0 || self.ingest.queue_mebibytes > 2_048 {
            return Err(invalid("ingest.queue_mebibytes", "must be between 1 and 2048"));
        }
        self.files.validate()?;
        self.validate_doors()?;
        self.validate_road()?;
        self.validate_openid()?;
        self.validate_outgoing()?;
        self.validate_mail()?;
        self.validate_commit_statuses()?;
        self.validate_notifications()?;
        self.validate_runner()?;
        self.validate_repositories()?;
        self.validate_schedules()?;
        self.validate_retention()?;
        for (name, plan) in &self.walls {
            let place = || format!("walls.{name}");
            check_wall_name(name).map_err(|fault| invalid(place(), fault.to_string()))?;
            if let Some(fault) = plan.faults().first() {
                return Err(invalid(place(), fault.to_string()));
            }
        }
        let mut names = HashSet::new();
        for setup in &self.setups {
            SetupName::parse(&setup.name)
                .map_err(|error| invalid(format!("setups, name {:?}", setup.name), error.to_string()))?;
            if !names.insert(setup.name.trim()) {
                return Err(invalid("setups", format!("{:?} is listed twice", setup.name)));
            }
        }
        Ok(())
    }

    /// What stands before the path of a link that leaves this server.
    pub fn link_base(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let by_listening = || format!("{scheme}://{}", self.listen);
        self.public_url.as_ref().map_or_else(by_listening, |url| url.as_str().trim_end_matches('/').to_owned())
    }

    /// Whether people reach this server by TLS: then cookies travel by it alone.
    pub fn is_behind_tls(&self) -> bool {
        self.tls.is_some() || self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }

    /// The setups that are written down, by name.
    pub fn setups_by_name(&self) -> HashMap<SetupName, SetupConfig> {
        let named = self.setups.iter().filter_map(|setup| Some((SetupName::parse(&setup.name).ok()?, setup.clone())));
        named.collect()
    }
}

/// The environment of this process.
#[allow(clippy::disallowed_methods, reason = "this is where the environment is read")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The configuration with all defaults, explained; kept in step by a test.
pub const EXAMPLE: &str = include_str!("../../holter.example.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_the_defaults() {
        let config: Config = toml::from_str(EXAMPLE).expect("the example is valid");
        assert_eq!(config, Config::default());
    }

    #[test]
    fn what_is_commented_out_in_the_example_is_valid_too() {
        let text: String =
            EXAMPLE.lines().map(|line| format!("{}\n", line.strip_prefix("#: ").unwrap_or(line))).collect();
        let text = ["allowed_hosts = []", "allowed_networks = []", "open = []"]
            .iter()
            .fold(text, |text, empty| text.replace(&format!("\n{empty}\n"), "\n"));
        let config: Config = toml::from_str(&text).expect("valid");
        config.validate().expect("usable");
        assert_eq!(config.setups.len(), 2);
        assert_eq!(config.setup_numbers()[&1], "bench-2");
        assert_eq!(config.open_networks().expect("networks").len(), 1);
        assert_eq!(config.hooks.secrets.len(), 2);
        assert!(config.files.s3.is_some());
        assert_eq!((config.commit_statuses.len(), config.notifications.channels.len()), (1, 3));
        let shown = format!("{config:?}");
        assert!(
            !["11aa", "44dd", "55ee", "66ff", "77aa", "88bb", "99cc", "99dd"]
                .iter()
                .any(|secret| shown.contains(secret))
        );
    }

    #[test]
    fn the_file_is_stronger_than_the_environment() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("holter.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1234\"\n").expect("written");
        let environment = |name: &str| match name {
            "HOLTER_LISTEN" => Some("127.0.0.1:9".to_owned()),
            "HOLTER_DATA_DIR" => Some("/srv/holter".to_owned()),
            _ => None,
        };
        let config = Config::read(Some(&file), &environment).expect("usable");
        assert_eq!(config.listen.port(), 1234);
        assert_eq!(config.database_url, "sqlite:/srv/holter/holter.db");
    }

    #[test]
    fn a_host_that_nobody_allowed_is_refused() {
        let text = "[[setups]]\nname = \"a\"\njenkins = { url = \"http://ci.example/\", job = \"j\" }\n";
        let config: Config = toml::from_str(text).expect("valid");
        assert!(config.validate().expect_err("refused").to_string().contains("allowed_hosts"));
    }
}
