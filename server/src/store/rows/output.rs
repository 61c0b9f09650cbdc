//! Which output is asked for.

use app::domain::ids::PlaceId;
use app::domain::output::{Level, OutputFrom};

/// Which output is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputFilter {
    /// Of this place alone.
    pub place: Option<PlaceId>,
    /// Lines that are at least so grave; then no steps.
    pub level: Option<Level>,
    /// From where on.
    pub from: OutputFrom,
    /// So many at most.
    pub limit: u32,
}
