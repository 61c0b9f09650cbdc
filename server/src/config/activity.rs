//! When silence is called so.

use app::domain::activity::Patience;
use app::domain::time::Micros;
use serde::{Deserialize, Serialize};

/// When silence is called so. Whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActivityConfig {
    /// No word for this long while a run is open: silent.
    pub silent_after_seconds: u32,
    /// No word for this long while a run is open: lost, and the run is closed as incomplete.
    pub lost_after_seconds: u32,
    /// The same for runs of CI servers, which speak only when something changes.
    pub rare_lost_after_seconds: u32,
    /// A run of shards that nobody counted is complete when no other came for this long.
    pub settle_after_seconds: u32,
}

impl Default for ActivityConfig {
    fn default() -> Self {
        Self {
            silent_after_seconds: 60,
            lost_after_seconds: 900,
            rare_lost_after_seconds: 21_600,
            settle_after_seconds: 20,
        }
    }
}

impl ActivityConfig {
    /// The same, for the rules.
    pub fn patience(&self) -> Patience {
        let seconds = |n: u32| Micros::from_secs(i64::from(n));
        Patience {
            silent_after: seconds(self.silent_after_seconds),
            lost_after: seconds(self.lost_after_seconds),
            rare_lost_after: seconds(self.rare_lost_after_seconds),
            settle_after: seconds(self.settle_after_seconds),
        }
    }
}
