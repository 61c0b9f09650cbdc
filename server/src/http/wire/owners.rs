//! What became of a CODEOWNERS file.

use serde::Serialize;
use utoipa::ToSchema;

/// A CODEOWNERS file that is kept
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Codeowners)]
pub struct OwnersBody {
    /// Rules in it.
    pub rules: usize,
    /// Lines that are no rules.
    pub left_out: usize,
}
