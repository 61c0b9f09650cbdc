//! How long what was recorded is kept.

use super::{Config, ConfigError, invalid};
use app::domain::name::ProjectName;
use app::domain::retention::Ages;
use app::domain::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;

fn age(days: Option<u32>) -> Option<Micros> {
    days.map(|days| Micros::from_secs(i64::from(days) * DAY))
}

/// The longest time that may be given; who wants more leaves it out.
const DAYS_MAX: u32 = 36_500;

/// How long what was recorded is kept; what is left out is kept for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Lines of output, and steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_days: Option<u32>,
    /// Files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_days: Option<u32>,
    /// All other events of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_days: Option<u32>,
    /// Runs, with everything that belongs to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_days: Option<u32>,
    /// Who did what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_days: Option<u32>,
    /// Projects with times of their own; what one leaves out is as above.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<String, ProjectRetention>,
}

/// How long what was recorded of a project is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectRetention {
    /// Lines of output, and steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_days: Option<u32>,
    /// Files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_days: Option<u32>,
    /// All other events of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_days: Option<u32>,
    /// Runs, with everything that belongs to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_days: Option<u32>,
}

impl ProjectRetention {
    fn days(&self) -> [(&'static str, Option<u32>); 4] {
        let Self { output_days, files_days, events_days, runs_days } = *self;
        [
            ("output_days", output_days),
            ("files_days", files_days),
            ("events_days", events_days),
            ("runs_days", runs_days),
        ]
    }

    fn ages(&self) -> Ages {
        Ages {
            output: age(self.output_days),
            files: age(self.files_days),
            events: age(self.events_days),
            runs: age(self.runs_days),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            output_days: self.output_days.or(other.output_days),
            files_days: self.files_days.or(other.files_days),
            events_days: self.events_days.or(other.events_days),
            runs_days: self.runs_days.or(other.runs_days),
        }
    }
}

impl RetentionConfig {
    fn usual(&self) -> ProjectRetention {
        let Self { output_days, files_days, events_days, runs_days, .. } = *self;
        ProjectRetention { output_days, files_days, events_days, runs_days }
    }

    /// How long it is kept who did what.
    pub fn audit(&self) -> Option<Micros> {
        age(self.audit_days)
    }

    /// How long things are kept, and where that is otherwise.
    pub fn ages(&self) -> (Ages, BTreeMap<ProjectName, Ages>) {
        let usual = self.usual();
        let own = self.projects.iter().map(|(name, own)| (ProjectName::stored(name.as_str()), own.or(usual).ages()));
        (usual.ages(), own.collect())
    }
}

impl Config {
    /// Refuses times that cannot be.
    pub(super) fn validate_retention(&self) -> Result<(), ConfigError> {
        let retention = &self.retention;
        let usual = std::iter::once(("retention".to_owned(), retention.usual()));
        let own = retention.projects.iter().map(|(name, own)| (format!("retention.projects.{name}"), *own));
        let audit = ("retention".to_owned(), "audit_days", retention.audit_days);
        let each =
            usual.chain(own).flat_map(|(place, kept)| kept.days().map(|(name, days)| (place.clone(), name, days)));
        for (place, name, days) in each.chain([audit]) {
            if days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
                let detail = format!("must be between 1 and {DAYS_MAX}; what is to be kept for ever is left out");
                return Err(invalid(format!("{place}.{name}"), detail));
            }
        }
        for name in retention.projects.keys() {
            let fault = |_| invalid(format!("retention.projects.{name}"), "is not the name of a project");
            ProjectName::parse(name).map_err(fault)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_what_is_usual_where_it_says_nothing() {
        let text = "[retention]\noutput_days = 30\nruns_days = 365\n[retention.projects.pump]\nruns_days = 7\n";
        let config: Config = toml::from_str(text).expect("valid");
        config.validate().expect("usable");
        let (usual, own) = config.retention.ages();
        let days = |days: i64| Some(Micros::from_secs(days * DAY));
        assert_eq!((usual.output, usual.runs, usual.files), (days(30), days(365), None));
        let pump = own[&ProjectName::stored("pump")];
        assert_eq!((pump.output, pump.runs), (days(30), days(7)));
        for (text, word) in [
            (text.replace("= 30", "= 0"), "retention.output_days"),
            (text.replace("= 7", "= 40000"), "retention.projects.pump.runs_days"),
        ] {
            let error = toml::from_str::<Config>(&text).expect("valid").validate().expect_err(&text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
