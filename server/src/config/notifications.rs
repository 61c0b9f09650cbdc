//! Who is told what changed, how soon and how often.

use super::{Config, ConfigError, invalid};
use crate::outgoing::channel::{Channel, check_name};
use app::domain::change::Rhythm;
use app::domain::time::Micros;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who is told what changed, how soon and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationsConfig {
    /// What reverts within this time is not told.
    pub settle_seconds: u32,
    /// The least time between two messages to a channel; it grows in a storm.
    pub gather_seconds: u32,
    /// Of quiet hours: a name such as `Europe/Berlin`.
    pub time_zone: String,
    /// Channels as code, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<String, Channel>,
}

impl Default for NotificationsConfig {
    fn default() -> Self {
        Self { settle_seconds: 120, gather_seconds: 60, time_zone: "UTC".into(), channels: BTreeMap::new() }
    }
}

impl NotificationsConfig {
    /// How soon and how often.
    pub fn rhythm(&self) -> Rhythm {
        let seconds = |n: u32| Micros::from_secs(i64::from(n));
        Rhythm { settle: seconds(self.settle_seconds), gather: seconds(self.gather_seconds) }
    }

    /// The time zone of quiet hours.
    pub fn zone(&self) -> Result<TimeZone, ConfigError> {
        TimeZone::get(&self.time_zone).map_err(|_| {
            let detail = format!("{:?} is not known; give a name such as Europe/Berlin or UTC", self.time_zone);
            invalid("notifications.time_zone", detail)
        })
    }
}

impl Config {
    /// Refuses channels that could not be reached.
    pub(super) fn validate_notifications(&self) -> Result<(), ConfigError> {
        let notifications = &self.notifications;
        notifications.zone()?;
        for (place, seconds) in
            [("settle_seconds", notifications.settle_seconds), ("gather_seconds", notifications.gather_seconds)]
        {
            if !(1..=86_400).contains(&seconds) {
                return Err(invalid(format!("notifications.{place}"), "must be between 1 and 86400"));
            }
        }
        if !notifications.channels.is_empty() && self.public_url.is_none() {
            return Err(invalid("public_url", "must be given where channels are, whose messages link to it"));
        }
        let rules = self.outgoing.rules().map_err(|error| invalid("outgoing", error.to_string()))?;
        for (name, channel) in &notifications.channels {
            let place = || format!("notifications.channels.{name}");
            check_name(name).map_err(|fault| invalid(place(), fault.to_string()))?;
            if let Some(fault) = channel.faults(&rules, self.mail.is_some()).first() {
                return Err(invalid(place(), fault.to_string()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_could_not_be_reached_are_refused() {
        let good = "public_url = \"https://holter.example\"\n[outgoing]\nallowed_hosts = [\"chat.example\"]\n\
                    [notifications]\ntime_zone = \"Europe/Berlin\"\n\
                    [notifications.channels.team]\nkind = \"slack\"\nurl = \"https://chat.example/x\"\n";
        let read = |text: &str| toml::from_str::<Config>(text).expect("valid").validate();
        read(good).expect("usable");
        for (text, word) in [
            (good.replace("Berlin", "Atlantis"), "time_zone"),
            (good.replace("channels.team", "channels.Team"), "channels.Team"),
            (good.replace("chat.example/x", "other.example/x"), "outgoing.allowed_hosts"),
            (good.replace("public_url = \"https://holter.example\"\n", ""), "public_url"),
            (good.replace("time_zone", "settle_seconds = 0\ntime_zone"), "settle_seconds"),
        ] {
            let error = read(&text).expect_err(&text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
