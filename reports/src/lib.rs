//! Report files of test frameworks, read into one model.
//!
//! Pure: bytes in, a [`Report`] out; no files, no clock, no network, and
//! nothing of Holter's own types, so that a parser is compiled and fuzzed alone.
//!
//! - [`model`]: what a report says, whichever format said it.
//! - [`Format`]: the formats, how each is recognised, and the parser of each.
//! - `xml/`, `json/`, `lines/`: the parsers, a file a format.
//! - [`join_allure`]: a folder of Allure results as one report.
//! - [`scan`]: times, durations and texts as report writers really write them.
//!
//! Every parser keeps two promises. What can be read is kept: a file that is
//! cut off or broken yields what came before the fault, and a [`Loss`] says
//! where and why. And counts come from the cases, never from the totals that a
//! file claims.

mod apart;
mod format;
mod json;
mod lines;
pub mod model;
pub mod scan;
mod text;
mod xml;
mod yaml;

pub use format::{Format, Refusal, read, recognise};
pub use json::allure::join as join_allure;
pub use model::{Attachment, Attempt, Case, Loss, Report, Suite, Verdict};
