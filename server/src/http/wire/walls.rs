//! Saved walls and claims, as programs see them.

use crate::service::walls::NamedWall;
use app::domain::wall::WallPlan;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a wall shows, and how; whatever is left out is as usual
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Plan {
    /// A title, in place of the number of setups.
    #[schema(max_length = 80)]
    pub title: Option<String>,
    /// Only setups whose run is of one of these projects.
    pub projects: Vec<String>,
    /// Only these setups; `*` stands for any letters.
    #[schema(examples(json!(["bench-*"])))]
    pub setups: Vec<String>,
    /// Only what is ill, silent or late.
    pub only_sick: bool,
    /// By name, and not the sickest first.
    pub by_name: bool,
    /// The most tiles on one page.
    #[schema(minimum = 1, maximum = 500)]
    pub tiles: Option<u32>,
    /// Seconds until the next page, where there are several.
    #[schema(minimum = 5, maximum = 3600)]
    pub rotate_seconds: Option<u32>,
    /// `system`, `light` or `dark`.
    pub theme: &'static str,
    /// `standard` or `colour-blind`.
    pub palette: &'static str,
    /// A sound for each new failure.
    pub sound: bool,
    /// The language of the clock.
    pub language: Option<String>,
    /// When it is dimmed.
    #[schema(examples("22:00-06:00"))]
    pub dim: Option<String>,
}

impl From<WallPlan> for Plan {
    fn from(plan: WallPlan) -> Self {
        let WallPlan { title, projects, setups, only_sick, by_name, tiles, rotate_seconds, .. } = plan;
        let WallPlan { theme, palette, sound, language, dim, .. } = plan;
        let (theme, palette) = (theme.as_str(), palette.as_str());
        Self {
            title,
            projects,
            setups,
            only_sick,
            by_name,
            tiles,
            rotate_seconds,
            theme,
            palette,
            sound,
            language,
            dim,
        }
    }
}

/// A saved wall
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WallItem {
    /// Its name: it stands at `/wall/{name}`.
    pub name: String,
    /// It is written in the configuration file, and changed there.
    pub configured: bool,
    /// What it shows, and how.
    pub plan: Plan,
}

impl From<NamedWall> for WallItem {
    fn from(wall: NamedWall) -> Self {
        Self { name: wall.name, configured: wall.is_configured, plan: wall.plan.into() }
    }
}

/// Saved walls
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WallList {
    /// By name.
    pub items: Vec<WallItem>,
    /// Always null: they come at once.
    pub next: Option<String>,
}

/// Who looks after a setup
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimBody {
    /// The name of a person; 60 characters are kept.
    #[schema(examples("Kim"))]
    pub holder: String,
    /// What that person says; 200 characters are kept.
    pub note: Option<String>,
}
