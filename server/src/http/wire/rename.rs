//! Renames, as the public contract tells of them.

use app::read::RenameOffer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Two tests that are one
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameBody {
    /// The test that is called otherwise now.
    pub was: Uuid,
    /// The test that it goes on as.
    pub now: Uuid,
}

/// A test that likely goes on under another name
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rename)]
pub struct RenameItem {
    /// What it was.
    pub was: Uuid,
    /// The suites before that from the root, and the name.
    pub was_path: Vec<String>,
    /// What it is.
    pub now: Uuid,
    /// The suites before that from the root, and the name.
    pub now_path: Vec<String>,
    /// What gives it away: `same_id`, `same_script`, `moved` or `near_name`.
    #[schema(example = "near_name")]
    pub sign: String,
    /// How alike they are, from 0 to 1.
    #[schema(example = 0.875)]
    pub likeness: f64,
}

/// Likely renames
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RenameList {
    /// The surest first.
    pub items: Vec<RenameItem>,
    /// Always null: the list has one page.
    pub next: Option<String>,
}

impl From<RenameOffer> for RenameItem {
    fn from(offer: RenameOffer) -> Self {
        Self {
            was: offer.was.0,
            was_path: offer.was_path,
            now: offer.now_is.0,
            now_path: offer.now_path,
            sign: offer.sign.as_str().to_owned(),
            likeness: f64::from(offer.likeness) / 1_000.0,
        }
    }
}
