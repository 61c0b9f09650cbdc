//! How a wall looks, and who looks after what it shows.

use crate::domain::time::Timestamp;
use crate::domain::wall::{Hours, Palette, Theme, WallPlan, matches};
use crate::read::Tile;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// How a wall looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Look {
    /// A title.
    pub title: Option<String>,
    /// Only setups whose run is of one of these projects; none for all.
    pub projects: Vec<String>,
    /// Only setups that one of these patterns means; none for all.
    pub setups: Vec<String>,
    /// Only what is ill, silent or late.
    pub only_sick: bool,
    /// By name, and not the sickest first.
    pub by_name: bool,
    /// The most tiles on one page.
    pub tiles: Option<u32>,
    /// Seconds until the next page.
    pub rotate_seconds: Option<u32>,
    /// Light or dark.
    pub theme: Theme,
    /// Which colours tell well from ill.
    pub palette: Palette,
    /// A sound for each new failure.
    pub sound: bool,
    /// The language of the clock.
    pub language: Option<String>,
    /// When it is dimmed: from and to, in minutes of the day.
    pub dim: Option<(u16, u16)>,
}

impl Look {
    /// The look of a saved wall.
    pub fn of(plan: &WallPlan) -> Self {
        let dim = plan.dim.as_deref().and_then(Hours::parse);
        Self {
            title: plan.title.clone(),
            projects: plan.projects.clone(),
            setups: plan.setups.clone(),
            only_sick: plan.only_sick,
            by_name: plan.by_name,
            tiles: plan.tiles,
            rotate_seconds: plan.rotate_seconds,
            theme: plan.theme,
            palette: plan.palette,
            sound: plan.sound,
            language: plan.language.clone(),
            dim: dim.map(|hours| (hours.from, hours.to)),
        }
    }

    /// Whether a setup belongs on this wall.
    pub fn takes(&self, tile: &Tile) -> bool {
        let project = tile.run.as_ref().map(|run| &*run.project);
        let is_of_project =
            self.projects.is_empty() || project.is_some_and(|own| self.projects.iter().any(|known| known == own));
        is_of_project && (self.setups.is_empty() || self.setups.iter().any(|pattern| matches(pattern, &tile.name)))
    }
}

/// Somebody looks after a setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Claim {
    /// The name of that person.
    pub holder: String,
    /// What that person says.
    pub note: Option<String>,
    /// Since when, by our clock.
    pub at: Timestamp,
}

/// Who keeps a setup for themselves, what for and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Reservation {
    /// The name of a person.
    pub holder: String,
    /// What for.
    pub reason: String,
    /// It ends by itself.
    pub ends_at: Timestamp,
}
