//! How much may be copied.
//!
//! A case carries the names of all its suites, and a file says them once for
//! many cases. A short file with long names could so become a report that
//! fills the memory; what goes beyond the bound is left out and counted.

use crate::Report;

/// What all copies may come to. Two million ordinary cases stay below it.
const COPIED_BYTES: usize = 256 * 1024 * 1024;

/// What one text costs beside its letters.
const TEXT_BYTES: usize = std::mem::size_of::<String>();

/// The room that is left.
#[derive(Default)]
pub struct Room {
    taken: usize,
    left_out: usize,
}

impl Room {
    /// Takes room for copies of these; `false` if there is none.
    pub fn take<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) -> bool {
        let bytes: usize = texts.into_iter().map(|text| text.len() + TEXT_BYTES).sum();
        let fits = self.taken + bytes <= COPIED_BYTES;
        if fits {
            self.taken += bytes;
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// Says in a report what found no room.
    pub fn settle(&self, mut report: Report) -> Report {
        if self.left_out > 0 {
            let detail = format!(
                "{} cases and suites are left out: what they have in common is too long to repeat",
                self.left_out
            );
            report.lose("the rest", detail);
        }
        report
    }
}
