//! Badges for programs that draw their own.

use serde::Serialize;
use utoipa::ToSchema;

/// What a badge says, as shields reads it
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BadgeBody {
    /// Always 1.
    pub schema_version: u32,
    /// What it is of.
    pub label: String,
    /// How that stands.
    pub message: String,
    /// A colour that shields knows.
    pub color: &'static str,
    /// It stands badly.
    pub is_error: bool,
    /// How often to ask again.
    pub cache_seconds: u32,
}
