//! What is wrong with one of several that are configured alike.

use super::{ConfigError, invalid};
use thiserror::Error;

/// What is wrong with a field of a repository or a schedule, wherever it was
/// written: in the file, on a page or by a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct FieldFault {
    /// The field.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub detail: String,
}

pub(super) fn fault(field: &'static str, detail: impl Into<String>) -> FieldFault {
    FieldFault { field, detail: detail.into() }
}

impl FieldFault {
    /// The same as a fault of the file: of this one of a list.
    pub(super) fn of(self, list: &str, name: &str) -> ConfigError {
        invalid(format!("{list}, {name:?}, {}", self.field), self.detail)
    }
}
